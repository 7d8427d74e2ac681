package inventory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/lazyregexp"
	"github.com/rendered/rendered/watch"
)

const (
	name = "rendered.json"
	// pause is the time between two looks at how the loop stands, at least. Agents collect every 30
	// minutes at most.
	pause = 5 * time.Second
)

// instance is an id of an instance, or of a machine that is none (PutInventory in the API reference
// of Systems Manager).
var instance = lazyregexp.New(`^(i-[0-9a-f]{8}|i-[0-9a-f]{17}|mi-[0-9a-f]{17})$`)

// A Writer keeps the agent's files true to how the loop stands. A machine that was made from
// another's image, or was registered anew, has directories of former ids beside its own. The agent
// reads its own, and each gets the file.
type Writer struct {
	system disk.System
	log    *slog.Logger
	wanted atomic.Value // path of the agent's folder; "": there is to be no report
	woken  chan struct{}
	said   string // what was warned of last; "": all was well
}

// NewWriter makes a writer, which logs what it cannot write. It writes nothing until it is set to.
func NewWriter(system disk.System, log *slog.Logger) *Writer {
	return &Writer{system: system, log: log, woken: make(chan struct{}, 1)}
}

// Set says in which folder the agent keeps a directory for each id that the machine has had; "":
// there is to be no report, and where there was one the files go.
func (w *Writer) Set(folder string) {
	if w.wanted.Swap(folder) != folder {
		w.Wake()
	}
}

// Wake says that the loop may stand otherwise. It does not wait.
func (w *Writer) Wake() {
	select {
	case w.woken <- struct{}{}:
	default:
	}
}

// Run writes until ctx ends. Ask gives how the loop stands; its error is that the loop stops, or
// that of ctx.
func (w *Writer) Run(ctx context.Context, ask func(context.Context) (watch.Status, error)) {
	written := "" // the folder
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.woken:
		}
		switch folder, _ := w.wanted.Load().(string); {
		case folder != "":
			st, err := ask(ctx)
			if err != nil {
				return
			}
			data, left := Of(st)
			w.say(w.each(folder, func(dir disk.Dir) error { return replace(dir, data) }), left)
			written = folder
		case written != "":
			w.say(w.each(written, func(dir disk.Dir) error { return dir.Remove(name) }), 0)
			written = ""
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// replace puts content in the place of the file, where it is not there already.
func replace(dir disk.Dir, content []byte) error {
	if was, err := dir.Read(name, 2*mostBytes); err == nil && bytes.Equal(was, content) {
		return nil
	}
	return disk.Replace(dir, name, content)
}

// each does something in the directory of every id that is for custom inventory, and makes it where
// it is missing.
func (w *Writer) each(folder string, do func(disk.Dir) error) error {
	dir, err := w.system.Open(folder)
	if err != nil {
		return err
	}
	names, err := dir.Names()
	err = errors.Join(err, dir.Close())
	found := false
	for _, id := range names {
		if instance.MatchString(id) {
			found = true
			err = errors.Join(err, w.custom(filepath.Join(folder, id), []string{"inventory", "custom"}, do))
		}
	}
	if err == nil && !found {
		return fmt.Errorf("%s has no directory of an instance", folder)
	}
	return err
}

// custom does something in a directory below another.
func (w *Writer) custom(path string, below []string, do func(disk.Dir) error) error {
	dir, err := w.system.Open(path)
	if err != nil {
		return err
	}
	if len(below) == 0 {
		return errors.Join(do(dir), dir.Close())
	}
	if err := errors.Join(dir.Mkdir(below[0], 0o700), dir.Close()); err != nil {
		return err
	}
	return w.custom(filepath.Join(path, below[0]), below[1:], do)
}

// say logs what is wrong, once.
func (w *Writer) say(err error, left int) {
	what, hint := "", ""
	switch {
	case err != nil:
		what, hint = "Systems Manager gets no inventory: "+err.Error(), "is the SSM Agent there and registered? Its folder is root's. Without it: inventory: false"
	case left > 0:
		what, hint = fmt.Sprintf("%d lookups are left out of the inventory for Systems Manager", left), "AWS takes 1 MB of a machine at once, and rendered writes half of it at most"
	}
	if what != "" && what != w.said {
		w.log.Warn(what, "hint", hint)
	}
	w.said = what
}
