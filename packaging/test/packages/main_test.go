// Package packages_test looks at the packages that packaging/build makes, and installs them: into a
// Debian in a chroot, where systemd does not run. It takes root, and what tools names; so it is
// done only for those who ask for it:
//
//	RENDERED_TEST_PACKAGES=1 go test -count=1 -v ./packaging/test/packages
package packages_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rendered/rendered/internal/pages"
)

func TestPackages(t *testing.T) {
	if os.Getenv("RENDERED_TEST_PACKAGES") == "" {
		t.Skip("RENDERED_TEST_PACKAGES=1 builds the packages and installs them in a chroot; that takes root")
	}
	tools(t)
	clone, other := clone(t), clone(t)
	made := build(t, clone, "umask 077; export TZ=Asia/Tokyo LC_ALL=C.UTF-8 GOFLAGS=-tags=nonsense RENDERED_CONFIG=/nonsense;")
	write(t, filepath.Join(other, "packaging/examples/conf.d/stray.yaml"), "what lies about belongs to nobody's commit")
	for _, b := range pages.Claimed(t) {
		cmd := exec.CommandContext(t.Context(), "sh", "-euc", b.Text)
		cmd.Dir = clone
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", b, err, out)
		} else if found, err := filepath.Glob(filepath.Join(clone, "dist/*.deb")); err != nil || len(found) != len(made.debs) {
			t.Errorf("%v makes %q, %v", b, found, err)
		}
	}
	t.Run("twice the same", func(t *testing.T) { same(t, made, build(t, other, "umask 002;")) })
	git(t, other, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "--allow-empty", "--message=next")
	next := build(t, other, "")
	t.Run("versions", func(t *testing.T) { versions(t, made, next) })
	t.Run("lintian", func(t *testing.T) { lint(t, made) })
	t.Run("contents", func(t *testing.T) { contents(t, made) })
	t.Run("rpm", func(t *testing.T) { rpms(t, made) })
	t.Run("documents", func(t *testing.T) { documents(t, made) })
	for name, include := range map[string]string{"without systemd": "ca-certificates", "systemd does not run": "systemd"} {
		t.Run(name, func(t *testing.T) {
			image := image(t, include)
			t.Run("deb", func(t *testing.T) { lifeOfDeb(newRoot(t, image), made, next) })
			t.Run("rpm", func(t *testing.T) { lifeOfRPM(newRoot(t, image), made, next) })
		})
	}
}

// tools is what it takes of the machine.
func tools(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("needs root")
	}
	for program, from := range map[string]string{
		"dpkg-deb": "dpkg", "rpm": "rpm", "lintian": "lintian", "man": "man-db", "mandoc": "mandoc", "groff": "groff", "bash": "bash", "zsh": "zsh",
		"fish": "fish", "mmdebstrap": "mmdebstrap", "git": "git",
	} {
		if _, err := exec.LookPath(program); err != nil {
			t.Errorf("%v: apt-get install %s", err, from)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}
