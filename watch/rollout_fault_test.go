package watch

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/disk/faulty"
	"github.com/rendered/rendered/internal/disk/memory"
	"github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/watch/ledger"
	"github.com/rendered/rendered/watch/notify"
	"github.com/rendered/rendered/watch/pass"
	"github.com/rendered/rendered/watch/probe"
)

// A rolling is a service of two files and two dependents on a disk in memory, which is well with
// any value but those that begin with "bad", and has something to be done before and after its
// changes. Its processes are killed, and its disk fails.
type rolling struct {
	*world
	disk  *memory.Disk
	apps  [2]*reader
	round int // of trials

	mu      sync.Mutex
	process *memory.Process
	dead    bool
	allowed map[string]bool // values that the files may hold
	ran     []string        // what was done before and after changes
	refuses int             // so many times what is to be done before a change fails
	when    string          // of what the test speaks
}

// A reader is a dependent that reads both files when it is told.
type reader struct {
	*rolling
	name  string
	saw   string
	told  int
	fails int
}

func (r *reader) Name() string { return r.name }

func (r *reader) Target() string { return r.name }

func (r *reader) Do(context.Context, notify.Change) (notify.Output, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fails > 0 || r.dead {
		r.fails--
		return notify.Output{}, errRefused
	}
	crt, key := r.found("crt"), r.found("key")
	if strings.TrimPrefix(crt, "c-") != strings.TrimPrefix(key, "k-") {
		r.t.Errorf("%s: %s is told of %q with %q", r.when, r.name, crt, key)
	}
	r.saw = crt
	r.told++
	return notify.Output{}, nil
}

// A sight is the probe of a rolling.
type sight struct{ *rolling }

func (sight) Name() string { return "sight" }

func (s sight) Begin() probe.Look {
	return func(context.Context) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, app := range s.apps {
			if strings.HasPrefix(app.saw, "c-bad") {
				return &probe.Failure{Probe: "sight", What: app.name + " answered 502"}
			}
		}
		return nil
	}
}

func newRolling(t *testing.T) *rolling {
	r := &rolling{world: newWorld(t), disk: memory.New()}
	r.disk.Mkdir(r.dir, 0o755)
	r.disk.Changed = r.changed
	for i := range r.apps {
		r.apps[i] = &reader{rolling: r, name: fmt.Sprint("app", i)}
	}
	s := r.service("svc", "@every 1m", nil, "out/crt", `c-{{ param "p" }}`, "out/key", `k-{{ param "p" }}`)
	for _, f := range s.Files {
		f.Mode, f.KeepMode, f.DirMode = 0o640, false, 0o750
	}
	s.Dependents = []notify.Action{r.apps[0], r.apps[1]}
	s.Healthy, s.HealthyFor, s.HealthyWithin, s.Rollback = []probe.Probe{sight{r}}, 500*time.Millisecond, 2*time.Second, pass.RollbackConfig
	s.Before.Args, s.After.Args = []string{"before"}, []string{"after"}
	return r
}

// run is what is done before and after a change.
func (r *rolling) run(_ context.Context, c command.Command, _ command.Options) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dead {
		return nil, errRefused
	}
	r.ran = append(r.ran, c.Args[0])
	if c.Args[0] == "before" && r.refuses > 0 {
		r.refuses--
		return nil, errRefused
	}
	return nil, nil
}

// changed wants files to hold values that there were, and what is kept of them to be for nobody
// else.
func (r *rolling) changed(path string) {
	content, as, _, there := r.disk.Look(path)
	r.mu.Lock()
	defer r.mu.Unlock()
	rel, _ := filepath.Rel(r.dir, path)
	switch _, value, _ := strings.Cut(string(content), "-"); {
	case rel == "out/crt" || rel == "out/key":
		if !there || rel[4:5] != string(content[:1]) || !r.allowed[value] || as.Mode != 0o640 {
			r.t.Errorf("%s: %s holds %q with mode %v", r.when, rel, content, as.Mode)
		}
	case strings.HasPrefix(rel, "state/former/"):
		if there && (as.Mode&0o077 != 0 || as.UID != os.Geteuid()) {
			r.t.Errorf("%s: %s is for others to read: %v, of %d", r.when, rel, as.Mode, as.UID)
		}
	}
}

func (r *rolling) found(name string) string {
	content, _, _, _ := r.disk.Look(r.path("out/" + name))
	return string(content)
}

// wish has the files be of a value.
func (r *rolling) wish(value string) {
	r.mu.Lock()
	r.allowed[value] = true
	r.mu.Unlock()
	r.values.set("p", value)
}

// begin gives the disk to a new process, whose steps are asked for. What is killed does nothing any
// more.
func (r *rolling) begin(before func(faulty.Step) error) disk.System {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.disk.Start()
	r.process, r.dead = p, false
	return faulty.System(p, before)
}

func (r *rolling) kill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dead = true
	r.process.Kill(false)
}

func fine(faulty.Step) error { return nil }

// A way is how the processes of a rolling live: each for one pass and what follows, or for a while.
type way func(r *rolling, before func(faulty.Step) error) error

// once is the way of `rendered once`.
func once(r *rolling, before func(faulty.Step) error) error {
	state, err := pass.OpenStateDir(context.Background(), r.begin(before), r.path("state"))
	if err != nil {
		return err
	}
	defer state.Close()
	return Once(context.Background(), r.plan, r.plan.Services, pass.Options{State: state, Run: r.run}, rand.New(rand.NewPCG(1, 2)), false, nil).err()
}

// daemon is that of `rendered run`, which has the time to try all again.
func daemon(r *rolling, before func(faulty.Step) error) error {
	state, err := pass.OpenStateDir(context.Background(), r.begin(before), r.path("state"))
	if err != nil {
		return err
	}
	defer state.Close()
	l := NewLoop(r.plan, Options{
		Load: func() (*Plan, error) { p := *r.plan; return &p, nil }, Pass: pass.Options{State: state, Run: r.run},
		Log: slog.New(slog.NewTextHandler(&r.log, nil)), Chance: rand.New(rand.NewPCG(1, 2)),
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); l.Run(ctx) }()
	r.after(3 * time.Minute)
	for range 10 { // what failed is tried again, at last every five minutes
		if r.mu.Lock(); r.dead || r.settled(state) {
			r.mu.Unlock()
			break
		}
		r.mu.Unlock()
		r.after(2 * time.Minute)
	}
	cancel()
	<-ended
	synctest.Wait()
	return nil
}

// settled tells whether nothing follows any more by itself.
func (r *rolling) settled(state *pass.StateDir) bool {
	rollout, open := state.Ledger.Rollout("svc")
	return !open || rollout.Stage == ledger.Rejected && !rollout.Drained
}

// rollout gives what is on record, and whether anybody is owed a notice.
func (r *rolling) rollout() (rollout ledger.Rollout, owed bool) {
	state := pass.PeekStateDir(r.disk.Start(), r.path("state"))
	rollout, _ = state.Ledger.Rollout("svc")
	for _, app := range r.apps {
		state.Adopt([]*pass.Service{&r.plan.Services[0].Service}, true)
		owed = owed || len(state.Ledger.Owed(app.name, r.plan.Services[0].Paths())) > 0
	}
	return rollout, owed
}

// A blow is what happens at one step of a disk.
type blow struct {
	name string
	err  error // of the step
	kill bool
	cut  bool // and the power fails
}

var blows = []blow{
	{name: "EIO", err: unix.EIO}, {name: "ENOSPC", err: unix.ENOSPC}, {name: "EACCES", err: unix.EACCES},
	{name: "kill", kill: true}, {name: "power cut", kill: true, cut: true}, {name: "nothing"},
}

// A course is what else happens to a change that is not well.
type course struct {
	name    string
	then    string // a value that arrives at the step; "": none does
	refuses int    // so many times what is to be done before it fails
	deaf    int    // so many notices the second dependent refuses
	want    string // what the files hold in the end
	stage   ledger.Stage
}

// courses gives those of a round.
func courses(round int) []course {
	good, next, bad := fmt.Sprint("good", round), fmt.Sprint("next", round), fmt.Sprint("bad again", round)
	return []course{
		{name: "alone", want: good, stage: ledger.Rejected},
		{name: "what is done before it fails", refuses: 2, want: good, stage: ledger.Rejected},
		{name: "a dependent refuses", deaf: 2, want: good, stage: ledger.Rejected},
		{name: "a good value comes", then: next, want: next},
		{name: "a bad value comes", then: bad, want: good, stage: ledger.Rejected},
		{name: "the old value comes back", then: good, want: good},
	}
}

// TestRolloutAtEveryStep has each step of a change that is not well, of all that is done until the
// old files are back, fail, or be the last of a process, with a power cut or without.
func TestRolloutAtEveryStep(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(1000))
	for name, live := range map[string]way{"once": once, "daemon": daemon} {
		for i, c := range courses(0) {
			t.Run(name+", "+c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					newRolling(t).everyStep(live, i)
				})
			})
		}
	}
}

func (r *rolling) everyStep(live way, of int) {
	most, trials, every := 0, 0, long.Or(199, 23)
	for _, b := range blows {
		for n := 1 + 61*r.round%every; ; n += every { // all over the steps, however few there are
			steps := r.trial(live, of, n, b)
			if most = max(most, steps); steps < n {
				break
			}
			if trials++; r.t.Failed() {
				return
			}
		}
	}
	r.t.Logf("%d steps, %d faults", most, trials)
}

// trial has a service that is well change, the nth step of which something happens at.
func (r *rolling) trial(live way, of, n int, b blow) (steps int) {
	r.t.Helper()
	r.round++
	c, good := courses(r.round)[of], fmt.Sprint("good", r.round)
	r.when = fmt.Sprintf("before %s at step %d", b.name, n)
	r.mu.Lock()
	r.allowed = make(map[string]bool)
	r.refuses, r.apps[1].fails = 0, 0
	r.mu.Unlock()
	r.wish(good)
	if err := live(r, fine); err != nil {
		r.t.Errorf("%s: %v", r.when, err)
	}
	r.rests(c.name, good, ledger.Settled)
	r.wish(fmt.Sprint("bad", r.round))
	r.mu.Lock()
	r.ran, r.refuses = nil, c.refuses
	r.apps[1].fails = c.deaf
	r.mu.Unlock()
	var met faulty.Step
	var mu sync.Mutex
	_ = live(r, func(s faulty.Step) error {
		mu.Lock()
		defer mu.Unlock()
		if steps++; steps != n {
			return nil
		}
		met = s
		if c.then != "" {
			r.wish(c.then)
		}
		if b.kill {
			r.kill()
		}
		return b.err
	})
	if steps < n {
		r.mend(live)
		return steps
	}
	if b.cut {
		r.disk.Cut(rand.New(rand.NewPCG(uint64(n), 1)))
	}
	r.when = fmt.Sprintf("%s at step %d, %s", b.name, n, strings.ReplaceAll(met.String(), r.dir+"/", ""))
	r.mend(live)
	r.rests(c.name, c.want, c.stage)
	r.idle(live)
	return steps
}

// mend has processes whose steps do not fail do what is left to be done: the first without values.
func (r *rolling) mend(live way) {
	r.t.Helper()
	r.mu.Lock()
	r.refuses, r.apps[1].fails = 0, 0
	r.mu.Unlock()
	r.values.refuse("p", "AWS is away")
	_ = live(r, fine)
	r.values.refuse("p", "")
	if crt, key := r.found("crt"), r.found("key"); strings.TrimPrefix(crt, "c-") != strings.TrimPrefix(key, "k-") {
		r.t.Errorf("%s: a process without AWS leaves %q with %q", r.when, crt, key)
	}
	for range 3 {
		_ = live(r, fine)
	}
}

// rests wants all to be over, and to have come to a value.
func (r *rolling) rests(what, value string, stage ledger.Stage) {
	t := r.t
	t.Helper()
	rollout, owed := r.rollout()
	if rollout.Stage != stage || rollout.Drained || owed {
		t.Errorf("%s: %s: the rollout is %+v, want %q; owed %v", r.when, what, rollout, stage, owed)
	}
	if crt, key := r.found("crt"), r.found("key"); crt != "c-"+value || key != "k-"+value {
		t.Errorf("%s: %s: there are %q, %q, want %q", r.when, what, crt, key, value)
	}
	for _, app := range r.apps {
		if app.saw != "c-"+value {
			t.Errorf("%s: %s: %s knows %q, want %q", r.when, what, app.name, app.saw, value)
		}
	}
	if kept := r.disk.List(r.path("state/former")); stage != ledger.Rejected && len(kept) > 0 || stage == ledger.Rejected && len(kept) != 2 {
		t.Errorf("%s: %s: kept are %v", r.when, what, kept)
	}
	if out := r.disk.List(r.path("out")); len(out) != 2 {
		t.Errorf("%s: %s: left are %v", r.when, what, out)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.Contains(r.ran, "before") && r.ran[len(r.ran)-1] != "after" {
		t.Errorf("%s: %s: it ran %v", r.when, what, r.ran)
	}
}

// idle wants one process more to do nothing.
func (r *rolling) idle(live way) {
	r.t.Helper()
	r.mu.Lock()
	told, ran := r.apps[0].told+r.apps[1].told, len(r.ran)
	r.mu.Unlock()
	var more []string
	_ = live(r, func(s faulty.Step) error {
		if s.Mutates() {
			r.mu.Lock()
			defer r.mu.Unlock()
			more = append(more, s.String())
		}
		return nil
	})
	more = more[:min(len(more), 3)]
	if told := r.apps[0].told + r.apps[1].told - told; len(more) > 0 || told > 0 || len(r.ran) > ran {
		r.t.Errorf("%s: one process more tells %d times, runs %v, and does %q", r.when, told, r.ran[ran:], more)
	}
}
