package fault

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	f := &Fault{Place: Place{"a.tmpl", 9, 4}, What: "it is wrong", Line: "\t\tx {{ y }}", Hints: []string{"do this", "or that"}}
	want := "a.tmpl:9:4: it is wrong\n    9 | \t\tx {{ y }}\n      | \t\t ^\n  do this\n  or that\n"
	if got := f.Text(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for p, want := range map[Place]string{{"f", 1, 2}: "f:1:2", {"f", 1, 0}: "f:1", {"f", 0, 0}: "f", {}: ""} {
		if p.String() != want {
			t.Errorf("%#v is %q", p, p.String())
		}
	}
}

// Of a long line what is around the place is shown, and the caret stands where it is.
func TestTextOfALongLine(t *testing.T) {
	for _, unit := range []string{"x", "é", "…", "\t"} {
		line := strings.Repeat(unit, 3000) + "!" + strings.Repeat(unit, 3000)
		for _, f := range []*Fault{
			{Place: Place{"a", 1, 3001}, Line: line},
			{Place: Place{"a", 1, 3001}, Line: Left + line[len(line)/2-100*len(unit):], Cut: 2899},
			{Place: Place{"a", 1, 3001}, Line: line[:len(unit)*3000+1]},
			{Place: Place{"a", 1, 11}, Line: line[len(unit)*2990:]},
		} {
			lines := strings.Split(f.Text(), "\n")
			shown, caret := []rune(lines[1]), utf8.RuneCountInString(lines[2])-1
			if len(lines[1]) > 500 || len(lines[2]) > 500 || caret >= len(shown) || shown[caret] != '!' {
				t.Errorf("%q, %d, %d: %d bytes, the caret is in column %d:\n%s\n%s", unit, f.Place.Column, f.Cut, len(lines[1]), caret, lines[1], lines[2])
			}
		}
	}
}

func TestList(t *testing.T) {
	cause := errors.New("cause")
	l := List{{Place: Place{"b", 1, 1}, What: "third"}, {Place: Place{"a", 10, 1}, What: "second"}, {Place: Place{"a", 2, 9}, What: "first", Err: cause}}
	l.Sort()
	if l.Error() != "a:2:9: first\na:10:1: second\nb:1:1: third" {
		t.Error(l.Error())
	}
	if !errors.Is(l.Err(), cause) || List(nil).Err() != nil {
		t.Error("a list is an error, and its faults' causes are its own; an empty one is none")
	}
}

func TestNear(t *testing.T) {
	words := []string{"secret", "param", "params", "path", "template", "eq"}
	for got, want := range map[string]string{
		"secrt": "secret", "sceret": "secret", "parm": "param", "tempalte": "template", "pth": "path", "ptah": "path", "key": "", "x": "", "": "", "destination": "",
	} {
		if near := Near(got, words); near != want {
			t.Errorf("%s: %q, want %q", got, near, want)
		}
	}
}
