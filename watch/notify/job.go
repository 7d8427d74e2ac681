package notify

import (
	"context"
	"errors"

	"github.com/godbus/dbus/v5"
)

// follow asks systemd to say when the unit changes. Where it does not, the unit is looked at now
// and then.
func (m *manager) follow(ctx context.Context, u *unit) {
	_ = m.conn.Object(destination, managerPath).CallWithContext(ctx, managerType+".Subscribe", 0).Err
	if m.owner != destination { // a bus passes on what it is asked for
		_ = m.conn.AddMatchSignalContext(ctx, dbus.WithMatchSender(destination), dbus.WithMatchObjectPath(u.path),
			dbus.WithMatchInterface(propertiesType), dbus.WithMatchMember("PropertiesChanged"))
	}
}

// A job is one that systemd has accepted.
type job struct {
	m       *manager
	path    dbus.ObjectPath
	signals chan *dbus.Signal // every signal that reaches us
}

// enqueue has systemd accept a job, which is to be forgotten in the end. An error of D-Bus is given
// as it is.
func (m *manager) enqueue(ctx context.Context, method, unit string) (*job, error) {
	j := &job{m: m, signals: make(chan *dbus.Signal, 16)}
	m.conn.Signal(j.signals)
	// "replace" is what systemctl does: the job takes the place of one that is in its way.
	err := m.conn.Object(destination, managerPath).CallWithContext(ctx, managerType+"."+method, 0, unit, "replace").Store(&j.path)
	if err != nil {
		j.forget()
		return nil, err
	}
	return j, nil
}

func (j *job) forget() { j.m.conn.RemoveSignal(j.signals) }

// next gives the next signal.
func (j *job) next(ctx context.Context) (*dbus.Signal, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case s, open := <-j.signals:
		if !open {
			return nil, errors.Join(ctx.Err(), dbus.ErrClosed)
		}
		return s, nil
	}
}

// wait gives the job's result. An error of D-Bus is given as it is.
func (j *job) wait(ctx context.Context) (string, error) {
	for {
		s, err := j.next(ctx)
		if err != nil {
			return "", err
		}
		if r, ok := removed(s); ok && r.job == j.path && j.m.signs(ctx, s.Sender) {
			return r.result, nil
		}
	}
}

// follow gives what systemd says about the unit from now on, until ctx ends.
func (j *job) follow(ctx context.Context, u *unit) <-chan news {
	all := make(chan news)
	go func() {
		for {
			s, err := j.next(ctx)
			if err != nil {
				return
			}
			if n, ok := newsIn(s, u); ok && j.m.signs(ctx, s.Sender) {
				select {
				case all <- n:
				case <-ctx.Done():
				}
			}
		}
	}()
	return all
}

// newsIn reads a signal about a unit. Our job is over: another one is somebody else's.
func newsIn(s *dbus.Signal, u *unit) (news, bool) {
	if r, ok := removed(s); ok {
		return news{other: true}, r.unit == u.name
	}
	var of string
	var changed map[string]dbus.Variant
	ok := s.Name == propertiesType+".PropertiesChanged" && s.Path == u.path && len(s.Body) > 1 && dbus.Store(s.Body[:2], &of, &changed) == nil
	return news{death: deathIn(changed)}, ok
}

// A removal is what a JobRemoved says: a job has ended.
type removal struct {
	job          dbus.ObjectPath
	unit, result string
}

func removed(s *dbus.Signal) (r removal, ok bool) {
	var id uint32
	ok = s.Name == managerType+".JobRemoved" && dbus.Store(s.Body, &id, &r.job, &r.unit, &r.result) == nil
	return r, ok
}

// signs reports whether the sender of a signal is systemd. Anybody on a bus can send a signal that
// looks like one of its.
func (m *manager) signs(ctx context.Context, sender string) bool {
	if sender == m.owner {
		return true
	}
	owner, err := m.nameOwner(ctx)
	return err == nil && owner == sender
}
