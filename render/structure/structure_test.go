package structure_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rendered/rendered/render/format"
	"github.com/rendered/rendered/render/structure"
)

// marked takes the marks ‹ and › off, between which values stand.
func marked(text string) ([]byte, []structure.Span) {
	var b strings.Builder
	var spans []structure.Span
	for {
		before, rest, found := strings.Cut(text, "‹")
		b.WriteString(before)
		if !found {
			return []byte(b.String()), spans
		}
		value, after, _ := strings.Cut(rest, "›")
		spans = append(spans, structure.Span{Start: b.Len(), End: b.Len() + len(value)})
		b.WriteString(value)
		text = after
	}
}

func check(t *testing.T, name, text string) *structure.Breach {
	t.Helper()
	f, err := format.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	content, spans := marked(text)
	if err := f.Check(content); err != nil {
		t.Errorf("%s %q: %v", name, text, err)
	}
	return structure.Check(f, content, spans, time.Time{})
}

func TestBreaches(t *testing.T) {
	n := 0
	for name, texts := range breaches {
		for text, within := range texts {
			n++
			breach := check(t, name, text)
			if breach == nil {
				t.Errorf("%s %q: passes", name, text)
			} else if breach.Within != within {
				t.Errorf("%s %q: within %d, want %d", name, text, breach.Within, within)
			}
		}
	}
	t.Logf("%d texts that break out", n)
}

func TestIntact(t *testing.T) {
	n := 0
	for name, texts := range intact {
		for _, text := range texts {
			n++
			if breach := check(t, name, text); breach != nil {
				t.Errorf("%s %q: %+v", name, text, breach)
			}
		}
	}
	t.Logf("%d texts that do not", n)
}

// Whatever the bytes and wherever values lie in them, Check returns.
func FuzzCheck(f *testing.F) {
	for name, texts := range intact {
		for _, text := range texts[:min(10, len(texts))] {
			content, spans := marked(text)
			if len(spans) > 0 {
				f.Add(name, string(content), spans[0].Start, spans[0].End)
			}
		}
	}
	f.Fuzz(func(t *testing.T, name, content string, start, end int) {
		kind, err := format.Parse(name)
		if err != nil || len(content) > 1<<12 {
			return
		}
		middle := (start + end) / 2
		structure.Check(kind, []byte(content), []structure.Span{{Start: start, End: middle}, {Start: max(middle, 0), End: end}}, time.Time{})
		structure.Check(kind, []byte(content), []structure.Span{{Start: start, End: end}}, time.Time{})
	})
}
