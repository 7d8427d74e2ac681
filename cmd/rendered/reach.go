package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/notify"
)

// reaches reports whether every dependent can be told, as far as that is known before there is
// something to tell: a unit that is not there is a fault, a program that is not running may run by
// then. Where systemd does not answer its units are not judged.
func reaches(ctx context.Context, plan *watch.Plan, stderr io.Writer) bool {
	good := true
	asked := make(map[string]bool)
	unasked := 0
	var away error
	for _, s := range plan.Services {
		for _, d := range s.Dependents {
			if asked[d.Name()] {
				continue
			}
			asked[d.Name()] = true
			if away != nil && notify.BySystemd(d) {
				unasked++
				continue
			}
			e, failed := errors.AsType[*notify.Error](notify.Foresee(ctx, d))
			if !failed {
				continue
			}
			kind := "warning"
			switch e.Reason {
			case notify.Unreachable, notify.Stopped:
				away = e
				unasked++
				continue
			case notify.NotRunning, notify.Stale:
			default:
				kind, good = "error", false
			}
			fmt.Fprintf(stderr, "%s: %s: %s: %v\n", kind, s.Name, d.Name(), e)
			for _, hint := range e.Hints {
				fmt.Fprintf(stderr, "  %s\n", hint)
			}
		}
	}
	if away != nil {
		fmt.Fprintf(stderr, "warning: %v: %s not looked for\n", away, count(unasked, "unit"))
	}
	return good
}
