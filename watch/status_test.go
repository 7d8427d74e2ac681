package watch

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/internal/testpki"
	"github.com/rendered/rendered/render/format"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/ledger"
	"github.com/rendered/rendered/watch/pass"
	"github.com/rendered/rendered/watch/tell"
)

// A loop can be asked about one service alone, and without what was read.
func TestAskAbout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.service("app", "@every 1h", nil, "f", `{{ secret "s" }}`)
		w.service("bad", "@every 1h", nil, "g", `{{ secret "t" }}`)
		w.values.set("s", "1")
		w.values.refuse("t", sources.Denied)
		w.start()
		w.after(time.Minute)
		all, err := w.loop.Ask(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"bad", all.Details[1].Files[0].Path} {
			st, err := w.loop.AskAbout(t.Context(), Question{Of: name})
			if err != nil || !reflect.DeepEqual(st.Services, all.Services[1:]) || !reflect.DeepEqual(st.Details, all.Details[1:]) {
				t.Errorf("%s: %v, %+v", name, err, st)
			}
		}
		if st, err := w.loop.AskAbout(t.Context(), Question{Of: "none"}); err != nil || len(st.Services) > 0 || len(st.Details) > 0 {
			t.Errorf("%v, %+v", err, st)
		}
		st, err := w.loop.AskAbout(t.Context(), Question{Brief: true})
		for i := range all.Details {
			all.Details[i].Lookups, all.Details[i].Computed, all.Details[i].Files = nil, 0, nil
		}
		if err != nil || !reflect.DeepEqual(st, all) {
			t.Errorf("%v, %+v, want %+v", err, st, all)
		}
		w.stop()
	})
}

// A loop says how each service stands, in what it last read, and when it did what.
func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.service("app", "@every 1h", []*dependent{{name: "nginx"}}, "f", `{{ secret "s" }}{{ param "/p" }}{{ param (print "/" (secret "s")) }}`)
		w.service("bad", "@every 1h", nil, "g", `{{ secret "t" }}`)
		w.values.set("s", "1")
		w.values.set("/p", "1")
		w.values.set("/1", "1")
		w.values.set("/2", "2")
		w.values.refuse("t", sources.Denied)
		w.start()
		begun := time.Now()
		w.after(time.Minute)
		w.values.set("s", "2")
		w.loop.Refresh()
		w.after(0)
		changed := time.Now()
		w.after(time.Minute)
		st, err := w.loop.Ask(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		app, bad := st.Details[0], st.Details[1]
		switch {
		case st.Services[0].State() != Current || st.Services[1].State() != Failing:
			t.Errorf("%+v", st.Services)
		case !app.Looked.Equal(changed) || !app.Changed.Equal(changed) || !app.Files[0].Changed.Equal(changed):
			t.Errorf("at %v: %+v", changed, app)
		case app.Schedule != "@every 1h" || !app.Next.After(changed) || !app.Failing.IsZero():
			t.Errorf("%+v", app)
		case len(app.Told) != 1 || app.Told[0].Dependent != "nginx" || !app.Told[0].At.Equal(changed):
			t.Errorf("told %+v", app.Told)
		case !bad.Failing.Equal(begun) || len(bad.Hints) == 0 || !bad.Changed.IsZero():
			t.Errorf("%+v", bad)
		}
		if len(app.Lookups) != 2 || app.Computed != 1 {
			t.Fatalf("%+v", app)
		}
		want := []LookupDetail{
			{sources.Ref{Kind: sources.Secret, Name: "s"}, "v2", changed, changed, "v2"},
			{sources.Ref{Kind: sources.Param, Name: "/p"}, "v1", begun, changed, "v1"},
		}
		for i, l := range app.Lookups {
			if l.Ref != want[i].Ref || l.Version == "" || l.Live != l.Version || !l.Since.Equal(want[i].Since) || !l.Read.Equal(want[i].Read) {
				t.Errorf("%+v, want %+v", l, want[i])
			}
		}
		w.stop()
		if _, err := w.loop.Ask(t.Context()); err == nil {
			t.Error("a loop that has stopped answers")
		}
	})
}

// Whose turn it is follows from what is wrong: the values, what the template makes of them, or the
// machine.
func TestStatusSaysWhoseTurnItIs(t *testing.T) {
	const author = "the author of the template, or the owner of what it looks up"
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.values.set("s", `{"k": "a\"b", "n": null}`)
		w.values.set("t", "text")
		want := make(map[string]string)
		fails := func(name, turn, body string) *Service {
			want[name] = turn
			return w.service(name, "@every 1h", nil, name, body)
		}
		fails("missing", "the author of the template, or the owner of secret u", `{{ secret "u" }}`)
		fails("no-key", author, `{{ secret "s" "other" }}`)
		fails("null", author, `{{ secret "s" "n" }}`)
		fails("no-json", author, `{{ secret "t" "k" }}`)
		fails("fails", author, `{{ fail "no" }}`)
		fails("no-format", author, `{"k": {{ secret "s" "k" }}}`).Files[0].Format, _ = format.Parse("json")
		fails("no-directory", sources.Machine, `{{ secret "s" }}`).Files[0].Path = w.path("none/file")
		fails("undrained", sources.Machine, `{{ secret "s" }}`).Before.Args = []string{"drain"}
		w.run = func(context.Context, command.Command, command.Options) ([]byte, error) {
			return nil, &command.Error{Command: "drain", Reason: command.Exit, Code: 1}
		}
		w.start()
		w.after(time.Minute)
		st, err := w.loop.Ask(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i, d := range st.Details {
			if name := st.Services[i].Service; st.Services[i].State() != Failing || d.Turn != want[name] {
				t.Errorf("%s is %s, for %s, want %s", name, st.Services[i].State(), d.Turn, want[name])
			}
		}
	})
}

// What was before the process began is known from the history.
func TestStatusRemembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.service("app", "@every 1h", []*dependent{{name: "nginx"}}, "f", `{{ secret "s" }}`)
		w.service("bad", "@every 1h", nil, "g", `{{ secret "t" }}`)
		w.values.set("s", "1")
		w.values.refuse("t", sources.Denied)
		w.start()
		begun := time.Now()
		w.after(time.Minute)
		w.stop()
		w.values.refuse("s", sources.Unavailable)
		w.start()
		w.after(time.Minute)
		st, err := w.loop.Ask(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		app, bad := st.Details[0], st.Details[1]
		if !app.Changed.Equal(begun) || !app.Well.Equal(begun) || app.Failing.Before(begun.Add(time.Minute)) || len(app.Told) != 1 || !app.Told[0].At.Equal(begun) {
			t.Errorf("%+v", app)
		}
		if l := app.Lookups[0]; l.Version != "version of 1" || !l.Since.Equal(begun) || !l.Read.IsZero() {
			t.Errorf("%+v", l)
		}
		if !bad.Failing.Equal(begun) || bad.Turn != "the owner of this machine's role" || !bad.Well.IsZero() {
			t.Errorf("%+v", bad)
		}
		failed := 0
		for _, e := range w.state.Ledger.History() {
			if e.Kind == ledger.Failed && e.Services[0] == "bad" {
				failed++
			}
		}
		if failed != 1 {
			t.Errorf("the history says %d times that one service fails", failed)
		}
	})
}

// A version that was read, and of which no file is, is told from the one that is live: where a look
// fails, after a restart, too, and where a change was rolled back.
func TestStatusSaysWhichVersionIsLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.service("app", "@every 10s", nil, "f", `{{ secret "s" }}{{ if eq (secret "s") "bad" }}{{ fail "it is bad" }}{{ end }}`)
		want := func(version, live string) {
			t.Helper()
			w.after(20 * time.Second)
			st, err := w.loop.Ask(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if l := st.Details[0].Lookups[0]; l.Version != version || l.Live != live {
				t.Errorf("%q was read and %q is live; want %q and %q", l.Version, l.Live, version, live)
			}
		}
		w.values.set("s", "bad")
		w.start()
		want("version of bad", "")
		w.values.set("s", "one")
		want("version of one", "version of one")
		w.values.set("s", "bad")
		want("version of bad", "version of one")
		w.stop()
		w.start()
		want("version of bad", "version of one")
		w.values.set("s", "two")
		want("version of two", "version of two")
	})
	synctest.Test(t, func(t *testing.T) {
		w, _, _ := rejected(t)
		for range 2 {
			w.after(time.Minute)
			st, err := w.loop.Ask(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if l := st.Details[0].Lookups[0]; l.Version != "version of bad two" || l.Live != "version of one" {
				t.Errorf("after a change was rolled back %q was read and %q is live", l.Version, l.Live)
			}
			w.stop()
			w.start()
		}
	})
}

// An audience counts what a loop does.
type audience struct {
	looked, failed, restored, told, refused, elsewhere int
	took                                               time.Duration
}

func (a *audience) Looked(o pass.Outcome) {
	a.looked++
	a.took = max(a.took, o.Took)
	if o.Err != nil {
		a.failed++
	}
	for _, f := range o.Files {
		if f.Restored {
			a.restored++
		}
	}
}

func (a *audience) Told(n tell.Notice) {
	if a.told++; n.Err != nil {
		a.refused++
	}
}

func (a *audience) Elsewhere() { a.elsewhere++ }

// An observer hears of each look, with how long it took, and of each notice; of a file that others
// changed it hears once it is put right.
func TestObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		seen := new(audience)
		w.seen = seen
		d := &dependent{name: "nginx"}
		w.service("app", "@every 1h", []*dependent{d}, "f", `{{ secret "s" }}`)
		w.values.set("s", "1")
		w.start()
		for _, change := range []func(){
			func() { w.values.set("s", "2") },
			func() { w.write("f", "by hand") },
			func() { w.write("f", "by hand") },
			func() { w.values.refuse("s", sources.Denied) },
		} {
			change()
			w.loop.Refresh()
			w.after(time.Millisecond)
		}
		want := audience{looked: 5, failed: 1, restored: 2, told: 4}
		if got := *seen; got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	})
}

// What the first certificate in a file says stays known while the file stays as it is.
func TestCertificateOfAFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.service("app", "@every 1h", nil, "f", `{{ secret "s" }}`)
		end := time.Now().Add(72 * time.Hour).UTC().Truncate(time.Second)
		leaf := testpki.New(testpki.Leaf(time.Now(), end, "www.example.com", "203.0.113.7"), nil, nil)
		w.values.set("s", leaf.KeyPEM()+leaf.CertPEM())
		w.start()
		for _, change := range []func(){func() {}, func() { w.values.refuse("s", sources.Denied) }} {
			change()
			w.loop.Refresh()
			w.after(time.Second)
			st, err := w.loop.Ask(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			c := st.Details[0].Files[0].Certificate
			if c == nil || !c.NotAfter.Equal(end) || !slices.Equal(c.Names, []string{"www.example.com", "203.0.113.7"}) {
				t.Errorf("%+v", c)
			}
		}
		w.values.set("s", "no certificate")
		w.values.refuse("s", "")
		w.loop.Refresh()
		w.after(time.Second)
		if st, _ := w.loop.Ask(t.Context()); st.Details[0].Files[0].Certificate != nil {
			t.Error("a certificate of before")
		}
	})
}

// Who asks for a look waits for one that begins afterwards, and for the dependents that it leads
// to.
func TestRefreshNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "nginx", pause: 2 * time.Second}
		w.service("app", "@every 1h", []*dependent{d}, "f", `{{ secret "s" }}`)
		w.service("bad", "@every 1h", nil, "g", `{{ secret "t" }}`)
		w.service("other", "@every 1h", nil, "h", `{{ param "/p" }}`)
		w.values.set("s", "1")
		w.values.set("/p", "1")
		w.values.refuse("t", sources.Denied)
		w.start()
		w.after(time.Minute)
		w.values.set("s", "2")
		w.values.set("/p", "2")
		begun := time.Now()
		r, err := w.loop.RefreshNow(t.Context(), "app", "bad")
		if err != nil || len(r.Outcomes) != 2 || r.Outcomes[0].Err != nil || !r.Outcomes[0].Renewed() || r.Outcomes[1].Err == nil || !r.Failed() {
			t.Errorf("%v, %+v", err, r.Outcomes)
		}
		if len(r.Notices) != 1 || r.Notices[0].Dependent != "nginx" || r.Notices[0].Err != nil || time.Since(begun) != 2*time.Second {
			t.Errorf("after %v: %+v", time.Since(begun), r.Notices)
		}
		w.want("h", "1")
		if r, err := w.loop.RefreshNow(t.Context()); err != nil || len(r.Outcomes) != 3 {
			t.Errorf("%v, %+v", err, r)
		}
		w.want("h", "2")
	})
}

// Who asks, in whichever way, has dependents that refused told at once: it may be mended what was
// wrong. One that refuses once more is said to.
func TestAskingTellsWhoRefused(t *testing.T) {
	for name, ask := range map[string]func(*testing.T, *world){
		"refresh":        func(_ *testing.T, w *world) { w.loop.Refresh("app") },
		"refresh of all": func(_ *testing.T, w *world) { w.loop.Refresh() },
		"refresh --wait": func(t *testing.T, w *world) {
			if r, err := w.loop.RefreshNow(t.Context(), "app"); err != nil || len(r.Notices) != 1 || r.Notices[0].Held || r.Notices[0].Err != nil {
				t.Errorf("%v, %+v", err, r.Notices)
			}
		},
		"reload": func(_ *testing.T, w *world) { _ = w.loop.Reload() },
		"reload --wait": func(t *testing.T, w *world) {
			if _, r, err := w.loop.For("").ReloadAndWait(t.Context()); err != nil || len(r.Notices) != 1 || r.Notices[0].Held || r.Notices[0].Err != nil {
				t.Errorf("%v, %+v", err, r.Notices)
			}
		},
		"resume": func(_ *testing.T, w *world) {
			w.pause(time.Hour, "app")
			w.resume("app")
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				d := &dependent{name: "nginx", fails: 1000}
				w.service("app", "@every 24h", []*dependent{d}, "f", `{{ secret "s" }}`)
				w.values.set("s", "1")
				w.start()
				w.after(20 * time.Minute)
				d.mu.Lock()
				d.fails = 0
				tries := d.tried
				d.mu.Unlock()
				begun := time.Now()
				ask(t, w)
				synctest.Wait()
				d.mu.Lock()
				defer d.mu.Unlock()
				if len(d.told) != 1 || d.tried != tries+1 || time.Since(begun) > time.Second {
					t.Errorf("told %d times, tried %d times, after %v", len(d.told), d.tried-tries, time.Since(begun))
				}
			})
		})
	}
}

// What refuses again is an answer of its own, and not what is merely owed.
func TestRefreshNowSaysWhoRefusesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "nginx", fails: 1000}
		w.service("app", "@every 24h", []*dependent{d}, "f", `{{ secret "s" }}`)
		w.values.set("s", "1")
		w.start()
		w.after(20 * time.Minute)
		begun := time.Now()
		r, err := w.loop.RefreshNow(t.Context(), "app")
		if err != nil || len(r.Notices) != 1 || r.Notices[0].Err == nil || r.Notices[0].Held || time.Since(begun) > time.Second {
			t.Errorf("after %v: %v, %+v", time.Since(begun), err, r.Notices)
		}
	})
}

// One that is not told now is not waited for, and said to be owed.
func TestRefreshNowDoesNotWaitForIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "nginx"}
		w.service("app", "@every 1h", []*dependent{d}, "f", `{{ secret "s" }}`).MinInterval = time.Hour
		w.values.set("s", "1")
		w.start()
		w.values.set("s", "2")
		begun := time.Now()
		r, err := w.loop.RefreshNow(t.Context(), "app")
		if err != nil || len(r.Notices) != 1 || !r.Notices[0].Held || time.Since(begun) > time.Second {
			t.Errorf("after %v: %v, %+v", time.Since(begun), err, r.Notices)
		}
	})
}

// Who waits for services of certain names is told where they leave meanwhile; who waits for all is
// not.
func TestAwaitedServiceLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.service("app", "@every 1h", nil, "f", `{{ secret "s" }}`)
		leaving := w.service("leaving", "@every 1h", nil, "g", `{{ secret "t" }}`)
		w.values.set("s", "1")
		w.values.refuse("t", sources.Denied)
		w.start()
		var named, all, looked error
		var r Result
		var waits sync.WaitGroup
		waits.Go(func() { named = w.loop.AwaitCurrent(t.Context(), "app", "leaving") })
		waits.Go(func() { all = w.loop.AwaitCurrent(t.Context()) })
		synctest.Wait()
		w.values.delay("t", time.Minute)
		w.loop.Refresh("leaving")
		synctest.Wait()
		waits.Go(func() { r, looked = w.loop.RefreshNow(t.Context(), "app", "leaving") })
		synctest.Wait()
		w.plan = &Plan{Services: slices.DeleteFunc(slices.Clone(w.plan.Services), func(s *Service) bool { return s == leaving })}
		if err := w.loop.Reload(); err != nil {
			t.Error(err)
		}
		waits.Wait()
		if gone, is := named.(GoneError); !is || !slices.Equal(gone, []string{"leaving"}) || all != nil {
			t.Errorf("by its name: %v, all: %v", named, all)
		}
		if looked != nil || len(r.Outcomes) != 1 || !slices.Equal(r.Gone, []string{"leaving"}) {
			t.Errorf("%v: %+v", looked, r)
		}
	})
}

// Who waits for services to be current does so as long as it takes, or as he likes.
func TestAwaitCurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.service("app", "@every 1m", nil, "f", `{{ secret "s" }}`)
		w.values.refuse("s", sources.Denied)
		w.start()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := w.loop.AwaitCurrent(ctx); err != context.DeadlineExceeded {
			t.Errorf("while it fails: %v", err)
		}
		w.values.refuse("s", "")
		w.values.set("s", "1")
		if err := w.loop.AwaitCurrent(t.Context(), "app"); err != nil {
			t.Error(err)
		}
		w.want("f", "1")
		if st, err := w.loop.Ask(t.Context()); err != nil || st.Services[0].State() != Current {
			t.Errorf("%v, %+v", err, st)
		}
	})
}
