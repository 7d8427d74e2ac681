package operator

import (
	"slices"

	"github.com/rendered/rendered/cmd/rendered/internal/plan"
)

// Groups gives the groups of a config; none where it cannot be read.
func Groups(o plan.Options) (list []string) {
	for _, s := range o.ReadConfig(o.Source()).Services {
		if s.Rollout.Group != "" {
			list = append(list, s.Rollout.Group)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Services gives the services of a config that are in a group.
func Services(o plan.Options) (list []string) {
	for _, s := range o.ReadConfig(o.Source()).Services {
		if s.Rollout.Group != "" {
			list = append(list, s.Name)
		}
	}
	return list
}
