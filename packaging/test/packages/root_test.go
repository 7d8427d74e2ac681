package packages_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// recipe is how a Debian is made, but for what it includes. Another recipe makes another one.
var recipe = []string{
	"--mode=root", "--format=dir", "--variant=minbase", "--quiet", "--dpkgopt=force-unsafe-io", `--aptopt=Acquire::Languages "none"`,
}

const release = "bookworm"

// image gives the directory of a Debian with a package, which nobody may write to. It is made once
// and kept in a cache.
func image(t *testing.T, include string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(strings.Join(append(recipe, release, include), "\n")))
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = "/var/cache"
	}
	dir := filepath.Join(cache, "rendered-test", "packages", hex.EncodeToString(sum[:6]))
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	lock, err := os.OpenFile(dir+".lock", os.O_RDWR|os.O_CREATE, 0o644)
	if err == nil {
		err = unix.Flock(int(lock.Fd()), unix.LOCK_EX)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	temporary := dir + ".tmp"
	if err := os.RemoveAll(temporary); err != nil {
		t.Fatal(err)
	}
	output(t, "mmdebstrap", slices.Concat(recipe, []string{"--include=" + include, release, temporary, mirror(t)})...)
	if err := os.Rename(temporary, dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// mirror is where this machine itself gets Debian's packages.
func mirror(t *testing.T) string {
	t.Helper()
	for line := range strings.Lines(output(t, "apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Created-By: Packages", "Label: Debian")) {
		uri, codename, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.Contains(codename, "-") { // no updates, no security
			return uri
		}
	}
	t.Fatal("apt knows no mirror of Debian: apt-get update")
	return ""
}

// A root is a Debian of its own that may be written to, until the test ends.
type root struct {
	t   *testing.T
	dir string
}

func newRoot(t *testing.T, image string) *root {
	t.Helper()
	// It is not below the test's own, which is deleted while this is mounted.
	work, err := os.MkdirTemp("", "rendered-root")
	if err != nil {
		t.Fatal(err)
	}
	r := &root{t, filepath.Join(work, "root")}
	for _, name := range []string{"root", "upper", "work"} {
		if err := os.Mkdir(filepath.Join(work, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	options := "lowerdir=" + image + ",upperdir=" + filepath.Join(work, "upper") + ",workdir=" + filepath.Join(work, "work")
	if err := unix.Mount("overlay", r.dir, "overlay", 0, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(r.dir, 0); err != nil {
			t.Errorf("%s stays: %v", work, err)
			return
		}
		os.RemoveAll(work)
	})
	return r
}

// try runs a program in the root, with nothing of this machine but its kernel.
func (r *root) try(program string, args ...string) (string, error) {
	cmd := exec.CommandContext(r.t.Context(), "chroot", append([]string{r.dir, program}, args...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "AWS_EC2_METADATA_DISABLED=true", "AWS_REGION=eu-west-1"}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// must is try for what has to succeed.
func (r *root) must(program string, args ...string) string {
	r.t.Helper()
	out, err := r.try(program, args...)
	if err != nil {
		r.t.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
	return out
}

// dpkg runs dpkg, over a package of this machine where there is one. It and the package's scripts
// have nothing to complain of.
func (r *root) dpkg(action, name string) {
	r.t.Helper()
	if filepath.IsAbs(name) {
		data, err := os.ReadFile(name)
		if err != nil {
			r.t.Fatal(err)
		}
		name = "/root/rendered.deb"
		write(r.t, r.path(name), string(data))
		defer os.Remove(r.path(name))
	}
	out := r.must("dpkg", action, name)
	for line := range strings.Lines(out) {
		if !strings.Contains(line, "rendered (") && !strings.HasPrefix(line, "(Reading database") && !strings.HasPrefix(line, "Selecting previously") &&
			!strings.Contains(line, "downgrading rendered from") && !strings.HasPrefix(line, "Preparing to unpack") &&
			!strings.HasPrefix(line, "Processing triggers for systemd (") && // it takes the catalog in
			!strings.HasPrefix(line, "Creating ") && !strings.HasPrefix(line, "Created symlink") && !strings.Contains(line, "not empty so not removed") {
			r.t.Errorf("dpkg %s says %s", action, line)
		}
	}
}

func (r *root) path(name string) string { return filepath.Join(r.dir, name) }

// there wants these to be there.
func (r *root) there(names ...string) {
	r.t.Helper()
	for _, name := range names {
		if _, err := os.Lstat(r.path(name)); err != nil {
			r.t.Error(err)
		}
	}
}

// gone wants these not to be there.
func (r *root) gone(names ...string) {
	r.t.Helper()
	for _, name := range names {
		if _, err := os.Lstat(r.path(name)); err == nil {
			r.t.Errorf("%s is there", name)
		}
	}
}

// files gives the contents of files, by name.
func (r *root) files(names ...string) map[string]string {
	r.t.Helper()
	contents := make(map[string]string)
	for _, name := range names {
		data, err := os.ReadFile(r.path(name))
		if err != nil {
			r.t.Fatal(err)
		}
		contents[name] = string(data)
	}
	return contents
}
