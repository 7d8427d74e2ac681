package watch

import (
	"context"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/pass"
)

// Foresee says what Once would do with the services, in their order, as far as checks have no say.
// One that is paused is foreseen as if it were not. It changes nothing and tells nobody; the state
// directory of the options may be one that was peeked at.
func Foresee(ctx context.Context, plan *Plan, services []*Service, o pass.Options, progress Progress) []pass.Foresight {
	list := make([]pass.Foresight, len(services))
	plan.each(ctx, services, o, progress, func(i int, k *pass.Keeper, snapshot *sources.Snapshot) {
		list[i] = k.Foresee(ctx, snapshot)
	})
	for _, p := range pausedOf(o.State, services, time.Now()) {
		for i := range list {
			if list[i].Name == p.Service {
				list[i].Paused = &p
			}
		}
	}
	return list
}

// Render renders the files of the services, in their order. It looks at none that is there, and
// changes nothing.
func Render(ctx context.Context, plan *Plan, services []*Service, o pass.Options, progress Progress) []pass.Rendered {
	list := make([]pass.Rendered, len(services))
	plan.each(ctx, services, o, progress, func(i int, k *pass.Keeper, snapshot *sources.Snapshot) {
		list[i] = k.Render(ctx, snapshot)
	})
	return list
}

// Resolve says what is wrong with the files of the plan's services as they would be now, in the
// order of the services. It looks at none that is there, and at no state directory.
func Resolve(ctx context.Context, plan *Plan, progress Progress) (faults fault.List) {
	lists := make([]fault.List, len(plan.Services))
	plan.each(ctx, plan.Services, pass.Options{State: pass.NoStateDir()}, progress, func(i int, k *pass.Keeper, snapshot *sources.Snapshot) {
		lists[i] = k.Resolve(ctx, snapshot)
	})
	return slices.Concat(lists...)
}

// Try says, as Resolve does, what is wrong with the files of the plan's services, and has checks
// judge them as well, in copies below a directory that is there for nothing else.
func Try(ctx context.Context, plan *Plan, o pass.Options, dir string, progress Progress) fault.List {
	lists := make([]fault.List, len(plan.Services))
	plan.each(ctx, plan.Services, o, progress, func(i int, k *pass.Keeper, snapshot *sources.Snapshot) {
		lists[i] = k.Try(ctx, snapshot, filepath.Join(dir, strconv.Itoa(i)))
	})
	return slices.Concat(lists...)
}

// each calls do for each of the services, in jobs, with a keeper of its own and one snapshot for
// all.
func (p *Plan) each(ctx context.Context, services []*Service, o pass.Options, progress Progress, do func(i int, k *pass.Keeper, snapshot *sources.Snapshot)) {
	snapshot := p.snapshot(ctx, services)
	defer reporting(snapshot, progress)()
	var all sync.WaitGroup
	for i, s := range services {
		all.Add(1)
		o.State.Jobs.Go(func() {
			defer all.Done()
			k := pass.NewKeeper(o)
			k.Take(&s.Service)
			do(i, k, snapshot)
		})
	}
	all.Wait()
}

// snapshot gives one that asks for all that services are known to need.
func (p *Plan) snapshot(ctx context.Context, services []*Service) *sources.Snapshot {
	snapshot := sources.NewSnapshot(p.Source, p.Within)
	var refs []sources.Ref
	for _, s := range services {
		refs = append(refs, s.Refs()...)
	}
	snapshot.Want(ctx, refs)
	return snapshot
}
