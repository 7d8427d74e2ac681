package sim

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/cron"
)

// In two of five seeds services have gates and windows, and may hold what they write until these
// are open.

// guarded tells whether services have gates and windows in this seed.
func (w *world) guarded() bool { return w.seed%5 < 2 }

// A guard is what the model knows of gates and windows.
type guard struct {
	shut set             // services whose gates do not open
	seen map[string]bool // swaps that were on record in this life
	// asked are services whose gate, and whose window, was asked and is open, since the last swap
	// of theirs; sure are those of which that is known.
	asked, sure [2]set
	was         time.Duration // what the wall clock was ahead before it was set
	set         time.Time     // when that was
}

// What keeps a service from writing.
const (
	gate = iota
	window
)

// windows are open now and then around the midnight at which a seed begins, all day, and once in
// the evening. The trouble comes in the night, peace in the day, and a curfew in the evening.
var windows = func() (list cron.Windows) {
	for _, text := range []string{"23:40-23:46 UTC", "23:52-23:57 UTC", "00:02-00:06 UTC", "00:09-00:14 UTC", "00:21-00:30 UTC", "04:00-20:00 UTC", "22:03-22:12 UTC"} {
		w, err := cron.ParseWindow(text)
		if err != nil {
			panic(err)
		}
		list = append(list, w)
	}
	return list
}()

func isOpen(at time.Time) bool { return windows.Next(at).Equal(at.Round(0)) }

// guard gives a service what keeps it from writing, and from interrupting programs.
func (w *world) guard(l *life, s self, svc *watch.Service) {
	if s.gate {
		svc.Gate.Args = []string{"gate", s.number()}
	}
	if !s.window {
		return
	}
	svc.Windows = windows
	if s.hold {
		svc.Hold = func(now time.Time) time.Time {
			until := windows.Next(now)
			w.mu.Lock()
			defer w.mu.Unlock()
			if !l.dead {
				w.answered(window, s.service, until.Equal(now))
			}
			return until
		}
	}
}

// answered notes what was said of whether a service may write. The caller holds w.mu.
func (w *world) answered(what, service int, open bool) {
	g := &w.guards
	g.sure[what] |= 1 << service
	if g.asked[what] &^= 1 << service; open {
		g.asked[what] |= 1 << service
	}
	w.trace.note(w.began, "%s may write, as its %s has it: %v", services[service], [...]string{"gate", "window"}[what], open)
}

// guarding notes what is known of gates and windows when others may be in force. The caller holds
// w.mu.
func (w *world) guarding(l *life, before, now roll) {
	g := &w.guards
	for _, s := range now {
		had := l.roll == nil // nobody is at work yet
		for _, o := range before {
			had = had || o.service == s.service && o.gate == s.gate && o.holds() == s.holds() && slices.Equal(w.paths(o), w.paths(s))
		}
		if !had {
			g.sure[gate] &^= 1 << s.service
			g.sure[window] &^= 1 << s.service
		} else if before == nil {
			g.sure[gate] |= 1 << s.service
			g.sure[window] |= 1 << s.service
		}
	}
}

func (s self) holds() bool { return s.window && s.hold }

// judgeSwaps wants a service whose swap comes on record to have been asked whether it may write.
// What is put back asks nobody. The caller holds w.mu.
func (w *world) judgeSwaps(record string) {
	if !w.guarded() {
		return
	}
	g := &w.guards
	begun := make(map[string]*self)
	for _, line := range swapsOf(record) {
		id := line.swap()
		if f := w.files[line.Path]; !g.seen[id] && f != nil && !w.life.late[line.Path] && !w.life.dead {
			if s := w.keeper(f.spec); s != nil {
				begun[s.name()] = s
			}
		}
		g.seen[id] = true
	}
	found := rolloutsOf(record)
	for _, name := range slices.Sorted(maps.Keys(begun)) {
		s := begun[name]
		if found[name].Stage == "reverted" || w.harmed > 0 {
			continue
		}
		for what, asks := range [...]bool{s.gate, s.holds()} {
			if asks && g.sure[what].has(s.service) && !g.asked[what].has(s.service) {
				w.fail("%s writes, and its %s was not asked, or is shut", name, [...]string{"gate", "window"}[what])
			}
			g.asked[what] &^= 1 << s.service
		}
	}
}

// swapsOf gives the lines of a record that have swaps.
func swapsOf(record string) (list []recorded) {
	for line := range strings.Lines(record) {
		if strings.Contains(line, `"swap":{`) {
			list = append(list, linesOf(line)...)
		}
	}
	return list
}

// swap tells the swaps of a record apart.
func (r recorded) swap() string { return r.Path + " " + r.Swap.Temp + " " + r.Swap.Digest }

// rolloutsOf gives the rollouts of a record that can be read.
func rolloutsOf(record string) map[string]rollout {
	found := make(map[string]rollout)
	for line := range strings.Lines(record) {
		var r rollout
		_, data, _ := strings.Cut(line, " ")
		if line[0] == '%' && json.Unmarshal([]byte(data), &r) == nil {
			found[r.Service] = r
		}
	}
	return found
}

// untimely wants a program that is interrupted to be told in the windows of all services that name
// it. Who is told that a change was not well waits for none. The caller holds w.mu.
func (a action) untimely(mends bool) {
	w := a.world
	if !a.of.restarts || mends || a.life.dead {
		return
	}
	var of string
	for _, name := range slices.Sorted(maps.Keys(a.roll)) {
		s := a.roll[name]
		if !slices.Contains(w.told(s), a.name) || s.notice(a.name) != a.Name() {
			continue
		}
		if stage := w.ward.stands[name].Stage; stage == "retold" || stage == "reverted" {
			return
		}
		if s.window {
			of = name
		}
	}
	now := w.wall()
	times := []time.Time{now, now.Add(-hesitation)}
	if time.Since(w.guards.set) < hesitation {
		times = append(times, time.Now().Round(0).Add(w.guards.was))
	}
	if of != "" && !slices.ContainsFunc(times, isOpen) {
		w.fail("%s is told out of the window of %s, at %v", a.Name(), of, now.Format(time.TimeOnly))
	}
}

// hesitation is more than what passes from when the daemon looks at its clock until it tells
// somebody.
const hesitation = 20 * time.Millisecond

// mends tells whether a program is told of what puts right a change that was not well.
func (a action) mends() bool {
	for name, s := range a.roll {
		if !slices.Contains(a.world.told(s), a.name) {
			continue
		}
		if r, _ := a.life.state.Ledger.Rollout(name); r.Stage == "retold" || r.Stage == "reverted" {
			return true
		}
	}
	return false
}

// Interrupts tells whether the program does not go on meanwhile.
func (a action) Interrupts() bool { return a.of.restarts }

// forbid changes what keeps services from writing.
func (w *world) forbid() {
	w.mu.Lock()
	c, was := &w.conf, w.conf
	switch w.chance.IntN(8) {
	case 0:
		c.gate = !c.gate
	case 1:
		c.window = !c.window
	case 2:
		c.hold = !c.hold
	case 3:
		c.restarts = !c.restarts
	default:
		w.guards.shut ^= 1 << w.chance.IntN(len(services))
	}
	w.trace.note(w.began, "gates %v, shut %b, windows %v, hold %v", c.gate, w.guards.shut, c.window, c.hold)
	w.mu.Unlock()
	if was != w.conf {
		w.life.loop.Reload()
	}
}

// setClock sets the wall clock. The caller holds w.mu.
func (w *world) setClock(by time.Duration) {
	w.guards.was, w.guards.set = time.Duration(w.offset.Load()), time.Now()
	w.clockSet()
	w.offset.Add(int64(by))
	w.clockSet()
}

// untilReading gives how long it is until a clock shows a time of the day.
func untilReading(now time.Time, hour, minute int) time.Duration {
	now = now.UTC()
	at := time.Date(now.Year(), now.Month(), now.Day(), hour, minute, 0, 0, time.UTC)
	if at.Before(now) {
		at = at.AddDate(0, 0, 1)
	}
	return at.Sub(now)
}

// curfew lets everything change when there is no other trouble and the window, or a gate, is shut,
// and wants nobody to be interrupted, and nothing to be written where that waits, too, until it
// opens; and then all of it, also by another process.
func (w *world) curfew() {
	if !w.guarded() {
		return
	}
	w.mu.Lock()
	c := &w.conf
	c.restarts, c.gate, c.window, c.hold = true, false, true, false
	hour, minute := 21, 57 // no look on schedule comes when the window opens, or soon after the gate does
	switch w.chance.IntN(3) {
	case 0:
		c.hold = true
	case 1:
		c.gate, c.window, w.guards.shut = true, false, 1<<len(services)-1
		minute = 10
	}
	w.setClock(untilReading(w.wall(), hour, minute))
	w.trace.note(w.began, "a curfew: gate %v, hold %v", c.gate, c.hold)
	w.mu.Unlock()
	w.life.loop.Reload()
	w.after(20 * time.Second)
	w.mu.Lock()
	before, told := make(map[string]string), w.counts.told
	for path := range w.files {
		before[path] = w.found(path)
	}
	w.mu.Unlock()
	for _, name := range names {
		w.aws.rotate(name, false, false, 0)
	}
	w.heal()
	w.life.loop.Refresh()
	w.after(30 * time.Second)
	w.judgeQuiet(before, told)
	switch w.chance.IntN(3) {
	case 0:
		w.kill(false)
		w.start(faults{})
	case 1:
		w.stop()
		w.start(faults{})
	}
	w.after(20 * time.Second)
	w.judgeQuiet(before, told)
	w.mu.Lock()
	w.guards.shut = 0
	w.trace.note(w.began, "the curfew is over")
	w.mu.Unlock()
	w.after(8 * time.Minute)
	w.judge()
}

// judgeQuiet wants nobody to be told, and files to be as they were where they wait, too.
func (w *world) judgeQuiet(before map[string]string, told int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.counts.told != told {
		w.fail("somebody is told %d times in a curfew", w.counts.told-told)
	}
	for _, s := range w.specs() {
		of := w.keeper(s)
		if of == nil {
			continue
		}
		want := before[s.path]
		if !of.gate && !of.holds() {
			want = w.aws.current(s, of.text)
		}
		if content := w.found(s.path); content != want && !(want == "" && w.files[s.path].stray) {
			w.fail("%s holds %q in a curfew, want %q", s.path, content, want)
		}
	}
}
