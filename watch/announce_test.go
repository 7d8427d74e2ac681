package watch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/sources"
)

// ofSecret announces a version of the secret s.
func ofSecret(version string, at time.Time) sources.Change {
	return sources.Change{Kind: sources.Secret, Name: "s", Version: version, At: at}
}

// AWS announces a version before every read gives it: who uses the secret looks until it is there,
// and nobody else does.
func TestAnnouncedVersionIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.service("user", "@hourly", nil, "f", `{{ secret "s" }}`)
		w.service("dynamic", "@hourly", nil, "g", `{{ secret (param "/name") }}`)
		w.service("other", "@hourly", nil, "h", `{{ secret "o" }}`)
		w.values.set("s", "one")
		w.values.set("o", "o")
		w.values.set("/name", "s")
		w.start()
		other := w.values.lookups("o")
		// lookups announces a version and gives how often it was looked for within five minutes.
		lookups := func(c sources.Change) int {
			before := w.values.lookups("s")
			w.loop.Announced([]sources.Change{c})
			w.after(5 * time.Minute)
			return w.values.lookups("s") - before
		}
		first := ofSecret("version of two", time.Now())
		w.loop.Announced([]sources.Change{first})
		w.after(5 * time.Second)
		w.want("f", "one")
		asked := w.values.lookups("s")
		w.values.set("s", "two")
		w.after(5 * time.Minute)
		w.want("f", "two")
		w.want("g", "two")
		if n := w.values.lookups("s") - asked; n > 4 {
			t.Errorf("%d lookups until it was seen", n)
		}
		if n := lookups(first); n != 0 {
			t.Errorf("%d lookups for a notice that came twice", n)
		}
		if n := lookups(ofSecret("version of zero", first.At.Add(-time.Second))); n != 0 {
			t.Errorf("%d lookups for a notice that another has overtaken", n)
		}
		if n := lookups(ofSecret("version of two", time.Time{})); n != 1 {
			t.Errorf("%d lookups for a version that is there, want one for both services", n)
		}
		if n := lookups(ofSecret("version that never comes", time.Now())); n < 3 || n > 16 {
			t.Errorf("%d lookups for a version that never comes", n)
		}
		if n := w.values.lookups("o") - other; n != 0 {
			t.Errorf("the service that does not use it looked %d times", n)
		}
	})
}

// Of many versions that are announced, in whatever order, the last is waited for; within one second
// AWS does not say which is the last.
func TestLastAnnouncedVersionCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.service("user", "@hourly", nil, "f", `{{ secret "s" }}`)
		w.values.set("s", "one")
		w.start()
		now := time.Now()
		w.values.set("s", "two")
		w.loop.Announced([]sources.Change{ofSecret("version of three", now), ofSecret("version of two", now.Add(-time.Second))})
		w.after(4 * time.Second)
		w.want("f", "two") // which is not the last
		w.values.set("s", "three")
		w.after(10 * time.Second)
		w.want("f", "three")

		w.after(time.Minute)
		asked := w.values.lookups("s")
		now = time.Now()
		w.loop.Announced([]sources.Change{ofSecret("version of five", now), ofSecret("version of three", now), ofSecret("version of four", now)})
		w.after(5 * time.Minute)
		if n := w.values.lookups("s") - asked; n != 1 {
			t.Errorf("%d lookups though one of the last versions was there", n)
		}
	})
}

// A ref that only the running pass finds is heard of as well: its notice may come between the
// lookup and the end of the pass.
func TestAnnouncedWhileThePassFindsTheRef(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.service("dynamic", "@hourly", []*dependent{{name: "d", pause: 20 * time.Second}}, "f", `{{ secret (param "/name") }}`)
		w.values.set("s", "one")
		w.values.set("/name", "s")
		w.start()
		w.after(5 * time.Second) // rendered; the dependent is being told
		w.want("f", "one")
		w.values.set("s", "two")
		w.loop.Announced([]sources.Change{ofSecret("version of two", time.Now())})
		w.after(5 * time.Minute)
		w.want("f", "two")
	})
}

// Parameter Store hands secrets on under another name; their announced version is waited for, too.
// A notice from the future does not silence those after it.
func TestAnnouncedReferenceToASecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const name = "/aws/reference/secretsmanager/s"
		w := newWorld(t)
		w.service("app", "@hourly", nil, "f", `{{ param "`+name+`" }}`)
		w.values.set(name, "one")
		w.start()
		for i, value := range []string{"two", "three"} {
			w.loop.Announced([]sources.Change{{Kind: sources.Secret, Name: "s", Version: "version of " + value, At: time.Now().Add(time.Hour)}})
			w.after(time.Duration(3-i) * time.Second)
			w.values.set(name, value)
			w.after(time.Minute)
			w.want("f", value)
		}
	})
}

// Two files of two secrets that change shortly after each other are one pass, and one notice.
func TestChangesWithinSettleAreToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "app", reads: []string{w.path("f"), w.path("g")}}
		w.service("app", "@hourly", []*dependent{d}, "f", `{{ secret "s" }}`, "g", `{{ secret "t" }}`)
		change := func(text string, apart time.Duration) {
			for i, name := range []string{"s", "t"} {
				if i > 0 {
					w.after(apart)
				}
				w.values.set(name, text)
				w.loop.Announced([]sources.Change{{Kind: sources.Secret, Name: name}})
			}
			w.after(time.Minute)
		}
		w.values.set("s", "one")
		w.values.set("t", "one")
		w.start()
		change("two", w.plan.Settle/2)
		change("three", 2*w.plan.Settle)
		// The second time the second change came after the settle time: a pass fell between the
		// two.
		if want := []string{"one|one", "two|two", "three|two", "three|three"}; !slices.Equal(d.saw, want) {
			t.Errorf("the dependent saw %q, want %q", d.saw, want)
		}
	})
}

// Notices of a Region or an account in which nothing is looked up are counted, and said once,
// together.
func TestNoticesFromElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.service("app", "@hourly", nil, "f", `{{ secret "s" }}`)
		w.values.set("s", "one")
		w.start()
		w.after(time.Second)
		origin := func(r sources.Ref) (region, account string) { return "eu-west-1", "111111111111" }
		notices := func(n int, region, account string) {
			for range n {
				w.loop.Announced([]sources.Change{{Kind: sources.Secret, Name: "other", Region: region, Account: account, Origin: origin}})
				w.after(100 * time.Millisecond)
			}
		}
		notices(13, "us-east-1", "111111111111")
		notices(1, "eu-west-1", "222222222222")
		notices(20, "eu-west-1", "111111111111") // of something else
		notices(5, "", "")
		w.after(time.Minute)
		for _, said := range []string{
			"13 notices are of us-east-1, this daemon looks in eu-west-1",
			"1 notice is of account 222222222222, this daemon looks in account 111111111111",
		} {
			if w.logged(said) != 1 {
				t.Errorf("it was not said once: %s\n%s", said, w.log.String())
			}
		}
		notices(30, "us-east-1", "111111111111")
		w.after(time.Hour)
		if n := w.logged("this daemon looks in"); n != 2 {
			t.Errorf("it was said %d times:\n%s", n, w.log.String())
		}
	})
}

// Services that look up one secret and name one dependent have it told once, by a notice and by the
// schedule.
func TestServicesOfOneSecretReloadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		nginx := &dependent{name: "reload nginx.service"}
		spread := DefaultSplay(parse(t, "*/5 * * * *"))
		for i := range 20 {
			name := fmt.Sprint("site-", i)
			s := w.service(name, "*/5 * * * *", []*dependent{nginx}, name, `{{ secret "s" }}`)
			s.Splay, s.Jitter = HostSplay(spread, "machine", "host"), HostSplay(Jitter(spread, false), "machine", "host")
			nginx.reads = append(nginx.reads, w.path(name))
		}
		told := func(want string) {
			t.Helper()
			if _, _, saw, paths := nginx.so(); len(saw) != 1 || strings.Count(saw[0], want) != 20 || len(paths[0]) != 20 {
				t.Errorf("told of %d files, it found %q", len(paths), saw)
			}
			nginx.mu.Lock()
			defer nginx.mu.Unlock()
			nginx.told, nginx.at, nginx.saw = nil, nil, nil
		}
		w.values.set("s", "one")
		w.start()
		told("one")
		w.values.set("s", "two")
		w.loop.Announced([]sources.Change{{Kind: sources.Secret, Name: "s"}})
		w.after(10 * time.Second)
		told("two")
		w.values.set("s", "three")
		w.after(10 * time.Minute)
		told("three")
	})
}
