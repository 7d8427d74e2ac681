package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/internal/e2e/breakdown"
	"github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/watch/ledger"
)

// A rehearsal is a service with a change that is never well, which is put back.
type rehearsal struct {
	*live
	n    int    // of the change
	good string // what the file holds at last
}

const rehearsalConfig = `state_dir: state
schedule: '@every 1h'
settle: 1ms
services:
  site:
    files:
      - {path: f, template: f.tmpl, mode: 0640, check: 'test -f {} && while test -e blocked; do sleep 0.02; done'}
      - {path: new, template: new.tmpl}
      - {path: of-secret, content: '{{ secret "s" "k" }}'}
    before: echo before >>around
    after: echo after >>around
    notify: [{run: 'head -n 1 f >>told'}]
    healthy: {run: 'head -n 1 f | grep -q ^good && test ! -e slow'}
    healthy_for: 10ms
    healthy_within: 500ms
`

// pad makes a file of several pages: a torn write would show.
var pad = strings.Repeat("-", 20<<10)

func newRehearsal(t *testing.T) *rehearsal {
	t.Helper()
	t.Parallel()
	r := &rehearsal{live: newLive(t, os.Geteuid())}
	r.write("rendered.yaml", rehearsalConfig)
	r.aws.PutSecret("s", `{"k": "v"}`)
	r.good = r.put("good")
	d := r.start()
	until(t.Fatalf, "the first file is well", func() bool { return strings.Contains(r.read("around"), "after") && r.settled("") })
	r.end(d)
	return r
}

// put changes the templates, and gives what the first is to become.
func (r *rehearsal) put(kind string) string {
	r.t.Helper()
	r.n++
	text := fmt.Sprintf("%s %d\n%s\n%[2]d\n", kind, r.n, pad)
	r.write("new.tmpl", fmt.Sprintf("%s %d\n", kind, r.n))
	r.write("f.tmpl", text)
	return text
}

// settled tells whether nothing is owed, nobody drained, and the rollout has come so far, by what
// is on record; "" being that none is open.
func (r *rehearsal) settled(stage string) bool {
	is, owed := r.onRecord()
	return is != nil && !owed && string(is.Stage) == stage && !is.Drained
}

// reaches tells whether the rollout has come so far.
func (r *rehearsal) reaches(stage ledger.Stage) bool {
	is, _ := r.onRecord()
	return is != nil && is.Stage == stage
}

// onRecord gives the rollout that is on record, and whether anybody is owed a notice; nil where the
// record cannot be read, being replaced.
func (r *rehearsal) onRecord() (is *ledger.Rollout, owed bool) {
	text := r.read("state/" + ledger.Name)
	if text == "" {
		return nil, false
	}
	is = new(ledger.Rollout)
	for line := range strings.Lines(text) {
		mark, rest, _ := strings.Cut(line, " ")
		switch {
		case strings.HasPrefix(mark, "%"):
			if json.Unmarshal([]byte(rest), is) != nil {
				return nil, false
			}
		case strings.HasPrefix(rest, `{"path"`):
			owed = true
		}
	}
	return is, owed
}

// killed has a daemon take up a change that is never well, and kills it. It gives false where all
// was over before.
func (r *rehearsal) killed(env string, after time.Duration) bool {
	r.t.Helper()
	d := r.start(env)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = d.Wait()
	}()
	kill := time.AfterFunc(after, func() { _ = d.Process.Kill() })
	defer kill.Stop()
	over := false
	until(r.t.Fatalf, "the daemon is dead", func() bool {
		select {
		case <-gone:
			return true
		default:
		}
		if over = r.over(); over {
			_ = d.Process.Kill()
			<-gone
		}
		return over
	})
	d.bury()
	if status := d.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGKILL {
		r.t.Errorf("the daemon ended by itself: %v", d.ProcessState)
	}
	return !over
}

// over tells whether the present change was rolled back, and all that follows is done.
func (r *rehearsal) over() bool {
	return r.settled("rejected") && strings.Contains(r.read("told"), fmt.Sprint("bad ", r.n)) && strings.HasSuffix(r.read("around"), "after\n")
}

// back changes the templates to what they were when the service was well.
func (r *rehearsal) back() {
	r.t.Helper()
	first, _, _ := strings.Cut(r.good, "\n")
	r.write("new.tmpl", first+"\n")
	r.write("f.tmpl", r.good)
}

// survives checks what is there after a kill, and what the next daemon makes of it, which for the
// state current has the templates of before. The one after that tells nobody, and finds the service
// in the state.
func (r *rehearsal) survives(bad, state string) {
	r.t.Helper()
	if f := r.read("f"); f != r.good && f != bad {
		r.t.Errorf("after the kill there is neither the old nor the new file, but %d bytes: %.20q…", len(f), f)
	}
	over := r.over
	if state == "current" {
		r.back()
		over = func() bool { return r.settled("") && strings.HasSuffix(r.read("around"), "after\n") }
	}
	d := r.start()
	until(func(format string, a ...any) {
		r.t.Errorf("%s; around %q, told %q, on record:\n%s", fmt.Sprintf(format, a...), r.read("around"), r.read("told"), r.read("state/"+ledger.Name))
	}, "the old file is in place, told and well", func() bool { return r.stands().State != "" && over() })
	r.end(d)
	if f := r.read("f"); f != r.good {
		r.t.Errorf("at last there is %.20q…", f)
	}
	if info := must(os.Stat(r.path("f"))); info.Mode() != 0o640 {
		r.t.Errorf("its mode is %v", info.Mode())
	}
	if f := r.read("new"); !strings.HasPrefix(f, "good") {
		r.t.Errorf("beside it there is %q", f)
	}
	first, _, _ := strings.Cut(r.good, "\n")
	if !strings.HasSuffix(r.read("told"), first+"\n") {
		r.t.Errorf("told was %q", r.read("told"))
	}
	if state == "current" {
		r.keepsNothing()
	} else if kept := must(os.ReadDir(r.path("state/former"))); len(kept) != 2 || must(kept[0].Info()).Mode() != 0o600 {
		r.t.Errorf("of what was before the change there is kept %v", kept)
	}
	for _, dir := range []string{".", "state"} {
		for _, e := range must(os.ReadDir(r.path(dir))) {
			if strings.HasPrefix(e.Name(), ".rendered-") {
				r.t.Errorf("%s is left in %s", e.Name(), dir)
			}
		}
	}
	told := r.read("told")
	d = r.start()
	until(r.t.Fatalf, "it has looked", func() bool { return r.stands().State == state })
	r.end(d)
	if again := r.read("told"); again != told || r.read("f") != r.good {
		r.t.Errorf("one look more tells %q", strings.TrimPrefix(again, told))
	}
}

// TestRollbackWithoutAWS kills the daemon when it has told everybody twice, or is about to put the
// old file back. The next one has no AWS to ask: what is on record is enough.
func TestRollbackWithoutAWS(t *testing.T) {
	r := newRehearsal(t)
	for _, stage := range []ledger.Stage{ledger.Unproven, ledger.Retold, ledger.Reverted} {
		bad := r.put("bad")
		d := r.start()
		until(t.Fatalf, "the change is "+string(stage), func() bool { return r.reaches(stage) })
		d.kill(t)
		back := r.aws.Inject(awsfake.Fault{Kind: awsfake.Deny, Name: "s"})
		r.survives(bad, "failing")
		if back(); t.Failed() {
			t.Fatalf("killed when it was %s", stage)
		}
	}
}

// TestRollbackOfWhatIsMended has templates mended while the daemon is dead that was about to put
// the old files back: the next one does that, and looks at the templates at once.
func TestRollbackOfWhatIsMended(t *testing.T) {
	r := newRehearsal(t)
	r.put("bad")
	d := r.start()
	until(t.Fatalf, "the change is in place", func() bool { return r.reaches(ledger.Unproven) })
	r.write("blocked", "")
	until(t.Fatalf, "the old files are to be put back", func() bool { return r.reaches(ledger.Reverting) })
	_ = d.Process.Kill()
	_ = d.Wait()
	if err := os.Remove(r.path("blocked")); err != nil { // a check may wait for that, and outlive the daemon
		t.Fatal(err)
	}
	d.kill(t)
	want := r.put("good")
	d = r.start()
	until(t.Fatalf, "the mended file is well", func() bool { return r.read("f") == want && r.settled("") })
	r.becomes("current", "")
	r.end(d)
	if told := r.read("told"); !strings.HasSuffix(told, fmt.Sprintf("good %d\n", r.n)) {
		t.Errorf("told was %q", told)
	}
	if around := r.read("around"); !strings.HasSuffix(around, "after\n") {
		t.Errorf("around is %q", around)
	}
	r.keepsNothing()
}

// TestRollbackOfWhatIsAsBefore has templates changed back while the daemon is dead that has put the
// old files back: the next one finds nothing that is not as it is to be.
func TestRollbackOfWhatIsAsBefore(t *testing.T) {
	r := newRehearsal(t)
	r.put("bad")
	r.write("slow", "")
	d := r.start()
	until(t.Fatalf, "the old files are put back", func() bool { return r.reaches(ledger.Reverted) })
	d.kill(t)
	if err := os.Remove(r.path("slow")); err != nil {
		t.Fatal(err)
	}
	r.back()
	d = r.start()
	r.becomes("current", "")
	r.end(d)
	r.keepsNothing()
}

// TestRollbackKilledAtEveryStep kills the daemon before each of its steps on the way from a change
// that is not well to the old file, which is told and well; without -long, before some. Every other
// time the templates are changed back meanwhile.
func TestRollbackKilledAtEveryStep(t *testing.T) {
	r := newRehearsal(t)
	states := []string{"rolled-back", "current"}
	kills, pace := 0, long.Or(40, max(1000 / *stormKills, 1))
	for step := 1 + rand.IntN(pace); ; step += pace {
		bad := r.put("bad")
		if !r.killed(fmt.Sprint(breakdown.KillAt, "=", step), time.Hour) {
			t.Logf("killed %d times, in up to %d steps", kills, step)
			break
		}
		kills++
		state := states[kills%len(states)]
		if r.survives(bad, state); t.Failed() {
			t.Fatalf("killed at step %d, and then %s", step, state)
		}
	}
	if kills < 2 {
		t.Errorf("killed %d times", kills)
	}
}

// TestRollbackKilledAnywhere kills the daemon at random moments on the same way, commands that run
// included.
func TestRollbackKilledAnywhere(t *testing.T) {
	r := newRehearsal(t)
	bad := r.put("bad")
	began := time.Now()
	r.killed("NONE=", time.Hour)
	whole := time.Since(began)
	r.survives(bad, "rolled-back")
	kills := 0
	for range long.Or(2, *stormKills/10) {
		bad := r.put("bad")
		after := rand.N(whole)
		if r.killed("NONE=", after) {
			kills++
		}
		if r.survives(bad, "rolled-back"); t.Failed() {
			t.Fatalf("killed after %v", after)
		}
	}
	t.Logf("killed %d times within %v", kills, whole)
}
