package main

import (
	"context"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/notify"
)

// A rehearsal stands in for an action where files are written below another root: its dependent reads others.
type rehearsal struct{ notify.Action }

// Do does nothing.
func (r rehearsal) Do(context.Context, notify.Change) (notify.Output, error) {
	return notify.Output{}, nil
}

// rehearsed gives the plan with rehearsals in the place of its actions and without its checks, the plan itself where there is no root.
func rehearsed(plan *watch.Plan, root string) *watch.Plan {
	if root == "" {
		return plan
	}
	for _, s := range plan.Services {
		s.Check = command.Check{} // it would see the files that are in force
		for i, a := range s.Dependents {
			s.Dependents[i] = rehearsal{a}
		}
	}
	return plan
}
