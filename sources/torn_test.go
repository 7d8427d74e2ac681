package sources

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// turning answers every ref of a thing with another version each time; what has no thing stays.
type turning struct {
	things map[string]string // by name
	asked  []string
}

func (s *turning) Fetch(_ context.Context, refs []Ref, deliver func(Ref, Result)) {
	<-time.After(time.Second)
	for _, r := range refs {
		s.asked = append(s.asked, r.Name)
		version := fmt.Sprint("v", len(s.asked))
		v := Value{Text: version, Version: version}
		if thing := s.things[r.Name]; thing != "" {
			v.Read = map[string]string{thing: version, "labels of " + version: "current"}
		}
		if r.Kind == Params {
			v.Version = ""
		}
		deliver(r, Result{Value: v})
	}
}

func TestTorn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &turning{things: map[string]string{"name": "thing", "arn": "thing", "/path": "thing", "other": "another"}}
		name, arn, path := Ref{Kind: Secret, Name: "name"}, Ref{Kind: Secret, Name: "arn"}, Ref{Kind: Params, Name: "/path"}
		other, plain := Ref{Kind: Secret, Name: "other"}, Ref{Kind: Secret, Name: "plain"}
		snap := NewSnapshot(source, 10*time.Second)
		if torn := snap.Torn([]Ref{name, arn}); torn != nil {
			t.Errorf("%v are torn before they are answered", torn)
		}
		for _, r := range []Ref{name, arn, other, plain} {
			if _, err := snap.Get(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		if torn := snap.Torn([]Ref{name, other, plain}); torn != nil {
			t.Errorf("%v are torn, though each is another thing", torn)
		}
		torn := snap.Torn([]Ref{plain, arn, other, name})
		if !slices.Equal(torn, []Ref{arn, name}) {
			t.Fatalf("%v are torn", torn)
		}
		again := snap.Again(t.Context(), torn)
		a, _ := again.Get(t.Context(), arn)
		n, _ := again.Get(t.Context(), name)
		if a.Text != n.Text || a.Text != "v5" {
			t.Errorf("two names of one thing give %s and %s", a.Text, n.Text)
		}
		if v, _ := again.Get(t.Context(), other); v.Text != "v3" {
			t.Errorf("what is not torn was asked for again")
		}
		if torn := again.Torn([]Ref{arn, name, other, plain}); torn != nil {
			t.Errorf("%v are torn still", torn)
		}
		if v, _ := snap.Get(t.Context(), arn); v.Text != "v2" {
			t.Errorf("the older snapshot changed to %s", v.Text)
		}
		// A path is read from several things: it is asked for by itself, and may be torn once more.
		if _, err := again.Get(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		third := again.Again(t.Context(), again.Torn([]Ref{name, arn, path}))
		p, _ := third.Get(t.Context(), path)
		n, _ = third.Get(t.Context(), name)
		if p.Text == n.Text || len(third.Torn([]Ref{name, path})) != 2 {
			t.Errorf("the path gives %s, the name %s", p.Text, n.Text)
		}
		// The time of all of them counts together: 4 + 1 + 1 + 1 s are over.
		_, err := third.Get(t.Context(), Ref{Kind: Secret, Name: "late"})
		third.mu.Lock()
		defer third.mu.Unlock()
		if err != nil || third.spent < 7*time.Second {
			t.Errorf("spent %v, %v", third.spent, err)
		}
	})
}

// What was made of a value is kept with it, and not of one that is asked for again.
func TestJSONOfWhatIsAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		snap := NewSnapshot(&turning{}, 0)
		torn, whole := Ref{Kind: Secret, Name: "torn"}, Ref{Kind: Secret, Name: "whole"}
		var checked []string
		read := func(s *Snapshot, r Ref) string {
			if _, err := s.Get(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			text, err := s.JSON(r, func(text []byte) error {
				checked = append(checked, string(text))
				return fmt.Errorf("it is %s", text)
			})
			return fmt.Sprintf("%s: %v", text, err)
		}
		for range 2 {
			if a, b := read(snap, torn), read(snap, whole); a != "v1: it is v1" || b != "v2: it is v2" {
				t.Errorf("%s, %s", a, b)
			}
		}
		again := snap.Again(t.Context(), []Ref{torn})
		for range 2 {
			if a, b := read(again, torn), read(again, whole); a != "v3: it is v3" || b != "v2: it is v2" {
				t.Errorf("asked again: %s, %s", a, b)
			}
		}
		if !slices.Equal(checked, []string{"v1", "v2", "v3"}) {
			t.Errorf("checked were %v", checked)
		}
	})
}
