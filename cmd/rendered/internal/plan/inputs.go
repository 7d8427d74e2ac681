package plan

import (
	"context"
	"slices"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/cmd/rendered/internal/connect"
	"github.com/rendered/rendered/cmd/rendered/internal/trust"
	"github.com/rendered/rendered/watch/inputs"
)

// allInputs gives every file and directory that a plan is made from: what the config was read from,
// and what is still to be read.
func allInputs(cfg *config.Config) []inputs.Input {
	list := slices.Clone(cfg.Inputs)
	for i := range cfg.Services {
		list = append(list, templateInputs(&cfg.Services[i])...)
	}
	list = unique(list)
	for i := range list {
		if list[i].Seen == "" {
			list[i] = list[i].Look()
		}
	}
	return list
}

// templateInputs gives what the templates of a service are read from.
func templateInputs(s *config.Service) (list []inputs.Input) {
	for _, f := range s.Files {
		list = append(list, inputs.Input{Path: f.Template.Path}, inputs.Input{Path: f.Template.Dir, Match: isPartial})
	}
	return unique(list)
}

// unique gives the first input of each path, and none without a path.
func unique(list []inputs.Input) []inputs.Input {
	known := map[string]bool{"": true}
	return slices.DeleteFunc(list, func(in inputs.Input) bool {
		twice := known[in.Path]
		known[in.Path] = true
		return twice
	})
}

// ownInputs gives what else root must be alone to write to: whoever writes to the state directory,
// or to what is in it, has it rename what they like.
func ownInputs(ctx context.Context, cfg *config.Config) []inputs.Input {
	all := func(string) bool { return true }
	return append([]inputs.Input{{Path: cfg.StateDir, Match: all}}, connect.Files(ctx, cfg)...)
}

// distrust adds to the faults of a config what others than root can change of it, and of what else
// is the daemon's own. A part of the config that they can is not heeded.
func distrust(cfg *config.Config, own []inputs.Input, checker *trust.Checker) {
	global := slices.Clone(own)
	for _, in := range cfg.Inputs {
		switch {
		case in.Match != nil: // what is in it follows
			global = append(global, inputs.Input{Path: in.Path})
		case in.Path == cfg.Path:
			global = append(global, in)
		default:
			if faults := checker.Check([]inputs.Input{in}); len(faults) > 0 {
				cfg.Leave(in.Path, faults)
			}
		}
	}
	cfg.Faults = append(cfg.Faults, checker.Check(global)...)
}
