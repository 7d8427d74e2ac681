package funcs

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"gopkg.in/yaml.v3"
)

// awkward are values that break quoting done by hand.
var awkward = []string{
	"plain", "", "482913", "true", "null", "~", "p%z \" \\ < > & '", "two\nlines\n", " leading and trailing ", "-leading", "#no comment", "a: b", "[x]", "{x}", "*x", "&x", "!x",
	"$HOME `id` $(id) ${x}", `\n \t \\`, "tab\there", "naïve ☃ 🙂", "\x7f\u0085\u2028\ufeff", "=;,:@/", "'single'", `"double"`, "\r\n", "%d %s", "{{ template }}", "é\u0301",
}

func quoted(t *testing.T, f func(any) (string, error), text string) string {
	t.Helper()
	q, err := f(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return q
}

func TestYAMLTOMLXML(t *testing.T) {
	for _, text := range awkward {
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
	for i, text := range awkward {
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
	for _, text := range awkward {
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

// systemdReads reads one line of an EnvironmentFile as systemd does: the states of parse_env_file_internal in
// src/basic/env-file.c, as far as a value goes.
func systemdReads(value string) string {
	var b, trailing strings.Builder
	var quote byte
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case quote == '\'':
			if c == '\'' {
				quote = 0
				continue
			}
			b.WriteByte(c)
		case quote == '"':
			switch {
			case c == '"':
				quote = 0
			case c == '\\' && i+1 < len(value):
				i++
				if !strings.ContainsRune("\"\\`$", rune(value[i])) {
					b.WriteByte('\\')
				}
				b.WriteByte(value[i])
			default:
				b.WriteByte(c)
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '\n':
			return b.String()
		case c == ' ' || c == '\t':
			trailing.WriteByte(c)
		default:
			b.WriteString(trailing.String())
			trailing.Reset()
			b.WriteByte(c)
		}
	}
	return b.String()
}

func TestEnvironmentFile(t *testing.T) {
	for _, text := range awkward {
		if got := systemdReads(quoted(t, envQuote, text) + "\n"); got != text {
			t.Errorf("%q is read as %q", text, got)
		}
	}
}

func FuzzEnvQuote(f *testing.F) {
	for _, text := range awkward {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := envQuote(text)
		if err == nil && systemdReads(q+"\n") != text {
			t.Errorf("%q is read as %q", text, systemdReads(q+"\n"))
		}
		if q, err := yamlQuote(text); err == nil {
			var y string
			if err := yaml.Unmarshal([]byte(q), &y); err != nil || y != text {
				t.Errorf("yaml: %q is read as %q, %v", text, y, err)
			}
		}
		if q, err := toJSON(text); err == nil {
			var j string
			if json.Unmarshal([]byte(q), &j) != nil || j != strings.ToValidUTF8(text, "\ufffd") && j != text {
				t.Logf("json: %q is read as %q", text, j)
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

// nginx itself reads what nginxQuote writes: a directive that echoes its parameter back when the config is dumped would not
// show how it was read, so a wrong quote must be a wrong config.
func TestNginx(t *testing.T) {
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("no nginx")
	}
	dir := t.TempDir()
	var b strings.Builder
	b.WriteString("pid " + dir + "/pid; error_log stderr crit; events {} http { access_log off; server { listen 127.0.0.1:65531; location / {\n")
	for _, text := range awkward {
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
