package swap

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// mirror mounts a file system that does with a change of owner or mode what the option says.
func mirror(t *testing.T, option string) (dir string) {
	t.Helper()
	if _, err := exec.LookPath("bindfs"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir = t.TempDir()
	if out, err := exec.Command("bindfs", option, t.TempDir(), dir).CombinedOutput(); err != nil {
		t.Skipf("%v: %s", err, out)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// A file system that accepts an owner or a mode and makes another of it, as vfat does, gets no
// content: others could read it, and it would be put right again in each pass.
func TestOwnerOrModeThatIsNotKept(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting takes root")
	}
	for option, want := range map[string]string{
		"--chmod-ignore": "chmod: the file system makes it 0600, not 0640",
		"--chown-ignore": "chown: the file system makes it 0:0, not 12:0",
		"--chgrp-ignore": "chown: the file system makes it 12:0, not 12:34",
	} {
		dir := mirror(t, option)
		next := Target{Path: dir + "/f", Content: []byte("new"), UID: 12, GID: 34, Mode: 0o640}
		if option == "--chown-ignore" {
			next.GID = Keep
		}
		s := compare(t, next)
		if err := s.Stage(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", option, err, want)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if left := names(t, dir); len(left) != 0 {
			t.Errorf("%s: left behind: %v", option, left)
		}
		// What the file system gives anyhow may be asked for.
		next.UID, next.GID, next.Mode = Keep, Keep, 0o600
		s = compare(t, next)
		if err := s.Stage(); err != nil {
			t.Errorf("%s: %v", option, err)
		}
	}
}
