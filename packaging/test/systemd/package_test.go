package systemd_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// repository is the root of the one that this test is in.
const repository = "../../.."

// A parcel is the packages of one commit, or of the working tree, in a directory of their own.
type parcel struct{ dir string }

// pack makes the packages of a checkout in a directory of their own.
func pack(checkout, dir string) (parcel, error) {
	out, err := exec.Command(filepath.Join(checkout, "packaging/build"), dir).CombinedOutput()
	if err != nil {
		return parcel{}, fmt.Errorf("packaging/build: %w\n%s", err, out)
	}
	return parcel{dir}, nil
}

// packCommit makes the packages of one commit, in a clone.
func packCommit(commit, dir string) (parcel, error) {
	clone := filepath.Join(dir, "clone")
	for _, args := range [][]string{
		{"clone", "--quiet", "--no-checkout", repository, clone},
		{"-C", clone, "checkout", "--quiet", commit},
	} {
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			return parcel{}, fmt.Errorf("git %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return pack(clone, filepath.Join(dir, "packages"))
}

// deb gives the package for Debian on this machine.
func (p parcel) deb(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(p.dir, "*_"+runtime.GOARCH+".deb"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %d packages for %s in %s, want 1", err, len(found), runtime.GOARCH, p.dir)
	}
	return found[0]
}

// install installs a package as an administrator does, who is asked nothing and keeps his config.
func (m *machine) install(p parcel) {
	m.t.Helper()
	data, err := os.ReadFile(p.deb(m.t))
	if err != nil {
		m.t.Fatal(err)
	}
	const here = "/root/rendered.deb"
	m.write(here, string(data))
	out, err := m.run("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "--option=Dpkg::Use-Pty=0", here)
	if err != nil {
		m.t.Fatalf("apt-get install: %v\n%s", err, out)
	}
	if strings.Contains(out, "rror") {
		m.t.Errorf("apt-get install:\n%s", out)
	}
}
