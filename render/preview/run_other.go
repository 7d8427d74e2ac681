//go:build !linux || portable

package preview

import (
	"context"
	"errors"

	"github.com/rendered/rendered/internal/command"
)

// Main does nothing: no process is a helper here.
func Main() {}

// run gives a *Refusal.
func run(context.Context, command.Command, plan, command.Options) ([]byte, error) {
	return nil, &Refusal{
		Step:  "making a mount namespace",
		Err:   errors.New("it needs Linux"),
		Hints: []string{perFile},
	}
}
