package watch

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/render/format"
)

func formatOf(t *testing.T, name string) format.Format {
	t.Helper()
	f, err := format.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Bytes that stay as they are are parsed once, whether they are good or bad.
func TestSameBytesAreParsedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		app := w.service("app", "@every 1h", []*dependent{{name: "d"}}, "f", `{{ secret "s" }}`, "g", `{{ secret "t" }}`)
		for _, f := range app.Files {
			f.Format = formatOf(t, "json")
		}
		w.values.set("s", `{"a": 1}`)
		w.values.set("t", "1")
		wants := func(what string, n int) {
			t.Helper()
			if got := w.parsed[w.path("f")]; got != n {
				t.Errorf("%s: parsed %d times, want %d", what, got, n)
			}
		}
		w.start()
		wants("the first pass", 1)
		w.after(24 * time.Hour)
		w.values.set("t", "2") // the other file
		w.after(24 * time.Hour)
		w.want("g", "2")
		wants("nothing new", 1)

		w.values.set("s", `{"a": canary`)
		w.after(24 * time.Hour)
		w.want("f", `{"a": 1}`)
		wants("a day of failure", 2)
		if n := w.logged("level=WARN", "file="+w.path("f"), "not JSON at line 1, column 7", "secret s"); n != 1 || w.logged("level=WARN") != 1 {
			t.Errorf("%d warnings:\n%s", n, w.log.String())
		}
		w.values.set("s", `{"b": canary`)
		w.after(2 * time.Hour)
		wants("other bytes that are bad", 3)
		w.values.set("s", `{"a": 2}`)
		w.after(2 * time.Hour)
		w.want("f", `{"a": 2}`)
		wants("good ones", 4)
		w.values.set("s", `{"a": canary`)
		w.after(2 * time.Hour)
		w.want("f", `{"a": 2}`)
		wants("bad ones once more", 5)

		// What passes and is not written, for another reason, is not parsed again either.
		w.values.set("t", "canary")
		w.values.set("s", `{"a": 3}`)
		w.after(24 * time.Hour)
		w.want("f", `{"a": 2}`)
		wants("good ones beside bad ones", 6)
		w.values.set("t", `"3"`)
		w.after(2 * time.Hour)
		w.want("f", `{"a": 3}`)
		wants("good ones beside good ones", 6)

		w.stop()
		w.start()
		w.after(24 * time.Hour)
		wants("what is on disk already, after a restart", 0)
	})
}

// A plan with another format judges anew what is still to be written.
func TestAnotherFormatIsAnotherQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := []*dependent{{name: "d"}}
		w.service("app", "@every 1h", d, "f", `{{ secret "s" }}`).Files[0].Format = formatOf(t, "json")
		w.values.set("s", "a: 1")
		w.start()
		if w.content("f") == "a: 1" {
			t.Fatal("YAML passes for JSON")
		}
		w.plan = &Plan{Source: w.plan.Source, Within: w.plan.Within}
		w.service("app", "@every 1h", d, "f", `{{ secret "s" }}`).Files[0].Format = formatOf(t, "yaml")
		if err := w.loop.Reload(); err != nil {
			t.Fatal(err)
		}
		w.after(time.Minute)
		w.want("f", "a: 1")
	})
}

// A rule reads its files once. What time mends is mended all the same.
func TestRuleReadsTheSameFilesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, web, _ := tlsWorld(t)
		crt, _ := w.renew(90 * 24 * time.Hour)
		rule := "tls " + w.path("crt")
		w.start()
		w.after(24 * time.Hour)
		if n := w.parsed[rule]; n != 1 {
			t.Errorf("read %d times", n)
		}
		w.renew(24 * time.Hour) // less than valid_for
		w.after(12 * time.Hour)
		w.want("crt", crt)
		if n := w.parsed[rule]; n != 2 {
			t.Errorf("read %d times, two of them would do", n)
		}
		if w.logged("level=WARN", "expires on") != 1 {
			t.Errorf("it does not say why:\n%s", w.log.String())
		}
		w.after(24 * time.Hour)
		if n := w.parsed[rule]; n != 2 || w.logged("level=WARN", "expired on") != 1 {
			t.Errorf("read %d times, and as time goes by:\n%s", n, w.log.String())
		}
		if got, want := web.Verify[0].Paths(), []string{w.path("crt"), w.path("key")}; got[0] != want[0] || got[1] != want[1] {
			t.Errorf("%v, want %v", got, want)
		}
	})
}
