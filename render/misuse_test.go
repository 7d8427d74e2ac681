package render_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/rendered/rendered/render"
)

func faultsOf(body string) string {
	_, faults := render.Parse(render.Options{Main: render.Text{Name: "t", Body: body}, Dir: "/", Vars: map[string]any{"name": "a"}})
	var b strings.Builder
	for _, f := range faults {
		b.WriteString(f.Text())
	}
	return b.String()
}

var written = regexp.MustCompile(`\{\{.*\}\}`)

// Templates of other programs, as people have them, are refused without asking anybody; what is
// advised in their place is a template.
func TestTemplatesOfOtherPrograms(t *testing.T) {
	for _, body := range []string{
		`{{ with secret "secret/data/x" }}{{ .Data.data.y }}{{ end }}`,
		`{{- with secret "secret/x" -}}{{ .Data.y }}{{- end -}}`,
		`{{ with $s := secret "secret/x" }}{{ $s.Data.y }}{{ end }}`,
		`{{ with secret "secret/x" }}{{ range $k, $v := .Data.data }}{{ $k }}={{ $v }}{{ end }}{{ end }}`,
		`{{ with secret "secret/x" }}{{ .Data | toJson }}{{ end }}`,
		`{{ with secret "secret/x" }}{{ if .Data.y }}{{ .Data.y | envQuote }}{{ end }}{{ end }}`,
		`{{ $s := secret "secret/x" }}{{ range $name := list "a" "b" }}{{ index $s.Data.data $name }}{{ end }}`,
		`{{ (secret "secret/x").Data.data.y | trim }}`,
		`{{ secret "pki/issue/x" "common_name=a" }}`,
		`{{ secret "transit/encrypt/k" "plaintext=eA==" "context=x" }}`,
		`{{ with secret "database/creds/x" }}{{ .Data.username }}:{{ .Data.password }}{{ end }}`,
		`{{ with pkiCert "pki/issue/x" "common_name=a" }}{{ .Cert }}{{ .Key }}{{ end }}`,
		`{{ range secrets "secret/" }}{{ . }}{{ end }}`,
		`{{ range ls "app/config" }}{{ .Key }}={{ .Value }}{{ end }}`,
		`{{ range tree "app" }}{{ .Key }}{{ end }}`,
		`{{ range service "web" }}server {{ .Address }}:{{ .Port }};{{ end }}`,
		`{{ key "app/port" }}`, `{{ keyOrDefault "app/port" "80" }}`, `{{ with node }}{{ .Node.Address }}{{ end }}`,
		`{{ getv "/x" "default" }}`, `{{ range gets "/x/*" }}{{ .Value }}{{ end }}`, `{{ range $d := ls "/x" }}{{ getv (printf "/x/%s" $d) }}{{ end }}`,
		`{{ $data := json (getv "/x") }}{{ $data.host }}`, `{{ range jsonArray (getv "/x") }}{{ . }}{{ end }}`, `{{ if exists "/x" }}{{ get "/x" }}{{ end }}`,
		`{{ getenv "X" "y" }}`, `{{ (datasource "config").host }}`, `{{ .Values.x | quote }}`, `{{ include "x" . | nindent 4 }}`, `{{ .Env.X }}`,
		`{{ secretMap "pki/issue/x" "common_name=a" }}`, `{{ secretOr "" "a" "ttl=1h" }}`, `{{ paramList "/x" | envQuote }}`, `{{ params "/x" | yamlQuote }}`, `{{ paramList "/x" | upper }}`,
		`{{ (index (list (secret "a")) 0).Data.y }}`, `{{ .Files.Get "x" }}`,
		`{{ lookup('aws_secret', 'x') }}`, `{{ x | default('y') }}`, `{{ item.name }}`, `{{ name }}`,
		`{{ now | date "2006" }}`, `{{ index (secret "a") "b" }}`, `{{ get (param "/a") "b" }}`, `{{ index (secret "a") 0 }}`, `{{ keys (secret "a") }}`, `{{ dotenv (secret "a") }}`,
		`{{ range secret "a" }}{{ . }}{{ end }}`, `{{ range $k, $v := secretOr "x" "a" "b" }}{{ end }}`, `{{ range params "/a" }}{{ .Value }}{{ end }}`,
		`{{ params "/a" }}`, `{{ paramList "/a" }}`, `{{ (param "/a").Value }}`, `{{ with param "/a" }}{{ .Value }}{{ end }}`, `{{ (imds "x").y }}`,
	} {
		said := faultsOf(body)
		if said == "" {
			t.Errorf("%s passes", body)
		}
		for line := range strings.Lines(said) {
			advice := written.FindString(line)
			if advice == "" || strings.Contains(line, " | {{") || strings.Contains(line, "DEFAULT") || strings.Contains(line, "_part") ||
				strings.Contains(advice, "$d") || advice == "{{ .x }}" { // that is the case's own
				continue
			}
			if again := faultsOf(strings.NewReplacer(".text", ".name", ".list", ".name", ".value", ".name").Replace(advice)); again != "" {
				t.Errorf("%s: %s: %s", body, advice, again)
			}
		}
	}
}

// What can work is let through.
func TestWhatCanWorkPasses(t *testing.T) {
	for _, body := range []string{
		`{{ with secretMap "a" }}{{ .Data.data.y }}{{ .Value }}{{ end }}`, `{{ $m := secret "a" | fromJson }}{{ $m.Data }}`, `{{ secret "secret/data/a" "y" }}`,
		`{{ range secretMap "a" }}{{ .x }}{{ end }}`, `{{ (secretMap "a" "b").c.d }}`, `{{ with params "/a" }}{{ .x }}{{ index . "b/c" }}{{ end }}`,
		`{{ (paramsTree "/a").x.y }}`, `{{ index (paramList "/a") 0 }}`, `{{ range $i, $x := paramList "/a" }}{{ $i }}{{ $x }}{{ end }}`,
		`{{ join "," (secretMap "a" "list") }}`, `{{ dotenv (secretMap "a") }}`, `{{ dotenv (params "/a") }}`, `{{ keys (params "/a") | join "," }}`, `{{ secret "a" "A=1" | print }}`,
		`{{ $x := secretMap "a" }}{{ if true }}{{ $x = dict "y" "z" }}{{ end }}{{ $x.y }}`, `{{ len (secret "a") }}`, `{{ eq (secret "a") "x" }}`, `{{ slice (secret "a") 0 1 }}`,
		`{{ define "x" }}{{ if kindIs "map" . }}{{ .y }}{{ else }}{{ . }}{{ end }}{{ end }}{{ template "x" secret "a" }}`, `{{ range splitList "," (secret "a") }}{{ . }}{{ end }}`,
		`{{ get . "Values" "x" }}`, `{{ printf "%s" (secret "a") }}`, `{{ has "x" (paramList "/a") }}`, `{{ default "x" (secret "a") }}`, `{{ first (paramList "/a") }}`,
		`{{ index (list "a" (secret "b")) 1 }}`, `{{ paramList "/a" | toJson }}`, `{{ params "/a" | toJson }}`, `{{ range $x := paramList "/a" }}{{ $x | envQuote }}{{ end }}`,
		`{{ printf "%v" (paramList "/a" | len) }}`, `{{ $m := dict "a" (secretMap "b") }}{{ $m.a.c }}{{ index $m "a" "c" }}`,
	} {
		if said := faultsOf(body); said != "" {
			t.Errorf("%s: %s", body, said)
		}
	}
}
