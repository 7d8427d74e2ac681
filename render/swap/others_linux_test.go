package swap

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/long"
)

// Two ordinary users, who need not be known to the machine.
const (
	mallory = 12001
	eve     = 12002

	third   = 12004
	readers = 12003 // a group of neither
)

// as does something with a user's rights to files, and no more: by a thread of its own, which ends
// with it (credentials(7)).
func as(uid int, do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		for _, call := range [][2]uintptr{{unix.SYS_SETGROUPS, 0}, {unix.SYS_SETFSGID, uintptr(uid)}, {unix.SYS_SETFSUID, uintptr(uid)}} {
			unix.RawSyscall(call[0], call[1], 0, 0)
		}
		do()
	}()
	<-done
}

// list is an access control list, as Linux stores it, that gives the owner and both users so much,
// and everybody else other.
func list(permissions, other byte) []byte {
	return slices.Concat([]byte{2, 0, 0, 0},
		[]byte{1, 0, permissions, 0, 255, 255, 255, 255},
		[]byte{2, 0, permissions, 0, mallory & 0xff, mallory >> 8, 0, 0},
		[]byte{2, 0, permissions, 0, eve & 0xff, eve >> 8, 0, 0},
		[]byte{4, 0, permissions, 0, 255, 255, 255, 255},
		[]byte{16, 0, permissions, 0, 255, 255, 255, 255},
		[]byte{32, 0, other, 0, 255, 255, 255, 255})
}

const (
	accessList  = "system.posix_acl_access"
	defaultList = "system.posix_acl_default"
)

// place makes a directory that users can reach. It skips where there is no root to distrust users.
func place(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root has others to distrust")
	}
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	as(mallory, func() {
		if err := os.WriteFile(filepath.Join(dir, "x"), nil, 0o600); err == nil {
			t.Fatal("a thread cannot act for a user here")
		}
	})
	return dir
}

// A kind of directory that others than root can change.
type kind struct {
	owner, group int
	mode         fs.FileMode
	lists        map[string][]byte // of the directory itself
}

var kinds = map[string]kind{
	"own":            {mallory, mallory, 0o755, nil},
	"group":          {0, mallory, 0o775, nil},
	"everybody's":    {0, 0, 0o777, nil},
	"sticky":         {0, 0, 0o777 | fs.ModeSticky, nil},
	"own and sticky": {mallory, mallory, 0o777 | fs.ModeSticky, nil},
	"set-group-ID":   {mallory, mallory, 0o775 | fs.ModeSetgid, nil},
	"listed":         {0, 0, 0o755, map[string][]byte{accessList: list(7, 5)}},
	"default list":   {mallory, mallory, 0o755, map[string][]byte{defaultList: list(6, 6)}},
}

func (k kind) make(t *testing.T, path string) {
	t.Helper()
	if err := errors.Join(os.Mkdir(path, 0o700), os.Chown(path, k.owner, k.group), os.Chmod(path, k.mode)); err != nil {
		t.Fatal(err)
	}
	for name, list := range k.lists {
		if err := unix.Setxattr(path, name, list, 0); err != nil {
			t.Skipf("no access control lists here: %v", err)
		}
	}
}

// A preparation is what a user does to the path of a destination. In its directory root has a file
// public, which all can read. What the user may not do there fails, which is no matter.
type preparation struct {
	regular bool // a plain file, or none, is there afterwards
	do      func(dir, key string)
}

func made(mode fs.FileMode, attributes map[string][]byte) preparation {
	return preparation{true, func(_, key string) {
		as(mallory, func() {
			_ = os.Remove(key)
			_ = os.WriteFile(key, []byte("his"), 0o600)
			_ = os.Chmod(key, mode)
			for name, value := range attributes {
				_ = unix.Setxattr(key, name, value, 0)
			}
		})
	}}
}

func madeBy(regular bool, how func(dir, key string) error) preparation {
	return preparation{regular, func(dir, key string) {
		as(mallory, func() {
			_ = os.Remove(key)
			_ = how(dir, key)
		})
	}}
}

var preparations = map[string]preparation{
	"nothing":                {true, func(string, string) {}},
	"a file for all":         made(0o666, nil),
	"an access control list": made(0o600, map[string][]byte{accessList: list(4, 0), "user.note": []byte("his")}),
	"a list for all":         made(0o777, map[string][]byte{accessList: list(7, 7)}),
	"a pipe":                 madeBy(false, func(_, key string) error { return unix.Mkfifo(key, 0o666) }),
	"a socket":               madeBy(false, func(_, key string) error { return unix.Mknod(key, unix.S_IFSOCK|0o666, 0) }),
	"a directory":            madeBy(false, func(_, key string) error { return os.Mkdir(key, 0o777) }),
	"a link": madeBy(false, func(dir, key string) error {
		return errors.Join(os.WriteFile(dir+"/bait", nil, 0o666), os.Symlink("bait", key))
	}),
	"a link to nothing":        madeBy(false, func(_, key string) error { return os.Symlink("fresh", key) }),
	"a link to root's":         madeBy(false, func(_, key string) error { return os.Symlink("public", key) }),
	"root's file, moved there": madeBy(true, func(dir, key string) error { return os.Rename(dir+"/public", key) }),
	"root's file, moved over":  {true, func(dir, key string) { as(mallory, func() { _ = os.Rename(dir+"/public", key) }) }},
	"a second name of root's": {true, func(dir, key string) {
		as(mallory, func() { _ = os.Remove(key) })
		_ = os.Link(dir+"/public", key) // as where fs.protected_hardlinks is off
	}},
	"a second name of its owner's": {true, func(dir, key string) {
		as(mallory, func() { _ = os.Remove(key) })
		_ = errors.Join(os.WriteFile(dir+"/elsewhere", nil, 0o666), os.Chown(dir+"/elsewhere", third, third), os.Chmod(dir+"/elsewhere", 0o666), os.Link(dir+"/elsewhere", key))
	}},
}

// configured are targets that neither user may read.
var configured = map[string]Target{
	"owner and mode":     {UID: 0, GID: 0, Mode: 0o600},
	"a group of readers": {UID: 0, GID: readers, Mode: 0o640},
	"a third user":       {UID: third, GID: third, Mode: 0o400},
	"no group":           {UID: third, GID: Keep, Mode: 0o640},
	"no mode":            {UID: 0, GID: 0, Mode: 0o600, KeepMode: true},
	"a third, no mode":   {UID: third, GID: third, Mode: 0o600, KeepMode: true},
	"the mode":           {UID: Keep, GID: Keep, Mode: 0o640},
	"nothing":            {UID: Keep, GID: Keep, Mode: 0o600, KeepMode: true},
}

// Others who can make names beside a file read nothing of it, whatever they made there before the
// first pass, make between passes, and do after them. Where it is configured who may read it, and a
// plain file is in the way or none, the new one comes to its place and is as configured. Without
// -long a third of the cases are tried, each time others.
func TestOthersReadNothing(t *testing.T) {
	top := place(t)
	tried, cases, passed := 0, 0, 0
	for dirName, k := range kinds {
		for prepName, p := range preparations {
			for confName, target := range configured {
				for _, target.InPlace = range []bool{false, true} {
					if tried++; tried%3 > 0 && !long.Asked() {
						continue
					}
					cases++
					name := fmt.Sprintf("%s, %s, %s, in place %v", dirName, prepName, confName, target.InPlace)
					dir := filepath.Join(top, fmt.Sprint(cases))
					k.make(t, dir)
					write(t, filepath.Join(dir, "public"), "public", 0o644)
					target.Path = filepath.Join(dir, "key")
					p.do(dir, target.Path)
					// Who may read it is in doubt where root's own file may have been moved there.
					// Nothing is then put in its place.
					moved := strings.Contains(prepName, "moved")
					decided := !target.InPlace && (!moved || target.UID != Keep && target.GID != Keep && !target.KeepMode)
					for pass := range 2 {
						target.Content = fmt.Appendf(nil, "canary %d\n", pass)
						err := swapOnce(t, target)
						if err == nil {
							passed++
							asConfigured(t, name, target)
						} else if decided && p.regular {
							t.Errorf("%s: %v", name, err)
						}
						nobodyReads(t, name, dir)
						p.do(dir, target.Path)
						nobodyReads(t, name, dir)
					}
					as(mallory, func() {
						_ = os.Chmod(target.Path, 0o666)
						_ = unix.Setxattr(target.Path, accessList, list(6, 6), 0)
						_ = errors.Join(os.Rename(target.Path, dir+"/other"), os.Link(dir+"/other", dir+"/more"))
					})
					nobodyReads(t, name, dir)
					if err := os.RemoveAll(dir); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
	t.Logf("%d cases, %d passes of %d put the file in its place", cases, passed, 2*cases)
	if passed < cases/2 {
		t.Errorf("only %d of %d passes came through", passed, 2*cases)
	}
}

func swapOnce(t *testing.T, target Target) error {
	t.Helper()
	s, err := machine.Compare([]Target{target})
	if err != nil {
		return err
	}
	defer s.Close()
	if s.Idle() {
		return nil
	}
	if err := s.Stage(); err != nil {
		return err
	}
	return s.Commit()
}

func asConfigured(t *testing.T, name string, want Target) {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Lstat(want.Path, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		t.Errorf("%s: %v, mode %#o", name, err, st.Mode)
		return
	}
	uid, gid := max(want.UID, 0), max(want.GID, 0)
	if int(st.Uid) != uid || int(st.Gid) != gid || fs.FileMode(st.Mode)&fs.ModePerm != want.Mode {
		t.Errorf("%s: %d:%d %#o, want %d:%d %#o", name, st.Uid, st.Gid, st.Mode, uid, gid, want.Mode)
	}
	for _, attribute := range []string{accessList, "user.note"} {
		if n, err := unix.Getxattr(want.Path, attribute, nil); err != unix.ENODATA {
			t.Errorf("%s: %s of %d bytes (%v)", name, attribute, n, err)
		}
	}
}

// nobodyReads wants no canary in any plain file of a directory that one of the users can open.
func nobodyReads(t *testing.T, name, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, uid := range []int{mallory, eve} {
		as(uid, func() {
			for _, e := range entries {
				path := filepath.Join(dir, e.Name())
				if st, err := os.Stat(path); err != nil || !st.Mode().IsRegular() {
					continue
				}
				if text, err := os.ReadFile(path); err == nil && bytes.Contains(text, []byte("canary")) {
					t.Errorf("%s: user %d reads %s: %q", name, uid, e.Name(), text)
				}
			}
		})
	}
}
