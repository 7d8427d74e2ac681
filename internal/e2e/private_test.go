package e2e

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A private file is one that a stranger, user 65534, may not read, or may.
type private struct {
	settings string      // of the file in the config
	old      os.FileMode // of a file that stands there; 0: none does
	owner    int         // of that file, user and group
	// acl is an attribute, of the directory or of that file, that lets the stranger read and write.
	acl  string
	open bool // the stranger may read the new file
}

// strangersACL lets user 65534 read and write: user::rw- user:65534:rw- group::--- mask::rw-
// other::--- (posix_acl_xattr, version 2).
var strangersACL = []byte{2, 0, 0, 0,
	1, 0, 6, 0, 255, 255, 255, 255,
	2, 0, 6, 0, 254, 255, 0, 0,
	4, 0, 0, 0, 255, 255, 255, 255,
	16, 0, 6, 0, 255, 255, 255, 255,
	32, 0, 0, 0, 255, 255, 255, 255}

var privates = map[string]private{
	"new":               {},
	"new-default-acl":   {acl: "system.posix_acl_default"},
	"new-owner":         {settings: `, owner: "12:34"`},
	"new-group":         {settings: `, owner: "root:34", mode: 0640`},
	"old":               {old: 0o600},
	"old-owner":         {old: 0o640, owner: 12},
	"old-was-open":      {old: 0o644, settings: ", mode: 0600"},
	"old-acl-closed":    {old: 0o640, acl: "system.posix_acl_access", settings: ", mode: 0600"},
	"old-was-strangers": {old: 0o600, owner: ordinaryUser, settings: ", owner: root:root"},
	"default-acl-group": {old: 0o600, acl: "system.posix_acl_default", settings: `, owner: "root:34", mode: 0660`},
	"in-place":          {old: 0o600, settings: ", write: in-place"},
	"in-place-acl":      {old: 0o600, acl: "system.posix_acl_default", settings: ", write: in-place"},
	"for-all":           {settings: ", mode: 0644", open: true},
	"acl-kept":          {old: 0o640, acl: "system.posix_acl_access", open: true},
}

// TestStagedFilesAreNeverOpen has an ordinary user watch the directories by inotify and try to open
// each staged file whenever anything happens to it, while the daemon lets time pass before and
// after each system call that makes the file what it is to be. Who may not read the new file may
// not open the staged one, not even while it is empty: an open file can be read later.
func TestStagedFilesAreNeverOpen(t *testing.T) {
	t.Parallel()
	needed(t, "strace")
	neededRoot(t)
	// An ordinary user reaches it.
	dir, err := os.MkdirTemp("/tmp", "private")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	config := "state_dir: state\nservices:\n"
	dirs := []string{filepath.Join(dir, "state")}
	for name, p := range privates {
		p.prepare(t, filepath.Join(dir, name))
		dirs = append(dirs, filepath.Join(dir, name))
		config += fmt.Sprintf("  %s: {files: [{content: %q, path: %[1]s/f%[3]s}]}\n", name, canary, p.settings)
	}
	if err := os.Mkdir(dirs[0], 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "rendered.yaml"), config)

	watched := watchAsStranger(t, dirs)
	slow := "inject=fchown,fchmod,fsetxattr,fremovexattr,write,fsync:delay_enter=5000:delay_exit=5000"
	cmd := exec.CommandContext(t.Context(), "strace", "-f", "-o", "/dev/null", "-e", slow, program(t), "once", "-c", "rendered.yaml")
	cmd.Dir, cmd.Env = dir, os.Environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
	tried, opened := watched()
	sum := 0
	for _, d := range dirs {
		sum += tried[d]
		name := filepath.Base(d)
		p, there := privates[name]
		switch n := tried[d]; {
		case n < 3:
			t.Errorf("%s: the stranger tried %d times only", name, n)
		case p.open != (opened[d] > 0):
			t.Errorf("%s: the stranger opened a staged file %d times, of %d that he tried", name, opened[d], n)
		}
		if !there {
			continue
		}
		if data, err := os.ReadFile(d + "/f"); err != nil || string(data) != canary {
			t.Errorf("%s: the file holds %q: %v", name, data, err)
		}
	}
	t.Logf("%d files, tried to open %d times", len(privates), sum)
}

// prepare makes the directory, and the file that stands in it.
func (p private) prepare(t *testing.T, dir string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	target := dir
	if p.old != 0 {
		path := filepath.Join(dir, "f")
		write(t, path, "old")
		if err := os.Chown(path, p.owner, p.owner); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, p.old); err != nil {
			t.Fatal(err)
		}
		if p.acl == "system.posix_acl_access" {
			target = path
		}
	}
	if p.acl == "" {
		return
	}
	if err := unix.Setxattr(target, p.acl, strangersACL, 0); err != nil {
		t.Skipf("no ACLs here: %v", err)
	}
}

// watchAsStranger has a thread become an ordinary user for good, and try to open what is staged in
// the directories. In the end it says how often it tried and how often it could, by directory.
func watchAsStranger(t *testing.T, dirs []string) (end func() (tried, opened map[string]int)) {
	t.Helper()
	tried, opened := make(map[string]int), make(map[string]int)
	stop, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	ready, ended := make(chan error), make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread() // and never unlock it: the thread ends with us
		events, watches, err := becomeStranger(dirs)
		if ready <- err; err != nil {
			return
		}
		defer unix.Close(events)
		buf := make([]byte, 64<<10)
		for {
			both := []unix.PollFd{{Fd: int32(events), Events: unix.POLLIN}, {Fd: int32(stop), Events: unix.POLLIN}}
			if _, err := unix.Poll(both, -1); err != nil && err != unix.EINTR {
				return
			}
			n, _ := unix.Read(events, buf)
			if n <= 0 && both[1].Revents != 0 {
				return
			}
			for rest := buf[:max(n, 0)]; len(rest) > 0; {
				size := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(rest[12:]))
				dir := watches[int(binary.NativeEndian.Uint32(rest))]
				name := strings.TrimRight(string(rest[unix.SizeofInotifyEvent:size]), "\x00")
				rest = rest[size:]
				if !strings.HasPrefix(name, ".") {
					continue
				}
				tried[dir]++
				if fd, err := unix.Open(filepath.Join(dir, name), unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0); err == nil {
					opened[dir]++
					unix.Close(fd)
				}
			}
		}
	}()
	if err := <-ready; err != nil {
		t.Fatal(err)
	}
	return func() (map[string]int, map[string]int) {
		if _, err := unix.Write(stop, []byte{1, 0, 0, 0, 0, 0, 0, 0}); err != nil {
			t.Error(err)
		}
		<-ended
		unix.Close(stop)
		return tried, opened
	}
}

// becomeStranger makes this thread, and no other one, an ordinary user's, and watches the
// directories.
func becomeStranger(dirs []string) (events int, watches map[int]string, err error) {
	for _, call := range [][4]uintptr{
		{unix.SYS_SETGROUPS, 0, 0, 0},
		{unix.SYS_SETRESGID, ordinaryUser, ordinaryUser, ordinaryUser},
		{unix.SYS_SETRESUID, ordinaryUser, ordinaryUser, ordinaryUser},
	} {
		if _, _, errno := syscall.RawSyscall(call[0], call[1], call[2], call[3]); errno != 0 {
			return -1, nil, errno
		}
	}
	if events, err = unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC); err != nil {
		return -1, nil, err
	}
	watches = make(map[int]string)
	for _, d := range dirs {
		w, err := unix.InotifyAddWatch(events, d, unix.IN_CREATE|unix.IN_ATTRIB|unix.IN_MODIFY|unix.IN_CLOSE_WRITE)
		if err != nil {
			return -1, nil, fmt.Errorf("%s: %w", d, err)
		}
		watches[w] = d
	}
	return events, watches, nil
}
