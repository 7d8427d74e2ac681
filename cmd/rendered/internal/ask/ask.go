// Package ask asks the daemon what verbs are to tell, and prints its answers.
package ask

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/control"
	"github.com/rendered/rendered/cmd/rendered/internal/outcome"
	"github.com/rendered/rendered/cmd/rendered/internal/status"
	"github.com/rendered/rendered/internal/fault"
)

// An Asker asks the daemon of this machine. Its methods report whether all is good; what is not was
// printed. An error is ErrNoDaemon, which was printed, too.
type Asker struct {
	Out, Err io.Writer
	JSON     bool          // answers are printed as JSON
	Timeout  time.Duration // for answers that take long; 0: none
}

// ErrNoDaemon is that no daemon answers, or one that does not understand.
var ErrNoDaemon = errors.New("no daemon answers")

func daemon() control.Client { return control.Client{Path: control.Path()} }

// Status prints how the daemon stands, or one service, by its name or the path of a file; "": all.
func (a Asker) Status(ctx context.Context, name string) (bool, error) {
	if name != "" {
		return a.statusOf(ctx, name)
	}
	var st status.Status
	ask := daemon().Summary
	if a.JSON {
		ask = daemon().Status
	}
	if err := ask(ctx, &st); err != nil {
		return a.refused(err)
	}
	if a.JSON {
		console.JSON(a.Out, st)
	} else {
		st.Print(a.Out, time.Now())
	}
	return st.Current(), nil
}

func (a Asker) statusOf(ctx context.Context, name string) (bool, error) {
	var st status.Status
	if err := daemon().StatusOf(ctx, name, &st); err != nil {
		return a.refused(err)
	}
	one := st.Find(name)
	if one == nil && !st.LeavesOut(name) {
		return a.noService(ctx, name)
	}
	st = st.Of(name)
	if a.JSON {
		console.JSON(a.Out, st)
		return st.Current(), nil
	}
	st.Config.Print(a.Out)
	if one != nil {
		one.Print(a.Out, time.Now())
	}
	return st.Current(), nil
}

// noService prints that a name is that of no service, as the daemon does where it is asked to do
// something with one.
func (a Asker) noService(ctx context.Context, name string) (bool, error) {
	var st status.Status
	if err := daemon().Summary(ctx, &st); err != nil {
		return a.refused(err)
	}
	return a.refused(control.Refused("error: " + st.NoService(name).Error()))
}

// History prints what happened, or what happened to one service, by its name or the path of a file;
// "": all.
func (a Asker) History(ctx context.Context, name string) (bool, error) {
	var h status.History
	if err := daemon().History(ctx, &h); err != nil {
		return a.refused(err)
	}
	if name != "" {
		if h = h.About(name); !h.Names(name) {
			var st status.Status
			if err := daemon().StatusOf(ctx, name, &st); err != nil {
				return a.refused(err)
			}
			if st.Find(name) == nil && !st.LeavesOut(name) {
				return a.noService(ctx, name)
			}
		}
	}
	if a.JSON {
		console.JSON(a.Out, h)
	} else {
		h.Print(a.Out)
	}
	return true, nil
}

// Refresh has the daemon look at the services, or at all where none is named, and does not wait.
func (a Asker) Refresh(ctx context.Context, names []string) (bool, error) {
	if err := daemon().Refresh(ctx, names, nil); err != nil {
		return a.undone(err)
	}
	return true, nil
}

// RefreshAndWait has the daemon look at the services, or at all where none is named, and prints
// what comes of it.
func (a Asker) RefreshAndWait(ctx context.Context, names []string) (bool, error) {
	limited, cancel := a.within(ctx)
	defer cancel()
	var o outcome.Outcome
	var err error
	a.during(limited, names, isLooking, func(ctx context.Context) { err = daemon().Refresh(ctx, names, &o) })
	switch {
	case late(err, ctx, limited):
		return a.overdue(ctx, "not done within %s; it goes on", names, isLooking)
	case err != nil:
		return a.undone(err)
	case a.JSON:
		console.JSON(a.Out, o)
	default:
		outcome.Printer{Out: a.Out, Remarks: a.Err}.Print(o)
	}
	return !o.Failed(), nil
}

// Wait returns when the services, or all where none is named, are current. As JSON it prints how
// they stand then.
func (a Asker) Wait(ctx context.Context, names []string) (bool, error) {
	limited, cancel := a.within(ctx)
	defer cancel()
	var err error
	a.during(limited, names, isNotCurrent, func(ctx context.Context) { err = daemon().Wait(ctx, names) })
	late := late(err, ctx, limited)
	if err != nil && !late {
		return a.refused(err)
	}
	if late {
		if _, err := a.overdue(ctx, "not current within %s", names, isNotCurrent); err != nil {
			return false, err
		}
	}
	if !a.JSON {
		return !late, nil
	}
	var st status.Status
	if err := daemon().Status(ctx, &st); err != nil {
		return a.refused(err)
	}
	st.Only(names)
	console.JSON(a.Out, st)
	return !late, nil
}

// Pause has nobody work on services for a time, 0 meaning until they are resumed.
func (a Asker) Pause(ctx context.Context, names []string, lasts time.Duration, why string) (bool, error) {
	limited, cancel := a.within(ctx)
	defer cancel()
	var p status.Pauses
	err := daemon().Pause(limited, names, lasts, why, &p)
	switch {
	case late(err, ctx, limited) && a.arePaused(ctx, names):
		return a.overdue(ctx, "paused, and what is under way has not ended within %s", names, nil)
	case late(err, ctx, limited):
		return a.overdue(ctx, "not paused within %s", names, nil)
	case err != nil:
		return a.undone(err)
	case a.JSON:
		console.JSON(a.Out, p)
	default:
		for _, s := range p.Paused {
			console.Say(a.Out, fmt.Sprintf("%s is %s", s.Service, s))
		}
	}
	return true, nil
}

// Resume ends the pauses of services, or all where none is named.
func (a Asker) Resume(ctx context.Context, names []string) (bool, error) {
	var r status.Resumed
	err := daemon().Resume(ctx, names, &r)
	switch {
	case err != nil:
		return a.undone(err)
	case a.JSON:
		console.JSON(a.Out, r)
	case len(r.Resumed) == 0:
		fmt.Fprintln(a.Out, "nothing is paused")
	}
	for _, name := range r.Resumed {
		if !a.JSON {
			console.Say(a.Out, name+" is resumed, and looked at now")
		}
	}
	return true, nil
}

// arePaused tells whether services are known to be paused.
func (a Asker) arePaused(ctx context.Context, names []string) bool {
	ctx, cancel := context.WithTimeout(ctx, afterTimeout)
	defer cancel()
	var st status.Status
	if daemon().Summary(ctx, &st) != nil {
		return false
	}
	return !slices.ContainsFunc(names, func(name string) bool {
		one := st.Find(name)
		return one == nil || one.Paused == nil
	})
}

// Reload has the daemon read its config again, and prints what came of it; where it is to wait,
// with what came of the looks that follow.
func (a Asker) Reload(ctx context.Context, wait bool) (bool, error) {
	limited, cancel := a.within(ctx)
	defer cancel()
	var r outcome.Reload
	said, err := daemon().Reload(limited, wait, &r)
	switch {
	case late(err, ctx, limited):
		return a.overdue(ctx, "not done within %s; it goes on", nil, isLooking)
	case err != nil:
		return a.undone(err)
	case !said:
		return true, nil
	case a.JSON:
		console.JSON(a.Out, r)
	default:
		outcome.Printer{Out: a.Out, Remarks: console.ForJournal(a.Err)}.Reload(r)
	}
	return !r.Failed(), nil
}

// IsOlderThan tells whether the daemon began before a file was last changed: its socket is as old
// as it is. Where either is not there it is not.
func IsOlderThan(path string) bool {
	socket, err := os.Stat(control.Path())
	if err != nil {
		return false
	}
	file, err := os.Stat(path)
	return err == nil && file.ModTime().After(socket.ModTime())
}

// within bounds a context by the timeout.
func (a Asker) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if a.Timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, a.Timeout)
}

// late tells whether an error is that the time of a bounded context is over, and not that of the
// context that it was made of.
func late(err error, ctx, limited context.Context) bool {
	return err != nil && ctx.Err() == nil && limited.Err() != nil
}

// afterTimeout is how long a daemon whose time is over may take to show that it is there.
const afterTimeout = time.Second

// overdue prints, with the timeout, what is not as it was to be when that is over, and which of the
// services, or of all where none is named, are waited for; a nil waits says of none. Where the
// daemon does not show that it is there nothing is known of that, and it prints so.
func (a Asker) overdue(ctx context.Context, format string, names []string, waits func(*status.Service) string) (bool, error) {
	if !daemon().IsThere(ctx, afterTimeout) {
		return a.refused(fmt.Errorf("the daemon at %s does not answer within %v: %w", control.Path(), a.Timeout, control.ErrSilent))
	}
	what := fmt.Sprintf(format, a.Timeout)
	if waits != nil {
		ctx, cancel := context.WithTimeout(ctx, afterTimeout)
		defer cancel()
		var st status.Status
		if daemon().Summary(ctx, &st) == nil {
			st.Only(names)
			what += waitedFor(st, waits)
		}
	}
	console.Faults(a.Err, fault.List{{What: what, Hints: []string{"rendered status"}}})
	return false, nil
}

// refused prints why the daemon did not do what it was asked for.
func (a Asker) refused(err error) (bool, error) {
	w := console.ForJournal(a.Err)
	if refused, ok := errors.AsType[control.Refused](err); ok {
		console.Say(w, refused.Error())
		return false, nil
	}
	console.Faults(w, fault.List{{What: err.Error(), Hints: unanswered(err)}})
	return false, ErrNoDaemon
}

// undone is refused of what the daemon was to do. One that is silent has the question, and may do
// that later.
func (a Asker) undone(err error) (bool, error) {
	good, failed := a.refused(err)
	if errors.Is(err, control.ErrSilent) {
		console.Say(console.ForJournal(a.Err), "  it may be done all the same once the daemon goes on")
	}
	return good, failed
}

// unanswered says what to do where no daemon answers.
func unanswered(err error) []string {
	switch {
	case errors.Is(err, control.ErrUnknown):
		return []string{"rendered version  says which one asks", "systemctl restart rendered  begins the one that is installed"}
	case errors.Is(err, control.ErrClosed):
		return []string{"it ends, or who asks is neither root nor the user that it runs as"}
	case errors.Is(err, fs.ErrPermission):
		return []string{"ask as root, or as the user that the daemon runs as"}
	case errors.Is(err, control.ErrSilent):
		return []string{"is it stopped, or out of memory?  systemctl status rendered", "what is owed is on record, and nothing is lost by  systemctl restart rendered"}
	case errors.Is(err, control.ErrBusy):
		return []string{"it reads its config, or something that it waits for hangs: journalctl -u rendered -n 20"}
	case errors.Is(err, control.ErrNoSocket):
		return []string{"RENDERED_SOCKET is to be what the daemon was started with"}
	case errors.Is(err, unix.EINVAL):
		return []string{"a socket's path has some 100 bytes at most: set a shorter RENDERED_SOCKET for the daemon, and here"}
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ECONNREFUSED):
		return []string{"does it run?  systemctl status rendered", "one that systemd did not start has a socket where RENDERED_SOCKET says so"}
	}
	return nil
}
