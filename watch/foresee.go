package watch

import (
	"context"
	"sync"
	"time"

	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/pass"
)

// Foresee says what Once would do with the services, in their order, as far as checks have no say.
// One that is paused is foreseen as if it were not. It changes nothing and tells nobody; the state
// directory of the options may be one that was peeked at.
func Foresee(ctx context.Context, plan *Plan, services []*Service, o pass.Options, progress Progress) []pass.Foresight {
	snapshot := plan.snapshot(ctx, services)
	defer reporting(snapshot, progress)()
	list := make([]pass.Foresight, len(services))
	var all sync.WaitGroup
	for i, s := range services {
		all.Add(1)
		o.State.Jobs.Go(func() {
			defer all.Done()
			k := pass.NewKeeper(o)
			k.Take(&s.Service)
			list[i] = k.Foresee(ctx, snapshot)
		})
	}
	all.Wait()
	for _, p := range pausedOf(o.State, services, time.Now()) {
		for i := range list {
			if list[i].Name == p.Service {
				list[i].Paused = &p
			}
		}
	}
	return list
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
