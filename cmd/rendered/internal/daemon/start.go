package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/cmd/rendered/internal/lastgood"
	"github.com/rendered/rendered/cmd/rendered/internal/plan"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/watch"
)

// A NoConfigError is that there is no config to start with.
type NoConfigError struct {
	Faults fault.List
	// Temporary tells that another start may find one, though nobody mends this one.
	Temporary bool
}

// Error gives the faults, one a line.
func (e *NoConfigError) Error() string { return e.Faults.Error() }

// A beginning is what a start has to go by.
type beginning struct {
	cfg      *config.Config
	plan     *watch.Plan
	stateDir string
	// read is what the config was read through; nil: it is not the one on disk but the one last in
	// force, and unusable is the one on disk.
	read     *lastgood.Recorder
	unusable *watch.Unusable
}

// begin gives what a start has to go by: the config on disk, or, where that has a fault that
// concerns all services, the one that was last in force. One in which no service can be used is
// none as long as there was no other: somebody is just setting up the machine.
func begin(ctx context.Context, c *plan.Compiler, system disk.System) (beginning, error) {
	read := lastgood.NewRecorder(config.Machine)
	cfg, onDisk, err := c.Load(ctx, read)
	b := beginning{cfg: cfg, plan: onDisk, stateDir: cfg.StateDir, read: read}
	if err == nil && (len(onDisk.Services) > 0 || len(onDisk.Faulty) == 0) {
		return b, nil
	}
	wrong := cfg.All()
	last, failed := lastgood.Read(system, cfg.StateDir, cfg.Path)
	switch {
	case failed != nil:
		return b, unusableLast(wrong, failed)
	case last == nil && err != nil:
		return b, &NoConfigError{wrong, temporary(cfg.Faults)}
	case last == nil:
		return b, &NoConfigError{wrong, temporary(wrong)}
	case err == nil:
		return b, nil
	}
	b.cfg, b.plan, failed = c.LoadLast(ctx, last)
	if failed != nil {
		return b, unusableLast(wrong, failed)
	}
	see(b.plan, onDisk)
	b.read, b.unusable = nil, &watch.Unusable{Err: err, Inputs: onDisk.Inputs, Since: last.Since}
	return b, nil
}

// see makes inputs of a plan that another, too, was made from look as they did before that was
// read: what has changed since is to be seen.
func see(p, earlier *watch.Plan) {
	seen := make(map[string]string)
	for _, in := range earlier.Inputs {
		seen[in.Path] = in.Seen
	}
	for i := range p.Inputs {
		if before, looked := seen[p.Inputs[i].Path]; looked {
			p.Inputs[i].Seen = before
		}
	}
}

// temporary tells whether nothing is wrong but what may pass without anybody who mends it.
func temporary(list fault.List) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(f *fault.Fault) bool {
		t, ok := errors.AsType[interface {
			error
			Temporary() bool
		}](f.Err)
		return !ok || !t.Temporary()
	})
}

// unusableLast says why neither the config on disk, with what is wrong, nor the one last in force
// is used. Another start may find that one.
func unusableLast(wrong fault.List, err error) *NoConfigError {
	list, ok := err.(fault.List)
	if !ok {
		list = fault.List{{What: fmt.Sprintf("the config last in force cannot be used: %v", err), Err: err}}
	}
	return &NoConfigError{append(wrong, list...).Unique(), true}
}
