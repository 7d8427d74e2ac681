package watch

import (
	"context"
	"math/rand/v2"
	"slices"

	"github.com/rendered/rendered/sources"
)

// Once takes every service of the list, which is of the plan, through one pass, side by side and from one snapshot, and gives the outcomes in the order of the
// services. Where silent is set nobody is told; what becomes owed stays so.
func Once(ctx context.Context, plan *Plan, services []*Service, ledger *Ledger, chance *rand.Rand, silent bool) []Outcome {
	snapshot := sources.NewSnapshot(plan.Source, plan.Within)
	var refs []sources.Ref
	for _, s := range services {
		refs = slices.Concat(refs, s.Refs())
	}
	snapshot.Want(ctx, refs)
	outcomes := make([]Outcome, len(services))
	ended := make(chan struct{})
	for i, s := range services {
		k := newKeeper(ledger, chance)
		k.service, k.silent = s, silent
		go func() {
			outcomes[i] = k.look(ctx, snapshot)
			ended <- struct{}{}
		}()
	}
	for range services {
		<-ended
	}
	return outcomes
}
