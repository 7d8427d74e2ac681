package ledger

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/disk/faulty"
)

// rolledOut says how far rollouts have come: "app unproven 1 drained /f".
func (b *book) rolledOut() string {
	var list []string
	for _, r := range b.Rollouts() {
		text := r.Service + " " + string(r.Stage)
		if r.Change != "" {
			text += " " + r.Change
		}
		if r.Drained {
			text += " drained"
		}
		list = append(list, strings.Join(append([]string{text}, r.Paths...), " "))
	}
	return strings.Join(list, ", ")
}

// rollOut begins a change of files that is to be seen to be well.
func (b *book) rollOut(was Rollout, service, change string, paths ...string) error {
	is := Rollout{Service: service, Stage: Unproven, Change: change, Since: time.Unix(1, 0), Paths: paths}
	return b.Begin(renames(paths...), paths, Event{Kind: Changed, Services: []string{service}, Paths: paths}, &Succession{was, is})
}

// step does one thing: "change SERVICE CHANGE PATH…", "over …", that is begun by who saw nothing
// of what is on record, "judge SERVICE STAGE", "drain SERVICE PATH…", "undrain SERVICE", "told
// DEPENDENT PATH…", "forfeit SERVICE", "follow SERVICE:PATH SERVICE:PATH…", "left-out …",
// "suspect SERVICE PATH…".
func (b *book) step(text string) error {
	words := strings.Fields(text)
	of := Rollout{}
	if len(words) > 1 {
		of, _ = b.Rollout(words[1])
	}
	switch words[0] {
	case "change":
		return b.rollOut(of, words[1], words[2], words[3:]...)
	case "over":
		return b.rollOut(Rollout{}, words[1], words[2], words[3:]...)
	case "judge":
		is := of
		if is.Stage = Stage(words[2]); words[2] == "settled" {
			is = Rollout{Service: of.Service, Paths: of.Paths}
		}
		judged, err := b.Judge(of, is, is.Stage == Retold, Event{Kind: Unhealthy})
		if err == nil && !judged {
			return errors.New("not judged")
		}
		return err
	case "drain":
		return b.Drain(words[1], words[2:], false)
	case "undrain":
		return b.Drain(words[1], nil, true)
	case "told":
		return b.Acknowledge(words[1], b.Owed(words[1], words[2:]), Event{At: time.Unix(1, 0)})
	case "forfeit":
		b.Forfeit(words[1], of.Drained)
	case "suspect":
		b.Suspect(words[1], words[2:])
	case "follow", "left-out":
		services := make(map[string][]string)
		for _, w := range words[1:] {
			name, path, _ := strings.Cut(w, ":")
			services[name] = append(services[name], path)
		}
		b.Follow(services, words[0] == "follow")
	default:
		return fmt.Errorf("%s?", text)
	}
	return nil
}

// stays tells whether what a step does is so until the process ends, whatever becomes of the write.
func stays(step string) bool {
	word, _, _ := strings.Cut(step, " ")
	return slices.Contains([]string{"forfeit", "suspect", "follow", "left-out", "told"}, word)
}

// Every move of a rollout. Each is tried as it is, with a kill after each step, and with each write
// failing before it succeeds: what failed has not happened.
func TestRollouts(t *testing.T) {
	for name, move := range map[string]struct {
		steps []string
		want  string // rollouts; who is owed what
		fails string // the error of the last step
	}{
		"a change begins":                     {steps: []string{"change app 1 /f"}, want: "app unproven 1 /f; a /f"},
		"and is well":                         {steps: []string{"change app 1 /f", "told a /f", "judge app settled"}, want: "; "},
		"it is told once more":                {steps: []string{"change app 1 /f", "told a /f", "judge app retold"}, want: "app retold 1 /f; a /f"},
		"and is well then":                    {steps: []string{"change app 1 /f", "told a /f", "judge app retold", "told a /f", "judge app settled"}, want: "; "},
		"its old files are to be back":        {steps: []string{"change app 1 /f", "told a /f", "judge app reverting"}, want: "app reverting 1 /f; "},
		"they are well":                       {steps: []string{"change app 1 /f", "told a /f", "judge app reverted", "judge app rejected"}, want: "app rejected 1 /f; "},
		"the config is as it was before":      {steps: []string{"change app 1 /f", "told a /f", "judge app rejected", "judge app settled"}, want: "; "},
		"it stays":                            {steps: []string{"change app 1 /f", "told a /f", "judge app unwell"}, want: "app unwell 1 /f; "},
		"another change comes":                {steps: []string{"change app 1 /f", "told a /f", "judge app retold", "change app 2 /f"}, want: "app unproven 2 /f; a /f"},
		"who has seen the one before begins":  {steps: []string{"change app 1 /f", "over app 2 /f"}, want: "app unproven 1 /f; a /f", fails: ErrJudged.Error()},
		"of two services":                     {steps: []string{"change app 1 /f", "change web 1 /g", "judge app settled"}, want: "web unproven 1 /g; a /f /g"},
		"what is done before it":              {steps: []string{"drain app /f"}, want: "app  drained /f; "},
		"and after it":                        {steps: []string{"drain app /f", "undrain app"}, want: "; "},
		"a change that was made ready for":    {steps: []string{"drain app /f", "change app 1 /f"}, want: "app unproven 1 drained /f; a /f"},
		"and was well":                        {steps: []string{"drain app /f", "change app 1 /f", "judge app settled"}, want: "app  drained /f; a /f"},
		"and is over":                         {steps: []string{"drain app /f", "change app 1 /f", "judge app settled", "undrain app", "told a /f"}, want: "; "},
		"and was rejected":                    {steps: []string{"drain app /f", "change app 1 /f", "judge app rejected", "told a /f", "undrain app"}, want: "app rejected 1 /f; "},
		"made ready over another":             {steps: []string{"change app 1 /f", "drain app /f"}, want: "app unproven 1 drained /f; a /f"},
		"the service is renamed":              {steps: []string{"follow app:/f", "change app 1 /f", "follow new:/f"}, want: "new unproven 1 /f; a /f"},
		"it is made ready under its old name": {steps: []string{"follow app:/f", "follow new:/f", "drain app /f"}, want: "new  drained /f; "},
		"it changes under its old name":       {steps: []string{"follow app:/f", "follow new:/f", "change app 1 /f"}, want: "new unproven 1 /f; a /f"},
		"renamed, and changed under its old name": {
			steps: []string{"follow app:/f", "drain app /f", "follow new:/f", "over app 1 /f"}, want: "new unproven 1 drained /f; a /f"},
		"the service loses its files": {steps: []string{"follow app:/f", "change app 1 /f", "follow app:/g new:/f"}, want: "app unproven 1 /g; a /f"},
		"a file goes to another, then it is renamed": {
			steps: []string{"follow app:/f app:/g", "drain app /f", "change app 1 /f /g", "follow app:/g new:/f", "follow web:/g new:/f"}, want: "web unproven 1 drained /g; a /f /g"},
		"one that has most of its files gets it": {
			steps: []string{"follow app:/f app:/g app:/h", "change app 1 /f /g /h", "follow a:/f new:/g new:/h"}, want: "new unproven 1 /f /g /h; a /f /g"},
		"the service is gone":                  {steps: []string{"follow app:/f web:/g", "change app 1 /f", "follow web:/g"}, want: "; a /f"},
		"the service is left out":              {steps: []string{"follow app:/f web:/g", "change app 1 /f", "left-out web:/g"}, want: "app unproven 1 /f; a /f"},
		"it goes to one that has one":          {steps: []string{"follow app:/f web:/g", "change app 1 /f", "change web 2 /g", "follow web:/g web:/f"}, want: "web unproven 2 /g; a /f /g"},
		"the config does not ask for it":       {steps: []string{"change app 1 /f", "forfeit app"}, want: "; a /f"},
		"but for what was done before it":      {steps: []string{"drain app /f", "change app 1 /f", "forfeit app"}, want: "app  drained /f; a /f"},
		"nothing was lost":                     {steps: []string{"suspect app /f"}, want: "; "},
		"verdict on a service without rollout": {steps: []string{"judge app settled"}, want: "; "},
	} {
		for _, kills := range []bool{false, true} {
			for _, fails := range []bool{false, true} {
				var fail atomic.Bool
				b := newBook(t)
				b.Close()
				b.system = faulty.System(disk.Host, func(s faulty.Step) error {
					if fail.Load() && s.Op == "create" {
						return unix.EIO
					}
					return nil
				})
				b.open(false)
				b.adopt("/f:a, /g:a")
				var err error
				for i, step := range move.steps {
					before := b.rolledOut() + "; " + b.owed()
					wanted := i == len(move.steps)-1 && move.fails != ""
					if fails && !stays(step) && !wanted {
						fail.Store(true)
						failed := b.step(step)
						fail.Store(false)
						if got := b.rolledOut() + "; " + b.owed(); failed != nil && got != before {
							t.Errorf("%s: %s fails, and there is %q, want %q", name, step, got, before)
						}
					}
					if err = b.step(step); err != nil && !wanted {
						t.Errorf("%s: %s: %v", name, step, err)
					}
					if kills {
						if err := b.Flush(); err != nil {
							t.Fatal(err)
						}
						followed := b.services
						b.restart()
						b.adopt("/f:a, /g:a")
						b.services = followed
					}
				}
				if got := b.rolledOut() + "; " + b.owed(); got != move.want || move.fails != "" && (err == nil || err.Error() != move.fails) {
					t.Errorf("%s (kills %v, writes fail %v): %q, want %q; %v", name, kills, fails, got, move.want, err)
				}
				b.Close()
			}
		}
	}
}

// A verdict is on the change that was looked at, and on no later one.
func TestVerdictIsOnItsChange(t *testing.T) {
	b := newBook(t)
	b.adopt("/f:a")
	if err := b.step("change app 1 /f"); err != nil {
		t.Fatal(err)
	}
	seen, _ := b.Rollout("app")
	if err := b.step("change app 2 /f"); err != nil {
		t.Fatal(err)
	}
	for _, stage := range []Stage{Settled, Retold, Reverting, Unwell} {
		is := seen
		is.Stage = stage
		if judged, err := b.Judge(seen, is, true, Event{}); judged || err != nil {
			t.Errorf("%q: judged %v, %v", stage, judged, err)
		}
	}
	if got := b.rolledOut(); got != "app unproven 2 /f" {
		t.Error(got)
	}
	before := b.record()
	now, _ := b.Rollout("app")
	if judged, err := b.Judge(now, now, false, Event{}); !judged || err != nil || b.record() != before {
		t.Errorf("a verdict that is on record: %v, %v; written again: %v", judged, err, b.record() != before)
	}
}

// A verdict whose write fails takes nothing back that was put on record after it.
func TestFailedVerdictBesideAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var writes atomic.Int32
		b := newBook(t)
		b.Close()
		release := make(chan struct{})
		b.system = faulty.System(disk.Host, func(s faulty.Step) error {
			if s.Op == "create" && writes.Add(1) == 2 {
				<-release
				return unix.EIO
			}
			return nil
		})
		b.open(false)
		b.adopt("/f:a")
		if err := b.step("change app 1 /f"); err != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		var verdict, begun error
		both.Go(func() { verdict = b.step("judge app reverting") })
		synctest.Wait()
		both.Go(func() { begun = b.step("drain app /f") })
		synctest.Wait()
		close(release)
		both.Wait()
		if verdict == nil || begun != nil {
			t.Errorf("the verdict: %v, the change: %v", verdict, begun)
		}
		b.restart()
		if r, _ := b.Rollout("app"); !r.Drained {
			t.Errorf("what was begun is not on record: %s", b.rolledOut())
		}
	})
}

// Where the line of a rollout is damaged it is lost, and nothing else is: what is to be done after
// a change is done once more, once, by who does not know of its own.
func TestDamagedRollout(t *testing.T) {
	for name, damage := range map[string]func(string) string{
		"a line": func(s string) string { return strings.Replace(s, `{"service":"app"`, `{"service":"abb"`, 1) },
		"it is missing": func(s string) string {
			return s[:strings.IndexByte(s, rolloutMark)] + s[strings.LastIndexByte(s, rolloutMark):]
		},
		"its mark": func(s string) string { return strings.Replace(s, "%", "&", 1) },
	} {
		b := newBook(t)
		b.adopt("/f:a, /g:a")
		for _, step := range []string{"drain app /f", "change app 1 /f", "drain web /g", "change web 1 /g", "told a /f /g"} {
			if err := b.step(step); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(b.path(), []byte(damage(b.record())), 0o600); err != nil {
			t.Fatal(err)
		}
		b.restart()
		b.adopt("/f:a, /g:a")
		suspect := func() {
			for _, step := range []string{"follow app:/f new:/g idle:/i", "suspect app /f", "suspect new /g", "suspect idle /i"} {
				if err := b.step(step); err != nil {
					t.Fatal(err)
				}
			}
		}
		suspect()
		if got := b.rolledOut(); got != "app  drained /f, idle  drained /i, new unproven 1 drained /g" {
			t.Errorf("%s: %s", name, got)
		}
		for _, service := range []string{"app", "idle"} {
			if err := b.step("undrain " + service); err != nil {
				t.Fatal(err)
			}
		}
		suspect() // as at a reload
		if got := b.rolledOut(); got != "new unproven 1 drained /g" {
			t.Errorf("%s: in the end %s", name, got)
		}
		b.restart()
		b.adopt("/f:a, /g:a")
		suspect()
		if got := b.rolledOut(); got != "new unproven 1 drained /g" {
			t.Errorf("%s: after a restart %s", name, got)
		}
	}
}

// A record of before there were rollouts has none, and nothing is suspected.
func TestRecordWithoutRollouts(t *testing.T) {
	b := newBook(t)
	b.adopt("/f:a")
	b.change("/f")
	if strings.Contains(b.record(), "rollout") || strings.Contains(b.record(), string(rolloutMark)) {
		t.Errorf("a record without rollouts speaks of them: %s", b.record())
	}
	b.restart()
	b.adopt("/f:a")
	b.Suspect("app", []string{"/f"})
	if got := b.rolledOut(); got != "" || b.owed() != "a /f" {
		t.Errorf("%s; owed %s", got, b.owed())
	}
}
