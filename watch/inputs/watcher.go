package inputs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/rendered/rendered/internal/disk"
)

// A Watcher watches inputs. The goroutine of Run owns everything but the channels.
type Watcher struct {
	log  *slog.Logger
	sets chan []Input // one slot: the newest set that Run has not taken yet
	fsn  *fsnotify.Watcher

	inputs []Input
	stamps map[string]string // by path, as last seen
	armed  map[string]string // watched directories: path → the inode that is watched
	names  map[string]bool   // paths whose events matter: every component, in a watched directory, of the way to an input
	blind  bool              // some directory cannot be watched, so all inputs are looked at from time to time
}

// poll is how often inputs are looked at where they cannot be watched.
const poll = 30 * time.Second

// New makes a watcher; Run makes it work and closes it. Where the kernel has no more watchers to give, the inputs are looked at
// every half a minute instead, and a warning says which limit to raise.
func New(log *slog.Logger) *Watcher {
	w := &Watcher{log: log, sets: make(chan []Input, 1), armed: make(map[string]string)}
	var err error
	if w.fsn, err = fsnotify.NewWatcher(); err != nil {
		w.goBlind("raise fs.inotify.max_user_instances", err)
	}
	return w
}

// Set replaces what is watched. A change of an input after it was Seen is not missed, however long Run takes to watch it; one that
// nobody looked at is said to have changed as soon as it is watched. Set does not wait for Run, which may be waiting for the caller.
// Only one goroutine may call it.
func (w *Watcher) Set(list []Input) {
	select {
	case <-w.sets: // never taken; the new one stands for both
	default:
	}
	w.sets <- list
}

// Run calls changed with the paths of inputs that differ from when they were last looked at, until ctx ends.
func (w *Watcher) Run(ctx context.Context, changed func(paths []string)) {
	var events chan fsnotify.Event
	var faults chan error
	if w.fsn != nil {
		defer w.fsn.Close()
		events, faults = w.fsn.Events, w.fsn.Errors
	}
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case list := <-w.sets:
			w.set(list)
		case e := <-events:
			if !w.take(e) && !w.drain(events) {
				continue
			}
		case err := <-faults:
			// After an overflow anything may have changed, and so it may after any other error.
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				w.log.Debug("watching files", "err", err)
			}
		case <-tick.C:
			if !w.blind {
				continue
			}
		}
		if paths := w.look(); len(paths) > 0 {
			changed(paths)
		}
	}
}

// drain takes the events that are there already, as one look serves them all, and reports whether any matters.
func (w *Watcher) drain(events <-chan fsnotify.Event) bool {
	matters := false
	for {
		select {
		case e := <-events:
			matters = w.take(e) || matters
		default:
			return matters
		}
	}
}

// take notes what an event says about the watches themselves and reports whether an input may have changed. A directory that is
// removed or renamed takes its watch along, and the next one there may even have the same inode.
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
		// What was watched before keeps its stamp: not all who read it may have seen what one of them saw.
		if stamp, ok := old[in.Path]; ok {
			w.stamps[in.Path] = stamp
		} else {
			w.stamps[in.Path] = in.Seen
		}
	}
}

// concerns tells whether an event can be about an input. Others share their directories: a log that is written all the time
// must not keep us busy.
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

// arm watches every directory on the way to every input, through every link, and reports whether it began to watch any. inotify
// watches inodes: a directory that was replaced is watched anew.
func (w *Watcher) arm() bool {
	if w.fsn == nil {
		return false
	}
	added := false
	want := make(map[string]bool)
	w.names = make(map[string]bool)
	for _, in := range w.inputs {
		way := func(dir, name string) {
			want[dir] = true
			w.names[filepath.Join(dir, name)] = true
		}
		if err := in.way(way); err != nil {
			w.goBlind("is what it is mounted from away?", fmt.Errorf("%s: %w", in.Path, err))
		}
	}
	for dir := range w.armed {
		if !want[dir] {
			_ = w.fsn.Remove(dir)
			delete(w.armed, dir)
		}
	}
	for dir := range want {
		id := inode(dir)
		if w.armed[dir] == id {
			continue
		}
		_ = w.fsn.Remove(dir)
		if err := w.fsn.Add(dir); err != nil {
			delete(w.armed, dir)
			if !errors.Is(err, os.ErrNotExist) {
				w.goBlind("raise fs.inotify.max_user_watches", err)
			}
			continue
		}
		w.armed[dir] = id
		added = true
	}
	return added
}

func (w *Watcher) goBlind(hint string, err error) {
	if !w.blind {
		w.blind = true
		if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EMFILE) && !errors.Is(err, disk.ErrSilent) {
			hint = "the daemon's user must be able to read the directory"
		}
		w.log.Warn("files cannot be watched, looking every 30 s instead", "err", err, "hint", hint)
	}
}

// inode names what stands at a path, not what is in it.
func inode(path string) string {
	st, err := disk.Lstat(path)
	if err != nil {
		return ""
	}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprint(sys.Dev, sys.Ino)
	}
	return st.Name()
}

// way calls watch with each directory, and the name in it, by which a change can change the input: that of each component that
// is a link, that of the last directory, and the last component itself; where something on the way is missing, its name in
// the last directory that is there. Where a file system on the way hangs the error is disk.ErrSilent.
func (in Input) way(watch func(dir, name string)) error {
	way, err := disk.Walk(in.Path)
	if err == disk.ErrSilent {
		return err
	}
	for i, s := range way.Steps {
		link := s.Type == fs.ModeSymlink
		if s.Name == "" || !link && i < len(way.Steps)-2 {
			continue
		}
		watch(s.Dir, s.Name)
	}
	last := way.Last()
	switch {
	case err != nil && len(way.Rest) > 0 && last.Type == fs.ModeDir:
		watch(last.Path(), way.Rest[0]) // it cannot be looked at
	case err == nil && in.Match != nil && way.Found():
		watch(last.Path(), "")
	}
	return nil
}
