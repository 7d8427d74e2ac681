package render_test

import (
	"context"
	"strings"
	"testing"

	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/sources"
)

// few answers what flows are tested with: a secret whose parts are words of the templates, and
// parameters of which one is a secret.
type few struct{}

func (few) Fetch(_ context.Context, refs []sources.Ref, deliver func(sources.Ref, sources.Result)) {
	values := map[string]sources.Value{
		"secret s":         {Text: `{"word":"param","deep":{"word":"param"},"list":["param"],"pin":4,"odd":{"-&":1}}`, Secret: true},
		"secret b":         {Bytes: []byte("param"), Secret: true},
		"param /env":       {Text: "prod"},
		"param /pw":        {Text: "param", Secret: true},
		"param /list":      {Text: "web,db", List: []string{"web", "db"}},
		"params /open":     {Params: map[string]string{"a": "prod"}},
		"params /shut":     {Params: map[string]string{"a": "param"}, Secret: true},
		"params /shut/odd": {Params: map[string]string{"1a": "param"}, Secret: true},
		"file /f":          {Text: "param"},
	}
	for _, r := range refs {
		if v, ok := values[r.String()]; ok {
			deliver(r, sources.Result{Value: v})
			continue
		}
		deliver(r, sources.Result{Err: &sources.Error{Ref: r, Reason: sources.Missing, Hints: []string{"about " + r.Name}}})
	}
}

// A name is shown where the template alone gives it, or no secret is read yet. Else it may be made
// of one, in whatever form, and is hidden.
func TestNamesMadeOfSecretsAreHidden(t *testing.T) {
	const hidden = "‹a name that may hold a secret›"
	for text, shown := range map[string]string{
		`{{ param (secret "s" "word") }}`:                                                                                                                                      hidden,
		`{{ param (print "/x/" (secret "s" "word" | upper)) }}`:                                                                                                                hidden,
		`{{ param (print "/x/" (secret "s" | len)) }}`:                                                                                                                         hidden,
		`{{ secret "s" "word" | printf "/x/%s" | param }}`:                                                                                                                     hidden,
		`{{ param (print "/x/" (secretMap "s").deep.word) }}`:                                                                                                                  hidden,
		`{{ param (print "/x/" (param "/pw")) }}`:                                                                                                                              hidden,
		`{{ param (print "/x/" (file "/f")) }}`:                                                                                                                                hidden,
		`{{ param (print "/x/" (index (params "/shut") "a")) }}`:                                                                                                               hidden,
		`{{ param (print "/x/" (paramOr (secret "s" "word") "/none")) }}`:                                                                                                      hidden,
		`{{ param (print "/x/" (secretOr (secret "s" "word") "none")) }}`:                                                                                                      hidden,
		`{{ $x := "a" }}{{ $x = secret "s" "word" }}{{ param (print "/x/" $x) }}`:                                                                                              hidden,
		`{{ $x := "" }}{{ range until 2 }}{{ paramOr "" (print "/x" $x) }}{{ $x = param "/pw" }}{{ end }}{{ param (print "/x/" $x) }}`:                                         hidden,
		`{{ with secret "s" "word" }}{{ param (print "/x/" .) }}{{ end }}`:                                                                                                     hidden,
		`{{ if $w := secret "s" "word" }}{{ param (print "/x/" $w) }}{{ end }}`:                                                                                                hidden,
		`{{ range secretMap "s" "list" }}{{ param (print "/x/" .) }}{{ end }}`:                                                                                                 hidden,
		`{{ range $_, $v := secretMap "s" "deep" }}{{ param (print "/x/" $v) }}{{ end }}`:                                                                                      hidden,
		`{{ range $k, $_ := dict (secret "s" "word") 1 }}{{ param (print "/x/" $k) }}{{ end }}`:                                                                                hidden,
		`{{ $m := split "$" (secret "s" "word") }}{{ range $k, $_ := $m }}{{ param (print "/x/" $k) }}{{ end }}`:                                                               hidden,
		`{{ range keys (dict (secret "s" "word") 1) }}{{ param (print "/x/" .) }}{{ end }}`:                                                                                    hidden,
		`{{ range $k, $_ := fromJson (printf "{%q:1}" (secret "s" "word")) }}{{ param (print "/x/" $k) }}{{ end }}`:                                                            hidden,
		`{{ define "p" }}{{ param (print "/x/" .pw) }}{{ end }}{{ template "p" (dict "env" "a" "pw" (secret "s" "word")) }}`:                                                   hidden,
		`{{ define "p" }}{{ $in := . }}{{ range until 1 }}{{ param (print "/x/" $in.in.pw) }}{{ end }}{{ end }}{{ template "p" (dict "in" (dict "pw" (secret "s" "word"))) }}`: hidden,
		`{{ define "p" }}{{ param (print "/x/" (index . 1)) }}{{ end }}{{ template "p" (list "a" (secret "s" "word")) }}`:                                                      hidden,
		`{{ define "q" }}{{ param (print "/x/" .) }}{{ end }}{{ define "p" }}{{ template "q" . }}{{ end }}{{ template "p" (secret "s" "word") }}`:                              hidden,
		`{{ if paramExists (secret "s" "word") }}{{ else }}{{ param (print "/x/" (secret "s" "word")) }}{{ end }}`:                                                             hidden,
		`{{ range paramsOr (dict (secret "s" "word") (list 1)) "/none" }}{{ end }}`:                                                                                            `the value of ` + hidden,
		`{{ $_ := secret "s" }}{{ range paramChildren (print "/" (param "/env")) }}{{ end }}`:                                                                                  "params " + hidden,
		`{{ range paramChildren "/shut" }}{{ param (print "/x/" .Value) }}{{ end }}`:                                                                                           hidden,
		`{{ range paramChildren "/shut" }}{{ param (print "/x/" .Key) }}{{ end }}`:                                                                                             hidden,
		`{{ fileOr (secret "s" "word") (print "/none" (secret "s" "word")) | param }}`:                                                                                         hidden,
		`{{ envOr (secret "s" "word") "NONE" | print "/x/" | param }}`:                                                                                                         hidden,
		`{{ $_ := secretExists "s" "word" }}{{ param (print "/x/" (param "/env")) }}`:                                                                                          hidden,
		`{{ param (print "/x/" (secret "s" "word" | toYaml)) }}`:                                                                                                               hidden,
		`{{ param (print "/x/" (dict "k" (secret "s" "word") | toToml | trimPrefix "k = " | trimAll "\"")) }}`:                                                                 hidden,
		`{{ param (print "/x/" (secret "s" "word" | b64urlenc | trimAll "=")) }}`:                                                                                              hidden,
		`{{ param (print "/x/" (secret "s" "word" | hmacSHA256 "k")) }}`:                                                                                                       hidden,
		`{{ param (print "/x/" (secret "s" "word" | md5sum)) }}`:                                                                                                               hidden,
		`{{ param (print "/x/" (secret "s" "word" | urlQuote)) }}`:                                                                                                             hidden,
		`{{ param (print "/x/" (printf "http://h/%s" (secret "s" "word") | urlParse).path) }}`:                                                                                 hidden,
		`{{ range $k, $_ := splitToMap "," "=" (print (secret "s" "word") "=1") }}{{ param (print "/x/" $k) }}{{ end }}`:                                                       hidden,
		`{{ range $k, $_ := set dict (secret "s" "word") 1 }}{{ param (print "/x/" $k) }}{{ end }}`:                                                                            hidden,
		`{{ range $k, $_ := fromYaml (print (secret "s" "word") ": 1") }}{{ param (print "/x/" $k) }}{{ end }}`:                                                                hidden,
		`{{ fromYaml (printf "%[1]s: 1\n%[1]s: 2" (secret "s" "word")) }}`:                                                                                                     "the key " + hidden,
		`{{ toToml (dict (secret "s" "word") nil) }}`:                                                                                                                          "the value of " + hidden,
		`{{ urlJoin (dict (secret "s" "word") 1) }}`:                                                                                                                           hidden + " is a number",
		`{{ secret "s" (secret "s" "word") }}`:                                                                                                                                 `secret s has no key ` + hidden,
		`{{ secret "s" "list" (secretMap "s" "pin") }}`:                                                                                                                        `secret s "list" has no element ` + hidden,
		`{{ secret (secret "s" "word") "key" }}`:                                                                                                                               "secret " + hidden,
		`{{ secret (print "s" (slice (secret "s") 0 0)) "none" }}`:                                                                                                             "secret " + hidden + ` has no key "none"`,
		`{{ env (secret "s" "word") }}`:                                                                                                                                        "environment variable " + hidden,
		`{{ dotenv (dict (secret "s" "word" | print "-&") 1) }}`:                                                                                                               "the key " + hidden,
		`{{ index (dict "a" 1) (secret "s" "word") }}`:                                                                                                                         hidden,
		`{{ get (dict "a" 1) (secret "s" "word") }}`:                                                                                                                           hidden,
		`{{ fromJson (printf "{%q:1,%q:1}" (secret "s" "word") (secret "s" "word")) }}`:                                                                                        "the key " + hidden,
		`{{ paramList (print "/en" (secret "s" "word" | trunc 1 | replace "p" "v")) }}`:                                                                                        hidden + " is not a StringList",

		// Once a secret is read, what is made of anything else is hidden, too.
		`{{ $_ := secret "s" }}{{ range paramList "/list" }}{{ param (printf "/x/%s-1" .) }}{{ end }}`:                                          hidden,
		`{{ $e := param "/env" }}{{ $p := param "/pw" }}{{ secret (printf "%s/db" $e) }}`:                                                       hidden,
		`{{ range $k, $_ := secretMap "s" "deep" }}{{ param (print "/x/" $k) }}{{ end }}`:                                                       hidden,
		`{{ range keys (secretMap "s") }}{{ param (print "/x/" .) }}{{ end }}`:                                                                  hidden,
		`{{ range $k, $_ := params "/shut" }}{{ param (print "/x/" $k) }}{{ end }}`:                                                             hidden,
		`{{ $_ := secretBytes "b" }}{{ param (print "/x/" (param "/env")) }}`:                                                                   hidden,
		`{{ $_ := secretOr "x" "s" }}{{ param (print "/x/" (param "/env")) }}`:                                                                  hidden,
		`{{ $_ := secretOr "x" "s" "none" }}{{ param (print "/x/" (param "/env")) }}`:                                                           hidden,
		`{{ if false }}{{ param "/x/prod" }}{{ end }}{{ $_ := file "/f" }}{{ param (print "/x/" (param "/env")) }}`:                             hidden,
		`{{ define "p" }}{{ param . }}{{ end }}{{ if false }}{{ template "p" "/x/a" }}{{ end }}{{ template "p" (print "/x/b" (param "/pw")) }}`: hidden,
		`{{ $_ := param "/pw" }}{{ env (param "/env") }}`:                                                                                       "environment variable " + hidden,
		`{{ $_ := secretMap "s" }}{{ get (dict "a" 1) (param "/env") }}`:                                                                        hidden,
		`{{ dotenv (merge (dict "a b" 1) (secretMap "s" "odd")) }}`:                                                                             "the key " + hidden,

		// A key that is close to one that the template writes down may be made of a secret.
		`{{ get (dict (secret "s" "word") 1) "parem" }}`: "the map has no key \"parem\" (it has 1 key)\n",

		`{{ $_ := secret "s" }}{{ param (print "/x/db" 7) }}`:                                               "param /x/db7 does",
		`{{ $_ := secret "s" }}{{ range until 2 }}{{ param (printf "/x/db%d" .) }}{{ end }}`:                "param /x/db0 does",
		`{{ $_ := secret "s" }}{{ range $i, $_ := list "a" }}{{ param (printf "/x/db%d" $i) }}{{ end }}`:    "param /x/db0 does",
		`{{ $_ := secret "s" }}{{ param (printf "/x/%s" (upper .env)) }}`:                                   "param /x/PROD does",
		`{{ $_ := secret "s" }}{{ $x := "" }}{{ $x = "/x/y" }}{{ param $x }}`:                               "param /x/y does",
		`{{ $_ := secret "s" }}{{ env "NONE" }}`:                                                            "environment variable \"NONE\" is",
		`{{ range paramList "/list" }}{{ param (printf "/x/%s-1" .) }}{{ end }}`:                            "param /x/web-1 does",
		`{{ $e := param "/env" }}{{ secret (printf "%s/db" $e) }}{{ param "/pw" }}`:                         "secret prod/db does",
		`{{ $_ := secret "s" }}{{ awsRegion }}{{ print awsAccount }}`:                                       "aws region does",
		`{{ $_ := secret "s" }}{{ print awsAccount }}`:                                                      "aws account does",
		`{{ secret "s" (param "/env") }}`:                                                                   `secret s has no key "prod"`,
		`{{ range params "/open" }}{{ param (print "/x/" .) }}{{ end }}`:                                    "param /x/prod does",
		`{{ env (param "/env") }}`:                                                                          `environment variable "prod" is`,
		`{{ define "p" }}{{ param . }}{{ end }}{{ $_ := secret "s" }}{{ template "p" (print "/x/" .env) }}`: "param /x/prod does",
		`{{ $_ := secret "s" }}{{ dotenv (dict "a-b" 1 "a.b" 2) }}`:                                         `the keys "a-b" and "a.b" both become one name, "A_B"`,
		`{{ dotenv (dict "a-b" (secret "s") "a.b" 2) }}`:                                                    `the keys "a-b" and "a.b" both become one name, "A_B"`,
		`{{ dotenv (secretMap "s" "odd") }}`:                                                                `the key "-&"`,
		`{{ secretMap "s" "odd" | dotenv }}`:                                                                `the key "-&"`,
		`{{ dotenv (params "/shut") }}{{ dotenv (params "/shut/odd") }}`:                                    `the key "1a"`,
		`{{ get (secretMap "s" "deep") "wort" }}`:                                                           `secret s "deep": get: the map has no key "wort" (it has 1 key); did you mean "word"?`,
		`{{ secret "s" (print "wor" "t") }}`:                                                                `secret s has no key "wort" (it has 5 keys); did you mean "word"?`,
	} {
		tmpl, faults := render.Parse(render.Options{Main: render.Text{Name: "t", Body: text}, Vars: map[string]any{"env": "prod"}})
		if faults != nil {
			t.Errorf("%s: %v", text, faults)
			continue
		}
		_, failed := tmpl.Execute(t.Context(), sources.NewSnapshot(few{}, 0))
		if failed == nil {
			t.Errorf("%s renders", text)
			continue
		}
		if !strings.Contains(failed.What+"\n", shown) || failed.Err != nil && !strings.Contains(failed.What, failed.Err.Error()) && strings.Contains(shown, hidden) && failed.Err.Error() != "no such key" {
			t.Errorf("%s: %s (%v), want %s", text, failed.What, failed.Err, shown)
		}
		if shown == hidden && (len(failed.Hints) > 0 || strings.Contains(failed.What, "/x/")) {
			t.Errorf("%s: %s", text, failed.Text())
		}
	}
}

// What is said about the origin of a place of the output holds no name that may be a secret.
func TestOriginHidesNames(t *testing.T) {
	for text, want := range map[string]string{
		`{{ secret "s" "deep" "word" }}`:                               `secret s "deep" "word"`,
		`{{ secret "s" (secret "s" "word" | replace "param" "pin") }}`: `secret s ‹a name that may hold a secret›`,
		`{{ param (print "/env" (slice (secret "s") 0 0)) }}`:          `param ‹a name that may hold a secret›`,
		`{{ range $k, $v := params "/open" }}{{ $v }}{{ end }}`:        `params /open a`,
	} {
		tmpl, faults := render.Parse(render.Options{Main: render.Text{Name: "t", Body: text}})
		if faults != nil {
			t.Fatal(faults)
		}
		out, failed := tmpl.Execute(t.Context(), sources.NewSnapshot(few{}, 0))
		if failed != nil {
			t.Fatal(failed)
		}
		if got, _ := out.Origin(len(out.Content)); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// What an execution has read does not hide the names of the next, and the other way round.
func TestNamesAreHiddenByExecution(t *testing.T) {
	const text = `{{ $x := paramOr "" "/maybe" }}{{ param (print "/x/" (param "/env")) }}`
	tmpl, faults := render.Parse(render.Options{Main: render.Text{Name: "t", Body: text}})
	if faults != nil {
		t.Fatal(faults)
	}
	for _, secret := range []bool{true, false, true} {
		_, failed := tmpl.Execute(t.Context(), sources.NewSnapshot(maybe(secret), 0))
		if want := map[bool]string{true: "param ‹a name that may hold a secret› does", false: "param /x/prod does"}[secret]; failed == nil || !strings.Contains(failed.What, want) {
			t.Errorf("%v, want %s", failed, want)
		}
	}
}

// maybe answers as few does, and one more parameter, which is a secret or none.
type maybe bool

func (m maybe) Fetch(ctx context.Context, refs []sources.Ref, deliver func(sources.Ref, sources.Result)) {
	for _, r := range refs {
		if r.Name == "/maybe" {
			deliver(r, sources.Result{Value: sources.Value{Text: "x", Secret: bool(m)}})
			continue
		}
		few{}.Fetch(ctx, []sources.Ref{r}, deliver)
	}
}
