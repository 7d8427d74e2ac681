package watch

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/rendered/rendered/sources"
)

// Once takes every service of the list, which is of the plan, through one pass, side by side and from one snapshot, and gives the outcomes in the order of the
// services. Where silent is set nobody is told; what becomes owed stays so. A pass that takes long reports to progress; nil: it does not.
func Once(ctx context.Context, plan *Plan, services []*Service, dir *StateDir, chance *rand.Rand, silent bool, progress Progress) []Outcome {
	snapshot := sources.NewSnapshot(plan.Source, plan.Within)
	var refs []sources.Ref
	for _, s := range services {
		refs = slices.Concat(refs, s.Refs())
	}
	snapshot.Want(ctx, refs)
	if progress != nil {
		over := make(chan struct{})
		var reports sync.WaitGroup
		reports.Go(func() { watchProgress(snapshot, over, progress) })
		defer reports.Wait()
		defer close(over)
	}
	dir.adopt(plan)
	outcomes := make([]Outcome, len(services))
	ended := make(chan struct{})
	for i, s := range services {
		k := newKeeper(dir, chance, time.Now)
		k.service, k.silent, k.redactor = s, silent, plan.Redactor
		go func() {
			outcomes[i] = k.guarded(true, func() Outcome { return k.look(ctx, snapshot) })
			ended <- struct{}{}
		}()
	}
	for range services {
		<-ended
	}
	_ = dir.Ledger.Flush() // what it would write costs a comparison at the next start
	return outcomes
}

// Progress hears how many lookups of a pass are answered.
type Progress func(answered, asked int)

const (
	progressAfter = time.Second
	progressEvery = 200 * time.Millisecond
)

// watchProgress reports from the first second on, until everything is answered or the pass has ended.
func watchProgress(snapshot *sources.Snapshot, ended <-chan struct{}, progress Progress) {
	pause := time.NewTimer(progressAfter)
	defer pause.Stop()
	for {
		select {
		case <-ended:
			return
		case <-pause.C:
		}
		answered, asked := snapshot.Progress()
		progress(answered, asked)
		if answered == asked {
			return
		}
		pause.Reset(progressEvery)
	}
}
