package sim

import (
	"maps"
	"os"
	"slices"
	"time"

	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
)

// foreign is what the content begins with that is not the daemon's.
const foreign = "by"

// thePackage is what follows in the files that are there before the daemon's first start.
const thePackage = " the package"

// owner gives who a file is to belong to.
func (f *output) owner() (uid, gid int) {
	if uid = f.uid; uid == swap.Keep {
		uid = os.Geteuid()
	}
	return uid, os.Getegid()
}

// live is the time of trouble.
func (w *world) live() {
	w.start(w.misfortune())
	for range 4 + w.chance.IntN(9) {
		w.await(time.Duration(w.chance.ExpFloat64() * float64(30*time.Second)))
		if w.life == nil {
			w.rise()
			continue
		}
		w.event()
	}
	if w.chance.IntN(4) > 0 {
		w.finale()
	}
}

// finale lets things go wrong one soon after the other, in the middle of the last swap: what is
// left of it is what peace begins with.
func (w *world) finale() {
	w.mu.Lock()
	w.aws.away, w.full, w.fixed = false, false, false
	w.lying = w.liar() && w.chance.IntN(2) == 0
	for _, s := range w.aws.secrets {
		s.trouble, s.hangs = "", false
	}
	w.conf.broken, w.conf.refuses, w.conf.without = false, "", ""
	w.mu.Unlock()
	if w.life == nil {
		w.start(faults{})
	} else {
		w.life.loop.Reload()
	}
	if w.life != nil && w.chance.IntN(4) > 0 {
		w.resumeSome()
	}
	w.await(time.Duration(w.chance.IntN(int(3 * time.Second))))
	for _, name := range names[1:] {
		w.aws.rotate(name, false, false, 0)
	}
	w.mu.Lock()
	w.at = make(map[int]blow)
	at := w.steps
	for range 1 + w.chance.IntN(3) {
		at += 1 + w.chance.IntN([]int{8, 30}[w.chance.IntN(2)])
		w.at[at] = blows[w.chance.IntN(len(blows))]
	}
	w.trace.note(w.began, "finale %v", w.at)
	w.mu.Unlock()
	for range 3 {
		moves := w.chance.IntN(8) == 0
		if moves || w.life == nil && w.chance.IntN(6) == 0 {
			w.mu.Lock()
			if moves && w.chance.IntN(2) == 0 {
				w.move()
			} else {
				w.spoil()
			}
			w.trace.note(w.began, "moved: %+v", w.conf)
			w.mu.Unlock()
		}
		switch {
		case w.life == nil:
			w.start(faults{})
		case moves:
			w.life.loop.Reload()
		default:
			w.life.loop.Refresh()
		}
		w.await(time.Duration(w.chance.IntN(int(2 * time.Second))))
	}
	w.mu.Lock()
	w.at = nil
	w.mu.Unlock()
}

// await lets time pass, and sees whether a fault has killed the daemon meanwhile.
func (w *world) await(d time.Duration) {
	late := time.NewTimer(w.span("driver", min(d, 6*time.Minute), 0))
	defer late.Stop()
	if w.life == nil {
		<-late.C
		return
	}
	select {
	case <-late.C:
	case <-w.life.killed:
		w.after(time.Second) // alone again: its loop has come to rest
		w.bury()
		return
	case <-w.life.ended:
		w.mu.Lock()
		if !w.life.dead {
			w.fail("the daemon ended by itself")
		}
		w.mu.Unlock()
		w.bury()
	}
}

// rise starts the daemon anew, which an administrator may have kept from its work meanwhile.
func (w *world) rise() {
	damaged := w.chance.IntN(8) == 0
	if damaged {
		w.damage()
	}
	w.mu.Lock()
	w.conf.broken = w.conf.broken && w.chance.IntN(2) == 0
	if w.chance.IntN(8) == 0 {
		w.move()
		w.trace.note(w.began, "moved meanwhile: %+v", w.conf)
	}
	if w.chance.IntN(8) == 0 || damaged && w.chance.IntN(4) == 0 {
		w.spoil()
		w.trace.note(w.began, "spoilt meanwhile: %+v", w.conf)
	}
	if w.chance.IntN(3) == 0 {
		w.full, w.fixed = false, false
	}
	w.mu.Unlock()
	w.start(w.misfortune())
}

// A happening has a weight and happens while the daemon runs.
type happening struct {
	weight int
	happen func(*world)
}

// vicissitudes are those of the seeds whose services are to be seen to be well.
var vicissitudes = []happening{{14, (*world).moods}, {8, (*world).policy}}

// prohibitions are those of the seeds whose services have gates and windows, and alarms of those
// in which somebody hears of failures.
var (
	prohibitions = []happening{{20, (*world).forbid}, {6, (*world).clock}}
	alarms       = []happening{{8, (*world).mute}}
)

var events = []happening{
	{30, (*world).rotateSome},
	{8, func(w *world) { w.note("refresh"); w.life.loop.Refresh() }},
	{5, func(w *world) { w.note("a file changed"); w.life.loop.Changed([]string{"/values"}) }},
	{14, (*world).reload},
	{14, (*world).trouble},
	{14, (*world).refuse},
	{8, (*world).drift},
	{6, (*world).clock},
	{6, func(w *world) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.full, w.fixed = w.chance.IntN(3) == 0, w.chance.IntN(5) == 0
		w.trace.note(w.began, "disk full %v, read-only %v", w.full, w.fixed)
	}},
	{6, func(w *world) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.lying = w.liar() && !w.lying
		w.trace.note(w.began, "disk lying %v", w.lying)
	}},
	{6, (*world).pauseSome},
	{6, (*world).resumeSome},
	{8, func(w *world) { w.kill(false) }},
	{6, func(w *world) { w.kill(true) }},
	{4, (*world).stop},
}

func (w *world) event() {
	list := events
	if w.rolls() {
		list = slices.Concat(list, vicissitudes)
	}
	if w.guarded() {
		list = slices.Concat(list, prohibitions)
	}
	if w.alarms() {
		list = slices.Concat(list, alarms)
	}
	total := 0
	for _, e := range list {
		total += e.weight
	}
	n := w.chance.IntN(total)
	for _, e := range list {
		if n -= e.weight; n < 0 {
			e.happen(w)
			return
		}
	}
}

// rotateSome gives some secrets new versions; the loop may hear of it.
func (w *world) rotateSome() {
	for _, name := range names {
		if w.chance.IntN(2) == 0 {
			continue
		}
		var lag time.Duration
		if w.chance.IntN(4) == 0 {
			lag = time.Duration(w.chance.IntN(int(8 * time.Second)))
		}
		w.aws.rotate(name, w.chance.IntN(4) == 0, w.chance.IntN(12) == 0, lag)
		if w.chance.IntN(2) == 0 {
			w.announce(name)
		}
	}
}

// trouble changes how AWS answers.
func (w *world) trouble() {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.aws.secrets[names[w.chance.IntN(len(names))]]
	s.trouble, s.hangs = "", false
	switch w.chance.IntN(8) {
	case 0:
		w.aws.away = !w.aws.away
	case 1:
		s.hangs = true
	case 2:
		s.trouble = sources.Denied
	case 3:
		s.trouble = sources.Missing
	case 4:
		s.trouble = sources.Throttled
	case 5:
		s.trouble = sources.Unavailable
	default:
		w.aws.away = false
	}
	w.trace.note(w.began, "aws: away %v, %s: %s, hangs %v", w.aws.away, s.name, s.trouble, s.hangs)
}

// refuse changes how a dependent takes its notices.
func (w *world) refuse() {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.deps[programs[w.chance.IntN(len(programs))]]
	d.fails, d.hangs, d.slow, d.reads = 0, false, false, w.chance.IntN(2) == 0
	switch w.chance.IntN(5) {
	case 0, 1:
		d.fails = 1 + w.chance.IntN(6)
	case 2:
		d.hangs = true
	case 3:
		d.slow = true
	}
	w.trace.note(w.began, "%s: fails %d, hangs %v, slow %v", d.name, d.fails, d.hangs, d.slow)
}

// drift is somebody else's work on a file.
func (w *world) drift() {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.specs()
	f := w.files[all[w.chance.IntN(len(all))].path]
	if _, _, _, ok := w.disk.Look(f.path); !ok || w.drifts[f.path] == 3 {
		return
	}
	w.drifts[f.path]++
	what, before := w.chance.IntN(4), f.meta
	f.was = &before
	switch what {
	case 0:
		w.disk.Delete(f.path)
		f.drifted, f.content, f.meta = true, "deleted", meta{mode: f.fresh}
	case 1, 2:
		w.disk.Put(f.path, []byte(foreign+" somebody else"), f.mode, f.attributes)
		f.drifted, f.content = true, foreign+" somebody else"
		if w.isToBeRemoved(f.path) { // what is on record as to be removed is not this
			f.stray = true
			clear(f.must)
		}
	case 3:
		w.disk.Chmod(f.path, 0o604)
		if f.keep {
			f.mode = 0o604
		}
	}
	w.stamp(f)
	w.trace.note(w.began, "drift %d of %s", what, f.path)
}

// clock sets the wall clock, or lets the machine sleep.
func (w *world) clock() {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := time.Duration(w.chance.NormFloat64() * float64(20*time.Minute))
	w.setClock(d)
	w.trace.note(w.began, "the clock is set by %v", d)
}

// damage harms the ledger: its end is cut off, or a byte is another. Nobody knows any more what a
// crash cut short.
func (w *world) damage() {
	w.mu.Lock()
	defer w.mu.Unlock()
	record, _, _, _ := w.disk.Look(recordPath)
	if len(record) < 2 {
		return
	}
	at := w.chance.IntN(len(record) - 1)
	if w.chance.IntN(2) == 0 {
		record = record[:at]
	} else {
		record = slices.Clone(record)
		record[at] ^= 1
	}
	w.disk.Put(recordPath, record, 0o600, nil)
	w.harm("the ledger is damaged")
}

// harm notes that nobody knows any more what a crash cut short. The caller holds w.mu.
func (w *world) harm(why string) {
	for path := range w.files {
		w.lost[path] = true
	}
	w.harmed++
	w.ward.lost = slices.AppendSeq(w.ward.lost, maps.Values(w.ward.stands))
	w.strays()
	w.ward.drained = [len(services)]bool{} // it is done once more, perhaps
	clear(w.held)
	w.trace.note(w.began, "%s", why)
}
