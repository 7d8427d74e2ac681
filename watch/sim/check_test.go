package sim

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/preview"
)

// checkOf is the check of a service that has these files.
func checkOf(files []spec) command.Check {
	args := []string{"matching"}
	for _, f := range files {
		args = append(args, f.path)
	}
	return command.Check{Command: command.Command{Args: args}}
}

var errNoMatch = errors.New("exit status 1")

// check looks at all files of a service as they are to be, and passes where they match and hold no
// value that is bad.
func (l *life) check(ctx context.Context, c command.Check, staged []preview.File, _ render.Filter) *fault.Fault {
	w := l.world
	refused := &fault.Fault{What: "check: " + c.String() + ": does not match; no file written", Err: errNoMatch}
	late := time.NewTimer(w.span("check "+c.Args[1], time.Millisecond, 200*time.Millisecond))
	defer late.Stop()
	select {
	case <-ctx.Done():
		return refused
	case <-late.C:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if l.dead {
		return refused
	}
	w.counts.checks++
	var seen []view
	for _, path := range c.Args[1:] {
		at := path
		if i := slices.IndexFunc(staged, func(f preview.File) bool { return f.Path == path }); i >= 0 {
			at = staged[i].Staged
		} else if w.files[path].drifted {
			continue // somebody else has changed it since it was compared
		}
		content, _, _, there := w.disk.Look(at)
		if w.files[path].key != "" && (!there || at == path && w.files[path].stray) {
			continue
		}
		if w.rolls() && (at == "" || strings.HasPrefix(string(content), foreign)) {
			w.trace.note(w.began, "%v: not ours", c.Args)
			return refused // what is put back was somebody else's
		}
		seen = append(seen, view{w.files[path], string(content)})
		if _, values, _ := w.files[path].parse(string(content)); slices.ContainsFunc(values, func(v string) bool { return strings.HasSuffix(v, ".bad") }) {
			w.trace.note(w.began, "%v: bad", c.Args)
			return refused
		}
	}
	if what := mismatchOf(seen); what != "" {
		w.fail("%v finds %s", c.Args, what)
		return refused
	}
	w.trace.note(w.began, "%v: passed", c.Args)
	return nil
}
