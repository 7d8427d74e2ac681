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

// rules find things in one service each.
var rules = []func(l *linter, s Service){
	(*linter).wide, (*linter).unquoted, (*linter).quotedTwice, (*linter).unchecked, (*linter).noNewline, (*linter).changedByHand, (*linter).secretArgument, (*linter).vaultPaths, (*linter).jinja, (*linter).reserved, (*linter).truths, (*linter).elses, (*linter).noCanary,
}

// A linter looks through one config.
type linter struct {
	config *config.Config
	users  users
	found  fault.List
}

// Warnings gives what a person would regret, by place. The services are those of the config, whole
// and without faults.
func Warnings(cfg *config.Config, services []Service) fault.List {
	l := &linter{config: cfg, users: machineUsers}
	for _, s := range services {
		for _, rule := range rules {
			rule(l, s)
		}
	}
	l.splitPairs(services)
	l.unfinished(services)
	l.found.Sort()
	return slices.CompactFunc(l.found, func(a, b *fault.Fault) bool { return a.Error() == b.Error() })
}

// note notes what a rule finds in a service, and how it is allowed; nothing where it is.
func (l *linter) note(s Service, rule config.Rule, f *fault.Fault) {
	if !s.Allows(rule) {
		f.Rule = string(rule)
		f.Hints = append(slices.Clone(f.Hints), fmt.Sprintf("or, where it is meant, allow: [%s] in service %s", rule, s.Name))
		l.found = append(l.found, f)
	}
}
