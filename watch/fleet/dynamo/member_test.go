package dynamo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/sources/aws"
	"github.com/rendered/rendered/watch/fleet"
)

// A host is a member with a daemon in outline, which takes a change of one service through the
// phases that a pass has.
type host struct {
	*Table
	name   string
	crew   *crew
	member *fleet.Member
	born   time.Time
	wake   chan struct{} // the member
	look   chan struct{} // the daemon
	wants  chan string
	chance *rand.Rand
	leases int
	memory fleet.Memory
}

// A crew are the hosts of a fleet, and what they have done.
type crew struct {
	ctx  context.Context
	bad  string // the change that is not well
	mu   sync.Mutex
	log  []string
	work int // at once
	most int
	has  map[string]string // change by host
}

func (h *host) Now() time.Duration { return time.Hour + time.Since(h.born) }

func (h *host) Sleep(until time.Duration) bool {
	timer := time.NewTimer(until - h.Now())
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-h.wake:
	case <-h.crew.ctx.Done():
	}
	return h.crew.ctx.Err() == nil
}

func (h *host) Save(m fleet.Memory) error { h.memory = m; return nil }
func (h *host) Chance() float64           { return h.chance.Float64() }
func (h *host) Lease() string             { h.leases++; return fmt.Sprintf("%s/%d", h.name, h.leases) }
func (h *host) Wake([]string)             { poke(h.look) }
func (h *host) Turn(string)               {}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (h *host) say(w fleet.Wish) {
	if h.member.Say("web", w) {
		poke(h.wake)
	}
}

// until waits until something holds; false: the test is over.
func (h *host) until(holds func() bool) bool {
	for !holds() {
		select {
		case <-h.look:
		case <-time.After(time.Second):
		case <-h.crew.ctx.Done():
			return false
		}
	}
	return true
}

// run makes one change after the other, as far as it is let.
func (h *host) run() {
	for {
		select {
		case change := <-h.wants:
			h.change(change)
		case <-h.crew.ctx.Done():
			return
		}
	}
}

func (h *host) Failed(error) {}

func (h *host) Locker() fleet.Locker { return nil }

func (h *host) change(change string) {
	wish := fleet.Wish{Change: change, Phase: fleet.Waiting}
	say := func(p fleet.Phase) { wish.Phase = p; h.say(wish) }
	say(fleet.Waiting)
	if !h.until(func() bool { return h.member.Granted("web", change) > 0 }) {
		return
	}
	time.Sleep(10 * time.Second) // before
	say(fleet.Ready)
	if !h.until(func() bool { return h.member.MaySwap("web", change) > h.Now() }) {
		return
	}
	h.crew.begins(h.name, change)
	say(fleet.Working)
	time.Sleep(15 * time.Second) // notices, and until it is healthy
	if change == h.crew.bad {
		wish.Why = "it is not well"
		say(fleet.Failing)
		time.Sleep(5 * time.Second)
		h.crew.ends(h.name, "")
		say(fleet.Back)
		return
	}
	h.crew.ends(h.name, change)
	say(fleet.Well)
}

func (c *crew) begins(host, change string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.work++
	c.most = max(c.most, c.work)
	c.log = append(c.log, host+" begins "+change)
}

func (c *crew) ends(host, change string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.work--
	if change == "" {
		c.log = append(c.log, host+" goes back")
		return
	}
	c.has[host] = change
	c.log = append(c.log, host+" has "+change)
}

func (c *crew) said() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.log)
}

// muster begins a fleet of three over the fake. No two of its hosts are to work at once.
func muster(t *testing.T, fake *awsfake.Server) (c *crew, hosts []*host) {
	ctx, cancel := context.WithCancel(t.Context())
	c = &crew{ctx: ctx, has: make(map[string]string)}
	var running sync.WaitGroup
	t.Cleanup(func() { cancel(); running.Wait() })
	for i := range 3 {
		source, err := aws.New(ctx, aws.Options{Transport: fake.Transport()})
		if err != nil {
			t.Fatal(err)
		}
		h := &host{
			Table: New(ctx, source.Table("rendered")), name: fmt.Sprint("h", i), crew: c, born: time.Now(),
			wake: make(chan struct{}, 1), look: make(chan struct{}, 1), wants: make(chan string, 1), chance: rand.New(rand.NewPCG(18, uint64(i))),
		}
		h.member = fleet.NewMember(fleet.Settings{
			Fleet: "prod", Group: "web", Host: h.name, Most: fleet.Amount{Number: 1}, Canary: true,
			Bake: 2 * time.Minute, MaxWait: time.Hour, Work: time.Minute,
		}, h)
		running.Go(func() { h.member.Run(fleet.Memory{}) })
		running.Go(h.run)
		hosts = append(hosts, h)
	}
	time.Sleep(time.Minute) // they are there
	return c, hosts
}

// Members roll a change over the real client: one first, which is to stay well, then one after the
// other, whatever happens to their requests. A change that is not well goes no further.
func TestMembers(t *testing.T) {
	fake := awsfake.New()
	fake.URL = "http://aws.test"
	environment(t, fake.Env())
	synctest.Test(t, func(t *testing.T) {
		fake := awsfake.New()
		fake.MakeTable("rendered")
		c, hosts := muster(t, fake)
		fake.Inject(awsfake.Fault{Kind: awsfake.Throttle, After: 5, Times: 3})
		fake.Inject(awsfake.Fault{Operation: "UpdateItem", Kind: awsfake.Lost, After: 6, Times: 2})
		fake.Inject(awsfake.Fault{Operation: "UpdateItem", Kind: awsfake.Doubled, After: 10, Times: 2})
		for _, h := range hosts {
			h.wants <- "v2"
		}
		begun := time.Now()
		for len(c.said()) < 2 {
			time.Sleep(time.Second)
		}
		time.Sleep(2*time.Minute - 5*time.Second)
		if log := c.said(); len(log) != 2 {
			t.Errorf("before one was well for long: %q", log)
		}
		time.Sleep(30 * time.Minute)
		log := c.said()
		if len(log) != 6 || c.most != 1 {
			t.Fatalf("%d at work at once: %q", c.most, log)
		}
		t.Logf("after %v: %q, %v", time.Since(begun), log, fake.Calls())
		c.bad = "v3"
		for _, h := range hosts {
			h.wants <- "v3"
		}
		time.Sleep(20 * time.Minute)
		log = c.said()[6:]
		if len(log) != 2 || !strings.HasSuffix(log[0], "begins v3") || !strings.HasSuffix(log[1], "goes back") {
			t.Errorf("a change that is not well: %q", log)
		}
		a := hosts[0].Query(fleet.Query{Part: fleet.PartOf("prod", "web"), Consistent: true})
		for _, s := range a.Items {
			switch {
			case strings.HasSuffix(s.Sort, "#v2") && s.Item.Number("ok_at") == 0,
				strings.HasSuffix(s.Sort, "#v3") && s.Item.Text("halted") != "it is not well",
				strings.HasPrefix(s.Sort, "slot#") && s.Item.Number("until") != 0:
				t.Errorf("%s: %v", s.Sort, s.Item)
			}
		}
		if a.Err != nil || len(a.Items) != 4 {
			t.Errorf("%+v", a)
		}
	})
}
