package watch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/ledger"
)

// The history says what each change is for, and who asked; the version before is that of the entry
// before, across restarts.
func TestHistorySaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		svc := w.service("app", "@every 10m", nil, "f", `{{ secret "s" }}`)
		svc.Settings = "1"
		w.values.set("s", "one")
		w.start()
		set := func(text string, then func()) {
			t.Helper()
			w.values.set("s", text)
			then()
			w.after(5 * time.Second)
			w.want("f", text)
		}
		set("two", func() { w.loop.For("alice").Refresh() })
		set("three", func() {
			w.loop.Announced([]sources.Change{{Kind: sources.Secret, Name: "s", Version: "version of three", Message: "m-1"}})
		})
		set("four", func() { w.after(10 * time.Minute) })
		set("five", func() {
			if _, _, err := w.loop.For("SIGHUP").ReloadAndWait(context.Background()); err != nil {
				t.Error(err)
			}
		})
		w.stop()
		w.values.set("s", "six")
		w.start()
		again := func(settings, body string) {
			t.Helper()
			w.plan = &Plan{Source: w.values}
			w.service("app", "@every 10m", nil, "f", body).Settings = settings
			if _, err := w.loop.For("bob").Reload(context.Background()); err != nil {
				t.Error(err)
			}
			w.after(time.Second)
		}
		again("1", `new {{ secret "s" }}`)
		again("2", `newer {{ secret "s" }}`)
		var got []string
		last := ""
		for _, e := range w.state.Ledger.History() {
			if e.Kind != ledger.Changed {
				continue
			}
			got = append(got, fmt.Sprint(e.Trigger))
			for _, r := range e.Refs {
				if r.From != last {
					t.Errorf("%s after %s: %v", r.From, last, e)
				}
				last = r.To
			}
		}
		const want = "[{start  } {refresh  alice} {queue m-1 } {schedule  } {reload  SIGHUP} {start  } {template  bob} {config  bob}]"
		if fmt.Sprint(got) != want || last != "version of six" {
			t.Errorf("%v, %s", got, last)
		}
	})
}

// Of a file that somebody else had changed or taken away, and that is put right, history and log
// say so; not of what a look changes for another reason.
func TestHistorySaysWhoElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.service("app", "@every 10m", nil, "f", `{{ secret "s" }}`, "g", "{{ secret `t` }}")
		w.values.set("s", "one")
		w.values.set("t", "one")
		w.start()
		for _, change := range []func(){
			func() { w.write("f", "by hand") },
			func() { os.Remove(w.path("g")) },
			func() { w.values.set("s", "two") },
			func() { w.write("f", "by hand"); w.values.set("s", "three") },
			func() { w.write("f", "by hand"); w.values.set("t", "two") },
		} {
			change()
			w.after(10 * time.Minute)
		}
		var got []string
		for _, e := range w.state.Ledger.History() {
			for i, path := range e.Restored {
				e.Restored[i] = filepath.Base(path)
			}
			got = append(got, fmt.Sprint(len(e.Paths), e.Restored))
		}
		if want := "2 [] 1 [f] 1 [g] 1 [] 1 [] 2 [f]"; strings.Join(got, " ") != want {
			t.Errorf("%s; want %s", strings.Join(got, " "), want)
		}
		if n := w.logged("file ", "somebody else had changed it"); n != 3 {
			t.Errorf("the log says so %d times:\n%s", n, w.log.String())
		}
	})
}
