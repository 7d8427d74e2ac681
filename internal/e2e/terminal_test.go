package e2e

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/creack/pty"

	"github.com/rendered/rendered/internal/awsfake"
)

// A terminal is a pseudo-terminal that commands run on.
type terminal struct {
	columns int
	dir     string
	environ []string
}

// start runs a verb whose output is the terminal's. wait gives what the terminal was sent, when the
// process has ended.
func (x terminal) start(t *testing.T, args ...string) (cmd *exec.Cmd, wait func() string) {
	t.Helper()
	cmd = exec.Command(program(t), args...)
	return cmd, x.launch(t, cmd)
}

// launch is start of any command.
func (x terminal) launch(t *testing.T, cmd *exec.Cmd) (wait func() string) {
	t.Helper()
	cmd.Dir, cmd.Env = x.dir, x.environ
	master, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 50, Cols: uint16(x.columns)})
	if err != nil {
		t.Fatal(err)
	}
	sent := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(master) // EIO is how it ends
		sent <- string(text)
	}()
	return func() string {
		text := <-sent
		_ = cmd.Wait()
		master.Close()
		return strings.ReplaceAll(text, "\r\n", "\n")
	}
}

func (x terminal) run(t *testing.T, args ...string) string {
	t.Helper()
	_, wait := x.start(t, args...)
	return wait()
}

// with gives the terminal with other variables.
func (x terminal) with(variables ...string) terminal {
	x.environ = slices.Concat(x.environ, variables)
	return x
}

var (
	sgr      = regexp.MustCompile(`\x1b\[[0-9;]*m`)
	painted  = regexp.MustCompile(`\x1b\[(31|32|33)m([^\x1b]*)\x1b\[m`)
	severity = map[string]*regexp.Regexp{
		"31": regexp.MustCompile(`^(error:|failing\b.*)$`), "32": regexp.MustCompile(`^current\b.*$`), "33": regexp.MustCompile(`^(warning:|owes\b.*|paused\b.*)$`),
	}
)

// fit sees that no line is wider than the terminal, but for a word that is, and that there are no
// escapes but the colors of severities.
func (x terminal) fit(t *testing.T, what, sent string) {
	t.Helper()
	for _, m := range painted.FindAllStringSubmatch(sent, -1) {
		if !severity[m[1]].MatchString(m[2]) {
			t.Errorf("%s: %q is painted %s", what, m[2], m[1])
		}
	}
	if rest := painted.ReplaceAllString(sent, ""); strings.Contains(rest, "\x1b") {
		t.Errorf("%s: other escapes: %q", what, rest)
	}
	for line := range strings.Lines(sgr.ReplaceAllString(sent, "")) {
		line = strings.TrimRight(line[strings.LastIndexByte(line, '\r')+1:], "\n")
		if utf8.RuneCountInString(line) > x.columns && len(strings.Fields(line)) > 1 {
			t.Errorf("%s: a line of %d columns in %d: %q", what, utf8.RuneCountInString(line), x.columns, line)
		}
	}
}

const terminalConfig = `
state_dir: state
schedule: "@every 1h"
services:
  application-with-a-long-name:
    files:
      - {content: '{{ secret "prod/application/database" "password" }}', path: a.env, mode: 0644}
      - {content: '{{ param "/prod/application/level" }}', path: a.conf}
    notify: [{run: 'true'}, {run: [touch, a-file-with-quite-a-long-name-that-nobody-reads]}]
  owing:
    files: [{content: '{{ param "/prod/application/level" }}', path: o}]
    notify: [{run: 'echo it is a long explanation of why nothing can be done about this today; exit 3'}]
  worker:
    schedule: "CRON_TZ=America/Argentina/Buenos_Aires 30 3 * * *"
    files: [{content: '{{ secret "shared/payments/stripe/which/is/not/there" "password" | toJson }}', path: w}]
`

// TestTerminal runs every verb on terminals of 80 and of 140 columns.
func TestTerminal(t *testing.T) {
	t.Parallel()
	dir, aws := t.TempDir(), awsfake.Start(t)
	aws.PutSecret("prod/application/database", `{"password": "c4n4ry"}`)
	aws.PutParameter("/prod/application/level", "String", "info")
	write(t, filepath.Join(dir, "rendered.yaml"), terminalConfig)
	write(t, filepath.Join(dir, "bad.yaml"), "services:\n  a:\n    files:\n      - {content: '{{ secrt \"a\" }}', path: f, some_key_that_is_quite_long_and_not_known: 1, another: 2} # "+strings.Repeat("a word ", 20)+"\n")
	x := terminal{80, dir, append(os.Environ(), append(aws.Env(), "RENDERED_CONFIG=rendered.yaml", "RENDERED_SOCKET="+filepath.Join(dir, "socket"), "TERM=xterm", "NO_COLOR=")...)}
	narrow, wide := x, x
	wide.columns = 140

	daemon, ended := narrow.start(t, "run")
	until(t.Fatalf, "the daemon can be asked", func() bool { return !strings.Contains(narrow.run(t, "status"), "no daemon") })
	if sent := narrow.run(t, "wait", "--timeout", "3s"); !strings.Contains(sent, "not current within 3s") || !strings.Contains(sent, "worker failing") {
		t.Errorf("wait shows no progress: %q", sent)
	}
	screens := [][]string{
		{"check"}, {"check", "-v"}, {"check", "--online"}, {"check", "-c", "bad.yaml"}, {"status"}, {"status", "worker"}, {"history"}, {"refresh", "--wait"},
		{"lookups"}, {"uses", "prod/application/database"}, {"uses", "nothing"}, {"status", "nobody"}, {"nonsense"}, {"once", "--root", "try"}, {"version"}, {"wait", "owing", "--timeout", "1ms"},
	}
	for _, verb := range verbsOf(t) {
		screens = append(screens, []string{verb, "--help"})
	}
	for _, verb := range []string{"status", "old-versions", "resume", "release", "set-max", "freeze", "thaw"} {
		screens = append(screens, []string{"fleet", verb, "--help"})
	}
	screens = append(screens, []string{"--help"})
	for _, args := range screens {
		what := strings.Join(args, " ")
		sent := [2]string{narrow.run(t, args...), wide.run(t, args...)}
		narrow.fit(t, what, sent[0])
		wide.fit(t, what, sent[1])
		if args[len(args)-1] == "--help" && strings.Count(sent[0], "\n") <= strings.Count(sent[1], "\n") {
			t.Errorf("%s has no fewer lines where there are more columns:\n%s", what, sent[1])
		}
		if strings.Contains(sent[0]+sent[1], "c4n4ry") {
			t.Errorf("%s: a value: %s", what, sent)
		}
	}
	aws.PutParameter("/prod/application/level", "String", "debug")
	if err := os.Mkdir(filepath.Join(dir, "conf.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "conf.d", "broken.yaml"), "services:\n  broken:\n    files: [{content: '{{ secrt \"a/name/that/is/so/long/that/the/line/is/wider/than/eighty/columns\" }}', path: f}]\n")
	for _, args := range [][]string{
		{"pause", "owing", "--for", "2h", "--why", strings.TrimSpace(strings.Repeat("a word ", 25))}, {"status"}, {"status", "owing"}, {"diff"}, {"refresh", "owing"}, {"refresh", "--wait"},
		{"reload"}, {"reload", "--wait"}, {"status", "broken"}, {"wait"}, {"history"}, {"resume", "owing"},
	} {
		narrow.fit(t, strings.Join(args, " "), narrow.run(t, args...))
		wide.fit(t, strings.Join(args, " "), wide.run(t, args...))
	}
	for what, sent := range map[string]string{
		"NO_COLOR": narrow.with("NO_COLOR=1").run(t, "status"), "TERM=dumb": narrow.with("TERM=dumb").run(t, "check", "-c", "bad.yaml"),
		"--color never": narrow.run(t, "status", "--color", "never"), "NO_COLOR, waiting": narrow.with("NO_COLOR=1").run(t, "wait", "--timeout", "2s"),
	} {
		if strings.Contains(sent, "\x1b") || sent == "" {
			t.Errorf("%s: %q", what, sent)
		}
	}
	for what, sent := range map[string]string{
		"status": narrow.run(t, "status"), "check": narrow.run(t, "check", "-c", "bad.yaml"), "--color always": narrow.with("NO_COLOR=1").run(t, "status", "--color=always"),
		"a usage": narrow.run(t, "nonsense"),
	} {
		if !painted.MatchString(sent) {
			t.Errorf("%s has no colors: %q", what, sent)
		}
	}
	_ = daemon.Process.Signal(syscall.SIGTERM)
	log := ended()
	narrow.fit(t, "run", log)
	for _, want := range []string{
		`(?m)^\d\d:\d\d:\d\d created   ` + regexp.QuoteMeta(dir) + `/a\.env$`, `(?m)^\d\d:\d\d:\d\d told      run true \(\d+m?s\)$`,
		`(?m)^\d\d:\d\d:\d\d \x1b\[33mwarning:\x1b\[m worker: `, `(?m)^\d\d:\d\d:\d\d run echo it is .*\n.*\n +\| it is a long explanation`,
	} {
		if !regexp.MustCompile(want).MatchString(log) {
			t.Errorf("the log has no %s:\n%s", want, log)
		}
	}
}

// verbsOf gives the verbs that help names.
func verbsOf(t *testing.T) (list []string) {
	t.Helper()
	out, err := exec.Command(program(t), "__complete", "").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if verb, _, is := strings.Cut(line, "\t"); is {
			list = append(list, verb)
		}
	}
	if len(list) < 10 {
		t.Fatalf("only %v", list)
	}
	return list
}

// A long check shows how far it is, and leaves nothing of that.
func TestCheckShowsProgress(t *testing.T) {
	t.Parallel()
	dir, aws := t.TempDir(), awsfake.Start(t)
	var services strings.Builder
	for i := range 40 {
		name := fmt.Sprintf("/p/%d", i)
		aws.PutSecret(name, "x")
		fmt.Fprintf(&services, "  s%d: {files: [{content: '{{ secret %q }}', path: f%d}], allow: [no-newline]}\n", i, name, i)
	}
	write(t, filepath.Join(dir, "rendered.yaml"), "state_dir: state\naws: {max_concurrency: 1}\nservices:\n"+services.String())
	aws.SetLatency(60 * time.Millisecond)
	x := terminal{80, dir, append(os.Environ(), append(aws.Env(), "RENDERED_CONFIG=rendered.yaml", "TERM=xterm", "NO_COLOR=1")...)}
	sent := x.run(t, "check", "--online")
	if !regexp.MustCompile(`\r\d+ of 40 lookups`).MatchString(sent) || !strings.HasSuffix(sent, "\rok\n") {
		t.Errorf("%q", sent)
	}
	if strings.Contains(sent, "\x1b") {
		t.Errorf("%q", sent)
	}
	cmd := exec.Command(program(t), "check", "--online")
	cmd.Dir, cmd.Env = x.dir, x.environ
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), " of 40 lookups") || strings.Contains(string(out), "\r") {
		t.Errorf("without a terminal: %v\n%s", err, out)
	}
}
