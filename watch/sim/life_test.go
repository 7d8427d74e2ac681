package sim

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk/faulty"
	"github.com/rendered/rendered/internal/disk/memory"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/pass"
)

// A life is one process of the daemon.
type life struct {
	world   *world
	process *memory.Process
	roll    roll                       // in force
	had     map[string]bool            // paths of files that any of its plans has
	late    map[string]bool            // those that have come to another service: the former one may be at work
	first   int                        // of world.records, that it began with
	acked   map[*output]map[string]int // by dependent, how many records there were then; less: others read it since
	loop    *watch.Loop
	state   *pass.StateDir
	cancel  context.CancelFunc
	ended   chan struct{}
	killed  chan struct{} // closed by a fault that kills it

	// The world's lock guards these.
	dead  bool
	cut   bool // and the power fails
	steps int  // that changed the disk
	faults
}

// faults are what goes wrong with the disk in one life.
type faults struct {
	at   map[int]blow // by the number of the step that changes the disk
	rate uint64       // of a thousand steps so many fail
	slow bool         // some steps take very long
	lies uint64       // of a thousand fsyncs so many are lies
}

// A blow is what happens in the place of a step: an error, or the end; or the step is done, and the
// next fsync is a lie.
type blow struct {
	err             error
	kill, cut, torn bool
	luck            int // tells cuts apart that leave different things
	lie             memory.Lie
	lying           bool // all are, from then on
}

var errs = []error{unix.EIO, unix.ENOSPC, unix.EACCES, unix.EROFS}

// misfortune draws what goes wrong in a life. A pass that changes a service of two files takes
// about 25 steps.
func (w *world) misfortune() (f faults) {
	f.at = make(map[int]blow)
	step := func() int { return 1 + w.chance.IntN(90) }
	draw := func() blow {
		switch w.chance.IntN(4) {
		case 0:
			return blow{kill: true, torn: w.chance.IntN(2) == 0}
		case 1:
			return blow{kill: true, cut: true, torn: w.chance.IntN(2) == 0}
		}
		return blow{err: errs[w.chance.IntN(len(errs))]}
	}
	switch w.chance.IntN(6) {
	case 0, 1:
		f.at[step()] = draw()
	case 2:
		// One thing goes wrong, and soon after it another.
		n := step()
		f.at[n] = blow{err: errs[w.chance.IntN(len(errs))]}
		f.at[n+1+w.chance.IntN(25)] = draw()
	case 3:
		f.rate = uint64(1 + w.chance.IntN(60))
		f.at[step()] = draw()
	}
	f.slow = w.chance.IntN(8) == 0
	if w.liar() && w.chance.IntN(2) == 0 {
		f.lies = uint64(1 + w.chance.IntN(300))
	}
	return f
}

// start begins a life. It may be over at once.
func (w *world) start(f faults) {
	w.mu.Lock()
	l := &life{world: w, process: w.disk.Start(), had: make(map[string]bool), late: make(map[string]bool), acked: make(map[*output]map[string]int), ended: make(chan struct{}), killed: make(chan struct{}), faults: f}
	w.life = l
	l.first = len(w.records)
	w.records = append(w.records, w.found(recordPath))
	w.counts.lives++
	w.ward.loose = [len(services)]bool{}
	w.judgeRollouts(w.found(recordPath)) // which a power cut has made another
	w.troubles(w.found(recordPath))
	w.guards.asked, w.guards.sure, w.guards.seen = [2]set{}, [2]set{}, make(map[string]bool)
	for _, line := range swapsOf(w.found(recordPath)) {
		w.guards.seen[line.swap()] = true
	}
	w.trace.note(w.began, "start")
	w.mu.Unlock()
	var ctx context.Context
	ctx, l.cancel = context.WithCancel(context.Background())
	var instead *watch.Unusable
	plan, err := w.load(l)
	if err != nil { // the config last in force is used
		instead = &watch.Unusable{Err: err, Since: w.began}
		plan = w.plan(l, w.last)
	}
	l.state, err = pass.OpenStateDir(ctx, faulty.System(l.process, l.before), "/var/lib/rendered")
	if err == nil {
		l.state.Jobs.Gather = 0 // else several would go on in the same moment
	}
	if err == nil && w.seed%2 == 0 {
		l.state.Jobs.Most = 1 + int(w.seed/2)%3
	}
	if err != nil {
		w.note("the daemon does not start: %v", err)
		close(l.ended)
		w.bury()
		return
	}
	l.loop = watch.NewLoop(plan, watch.Options{
		Load: func() (*watch.Plan, error) { return w.load(l) },
		// Who waits for the same write of the ledger goes on in a nanosecond of its own.
		Pass: pass.Options{State: l.state, Check: l.check, Run: l.run, Woken: func(service string) {
			w.pause("woken "+service, 0, time.Millisecond)
		}},
		Unusable: instead,
		Log:      slog.New(slog.NewTextHandler(&logbook{w, l}, &slog.HandlerOptions{Level: w.level(), ReplaceAttr: timeless})),
		Chance:   rand.New(rand.NewPCG(w.seed, w.chance.Uint64())),
		Wall:     w.wall,
	})
	go func() {
		defer close(l.ended)
		l.loop.Run(ctx)
	}()
	w.after(0) // whether it comes to do anything before it is killed must not be a race
}

// acknowledge notes how many records there were when a dependent was told of a file.
func (l *life) acknowledge(f *output, dependent string, records int) {
	if l.acked[f] == nil {
		l.acked[f] = make(map[string]int)
	}
	l.acked[f][dependent] = records
}

// level gives what the daemon logs: all of it costs time, and takes part in every eighth seed.
func (w *world) level() slog.Level {
	if w.seed%8 == 0 || w.trace.tell {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

func timeless(groups []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey && len(groups) == 0 {
		return slog.Attr{}
	}
	return a
}

// before is asked before each step that the daemon takes on its disk.
func (l *life) before(s faulty.Step) error {
	w := l.world
	path := plain(s.Path)
	if s.Mutates() {
		least, most := 20*time.Microsecond, 3*time.Millisecond
		if l.hesitates(path) {
			least, most = time.Second, 40*time.Second
		}
		actor := path
		if s.Op == "remove" {
			actor = "remove " + path // a service may sweep where another is at work by now
		}
		w.pause(actor, least, most)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if l.dead {
		return memory.ErrDead
	}
	b := l.blow(s, path)
	if s.Mutates() {
		w.trace.note(w.began, "%s %s %v", s.Op, path, b.text())
	}
	switch {
	case b.kill:
		w.counts.kills++
		l.die(b.torn && (s.Op == "write" || s.Op == "overwrite"))
		l.cut = b.cut
		close(l.killed)
		l.tears(s)
		return memory.ErrDead
	case b.err != nil:
		w.counts.faults++
		l.tears(s)
	case b.lie != memory.Honest || b.lying:
		w.next, w.lying = b.lie, b.lying
	}
	return b.err
}

// tears notes that a write in place is broken off, where the config asked for one.
func (l *life) tears(s faulty.Step) {
	if f := l.world.files[s.Path]; s.Op == "overwrite" && f != nil {
		f.torn = f.inPlace
	}
}

// hesitates tells whether the next step at a path takes very long.
func (l *life) hesitates(path string) bool {
	w := l.world
	w.mu.Lock()
	defer w.mu.Unlock()
	return l.slow && hash(w.seed, path, w.pauses[path])%150 == 0
}

// plain gives the path of a temporary without what is different each time.
func plain(path string) string {
	dir, name := filepath.Split(path)
	if rest, ok := strings.CutPrefix(name, ".rendered-"); ok {
		return dir + ".tmp" + rest[:2]
	}
	return path
}

func (b blow) text() string {
	switch {
	case b.cut:
		return "POWER CUT"
	case b.kill:
		return "KILL"
	case b.err != nil:
		return "FAILS: " + b.err.Error()
	case b.lie != memory.Honest || b.lying:
		return "LIES"
	}
	return ""
}

// blow says what happens to a step.
func (l *life) blow(s faulty.Step, path string) blow {
	w := l.world
	if s.Mutates() {
		l.steps++
		w.steps++
		if b, hit := w.at[w.steps]; hit {
			return b
		}
		switch b, hit := l.at[l.steps]; {
		case hit:
			return b
		case w.fixed:
			return blow{err: unix.EROFS}
		case w.full && (s.Op == "create" || s.Op == "write" || s.Op == "overwrite" || s.Op == "mkdir"):
			return blow{err: unix.ENOSPC}
		}
	}
	// Services read each other's records at the same time.
	if l.rate > 0 && s.Op != "close" && (s.Mutates() || w.files[s.Path] != nil) {
		n := w.pauses["fault "+path]
		w.pauses["fault "+path]++
		if x := hash(w.seed, "fault "+path, n); x%1000 < l.rate {
			return blow{err: errs[x/1000%uint64(len(errs))]}
		}
	}
	return blow{}
}

// die is what SIGKILL does. The caller holds the world's lock.
func (l *life) die(torn bool) {
	l.dead = true
	l.world.crashed()
	for i, loose := range l.world.ward.loose {
		l.world.ward.drained[i] = l.world.ward.drained[i] && !loose
	}
	l.process.Kill(torn)
}

// kill ends the life at once.
func (w *world) kill(cut bool) {
	w.mu.Lock()
	w.trace.note(w.began, "kill, power cut %v", cut)
	w.counts.kills++
	w.life.die(false)
	w.life.cut = cut
	w.mu.Unlock()
	w.bury()
}

// stop ends the life as SIGTERM does.
func (w *world) stop() {
	w.note("stop")
	w.life.cancel()
	<-w.life.ended
	w.bury()
}

// bury sees to what a life leaves behind.
func (w *world) bury() {
	w.mu.Lock()
	l := w.life
	w.life = nil
	w.mu.Unlock()
	l.cancel()
	<-l.ended
	if l.state != nil {
		_ = l.state.Close() // it may be dead
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !l.dead {
		l.die(false) // what still runs when the daemon's main function returns
	}
	if l.cut {
		w.powerCut(l.roll)
	}
}
