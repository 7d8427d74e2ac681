package yamltext

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// Each kind of error of yaml.v3 at the first line and below it: it numbers lines in three ways.
// CANARY stands where a value may.
func TestPlaces(t *testing.T) {
	for _, c := range []struct{ text, place, what string }{
		// The parser: lines from 0, those of what is around.
		{"a: [CANARY, 2\n", "1:0", "lacks a comma or its ]"},
		{"x: 1\na: [CANARY, 2\nb: 1\n", "2:0", "lacks a comma or its ]"},
		{"x: 1\n\na: {b: CANARY\nc: 1\n", "3:0", "lacks a comma or its }"},
		{"k: [a: b: CANARY]\n", "1:0", "lacks a comma or its ]"},
		{"a:\n  b: CANARY\n c: 1\n", "3:0", "no part of what stands above"},
		{"x:\n  a:\n    b: 1\n    d: 1\n    - CANARY\n", "5:0", "no part of what stands above"},
		{"x: 1\na: 'it's CANARY'\n", "2:0", "no part of what stands above"},
		{"x: 1\na: \"b\" CANARY\n", "2:0", "no part of what stands above"},
		{"x: 1\ny: 1\n]\n", "3:0", "no part of what stands above"},
		{"x:\n  - a\n  - b\n  b: CANARY\n", "4:0", "an element of the list above"},
		{"- a\n- b\nc: CANARY\n", "3:0", "an element of the list above"},
		{"x: 1\na: ]\n", "2:0", "a value is missing here"},
		{"a: }\n", "1:0", "a value is missing here"},
		{"x: 1\na: !e!x CANARY\n", "2:0", "an unknown tag"},
		{"%YAML 3.0\n---\na: 1\n", "1:0", "not YAML 1.1"},
		{"a: 1\n...\nb\n...\n%YAML 1.1\nc\n", "3:0", "begins with ---"},
		// The scanner: lines from 1, none for the first.
		{"x: 1\ny:\n\tCANARY: 1\n", "3:1", "a tab"},
		{"\ta: CANARY\n", "1:1", "a tab"},
		{"x: 1\nl:\n  -\tCANARY: 1\n  \t- 2\n", "3:4", "a tab"},
		{"x: 1\ny: CANARY\n\tdef: 1\n", "3:1", "a tab"},
		{"x: 1\ny: CANARY\n  a\n  b\n \tdef: 1\n", "5:2", "a tab"},
		{"x: 1\ny: |\n\tCANARY\n", "3:1", "a tab"},
		{"x: 1\ny: \"CANARY\nz: 1\n", "2:0", "a quote begins here"},
		{"y: 'CANARY\nz: 1\n", "1:0", "a quote begins here"},
		{"x: \"a\n---\nCANARY\"\n", "1:0", "closed before ---"},
		{`x: "CANARY\q"`, "1:0", `a \ in the text`},
		{"x: 1\ny: \"\n  CANARY\\q\"\n", "2:0", `a \ in the text`},
		{`x: "C:\users\CANARY"`, "1:0", "is not whole"},
		{"x: 1\nCANARY\ny: 1\n", "2:0", "a key without a colon"},
		{"CANARY\ny: 1\n", "2:0", "a colon stands"},
		{"a: b: CANARY\n", "1:0", "a colon stands"},
		{"x: 1\nb: c: CANARY\n", "2:0", "a colon stands"},
		{"x: 1\na: * CANARY\n", "2:4", "begins with * or & must be quoted"},
		{"a: */5 * * *\n", "1:4", "begins with * or & must be quoted"},
		{"x: 1\na: @CANARY\n", "2:4", "cannot begin like this"},
		{"é: 1\nü: [a, `b`]\n", "2:8", "cannot begin like this"},
		{"x: 1\na: !<CANARY c\n", "2:0", "a tag or directive"},
		{"%FOO\n", "1:0", "a line that begins with %"},
		{"x: 1\na: >CANARY\n b\n", "2:0", "the text begins on the next line"},
		{"x: 1\na: |0\n CANARY\n", "2:0", "is 1 to 9"},
		{"x: 1\na: - CANARY\n", "2:0", "a list cannot begin here"},
		{"y: ? CANARY\n", "1:0", "begins with ?"},
		// Without any line.
		{"# *CANARY\nx: \"*CANARY\"\ny: [*CANARY]\nz: *CANARY\n", "3:5", "no anchor"},
		{"x: 1\ny: a\x01CANARY\n", "2:5", "a control character"},
		{"x: 1\ny: é\xffCANARY\n", "2:5", "not UTF-8"},
		{"\xff\xfea\x00", "1:0", "UTF-16"},
		{"[", "1:0", "a value is missing"},
		{"a: [\n", "1:0", "a value is missing"},
		// What a person meant.
		{"x: 1\ny: {{ .CANARY }}/b\n", "2:4", "no part"},
		{"x: 1\ny: [{{ .CANARY }\n", "2:0", "a map begins"},
		// Neither the mark at the beginning nor the ends of lines count.
		{"\ufeffa: @b\n", "1:4", "cannot begin"},
		{"\ufeffx: 1\r\na: [CANARY\r\n", "2:0", "lacks a comma"},
		{"a: 1\n---\nb: [\n---\nc: 1\n", "4:0", "a value is missing"},
	} {
		_, e := Documents([]byte(c.text))
		if e == nil {
			t.Errorf("%q is YAML", c.text)
			continue
		}
		if place := fmt.Sprintf("%d:%d", e.Line, e.Column); place != c.place || !strings.Contains(e.What, c.what) {
			t.Errorf("%q: %s %q, want %s %q", c.text, place, e.What, c.place, c.what)
		}
		if strings.Contains(e.Error()+e.Hint, "CANARY") {
			t.Errorf("%q is quoted: %v, %s", c.text, e, e.Hint)
		}
	}
}

func TestBraces(t *testing.T) {
	for text, column := range map[string]int{
		"a:\n- content: \"{{ secret \"s\" }}\"\n  path: x\n":             12,
		"a: {content: \"x={{ secret \"s\" }}\", path: x}\n":              14,
		"a: [\"{{ secret \"s\" \"k\" | envQuote }}\"]\n":                 5,
		"a:\n  - \"{{ .x }}\"\n  - \"{{ if eq .x \"y\" }}z{{ end }}\"\n": 5,
	} {
		if _, e := Documents([]byte(text)); e == nil || e.Column != column || !strings.Contains(e.Hint, "single quotes") {
			t.Errorf("%q: %+v, want column %d", text, e, column)
		}
	}
	for _, text := range []string{"a: {{ .x }}/b\n", "x: 1\n- {{ .y }} z\n", "a: [ {{ .x }}]b\n"} {
		if _, e := Documents([]byte(text)); e == nil || !strings.Contains(e.Hint, "{{") {
			t.Errorf("%q: %v", text, e)
		}
	}
}

func TestDocuments(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "# nothing\n": 0, "\ufeff": 0, "a: 1\n": 1, "---\na: 1\n...\n": 1, "\ufeffa: 1\r\n---\r\nb: 1\r\n": 2, "a\n---\n": 2,
	} {
		documents, e := Documents([]byte(text))
		if e != nil || len(documents) != want {
			t.Errorf("%q: %d documents, %v, want %d", text, len(documents), e, want)
		}
	}
}

// A large text is not parsed again and again for the place.
func TestLarge(t *testing.T) {
	text := "a:\n  b: 1\n" + strings.Repeat("  # x\n", searched/6) + " c: 1\n"
	if _, e := Documents([]byte(text)); e == nil || e.Line != 1 {
		t.Errorf("got %v", e)
	}
}

// Whatever the bytes, Documents returns; a place lies in the text, and no run of it is quoted.
func FuzzDocuments(f *testing.F) {
	for _, seed := range []string{"a: [1, {b: c}]\n", "a: &x 1\nb: *x\n---\n- |\n  c\n", "x:\n  - a\n  b: 1\n", "? a\n: \"\\u00e9\"\n", "%TAG ! x\n--- !a b\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		documents, e := Documents(data)
		if e == nil {
			for _, d := range documents {
				if len(d.Content) != 1 {
					t.Errorf("%q: a document of %d nodes", data, len(d.Content))
				}
			}
			return
		}
		lines := strings.Split(strings.TrimSuffix(string(Text(data)), "\n"), "\n")
		if e.Line < 0 || e.Line > len(lines) || e.Column < 0 || e.Column > 0 && e.Column > utf8.RuneCountInString(lines[e.Line-1])+1 {
			t.Errorf("%q: line %d, column %d", data, e.Line, e.Column)
		}
		said := e.Error() + e.Hint
		for i := 0; i+12 <= len(data); i++ {
			if strings.Contains(said, string(data[i:i+12])) {
				t.Fatalf("%q quotes %q", said, data)
			}
		}
	})
}

func TestOwnTag(t *testing.T) {
	for text, want := range map[string]bool{
		"a": true, "1": true, "!!str 1": true, "! a": true, "2026-01-02": true, "[a]": true, "{a: b}": true, "!!map {a: b}": true,
		"!vault a": false, "!env [a]": false, "!x {a: b}": false, "!!set {a}": false, "!!str [a]": false, "!<tag:yaml.org,2002:str> a": true,
	} {
		documents, e := Documents([]byte(text))
		if e != nil {
			t.Fatal(e)
		}
		if got := OwnTag(documents[0].Content[0]); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}
