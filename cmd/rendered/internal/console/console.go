// Package console writes what commands say for people, and their log: on a terminal, to the
// journal, or to a file.
package console

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/journal"
	"github.com/rendered/rendered/cmd/rendered/internal/printable"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/watch/pass"
)

// ForJournal gives a writer to w for the errors of a command that systemd runs: where w is the
// journal they have the priority of errors there. Each write must end with a line.
func ForJournal(w io.Writer) io.Writer { return journal.Errors(w) }

// Faults prints the faults of a fault.List, or any other error with what to do about it.
func Faults(w io.Writer, err error) {
	list, ok := err.(fault.List)
	if !ok {
		list = fault.List{{What: err.Error(), Hints: pass.Remedy(err)}}
	}
	for _, f := range list {
		Say(w, errorMark+f.Text())
	}
}

// Warnings prints faults as warnings.
func Warnings(w io.Writer, list fault.List) {
	for _, f := range list {
		Say(w, warningMark+f.Text())
	}
}

// Hints prints what to do about what was printed last, a line each.
func Hints(w io.Writer, list []string) {
	for _, hint := range list {
		Say(w, "  "+hint)
	}
}

// JSON writes a document for people and programs. A list that is nil is written as [].
func JSON(w io.Writer, document any) {
	filled := reflect.New(reflect.TypeOf(document))
	filled.Elem().Set(reflect.ValueOf(document))
	fillLists(filled.Elem())
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(filled.Interface()) // a write that fails has nobody to tell
}

var marshaler = reflect.TypeFor[json.Marshaler]()

// fillLists makes lists empty that are nil, in a value and in all that it holds.
func fillLists(v reflect.Value) {
	if v.Type().Implements(marshaler) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			fillLists(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fillLists(v.Field(i))
			}
		}
	case reflect.Slice:
		if v.IsNil() && v.Type().Elem().Kind() != reflect.Uint8 {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		}
		for i := range v.Len() {
			fillLists(v.Index(i))
		}
	}
}

// Count gives "1 file", "2 files".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Version gives the first part of a version that is a UUID, as those of secrets are, and others
// whole.
func Version(version string) string {
	if first, _, cut := strings.Cut(version, "-"); cut && len(version) == 36 {
		return first
	}
	return version
}

// NewLog makes the daemon's log. auto is entries with fields where w is the journal, and what once
// prints, with the time of day, where it is a terminal; else text.
func NewLog(w io.Writer, format string, level slog.Leveler) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	switch {
	case format == "json":
		return slog.New(slog.NewJSONHandler(w, o))
	case format == "auto" && journal.Takes(w):
		return slog.New(journal.NewHandler(w, level))
	case format == "auto" && IsTerminal(w):
		return slog.New(journal.ToRecords(level, func(r journal.Record) { sayRecord(w, r) }))
	}
	o.ReplaceAttr = withoutID
	if IsTerminal(w) {
		o.ReplaceAttr = timeOfDay
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// withoutID leaves out what is for programs.
func withoutID(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == journal.MessageID {
		return slog.Attr{}
	}
	return a
}

func timeOfDay(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.String(a.Key, a.Value.Time().Format(time.TimeOnly))
	}
	return withoutID(groups, a)
}

// sayRecord prints a record of the log as once prints what it is about.
func sayRecord(w io.Writer, r journal.Record) {
	text, level := recordText(r), ""
	switch {
	case r.Level >= slog.LevelError:
		level = errorMark
	case r.Level >= slog.LevelWarn:
		level = warningMark
	}
	sayAt(w, r.Time.Format(time.TimeOnly)+" ", level+text)
}

// recordText gives what once prints, or else what the journal shows.
func recordText(r journal.Record) string {
	state, isFile := strings.CutPrefix(r.Message, "file ")
	switch {
	case isFile:
		return fmt.Sprintf("%-9s %s", state, r.Value("file"))
	case r.Message == "told":
		return fmt.Sprintf("%-9s %s (%s)", "told", r.Value("notice"), r.Value("took"))
	case r.Message == "would be told":
		return fmt.Sprintf("%-9s %s", "would", r.Value("notice"))
	case r.Message == "output":
		return r.Value("notice") + "\n  | " + strings.ReplaceAll(strings.TrimSuffix(r.Value("text"), "\n"), "\n", "\n  | ")
	}
	return r.Text()
}

// Unescaped gives a writer to which a file's bytes are written as they are, but on a terminal.
func Unescaped(w io.Writer) io.Writer {
	if p, ok := w.(printable.Writer); ok && !IsTerminal(w) {
		return p.Exact()
	}
	return w
}
