package packages_test

import (
	"debug/elf"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Everything in a package is one of these, and each of these is in it. The mode is as ls shows it.
var expected = []struct{ mode, path string }{
	{"drwxr-xr-x", `/etc/rendered`},
	{"drwxr-xr-x", `/etc/rendered/conf\.d`},
	{"-rw-r--r--", `/etc/rendered/rendered\.yaml`},
	{"-rwxr-xr-x", `/usr/bin/rendered`},
	{"-rw-r--r--", `/usr/lib/systemd/catalog/rendered\.catalog`},
	{"-rw-r--r--", `/usr/lib/systemd/system/rendered\.service`},
	{"-rw-r--r--", `/usr/lib/sysusers\.d/rendered\.conf`},
	{"-rw-r--r--", `/usr/share/bash-completion/completions/rendered`},
	{"-rw-r--r--", `/usr/share/fish/vendor_completions\.d/rendered\.fish`},
	{"-rw-r--r--", `/usr/share/man/man1/rendered\.1\.gz`},
	{"-rw-r--r--", `/usr/share/man/man1/rendered-check\.1\.gz`},
	{"-rw-r--r--", `/usr/share/man/man1/rendered-once\.1\.gz`},
	{"-rw-r--r--", `/usr/share/man/man1/rendered-run\.1\.gz`},
	{"-rw-r--r--", `/usr/share/man/man1/rendered-version\.1\.gz`},
	{"-rw-r--r--", `/usr/share/man/man1/rendered-[a-z-]+\.1\.gz`},
	{"-rw-r--r--", `/usr/share/man/man5/rendered\.yaml\.5\.gz`},
	{"-rw-r--r--", `/usr/share/man/man7/rendered-functions\.7\.gz`},
	{"-rw-r--r--", `/usr/share/rendered/rendered\.schema\.json`},
	{"-rw-r--r--", `/usr/share/rendered/prometheus/rendered\.rules\.yml`},
	{"-rw-r--r--", `/usr/share/rendered/prometheus/rendered\.dashboard\.json`},
	{"-rw-r--r--", `/usr/share/doc/rendered/README\.md`},
	{"-rw-r--r--", `/usr/share/doc/rendered/ARCHITECTURE\.md`},
	{"-rw-r--r--", `/usr/share/doc/rendered/docs/.*`},
	{"-rw-r--r--", `/usr/share/doc/rendered/changelog\.gz`},
	{"-rw-r--r--", `/usr/share/doc/rendered/rendered\.cdx\.json`},
	{"-rw-r--r--", `/usr/share/doc/rendered/licenses/stdlib/LICENSE`},
	{"-rw-r--r--", `/usr/share/doc/rendered/licenses/github\.com/aws/aws-sdk-go-v2/NOTICE\.txt`},
	{"-rw-r--r--", `/usr/share/doc/rendered/licenses/.*`},
	{"-rw-r--r--", `/usr/share/doc/rendered/examples/conf\.d/app\.yaml`},
	{"-rw-r--r--", `/usr/share/doc/rendered/examples/conf\.d/nginx\.yaml`},
	{"-rw-r--r--", `/usr/share/doc/rendered/examples/ssm/rendered-refresh\.yaml`},
	{"-rw-r--r--", `/usr/share/doc/rendered/examples/.*`},
	{"drwxr-xr-x", `/usr/share/doc/rendered(/.*)?`},
}

var expectedOfDeb = []struct{ mode, path string }{
	{"-rw-r--r--", `/usr/share/zsh/vendor-completions/_rendered`},
	{"-rw-r--r--", `/usr/share/lintian/overrides/rendered`},
	{"-rw-r--r--", `/usr/share/doc/rendered/copyright`},
	{"-rw-r--r--", `/usr/share/doc/rendered/changelog\.Debian\.gz`},
	{"drwxr-xr-x", `/(etc|usr)(/.*)?`},
}

var expectedOfRPM = []struct{ mode, path string }{
	{"-rw-r--r--", `/usr/share/zsh/site-functions/_rendered`},
	{"-rw-r--r--", `/usr/share/licenses/rendered/LICENSE`},
}

// contents looks at what is in the packages.
func contents(t *testing.T, made packages) {
	for arch, deb := range made.debs {
		var list []string
		for line := range strings.Lines(output(t, "dpkg-deb", "--contents", deb)) {
			f := strings.Fields(line) // mode, owner, size, date, time, path
			list = append(list, f[0]+" "+strings.TrimSuffix(strings.TrimPrefix(f[5], "."), "/")+" "+f[1])
		}
		compare(t, deb, list, "root/root", slices.Concat(expected, expectedOfDeb))
		files := t.TempDir()
		output(t, "dpkg-deb", "--extract", deb, files)
		program(t, filepath.Join(files, "usr/bin/rendered"), arch)
		materials(t, files, output(t, "rpm", "-qp", "--qf", "%{LICENSE}", made.rpms["x86_64"]))
		if got := output(t, "dpkg-deb", "--info", deb, "conffiles"); got != "/etc/rendered/rendered.yaml" {
			t.Errorf("%s: conffiles are %q", deb, got)
		}
	}
	for _, rpm := range made.rpms {
		list := strings.Split(output(t, "rpm", "-qp", "--qf", `[%{FILEMODES:perms} %{FILENAMES} %{FILEUSERNAME}/%{FILEGROUPNAME}\n]`, rpm), "\n")
		compare(t, rpm, list, "root/root", slices.Concat(expected, expectedOfRPM))
	}
}

// compare wants each entry, mode, path and owner, to be expected, and everything that is expected
// to be there.
func compare(t *testing.T, name string, list []string, owner string, expected []struct{ mode, path string }) {
	t.Helper()
	found := make(map[string]bool)
	for _, entry := range list {
		f := strings.Fields(entry)
		good := false
		for _, e := range expected {
			if f[0] == e.mode && regexp.MustCompile(`^`+e.path+`$`).MatchString(f[1]) {
				found[e.mode+" "+e.path], good = true, true
			}
		}
		if !good || f[2] != owner {
			t.Errorf("%s: nobody expects %s", filepath.Base(name), entry)
		}
	}
	for _, e := range expected {
		if !found[e.mode+" "+e.path] {
			t.Errorf("%s: there is no %s %s", filepath.Base(name), e.mode, e.path)
		}
	}
	t.Logf("%s: %d entries", filepath.Base(name), len(list))
}

// program wants the binary to be for the architecture, static and stripped.
func program(t *testing.T, path, arch string) {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if want := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[arch]; f.Machine != want {
		t.Errorf("the program for %s is for %v", arch, f.Machine)
	}
	libraries, err := f.ImportedLibraries()
	if err != nil || len(libraries) > 0 || f.Section(".symtab") != nil || f.Section(".interp") != nil {
		t.Errorf("the program for %s is not static, or not stripped: %v %v", arch, libraries, err)
	}
}

// materials wants the bill of materials to have all modules of the program, with licences that are
// in the package and named by it.
func materials(t *testing.T, files, named string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(files, "usr/share/doc/rendered/rendered.cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	var bill struct {
		Components []struct {
			Name, Version string
			Licenses      []struct{ Expression string }
		}
	}
	if err := json.Unmarshal(data, &bill); err != nil {
		t.Fatal(err)
	}
	listed := make(map[string]string)
	terms := map[string]bool{"Apache-2.0": true} // our own
	for _, c := range bill.Components {
		listed[c.Name] = c.Version
		for name := range strings.SplitSeq(c.Licenses[0].Expression, " AND ") {
			terms[name] = true
		}
		if found, err := filepath.Glob(filepath.Join(files, "usr/share/doc/rendered/licenses", c.Name, "*")); err != nil || len(found) == 0 {
			t.Errorf("there is no licence of %s: %v", c.Name, err)
		}
	}
	linked := map[string]string{"stdlib": strings.TrimPrefix(output(t, "go", "env", "GOVERSION"), "go")}
	for line := range strings.Lines(output(t, "go", "version", "-m", filepath.Join(files, "usr/bin/rendered"))) {
		if f := strings.Fields(line); f[0] == "dep" {
			linked[f[1]] = f[2]
		} else if strings.HasSuffix(f[0], "/rendered:") {
			linked["stdlib"] = strings.TrimPrefix(f[1], "go")
		}
	}
	if !maps.Equal(linked, listed) {
		t.Errorf("linked are %v, listed %v", linked, listed)
	}
	if got := strings.Join(slices.Sorted(maps.Keys(terms)), " AND "); got != named {
		t.Errorf("the licences are %s, the rpm says %s", got, named)
	}
}

// lint wants lintian to find nothing to complain of.
func lint(t *testing.T, made packages) {
	for _, deb := range made.debs {
		out, err := exec.CommandContext(t.Context(), "lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0", "--info", deb).CombinedOutput()
		if err != nil {
			t.Errorf("lintian: %v\n%s", err, out)
		}
	}
}

// rpms wants rpm to believe the packages, and to know which file is the user's.
func rpms(t *testing.T, made packages) {
	for arch, rpm := range made.rpms {
		output(t, "rpm", "--checksig", rpm)
		if got := output(t, "rpm", "-qp", "--configfiles", rpm); got != "/etc/rendered/rendered.yaml" {
			t.Errorf("%s: config files are %q", rpm, got)
		}
		if got := output(t, "rpm", "-qp", "--qf", "[%{FILENAMES} %{FILEFLAGS:fflags}\n]", rpm); !strings.Contains(got, "/etc/rendered/rendered.yaml cn\n") || !strings.Contains(got, "/usr/share/licenses/rendered/LICENSE l") {
			t.Errorf("%s: the config is not kept, or the licence is none:\n%s", rpm, got)
		}
		if got := output(t, "rpm", "-qp", "--qf", "%{ARCH} %{OS} %{BUILDHOST}", rpm); got != arch+" linux localhost" {
			t.Errorf("%s is for %s", rpm, got)
		}
	}
}
