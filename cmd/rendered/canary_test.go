package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rendered/rendered/internal/awsfake"
)

// TestCanaries plants a value of every shape, does with each what goes wrong with a template, a format, a check and a command, and
// searches everything that came out.
func TestCanaries(t *testing.T) {
	if raceDetector {
		t.Skip("several hundred services: .ci/run has it run without the race detector")
	}
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
		// A short value is known as a word of its own, so it gets a line of its own.
		service(read+"\n", ", check: 'cat {}; grep -n . {} >&2; exit 1'", "")
		for _, print := range prints {
			service(read+"\n", ", check: '"+print+"; exit 1'", "")
		}
		service(read, ", check: {run: 'cat {}; exit 1', output: withhold}", "")
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
	values["binary"] = plantBytes(t, aws, "binary")
	for _, body := range append([]string{`{{ secretBytes "binary" }}`, `{{ secretBytes "binary" | b64enc }}`}, misuses...) {
		if strings.Contains(body, "%") {
			body = fmt.Sprintf(body, "binary")
		}
		service(body, ", check: 'cat {}; base64 {}; od -c {}; exit 1'", "")
	}
	aws.PutSecret("short", "x7Q!")
	service(`{{ secret "short" }}`, ", check: 'echo it is $(cat {}), a canary that is short; exit 1'", "")
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
	environ := append(os.Environ(), aws.Env()...)
	for _, verb := range []string{"check", "check --online", "once"} {
		cmd := exec.CommandContext(t.Context(), "rendered", append(strings.Fields(verb), "--log-level", "debug", "-c", "rendered.yaml")...)
		cmd.Dir, cmd.Env = dir, environ
		out, err := cmd.CombinedOutput()
		output[verb] = string(out)
		if verb == "check" && err != nil {
			t.Fatalf("%s", out)
		}
	}
	systemd := listenAs(t, dir)
	environ = append(environ, "NOTIFY_SOCKET="+filepath.Join(dir, "notify"))
	var told strings.Builder
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		for buffer := make([]byte, 8192); ; {
			n, err := systemd.socket.Read(buffer)
			if err != nil {
				return
			}
			told.Write(buffer[:n])
		}
	}()
	for _, format := range []string{"text", "json"} {
		log := filepath.Join(dir, "log."+format)
		f := must(os.Create(log))
		cmd := exec.CommandContext(t.Context(), "rendered", "run", "--log-level", "debug", "--log-format", format, "-c", "rendered.yaml")
		cmd.Dir, cmd.Env, cmd.Stderr = dir, environ, f
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		seen := 0
		untilWithin(5*patience, t.Fatalf, "every service was looked at", func() bool {
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
	systemd.socket.Close()
	<-heard
	output["what systemd was told"] = told.String()
	if !strings.Contains(told.String(), " failing: ") {
		t.Errorf("systemd was told of no trouble:\n%s", told.String())
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
		if strings.Contains(text, "it is x7Q!") || where == "once" && !strings.Contains(text, "it is ‹value›, a canary that is short\n") {
			t.Errorf("%s holds a short value", where)
		}
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

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
