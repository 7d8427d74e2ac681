package notify

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// sleeper gives the number of a process that a user has.
func sleeper(t *testing.T, uid int) int {
	t.Helper()
	cmd := exec.Command("sleep", "600")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd.Process.Pid
}

// A user who can write to a pid file, put one of his or another in its place, or lead to another by
// a link, has root signal no process but his own.
func TestPIDFilesOfOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has others to distrust")
	}
	const user, other = 12001, 12002
	pids := map[int]int{0: sleeper(t, 0), user: sleeper(t, user), other: sleeper(t, other)}
	dirs := map[string]struct {
		owner, group int
		mode         os.FileMode
	}{
		"root": {0, 0, 0o755}, "own": {user, user, 0o755}, "group": {0, user, 0o775}, "own-group": {user, user, 0o2775},
		"everybody": {0, 0, 0o777}, "sticky": {0, 0, 0o777 | os.ModeSticky},
	}
	// Who may be signaled by a file of that owner, of one name, which its owner alone can write to.
	believed := map[string]map[int][]int{
		"root":      {0: {0, user, other}, user: {user}, other: {other}},
		"own":       {user: {user}},
		"group":     {user: {user}, other: {other}},
		"own-group": {user: {user}, other: {other}},
		"everybody": {user: {user}, other: {other}},
		"sticky":    {0: {0, user, other}, user: {user}, other: {other}},
	}
	top := t.TempDir()
	elsewhere := filepath.Join(top, "elsewhere")
	if err := os.Mkdir(elsewhere, 0o755); err != nil {
		t.Fatal(err)
	}
	n := 0
	for name, d := range dirs {
		dir := filepath.Join(top, name)
		if err := errors.Join(os.Mkdir(dir, 0o700), os.Chown(dir, d.owner, d.group), os.Chmod(dir, d.mode)); err != nil {
			t.Fatal(err)
		}
		for owner := range pids {
			for target, pid := range pids {
				file := func(path string, mode os.FileMode) error {
					return errors.Join(os.WriteFile(path, []byte(strconv.Itoa(pid)), 0o600), os.Chown(path, owner, owner), os.Chmod(path, mode))
				}
				for kind, make := range map[string]func(path string) error{
					"plain":       func(path string) error { return file(path, 0o644) },
					"for all":     func(path string) error { return file(path, 0o666) },
					"for a group": func(path string) error { return errors.Join(file(path, 0o664), os.Chown(path, owner, 12003)) },
					"with another name": func(path string) error {
						return errors.Join(file(path+"-second", 0o644), os.Link(path+"-second", path))
					},
					"a link": func(path string) error {
						there := filepath.Join(elsewhere, filepath.Base(path))
						return errors.Join(file(there, 0o644), os.Symlink(there, path), os.Lchown(path, owner, owner))
					},
				} {
					n++
					path := filepath.Join(dir, fmt.Sprint(n))
					if err := make(path); err != nil {
						t.Fatal(err)
					}
					good := slices.Contains(believed[name][owner], target)
					switch kind {
					case "for all", "for a group":
						good = false
					case "with another name":
						good = good && name == "root"
					// Root's links in directories where others cannot replace them; what they lead
					// to is in a directory of root's.
					case "a link":
						good = owner == 0 && name == "root"
					}
					p, err := fromPIDFile(path)
					if err == nil {
						p.Close()
					}
					if (err == nil) != good {
						t.Errorf("%s, a file of %d, %s, that names a process of %d: %v", name, owner, kind, target, err)
					}
					if e, ok := errors.AsType[*Error](err); err != nil && (!ok || e.Reason != NotPermitted || len(e.Hints) == 0) {
						t.Errorf("%s, a file of %d, %s: %v", name, owner, kind, err)
					}
					if _, err := ExaminePIDFile(path); good && err != nil {
						t.Errorf("%s: %v", path, err)
					}
				}
			}
		}
	}
}

// Nothing that a user can make at the path holds up the daemon.
func TestPIDFileThatIsNone(t *testing.T) {
	dir := t.TempDir()
	pipe, socket, link := filepath.Join(dir, "pipe"), filepath.Join(dir, "socket"), filepath.Join(dir, "link")
	if err := errors.Join(unix.Mkfifo(pipe, 0o666), unix.Mknod(socket, unix.S_IFSOCK|0o666, 0), os.Symlink("pipe", link)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, socket, link, dir, "/dev/zero"} {
		begun := time.Now()
		_, err := fromPIDFile(path)
		if err == nil || !strings.Contains(err.Error(), "not a regular file") || time.Since(begun) > 10*time.Second {
			t.Errorf("%s: %v after %v", path, err, time.Since(begun))
		}
	}
}
