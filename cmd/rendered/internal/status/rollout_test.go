package status

import (
	"strings"
	"testing"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/printable"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/ledger"
	"github.com/rendered/rendered/watch/pass"
)

const answered = "http http://127.0.0.1/ok: answered 502"

// rollouts is how a loop stands whose services are held, or have changes that are to be seen to be
// well, or were not.
func rollouts() Status {
	change := func(stage ledger.Stage, failure string) *pass.Rollout {
		return &pass.Rollout{Stage: stage, Since: at(0), Failure: failure, Paths: []string{"/f"}}
	}
	either := change(ledger.Reverted, answered)
	either.Still = "unit app.service: failed"
	stays := change(ledger.Unwell, answered)
	stays.Stays, stays.Drained = "secret prod/db has another version, and what was before may be dead", true
	undone := change(ledger.Settled, "")
	undone.Drained, undone.Undone = true, "after: undrain: exit status 3; will try again"
	const machine = "the administrator of this machine"
	detail := watch.Detail{Schedule: "@hourly", Looked: at(time.Hour)}
	but := func(f func(*watch.Detail)) watch.Detail {
		d := detail
		f(&d)
		return d
	}
	return Of(watch.Status{
		Since: at(0),
		Report: watch.Report{Services: []watch.Standing{
			{Service: "either", Tried: true, Rollout: either},
			{Service: "gate", Tried: true, Held: &pass.Hold{Gate: "gate: alarms: exit status 1; no file written", Hints: []string{"DatabaseSlow fires"}}},
			{Service: "proving", Tried: true, Rollout: change(ledger.Unproven, "")},
			{Service: "rejected", Tried: true, Rollout: change(ledger.Rejected, answered)},
			{Service: "stays", Tried: true, Rollout: stays},
			{Service: "undone", Tried: true, Rollout: undone},
			{Service: "unsaid", Tried: true, Failure: "secret a: access denied"},
			{Service: "window", Tried: true, Held: &pass.Hold{Until: at(23 * time.Hour)}},
		}},
		Details: []watch.Detail{
			but(func(d *watch.Detail) { d.Turn = machine }),
			detail,
			detail,
			but(func(d *watch.Detail) {
				d.Turn, d.Retried = "the owner of param p, or "+machine, (&pass.Service{Name: "rejected"}).Retried()
			}),
			but(func(d *watch.Detail) {
				d.Turn, d.Unwell = "the owner of secret prod/db, or "+machine, []string{"try it by hand"}
			}),
			but(func(d *watch.Detail) {
				d.Turn, d.Undone = machine, &fault.Fault{What: undone.Undone, Hints: []string{"no route"}}
			}),
			but(func(d *watch.Detail) {
				d.Unsaid = &fault.Fault{What: "on_failure: page: exit status 4; will try again", Hints: []string{"no dial tone"}}
			}),
			detail,
		},
	}, Daemon{"1.0.0", began, "c"})
}

// Who is told once more stands with why; and what came of a roll-back is told from what came of a
// change.
func TestPrintHistoryOfRollout(t *testing.T) {
	local := time.Local
	time.Local = time.UTC
	defer func() { time.Local = local }()
	event := func(d time.Duration, kind ledger.Kind, failure, note string) ledger.Event {
		return ledger.Event{At: at(d), Kind: kind, Services: []string{"web"}, Paths: []string{"/f"}, Failure: failure, Note: note}
	}
	told := func(d time.Duration) ledger.Event {
		return ledger.Event{At: at(d), Kind: ledger.Told, Services: []string{"web"}, Dependent: "reload web.service", Paths: []string{"/f"}, Took: time.Millisecond}
	}
	changed, back := event(0, ledger.Changed, "", ""), event(9*time.Second, ledger.RolledBack, answered, "")
	changed.Why, back.Why = "template", "rollback"
	h := HistoryOf([]ledger.Event{
		changed, told(0),
		event(4*time.Second, ledger.Unhealthy, answered, pass.Then[ledger.Retold]), told(4 * time.Second),
		event(8*time.Second, ledger.Unhealthy, answered, pass.Then[ledger.Reverting]),
		back, told(9 * time.Second),
		event(13*time.Second, ledger.Healthy, "", pass.WithOld),
		event(14*time.Second, ledger.Unhealthy, "after: undrain: exit status 3", ""), // as of a daemon of before there were notes
		event(15*time.Second, ledger.Healthy, "", ""),
	})
	var b strings.Builder
	h.Print(&b)
	const want = `2026-11-20 03:00:15  web  seen to be well
2026-11-20 03:00:14  web  not well: after: undrain: exit status 3
2026-11-20 03:00:13  web  well with the old files
2026-11-20 03:00:09  web  rolled back, as it was not well: http
                            http://127.0.0.1/ok: answered 502
                          /f
                          reload web.service told in 1ms
2026-11-20 03:00:08  web  not well: http http://127.0.0.1/ok: answered 502
                          the old files are put back
2026-11-20 03:00:04  web  not well: http http://127.0.0.1/ok: answered 502
                          its dependents are told once more
                          reload web.service told in 1ms
2026-11-20 03:00:00  web  changed (template)
                          /f
                          reload web.service told in 1ms
`
	if got := b.String(); got != want {
		t.Errorf("%s", got)
	}
}

// What waits has no colour, what was put back is a warning, what is not well an error.
func TestColors(t *testing.T) {
	for state, want := range map[watch.State]printable.Color{
		watch.Current: printable.Green, watch.Waiting: printable.Plain, watch.Proving: printable.Plain, watch.Held: printable.Plain, watch.Paused: printable.Yellow,
		watch.Owes: printable.Yellow, watch.RolledBack: printable.Yellow, watch.Unhealthy: printable.Red, watch.Failing: printable.Red,
	} {
		if colors[state] != want {
			t.Errorf("%s has color %q, want %q", state, colors[state], want)
		}
	}
}

// Of each service that waits, or was not well, every screen says why, whose turn it is, and what to
// do.
func TestPrintRollouts(t *testing.T) {
	local := time.Local
	time.Local = time.UTC
	defer func() { time.Local = local }()
	var b strings.Builder
	st := rollouts()
	st.Print(&b, at(time.Hour))
	for _, svc := range st.Services {
		b.WriteByte('\n')
		svc.Print(&b, at(time.Hour))
	}
	const want = `rendered 1.0.0, up 60m, config of 2026-11-20 03:00:00; 1 proving, 2 held, 1
  rolled-back, 3 unhealthy, 1 failing
SERVICE   STATE        CHANGED  LOOKED  NEXT  NOTE
proving   proving      -        0s ago  -     the change of 2026-11-20 03:00:00
                                                is to be seen to be well
gate      held         -        0s ago  -     held by gate: alarms: exit status
                                                1; no file written
window    held         -        0s ago  -     its files are written from
                                                2026-11-21 02:00:00 on
rejected  rolled-back  -        0s ago  -     the change of 2026-11-20 03:00:00
                                                was rolled back: http
                                                http://127.0.0.1/ok: answered
                                                502
                                              for the owner of param p, or the
                                                administrator of this machine
either    unhealthy    -        0s ago  -     not well with the old files,
                                                either: unit app.service: failed
                                              for the administrator of this
                                                machine
stays     unhealthy    -        0s ago  -     not well since 2026-11-20
                                                03:00:00: http
                                                http://127.0.0.1/ok: answered
                                                502
                                              for the owner of secret prod/db,
                                                or the administrator of this
                                                machine
undone    unhealthy    -        0s ago  -     after: undrain: exit status 3;
                                                will try again
                                              for the administrator of this
                                                machine
unsaid    failing      -        0s ago  -     secret a: access denied
                                              on_failure: page: exit status 4;
                                                will try again

either  unhealthy, looked at 0s ago
seen    not well with the old files, either: unit app.service: failed
        the change of 2026-11-20 03:00:00 was rolled back: http
          http://127.0.0.1/ok: answered 502
        for the administrator of this machine

gate  held, looked at 0s ago
held  by gate: alarms: exit status 1; no file written
      DatabaseSlow fires

proving  proving, looked at 0s ago
seen     the change of 2026-11-20 03:00:00 is to be seen to be well

rejected  rolled-back, looked at 0s ago
seen      the change of 2026-11-20 03:00:00 was rolled back: http
            http://127.0.0.1/ok: answered 502
          it is tried again when it changes, or at once by  rendered refresh
            rejected
          for the owner of param p, or the administrator of this machine

stays  unhealthy, looked at 0s ago
seen   not well since 2026-11-20 03:00:00: http http://127.0.0.1/ok: answered
         502
       the new files stay: secret prod/db has another version, and what was
         before may be dead
       try it by hand
       for the owner of secret prod/db, or the administrator of this machine
after  is yet to be done

undone  unhealthy, looked at 0s ago
after   undrain: exit status 3; will try again
        no route
        for the administrator of this machine

unsaid      failing, looked at 0s ago
failing     secret a: access denied
well        not since it is on record
on_failure  page: exit status 4; will try again
            no dial tone

window  held, looked at 0s ago
held    its files are written from 2026-11-21 02:00:00 on
`
	if got := b.String(); got != want {
		t.Errorf("%s", got)
	}
}

// What only a newer daemon knows is counted, and called as it calls it.
func TestNewerDaemon(t *testing.T) {
	local := time.Local
	time.Local = time.UTC
	defer func() { time.Local = local }()
	var b strings.Builder
	st := Status{Version: "9", Started: began, Config: Config{Since: began}, Services: []*Service{{Name: "a", State: "drained"}, {Name: "b", State: watch.Current}, {Name: "c", State: watch.Failing, Failure: "no"}}}
	st.Print(&b, began)
	HistoryOf([]ledger.Event{{At: began, Kind: "drained", Services: []string{"a"}, Failure: "no route", Paths: []string{"/f"}}, {At: began, Kind: "filled", Services: []string{"a"}}}).Print(&b)
	const want = `rendered 9, up 0s, config of 2026-11-20 03:00:00; 1 current, 1 failing, 1
  drained
SERVICE  STATE    CHANGED  LOOKED  NEXT  NOTE
b        current  -        -       -
c        failing  -        -       -     no
a        drained  -        -       -
2026-11-20 03:00:00  a  filled
2026-11-20 03:00:00  a  drained: no route
                        /f
`
	if got := b.String(); got != want {
		t.Errorf("%s", got)
	}
}
