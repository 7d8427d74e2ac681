package member

import (
	"cmp"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/fleet"
	"github.com/rendered/rendered/watch/notify"
)

// Of gives the groups of a config, and the group of each service of its plan that is in one.
func Of(cfg *config.Config, p *watch.Plan) (groups []fleet.Settings, services map[string]string) {
	services = make(map[string]string)
	work := make(map[string]time.Duration)
	for _, s := range p.Services {
		if s.Group != "" {
			services[s.Name] = s.Group
			work[s.Group] += longest(s)
		}
	}
	known := make(map[string]bool)
	for _, s := range cfg.Services {
		r := s.Rollout
		if work[r.Group] == 0 || known[r.Group] {
			continue
		}
		known[r.Group] = true
		groups = append(groups, fleet.Settings{
			Fleet: cfg.Fleet.Name, Group: r.Group, Most: fleet.Amount{Number: r.Most, Percent: r.Percent}, Canary: r.Canary && cfg.Fleet.Table != "",
			Bake: r.Bake, MaxWait: r.MaxWait, Hold: r.Hold, Work: work[r.Group],
		})
	}
	return groups, services
}

// longest is how long a change of a service may take: what is done before it, its notices and its
// looks, twice, as who is not well is told once more.
func longest(s *watch.Service) time.Duration {
	d := cmp.Or(s.Before.Timeout, 30*time.Second)
	for _, n := range s.Dependents {
		d += 2 * notify.Within(n)
	}
	if len(s.Healthy) > 0 {
		d += 2 * s.Within()
	}
	return d
}
