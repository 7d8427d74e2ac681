package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/internal/long"
)

// TestCanaries plants a value of every shape, does with each what goes wrong with a template, a
// format, a check, a command and a server that is told, and searches everything that came out.
// Without -long it plants few shapes, which take turns: each way to go wrong meets one of them.
func TestCanaries(t *testing.T) {
	if raceDetector {
		t.Skip("several hundred services: with -long it runs without the race detector")
	}
	t.Parallel()
	dir, aws := t.TempDir(), awsfake.Start(t)
	values := canaries()
	maps.DeleteFunc(values, func(name, _ string) bool { return !long.Asked() && !slices.Contains(fewCanaries, name) })
	for _, name := range []string{"out", "bad", "planted"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	var config strings.Builder
	port := freePort(t)
	fmt.Fprintf(&config, "metrics: {listen: '127.0.0.1:%d', textfile: rendered.prom}\n", port)
	config.WriteString("state_dir: state\ninventory: true\nschedule: '@every 1h'\naws: {timeout: 30s}\nservices:\n")
	echo := echoing(t)
	n, bad, gates := 0, 0, 0
	var written []int // files that hold a value in some quoting
	service := func(body, rest, notify string) {
		n++
		name := fmt.Sprintf("%03d.tmpl", n)
		write(t, filepath.Join(dir, name), body)
		fmt.Fprintf(&config, "  s%03d: {files: [{template: %s, path: out/%03d%s}]%s}\n", n, name, n, rest, notify)
	}
	quoted := 0 // values that have something to quote
	for at, name := range slices.Sorted(maps.Keys(values)) {
		value := values[name]
		turn := func(i int) bool { return long.Asked() || i%len(fewCanaries) == at }
		aws.PutSecret(name, value)
		aws.PutParameter("/"+name, "SecureString", value[:min(len(value), 4096)])
		aws.PutSecret("object-of-"+name, string(must(json.Marshal(map[string]any{"key": value, "list": []int{1}}))))
		read := fmt.Sprintf(`{{ secret %q }}`, name)
		service(read, "", fmt.Sprintf(", notify: [{run: 'env >env; cat out/%03d; base64 out/%03d; od -c out/%03d | head; grep -n . out/%03d >&2; exit 3'}]", n+1, n+1, n+1, n+1))
		service(read, "", fmt.Sprintf(", notify: [{socket: %s/lines, send: 'show {file out/%03d}', expect: thanks, abort: sorry}, {http: 'unix:%s/http:/', body: '{file out/%03d}'}]", echo, n+1, echo, n+1))
		for i, format := range []string{"json", "yaml", "toml", "ini", "dotenv", "properties", "xml", "pem"} {
			if !turn(i) {
				continue
			}
			service("<"+read+"\n= [ "+read, ", format: "+format, "")
		}
		// A short value is known as a word of its own, so it gets a line of its own.
		service(read+"\n", ", check: 'cat {}; grep -n . {} >&2; exit 1'", "")
		for i, print := range prints {
			if turn(i) {
				service(read+"\n", ", check: '"+print+"; exit 1'", "")
			}
		}
		service(read, ", check: {run: 'cat {}; exit 1', output: withhold}", "")
		show := fmt.Sprintf("cat out/%03d; grep -n . out/%03d >&2; exit ", n+1, n+1)
		service(read+"\n", "", ", before: '"+show+"0', after: '"+show+"1', healthy: {run: '"+show+"1'}, healthy_for: 0s, healthy_within: 500ms"+
			", on_failure: {run: 'echo \"$RENDERED_EVENT\" >>events; env >>events; "+show+"1'}")
		// Nothing of the service is there yet: who runs a gate may have the value from elsewhere.
		write(t, filepath.Join(dir, "planted", name), value)
		service(read+"\n", "", fmt.Sprintf(", gate: 'cat planted/%s; echo; grep -n . planted/%s >&2; exit 1'", name, name))
		gates++
		service(fmt.Sprintf(`{{ param %q }}{{ secret %q "key" }}`, "/"+name, "object-of-"+name), ", check: 'cat {}; base64 {}; exit 1'", "")
		each := func(suffix, pipeline string) {
			fmt.Fprintf(&config, "  e%03d%s: {files: [{content: '<{{ .value }}', path: 'out/e%03d%s-{{ .key }}', each: '%s', check: 'cat {}; exit 1'}]}\n", n, suffix, n, suffix, pipeline)
		}
		each("a", fmt.Sprintf(`secretMap "object-of-%s"`, name))
		each("b", fmt.Sprintf(`dict (trim (upper (secret %q))) "x"`, name))
		each("c", fmt.Sprintf(`splitList "4" (secret %q)`, name))
		if strings.Contains("hostile url pem utf8 base64", name) {
			quoted++
		}
		for i, quote := range quotes {
			if !strings.Contains("hostile url pem utf8 base64", name) {
				break // in these there is nothing to quote
			}
			if !long.Asked() && i%2 != quoted%2 {
				continue
			}
			body := fmt.Sprintf(quote, name)
			service(body, "", "")
			written = append(written, n)
			service(body, ", check: 'cat {}; cut -c1-40 {}; exit 1'", "")
		}
		for i, m := range misuses {
			if !turn(i) {
				continue
			}
			bad++
			service(fmt.Sprintf(m, name), "", "")
			if bad%6 == 0 && !strings.Contains(m, "secretBytes") {
				service(strings.ReplaceAll(fmt.Sprintf(m, "object-of-"+name), `-`+name+`"`, `-`+name+`" "key"`), "", "")
			}
		}
	}
	aws.PutSecret("hostile", values["hostile"]+"-pending", "AWSPENDING")
	values["binary"] = plantBytes(t, aws, "binary")
	for i, body := range append([]string{`{{ secretBytes "binary" }}`, `{{ secretBytes "binary" | b64enc }}`}, misuses...) {
		if i > 2 && i%3 > 0 && !strings.Contains(body, "secretBytes") && !long.Asked() {
			continue
		}
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
	for _, verb := range []string{
		"check", "check --online", "check --online --stage AWSPENDING", "diff --json", "once", "lookups", "lookups --json", "uses hostile", "uses param /hostile", "uses --json hostile",
		"iam-policy", "iam-policy --json", "iam-policy --terraform", "__complete uses", "diff",
		"render 001.tmpl", "render out/001", "render s001", "schema",
	} {
		words := append(strings.Fields(verb), "--log-level", "debug", "-c", "rendered.yaml")
		if words[0] == "__complete" {
			words = append(words, "")
		}
		cmd := exec.CommandContext(t.Context(), program(t), words...)
		cmd.Dir, cmd.Env = dir, environ
		out, err := cmd.CombinedOutput()
		output[verb] = string(out)
		if asks := strings.HasPrefix(verb, "check --online") || verb == "once" || words[0] == "diff"; !asks && (err != nil || len(out) == 0) {
			t.Fatalf("%s: %v\n%s", verb, err, out)
		}
	}
	systemd := listenAs(t, dir)
	environ = append(environ, "NOTIFY_SOCKET="+filepath.Join(dir, "notify"), "RENDERED_SOCKET="+filepath.Join(t.TempDir(), "socket"))
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
		cmd := exec.CommandContext(t.Context(), program(t), "run", "--log-level", "debug", "--log-format", format, "-c", "rendered.yaml")
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
		for _, verb := range []string{"status", "status --json", "history", "history --json", "pause s001 --why canaries", "resume", "refresh --wait", "refresh --wait --json", "reload", "reload --wait", "reload --wait --json"} {
			if !long.Asked() && strings.HasSuffix(verb, "--json") != (format == "json") {
				continue // what is answered has nothing to do with the log
			}
			ask := exec.CommandContext(t.Context(), program(t), strings.Fields(verb)...)
			ask.Env = environ
			out, err := ask.CombinedOutput()
			if code := ask.ProcessState.ExitCode(); code != 1 && verb != "reload" && verb != "resume" && !strings.HasPrefix(verb, "pause") && !strings.HasPrefix(verb, "history") {
				t.Errorf("%s: %v\n%.1000s", verb, err, out)
			}
			output[verb+" of one that logs "+format] = string(out)
		}
		for i := 0; i <= n; i += 1 + n/400 {
			path := "/"
			if i > 0 {
				path = fmt.Sprintf("/?service=s%03d", i)
			}
			code, html := browse(t, port, path)
			if code != http.StatusOK || !strings.Contains(html, "failing") {
				t.Errorf("%s: %d\n%.1000s", path, code, html)
			}
			output["the page "+path+" of one that logs "+format] = html
		}
		_, output["/metrics of one that logs "+format] = browse(t, port, "/metrics")
		output["the textfile of one that logs "+format] = string(must(os.ReadFile(filepath.Join(dir, "rendered.prom"))))
		for _, where := range []string{"/metrics of one that logs ", "the textfile of one that logs "} {
			if text := output[where+format]; !strings.Contains(text, `{service="s001",state="`) {
				t.Errorf("%s%s says nothing: %.300s", where, format, text)
			}
		}
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		output["log as "+format] = string(must(os.ReadFile(log)))
	}
	output["what the SSM Agent is told"] = reported(t, dir, environ)
	systemd.socket.Close()
	<-heard
	output["what systemd was told"] = told.String()
	if !strings.Contains(told.String(), " failing: ") {
		t.Errorf("systemd was told of no trouble:\n%s", told.String())
	}
	output["what on_failure is told"] = string(must(os.ReadFile(filepath.Join(dir, "events"))))
	if !strings.Contains(output["what on_failure is told"], `"kind":"unhealthy"`) {
		t.Errorf("on_failure is told of nothing that is not well:\n%.1000s", output["what on_failure is told"])
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
	for _, said := range []string{"no: show ‹value›", "no: ‹value›", "has no \"thanks\"", "server answered 400"} {
		if !strings.Contains(output["once"], said) {
			t.Errorf("no server answered %q", said)
		}
	}
	if got := strings.Count(output["once"], "gate: cat planted/"); got < gates {
		t.Errorf("%d gates were shut, want %d", got, gates)
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

// reported gives the inventory of a daemon that has looked at everything, in a rehearsal: the real
// folder is root's.
func reported(t *testing.T, dir string, environ []string) (inventory string) {
	t.Helper()
	agent := filepath.Join(dir, "rehearsal/var/lib/amazon/ssm/mi-0123456789abcdef0")
	if err := os.MkdirAll(agent, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program(t), "run", "-c", "rendered.yaml", "--root", "rehearsal")
	cmd.Dir, cmd.Env = dir, environ
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	untilWithin(5*patience, t.Fatalf, "the inventory is of services that were looked at", func() bool {
		text, _ := os.ReadFile(filepath.Join(agent, "inventory/custom/rendered.json"))
		inventory = string(text)
		return strings.Contains(inventory, `"state":"failing"`) && !strings.Contains(inventory, `"state":"waiting"`)
	})
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	return inventory
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// echoing gives a directory with two sockets: servers there answer what they are told, and are
// never content.
func echoing(t *testing.T) (dir string) {
	dir = must(os.MkdirTemp("", "canary"))
	t.Cleanup(func() { os.RemoveAll(dir) })
	echo := func(w io.Writer, text []byte) {
		fmt.Fprintf(w, "no: %s\n%s\n", text, base64.StdEncoding.EncodeToString(text))
	}
	lines, web := must(net.Listen("unix", filepath.Join(dir, "lines"))), must(net.Listen("unix", filepath.Join(dir, "http")))
	t.Cleanup(func() { lines.Close() })
	go func() {
		for {
			c, err := lines.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				text, _ := io.ReadAll(c)
				echo(c, text)
			}()
		}
	}()
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusBadRequest)
		echo(w, text)
	})}
	go server.Serve(web)
	t.Cleanup(func() { server.Close() })
	return dir
}
