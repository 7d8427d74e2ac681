package systemd_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// packages are what a server of the story has before rendered comes to it.
var packages = []string{
	"systemd", "systemd-sysv", "libpam-systemd", "libnss-systemd", "dbus", "polkitd", "adduser", "procps", "iproute2",
	"nginx-light", "openssh-server", "pgbouncer",
}

// recipe is how a root is made. Another recipe makes another root, in whose place the old one is
// removed.
var recipe = []string{
	"--mode=root", "--format=dir", "--variant=minbase", "--quiet", "--dpkgopt=force-unsafe-io",
	`--aptopt=Acquire::Languages "none"`, "--include=" + strings.Join(packages, ","),
	// A story starts nginx, and gives it a site.
	`--customize-hook=rm -f "$1"/etc/systemd/system/multi-user.target.wants/nginx.service "$1"/etc/systemd/system/multi-user.target.wants/pgbouncer.service "$1"/etc/nginx/sites-enabled/default`,
	`--customize-hook=mkdir -p "$1"/var/log/journal`,
	`--customize-hook=echo server >"$1"/etc/hostname`,
	`--customize-hook=: >"$1"/etc/machine-id`,
}

// image gives the root directory of a Debian release, which nobody may write to. It is made once
// and kept in the cache of the user.
func image(t *testing.T, release string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(strings.Join(recipe, "\n")))
	cache := filepath.Join(cacheDir(), release)
	dir := filepath.Join(cache, hex.EncodeToString(sum[:6]))
	if err := os.MkdirAll(cache, 0o755); err != nil {
		t.Fatal(err)
	}
	defer lock(t, filepath.Join(cache, "lock"))()
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	older, err := filepath.Glob(filepath.Join(cache, "*[0-9a-f]"))
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	temporary := dir + ".tmp"
	if err := os.RemoveAll(temporary); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "mmdebstrap", slices.Concat(recipe, []string{release, temporary, mirror(t)})...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("mmdebstrap: %v\n%s", err, out)
	}
	if err := os.Rename(temporary, dir); err != nil {
		t.Fatal(err)
	}
	for _, old := range older {
		_ = os.RemoveAll(old)
	}
	t.Logf("made the root of %s in %v: %s", release, since(begun), dir)
	return dir
}

// cacheDir is where roots outlive a run.
func cacheDir() string {
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = "/var/cache"
	}
	return filepath.Join(cache, "rendered-test")
}

// lock waits for the only right to the file of this name.
func lock(t *testing.T, name string) (unlock func()) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err == nil {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() { f.Close() }
}

// mirror is where this machine itself gets Debian's packages.
func mirror(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Created-By: Packages", "Label: Debian").Output()
	if err != nil {
		t.Fatalf("apt-get indextargets: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		uri, codename, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.Contains(codename, "-") { // no updates, no security
			return uri
		}
	}
	t.Fatalf("apt knows no mirror of Debian: run apt-get update\n%s", out)
	return ""
}

// since is for the log.
func since(t time.Time) time.Duration { return time.Since(t).Round(time.Millisecond) }

// tools is what the story needs of the machine that it is told on.
func tools(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("needs root")
	}
	for program, from := range map[string]string{
		"systemd-nspawn": "systemd-container", "mmdebstrap": "mmdebstrap", "nsenter": "util-linux", "bash": "bash",
	} {
		if _, err := exec.LookPath(program); err != nil {
			t.Error(fmt.Errorf("%w: apt-get install %s", err, from))
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}
