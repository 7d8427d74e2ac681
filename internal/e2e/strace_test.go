package e2e

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/internal/e2e/breakdown"
)

// A site is a service with a certificate and a key that come from one secret, and a dependent that
// notes what it found when it was told. Every run of it is a process of its own.
type site struct {
	t    *testing.T
	dir  string
	aws  *awsfake.Server
	torn bool // a kill may leave a file that is neither old nor new
}

const siteConfig = `
state_dir: state
aws: {timeout: 1m}
services:
  site:
    files:
      - {content: '{{ secret "site" "cert" }}', path: tls/site.crt, mode: 0644}
      - {content: '{{ secret "site" "key" }}', path: tls/site.key, mode: 0640}
      - {content: 'always the same', path: tls/same}
    notify:
      - run: 'echo "$(cat tls/site.crt) $(cat tls/site.key)" >>told'
`

func newSite(t *testing.T) *site {
	s := &site{t: t, dir: t.TempDir(), aws: awsfake.Start(t)}
	write(t, s.path("rendered.yaml"), siteConfig)
	if err := os.Mkdir(s.path("tls"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.put("one")
	return s
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

func (s *site) put(text string) {
	s.aws.PutSecret("site", fmt.Sprintf(`{"cert":"c-%s","key":"k-%s"}`, text, text))
}

// once runs one pass, under a program that is given before it, and gives what it said. A failure is
// the caller's to judge.
func (s *site) once(under ...string) (string, error) {
	args := append(under, program(s.t), "once", "-c", "rendered.yaml")
	cmd := exec.CommandContext(s.t.Context(), args[0], args[1:]...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), s.aws.Env()...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// mustOnce is once where it must succeed.
func (s *site) mustOnce(under ...string) string {
	s.t.Helper()
	out, err := s.once(under...)
	if err != nil {
		s.t.Fatalf("%v:\n%s", err, out)
	}
	return out
}

func (s *site) read(name string) string {
	data, err := os.ReadFile(s.path(name))
	if err != nil && !os.IsNotExist(err) {
		s.t.Fatal(err)
	}
	return string(data)
}

// needed finds a program that a test needs. Without it the test is skipped, but fails in CI.
func needed(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// A step is one system call that matters for the order of things: "fsync tls/.temporary".
type step string

var (
	tracedCall  = regexp.MustCompile(`^\d+ +(\w+)\((.*)`)
	annotated   = regexp.MustCompile(`^(?:\d+|AT_FDCWD)<([^>]*)>`)
	quotedName  = regexp.MustCompile(`"([^"]*)"`)
	exactly0600 = regexp.MustCompile(` 0600(\)| <unfinished)`)
	numbered    = regexp.MustCompile(`\.temporary\d+`)
	temporary   = regexp.MustCompile(`\.rendered-[0-9a-f]+`)
)

// steps reads what strace wrote: what was done below the site's directory, its names shortened and
// the temporaries numbered, and the dependent's shell.
func (s *site) steps(trace string) []step {
	var list []step
	numbers := make(map[string]string)
	number := func(temp string) string {
		if numbers[temp] == "" {
			numbers[temp] = fmt.Sprint(".temporary", len(numbers)+1)
		}
		return numbers[temp]
	}
	f, err := os.Open(trace)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		m := tracedCall.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		call, rest := m[1], m[2]
		target := ""
		if on := annotated.FindStringSubmatch(rest); on != nil {
			target = on[1]
		}
		switch call {
		case "execve":
			if strings.HasPrefix(rest, `"/bin/sh"`) {
				list = append(list, "tell")
			}
			continue
		case "openat":
			if !strings.Contains(rest, "O_CREAT") {
				continue
			}
			flags := "create"
			if strings.Contains(rest, "O_EXCL") && strings.Contains(rest, "O_NOFOLLOW") && exactly0600.MatchString(rest) {
				flags = "create-exclusively-0600"
			}
			call, target = flags, target+"/"+quotedName.FindStringSubmatch(rest)[1]
		case "renameat", "unlinkat", "mkdirat":
			names := quotedName.FindAllStringSubmatch(rest, -1)
			dir := target
			target = ""
			for _, n := range names {
				target += " " + dir + "/" + n[1]
			}
			target = strings.TrimSpace(target)
		case "fchmod":
			target += " " + strings.TrimSuffix(regexp.MustCompile(`0\d+`).FindString(rest[strings.LastIndex(rest, ","):]), ")")
		}
		if !strings.Contains(target, s.dir+"/") {
			continue
		}
		target = temporary.ReplaceAllStringFunc(strings.ReplaceAll(target, s.dir+"/", ""), number)
		list = append(list, step(call+" "+target))
	}
	return list
}

const watched = "openat,fchown,fchmod,write,fsync,fdatasync,renameat,renameat2,unlinkat,mkdirat,linkat,ftruncate,execve"

// underStrace gives a strace, with options, that writes some system calls of a command to ./trace.
func underStrace(options, calls string) []string {
	args := append([]string{"strace", "-f", "-o", "trace", "-e", "trace=" + calls}, strings.Fields(options)...)
	if os.Geteuid() != 0 {
		args = append(args, "env", breakdown.Traceable+"=true")
	}
	return args
}

// TestSystemCalls looks at a pass from outside: what it does to the file system, in which order,
// and that the dependent is told after all of it.
func TestSystemCalls(t *testing.T) {
	t.Parallel()
	needed(t, "strace")
	s := newSite(t)
	s.mustOnce()
	s.put("two")
	out := s.mustOnce(underStrace("-y", watched)...)
	// The files are staged side by side; each for itself goes this way.
	staged := func(n int, file, mode string) []step {
		temp := fmt.Sprint("tls/.temporary", n)
		return []step{
			step("create-exclusively-0600 " + temp),
			step("fchown " + temp),
			step("fchmod " + temp + " " + mode),
			step("write " + temp),
			step("fsync " + temp),
			step("renameat " + temp + " " + file),
		}
	}
	record := []step{
		"unlinkat state/.ledger.jsonl.new", // what a crash may have left
		"create-exclusively-0600 state/.ledger.jsonl.new",
		"write state/.ledger.jsonl.new",
		"fsync state/.ledger.jsonl.new",
		"renameat state/.ledger.jsonl.new state/ledger.jsonl",
		"fsync state",
	}
	var want []step
	want = append(want, "create state/lock", "ftruncate state/lock", "write state/lock")
	want = append(want, "fsync tls") // the temporaries' names
	want = append(want, record...)   // owed, and what will be renamed
	want = append(want, "fsync tls") // after the renames
	want = append(want, "tell", "create told", "write told")
	want = append(want, record...) // told
	var shared []step
	single := make(map[string][]step) // by temporary
	all := s.steps(s.path("trace"))
	for _, step := range all {
		temp := numbered.FindString(string(step))
		if temp == "" {
			shared = append(shared, step)
			continue
		}
		single[temp] = append(single[temp], step)
		// "fsync tls" comes once after everything is staged, and once after everything is renamed.
		if renamed := strings.HasPrefix(string(step), "renameat"); slices.Contains(shared, "fsync tls") != renamed || slices.Contains(shared, "tell") {
			t.Errorf("%s: too early or too late in\n%s", step, join(all))
		}
	}
	if fmt.Sprint(shared) != fmt.Sprint(want) {
		t.Errorf("steps:\n%s\nwant:\n%s\nit said:\n%s", join(shared), join(want), out)
	}
	for n := range 2 {
		got := join(single[fmt.Sprint(".temporary", n+1)])
		if got != join(staged(n+1, "tls/site.crt", "0644")) && got != join(staged(n+1, "tls/site.key", "0640")) {
			t.Errorf("steps of a file:\n%s", got)
		}
	}

	s.mustOnce(underStrace("-y", watched)...)
	if got := s.steps(s.path("trace")); len(got) != 3 {
		t.Errorf("where nothing changed:\n%s", join(got))
	}
}

func join(list []step) string {
	var b strings.Builder
	for _, s := range list {
		b.WriteString("  " + string(s) + "\n")
	}
	return b.String()
}
