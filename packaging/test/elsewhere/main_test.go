// Package elsewhere_test runs the program as it is elsewhere: built for arm64, under an emulator,
// and built as for systems that have less than Linux has, with the tag portable. What it prints and
// writes is what the program of this machine does. It is done only for those who ask for it:
//
//	RENDERED_TEST_ELSEWHERE=1 go test -count=1 -v ./packaging/test/elsewhere
package elsewhere_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// An outcome is what the story came to: what was printed, by command, and the files.
type outcome map[string]string

// recipes are those whose files are written.
var recipes = []string{"nginx-tls", "env-file", "postgresql"}

// times are the next of a schedule.
var times = regexp.MustCompile(`\d\d:\d\d:\d\d`)

func TestElsewhere(t *testing.T) {
	if os.Getenv("RENDERED_TEST_ELSEWHERE") == "" {
		t.Skip("RENDERED_TEST_ELSEWHERE=1 builds the program for others than this machine, and runs it")
	}
	bin := t.TempDir()
	open(t, bin)
	here := story(t, build(t, bin, "here", runtime.GOARCH))
	if len(here) < 8*len(recipes) {
		t.Fatalf("%d texts and files", len(here))
	}
	t.Run("arm64", func(t *testing.T) {
		if runtime.GOARCH != "amd64" {
			t.Skip("it is for machines of amd64")
		}
		there := story(t, emulator(t), build(t, bin, "arm64", "arm64"))
		if version := there["version"]; !strings.HasSuffix(strings.TrimSpace(version), "linux/arm64") {
			t.Error(version)
		}
		same(t, here, there)
	})
	t.Run("portable", func(t *testing.T) {
		program := build(t, bin, "portable", runtime.GOARCH, "-tags", "portable", "-ldflags", "-X main.system=darwin")
		same(t, here, story(t, program))
		needsLinux(t, program)
	})
}

// open lets everybody reach a directory.
func open(t *testing.T, dir string) {
	t.Helper()
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// build builds the program.
func build(t *testing.T, dir, name, arch string, flags ...string) string {
	t.Helper()
	program := filepath.Join(dir, name)
	cmd := exec.CommandContext(t.Context(), "go", append(append([]string{"build", "-o", program}, flags...), "../../../cmd/rendered")...)
	cmd.Env = append(os.Environ(), "GOARCH="+arch, "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// emulator finds what runs programs of arm64.
func emulator(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"qemu-aarch64-static", "qemu-aarch64"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("apt-get install qemu-user-static")
	return ""
}

// story tells an ordinary user's first hour with a program: for each recipe init, check, render,
// test, once --root twice, and diff.
func story(t *testing.T, program ...string) outcome {
	t.Helper()
	top := t.TempDir()
	open(t, top)
	if err := os.Chmod(top, 0o777); err != nil {
		t.Fatal(err)
	}
	said := outcome{"version": do(t, top, program, "version")}
	for _, recipe := range recipes {
		said[recipe+" init"] = do(t, top, program, "init", recipe, recipe)
		dir := filepath.Join(top, recipe)
		for _, line := range []string{"check", "test", "once --root out", "once --root out", "diff --root out", "lookups", "check --json"} {
			said[recipe+" "+line] += strings.ReplaceAll(do(t, dir, program, strings.Fields(line)...), top, "TOP")
		}
		read(t, said, dir, recipe)
	}
	said["render"] = do(t, filepath.Join(top, recipes[0]), program, "render", "nginx-tls")
	return said
}

// do runs the program in a directory, as an ordinary user, and gives what it printed.
func do(t *testing.T, dir string, program []string, args ...string) string {
	t.Helper()
	out, err := try(t, dir, program, args...)
	if err != nil {
		t.Fatalf("%v %v: %v\n%s", program, args, err, out)
	}
	return out
}

func try(t *testing.T, dir string, program []string, args ...string) (string, error) {
	t.Helper()
	line := append(program[:len(program):len(program)], args...)
	cmd := exec.CommandContext(t.Context(), line[0], line[1:]...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "AWS_EC2_METADATA_DISABLED=true"}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// read adds the files below a directory with their modes, but for what rendered keeps for itself: a
// key, and times.
func read(t *testing.T, said outcome, dir, name string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		short := strings.TrimPrefix(path, filepath.Dir(dir))
		if strings.HasSuffix(short, "/var/lib/rendered") {
			return filepath.SkipDir
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		said[short] = info.Mode().String()
		if info.Mode().IsRegular() {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			said[short] += "\n" + string(bytes.ReplaceAll(content, []byte(dir), []byte(name)))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// same compares two outcomes. The program says for which machine it is, and a schedule tells the
// times that are next.
func same(t *testing.T, here, there outcome) {
	t.Helper()
	plain := func(o outcome) outcome {
		p := outcome{}
		for what, text := range o {
			if what != "version" {
				p[what] = times.ReplaceAllString(text, "TIME")
			}
		}
		return p
	}
	if diff := cmp.Diff(plain(here), plain(there)); diff != "" {
		t.Errorf("- here, + there\n%s", diff)
	}
}

// needsLinux looks at what the program refuses that is for a system with less than Linux has.
func needsLinux(t *testing.T, program string) {
	t.Helper()
	dir := t.TempDir()
	open(t, dir)
	for _, verb := range []string{"run", "once", "diff", "status"} {
		out, err := try(t, dir, []string{program}, verb)
		if ended := (*exec.ExitError)(nil); !errors.As(err, &ended) || !strings.Contains(out, "rendered "+verb+" needs Linux: ") {
			t.Errorf("%s: %v, %s", verb, err, out)
		}
	}
	if os.Geteuid() != 0 {
		return
	}
	// Root is not led where nobody sees who leads.
	config := filepath.Join(dir, "rendered.yaml")
	if err := os.WriteFile(config, []byte("services: {a: {files: [{path: /etc/a, content: x}]}}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"check"}, {"once", "--root", filepath.Join(dir, "out")}, {"render", "a"}} {
		cmd := exec.CommandContext(t.Context(), program, append(args, "-c", config)...)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "root does not work here: it needs Linux") {
			t.Errorf("%v: %v, %s", args, err, out)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "out")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("root wrote something")
	}
}
