package sim

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/disk/memory"
)

// A world is everything that one seed makes.
type world struct {
	units  []unit     // that there are
	chance *rand.Rand // the driver's alone
	seed   uint64
	began  time.Time
	disk   *memory.Disk
	aws    *aws
	deps   map[string]*dependent // by program

	conf   conf           // as it stands on disk
	last   conf           // that was usable
	offset atomic.Int64   // of the wall clock, in nanoseconds
	life   *life          // nil while no daemon runs
	drifts map[string]int // by path

	mu sync.Mutex // of everything below, and never held while time passes
	// lost are paths of which a record spoke that was damaged, and not put right yet: what a crash
	// cut short takes AWS to finish.
	lost   map[string]bool
	pauses map[string]uint64
	wakes  map[time.Duration]bool // when somebody's pause ends
	lines  int                    // of the log, at level info and above
	trace  trace
	broken []string
	counts counts
	files  map[string]*output // by path
	moves  int                // of units, from one service in force to another
	// holders are the services that had the units in force last, and moved as the how-manieth move
	// each of them got there; 0: it always had it.
	holders, moved [len(asWritten.home)]int
	harmed         int  // records that were damaged
	ceased         bool // the trouble has
	// joined are groups of units that were never apart, or were seen to match since the last of
	// them moved.
	joined  map[string]bool
	order   int             // of what changes and is told
	full    bool            // the disk has no room
	at      map[int]blow    // what happens in the place of a step of any life
	steps   int             // that changed the disk, in all lives
	fixed   bool            // it is read-only
	lying   bool            // its fsyncs leave everything in its cache
	next    memory.Lie      // what the next one is
	records []string        // all that was read or written as the ledger
	written map[string]bool // of these, what was written
	held    map[string]hold // by service
	// orphans are temporaries of a key that the disk lost: nobody can tell whose they are.
	orphans map[string]bool
	ward    ward
	guards  guard
	sirens  siren
}

// An output is what the model knows of a file that the daemon writes.
type output struct {
	spec
	content string          // as last seen
	changed int             // when the daemon changed its content, by world.order
	known   int             // when a dependent was last told by the service that had it
	debt                    // for that change
	drifted bool            // somebody else has changed it since, or a power cut took it
	robbed  bool            // of what was staged for it, by a disk that had said to have it: that takes AWS
	torn    bool            // a write in place was broken off
	halved  bool            // it did not match others of its service after the last power cut
	stray   bool            // nobody may know that it was made for a key
	spoilt  map[string]bool // contents that a disk that lied has left
	meta
	own fs.FileMode // that it is to have, while an old file with another is in its place; 0: its mode
	was *meta       // what somebody else changed meanwhile: a pass that had begun may still keep that
	had []stamp
}

// A stamp is whose a file is, and who may read it.
type stamp struct {
	meta
	uid, gid int
}

// A meta is what of a file is kept when it is replaced.
type meta struct {
	mode       fs.FileMode
	attributes disk.Attributes
}

// counts say that the seeds did something.
type counts struct{ lives, kills, cuts, lies, faults, rotations, passes, checks, swaps, told int }

func (c *counts) add(o counts) {
	c.lives += o.lives
	c.kills += o.kills
	c.cuts += o.cuts
	c.lies += o.lies
	c.faults += o.faults
	c.rotations += o.rotations
	c.passes += o.passes
	c.checks += o.checks
	c.swaps += o.swaps
	c.told += o.told
}

func (c counts) String() string {
	return fmt.Sprintf("%d lives of the daemon, %d kills, %d power cuts, %d of them on a disk that lied, %d faults of it, %d rotations, %d lookups, %d checks, %d files changed, %d notices",
		c.lives, c.kills, c.cuts, c.lies, c.faults, c.rotations, c.passes, c.checks, c.swaps, c.told)
}

const canary = "c4n4ry"

func newWorld(seed uint64, tell bool, units ...unit) *world {
	w := &world{
		units: units, joined: make(map[string]bool), seed: seed, chance: rand.New(rand.NewPCG(seed, 1)), began: time.Now(), disk: memory.New(),
		deps: make(map[string]*dependent), drifts: make(map[string]int), lost: make(map[string]bool),
		pauses: make(map[string]uint64), wakes: make(map[time.Duration]bool), files: make(map[string]*output),
		written: make(map[string]bool), held: make(map[string]hold), orphans: make(map[string]bool),
	}
	w.trace.tell = tell
	w.aws = newAWS(w)
	w.conf = conf{
		layout: asWritten, text: 1, checks: seed%4 == 0, proves: w.rolls(), around: w.rolls() && seed%2 == 0, alarm: w.alarms(),
		gate: w.guarded() && seed%2 == 0, window: w.guarded() && seed%4 < 3, hold: w.guarded() && seed%4 == 2, restarts: w.guarded() && seed%8 < 6,
	}
	w.sirens.heard, w.sirens.again, w.sirens.noted = make(map[string]int), make(map[string]int), make(map[string]bool)
	w.ward.begun, w.ward.stands = make(map[string]int), make(map[string]rollout)
	w.holders = asWritten.home
	for i := range services {
		w.joined[w.group(self{conf: w.conf, service: i})] = true
	}
	for _, dir := range []string{"/out/tls", "/run", "/var"} {
		w.disk.Mkdir(dir, 0o755)
	}
	w.disk.Volatile("/run")
	for _, s := range w.specs() {
		f := &output{spec: s, meta: meta{mode: s.fresh}, spoilt: make(map[string]bool)}
		w.files[s.path] = f
		if s.there {
			f.meta = meta{0o644, disk.Attributes{"user.note": []byte("kept")}}
			f.content, f.drifted = foreign+thePackage, true
			w.disk.Put(s.path, []byte(f.content), f.mode, f.attributes)
			w.stamp(f)
		}
		for i, name := range programs {
			if asWritten.tells[i].has(asWritten.home[s.unit]) && w.deps[name] == nil {
				w.deps[name] = &dependent{world: w, name: name, saw: make(map[string]string), told: make(map[string]int), extra: make(map[string]int)}
			}
		}
	}
	w.disk.Changed = w.changed
	w.disk.Lies = w.lie
	return w
}

// specs gives the files that there are.
func (w *world) specs() []spec {
	return slices.DeleteFunc(slices.Clone(specs), func(s spec) bool { return !slices.Contains(w.units, s.unit) })
}

// grain is the time within which each actor has a nanosecond of his own.
const grain = 1 << 16

// pause lets some time pass.
func (w *world) pause(actor string, least, most time.Duration) {
	<-time.After(w.span(actor, least, most)) // the clock of the bubble
}

// span gives how long an actor waits. It ends at a nanosecond that nobody else wakes at: what
// follows happens alone. Where several services are one actor, as in a directory of both, or two
// actors have the same nanosecond, they come at nanoseconds of their own.
func (w *world) span(actor string, least, most time.Duration) time.Duration {
	id := uint64(nobody) + hash(0, actor, 0)%(grain-nobody)
	if known, ok := actors[actor]; ok {
		id = known
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.pauses[actor]
	w.pauses[actor]++
	now := time.Since(w.began)
	at := now + least
	if most > least {
		at += time.Duration(hash(w.seed, actor, n) % uint64(most-least))
	}
	at += grain - at%grain + time.Duration(id)
	for w.wakes[at] {
		at += grain
	}
	if len(w.wakes) > 1000 {
		maps.DeleteFunc(w.wakes, func(at time.Duration, _ bool) bool { return at < now })
	}
	w.wakes[at] = true
	return at - now
}

// hash gives chance that depends on who asks, and not on when.
func hash(seed uint64, text string, n uint64) uint64 {
	h := fnv.New64a()
	var b [16]byte
	for i := range 8 {
		b[i], b[8+i] = byte(seed>>(8*i)), byte(n>>(8*i))
	}
	h.Write(b[:])
	h.Write([]byte(text))
	x := h.Sum64()
	x ^= x >> 31
	x *= 0x9e3779b97f4a7c15
	return x ^ x>>29
}

// wall is the wall clock of the machine.
func (w *world) wall() time.Time { return time.Now().Round(0).Add(time.Duration(w.offset.Load())) }

// fail notes that a promise is broken. The caller holds w.mu.
func (w *world) fail(format string, args ...any) {
	text := fmt.Sprintf("%v: ", time.Since(w.began)) + fmt.Sprintf(format, args...)
	w.trace.note(w.began, "BROKEN %s", text)
	if len(w.broken) < 20 {
		w.broken = append(w.broken, text)
	}
}

// note writes to the trace.
func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trace.note(w.began, format, args...)
}

// A trace is what happened, in order.
type trace struct {
	tell bool
	sum  uint64
	text bytes.Buffer
	line bytes.Buffer
}

func (t *trace) note(began time.Time, format string, args ...any) {
	t.line.Reset()
	fmt.Fprintf(&t.line, "%12d ", time.Since(began).Microseconds())
	fmt.Fprintf(&t.line, format, args...)
	h := fnv.New64a()
	h.Write(t.line.Bytes())
	t.sum = t.sum*31 + h.Sum64()
	if t.tell {
		t.text.Write(t.line.Bytes())
		t.text.WriteByte('\n')
	}
}

// logMark begins the lines of a trace that are the daemon's log.
const logMark = "             log "

// A logbook is the log of one life: counted, searched for values, and forgotten.
type logbook struct {
	world *world
	life  *life
}

func (l *logbook) Write(p []byte) (int, error) {
	w := l.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if l.life.dead {
		return len(p), nil
	}
	if bytes.Contains(p, []byte(canary)) {
		w.fail("the log holds a value: %s", p)
	}
	if !bytes.HasPrefix(p, []byte("level=DEBUG")) {
		w.lines++
	}
	if w.trace.tell {
		w.trace.text.WriteString(logMark + strings.ReplaceAll(string(p), "\\n", "; "))
	}
	return len(p), nil
}
