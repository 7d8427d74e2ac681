package tell

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/internal/disk/memory"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/watch/cron"
	"github.com/rendered/rendered/watch/ledger"
	"github.com/rendered/rendered/watch/notify"
)

// A desk is a Teller with its owner: it keeps services whose files change when a test says so.
type desk struct {
	*Teller
	t        *testing.T
	ended    chan Notice
	services []Service
	begun    time.Time

	mu    sync.Mutex
	said  []string       // what was told, and when: "2s reload a: s1 s2"
	doing map[string]int // by target
}

// An action takes some time, and fails so many times.
type action struct {
	desk         *desk
	name, target string
	takes        time.Duration
	fails        *int
	interrupts   bool
}

func (a action) Interrupts() bool { return a.interrupts }

func (a action) Name() string   { return a.name }
func (a action) Target() string { return a.target }

func (a action) Do(ctx context.Context, c notify.Change) (notify.Output, error) {
	failed := a.begin(c)
	<-time.After(a.takes)
	a.desk.mu.Lock()
	a.desk.doing[a.target]--
	a.desk.mu.Unlock()
	if failed {
		return notify.Output{}, errors.New("refused")
	}
	return notify.Output{}, nil
}

func (a action) begin(c notify.Change) (fails bool) {
	a.desk.mu.Lock()
	defer a.desk.mu.Unlock()
	a.desk.doing[a.target]++
	if a.desk.doing[a.target] > 1 {
		a.desk.t.Errorf("%s is told twice at once", a.target)
	}
	word := ""
	if a.fails != nil && *a.fails > 0 {
		*a.fails--
		word = " fails"
	}
	a.desk.said = append(a.desk.said, fmt.Sprintf("%v %s:%s %s", time.Since(a.desk.begun).Truncate(time.Second/2), a.name, word, strings.Join(c.Services, " ")))
	return word != ""
}

// newDesk opens a Teller of services, each with a file of its name, that tell actions by their
// names.
func newDesk(t *testing.T, actions map[string]action, services map[string]string) *desk {
	machine := memory.New()
	machine.Mkdir("/state", 0o700)
	system := machine.Start()
	dir, err := system.Open("/state")
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(system, dir, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, ended: make(chan Notice), begun: time.Now(), doing: make(map[string]int)}
	d.Teller = New(Options{Ledger: l, Chance: rand.New(rand.NewPCG(1, 2)), Wall: time.Now})
	d.adopt(actions, services)
	return d
}

func (d *desk) adopt(actions map[string]action, services map[string]string) {
	d.services = nil
	readers := make(map[string][]string)
	for name, told := range services {
		s := Service{Name: name, Paths: []string{"/" + name}}
		for _, a := range strings.Fields(told) {
			act := actions[a]
			act.desk, act.name = d, a
			if act.target == "" {
				act.target = a
			}
			s.Dependents = append(s.Dependents, act)
			readers["/"+name] = append(readers["/"+name], a)
		}
		d.services = append(d.services, s)
	}
	slices.SortFunc(d.services, func(a, b Service) int { return strings.Compare(a.Name, b.Name) })
	d.Ledger.Adopt(readers, true)
	d.Adopt(d.services, time.Now())
}

// change has a file be new.
func (d *desk) change(service string) {
	path := "/" + service
	if err := d.Ledger.Begin([]swap.Rename{{Path: path, Temp: "/t", Digest: "d"}}, []string{path}, ledger.Event{}, nil); err != nil {
		d.t.Fatal(err)
	}
	d.Ledger.Finished([]string{path})
}

// phases puts services in a phase.
func (d *desk) phases(p Phase, services ...string) {
	for _, s := range services {
		d.Set(s, p, time.Now())
	}
}

// run lets time pass.
func (d *desk) run(limit time.Duration) {
	end := time.Now().Add(limit)
	for {
		now := time.Now()
		d.Begin(d.t.Context(), now, func(n Notice) { d.ended <- n })
		wait := end.Sub(now)
		if at := d.Next(now); !at.IsZero() {
			wait = min(wait, at.Sub(now))
		}
		select {
		case n := <-d.ended:
			d.End(&n, time.Now())
		case <-time.After(max(wait, 0)):
			if !time.Now().Before(end) {
				return
			}
		}
	}
}

// want compares what was told since the last call.
func (d *desk) want(list ...string) {
	d.t.Helper()
	if !slices.Equal(d.said, list) {
		d.t.Errorf("told:\n  %s\nwant:\n  %s", strings.Join(d.said, "\n  "), strings.Join(list, "\n  "))
	}
	d.said, d.begun = nil, time.Now()
}

// Services of one pass that name the same dependent have it told once, when the last of them has
// changed its files; nobody waits longer than Patience.
func TestToldOnceForAllServices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil, map[string]string{"a": "reload", "b": "reload", "c": "reload"})
		d.phases(Settled, "a", "b", "c")
		d.phases(Working, "a", "b", "c")
		d.change("a")
		d.phases(Settled, "a")
		d.run(time.Second)
		d.want()
		d.change("b")
		d.phases(Settled, "b", "c")
		d.run(time.Second)
		d.want("0s reload: a b")

		d.phases(Working, "a", "b")
		d.change("a")
		d.phases(Settled, "a")
		d.run(10 * time.Second) // b takes long
		d.want("3s reload: a")
		d.change("b")
		d.phases(Settled, "b")
		d.run(time.Second)
		d.want("0s reload: b")
	})
}

// Whoever failed before, or whose files may not match, is not waited for.
func TestWhoIsNotWaitedFor(t *testing.T) {
	for _, p := range []Phase{Retrying, Unsettled} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t, nil, map[string]string{"a": "reload", "b": "reload"})
			d.phases(Settled, "a", "b")
			d.change("a")
			d.change("b")
			d.phases(Unsettled, "b")
			d.phases(p, "b")
			d.run(time.Second)
			want := "0s reload: a"
			if p == Retrying { // its files are as they were
				want = "0s reload: a b"
			}
			d.want(want)
		})
	}
}

// A service swaps when nobody reads its files because he is told of them; those who are told of
// others' are waited for only for Patience. Nobody is told of files while they are swapped.
func TestSwapWaitsForReaders(t *testing.T) {
	for told, after := range map[string]time.Duration{"a": 10 * time.Second, "b": Patience} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t, map[string]action{"reload": {takes: 10 * time.Second}}, map[string]string{"a": "reload", "b": "reload"})
			d.phases(Settled, "a", "b")
			d.change(told)
			d.run(0)
			begun, granted := time.Now(), time.Duration(-1)
			d.Swap("a", []string{"/a"}, func() { granted = time.Since(begun) }, begun)
			d.change("a")
			d.run(30 * time.Second)
			if granted != after {
				t.Errorf("told of %s: swaps after %v, want %v", told, granted, after)
			}
			d.want("0s reload: " + told)
			d.phases(Settled, "a")
			d.run(time.Minute)
			d.want("0s reload: a")
		})
	}
}

// A job that a plan began whose service has another name since, or other files, waits for those who
// read what it is to change, too.
func TestSwapOfAnOlderPlanWaitsForReaders(t *testing.T) {
	for _, reading := range []bool{false, true} { // when the plan comes
		for _, stays := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				actions := map[string]action{"reload": {takes: 10 * time.Second}}
				d := newDesk(t, actions, map[string]string{"a": "reload"})
				d.phases(Settled, "a")
				d.change("a")
				d.run(0)
				begun, granted := time.Now(), time.Duration(-1)
				swap := func() { d.Swap("old", []string{"/a"}, func() { granted = time.Since(begun) }, begun) }
				if !reading {
					swap()
				}
				next := map[string]string{"b": "reload", "a": "reload"}
				if stays {
					next["old"] = "" // with a file that it has newly
				}
				d.adopt(actions, next)
				if reading {
					swap()
				}
				d.run(30 * time.Second)
				if granted != 10*time.Second {
					t.Errorf("the plan came while it waits: %v, the service stays: %v: swaps after %v", !reading, stays, granted)
				}
			})
		}
	}
}

// Dependents are told in the order in which a service names them. One that fails is tried, and
// holds nobody up for longer; one that is slow holds up nobody who reads other services' files.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fails := 1
		d := newDesk(t, map[string]action{"db": {takes: 20 * time.Second, fails: &fails}}, map[string]string{"a": "db app", "b": "app log"})
		d.phases(Settled, "a", "b")
		d.change("a")
		d.change("b")
		d.run(time.Minute)
		d.want("0s db: fails a", "3s app: b", "3s log: b", "20s app: a", "20.5s db: a")
	})
}

// Where services have dependents in a circle the order is that of their names.
func TestCircle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil, map[string]string{"a": "y z", "b": "z x", "c": "x y"})
		d.phases(Settled, "a", "b", "c")
		for _, s := range []string{"a", "b", "c"} {
			d.change(s)
		}
		d.run(time.Second)
		d.want("0s x: b c", "0s y: a c", "0s z: a b")
	})
}

// Actions that name the same thing are two debts, told one after the other.
func TestOneWorkerATarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, map[string]action{"reload": {target: "nginx", takes: time.Second}, "restart": {target: "nginx", takes: time.Second}}, map[string]string{"a": "reload", "b": "restart"})
		d.phases(Settled, "a", "b")
		d.change("a")
		d.change("b")
		d.run(5 * time.Second)
		d.want("0s reload: a", "1s restart: b")
	})
}

// The interval is the longest of those of the services, and counts from the last notice, whichever
// service it was of.
func TestInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil, map[string]string{"a": "reload", "b": "reload"})
		d.services[1].MinInterval = time.Minute
		d.Adopt(d.services, time.Now())
		d.phases(Settled, "a", "b")
		d.change("a")
		d.run(10 * time.Second)
		d.change("b")
		d.Retry("b", time.Now())
		d.run(20 * time.Second)
		d.change("a")
		d.Retry("a", time.Now())
		d.run(time.Minute)
		d.want("0s reload: a", "1m0s reload: a b")
	})
}

// windows parses windows.
func windows(t *testing.T, texts ...string) (list cron.Windows) {
	t.Helper()
	for _, text := range texts {
		w, err := cron.ParseWindow(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, w)
	}
	return list
}

// Who may be interrupted is told in the windows of the services that name it; what it is owed
// before that waits, also for a new Teller, and nothing else does. It is midnight at the beginning,
// of a Saturday.
func TestWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		actions := map[string]action{"restart": {interrupts: true}}
		named := map[string]string{"a": "restart reload", "b": "restart"}
		d := newDesk(t, actions, named)
		set := func() {
			d.services[0].Windows = windows(t, "02:00-04:00 UTC", "Mon 12:00-13:00 UTC")
			d.Adopt(d.services, time.Now())
			d.phases(Settled, "a", "b")
		}
		set()
		d.change("a")
		d.run(time.Hour)
		d.want("0s reload: a")
		told := d.Told("a", time.Now())
		if at := time.Date(2000, 1, 1, 2, 0, 0, 0, time.UTC); !told[0].Held || !told[0].NotBefore.Equal(at) || told[1].Held {
			t.Errorf("at %v: %+v", time.Now(), told)
		}
		if d.Telling("a", time.Now()) {
			t.Error("it is said to be told soon")
		}

		// After a restart it is owed still.
		d.Teller = New(d.Options)
		set()
		d.change("b") // whose window is any time, but the dependent is the same
		d.run(3*time.Hour - time.Minute)
		d.want("1h0m0s restart: a b")
		d.change("a") // one minute before it closes
		d.phases(Working, "a")
		d.phases(Settled, "a")
		d.run(30 * time.Second)
		d.want("0s restart: a", "0s reload: a")
		d.run(time.Hour)
		d.change("a")
		d.phases(Working, "a")
		d.phases(Settled, "a")
		d.run(72 * time.Hour)
		d.want("1h0m0s reload: a", "22h0m30s restart: a")
	})
}

// A failure in a window is tried again in it, and after it has closed in the next.
func TestFailureInAWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fails := 3
		d := newDesk(t, map[string]action{"restart": {interrupts: true, fails: &fails, takes: time.Minute}}, map[string]string{"a": "restart"})
		d.services[0].Windows = windows(t, "00:00-00:01 UTC")
		d.Adopt(d.services, time.Now())
		d.phases(Settled, "a")
		d.change("a")
		d.run(73 * time.Hour)
		d.want("0s restart: fails a", "24h0m0s restart: fails a", "48h0m0s restart: fails a", "72h0m0s restart: a")
	})
}

// Who has no window costs no more than before windows were.
func TestWithoutWindowsNothingIsAllocated(t *testing.T) {
	d := newDesk(t, map[string]action{"restart": {interrupts: true}}, map[string]string{"a": "restart"})
	now := time.Now()
	if n := testing.AllocsPerRun(100, func() { d.notBefore(d.dependents[0], now) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// A new plan changes nothing for those who are being told, and for what they failed.
func TestAdoptWhileTelling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fails := 1
		actions := map[string]action{"reload": {takes: 10 * time.Second, fails: &fails}}
		d := newDesk(t, actions, map[string]string{"a": "reload"})
		d.phases(Settled, "a")
		d.change("a")
		d.run(time.Second)
		d.adopt(actions, map[string]string{"a": "reload", "b": "reload"})
		d.phases(Settled, "b")
		d.change("b")
		d.run(time.Minute)
		d.want("0s reload: fails a", "10.5s reload: a b")
	})
}

// Where somebody has changed the files nobody is told.
func TestChangedFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, nil, map[string]string{"a": "reload"})
		changed := true
		d.Intact = func([]string) bool { return !changed }
		d.phases(Settled, "a")
		<-time.After(time.Minute)
		d.change("a")
		d.Retry("a", time.Now())
		d.run(time.Minute)
		d.want()
		changed = false
		d.phases(Settled, "a")
		d.run(time.Minute)
		d.want("0s reload: a")
	})
}

// With Once who refuses is told again only of what is new.
func TestOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fails := 1
		d := newDesk(t, map[string]action{"reload": {fails: &fails}, "slow": {takes: 20 * time.Second}}, map[string]string{"a": "reload", "b": "slow"})
		d.Once = true
		d.phases(Settled, "a", "b")
		d.change("b")
		d.run(time.Second)
		d.change("a")
		d.Retry("a", time.Now())
		d.run(time.Minute)
		d.want("0s slow: b", "1s reload: fails a")
		d.change("a")
		d.Retry("a", time.Now())
		d.run(time.Minute)
		d.want("0s reload: a")
	})
}
