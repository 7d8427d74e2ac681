package lastgood

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
)

// A Writer keeps the config in force in the state directory.
type Writer struct {
	system   disk.System
	stateDir string
	log      *slog.Logger
	next     chan *Config // one slot: the newest that is not written yet
}

// NewWriter makes a writer to a state directory, which logs what it cannot write.
func NewWriter(system disk.System, stateDir string, log *slog.Logger) *Writer {
	return &Writer{system, stateDir, log, make(chan *Config, 1)}
}

// Put has a config written, and does not wait for that. Only one goroutine may call it.
func (w *Writer) Put(c *Config) {
	select {
	case <-w.next: // never taken; the new one stands for both
	default:
	}
	w.next <- c
}

// retryPause is the time after which a write that failed is tried again.
const retryPause = time.Minute

// Run writes what is put until ctx ends, and what was put before.
func (w *Writer) Run(ctx context.Context) {
	var unwritten *Config
	again := time.NewTicker(retryPause)
	defer again.Stop()
	said := false
	for ended := false; !ended; {
		select {
		case unwritten = <-w.next:
		case <-again.C:
		case <-ctx.Done():
			ended = true
			select {
			case unwritten = <-w.next:
			default:
			}
		}
		if unwritten == nil {
			continue
		}
		err := w.write(unwritten)
		switch {
		case err == nil:
			unwritten, said = nil, false
		case !said:
			said = true
			w.log.Warn("the config in force cannot be remembered, for a start with one that cannot be used; will try again", "err", err)
		}
	}
}

func (w *Writer) write(c *Config) (err error) {
	if failed := fault.Caught(func() {
		var dir disk.Dir
		if dir, err = w.system.Open(w.stateDir); err == nil {
			err = errors.Join(write(dir, c), dir.Close())
		}
	}); failed != nil {
		return failed
	}
	return err
}

// A Recorder reads files, and keeps what it read.
type Recorder struct {
	config.Files
	read map[string][]byte // by path
}

// NewRecorder makes a recorder that reads from files.
func NewRecorder(files config.Files) *Recorder { return &Recorder{files, make(map[string][]byte)} }

// ReadFile reads a file, and keeps its content.
func (r *Recorder) ReadFile(path string, limit int64) ([]byte, error) {
	data, err := r.Files.ReadFile(path, limit)
	if err == nil {
		r.read[path] = data
	}
	return data, err
}

// Config gives what is to be kept of a config that was read through the recorder: all but the file
// that answers lookups, which holds secrets.
func (r *Recorder) Config(cfg *config.Config) *Config {
	c := &Config{Path: cfg.Path, Since: time.Now(), Files: make(map[string][]byte)}
	for path, data := range r.read {
		if !cfg.IsValues(path) {
			c.Files[path] = data
		}
	}
	return c
}
