// Package lint finds what works and what a person would regret: files that too many can read,
// values without quotes, reloads without a check. What it finds is no fault; each rule can be
// allowed by the service that it is about.
package lint

import (
	"fmt"
	"slices"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render"
)

// A Service is what a config says of a service, and what came of it: Templates has the template of
// each of its files.
type Service struct {
	*config.Service
	Templates []*render.Template
}

// A finding is what a rule finds in a service.
type finding struct {
	rule  config.Rule
	fault *fault.Fault
}

// rules find things in one service each.
var rules = []func(l *linter, s Service) []finding{
	(*linter).wide, (*linter).unquoted, (*linter).unchecked, (*linter).noNewline, (*linter).changedByHand, (*linter).secretArgument, (*linter).vaultPaths, (*linter).jinja, (*linter).reserved, (*linter).truths,
}

// A linter looks through one config.
type linter struct {
	config *config.Config
	users  users
}

// Warnings gives what a person would regret, by place. The services are those of the config, whole
// and without faults.
func Warnings(cfg *config.Config, services []Service) fault.List {
	l := &linter{config: cfg, users: machineUsers}
	var list fault.List
	for _, s := range services {
		for _, rule := range rules {
			list = append(list, kept(rule(l, s), s)...)
		}
	}
	list = append(list, l.splitPairs(services)...)
	list.Sort()
	return slices.CompactFunc(list, func(a, b *fault.Fault) bool { return a.Error() == b.Error() })
}

// kept leaves out what the service allows, and says of the rest how it is allowed.
func kept(found []finding, s Service) (list fault.List) {
	for _, f := range found {
		if !s.Allows(f.rule) {
			list = append(list, named(f, s.Name))
		}
	}
	return list
}

func named(f finding, service string) *fault.Fault {
	f.fault.Hints = append(slices.Clone(f.fault.Hints), fmt.Sprintf("or, where it is meant, allow: [%s] in service %s", f.rule, service))
	return f.fault
}
