package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/awsfake"
)

// agentScript gives the script that the SSM Agent makes of the document of Run Command: lines with
// what parameters were given, or their defaults, in the place of their names.
func agentScript(t *testing.T, given map[string]string) string {
	t.Helper()
	var document struct {
		Parameters map[string]struct {
			Default        string
			AllowedPattern string `yaml:"allowedPattern"`
		}
		MainSteps []struct {
			Inputs struct {
				RunCommand []string `yaml:"runCommand"`
			}
		} `yaml:"mainSteps"`
	}
	if err := yaml.Unmarshal(must(os.ReadFile(filepath.Join(root, "packaging/ssm/rendered-refresh.yaml"))), &document); err != nil {
		t.Fatal(err)
	}
	if len(document.MainSteps) != 1 || len(document.Parameters) != 2 {
		t.Fatalf("%+v", document)
	}
	script := strings.Join(document.MainSteps[0].Inputs.RunCommand, "\n")
	for name, p := range document.Parameters {
		value, is := given[name]
		if !is {
			value = p.Default
		}
		if !regexp.MustCompile(p.AllowedPattern).MatchString(value) {
			t.Fatalf("%s may not be %q", name, value)
		}
		script = regexp.MustCompile(`\{\{ *`+name+` *\}\}`).ReplaceAllLiteralString(script, value)
	}
	if strings.Contains(script, "{{") {
		t.Fatal(script)
	}
	return script
}

// Run Command has a daemon refresh what it names, or everything, and fails where a file could not
// be brought up to date, or nobody answers.
func TestRunCommand(t *testing.T) {
	t.Parallel()
	needed(t, "sh")
	aws, dir := awsfake.Start(t), t.TempDir()
	aws.PutSecret("a", "a1")
	aws.PutSecret("b", "1")
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(must(filepath.Abs(program(t))), filepath.Join(bin, "rendered")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "rendered.yaml"), `state_dir: state
schedule: '@every 1h'
splay: 0s
services:
  a: {files: [{content: '{{ secret "a" }}', path: a.out}]}
  b@1.x: {files: [{content: '{{ secret "b" }}', format: json, path: b.out}]}
`)
	environ := append(os.Environ(), append(aws.Env(), "PATH="+bin+":"+os.Getenv("PATH"), "RENDERED_SOCKET="+filepath.Join(t.TempDir(), "socket"))...)
	agent := func(given map[string]string) (said string, code int) {
		path := filepath.Join(t.TempDir(), "_script.sh")
		write(t, path, agentScript(t, given))
		sh := exec.CommandContext(t.Context(), "sh", path)
		sh.Env = environ
		out, err := sh.CombinedOutput()
		if _, ended := err.(*exec.ExitError); err != nil && !ended {
			t.Fatal(err)
		}
		return string(out), sh.ProcessState.ExitCode()
	}
	if said, code := agent(nil); code != 2 {
		t.Errorf("without a daemon: %d, %s", code, said)
	}
	run := exec.CommandContext(t.Context(), program(t), "run", "-c", "rendered.yaml")
	run.Dir, run.Env = dir, environ
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		text, _ := os.ReadFile(filepath.Join(dir, name))
		return string(text)
	}
	until(t.Fatalf, "the first files are there", func() bool { return read("a.out") == "a1" && read("b.out") == "1" })
	aws.PutSecret("a", "a2")
	aws.PutSecret("b", "2")
	if said, code := agent(map[string]string{"services": "b@1.x", "timeout": "30"}); code != 0 || !strings.Contains(said, "b.out") || read("a.out") != "a1" || read("b.out") != "2" {
		t.Errorf("one: %d, %s; %s and %s", code, said, read("a.out"), read("b.out"))
	}
	if said, code := agent(nil); code != 0 || read("a.out") != "a2" {
		t.Errorf("all: %d, %s; %s", code, said, read("a.out"))
	}
	if said, code := agent(map[string]string{"services": "a nobody"}); code != 1 || !strings.Contains(said, `there is no service "nobody"`) {
		t.Errorf("one that is not there: %d, %s", code, said)
	}
	aws.PutSecret("b", "no number")
	if said, code := agent(map[string]string{"services": "a b@1.x"}); code != 1 || !strings.Contains(said, "b.out") {
		t.Errorf("one that fails: %d, %s", code, said)
	}
	if err := run.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = run.Wait()
}

// The daemon tells the SSM Agent which versions its files were made from, and, where it is no
// longer to, takes the file away.
func TestInventory(t *testing.T) {
	t.Parallel()
	aws, dir := awsfake.Start(t), t.TempDir()
	aws.PutSecret("prod/db", "one")
	aws.PutSecret("prod/computed", "one")
	aws.PutParameter("/prod/name", "String", "prod/computed")
	config := `state_dir: state
schedule: '@every 1h'
splay: 0s
services: {app: {files: [{content: '{{ secret "prod/db" }}{{ secret (param "/prod/name") }}', path: app.out}]}}
`
	write(t, filepath.Join(dir, "rendered.yaml"), config+"inventory: true\n")
	agent := filepath.Join(dir, "out/var/lib/amazon/ssm/i-0123456789abcdef0")
	if err := os.MkdirAll(agent, 0o700); err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), program(t), "run", "-c", "rendered.yaml", "--root", "out")
	run.Dir, run.Env = dir, append(os.Environ(), aws.Env()...)
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(agent, "inventory/custom/rendered.json")
	entries := func() []map[string]string {
		var d struct{ Content []map[string]string }
		if text, err := os.ReadFile(path); err == nil {
			if err := json.Unmarshal(text, &d); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
		}
		return d.Content
	}
	until(t.Fatalf, "the agent has what was looked up", func() bool { e := entries(); return len(e) == 2 && e[0]["version"] != "" && e[0]["state"] == "current" })
	first := entries() // what the second call of secret looks up is computed
	if first[0]["ref"] != "secret prod/db" || first[0]["service"] != "app" || first[1]["ref"] != "param /prod/name" || first[1]["version"] != "1" {
		t.Errorf("%v", first)
	}
	aws.PutSecret("prod/db", "two")
	if err := run.Process.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	untilWithin(2*patience, t.Fatalf, "the agent has the new version", func() bool { e := entries(); return len(e) == 2 && e[0]["version"] != first[0]["version"] })
	write(t, filepath.Join(dir, "rendered.yaml"), config+"inventory: false\n")
	untilWithin(2*patience, t.Fatalf, "the file goes", func() bool { return entries() == nil })
	if err := run.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = run.Wait()
}
