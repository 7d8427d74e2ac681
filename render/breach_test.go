package render_test

import (
	"context"
	"strings"
	"testing"

	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/format"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
)

// breaches are templates and, for each, a secret that breaks out of its place there.
var breaches = map[string][]struct{ body, secret string }{
	"yaml": {
		{`password: {{ secret "s" }}`, "x\ncanary: true"},
		{"password: {{ secret \"s\" }}\nhost: h\n", "x\ncanary: true"},
		{"password: {{ secret \"s\" }}\nhost: h\n", "x\n---\ncanary: true"},
		{"db:\n  password: {{ secret \"s\" }}\n  host: h\n", "x\n  canary: true"},
		{"db:\n  password: {{ secret \"s\" }}\n  host: h\n", "x\ncanary:\n  a: b"},
		{"password: {{ secret \"s\" }}\n", "canary #x"},
		{"password: {{ secret \"s\" }}\n", "!!python/object:canary x"},
		{"password: {{ secret \"s\" }}\n", "&a canary"},
		{"password: {{ secret \"s\" }}\n", "\n  canary: true"},
		{"password: {{ secret \"s\" }}\n", "\n- canary"},
		{"password: \"{{ secret \"s\" }}\"\n", "x\"\ncanary: \"true"},
		{"password: \"{{ secret \"s\" }}\"\n", "canary\" #"},
		{"password: '{{ secret \"s\" }}'\n", "x'\ncanary: 'true"},
		{"password: '{{ secret \"s\" }}'\n", "canary' #"},
		{"url: postgres://u:{{ secret \"s\" }}@h/db\n", "x\ncanary: true\ny: z"},
		{"url: postgres://u:{{ secret \"s\" }}@h/db\n", "canary #"},
		{"url: \"postgres://u:{{ secret \"s\" }}@h/db\"\n", "x\"\ncanary: \"y"},
		{"key: |\n  {{ secret \"s\" }}\n", "line\ncanary: true"},
		{"key: |\n  a={{ secret \"s\" }}\nhost: h\n", "line\ncanary: true"},
		{"key: >-\n  {{ secret \"s\" }}\nhost: h\n", "line\ncanary: true"},
		{"l: [a, \"{{ secret \"s\" }}\"]\n", `x", "canary`},
		{"l: [{{ secret \"s\" }}]\nb: 1\n", "a]\ncanary: [b"},
		{"m: {a: {{ secret \"s\" }}, b: 1}\n", "x, canary: true"},
		{"m: {a: \"{{ secret \"s\" }}\"}\n", `x", canary: "true`},
		{"# {{ secret \"s\" }}\na: 1\n", "x\ncanary: true"},
		{"a: 1 # {{ secret \"s\" }}\n", "x\ncanary: true"},
		{"{{ secret \"s\" }}: 1\n", "x: 1\ncanary"},
		{"{{ $x := secret \"s\" }}a: {{ $x }}\n", "x\ncanary: true"},
		{"a: {{ secret \"s\" | trim }}\n", "x\ncanary: true\n"},
		{"a: {{ print (secret \"s\") }}\n", "x\ncanary: true"},
		{"a: {{ printf \"%s:%s\" \"u\" (secret \"s\") }}\n", "x\ncanary: true"},
		{"a: {{ default \"x\" (secret \"s\") }}\n", "x\ncanary: true"},
		{"l: [{{ list \"a\" (secret \"s\") | join \", \" }}]\nb: 1\n", "x]\ncanary: [y"},
		{"{{ template \"_p\" dict \"x\" (secret \"s\") }}", "x\ncanary: true"},
		{"{{ range $k, $v := secretMap \"s\" }}{{ $k }}: {{ $v }}\n{{ end }}", `{"a": "x\ncanary: true"}`},
		{"c: d\n{{ range $k, $v := secretMap \"s\" }}{{ $k }}: {{ $v }}\n{{ end }}", `{"a: x\ncanary": "true"}`},
		{"{{ with secretMap \"s\" }}a: {{ .k }}\nb: {{ .l | yamlQuote }}{{ end }}", `{"k": "x\ncanary: true", "l": "x\n"}`},
		{"{{ with secret \"s\" | fromJson }}a: {{ .k }}{{ end }}", `{"k": "x\ncanary: true"}`},
		{"a: {{ (secret \"s\" | fromJson).k }}\n", `{"n": 1e400, "k": "x\ncanary: true"}`},
		{"a: {{ ((secret \"s\" | fromJson).j | fromJson).k }}\n", `{"j": "{\"k\": \"x\\ncanary: true\"}"}`},
		{"a: {{ ((secretMap \"s\").j | fromJson).k }}\n", `{"j": "{\"k\": \"x\\ncanary: true\"}"}`},
		{"a: {{ secret \"s\" | fromJson }}\n", `"x\ncanary: true"`},
		{"a: {{ (secret \"s\" | fromJson).k | trim }}\n", `{"k": " x\ncanary: true\n"}`},
		{"a: {{ (secret \"s\" | fromJson).k | trunc 14 }}\n", `{"k": "x\ncanary: true\ny"}`},
		{"a: {{ index (secretMap \"s\") \"k\" }}\n", `{"k": "x\ncanary: true"}`},
		{"a: {{ get (secretMap \"s\") \"k\" }}\n", `{"k": "x\ncanary: true"}`},
		{"a: {{ secret \"s\" \"k\" 1 }}\n", `{"k": ["x", "y\ncanary: true"]}`},
		{"{{ range secretMap \"s\" }}- {{ . }}\n{{ end }}", `["x", "y\n- canary"]`},
		{"a: {{ (secretMap \"s\").k }}\n", `{"k": "x\ncanary: true"}`},
		{"a: {{ secret \"s\" | b64dec }}\n", "eApjYW5hcnk6IHRydWU="},
		{"a: '{{ b64dec (secret \"s\") | trim }}'\n", "IHgnCmNhbmFyeTogJ3RydWUK"},
		{"a: {{ (secret \"s\" | b64dec | fromJson).k }}\n", "eyJrIjogInhcbmNhbmFyeTogdHJ1ZSJ9"},
		{"a: \"{{ printf \"%s/db\" (secret \"s\" | b64urldec) }}\"\n", "eD4-IgpjYW5hcnk6ICJ5"},
		{"a: {{ secret \"s\" | upper }}\n", "x\ncanary: true"},
		{"a: {{ secret \"s\" | lower }}\n", "X\nCANARY: true"},
		{"a: {{ (secret \"s\" | fromYaml).k }}\n", "k: \"x\\ncanary: true\""},
		{"a: {{ (secret \"s\" | fromToml).t.k }}\n", "[t]\nk = \"x\\ncanary: true\""},
		{"a: {{ (urlParse (secret \"s\")).password }}\n", "amqp://u:x%0Acanary:%20true@h/"},
	},
	"json": {
		{`{"password": "{{ secret "s" }}"}`, `x","canary":"true`},
		{`{"password": "{{ secret "s" }}", "b": 1}`, `x", "canary": "true`},
		{`{"a": {"password": "{{ secret "s" }}"}}`, `x"}, "canary": {"b": "c`},
		{`{"port": {{ secret "s" }}}`, `1, "canary": true`},
		{`{"port": {{ secret "s" }}, "b": 1}`, `{"a": 1}, "canary": true`},
		{`["{{ secret "s" }}"]`, `x","canary`},
		{`{"u": "http://{{ secret "s" }}/"}`, `x","canary":"`},
		{`{"{{ secret "s" }}": 1}`, `x":1,"canary`},
		{`{"a": [{{ secret "s" }}]}`, `1], "canary": [2`},
		{`{"a": "{{ secret "s" | trim }}"}`, `x","canary":"true`},
		{`{"a": "{{ printf "%s:%s" "u" (secret "s") }}"}`, `x","canary":"true`},
		{`{"a": [{{ range secretMap "s" }}"{{ . }}",{{ end }} 1]}`, `["x", "y\", \"canary"]`},
		{`{"a": "{{ list "x" (secret "s") | join "," }}"}`, `y", "canary": "z`},
		{`{{ with secretMap "s" }}{"a": "{{ .k }}"}{{ end }}`, `{"k": "x\",\"canary\":\"true"}`},
		{"{\n  \"a\": \"{{ secret \"s\" }}\"\n}\n", "x\",\n  \"canary\": \"true"},
	},
	"toml": {
		{`password = "{{ secret "s" }}"`, "x\"\ncanary = \"true"},
		{`password = '{{ secret "s" }}'`, "x'\ncanary = 'true"},
		{`password = "{{ secret "s" }}"`, `canary" #`},
		{"password = \"\"\"{{ secret \"s\" }}\"\"\"\n", "x\"\"\"\ncanary = \"\"\"y"},
		{"password = '''{{ secret \"s\" }}'''\n", "x'''\ncanary = '''y"},
		{"port = {{ secret \"s\" }}\n", "1\ncanary = true"},
		{"l = [\"{{ secret \"s\" }}\"]\n", `x", "canary`},
		{"l = [{{ secret \"s\" }}]\n", "1]\ncanary = [2"},
		{"t = {a = \"{{ secret \"s\" }}\"}\n", `x", canary = "y`},
		{"# {{ secret \"s\" }}\n", "x\ncanary = true"},
		{"[{{ secret \"s\" }}]\na = 1\n", "x]\nb = 1\n[canary"},
		{"u = \"http://{{ secret \"s\" }}/\"\n", "x\"\ncanary = \""},
		{"[a]\nb = \"{{ secret \"s\" }}\"\nc = 1\n", "x\"\n[canary]\nd = \"y"},
		{"[a]\nb = \"{{ secret \"s\" | trim }}\"\n", "x\"\n[[canary]]\nd = \"y"},
	},
	"ini": {
		{"password = {{ secret \"s\" }}\n", "x\ncanary = true"},
		{"password = \"{{ secret \"s\" }}\"\n", "x\"\ncanary = \"true"},
		{"[a]\npassword = {{ secret \"s\" }}\nb = 1\n", "x\n[canary]\nc = d"},
		{"[a]\npassword = {{ secret \"s\" }}\nb = 1\n", "x\n  canary"},
		{"[a]\nurl = http://{{ secret \"s\" }}/\n", "x\ncanary = y"},
		{"[{{ secret \"s\" }}]\na = 1\n", "x]\n[canary"},
		{"; {{ secret \"s\" }}\n", "x\ncanary = 1"},
		{"[a]\n{{ secret \"s\" }} = 1\n", "x = 1\ncanary"},
		{"[a]\np_{{ secret \"s\" }} = 1\n", "x = canary"},
		{"[a]\nb = {{ secret \"s\" | trim }}\n", "x\ncanary = 1\n"},
		{"[a]\nb = {{ secret \"s\" | squote }}\n", "x\ncanary = 1"},
		{"[a]\nb = {{ squote \"u\" (secret \"s\") }}\n", "x\ncanary = 1"},
		{"[a]\nb = {{ printf \"%s:%s\" \"u\" (secret \"s\") }}\n", "x\ncanary = 1\n"},
		{"[a]\n{{ range $k, $v := secretMap \"s\" }}{{ $k }} = {{ $v }}\n{{ end }}", `{"a": "x\n[canary]"}`},
		{"[a]\nb = {{ secret \"s\" }}\r\nc = 1\r\n", "x\r\ncanary = 1"},
	},
	"dotenv": {
		{"A={{ secret \"s\" }}\n", "x\nCANARY=canary"},
		{"A={{ secret \"s\" }}", "x\nLD_PRELOAD=/canary.so"},
		{"A=\"{{ secret \"s\" }}\"\n", "x\"\nB=\"canary"},
		{"A='{{ secret \"s\" }}'\n", "x'\nB='canary"},
		{"A=http://{{ secret \"s\" }}/\n", "x\nB=canary"},
		{"# {{ secret \"s\" }}\n", "x\nB=canary"},
		{"{{ secret \"s\" }}=1\n", "A=1\nCANARY_canary"},
		{"A={{ secret \"s\" | trim }}\n", "x\nB=canary\n"},
		{"A={{ printf \"%s:%s\" \"u\" (secret \"s\") }}\n", "x\nB=canary"},
		{"{{ range $k, $v := secretMap \"s\" }}{{ $k }}={{ $v }}\n{{ end }}", `{"A": "x\nB=canary"}`},
	},
	"properties": {
		{"password={{ secret \"s\" }}\n", "x\ncanary=true"},
		{"password={{ secret \"s\" }}", "x\rcanary=true"},
		{"password = {{ secret \"s\" }}\nb = 1\n", "canary\\"},
		{"url=http://{{ secret \"s\" }}/\n", "x\ncanary=y"},
		{"# {{ secret \"s\" }}\n", "x\ncanary=y"},
		{"{{ secret \"s\" }}=1\n", "a b=canary"},
		{"{{ secret \"s\" }}=1\nb=2\n", "#canary"},
		{"a={{ secret \"s\" | trim }}\n", "x\ncanary=y\n"},
		{"a={{ printf \"%s:%s\" \"u\" (secret \"s\") }}\n", "x\ncanary=y"},
		{"{{ range $k, $v := secretMap \"s\" }}{{ $k }}={{ $v }}\n{{ end }}", `{"a": "x\ncanary=y"}`},
	},
	"xml": {
		{`<a><p>{{ secret "s" }}</p></a>`, "x</p><canary/><p>"},
		{`<a><p>{{ secret "s" }}</p></a>`, "<canary/>"},
		{`<a p="{{ secret "s" }}"/>`, `x" canary="y`},
		{`<a p='{{ secret "s" }}'/>`, `x' canary='y`},
		{`<r><a p="{{ secret "s" }}"/></r>`, `x"/><canary p="y`},
		{`<a><![CDATA[{{ secret "s" }}]]></a>`, "x]]><canary/><![CDATA[y"},
		{`<a><![CDATA[{{ secret "s" }}]]></a>`, "x]]>canary<![CDATA[y"},
		{`<a><!-- {{ secret "s" }} --></a>`, "--><canary/><!--"},
		{`<a>http://{{ secret "s" }}/</a>`, "x<canary/>"},
		{`<a><p>{{ secret "s" | trim }}</p></a>`, "x</p><canary/><p>"},
		{`<a><p>{{ printf "%s:%s" "u" (secret "s") }}</p></a>`, "x</p><canary/><p>"},
		{`<a>{{ range secretMap "s" }}<b>{{ . }}</b>{{ end }}</a>`, `["x</b><canary/><b>"]`},
	},
	"pem": {
		{"-----BEGIN X-----\n{{ secret \"s\" }}\n-----END X-----\n", "canary12\n-----END X-----\n-----BEGIN X-----\nAAAA"},
		{"-----BEGIN X-----\n{{ secret \"s\" }}\n-----END X-----\n", "AAAA\n-----END X-----\n-----BEGIN Y-----\ncanary12\n-----END Y-----\n-----BEGIN X-----\nAAAA"},
		{"# {{ secret \"s\" }}\n-----BEGIN X-----\nAAAA\n-----END X-----\n", "c\n-----BEGIN Y-----\ncanary12\n-----END Y-----\nx -----END"},
	},
}

// What breaks out of its place is refused, in words that name the lookup and say what to write, and
// that hold nothing of the value. Where the config lets it, it passes.
func TestBreaches(t *testing.T) {
	n := 0
	for name, list := range breaches {
		f, err := format.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			n++
			failed := judged(t, f, true, c.body, c.secret)
			if failed == "" {
				t.Errorf("%s %q: %q passes", name, c.body, c.secret)
				continue
			}
			named := strings.Contains(failed, "the value of secret s") || strings.Contains(failed, "the value of a key of secret s")
			hint := strings.Contains(failed, "| "+f.Quote()+" }}") || strings.Contains(failed, "| indent 2 }}") || name == "pem" && strings.Contains(failed, "whole blocks")
			if !named || !hint || strings.Contains(failed, "canary") || !strings.Contains(failed, "structure: free") {
				t.Errorf("%s %q:\n%s", name, c.body, failed)
			}
			if failed := judged(t, f, false, c.body, c.secret); failed != "" {
				t.Errorf("%s %q is free: %s", name, c.body, failed)
			}
		}
	}
	t.Logf("%d templates", n)
}

// judged renders a template in which a lookup of any secret gives that text, and says why it must
// not be written.
func judged(t *testing.T, f format.Format, placed bool, body, secret string) string {
	t.Helper()
	tmpl, faults := render.Parse(render.Options{
		Main:        render.Text{Name: "t", Body: body},
		Partials:    []render.Text{{Name: "_p", Body: "a: {{ .x }}\n"}},
		TrackValues: placed,
	})
	if len(faults) > 0 {
		t.Fatalf("%s: %v", body, faults)
	}
	file := render.File{Target: swap.Target{Path: "/f"}, Format: f, Template: tmpl}
	rendering, _, failed := file.Render(t.Context(), sources.NewSnapshot(answer(secret), 0))
	if failed == nil {
		failed = rendering.Judge()
	}
	if failed == nil {
		return ""
	}
	return failed.Text()
}

// answer is the text of every secret.
type answer string

func (a answer) Fetch(_ context.Context, refs []sources.Ref, deliver func(sources.Ref, sources.Result)) {
	for _, r := range refs {
		deliver(r, sources.Result{Value: sources.Value{Text: string(a), Secret: true}})
	}
}
