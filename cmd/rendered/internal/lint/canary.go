package lint

import (
	"slices"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/sources"
)

// noCanary finds services in a fleet of whose lookups no version is the same on all hosts: new
// values are no change that one host could try for the others.
func (l *linter) noCanary(s Service) {
	if s.Rollout.Group == "" || !s.Rollout.Canary || l.config.Fleet.Table == "" {
		return
	}
	looksUp := false
	for _, t := range s.Templates {
		own := t.Own()
		shared := func(f render.Lookup) bool {
			return f.Ref != (sources.Ref{}) && f.Ref.Kind.Traits().Answerer == sources.AWS && !slices.Contains(own, f.Ref)
		}
		if slices.ContainsFunc(t.Lookups(), shared) {
			return
		}
		looksUp = looksUp || len(t.Lookups()) > 0
	}
	if looksUp {
		l.note(s, config.NoCanary, l.config.Warning(s.RolloutAt,
			"all that service "+s.Name+" looks up is this host's alone, as far as is known before a render: a new value goes through the fleet a few hosts at a time, and none tries it first",
			"canary: false   agrees to that; with it none goes first with a new template or config, either"))
	}
}
