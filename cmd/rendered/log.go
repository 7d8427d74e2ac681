package main

import (
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"

	"github.com/rendered/rendered/cmd/rendered/internal/journal"
	"github.com/rendered/rendered/cmd/rendered/internal/printable"
)

// newLog makes the daemon's log. auto is entries with fields where w is the journal, else text: on a terminal with the time of day.
func newLog(w io.Writer, format string, level slog.Leveler) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	switch {
	case format == "json":
		return slog.New(slog.NewJSONHandler(w, o))
	case format == "auto" && journal.Takes(w):
		return slog.New(journal.NewHandler(w, level))
	}
	if isTerminal(w) {
		o.ReplaceAttr = timeOfDay
	}
	return slog.New(slog.NewTextHandler(w, o))
}

func isTerminal(w io.Writer) bool {
	f, ok := printable.Unwrap(w).(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func timeOfDay(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.String(a.Key, a.Value.Time().Format("15:04:05"))
	}
	return a
}
