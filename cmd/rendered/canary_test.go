package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rendered/rendered/render/verify/pki"
	"github.com/rendered/rendered/sources/aws/awsfake"
)

// canaries are values of every shape that a secret may have.
func canaries() map[string]string {
	noise := rand.NewChaCha8([32]byte{1})
	bytes := func(n int) []byte {
		b := make([]byte, n)
		noise.Read(b)
		return b
	}
	var pem strings.Builder
	pem.WriteString("-----BEGIN PRIVATE KEY-----\n")
	for range 60 {
		pem.WriteString(base64.StdEncoding.EncodeToString(bytes(48)) + "\n")
	}
	pem.WriteString("-----END PRIVATE KEY-----\n")
	return map[string]string{
		"digits":  "739153",
		"eight":   "q7Zp0xKv",
		"hostile": "qu%zo\"te\\d <canary>\nsecond canary line",
		"pem":     pem.String(),
		"object":  `{"user":"canary-user","password":"canary-pass","port":73915377}`,
		"base64":  base64.StdEncoding.EncodeToString(bytes(30)),
		"url":     "postgres://canary:s3cr%40t-canary@db.example:5432/canary",
		"utf8":    "пароль-канарейка-密码",
		"large":   strings.Repeat("canary in a coal mine, ", 2780),
		"dash":    "-rf canary --password=canary",
		"number":  "9223372036854775807",
		"action":  "{{ canary action }}",
	}
}

// certificates are bundles that a rule of verify refuses, each by another; their names are canaries as well.
func certificates() map[string]string {
	now := time.Now()
	past, future := now.Add(-48*time.Hour), now.Add(48*time.Hour)
	leaf := pki.Leaf(past, future, "canary-san.example", "203.0.113.77")
	leaf.Subject.CommonName = "canary-cn"
	over := leaf
	over.NotAfter = past.Add(time.Hour)
	ca, other := pki.New(pki.CA("canary-ca", past, future), nil, nil), pki.New(pki.CA("canary-ca", past, future), nil, nil)
	site, ended := pki.New(leaf, nil, ca), pki.New(over, nil, ca)
	return map[string]string{
		"tls-host":    site.CertPEM() + ca.CertPEM() + site.KeyPEM(),
		"tls-order":   ca.CertPEM() + site.CertPEM() + site.KeyPEM(),
		"tls-twice":   site.CertPEM() + site.CertPEM() + site.KeyPEM(),
		"tls-foreign": site.CertPEM() + other.CertPEM() + site.KeyPEM(),
		"tls-key":     site.CertPEM() + ca.CertPEM() + other.KeyPEM(),
		"tls-ended":   ended.CertPEM() + ended.KeyPEM(),
		"tls-no-key":  site.CertPEM(),
	}
}

// misuses are templates that go wrong with the value of the secret that stands for %s.
var misuses = []string{
	`{{ range $x := secret "%s" }}{{ end }}`,
	`{{ index (secret "%s") "key" }}`,
	`{{ (secret "%s").Data.password }}`,
	`{{ secret "%s" "no" "such" "key" }}`,
	`{{ secret "%s" | atoi }}`,
	`{{ add (secret "%s") 1 | printf "%%s%%!d(string=x)" }}`,
	`{{ secret "%s" | fail }}`,
	`{{ secret "%s" | fromJson }}{{ "" | fail }}`,
	`{{ secret "%s" | mustFromJson }}{{ "" | fail }}`,
	`{{ secret "%s" | b64dec }}{{ "" | fail }}`,
	`{{ regexMatch (secret "%s") "x" }}{{ "" | fail }}`,
	`{{ mustRegexMatch (secret "%s") "x" }}{{ "" | fail }}`,
	`{{ printf "%%d" (secret "%s") }}`,
	`{{ param (secret "%s") }}`,
	`{{ secret (secret "%s") }}`,
	`{{ secret "%[1]s" (secret "%[1]s") }}`,
	`{{ file (secret "%s") }}`,
	`{{ env (secret "%s") }}{{ "" | fail }}`,
	`{{ get (dict) (secret "%s") }}`,
	`{{ index (dict "a" 1) (secret "%s") }}`,
	`{{ dotenv (dict (secret "%[1]s") 1 (printf "%%s " (secret "%[1]s")) 2) }}{{ "" | fail }}`,
	`{{ repeat 3 (secret "%s") | int }}{{ "" | fail }}`,
	`{{ call (secret "%s") }}`,
	`{{ substr 0 1000000 (secret "%s") }}`, // it panics
	`{{ slice (secret "%s") 1000000 }}`,
	`{{ lt (secret "%s") 1 }}`,
	`{{ (secret "%s") | toDecimal }}{{ "" | fail }}`,
	`{{ with $v := secretMap "%s" }}{{ $v.none }}{{ end }}{{ "" | fail }}`,
	`{{ secretBytes "%s" | toJson | printf "%%d" }}`,
}

// quotes are templates that write a value as some reader wants it.
var quotes = []string{
	`{{ secret "%s" | envQuote }}`,
	`{{ secret "%s" | iniQuote }}`,
	`{{ secret "%s" | nginxQuote }}`,
	`{{ secret "%s" | pgpassQuote }}`,
	`{{ secret "%s" | pgbouncerQuote }}`,
	`{{ secret "%s" | shellQuote }}`,
	`{{ secret "%s" | tomlQuote }}`,
	`{{ secret "%s" | xmlQuote }}`,
	`{{ secret "%s" | yamlQuote }}`,
	`{{ secret "%s" | toJson }}`,
	`{{ secret "%s" | html }}`,
	`{{ secret "%s" | urlquery }}`,
	`{{ secret "%s" | squote }}`,
	`{{ secret "%s" | b64enc | b64enc | b64dec }}`,
}

// TestCanaries plants a value of every shape, does with each what goes wrong with a template, a format, a check and a command, and
// searches everything that came out.
func TestCanaries(t *testing.T) {
	t.Parallel()
	dir, aws := t.TempDir(), awsfake.Start(t)
	values := canaries()
	for _, name := range []string{"out", "bad"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	var config strings.Builder
	config.WriteString("state_dir: state\nschedule: '@every 1h'\naws: {timeout: 30s}\nservices:\n")
	n, bad := 0, 0
	var written []int // files that hold a value in some quoting
	service := func(body, rest, notify string) {
		n++
		name := fmt.Sprintf("%03d.tmpl", n)
		write(t, filepath.Join(dir, name), body)
		fmt.Fprintf(&config, "  s%03d: {files: [{template: %s, path: out/%03d%s}]%s}\n", n, name, n, rest, notify)
	}
	for name, value := range values {
		aws.PutSecret(name, value)
		aws.PutParameter("/"+name, "SecureString", value[:min(len(value), 4096)])
		aws.PutSecret("object-of-"+name, string(must(json.Marshal(map[string]any{"key": value, "list": []int{1}}))))
		read := fmt.Sprintf(`{{ secret %q }}`, name)
		service(read, "", fmt.Sprintf(", notify: [{run: 'env >env; cat out/%03d; base64 out/%03d; od -c out/%03d | head; grep -n . out/%03d >&2; exit 3'}]", n+1, n+1, n+1, n+1))
		for _, format := range []string{"json", "yaml", "toml", "ini", "dotenv", "xml", "pem"} {
			service("<"+read+"\n= [ "+read, ", format: "+format, "")
		}
		service(read, ", check: 'cat {}; grep -n . {} >&2; exit 1'", "")
		service(fmt.Sprintf(`{{ param %q }}{{ secret %q "key" }}`, "/"+name, "object-of-"+name), ", check: 'cat {}; base64 {}; exit 1'", "")
		for _, quote := range quotes {
			if !strings.Contains("hostile url pem utf8 base64", name) {
				continue // in these there is nothing to quote
			}
			body := fmt.Sprintf(quote, name)
			service(body, "", "")
			written = append(written, n)
			service(body, ", check: 'cat {}; cut -c1-40 {}; exit 1'", "")
		}
		for _, m := range misuses {
			bad++
			service(fmt.Sprintf(m, name), "", "")
			if bad%6 == 0 && !strings.Contains(m, "secretBytes") {
				service(strings.ReplaceAll(fmt.Sprintf(m, "object-of-"+name), `-`+name+`"`, `-`+name+`" "key"`), "", "")
			}
		}
	}
	unverified := 0
	for name, value := range certificates() {
		aws.PutSecret(name, value)
		for _, body := range []string{`{{ secret %q }}`, `{{ secret "hostile" }}{{ secret %q }}`, `{{ secret %q }}{{ secret "pem" }}`} {
			unverified++
			service(fmt.Sprintf(body, name), "", fmt.Sprintf(", verify: {tls: {cert: out/%03d, host: www.example.com, valid_for: 72h}}", n+1))
		}
		values[name] = value
	}
	write(t, filepath.Join(dir, "rendered.yaml"), config.String())

	output := map[string]string{}
	environ := append(os.Environ(), append(aws.Env(), "GORACE=atexit_sleep_ms=0")...)
	for _, verb := range []string{"check", "check --online", "once"} {
		cmd := exec.CommandContext(t.Context(), "rendered", append(strings.Fields(verb), "--log-level", "debug", "-c", "rendered.yaml")...)
		cmd.Dir, cmd.Env = dir, environ
		out, err := cmd.CombinedOutput()
		output[verb] = string(out)
		if verb == "check" && err != nil {
			t.Fatalf("%s", out)
		}
	}
	for _, format := range []string{"text", "json"} {
		log := filepath.Join(dir, "log."+format)
		f := must(os.Create(log))
		cmd := exec.CommandContext(t.Context(), "rendered", "run", "--log-level", "debug", "--log-format", format, "-c", "rendered.yaml")
		cmd.Dir, cmd.Env, cmd.Stderr = dir, environ, f
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		seen := 0
		until(t.Fatalf, "every service was looked at", func() bool {
			text := string(must(os.ReadFile(log)))
			for seen < n && strings.Contains(text, fmt.Sprintf("s%03d", seen+1)) {
				seen++
			}
			return seen == n
		})
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		output["log as "+format] = string(must(os.ReadFile(log)))
	}
	output["a command's environment"] = string(must(os.ReadFile(filepath.Join(dir, "env"))))
	walk := filepath.WalkDir(filepath.Join(dir, "state"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			output[path] = string(must(os.ReadFile(path)))
		}
		return err
	})
	if walk != nil {
		t.Fatal(walk)
	}
	if !strings.Contains(output["once"], "error:") || strings.Count(output["log as text"], "level=WARN") < bad {
		t.Errorf("little went wrong: %d warnings of %d misuses", strings.Count(output["log as text"], "level=WARN"), bad)
	}
	if got := strings.Count(output["once"], ": verify.tls."); got < unverified {
		t.Errorf("verify refused %d times, want %d", got, unverified)
	}
	for where, text := range output {
		for _, n := range written {
			// Where a value cannot be quoted for a reader there is no file.
			content, _ := os.ReadFile(filepath.Join(dir, fmt.Sprintf("out/%03d", n)))
			for line := range strings.Lines(string(content)) {
				if line := strings.TrimSpace(line); len(line) >= 6 && !strings.HasPrefix(line, "-----") && strings.Contains(text, line) {
					t.Errorf("%s holds what is in out/%03d: %.100s", where, n, line)
				}
			}
		}
		for name, value := range values {
			for shape, found := range disguises(value) {
				if i := strings.Index(text, found); i >= 0 {
					t.Errorf("%s holds the %s %s: …%.300q…", where, name, shape, text[max(0, i-150):])
				}
			}
		}
	}
	t.Logf("%d services, %d misuses", n, bad)
}

// disguises gives the texts by which a value would be known, whole or in part.
func disguises(value string) map[string]string {
	list := map[string]string{}
	add := func(shape, text string) {
		if len(text) >= 6 {
			list[shape] = text[:min(len(text), 24)]
		}
	}
	for i, line := range strings.Split(value, "\n") {
		if !strings.HasPrefix(line, "-----") {
			add(fmt.Sprint("line ", i), line)
		}
	}
	add("in base64", base64.StdEncoding.EncodeToString([]byte(value))[:min(len(value), 20)])
	add("as a URL's part", url.QueryEscape(value))
	add("quoted", strings.Trim(strconv.Quote(value), `"`))
	add("as JSON", strings.Trim(string(must(json.Marshal(value))), `"`))
	if strings.Contains(value, "BEGIN CERTIFICATE") {
		add("common name", "canary-cn")
		add("name", "canary-san")
		add("address", "203.0.113.77")
		add("name of the CA", "canary-ca")
	}
	if strings.HasPrefix(value, "{") {
		add("key", "canary-user")
		add("password", "canary-pass")
		add("port", "73915377")
	}
	return list
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
