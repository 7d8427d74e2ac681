package fleet

import (
	"container/heap"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// A world is a fleet of members over one table, with everything that goes wrong in it. It is a
// simulation: one event after the other, by a seed.
type world struct {
	chance   *rand.Rand
	now      time.Duration
	events   events
	order    int
	table    map[Key]*cell
	parts    map[string][]named // the items of a part, sorted
	hosts    []*host
	settings Settings
	trouble  trouble
	trace    *strings.Builder // nil: none is kept
	broken   []string         // promises
	asked    func(*host)      // before each request; may be nil
	once     trouble          // of this request
	requests int
	reads    float64 // units, by what was read
	writes   int
	locks    map[string]bool // who holds the lock; nil: there is a table
	planted  string          // a bug
	atWork   int
	lowAt    time.Duration
	lowered  int // how many might work at once before somebody lowered that, not long ago

	want    map[string]string           // changes that hosts are to have, by service
	bad     map[string]bool             // changes that are not well anywhere
	badOn   map[string]func(*host) bool // on some hosts
	stopped map[string]time.Duration    // since when, by the name of what is halted or frozen
	most    int                         // at work at once, ever
	outages []span
	quietAt time.Duration // nothing goes wrong any more
}

type span struct{ from, to time.Duration }

// epoch is when the world begins, by the table.
var epoch = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

// A trouble is how often what goes wrong, of all requests.
type trouble struct {
	throttled, lost, unanswered, late, doubled float64
	stale                                      time.Duration // of reads, at most
}

// A named is a cell with the name that it has in its part.
type named struct {
	name string
	*cell
}

// at gives where a name is, or is to be.
func at(list []named, name string) int {
	i, _ := slices.BinarySearchFunc(list, name, func(n named, name string) int { return strings.Compare(n.name, name) })
	return i
}

// A cell is an item with what it was before.
type cell struct {
	item Item // nil: there is none
	was  []past
}

type past struct {
	until time.Duration
	item  Item
}

type event struct {
	at    time.Duration
	order int
	do    func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].order < e[j].order
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

func newWorld(seed uint64, s Settings) *world {
	return &world{
		chance: rand.New(rand.NewPCG(seed, 18)), settings: s, table: make(map[Key]*cell), parts: make(map[string][]named),
		want: make(map[string]string), bad: make(map[string]bool), badOn: make(map[string]func(*host) bool), stopped: make(map[string]time.Duration),
	}
}

func (w *world) at(t time.Duration, do func()) {
	w.order++
	heap.Push(&w.events, event{max(t, w.now), w.order, do})
}

func (w *world) after(d time.Duration, do func()) { w.at(w.now+d, do) }

// run goes on until a time, or until nothing is left.
func (w *world) run(until time.Duration) {
	for len(w.events) > 0 && w.events[0].at <= until && len(w.broken) == 0 {
		e := heap.Pop(&w.events).(event)
		w.now = e.at
		e.do()
	}
	w.now = until
}

func (w *world) note(format string, args ...any) {
	if w.trace != nil {
		fmt.Fprintf(w.trace, "%10.3f  %s\n", w.now.Seconds(), fmt.Sprintf(format, args...))
	}
}

// breaks notes that a promise is broken.
func (w *world) breaks(format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	w.note("BROKEN: %s", what)
	w.broken = append(w.broken, what)
}

func (w *world) low() int64 { return epoch + w.now.Milliseconds() }

// item gives what stands in the table; nil: nothing.
func (w *world) item(k Key) Item {
	if c := w.table[k]; c != nil {
		return c.item
	}
	return nil
}

var errThrottled = errors.New("throttled")
var errSilent = errors.New("no answer")

// update changes the table at this very time, as DynamoDB does.
func (w *world) update(u Update) Answer {
	w.writes++
	c := w.table[u.Key]
	if c == nil {
		c = new(cell)
	}
	a := Answer{Date: time.UnixMilli(w.low()).Truncate(time.Second)}
	if w.planted == "no condition" {
		u.If = nil
	}
	item, obeyed := u.Obey(c.item)
	if !obeyed {
		a.Refused, a.Old = true, item
		return a
	}
	if c.item == nil {
		list := w.parts[u.Key.Part]
		w.parts[u.Key.Part] = slices.Insert(list, at(list, u.Key.Sort), named{u.Key.Sort, c})
	}
	if w.trouble.stale > 0 {
		c.was = append(c.was, past{w.now, c.item})
		for len(c.was) > 0 && c.was[0].until < w.now-w.trouble.stale {
			c.was = c.was[1:]
		}
	}
	c.item = item
	w.table[u.Key] = c
	w.judgeUpdate(u, item)
	return a
}

// query reads the table at this very time, or as it was not long before.
func (w *world) query(q Query) Answer {
	a := Answer{Date: time.UnixMilli(w.low()).Truncate(time.Second)}
	list := w.parts[q.Part]
	list = list[at(list, q.From):]
	if !q.Count {
		a.Items = make([]Stored, 0, len(list))
	}
	size := 0.0
	for _, c := range list {
		item := c.item
		if !q.Consistent && w.trouble.stale > 0 {
			then := w.now - time.Duration(w.chance.Float64()*float64(w.trouble.stale))
			for _, p := range c.was {
				if p.until > then {
					item = p.item
					break
				}
			}
		}
		if item == nil {
			continue
		}
		a.Count++
		size += 120
		if !q.Count {
			a.Items = append(a.Items, Stored{c.name, item})
		}
	}
	units := max(1, float64(int(size/4096)+1))
	if !q.Consistent {
		units /= 2
	}
	w.reads += units
	return a
}

// isAway tells whether the table answers nobody.
func (w *world) isAway() bool {
	return slices.ContainsFunc(w.outages, func(s span) bool { return w.now >= s.from && w.now < s.to })
}

// ask has a request go to the table, and its answer come back, or not.
func (w *world) ask(h *host, do func() Answer, write bool, answer func(Answer)) {
	w.requests++
	h.requests++
	if w.once = (trouble{}); w.asked != nil {
		w.asked(h)
	}
	there := time.Duration(5+w.chance.IntN(20)) * time.Millisecond
	const patience = 10 * time.Second
	silent := func() { answer(Answer{Err: errSilent, Silent: true}) }
	t := w.trouble
	if w.now >= w.quietAt && w.quietAt > 0 {
		t = trouble{}
	}
	if w.once != (trouble{}) {
		t = w.once
	}
	chance := w.chance.Float64()
	w.after(there, func() {
		if w.isAway() || h.cutOff(w.now) {
			w.after(patience, silent)
			return
		}
		back := time.Duration(5+w.chance.IntN(20)) * time.Millisecond
		switch {
		case chance < t.throttled:
			a := Answer{Err: errThrottled, Date: time.UnixMilli(w.low()).Truncate(time.Second)}
			w.after(back, func() { answer(a) })
			return
		case chance < t.throttled+t.lost:
			w.after(patience, silent)
			return
		case chance < t.throttled+t.lost+t.late && write:
			w.after(patience, silent)
			w.after(90*time.Second, func() { do() })
			return
		}
		a := do()
		if write && w.chance.Float64() < t.doubled {
			w.after(100*time.Second, func() { do() })
		}
		if w.chance.Float64() < t.unanswered {
			w.after(patience, silent)
			return
		}
		w.after(back, func() { answer(a) })
	})
}

// rolls has all hosts want a change of a service, almost at once.
func (w *world) rolls(service, change string) {
	w.want[service] = change
	w.note("%s is to be %s", service, change)
	for _, h := range w.hosts {
		w.after(time.Duration(w.chance.IntN(3000))*time.Millisecond, func() {
			if w.want[service] == change {
				h.wants(service, change)
			}
		})
	}
}

// close ends all coroutines.
func (w *world) close() {
	for _, h := range w.hosts {
		if !h.ended {
			h.ended = true
			h.stop()
		}
	}
}
