package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Nothing that a fleet writes to its table, and nothing that its verbs print, holds a value: not
// though a change that is not well prints its file, and old-versions reads the secret.
func TestFleetHasNoValues(t *testing.T) {
	t.Parallel()
	l := newLive(t, os.Geteuid())
	l.aws.MakeTable("rendered")
	const good, better, bad = "canary/4711+zeroth", "canary/4712+first", "canary/0815+second"
	l.aws.PutSecret("hostile", good)
	l.write("rendered.yaml", `state_dir: state
schedule: '@every 1s'
splay: 0s
settle: 20ms
fleet: {table: rendered, name: prod}
services:
  web:
    files: [{path: out, content: '{{ secret "hostile" }}'}]
    notify: [{run: 'cat out', timeout: 1s}]
    healthy: [{run: 'cat out; base64 out; ! grep -q second out'}]
    healthy_for: 100ms
    healthy_within: 1s
    rollback: always
    rollout: {bake: 1s}
`)
	output := make(map[string]string)
	ask := func(verb string) string {
		cmd := l.command(l.exe, append([]string{"fleet"}, append(strings.Fields(verb), "--log-level", "debug")...)...)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() > 1 {
			t.Fatalf("%s: %v\n%s", verb, err, out)
		}
		output[verb] += string(out)
		return string(out)
	}
	cmd := l.command(l.exe, "run", "--log-level", "debug")
	cmd.Stdout, cmd.Stderr = l.log, l.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	rows := func() string { return l.aws.Rows("rendered") }
	untilWithin(time.Minute, t.Fatalf, "the host has the first files", func() bool { return l.read("out") == good })
	version := l.aws.PutSecret("hostile", better)
	untilWithin(time.Minute, t.Fatalf, "the host has the second version", func() bool { return strings.Contains(rows(), version) })
	l.aws.PutSecret("hostile", bad)
	untilWithin(time.Minute, t.Fatalf, "the change is halted", func() bool { return strings.Contains(rows(), `"halted"`) })
	untilWithin(time.Minute, t.Fatalf, "the host says so", func() bool { return strings.Contains(rows(), "rolled back") })
	for _, verb := range []string{
		"status", "status --json", "status hostile", "status hostile --json", "old-versions hostile", "old-versions hostile --json", "old-versions nonsense",
		"old-versions secret hostile --table rendered --name prod --group web", "set-max 3 --json", "set-max 0", "freeze why --json", "thaw", "thaw --json",
		"release nobody", "resume web",
	} {
		if ask(verb) == "" {
			t.Errorf("%s says nothing", verb)
		}
	}
	if !strings.Contains(output["status"], "halted by") || !strings.Contains(output["old-versions hostile"], "1 of 1 host") {
		t.Errorf("%s\n%s", output["status"], output["old-versions hostile"])
	}
	output["the table"] = rows()
	output["the log"] = l.read("log")
	err := filepath.WalkDir(l.path("state"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && !strings.Contains(path, "/former/") {
			output[path] = string(must(os.ReadFile(path)))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range output {
		for _, value := range []string{good, better, bad} {
			for shape, found := range disguises(value) {
				if i := strings.Index(text, found); i >= 0 {
					t.Errorf("%s holds the %s: …%.300q…", where, shape, text[max(0, i-150):])
				}
			}
		}
	}
}
