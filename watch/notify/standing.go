package notify

import (
	"context"
	"time"
)

// A Standing is how a unit is at one moment, as systemd has it.
type Standing struct {
	Active     string // active, reloading, inactive, failed, activating, deactivating
	Invocation string // names the run: each start begins another; "" where there never was one
	Kind       string // the Type= of a service; "" of other units
	Restarts   uint32 // by systemd itself, since somebody last started it
	Failure    string // how it failed: "exit status 1"; "" where it has not, or nobody knows
	Failed     bool   // systemd calls what came of it a failure

	Begun time.Time // when it last began to start; zero where systemd has forgotten
}

// StandingOf asks systemd, at a D-Bus address as that of Systemd, how a unit is. The error, a
// *Error, is of a unit that could not run, and of a systemd that does not answer.
func StandingOf(ctx context.Context, bus, unit string) (Standing, error) {
	m, err := dial(ctx, bus)
	if err != nil {
		return Standing{}, err
	}
	defer m.Close()
	u, err := m.usable(ctx, unitName(unit))
	if err != nil {
		return Standing{}, err
	}
	r, err := m.run(ctx, u)
	if err != nil {
		return Standing{}, explainCall(ctx, err, "look at", u.name)
	}
	s := Standing{Active: r.active, Invocation: r.invocation, Kind: r.kind, Restarts: r.restarts, Failed: r.bad(), Begun: r.begun}
	if r.bad() {
		s.Failure = r.detail()
	}
	return s, nil
}

// UnitName completes the name of a unit as systemctl does: without a suffix it is a .service.
func UnitName(name string) string { return unitName(name) }

// LastLines gives the last lines that a unit has written to the journal since a time; nil where
// there are none, or we may not read them. They may hold secrets.
func LastLines(ctx context.Context, unit string, since time.Time) []byte {
	return lastWords(ctx, unitName(unit), since)
}

// LookHints says where a person finds more about a unit.
func LookHints(unit string) []string { return look(unitName(unit)) }
