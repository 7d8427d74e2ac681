// Package journal writes the log to systemd's journal, each record as an entry with fields
// (https://systemd.io/JOURNAL_NATIVE_PROTOCOL): a line that a person reads, its priority, and every
// attribute by itself, so that journalctl finds it.
package journal

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/rendered/rendered/cmd/rendered/internal/printable"
)

// Takes tells whether what is written to w goes to the journal anyway: systemd says in
// JOURNAL_STREAM which file that is.
func Takes(w io.Writer) bool {
	f := printable.File(w)
	if f == nil {
		return false
	}
	device, inode, ok := strings.Cut(os.Getenv("JOURNAL_STREAM"), ":")
	info, err := f.Stat()
	if !ok || err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && device == strconv.FormatUint(uint64(st.Dev), 10) && inode == strconv.FormatUint(st.Ino, 10)
}

// A handler hands on what a record says, with its attributes.
type handler struct {
	level  slog.Leveler
	to     func(Record) error
	fields []field
	prefix string // of the names of attributes, made of the groups that are open
}

// A journal takes entries, one at a time.
type journal struct {
	mu     sync.Mutex
	socket *socket
	// lines gets what the socket does not take, as lines that begin with their priority
	// (sd-daemon(3)).
	lines io.Writer
	lost  int // entries, since one was taken
}

// NewHandler gives a handler that writes to the journal, or, where that has no socket, lines to w,
// which it reads.
func NewHandler(w io.Writer, level slog.Leveler) slog.Handler {
	return newJournal(w, socketPath).handler(level)
}

func newJournal(lines io.Writer, path string) *journal {
	return &journal{socket: &socket{path: path, patience: patience}, lines: lines}
}

func (j *journal) handler(level slog.Leveler) slog.Handler {
	return &handler{level: level, to: j.write}
}

// ToRecords gives a handler that hands each record on, one at a time.
func ToRecords(level slog.Leveler, to func(Record)) slog.Handler {
	var mu sync.Mutex
	return &handler{level: level, to: func(r Record) error {
		mu.Lock()
		defer mu.Unlock()
		to(r)
		return nil
	}}
}

func (h *handler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level.Level() }

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.fields = h.fields[:len(h.fields):len(h.fields)]
	for _, a := range attrs {
		c.fields = add(c.fields, h.prefix, a)
	}
	return &c
}

func (h *handler) WithGroup(name string) slog.Handler {
	c := *h
	if name != "" {
		c.prefix += name + "_"
	}
	return &c
}

func (h *handler) Handle(_ context.Context, r slog.Record) error {
	fields := h.fields[:len(h.fields):len(h.fields)]
	r.Attrs(func(a slog.Attr) bool { fields = add(fields, h.prefix, a); return true })
	return h.to(Record{r.Time, r.Level, r.Message, fields})
}

// write hands an entry to the journal. One that does not read loses entries, rather than that the
// daemon waits for it.
func (j *journal) write(r Record) error {
	e := entry{priority(r.Level), r.Text(), r.fields}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.lost > 0 {
		e.message += fmt.Sprintf("\n  %d entries before this one are lost: the journal did not take them", j.lost)
	}
	err := j.socket.send(e.encode())
	switch {
	case err == nil:
		j.lost = 0
		return nil
	case isTimeout(err):
		j.lost++
		return err
	}
	_, err = j.lines.Write(prefixed(e.priority, e.message))
	return err
}

// prefixed gives a text's lines, each with its priority.
func prefixed(priority int, text string) []byte {
	var lines bytes.Buffer
	for line := range strings.Lines(text) {
		fmt.Fprintf(&lines, "<%d>%s\n", priority, strings.TrimSuffix(line, "\n"))
	}
	return lines.Bytes()
}

// Errors gives a writer for what a command says before it ends. Where it goes to the journal it is
// no mere remark there. What is written at once ends with a line.
func Errors(w io.Writer) io.Writer {
	if !Takes(w) {
		return w
	}
	return errorLines{w}
}

type errorLines struct{ w io.Writer }

func (e errorLines) Write(text []byte) (int, error) {
	if _, err := e.w.Write(prefixed(priority(slog.LevelError), string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}

// priority gives the syslog priority of a level.
func priority(level slog.Level) int {
	switch {
	case level >= slog.LevelError:
		return 3
	case level >= slog.LevelWarn:
		return 4
	case level >= slog.LevelInfo:
		return 6
	}
	return 7
}
