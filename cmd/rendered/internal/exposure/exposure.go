// Package exposure finds what other users of a machine can do about the paths of a config, on the
// machine as it is now: no user can keep a config from being loaded.
package exposure

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/local"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/notify"
	"github.com/rendered/rendered/watch/probe"
)

// ofRoot is the remedy where a path is for others to change.
const ofRoot = "where they must not, a file of root's in a directory that root alone can change"

// A finder collects what is found.
type finder struct {
	faults, warnings fault.List
}

// Find looks at every destination, every pid file, every socket, every program and every local file
// whose path is known. Faults are of paths to which root would not write, from which it would not
// read, or by which it would signal or tell nobody; warnings of what goes on and may be meant.
func Find(cfg *config.Config, p *watch.Plan) (faults, warnings fault.List) {
	var e finder
	for _, s := range cfg.Services {
		e.program(s.Place, s.Check.Command)
		for i := range s.Files {
			e.destination(&s.Files[i])
			e.program(s.Files[i].Place, s.Files[i].Check.Command)
		}
		for i, n := range s.Notify {
			switch n := n.(type) {
			case notify.Signal:
				e.pidFile(s.Place, n.PIDFile)
			case notify.Run:
				e.program(s.Place, n.Command)
			case notify.Socket:
				e.socket(s.NoticesAt[i], n.Path, n.SendsFiles())
			case notify.HTTP:
				e.socket(s.NoticesAt[i], n.Socket(), n.SendsFiles())
			}
		}
		for i, p := range s.Healthy {
			if run, ok := p.(probe.Run); ok {
				e.program(s.HealthyAt[i], run.Command)
			}
		}
		for _, c := range s.Around() {
			e.program(s.Place, c)
		}
	}
	e.inputs(p)
	return e.faults, e.warnings
}

// inputs looks at local files, each where it is looked up first.
func (e *finder) inputs(p *watch.Plan) {
	known := make(map[string]bool)
	for _, s := range p.Services {
		for _, f := range s.Files {
			for _, l := range f.Lookups() {
				if l.Ref.Kind == sources.File && !known[l.Ref.Name] {
					known[l.Ref.Name] = true
					e.input(l.Place, l.Ref.Name)
				}
			}
		}
	}
}

func (e *finder) warn(at fault.Place, what string, hints ...string) {
	e.warnings = append(e.warnings, &fault.Fault{Place: at, What: what, Hints: hints})
}

func (e *finder) destination(f *config.File) {
	if f.Path == "" || !disk.Answers(f.Path) {
		return
	}
	target := swap.Target{Path: f.Path, UID: f.UID, GID: f.GID, Mode: f.Mode, KeepMode: f.KeepMode, DirMode: f.DirMode, InPlace: f.InPlace}
	found, err := swap.NewMachine(disk.Host, swap.Key{}, nil).Examine(target)
	switch {
	case err != nil && swap.Unreachable(err):
		return // a machine that is not ready yet: a pass says what it cannot do
	case err != nil:
		what := err.Error()
		if !strings.HasPrefix(what, f.Path) {
			what = f.Path + ": " + what
		}
		e.faults = append(e.faults, &fault.Fault{Place: f.Place, What: what, Hints: disk.Hints(err), Err: err})
		return
	}
	if found.Opened {
		e.warn(f.Place, f.Path+": it can be read by more than it is to be, and who has it open then reads what is written in place",
			fmt.Sprintf("give it mode %04o, and the group that is configured, while nobody has it open who must not read it", uint32(f.Mode)))
	}
	if found.By == nil {
		return
	}
	what := fmt.Sprintf("%s: others than root can put something else in its place (%v)", f.Path, found.By)
	if found.Found != "" {
		what += "; what stands there now is " + found.Found + ", of which nothing is taken over"
	}
	hint := ofRoot
	if found.Open {
		hint = "set owner: and mode:, for there they cannot be those of the file that stands there; unset ones are root's and 0600"
	}
	e.warn(f.Place, what, hint)
}

func (e *finder) pidFile(at fault.Place, path string) {
	if path == "" || !disk.Answers(path) {
		return
	}
	user, err := notify.ExaminePIDFile(path)
	switch {
	case err != nil && (disk.IsForeign(err) || len(notify.Hints(err)) > 0):
		e.faults = append(e.faults, &fault.Fault{Place: at, What: path + ": " + err.Error(), Hints: append(notify.Hints(err), disk.Hints(err)...), Err: err})
	case err == nil && user > 0:
		e.warn(at, fmt.Sprintf("%s: it is for user %d to write, so that only processes of that user are signaled by it", path, user),
			"where another is meant: unit: in the place of pid_file:, or a file that root writes")
	}
}

// socket looks at the place of a socket at which a server is told.
func (e *finder) socket(at fault.Place, path string, files bool) {
	if path == "" || !disk.Answers(path) {
		return
	}
	by, err := notify.ExamineSocket(path)
	switch {
	case err != nil && disk.IsForeign(err):
		e.faults = append(e.faults, &fault.Fault{Place: at, What: path + ": " + err.Error(), Hints: notify.Hints(err), Err: err})
	case err == nil && by != nil && files:
		e.warn(at, fmt.Sprintf("%s: others than root decide who listens there (%v), so that files are sent to nobody who may not read them", path, by))
	}
}

func (e *finder) input(at fault.Place, path string) {
	if !disk.Answers(path) {
		return
	}
	way, err := local.Examine(path)
	_, failed := errors.AsType[*fs.PathError](err)
	switch {
	case err != nil && !failed && err != disk.ErrSilent, errors.Is(err, unix.EISDIR):
		what := err.Error()
		if failed {
			what = unix.EISDIR.Error()
		}
		e.faults = append(e.faults, &fault.Fault{Place: at, What: "file " + path + ": " + what, Hints: disk.Hints(err), Err: err})
	case len(way.Steps) == 0: // it is not there to be looked at, or is no more
	case len(way.Doubts()) > 0:
		e.warn(at, fmt.Sprintf("file %s: others than root decide what it says (%v)", path, way.Doubts()[0]), ofRoot)
	case way.Found() && way.Last().Doubt() != nil:
		e.warn(at, fmt.Sprintf("file %s: others than root decide what it says (%s)", path, way.Last().Doubt().What), ofRoot)
	}
}

// program looks at the program of a command that names it by its path, by itself or at the head of
// a line for the shell.
func (e *finder) program(at fault.Place, c command.Command) {
	words := c.Args
	if c.Shell != "" {
		words = strings.Fields(c.Shell)
	}
	if len(words) == 0 || !filepath.IsAbs(words[0]) || !disk.Answers(words[0]) {
		return
	}
	way, err := disk.Walk(words[0])
	if err != nil || !way.Found() {
		return
	}
	if by := way.Changers(); len(by) > 0 {
		e.warn(at, fmt.Sprintf("%s: root runs it, and others can change it (%v)", words[0], by[0]), "have it in a directory that root alone can change, as /usr/local/bin")
	}
}
