package watch

import (
	"context"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/redact"
	"github.com/rendered/rendered/watch/notify"
)

// A talker prints a text, and what stands in a file, and may fail.
type talker struct {
	name  string
	says  func() string
	own   bool
	how   command.OutputPolicy
	fails atomic.Bool
}

func (a *talker) Name() string { return a.name }

func (a *talker) Target() string { return a.name }

func (a *talker) Do(context.Context, notify.Change) (notify.Output, error) {
	var err error
	if a.fails.Load() {
		err = errRefused
	}
	return notify.Output{Text: []byte(a.says()), Own: a.own, Policy: a.how}, err
}

func text(s string) func() string { return func() string { return s } }

// After a restart nobody knows a value before the lookups. What an owed notice prints then is shown
// when they are over.
func TestOutputOfARetryAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.values.set("s", "first-Canary-0")
		a := &talker{name: "a", says: text("it reads first-Canary-0 and stops")}
		a.fails.Store(true)
		w.service("app", "@every 1h", nil, "f", `{{ secret "s" }}`).Dependents = []notify.Action{a}
		w.redactor = redact.New()
		w.start()
		w.stop()
		if w.logged("it reads ‹value› and stops") != 1 {
			t.Errorf("before:\n%s", w.log.String())
		}
		w.log.Reset()
		w.redactor = redact.New() // another process has its own
		w.values.delay("s", 10*time.Second)
		w.start()
		w.after(9 * time.Second)
		if strings.Contains(w.log.String(), "Canary") {
			t.Errorf("before the lookup is over:\n%s", w.log.String())
		}
		w.after(2 * time.Second)
		if w.logged("it reads ‹value› and stops") == 0 {
			t.Errorf("after it:\n%s", w.log.String())
		}
		w.stop()
		w.log.Reset()
		w.redactor = redact.New()
		w.values.refuse("s", sources.Denied)
		w.start()
		w.after(time.Minute)
		if strings.Contains(w.log.String(), "Canary") || w.logged("‹output withheld: what is secret") == 0 {
			t.Errorf("without the value:\n%s", w.log.String())
		}
	})
}

// Versions before, values of other services on other schedules and what a file held at the start
// are as secret as the present value.
func TestOutputHoldsNobodysSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for _, name := range []string{"s", "other", "late"} {
			w.values.set(name, name+"-Canary-1")
		}
		if err := os.WriteFile(w.path("f"), []byte("KEY=planted-Canary-0\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		// The last word is other late-Canary-1 in base64.
		said := "planted-Canary-0 s-Canary-1 S-CANARY-2 o t h e r - C a n a r y - 1 other-Canary-2 dGhlciBsYXRlLUNhbmFyeS0x"
		a := &talker{name: "a", says: text(said)}
		w.service("other", "@every 1h", nil, "g", `{{ secret "other" }}`)
		w.service("late", "@every 7m", nil, "h", `{{ secret "late" }}`)
		w.service("app", "@every 1m", nil, "f", "KEY={{ secret \"s\" }}\n").Dependents = []notify.Action{a}
		w.redactor = redact.New()
		w.start()
		w.values.set("other", "other-Canary-2")
		w.after(2 * time.Hour)
		w.log.Reset()
		w.values.set("s", "s-Canary-2")
		w.after(2 * time.Minute)
		const want = "text=\"‹value› dGhlci‹value›\"" // dGhlci is "ther"
		if w.logged(want) != 1 {
			t.Errorf("want %s:\n%s", want, w.log.String())
		}
	})
}

// What a file held is secret though its template looks nothing up any more and everybody may read
// what it makes, unless everybody could read the file before.
func TestOutputHoldsNoOldSecretOfAPublicFile(t *testing.T) {
	for mode, want := range map[os.FileMode]string{0o600: "it had ‹value›", 0o640: "it had ‹value›", 0o644: "it had planted-Canary-0"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			if err := os.WriteFile(w.path("f"), []byte("KEY=planted-Canary-0\n"), mode); err != nil {
				t.Fatal(err)
			}
			s := w.service("app", "@every 1h", nil, "f", "KEY=none\n")
			s.Files[0].Mode, s.Files[0].KeepMode = 0o644, false
			s.Dependents = []notify.Action{&talker{name: "a", says: text("it had planted-Canary-0")}}
			w.redactor = redact.New()
			w.start()
			if w.logged(want) != 1 {
				t.Errorf("%o: want %s:\n%s", mode, want, w.log.String())
			}
		})
	}
}
