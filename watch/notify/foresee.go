package notify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rendered/rendered/internal/fault"
)

// foreseeTimeout bounds the questions about one dependent.
const foreseeTimeout = 10 * time.Second

// Foresee says why telling a dependent would fail as things are now; nil where nothing is known
// against it. It tells nobody. The error is a *Error: NotRunning and Stale may be over by the time
// that there is something to tell.
func Foresee(ctx context.Context, a Action) error {
	ctx, cancel := context.WithTimeout(ctx, foreseeTimeout)
	defer cancel()
	switch a := a.(type) {
	case Systemd:
		return foreseeUnit(ctx, a.Bus, a.Unit, a.Verb == Reload)
	case Signal:
		if a.Unit != "" {
			return foreseeUnit(ctx, a.Bus, a.Unit, false)
		}
		p, err := fromPIDFile(a.PIDFile)
		if err != nil {
			return err
		}
		p.Close()
	case HTTP:
		return a.foresee(ctx)
	case Socket:
		return a.foresee(ctx)
	}
	return nil
}

// foresee connects, and says nothing.
func (h HTTP) foresee(ctx context.Context) error {
	body, err := newLetter(h.Body)
	if notYet(err) {
		body.files, err = nil, nil
	}
	if err != nil {
		return err
	}
	a, err := h.address(body)
	if err != nil {
		return err
	}
	if a.Socket != "" {
		return foreseeSocket(ctx, a.Socket, body)
	}
	return reaches(new(net.Dialer).DialContext(ctx, "tcp", a.Peer()))
}

func (s Socket) foresee(ctx context.Context) error {
	for _, text := range s.Send {
		l, err := newLetter(text)
		if notYet(err) {
			l.files, err = nil, nil
		}
		if err == nil {
			err = foreseeSocket(ctx, s.Path, l)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// notYet tells whether a file is only not there yet.
func notYet(err error) bool { return errors.Is(err, fs.ErrNotExist) }

func foreseeSocket(ctx context.Context, path string, l letter) error {
	return reaches(dialSocket(ctx, path, l))
}

// reaches is an error where there was no connection. One that does not come about now may later:
// whoever does not answer is as one that does not run.
func reaches(conn net.Conn, err error) error {
	if err == nil {
		conn.Close()
		return nil
	}
	e := unanswered(context.Background(), err)
	if e.Reason != NotPermitted {
		e.Reason = NotRunning
	}
	return e
}

// BySystemd reports whether systemd is asked when the dependent is told.
func BySystemd(a Action) bool {
	s, signals := a.(Signal)
	_, asks := a.(Systemd)
	return asks || signals && s.Unit != ""
}

// foreseeUnit asks systemd for a unit.
func foreseeUnit(ctx context.Context, bus, name string, reloads bool) error {
	m, err := dial(ctx, bus)
	if err != nil {
		return err
	}
	defer m.Close()
	u, err := m.usable(ctx, unitName(name))
	if e, ok := err.(*Error); ok && e.Reason == Missing {
		if near := m.near(ctx, unitName(name)); near != "" {
			e.What += "; did you mean " + near + "?"
		}
	}
	if err == nil && reloads && !u.canReload {
		return notReloadable(u.name)
	}
	return err
}

// near gives the unit that has almost this name; "" where there is none, or more than one.
func (m *manager) near(ctx context.Context, name string) string {
	var files []struct{ Path, State string }
	if m.conn.Object(destination, managerPath).CallWithContext(ctx, managerType+".ListUnitFiles", 0).Store(&files) != nil {
		return ""
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.Path[strings.LastIndexByte(f.Path, '/')+1:]
	}
	return fault.Near(name, names)
}

// template is the error of a template's name, which is no unit before it has an instance
// (systemd.unit(5)).
func template(name string) error {
	head, suffix, _ := strings.Cut(name, "@.")
	if suffix == "" {
		return nil
	}
	return &Error{Reason: NotSupported, What: name + " is a template, and no unit without an instance", Hints: []string{
		fmt.Sprintf("name one, as %s@INSTANCE.%s: systemctl list-units '%[1]s@*'", head, suffix),
	}}
}

// Whom says which process an action would reach as things are now, as "4711 /usr/local/bin/api",
// where a pid file tells that; else "".
func Whom(a Action) string {
	s, ok := a.(Signal)
	if !ok || s.Unit != "" {
		return ""
	}
	p, err := fromPIDFile(s.PIDFile)
	if err != nil {
		return ""
	}
	defer p.Close()
	whom := strconv.Itoa(p.Pid)
	if program, err := os.Readlink("/proc/" + whom + "/exe"); err == nil && p.exists() {
		whom += " " + program
	}
	return whom
}
