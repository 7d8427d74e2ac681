package funcs

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/render/funcs/quotetest"
)

func quoted(t *testing.T, f func(any) (string, error), text string) string {
	t.Helper()
	q, err := f(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return q
}

func TestYAMLTOMLXML(t *testing.T) {
	for _, text := range quotetest.Awkward {
		var y map[string]string
		if err := yaml.Unmarshal([]byte("k: "+quoted(t, yamlQuote, text)+"\n"), &y); err != nil || y["k"] != text {
			t.Errorf("yaml %q: %q, %v", text, y["k"], err)
		}
		var m map[string]string
		if _, err := toml.Decode("k = "+quoted(t, tomlQuote, text)+"\n", &m); err != nil || m["k"] != text {
			t.Errorf("toml %q: %q, %v", text, m["k"], err)
		}
		if text == "\x7f\u0085\u2028\ufeff" {
			continue // XML has a word of its own on these
		}
		var x struct {
			A string `xml:"a,attr"`
			T string `xml:",chardata"`
		}
		q := quoted(t, xmlQuote, text)
		if err := xml.Unmarshal([]byte(`<x a="`+q+`">`+q+`</x>`), &x); err != nil || x.A != text || x.T != text {
			t.Errorf("xml %q: %q, %q, %v", text, x.A, x.T, err)
		}
	}
}

// sh itself reads what envQuote, shellQuote and dotenv write.
func TestShell(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh")
	}
	m := make(map[string]any)
	var script strings.Builder
	for i, text := range quotetest.Awkward {
		m["k"+string(rune('a'+i%26))+string(rune('a'+i/26))] = text
		script.WriteString("printf '%s\\0' " + quoted(t, shellQuote, text) + "\n")
		script.WriteString("A=" + quoted(t, envQuote, text) + "; printf '%s\\0' \"$A\"\n")
	}
	file, err := dotenv(m)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, text := range quotetest.Awkward {
		want = append(want, text, text)
	}
	script.WriteString(". " + path + "\n")
	for _, key := range keys(m) {
		script.WriteString(`printf '%s\0' "$` + strings.ToUpper(key) + "\"\n")
		want = append(want, m[key].(string))
	}
	out, err := exec.Command(sh, "-c", script.String()).Output()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	for i := range want {
		if i >= len(got) || got[i] != want[i] {
			t.Fatalf("value %d: sh reads %q, want %q", i, got[min(i, len(got)-1)], want[i])
		}
	}
}

// What envQuote refuses systemd or the environment has no way to hold, and the error says so.
func TestEnvQuoteRefuses(t *testing.T) {
	refused := 0
	for _, text := range append(quotetest.Random(6, 2000), "a\x00b", "\x00", "\xff", "\ufdd0", "\ufdef", "\ufffe", "a\uffff", "\U0001fffe", "\U0010ffff") {
		want := ""
		switch {
		case !utf8.ValidString(text):
			want = "envQuote: this holds bytes that are not UTF-8; b64enc writes bytes as base64"
		case strings.ContainsRune(text, 0):
			want = "envQuote: a value of the environment holds no zero byte"
		case strings.ContainsFunc(text, func(r rune) bool { return r&0xfffe == 0xfffe || r >= 0xfdd0 && r <= 0xfdef }):
			want = "envQuote: systemd takes no character that Unicode calls a noncharacter, as U+FFFE"
		}
		said := ""
		if _, err := envQuote(text); err != nil {
			said = err.Error()
			refused++
		}
		if said != want {
			t.Errorf("%q: %q, want %q", text, said, want)
		}
	}
	t.Logf("%d texts refused", refused)
}

func FuzzYAMLAndJSON(f *testing.F) {
	for _, text := range quotetest.Awkward {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if q, err := yamlQuote(text); err == nil {
			var y string
			if err := yaml.Unmarshal([]byte(q), &y); err != nil || y != text {
				t.Errorf("yaml: %q is read as %q, %v", text, y, err)
			}
		}
		if q, err := toJSON(text); err == nil {
			var j string
			if err := json.Unmarshal([]byte(q), &j); err != nil || j != text {
				t.Errorf("json: %q is read as %q, %v", text, j, err)
			}
		}
	})
}

func TestPostgres(t *testing.T) {
	for text, want := range map[string]string{`a:b\c`: `a\:b\\c`, `*`: `\*`, `**`: `**`, `a*`: `a*`, `#a`: `\#a`, `a#`: `a#`} {
		if got := quoted(t, pgpassQuote, text); got != want {
			t.Errorf("%s is written %s, want %s", text, got, want)
		}
	}
	if got := quoted(t, pgbouncerQuote, `a"b`); got != `"a""b"` {
		t.Error(got)
	}
}

// nginx itself reads what nginxQuote writes: a directive that echoes its parameter back when the
// config is dumped would not show how it was read, so a wrong quote must be a wrong config.
func TestNginx(t *testing.T) {
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("no nginx")
	}
	dir := t.TempDir()
	var b strings.Builder
	b.WriteString("pid " + dir + "/pid; error_log stderr crit; events {} http { access_log off; server { listen 127.0.0.1:65531; location / {\n")
	for _, text := range quotetest.Awkward {
		if strings.Contains(text, "$") {
			if _, err := nginxQuote(text); err == nil {
				t.Errorf("%q: nginx cannot quote a $", text)
			}
			continue
		}
		b.WriteString("add_header X-Test " + quoted(t, nginxQuote, text) + ";\n")
	}
	b.WriteString("} } }\n")
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(nginx, "-t", "-q", "-c", path, "-p", dir).CombinedOutput(); err != nil {
		t.Errorf("nginx -t: %v\n%s", err, out)
	}
}
