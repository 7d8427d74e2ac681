package render_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/render"
)

// Wherever a template breaks off, or loses a byte, the faults have places in it, and none is about
// what stands in for the rest. Without -long every eleventh byte is tried.
func TestBrokenTemplates(t *testing.T) {
	render.Computes(t)
	pace := long.Or(11, 1)
	cases, _ := filepath.Glob("testdata/*.txtar")
	for i, path := range cases {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		body := string(archive.Files[0].Data)
		if len(body) > 600 {
			body = body[:600]
		}
		for at := i % pace; at < len(body); at += pace {
			for _, broken := range []string{body[:at], body[:at] + body[at+1:]} {
				_, faults := render.Parse(render.Options{Main: render.Text{Name: "t", Body: broken}, Dir: "/nowhere"})
				for _, f := range faults {
					if f.Place.Line < 1 || f.Place.Line > 1+strings.Count(broken, "\n") {
						t.Errorf("%s: %q: place of %v", path, broken, f)
					}
					if strings.Contains(f.What, `"_"`) && !strings.Contains(broken, "_") {
						t.Errorf("%s: %q: %v", path, broken, f)
					}
				}
			}
		}
	}
}

// What begins and does not end is found where it begins, whatever follows.
func TestUnclosedIsFoundWhereItBegins(t *testing.T) {
	const rest = "\nmore {{ param \"/p\" }} \"quoted\" `raw` (x)\n{{ secrt }}\n"
	for _, begun := range []string{
		`{{ secret "a" "b"`, `{{ secret "a" "b" `, `{{`, `{{-`, `{{ `, `{{ secret`, `{{ if .x`, `{{- with secretMap "a" `, `{{ range $k, $v := params "/p"`,
		`{{ end`, `{{ else`, `{{ template "x" .`, `{{ define "x"`, `{{ (secret "a"`, `{{ secret "a" | envQuote`, `{{ secret "a" }`,
		"{{ secret \"a }}", "{{ secret `a }}", `{{ secret 'a }}`, `{{ (secret "a" }}`, `{{ secret "a") }}`, `{{/* why }}`, `{{/* why`, `{{- /* why }}`, `{{/* why */ }}`,
		`{{ "\" }}`, `{{ printf "%s }}`, `{{ $x := secret "a`,
	} {
		for _, body := range []string{"a\nb " + begun + rest, "a\nb " + begun + "\n"} {
			_, faults := render.Parse(render.Options{Main: render.Text{Name: "t", Body: body}})
			found, second := false, false
			for _, f := range faults {
				found = found || f.Place.Line == 2 && f.Place.Column >= 3
				second = second || strings.Contains(f.What, `"secrt"`)
			}
			if !found || !second && strings.Contains(body, "secrt") {
				t.Errorf("%q: %v", body, faults)
			}
		}
	}
}

// A text that is broken all over costs seconds.
func TestBrokenAllOver(t *testing.T) {
	render.Computes(t)
	for _, part := range []string{"{{ secret \"a\n", "{{/* x\n", "{{ end }}\n", "{{ if }}\n", "{{ if x }}\n", "{{ \n", "{{ 1 + 2 }}", "{{ ((((\n", "{{"} {
		begun := time.Now()
		_, faults := render.Parse(render.Options{Main: render.Text{Name: "t", Body: strings.Repeat(part, long.Or(1<<15, 1<<17)/len(part))}})
		took := time.Since(begun)
		if took > 30*time.Second {
			t.Errorf("%q: %v", part, took)
		}
		if len(faults) == 0 {
			t.Errorf("%q: no faults", part)
		}
	}
}
