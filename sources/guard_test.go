package sources

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// broken answers what is good, and breaks down over the rest with a value on its lips.
type broken struct{}

func (broken) Fetch(_ context.Context, refs []Ref, deliver func(Ref, Result)) {
	for _, r := range refs {
		if r.Name != "good" {
			panic("the value is c4n4ry")
		}
		deliver(r, Result{Value: Value{Text: "fine"}})
	}
}

// A source that panics fails those lookups that it has not answered, says nothing of a value, and
// stops no other source.
func TestSourceThatPanics(t *testing.T) {
	other := &scripted{pause: func(Ref) time.Duration { return 0 }, asked: make(map[Ref]int)}
	for name, source := range map[string]Source{"in a snapshot": broken{}, "in a mux": Mux{{broken{}, []Kind{Secret}}, {other, []Kind{Param}}}} {
		snap := NewSnapshot(source, 0)
		good, bad := Ref{Kind: Secret, Name: "good"}, Ref{Kind: Secret, Name: "bad"}
		snap.Want(t.Context(), []Ref{good, bad})
		if v, err := snap.Get(t.Context(), good); err != nil || v.Text != "fine" {
			t.Errorf("%s: the good one gives %v", name, err)
		}
		_, err := snap.Get(t.Context(), bad)
		if e, ok := errors.AsType[*Error](err); !ok || e.Reason != Unavailable || !strings.Contains(e.Detail, "panic of string in sources.broken.Fetch") ||
			strings.Contains(e.Error()+strings.Join(e.Hints, " "), "c4n4ry") {
			t.Errorf("%s: the bad one gives %v", name, err)
		}
		if _, err := snap.Get(t.Context(), Ref{Kind: Param, Name: "x"}); (err == nil) != (name == "in a mux") {
			t.Errorf("%s: the other source gives %v", name, err)
		}
	}
}
