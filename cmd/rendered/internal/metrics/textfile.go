package metrics

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/common/expfmt"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/sandbox"
)

// A Textfile is what the textfile collector of node_exporter reads the metrics from. It stays when
// the daemon ends: that nothing is looked at any more is seen by its times, which stand still.
type Textfile struct {
	metrics *Metrics
	system  disk.System
	log     *slog.Logger
	next    chan string // one slot: the newest path that Run has not taken yet
	failed  string      // why it was not written, as it was said; "": it was
}

// NewTextfile makes the textfile of metrics; Run writes it.
func NewTextfile(m *Metrics, system disk.System, log *slog.Logger) *Textfile {
	return &Textfile{metrics: m, system: system, log: log, next: make(chan string, 1)}
}

// Set names the path to write to; "" is none. The one before is removed where it is another. It
// does not wait for Run. Only one goroutine may call it.
func (t *Textfile) Set(path string) {
	select {
	case <-t.next: // never taken; the new one stands for both
	default:
	}
	t.next <- path
}

// Between two writes are at least and at most so much.
const (
	leastApart = 5 * time.Second
	mostApart  = 30 * time.Second
)

// Run writes the metrics until ctx ends: when something has happened, and from time to time.
func (t *Textfile) Run(ctx context.Context) {
	path, due := "", time.NewTimer(mostApart)
	defer due.Stop()
	var written time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case next := <-t.next:
			if path != "" && path != next {
				t.remove(path)
				t.failed = ""
			}
			path, written = next, time.Time{}
		case <-t.metrics.changed:
			if wait := leastApart - time.Since(written); wait > 0 {
				due.Reset(wait)
				continue
			}
		case <-due.C:
		}
		if path != "" {
			t.say(path, t.write(path))
		}
		written = time.Now()
		due.Reset(mostApart)
	}
}

// write puts the metrics into the place of the file.
func (t *Textfile) write(path string) (err error) {
	if mistake := fault.Caught(func() {
		var text []byte
		if text, err = t.metrics.text(); err == nil {
			err = t.replace(path, text)
		}
	}); mistake != nil {
		return mistake
	}
	return err
}

// text gives the metrics as a scrape would.
func (m *Metrics) text() ([]byte, error) {
	families, err := m.registry.Gather()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	encoder := expfmt.NewEncoder(&b, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, f := range families {
		if err := encoder.Encode(f); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

const readable = 0o644 // node_exporter is another user

// replace replaces the file, whole. Nothing of it need outlive a crash of the machine.
func (t *Textfile) replace(path string, text []byte) error {
	name := filepath.Base(path)
	temp := "." + name + ".new"
	dir, err := t.system.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := dir.Remove(temp); err != nil { // one that was cut short
		return err
	}
	f, err := dir.Create(temp)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Own(os.Geteuid(), os.Getegid(), readable, disk.Attributes{})
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = dir.Rename(temp, name)
	}
	if err != nil {
		return errors.Join(err, dir.Remove(temp))
	}
	return nil
}

func (t *Textfile) remove(path string) {
	dir, err := t.system.Open(filepath.Dir(path))
	if err == nil {
		err = errors.Join(dir.Remove(filepath.Base(path)), dir.Close())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.log.Warn("the textfile of the metrics that was written before stays", "path", path, "err", err)
	}
}

// say says once why the file is not written, and that it is again.
func (t *Textfile) say(path string, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	switch {
	case text == t.failed:
		return
	case err == nil:
		t.log.Info("the textfile of the metrics is written again", "path", path)
	default:
		hint := slog.Attr{}
		if hints := sandbox.Remedy(path, err); len(hints) > 0 {
			hint = slog.String("hint", strings.Join(hints, "\n"))
		}
		t.log.Warn("the textfile of the metrics cannot be written, will try again", "path", path, "err", err, hint)
	}
	t.failed = text
}
