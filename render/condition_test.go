package render

import (
	"strings"
	"testing"
)

// truthsOf gives what a template says of its conditions.
func truthsOf(t *testing.T, body string) (list []string) {
	t.Helper()
	tmpl, faults := Parse(Options{Main: Text{Name: "t", Body: body}, Dir: "/", Vars: abroadVars()})
	if len(faults) > 0 {
		t.Fatalf("%s: %v", body, faults)
	}
	for _, f := range tmpl.TextConditions() {
		list = append(list, f.Text())
	}
	return list
}

// A text that is no sign of anything is said to be none, with what asks for true, and what is shown
// can stand in its place.
func TestTextsAsConditions(t *testing.T) {
	for body, want := range map[string]string{
		`«{{ if secret "m" "enabled" }}»x{{ end }}`:                                      `{{ if eq (secret "m" "enabled") "true" }}`,
		`«{{- if secret "m" "tls.enabled" -}}»x{{ else }}y{{ end }}`:                     `{{- if eq (secret "m" "tls.enabled") "true" -}}`,
		`«{{ if secret "m" "useTLS" }}»x{{ end }}`:                                       `{{ if eq (secret "m" "useTLS") "true" }}`,
		`«{{ if not (secret "m" "debug") }}»x{{ end }}`:                                  `{{ if not (eq (secret "m" "debug") "true") }}`,
		`«{{ if and .value (secret "m" "is_on") }}»x{{ end }}`:                           `{{ if and .value (eq (secret "m" "is_on") "true") }}`,
		`«{{ if and .value (or (secret "m" "is_on") (not (param "/x"))) }}»x{{ end }}`:   `{{ if and .value (or (eq (secret "m" "is_on") "true") (not (eq (param "/x") "true"))) }}`,
		`{{ if .value }}«{{ else if param "/app/x" }}»x{{ end }}`:                        `{{ else if eq (param "/app/x") "true" }}`,
		`«{{ if "/app/x" | param }}»x{{ end }}`:                                          `{{ if "/app/x" | param | eq "true" }}`,
		`«{{ if secret "m" }}»x{{ end }}`:                                                `{{ if eq (secret "m") "true" }}`,
		`«{{ if secretOr "false" "m" "k" }}»x{{ end }}`:                                  `{{ if eq (secretOr "false" "m" "k") "true" }}`,
		`«{{ if paramOr "0" "/x" }}»x{{ end }}`:                                          `{{ if eq (paramOr "0" "/x") "true" }}`,
		`«{{ if paramOr "" "/app/debug" }}»x{{ end }}`:                                   `{{ if eq (paramOr "" "/app/debug") "true" }}`,
		`{{ $x := param "/x" }}«{{ if $x }}»x{{ end }}`:                                  `{{ if eq $x "true" }}`,
		`{{ $x := param "/x" }}«{{ if not $x }}»x{{ end }}`:                              `{{ if not (eq $x "true") }}`,
		`{{ with params "/app" }}«{{ if .debug }}»x{{ end }}{{ end }}`:                   `{{ if eq .debug "true" }}`,
		`{{ define "p" }}«{{ if . }}»x{{ end }}{{ end }}{{ template "p" (param "/x") }}`: `{{ if eq . "true" }}`,
	} {
		from, to := strings.Index(body, "«"), strings.Index(body, "»")
		before, after := body[:from], body[to+len("»"):]
		said := truthsOf(t, before+body[from+len("«"):to]+after)
		if len(said) == 0 || !strings.Contains(said[0], "\n  "+want+"\n") || !strings.HasPrefix(said[0], "t:1:") {
			t.Errorf("%s: want %s, not %q", body, want, said)
			continue
		}
		for _, line := range strings.Split(said[0], "\n")[3:] {
			for _, hint := range hintsIn(line) {
				if again := truthsOf(t, before+hint+after); len(again) > 0 {
					t.Errorf("%s: %s: %q", body, hint, again)
				}
			}
		}
	}
	for _, body := range []string{ // which ask whether a text is empty, or what JSON says
		`{{ if secret "m" "replica_host" }}x{{ end }}`, `{{ if not (secret "m" "island") }}x{{ end }}`, `{{ if secretOr "" "m" "k" }}x{{ end }}`, `{{ if paramOr "" "/app/key" }}x{{ end }}`,
		`{{ if secretMap "m" "enabled" }}x{{ end }}`, `{{ if eq (secret "m" "enabled") "true" }}x{{ end }}`, `{{ with param "/x" }}{{ . }}{{ end }}`, `{{ or (param "/x") "y" }}`, `{{ if file "/x/enabled" }}x{{ end }}`,
		`{{ if and .value (secret "m" "k") }}x{{ end }}`, `{{ if $x := param "/x" }}{{ $x }}{{ end }}`, `{{ if hasKey (secretMap "m") "enabled" }}x{{ end }}`, `{{ if param "/x" | trim }}x{{ end }}`, `{{ if .value }}x{{ end }}`,
		`{{ range paramList "/x" }}{{ if . }}x{{ end }}{{ end }}`, `{{ if (secretMap "m").enabled }}x{{ end }}`, `{{ if secretOr "none" "m" "k" }}x{{ end }}`,
	} {
		if said := truthsOf(t, body); len(said) > 0 {
			t.Errorf("%s: %q", body, said)
		}
	}
}

// In a template with delimiters of its own it is said with them.
func TestConditionsInOwnDelimiters(t *testing.T) {
	tmpl, faults := Parse(Options{Main: Text{Name: "t", Body: `[[ if param "/x" ]]x[[ end ]]`}, Left: "[[", Right: "]]"})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	want := []string{`[[ if eq (param "/x") "true" ]]`, `paramOr "" "/x" is empty where it does not exist`}
	if got := tmpl.TextConditions(); len(got) != 1 || strings.Join(got[0].Hints, "\n") != strings.Join(want, "\n") {
		t.Errorf("%v", got)
	}
}
