package inputs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/rendered/rendered/internal/disk"
)

// A Watcher watches inputs. The goroutine of Run owns everything but the channels.
type Watcher struct {
	log  *slog.Logger
	sets chan []Input      // one slot: the newest set that Run has not taken yet
	fsn  *fsnotify.Watcher // nil: there is none

	events chan fsnotify.Event // of fsn, as faults are
	faults chan error

	inputs []Input
	stamps map[string]string // by path, as last seen
	armed  map[string]string // watched directories: path → the inode that is watched
	// names are the paths whose events matter: every component, in a watched directory, of the way
	// to an input.
	names map[string]bool
	// blind: some directory cannot be watched, so all inputs are looked at from time to time.
	blind bool
}

// poll is how often inputs are looked at where they cannot be watched.
const poll = 30 * time.Second

// New makes a watcher; Run makes it work and closes it. Where the kernel has no more watchers to
// give, the inputs are looked at every half a minute instead, and a warning says which limit to
// raise.
func New(log *slog.Logger) *Watcher {
	w := &Watcher{log: log, sets: make(chan []Input, 1), armed: make(map[string]string)}
	fsn, err := fsnotify.NewWatcher()
	if err != nil {
		w.goBlind("raise fs.inotify.max_user_instances", err)
		return w
	}
	w.fsn, w.events, w.faults = fsn, fsn.Events, fsn.Errors
	return w
}

// Set replaces what is watched. A change of an input after it was Seen is not missed, however long
// Run takes to watch it; one that nobody looked at is said to have changed as soon as it is
// watched. Set does not wait for Run, which may be waiting for the caller. Only one goroutine may
// call it.
func (w *Watcher) Set(list []Input) {
	select {
	case <-w.sets: // never taken; the new one stands for both
	default:
	}
	w.sets <- list
}

// Run calls changed with the paths of inputs that differ from when they were last looked at, until
// ctx ends.
func (w *Watcher) Run(ctx context.Context, changed func(paths []string)) {
	if w.fsn != nil {
		defer w.fsn.Close()
	}
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for ctx.Err() == nil {
		if !w.wait(ctx, tick.C) {
			continue
		}
		if paths := w.look(); len(paths) > 0 {
			changed(paths)
		}
	}
}

// wait waits for something to happen, and tells whether an input may have changed.
func (w *Watcher) wait(ctx context.Context, tick <-chan time.Time) bool {
	select {
	case <-ctx.Done():
		return false
	case list := <-w.sets:
		w.set(list)
	case e := <-w.events:
		return w.take(e) || w.drain()
	case err := <-w.faults: // as of an overflow: anything may have changed
		w.log.Debug("watching files", "err", err)
	case <-tick:
		return w.blind
	}
	return true
}

// drain takes the events that are there already, as one look serves them all, and reports whether
// any matters.
func (w *Watcher) drain() bool {
	matters := false
	for {
		select {
		case e := <-w.events:
			matters = w.take(e) || matters
		default:
			return matters
		}
	}
}

// take notes what an event says about the watches themselves and reports whether an input may have
// changed. A directory that is removed or renamed takes its watch along, and the next one there may
// even have the same inode.
func (w *Watcher) take(e fsnotify.Event) bool {
	matters := w.concerns(e)
	if e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename) {
		delete(w.armed, e.Name)
	}
	return matters
}

func (w *Watcher) set(list []Input) {
	w.inputs = list
	old := w.stamps
	w.stamps = make(map[string]string, len(list))
	for _, in := range list {
		if _, twice := w.stamps[in.Path]; twice {
			continue
		}
		// What was watched before keeps its stamp: not all who read it may have seen what one of
		// them saw.
		if stamp, ok := old[in.Path]; ok {
			w.stamps[in.Path] = stamp
		} else {
			w.stamps[in.Path] = in.Seen
		}
	}
}

// concerns tells whether an event can be about an input. Others share their directories: a log that
// is written all the time must not keep us busy.
func (w *Watcher) concerns(e fsnotify.Event) bool {
	if e.Op == fsnotify.Chmod {
		return false
	}
	if _, ok := w.armed[e.Name]; ok || w.names[e.Name] {
		return true
	}
	for _, in := range w.inputs {
		if in.Match != nil && in.Match(filepath.Base(e.Name)) {
			return true
		}
	}
	return false
}

// look arms what must be watched now, and gives the inputs that differ from the last look.
func (w *Watcher) look() []string {
	for range mostArmed { // what is made while a directory is being armed may need watching itself
		if !w.arm() {
			break
		}
	}
	var paths []string
	for _, in := range w.inputs {
		if stamp := in.stamp(); stamp != w.stamps[in.Path] {
			w.stamps[in.Path] = stamp
			paths = append(paths, in.Path)
		}
	}
	return paths
}

// mostArmed bounds how often directories are armed in one look; a path holds up to 40 links
// (path_resolution(7)).
const mostArmed = 40

// arm watches every directory on the way to every input, through every link, and reports whether it
// began to watch any. inotify watches inodes: a directory that was replaced is watched anew.
func (w *Watcher) arm() bool {
	if w.fsn == nil {
		return false
	}
	want := w.ways()
	for dir := range w.armed {
		if !want[dir] {
			_ = w.fsn.Remove(dir)
			delete(w.armed, dir)
		}
	}
	added := false
	for dir := range want {
		added = w.armDir(dir) || added
	}
	return added
}

// ways notes the names that matter, and gives the directories to watch.
func (w *Watcher) ways() map[string]bool {
	want := make(map[string]bool)
	w.names = make(map[string]bool)
	for _, in := range w.inputs {
		way := func(dir, name string) {
			want[dir] = true
			w.names[filepath.Join(dir, name)] = true
		}
		if err := in.way(way); err != nil {
			hint := "raise LimitNOFILE= or fs.file-max"
			if err == disk.ErrSilent {
				hint = "is what it is mounted from away?"
			}
			w.goBlind(hint, fmt.Errorf("%s: %w", in.Path, err))
		}
	}
	return want
}

// armDir watches a directory, and reports whether it has not been watched.
func (w *Watcher) armDir(dir string) bool {
	id := inode(dir)
	if w.armed[dir] == id {
		return false
	}
	_ = w.fsn.Remove(dir)
	err := w.fsn.Add(dir)
	if err == nil {
		w.armed[dir] = id
		return true
	}
	delete(w.armed, dir)
	if !errors.Is(err, os.ErrNotExist) {
		w.goBlind("raise fs.inotify.max_user_watches", err)
	}
	return false
}

func (w *Watcher) goBlind(hint string, err error) {
	if !w.blind {
		w.blind = true
		if !exhausted(err) && !errors.Is(err, disk.ErrSilent) {
			hint = "the daemon's user must be able to read the directory"
		}
		w.log.Warn("files cannot be watched, looking every 30 s instead", "err", err, "hint", hint)
	}
}

// exhausted tells whether the process, or the machine, has no more of something.
func exhausted(err error) bool {
	return slices.ContainsFunc([]error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOSPC}, func(e error) bool { return errors.Is(err, e) })
}

// inode names what stands at a path, not what is in it.
func inode(path string) string {
	st, err := disk.Lstat(path)
	if err != nil {
		return ""
	}
	sys := st.Sys().(*syscall.Stat_t)
	return fmt.Sprint(sys.Dev, sys.Ino)
}

// way calls watch with each directory, and the name in it, by which a change can change the input:
// that of each component that is a link, that of the last directory, and the last component itself;
// where something on the way is missing, its name in the last directory that is there. Where a file
// system on the way hangs the error is disk.ErrSilent; another is that there are no descriptors or
// no memory to look with.
func (in Input) way(watch func(dir, name string)) error {
	way, err := disk.Walk(in.Path)
	if err == disk.ErrSilent || exhausted(err) {
		return err
	}
	for i, s := range way.Steps {
		if s.Type == fs.ModeSymlink || i >= len(way.Steps)-2 {
			watch(s.Dir, s.Name)
		}
	}
	switch last := way.Last(); {
	case err != nil && last.Type == fs.ModeDir:
		watch(last.Path(), way.Rest[0]) // it cannot be looked at
	case err == nil && in.Match != nil && way.Found():
		watch(last.Path(), "")
	}
	return nil
}
