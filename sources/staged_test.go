package sources

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// labelled answers for secrets by "name" and "name:label", each with its version; what begins with
// ! is the reason of an error.
type labelled map[string]string

func (l labelled) Fetch(_ context.Context, refs []Ref, deliver func(Ref, Result)) {
	for _, r := range refs {
		version, there := l[r.Text()]
		switch reason, fails := strings.CutPrefix(version, "!"); {
		case fails:
			deliver(r, Result{Err: &Error{Ref: r, Reason: Reason(reason)}})
		case !there:
			deliver(r, Result{Err: &Error{Ref: r, Reason: Missing}})
		default:
			deliver(r, Result{Value: Value{Text: "text of " + version, Version: version}})
		}
	}
}

// What is being rotated in is the current version, and what is current now the previous one. What
// is in no rotation stays as it is.
func TestStaged(t *testing.T) {
	secrets := labelled{
		"a": "a2", "a:AWSPREVIOUS": "a1", "a:AWSPENDING": "a3", "a:blue": "a0",
		"over": "o2", "over:AWSPREVIOUS": "o1", "over:AWSPENDING": "o2",
		"idle": "i2", "idle:AWSPREVIOUS": "i1",
		"first": "f1", "first:AWSPENDING": "f2",
		"new:AWSPENDING": "n1",
		"shut":           "s2", "shut:AWSPREVIOUS": "s1", "shut:AWSPENDING": "!" + string(Denied),
	}
	for label, want := range map[string]map[string]string{
		"AWSPENDING": {
			"a": "a3", "a:AWSPREVIOUS": "a2", "a:AWSPENDING": "a3", "a:blue": "a0",
			"over": "o2", "over:AWSPREVIOUS": "o1", "over:AWSPENDING": "o2",
			"idle": "i2", "idle:AWSPREVIOUS": "i1", "idle:AWSPENDING": "!" + string(Missing),
			"first": "f2", "first:AWSPREVIOUS": "f1",
			"new": "n1", "new:AWSPREVIOUS": "!" + string(Missing),
			"none": "!" + string(Missing), "none:AWSPREVIOUS": "!" + string(Missing),
			"shut": "!" + string(Denied), "shut:AWSPREVIOUS": "!" + string(Denied),
		},
		"AWSPREVIOUS": {"a": "a1", "a:AWSPREVIOUS": "a2", "a:AWSPENDING": "a3", "first": "f1", "first:AWSPREVIOUS": "!" + string(Missing)},
		"blue":        {"a": "a0", "a:AWSPREVIOUS": "a2", "a:blue": "a0", "idle": "i2", "idle:AWSPREVIOUS": "i1"},
	} {
		ask := func(texts ...string) (map[string]string, []Stage) {
			s := &Staged{Source: secrets, Label: label}
			var refs []Ref
			for _, text := range texts {
				r, err := ParseRef(Secret, text)
				if err != nil {
					t.Fatal(err)
				}
				refs = append(refs, r)
			}
			got := make(map[string]string)
			s.Fetch(t.Context(), refs, func(r Ref, result Result) {
				if _, twice := got[r.Text()]; twice {
					t.Errorf("%s: %s is delivered twice", label, r)
				}
				if got[r.Text()] = result.Value.Version; result.Err != nil {
					got[r.Text()] = "!" + string(result.Err.Reason)
				}
			})
			return got, s.Found()
		}
		got, _ := ask(slices.Collect(maps.Keys(want))...)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, all at once (-want +got):\n%s", label, diff)
		}
		for text, version := range want {
			got, found := ask(text)
			if got[text] != version || len(got) != 1 {
				t.Errorf("%s: %s alone is %v, want %s", label, text, got, version)
			}
			for _, f := range found {
				if f.Ref.Text() != text || f.Version != version || strings.HasSuffix(text, ":"+PreviousLabel) {
					t.Errorf("%s: %s is found as %+v", label, text, f)
				}
			}
		}
	}
}
