package member

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/disk/faulty"
	"github.com/rendered/rendered/internal/fleettest"
	"github.com/rendered/rendered/watch/fleet"
	"github.com/rendered/rendered/watch/pass"
)

// A shared is a table that several goroutines ask.
type shared struct {
	mu sync.Mutex
	t  fleettest.Table
}

func (s *shared) Update(u fleet.Update) fleet.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.t.Now = time.Now().Truncate(time.Second)
	return s.t.Update(u)
}

func (s *shared) Query(q fleet.Query) fleet.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.t.Now = time.Now().Truncate(time.Second)
	return s.t.Query(q)
}

// item gives what stands in the table.
func (s *shared) item(part, sort string) fleet.Item {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.t.Items[fleet.Key{Part: part, Sort: sort}]
}

// A crew is the members of a host in one life of the process.
type crew struct {
	*Members
	end  context.CancelFunc
	done sync.WaitGroup

	waited []time.Duration
}

var web = fleet.Settings{Fleet: "prod", Group: "web", Most: fleet.Amount{Number: 1}, MaxWait: 15 * time.Minute, Work: time.Minute}

// life begins a life of the process with a service.
func life(t *testing.T, dir string, table fleet.Table, s fleet.Settings) *crew {
	t.Helper()
	return lifeOn(t, disk.Host, dir, table, s)
}

func lifeOn(t *testing.T, system disk.System, dir string, table fleet.Table, s fleet.Settings) *crew {
	t.Helper()
	began := time.Now().Add(-time.Hour)
	c := new(crew)
	c.Members = New(Options{
		Host: "here", Disk: system, State: dir, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Wake: func([]string) {}, Counts: func(string) {}, Waited: func(d time.Duration) { c.waited = append(c.waited, d) }, Now: func() time.Duration { return time.Since(began) },
	})
	var ctx context.Context
	ctx, c.end = context.WithCancel(t.Context())
	c.TakePart(ctx, func(run func()) { c.done.Go(run) })
	c.Set([]fleet.Settings{s}, map[string]string{"web": "web"}, Place{Table: table})
	return c
}

func (c *crew) dies() { c.end(); c.done.Wait() }

func wanted(change string) pass.Wanted {
	return pass.Wanted{Service: "web", Change: change}
}

// standing is what the loop says between passes.
func standing(stage pass.Stage, owed bool) pass.Standing {
	return pass.Standing{Service: "web", Stage: stage, Owed: owed}
}

// turns asks until it is the turn of the service.
func (c *crew) turns(t *testing.T, change string) {
	t.Helper()
	for range 600 {
		if c.Turn(wanted(change)) == nil {
			return
		}
		time.Sleep(time.Second)
	}
	t.Fatalf("it never is its turn: %+v", c.Turn(wanted(change)))
}

// swaps goes as far as that the files are swapped.
func (c *crew) swaps(t *testing.T, change string) {
	t.Helper()
	c.turns(t, change)
	if err := c.Begin(t.Context(), "web"); err != nil {
		t.Fatal(err)
	}
	c.Has(wanted(change))
	c.Ended("web", true)
}

func in(t *testing.T, run func(t *testing.T, table *shared, c *crew, dir string)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		table := new(shared)
		c := life(t, dir, table, web)
		c.Has(wanted("v1"))
		c.Stands(standing(pass.Settled, false))
		run(t, table, c, dir)
		c.dies()
	})
}

const part = "prod#web"

func (s *shared) held() bool {
	item := s.item(part, "slot#000000")
	return item.Number("until") > time.Now().UnixMilli()
}

// A turn is given back when the service is well, and what the host has is in the table.
func TestTurn(t *testing.T) {
	in(t, func(t *testing.T, table *shared, c *crew, _ string) {
		c.swaps(t, "v2")
		c.Stands(standing(pass.Unproven, true))
		time.Sleep(5 * time.Minute)
		if !table.held() {
			t.Error("the slot is free while the service has yet to be seen to be well")
		}
		c.Stands(standing(pass.Settled, false))
		time.Sleep(time.Minute)
		if said := table.item("prod#web#hosts", "host#here").Text("services"); table.held() || !strings.Contains(said, `"change":"v2"`) {
			t.Errorf("held: %v; the host says %s", table.held(), said)
		}
		c.swaps(t, "v3") // and again
	})
}

// A host that is not well with its old files, either, keeps its slot until it is, though its passes
// want the change again, and says that it is not well.
func TestNotWellWithTheOldFiles(t *testing.T) {
	in(t, func(t *testing.T, table *shared, c *crew, _ string) {
		c.swaps(t, "v2")
		c.Stands(standing(pass.Reverting, false))
		time.Sleep(time.Minute)
		ill := standing(pass.Reverted, false)
		ill.Failing = true
		c.Stands(ill)
		for range 60 {
			if c.Turn(wanted("v2")) == nil {
				t.Fatal("it has its turn, though the change is halted")
			}
			time.Sleep(time.Minute)
		}
		if said := table.item("prod#web#hosts", "host#here").Text("services"); !table.held() || !strings.Contains(said, `"unhealthy"`) {
			t.Errorf("held: %v; the host says %s", table.held(), said)
		}
		c.Stands(standing(pass.Rejected, false))
		c.Turn(wanted("v2"))
		time.Sleep(time.Minute)
		if said := table.item("prod#web#hosts", "host#here").Text("services"); table.held() || !strings.Contains(said, `"rolled back"`) {
			t.Errorf("though it is well with its old files: held: %v; the host says %s", table.held(), said)
		}
	})
}

// Who is killed between its swap and its notices goes on with its slot, though nobody has looked at
// the service for a while.
func TestRestartKeepsTheSlot(t *testing.T) {
	in(t, func(t *testing.T, table *shared, c *crew, dir string) {
		c.swaps(t, "v2")
		c.dies()
		lease := table.item(part, "slot#000000").Text("lease")
		next := life(t, dir, table, web)
		defer next.dies()
		time.Sleep(3 * time.Minute) // longer than a lease
		if !table.held() {
			t.Error("the slot was given back before anybody has looked")
		}
		if hold := next.Tells("web"); hold == nil {
			t.Error("it tells without a turn")
		}
		time.Sleep(10 * time.Second)
		if hold := next.Tells("web"); hold != nil || table.item(part, "slot#000000").Text("lease") != lease {
			t.Errorf("%+v, lease %s, want %s", hold, table.item(part, "slot#000000").Text("lease"), lease)
		}
		next.Stands(standing(pass.Settled, false))
		time.Sleep(time.Minute)
		if table.held() {
			t.Error("the slot is not given back")
		}
	})
}

// A change that is on record as swapped, and was not, is made all the same.
func TestChangeThatWasNotSwapped(t *testing.T) {
	in(t, func(t *testing.T, table *shared, c *crew, dir string) {
		c.turns(t, "v2")
		if err := c.Begin(t.Context(), "web"); err != nil {
			t.Fatal(err)
		}
		c.dies() // before a file is renamed
		next := life(t, dir, table, web)
		defer next.dies()
		next.Turn(wanted("v2"))
		next.Stands(standing(pass.Settled, false))
		next.swaps(t, "v2")
	})
}

// A config that takes the group away has a pass go on that waits for its swap.
func TestGroupGoesWhileAPassWaits(t *testing.T) {
	in(t, func(t *testing.T, table *shared, c *crew, _ string) {
		c.turns(t, "v2")
		table.mu.Lock()
		table.t.Silent = 1 << 30 // so that the swap is not let
		table.mu.Unlock()
		ended := make(chan error)
		go func() { ended <- c.Begin(t.Context(), "web") }()
		time.Sleep(time.Second)
		c.Set(nil, nil, Place{})
		if err := <-ended; err == nil {
			t.Error("it swaps without a turn")
		}
		c.Ended("web", false)
	})
}

// Settings that change in the middle of a turn leave it as it is.
func TestSettingsChangeInATurn(t *testing.T) {
	in(t, func(t *testing.T, table *shared, c *crew, _ string) {
		c.swaps(t, "v2")
		c.Stands(standing(pass.Unproven, true))
		longer := web
		longer.Work = 10 * time.Minute
		c.Set([]fleet.Settings{longer}, map[string]string{"web": "web"}, Place{Table: table})
		time.Sleep(2 * time.Minute)
		if !table.held() {
			t.Error("the slot is free in the middle of a turn")
		}
		c.Stands(standing(pass.Settled, false))
		time.Sleep(time.Minute)
		c.swaps(t, "v3")
	})
}

// A service that cannot use its turn does not keep others from theirs.
func TestWishIsWithdrawn(t *testing.T) {
	in(t, func(t *testing.T, table *shared, c *crew, _ string) {
		c.turns(t, "v2")
		c.Ended("web", false)
		c.Rests("web")
		time.Sleep(time.Minute)
		if table.held() {
			t.Error("the slot is held for nobody")
		}
		requests := table.t.Requests
		time.Sleep(10 * time.Hour)
		if n := table.t.Requests - requests; n > 0 {
			t.Errorf("%d requests", n)
		}
	})
}

// A newer version waits until the last is known to be well, or is halted.
func TestNewerVersionInATurn(t *testing.T) {
	in(t, func(t *testing.T, table *shared, c *crew, _ string) {
		c.swaps(t, "v2")
		c.Stands(standing(pass.Unproven, true))
		if c.Turn(wanted("v3")) == nil {
			t.Error("it begins another change before the last has come to its end")
		}
		time.Sleep(5 * time.Minute)
		if !table.held() {
			t.Error("the slot is free in the middle of a change")
		}
		c.Stands(pass.Standing{Service: "web", Stage: pass.Unwell, Failure: "502"})
		time.Sleep(time.Minute)
		if halted := table.item(part, "svc#web#v2").Text("halted"); halted != "502" {
			t.Errorf("halted: %q", halted)
		}
		c.Stands(standing(pass.Settled, false))
		c.swaps(t, "v3")
	})
}

// A disk that does not answer has those wait that are to be on record, and the loop say how other
// services stand, and take a new config.
func TestDiskIsSlow(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var answers chan struct{} // closed when the disk does; nil: at once
		hang := func(c chan struct{}) { mu.Lock(); answers = c; mu.Unlock() }
		system := faulty.System(disk.Host, func(s faulty.Step) error {
			mu.Lock()
			c := answers
			mu.Unlock()
			if c != nil && s.Mutates() {
				<-c
			}
			return nil
		})
		table := new(shared)
		c := lifeOn(t, system, dir, table, web)
		defer c.dies()
		c.Has(wanted("v1"))
		c.Stands(standing(pass.Settled, false))
		c.turns(t, "v2")
		answer := make(chan struct{})
		hang(answer)
		begun := make(chan error)
		go func() { begun <- c.Begin(t.Context(), "web") }()
		// The loop goes on.
		goesOn := func(what string) {
			t.Helper()
			if synctest.Wait(); !c.mu.TryLock() {
				t.Fatalf("the loop waits for the disk: %s", what)
			}
			c.mu.Unlock()
			c.Set([]fleet.Settings{web}, map[string]string{"web": "web", "db": "web"}, Place{Table: table})
			c.Rests("db")
			c.Stands(pass.Standing{Service: "db", Stage: pass.Settled})
		}
		time.Sleep(7 * time.Second) // it may not swap any more, and then anew
		goesOn("a service is to be on record")
		hang(nil)
		close(answer)
		if err := <-begun; err != nil {
			t.Fatal(err)
		}
		if before := c.groups["web"].member.MaySwap("web", "v2"); c.Now() > before {
			t.Errorf("it swaps %v after it was let", c.Now()-before)
		}
		c.Has(wanted("v2"))
		c.Ended("web", true)
		answer = make(chan struct{})
		hang(answer)
		c.Stands(pass.Standing{Service: "web", Stage: pass.Reverting, Failure: "502"})
		time.Sleep(time.Second)
		goesOn("a member is to be on record")
		hang(nil)
		close(answer)
		c.Stands(pass.Standing{Service: "web", Stage: pass.Rejected, Failure: "502"})
		time.Sleep(time.Minute)
		if said := table.item("prod#web#hosts", "host#here").Text("services"); !strings.Contains(said, `"change":"v1","phase":"rolled back"`) {
			t.Errorf("the host says %s", said)
		}
	})
}

// How long a change waits is told once, from when it was first wanted, whatever tries there were.
func TestWaitIsTold(t *testing.T) {
	in(t, func(t *testing.T, table *shared, c *crew, _ string) {
		table.mu.Lock()
		table.t.Update(fleet.Freeze("prod", "web", "somebody"))
		table.mu.Unlock()
		var hold *pass.Hold
		for range 3 * 60 { // as often as the schedule has it looked at
			hold = c.Turn(wanted("v2"))
			time.Sleep(time.Second)
		}
		if hold == nil || !hold.Halted || len(hold.Hints) != 1 || !strings.Contains(hold.Hints[0], "rendered fleet thaw") {
			t.Errorf("frozen: %+v", hold)
		}
		table.mu.Lock()
		table.t.Update(fleet.Thaw("prod", "web", "somebody"))
		table.mu.Unlock()
		c.turns(t, "v2")
		c.Ended("web", false) // its check was against it
		time.Sleep(time.Minute)
		c.swaps(t, "v2")
		c.Stands(standing(pass.Settled, false))
		time.Sleep(time.Minute)
		c.swaps(t, "v3")
		if len(c.waited) != 2 || c.waited[0] < 4*time.Minute || c.waited[0] > 15*time.Minute || c.waited[1] > time.Minute {
			t.Errorf("waited %v", c.waited)
		}
	})
}
