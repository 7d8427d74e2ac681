package probe

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rendered/rendered/watch/notify"
)

func TestUnitJudges(t *testing.T) {
	up := notify.Standing{Active: "active", Invocation: "a", Kind: "simple"}
	with := func(change func(*notify.Standing)) notify.Standing {
		s := up
		change(&s)
		return s
	}
	active := func(word string) notify.Standing { return with(func(s *notify.Standing) { s.Active = word }) }
	died := with(func(s *notify.Standing) { s.Active, s.Failed, s.Failure = "failed", true, "exit status 1" })
	waits := with(func(s *notify.Standing) { s.Active, s.Failed, s.Failure = "activating", true, "exit status 1" })
	again := with(func(s *notify.Standing) { s.Invocation, s.Restarts = "b", 1 })
	theirs := with(func(s *notify.Standing) { s.Invocation = "b" })
	job := func(word string) notify.Standing {
		return with(func(s *notify.Standing) { s.Active, s.Kind = word, "oneshot" })
	}
	other := func(word string) notify.Standing {
		return with(func(s *notify.Standing) { s.Active, s.Kind = word, "" })
	}
	const lasts = "!"
	for name, looks := range map[string][]struct {
		now  notify.Standing
		want string
	}{
		"stays up":                 {{up, ""}, {up, ""}},
		"is reloading":             {{up, ""}, {active("reloading"), ""}, {up, ""}},
		"comes up":                 {{active("activating"), "is still starting"}, {up, ""}},
		"comes up anew":            {{active("activating"), "is still starting"}, {theirs, ""}, {theirs, ""}},
		"is not there":             {{active("inactive"), "is not running"}},
		"is stopped":               {{up, ""}, {active("deactivating"), "is just ending"}, {active("inactive"), "is not running"}},
		"dies":                     {{up, ""}, {died, "failed: exit status 1"}, {died, "failed: exit status 1" + lasts}},
		"dies for a moment":        {{up, ""}, {died, "failed: exit status 1"}, {waits, "failed, and systemd starts it again: exit status 1"}, {again, "ended, and systemd has started it again" + lasts}},
		"was started again":        {{up, ""}, {again, "ended, and systemd has started it again" + lasts}, {again, "ended, and systemd has started it again" + lasts}},
		"was started again before": {{again, ""}, {again, ""}},
		"somebody restarts it":     {{up, ""}, {theirs, "has just been restarted by somebody else"}, {theirs, ""}},
		"somebody restarts it after it was started again before": {{again, ""}, {up, "has just been restarted by somebody else"}, {up, ""}},
		"somebody restarts it, and it dies":                      {{up, ""}, {theirs, "has just been restarted by somebody else"}, {again, "ended, and systemd has started it again" + lasts}},
		"somebody starts it":                                     {{active("inactive"), "is not running"}, {theirs, ""}},
		"a job that is done":                                     {{job("inactive"), ""}},
		"a job that remains":                                     {{job("active"), ""}},
		"a job at work":                                          {{job("activating"), "is still at work"}, {job("inactive"), ""}},
		"a socket":                                               {{other("active"), ""}},
		"a socket that is stopped":                               {{other("inactive"), "is not running"}},
		"a socket that failed":                                   {{other("failed"), "failed"}},
		"in maintenance":                                         {{active("maintenance"), "is not running"}},
	} {
		t.Run(name, func(t *testing.T) {
			var now notify.Standing
			read := 0
			w := &unitWatch{Unit: Unit{Unit: "u"}, begun: time.Now(),
				ask:  func(context.Context, string, string) (notify.Standing, error) { return now, nil },
				read: func(context.Context, string, time.Time) []byte { read++; return []byte("last words") },
			}
			before, texts := "", 0
			for i, look := range looks {
				now = look.now
				failed, got := w.look(t.Context()), ""
				if failed != nil {
					got = failed.What
					if got != before {
						texts++
					}
					if before = got; failed.Lasting {
						got += lasts
					}
					if string(failed.Said.Text) != "last words" || failed.Said.Own || len(failed.Hints) == 0 {
						t.Errorf("look %d: %+v", i, failed)
					}
				} else {
					before = ""
				}
				if got != look.want {
					t.Errorf("look %d: %q; want %q", i, got, look.want)
				}
			}
			if read != texts {
				t.Errorf("the journal was read %d times for %d failures", read, texts)
			}
		})
	}
}

// Systemd may be away for a moment.
func TestUnitThatCannotBeAsked(t *testing.T) {
	away := &notify.Error{Reason: notify.Unreachable, What: "systemd does not answer on D-Bus", Hints: []string{"a hint"}}
	err := error(away)
	w := &unitWatch{Unit: Unit{Unit: "u"}, ask: func(context.Context, string, string) (notify.Standing, error) {
		return notify.Standing{Active: "active", Invocation: "a"}, err
	}}
	look := stateless(w.Unit, w.look)
	f, ok := errors.AsType[*Failure](look(t.Context()))
	if !ok || f.Error() != "unit u.service: cannot be looked at: systemd does not answer on D-Bus" || f.Lasting || len(f.Hints) != 1 || !errors.Is(f, away) {
		t.Errorf("%#v", f)
	}
	if err = nil; look(t.Context()) != nil {
		t.Error("it is there again")
	}
}

func TestUnitAtABusThatIsNotThere(t *testing.T) {
	look := Unit{Unit: "nginx", Bus: "unix:path=/nonexistent/bus"}.Begin()
	if f, ok := errors.AsType[*Failure](look(t.Context())); !ok || f.Probe != "unit nginx.service" {
		t.Errorf("%#v", f)
	}
}

func TestPanicIsAFailure(t *testing.T) {
	look := stateless(TCP{Address: "x"}, func(context.Context) *Failure { panic("a value") })
	f, ok := errors.AsType[*Failure](look(t.Context()))
	if !ok || f.Probe != "tcp x" || f.What == "" {
		t.Errorf("%#v", f)
	}
}
