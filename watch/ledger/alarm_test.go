package ledger

import (
	"testing"
	"time"
)

// trouble gives why a service's last failure is yet to be said; "": none is.
func (b *book) trouble(service string) string {
	if r, _ := b.Rollout(service); r.Trouble != nil {
		return r.Trouble.Failure
	}
	return ""
}

func (b *book) fails(service string) {
	b.Note(Event{At: time.Now(), Kind: Failed, Services: []string{service}, Failure: service + " fails"})
}

// What is yet to be said of a service goes with its files to the service that has them, and does
// not take the place of what is to be said of that one.
func TestTroubleGoesToTheHeir(t *testing.T) {
	for _, open := range []bool{false, true} {
		for _, fails := range []bool{false, true} {
			b := newBook(t)
			b.Follow(map[string][]string{"app": {"/app"}, "web": {"/web"}}, true)
			b.Alarms([]string{"app", "web"}, true)
			b.fails("app")
			want := "app fails"
			if fails {
				b.fails("web")
				want = "web fails"
			}
			if open {
				if err := b.Drain("web", []string{"/web"}, false); err != nil {
					t.Fatal(err)
				}
			}
			if err := b.Flush(); err != nil {
				t.Fatal(err)
			}
			b.restart()
			b.Follow(map[string][]string{"web": {"/app", "/web"}}, true)
			b.Alarms([]string{"web"}, true)
			if got := b.trouble("web"); got != want {
				t.Errorf("open %v, fails %v: %q is to be said, want %q", open, fails, got, want)
			}
			if r, is := b.Rollout("web"); is != open || r.Drained != open {
				t.Errorf("open %v, fails %v: %+v", open, fails, r)
			}
		}
	}
}

// What is yet to be said of a service that the config has with a fault stays; of one that it does
// not have any more, or of which nobody is to hear, it is forgotten.
func TestTroubleOfAServiceThatIsLeftOut(t *testing.T) {
	b := newBook(t)
	all := map[string][]string{"app": {"/app"}, "web": {"/web"}}
	both := []string{"app", "web"}
	b.Follow(all, true)
	b.Alarms(both, true)
	b.fails("app")
	b.fails("web")
	if err := b.Flush(); err != nil {
		t.Fatal(err)
	}
	b.restart()
	b.Follow(map[string][]string{"web": {"/web"}}, false)
	b.Alarms(nil, false)
	if b.trouble("app") != "app fails" || b.trouble("web") != "" {
		t.Errorf("left out: %q; nobody hears: %q", b.trouble("app"), b.trouble("web"))
	}
	b.Follow(map[string][]string{"web": {"/web"}}, true)
	b.Alarms([]string{"web"}, true)
	if got := b.trouble("app"); got != "" {
		t.Errorf("of a service that is no more %q is to be said", got)
	}
}
