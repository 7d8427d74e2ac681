package watch

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/pass"
	"github.com/rendered/rendered/watch/tell"
)

// A Result is what Once did.
type Result struct {
	Outcomes []pass.Outcome  // in the order of the services
	Notices  []NoticeOutcome // those that were tried, in that order, then those that were not
	Paused   PausedError     // of the services that were not looked at for it
	Gone     GoneError       // of the services that were asked for by name
	Health   []Health        // of the services that were to be seen to be well with a change
}

// A GoneError is that services have left the plan before what was asked of them came to its end.
type GoneError []string

// Error names the services.
func (e GoneError) Error() string {
	return "no more in the config in force: " + strings.Join(e, ", ")
}

// A NoticeOutcome is what came of telling one dependent.
type NoticeOutcome struct {
	tell.Notice
	Output string // of a command, without values; "" where there was none
}

// Failed tells whether anything is not as it should be: a file not current, or a dependent that
// refused its notice.
func (r Result) Failed() bool {
	return slices.ContainsFunc(r.Outcomes, func(o pass.Outcome) bool { return o.Err != nil || o.Held != nil && o.Held.Gate != "" }) ||
		slices.ContainsFunc(r.Notices, func(n NoticeOutcome) bool { return n.Err != nil || n.Record != nil }) ||
		slices.ContainsFunc(r.Health, Health.Failed)
}

// Once takes every service of the list, which is of the plan, through one pass, side by side and
// from one snapshot, but those that are paused. Where silent is set nobody is told; what becomes
// owed stays so. A pass that takes long reports to progress; nil: it does not.
func Once(ctx context.Context, plan *Plan, services []*Service, o pass.Options, chance *rand.Rand, silent bool, progress Progress) Result {
	r := newRound(plan, services, o, chance, silent)
	snapshot := plan.snapshot(ctx, r.awake(services))
	defer reporting(snapshot, progress)()
	return r.pass(ctx, snapshot)
}

// A round takes services through passes, and does the telling that each leads to.
type round struct {
	options  pass.Options
	keepers  []*pass.Keeper
	paused   PausedError // of the services that have no keeper for it
	teller   *tell.Teller
	events   chan any
	working  int                     // jobs
	outcomes map[string]pass.Outcome // by service: those whose jobs have ended
	tried    []tell.Notice           // the last of each dependent
	followed map[string]*follow      // by service
	snapshot *sources.Snapshot
}

func newRound(plan *Plan, services []*Service, o pass.Options, chance *rand.Rand, silent bool) *round {
	plan.adopt(o.State)
	r := &round{
		options: o,
		teller:  tell.New(tell.Options{Ledger: o.State.Ledger, Chance: chance, Wall: time.Now, Silent: silent, Once: true}),
		events:  make(chan any),
	}
	r.teller.Adopt(tellable(services), time.Now().Round(0))
	r.paused = pausedOf(o.State, services, time.Now())
	for _, s := range r.awake(services) {
		k := pass.NewKeeper(o)
		k.Take(&s.Service)
		r.keepers = append(r.keepers, k)
	}
	return r
}

// awake gives those of the services that are not paused.
func (r *round) awake(services []*Service) []*Service {
	return slices.DeleteFunc(slices.Clone(services), func(s *Service) bool {
		return slices.ContainsFunc(r.paused, func(p pass.Pause) bool { return p.Service == s.Name })
	})
}

func (r *round) send(event any) { r.events <- event }

// pass takes the services through one pass.
func (r *round) pass(ctx context.Context, snapshot *sources.Snapshot) Result {
	r.working, r.outcomes, r.tried = len(r.keepers), make(map[string]pass.Outcome), nil
	r.followed, r.snapshot = make(map[string]*follow), snapshot
	for _, k := range r.keepers {
		r.options.State.Jobs.Go(func() { r.send(done{k, k.Run(ctx, snapshot, turns(k, r.send))}) })
	}
	r.run(ctx)
	_ = r.teller.Ledger.Flush() // what it would write costs a comparison at the next start
	result := Result{Notices: r.notices(), Paused: r.paused}
	for _, k := range r.keepers {
		result.Outcomes = append(result.Outcomes, r.outcomes[k.Service().Name])
		if h, said := r.health(k.Service()); said && !r.teller.Silent {
			result.Health = append(result.Health, h)
		}
	}
	return result
}

// run waits for the jobs, and tells whoever can be told.
func (r *round) run(ctx context.Context) {
	for {
		now := time.Now().Round(0)
		r.teller.Begin(ctx, now, func(n tell.Notice) { r.send(told{n}) })
		if under := r.follow(ctx, now); r.working == 0 && !under && !r.teller.Busy() {
			return
		}
		pause := mostSleep
		if at := r.teller.Next(now); !at.IsZero() {
			pause = max(at.Sub(now), 0)
		}
		timer := time.NewTimer(pause)
		select {
		case event := <-r.events:
			r.handle(event, time.Now().Round(0))
		case <-timer.C:
		}
		timer.Stop()
	}
}

// handle takes note of what a job or a dependent says.
func (r *round) handle(event any, now time.Time) {
	switch e := event.(type) {
	case matched:
		r.teller.Set(e.keeper.Service().Name, tell.Working, now)
	case swapping:
		svc := e.keeper.Service()
		r.teller.Swap(svc.Name, svc.Paths(), e.granted, now)
	case done:
		r.working--
		r.outcomes[e.outcome.Service] = e.outcome
		if f := r.followed[e.outcome.Service]; f != nil {
			f.busy = false
		}
		settle(r.teller, e.outcome, e.outcome.Matched, now)
	case proved:
		r.proved(e.proof, now)
	case undrained:
		r.undrained(e.undrained)
	case alarmed:
		r.alarmed(e.alarm)
	case told:
		r.teller.End(&e.notice, now)
		again := func(n tell.Notice) bool { return n.Dependent == e.notice.Dependent && n.Err != nil }
		r.tried = append(slices.DeleteFunc(r.tried, again), e.notice)
	}
}

// notices gives what came of telling dependents, those included that were not told.
func (r *round) notices() (list []NoticeOutcome) {
	failed := make(map[string]bool)
	for _, n := range r.tried {
		failed[n.Dependent] = n.Err != nil
		var parties []pass.Party
		for _, k := range r.keepers {
			if slices.Contains(n.Services, k.Service().Name) {
				parties = append(parties, r.outcomes[k.Service().Name].Party)
			}
		}
		list = append(list, NoticeOutcome{n, r.options.Shown(n.Said, parties...)})
	}
	for _, n := range r.teller.Held() {
		if !failed[n.Dependent] {
			list = append(list, NoticeOutcome{Notice: n})
		}
	}
	return list
}

// Progress hears how many lookups of a pass are answered.
type Progress func(answered, asked int)

const (
	progressAfter = time.Second
	progressEvery = 200 * time.Millisecond
)

// reporting reports how far a snapshot is until the end is called.
func reporting(snapshot *sources.Snapshot, progress Progress) (end func()) {
	if progress == nil {
		return func() {}
	}
	over := make(chan struct{})
	var reports sync.WaitGroup
	reports.Go(func() { watchProgress(snapshot, over, progress) })
	return func() {
		close(over)
		reports.Wait()
	}
}

// watchProgress reports from the first second on, until everything is answered or the pass has
// ended.
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
