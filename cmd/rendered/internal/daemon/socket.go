package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/control"
	"github.com/rendered/rendered/cmd/rendered/internal/outcome"
	"github.com/rendered/rendered/cmd/rendered/internal/status"
	"github.com/rendered/rendered/watch"
)

// listen gives the socket through which other processes ask, before anybody is told that the daemon
// is there; nil where there is no directory for it. Without it the daemon does its work all the
// same.
func (d *Daemon) listen() net.Listener {
	if !control.Offered() {
		return nil
	}
	socket, err := control.Listen(control.Path())
	if err != nil {
		d.logNoSocket(err)
		return nil
	}
	return socket
}

func (d *Daemon) serve(ctx context.Context, socket net.Listener) {
	answers := control.Daemon{
		Version: d.version, Reload: d.reload, Reloaded: func(ctx context.Context) error { return refusal(d.Reload(control.Who(ctx))) },
		Status: func(ctx context.Context, lookups bool) (any, error) {
			st, err := d.loop.AskAbout(ctx, watch.Question{Brief: !lookups})
			return d.statusFrom(st), err
		},
		StatusOf: func(ctx context.Context, name string) (any, error) {
			st, err := d.loop.AskAbout(ctx, watch.Question{Of: name})
			return d.statusFrom(st), err
		},
		History: func() any { return status.HistoryOf(d.state.Ledger.History()) },
		Refresh: d.refresh,
		Wait: func(ctx context.Context, names []string) error {
			if err := d.know(ctx, names); err != nil {
				return err
			}
			return Refused(d.loop.AwaitCurrent(ctx, names...))
		},
		Pause:  d.pause,
		Resume: d.resume,
	}
	if err := answers.Serve(ctx, socket); err != nil {
		d.logNoSocket(err)
	}
}

func (d *Daemon) logNoSocket(err error) {
	hint := "SIGHUP has it read its config again"
	if errors.Is(err, control.ErrNoSocket) || errors.Is(err, control.ErrTaken) {
		hint = "start it with a RENDERED_SOCKET of its own; until then SIGHUP has it read its config again"
	}
	d.log.Warn("nobody can ask the daemon", "err", err, "hint", hint)
}

// refusal gives what came of a reload that did not take all of the config, as a person reads it.
func refusal(err error) error {
	if err == nil {
		return nil
	}
	var text strings.Builder
	if unfit, ok := errors.AsType[watch.Unfit](err); ok {
		console.Faults(&text, unfit.Faults())
		fmt.Fprintf(&text, "%s; the rest of the config is in force\n", unfit.Fates())
	} else {
		console.Faults(&text, err)
		fmt.Fprintln(&text, "the old config stays in force")
	}
	return control.Refused(text.String())
}

// refresh looks at services, or at all where none is named. One that is named and paused is an
// error.
func (d *Daemon) refresh(ctx context.Context, names []string, wait bool) (any, error) {
	if err := d.know(ctx, names); err != nil {
		return nil, err
	}
	if err := d.held(names); err != nil {
		return nil, err
	}
	if !wait {
		d.loop.For(control.Who(ctx)).Refresh(names...)
		return nil, nil
	}
	r, err := d.loop.For(control.Who(ctx)).RefreshNow(ctx, names...)
	switch {
	case err != nil:
	case len(names) > 0 && len(r.Paused) > 0:
		err = Refused(r.Paused)
	case len(r.Gone) > 0:
		err = Refused(r.Gone)
	}
	return outcome.Of(r), err
}

// status gives how the daemon stands.
func (d *Daemon) status(ctx context.Context) (status.Status, error) {
	st, err := d.loop.Ask(ctx)
	return d.statusFrom(st), err
}

func (d *Daemon) statusFrom(st watch.Status) status.Status {
	return status.Of(st, status.Daemon{Version: d.version, Started: d.started, Config: d.compiler.Config})
}

// know is an error where one of the services is not of the config in force.
func (d *Daemon) know(ctx context.Context, names []string) error {
	st, err := d.status(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !slices.ContainsFunc(st.Services, func(s *status.Service) bool { return s.Name == name }) {
			return fmt.Errorf("error: %w", st.NoService(name))
		}
	}
	return nil
}
