package render_test

import (
	"slices"
	"testing"

	"github.com/rendered/rendered/render"
)

// What an action prints as it was looked up is known from the template alone.
func TestBareInsertions(t *testing.T) {
	const partial = `{{ . }}`
	for body, want := range map[string][]string{
		`{{ secret "a" }}`:                   {`t:1:4 secret a`},
		`x {{- secret "a" "k" 2 -}} y`:       {`t:1:7 secret a "k" "2"`},
		`{{ "a" | secret }}`:                 {`t:1:4 secret a`},
		`{{ (secret "a") }}`:                 {`t:1:4 secret a`},
		`{{ $x := secret "a" "k" }}{{ $x }}`: {`t:1:30 secret a "k"`},
		`{{ with secretMap "a" }}{{ .k }}{{ .k.l | toJson }}{{ end }}`:            {`t:1:28 secret a "k"`},
		`{{ with secret "a" }}{{ . }}{{ $ | print }}{{ end }}`:                    {`t:1:25 secret a`},
		`{{ (secretMap "a").k.l }}`:                                               {`t:1:4 secret a "k" "l"`},
		`{{ index (secretMap "a") "k" 0 }}`:                                       {`t:1:4 secret a "k"`},
		`{{ get (params "/p") "k" }}`:                                             {`t:1:4 params /p "k"`},
		`{{ range $k, $v := params "/p" }}{{ $k }}={{ $v }}{{ end }}`:             {`t:1:46 params /p`},
		`{{ range paramList "/p" }}{{ . }}{{ end }}`:                              {`t:1:30 param /p`},
		`{{ range secretMap "a" "l" }}{{ .h }}{{ end }}`:                          {`t:1:33 secret a "l"`},
		`{{ param "/p" }}{{ paramOr "x" "/q" }}{{ awsRegion }}`:                   {`t:1:4 param /p`, `t:1:20 param /q`, `t:1:42 aws region`},
		`{{ secret .name }}{{ secret (param "/p") }}`:                             {`t:1:4 secret a`, `t:1:22 secret`},
		`{{ template "_p" secret "a" }}`:                                          {`_p:1:4 secret a`},
		`{{ template "_p" dict "x" (secret "a") }}`:                               nil,
		`{{ secret "a" | envQuote }}{{ secret "a" | printf "%s" }}`:               nil,
		`{{ if secret "a" }}x{{ end }}{{ range secretMap "a" }}{{ end }}`:         nil,
		`{{ $x := "a" }}{{ $x = secret "a" }}{{ $x }}{{ .name }}`:                 {`t:1:40 secret a`},
		`{{ $x := "a" }}{{ if .name }}{{ $x = secret "a" }}{{ end }}{{ $x }}`:     nil, // which of the two it is, is not known
		`{{ $x := secret "a" }}{{ range .name }}{{ $x }}{{ $x = "a" }}{{ end }}`:  nil,
		`{{ $x := "a" }}{{ $x = secret "a" }}{{ $x = "b" }}{{ $x }}`:              nil,
		`{{ join "," (paramList "/p") }}{{ secretMap "a" | toJson }}`:             nil,
		`{{ secretOr "x" "a" "k" | default "y" }}{{ env "X" }}{{ 1 }}`:            nil,
		`{{ define "never" }}{{ secret "a" }}{{ end }}{{ hostname }}x`:            nil,
		`{{ range $i, $_ := paramList "/p" }}{{ $i }}{{ end }}`:                   nil,
		`{{ with $m := secretMap "a" }}{{ range $m.l }}{{ . }}{{ end }}{{ end }}`: {`t:1:50 secret a "l"`},
	} {
		tmpl, faults := render.Parse(render.Options{
			Main:     render.Text{Name: "t", Body: body},
			Partials: []render.Text{{Name: "_p", Body: partial}},
			Vars:     map[string]any{"name": "a"},
		})
		if len(faults) > 0 {
			t.Errorf("%s: %v", body, faults)
			continue
		}
		var got []string
		for _, i := range tmpl.Bare() {
			got = append(got, i.Place.String()+" "+i.Of)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}
