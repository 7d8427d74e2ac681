package packages_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// clone makes a clone of this repository at its commit, in a directory of its own.
func clone(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "clone")
	git(t, ".", "clone", "--quiet", repository, dir)
	git(t, dir, "checkout", "--quiet", "--detach", git(t, repository, "rev-parse", "HEAD"))
	return dir
}

const repository = "../../.."

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	return output(t, "git", append([]string{"-C", dir}, args...)...)
}

// output gives what a program prints. It must succeed.
func output(t *testing.T, program string, args ...string) string {
	t.Helper()
	var failed bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stderr = &failed
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", cmd, err, out, failed.Bytes())
	}
	return strings.TrimSpace(string(out))
}

// Packages are those of one build, by architecture as its own kind calls it.
type packages struct{ debs, rpms map[string]string }

var packageName = regexp.MustCompile(`[._]([a-z]+\d+|x86_64)\.(deb|rpm)$`)

// build makes the packages of a checkout, in a shell that was prepared.
func build(t *testing.T, checkout, prepare string) packages {
	t.Helper()
	out := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", prepare+` exec packaging/build "$1"`, "sh", out)
	cmd.Dir = checkout
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("packaging/build: %v\n%s", err, text)
	}
	made := packages{make(map[string]string), make(map[string]string)}
	entries, err := os.ReadDir(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		m := packageName.FindStringSubmatch(e.Name())
		if m == nil {
			t.Fatalf("what is %s?", e.Name())
		}
		list := made.debs
		if m[2] == "rpm" {
			list = made.rpms
		}
		list[m[1]] = filepath.Join(out, e.Name())
	}
	if made.debs["amd64"] == "" || made.debs["arm64"] == "" || made.rpms["x86_64"] == "" || made.rpms["aarch64"] == "" || len(entries) != 4 {
		t.Fatalf("made %v", entries)
	}
	return made
}

// same wants two builds to have the same names and bytes.
func same(t *testing.T, one, two packages) {
	for _, lists := range [][2]map[string]string{{one.debs, two.debs}, {one.rpms, two.rpms}} {
		for arch, path := range lists[0] {
			other := lists[1][arch]
			a, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(other)
			if err != nil {
				t.Fatal(err)
			}
			if filepath.Base(path) != filepath.Base(other) || !bytes.Equal(a, b) {
				t.Errorf("%s and %s differ", path, other)
			}
			t.Logf("%s: %d bytes", filepath.Base(path), len(a))
		}
	}
}

// versions wants the package of the next commit to be newer, for dpkg and for rpm, and a release to
// be newer than what led to it.
func versions(t *testing.T, made, next packages) {
	of := func(p packages) (deb, rpm string) {
		return output(t, "dpkg-deb", "--field", p.debs["amd64"], "Version"), output(t, "rpm", "-qp", "--qf", "%{VERSION}-%{RELEASE}", p.rpms["x86_64"])
	}
	deb, rpm := of(made)
	nextDeb, nextRPM := of(next)
	if deb != rpm {
		t.Errorf("the deb is %s, the rpm is %s", deb, rpm)
	}
	t.Logf("%s, then %s", deb, nextDeb)
	for _, pair := range [][2]string{
		{deb, nextDeb},
		{rpm, nextRPM},
		{"0.1.0~git9.20261231.ffffffffffff-1", "0.1.0~git10.20260101.000000000000-1"},
		{"0.1.0~git120.20261124.0123456789ab-1", "0.1.0~rc.1-1"},
		{"0.1.0~rc.1-1", "0.1.0~rc.1+git2.20261124.0123456789ab-1"},
		{"0.1.0~rc.1+git2.20261124.0123456789ab-1", "0.1.0~rc.2-1"},
		{"0.1.0~rc.2-1", "0.1.0-1"},
		{"0.1.0-1", "0.1.0+git1.20261124.0123456789ab-1"},
		{"0.1.0+git9.20261124.0123456789ab-1", "0.1.0+git10.20261124.0123456789ab-1"},
		{"0.1.0+git10.20261124.0123456789ab-1", "0.1.1-1"},
	} {
		if err := exec.CommandContext(t.Context(), "dpkg", "--compare-versions", pair[0], "lt", pair[1]).Run(); err != nil {
			t.Errorf("for dpkg %s is not older than %s", pair[0], pair[1])
		}
		if got := output(t, "rpm", "--eval", `%{lua: print(rpm.vercmp("`+pair[0]+`", "`+pair[1]+`"))}`); got != "-1" {
			t.Errorf("for rpm %s is not older than %s: %s", pair[0], pair[1], got)
		}
	}
}

// TestVersionOfCommit tags commits and wants the version that packaging/build says they have.
func TestVersionOfCommit(t *testing.T) {
	for _, program := range []string{"git", "bash"} {
		if _, err := exec.LookPath(program); err != nil && os.Getenv("CI") == "" {
			t.Skip(err)
		}
	}
	script, err := os.ReadFile("../../build")
	if err != nil {
		t.Fatal(err)
	}
	_, function, ok := strings.Cut(string(script), "\nversion_of_commit() {\n")
	function, _, closed := strings.Cut(function, "\n}\n")
	if !ok || !closed {
		t.Fatal("packaging/build has no version_of_commit")
	}
	dir := t.TempDir()
	t.Setenv("GIT_COMMITTER_DATE", "2026-11-24T10:20:30Z")
	git(t, dir, "init", "--quiet")
	commit := func(tag string) {
		git(t, dir, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "--allow-empty", "--message=m")
		if tag != "" {
			git(t, dir, "tag", tag)
		}
	}
	for _, c := range []struct{ tag, want string }{
		{"", "0.1.0~git1.20261124.HEAD"},
		{"", "0.1.0~git2.20261124.HEAD"},
		{"nightly", "0.1.0~git3.20261124.HEAD"},
		{"v0.1.0-rc.1", "0.1.0~rc.1"},
		{"", "0.1.0~rc.1+git1.20261124.HEAD"},
		{"v0.1.0-rc-2", "0.1.0~rc.2"},
		{"v0.1.0", "0.1.0"},
		{"", "0.1.0+git1.20261124.HEAD"},
		{"", "0.1.0+git2.20261124.HEAD"},
	} {
		commit(c.tag)
		const prepare = "set -eu; export TZ=UTC; cd \"$1\"; commit=$(git rev-parse HEAD); SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)\nversion_of_commit() {\n"
		got := output(t, "bash", "-c", prepare+function+"\n}\nversion_of_commit", "bash", dir)
		if want := strings.ReplaceAll(c.want, "HEAD", git(t, dir, "rev-parse", "--short=12", "HEAD")); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	write(t, filepath.Join(dir, "f"), "x")
	git(t, dir, "add", "f")
	got := output(t, "bash", "-c", "set -eu; cd \"$1\"; commit=$(git rev-parse HEAD); SOURCE_DATE_EPOCH=0\nversion_of_commit() {\n"+function+"\n}\nversion_of_commit", "bash", dir)
	if !strings.HasSuffix(got, ".changed") {
		t.Errorf("%s does not say that the tree was changed", got)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
