package render

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

// An index gives the places that a count from the beginning gives.
func TestLineIndex(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		var b strings.Builder
		for n := random.IntN(3 * stretch); b.Len() < n; {
			b.WriteString([]string{"a", "é", "…", "\n", "\r\n", "𝄞", "{{ x }}"}[random.IntN(7)])
		}
		body, x := b.String(), new(lineIndex)
		for offset := 0; offset <= len(body); offset += 1 + random.IntN(5) {
			for offset < len(body) && !utf8.RuneStart(body[offset]) {
				offset++
			}
			start := strings.LastIndexByte(body[:offset], '\n') + 1
			line, _, _ := strings.Cut(body[start:], "\n")
			number, begin, end := x.around(body, offset)
			if number != 1+strings.Count(body[:start], "\n") || begin != start || body[begin:end] != line || x.characters(body, begin, offset) != utf8.RuneCountInString(body[begin:offset]) {
				t.Fatalf("%q, byte %d: line %d, %d to %d, column %d", body, offset, number, begin, end, x.characters(body, begin, offset))
			}
		}
	}
}

// The place of an action takes a look at two stretches of the text, however long its line is: what
// stands elsewhere may be anything by then.
func TestPlaceTakesAStretch(t *testing.T) {
	body := strings.Repeat(`é "{{ secret "a" }}" `, 1000)
	tmpl, faults := Parse(Options{Main: Text{Name: "t", Body: body}})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	x := tmpl.texts[0].lines
	if x == nil || len(x.before) != len(body)/stretch+1 {
		t.Fatal("the lookups of a template are placed without its index")
	}
	offset := strings.LastIndex(body, "secret")
	begin := offset / stretch * stretch
	rest := strings.Repeat("\x80", begin) + body[begin:offset] + strings.Repeat("\x80", len(body)-offset)
	if got, want := x.characters(rest, 0, offset), utf8.RuneCountInString(body[:offset]); got != want {
		t.Errorf("%d characters, want %d", got, want)
	}
}
