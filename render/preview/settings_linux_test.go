package preview

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// asked is the variable of the environment that makes this program say whether there can be a view.
const asked = "PREVIEW_AVAILABLE"

func TestMain(m *testing.M) {
	Main()
	// Without this each child waits a second for the race detector.
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0")
	// As the daemon is.
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	if os.Getenv(asked) != "" {
		if call, err := strconv.Atoi(os.Getenv(forbidden)); err == nil {
			forbid(uint32(call))
		}
		err := Available(context.Background())
		fmt.Println(err)
		if r, ok := errors.AsType[*Refusal](err); ok {
			fmt.Println(strings.Join(r.Hints, "\n"))
		}
		return
	}
	os.Exit(m.Run())
}

// forbidden is the variable that names, by its number, a system call that this program has the
// kernel refuse to it and its children, as a sandbox does.
const forbidden = "PREVIEW_FORBIDDEN"

func forbid(call uint32) {
	answer := uint32(unix.SECCOMP_RET_ERRNO | unix.EPERM)
	if call == unix.SYS_FSOPEN {
		answer = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS) // as by an old kernel
	}
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the number of the call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: call},
		{Code: unix.BPF_RET | unix.BPF_K, K: answer},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		panic(err)
	}
	if _, _, err := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program))); err != 0 {
		panic(err)
	}
}

// unavailable skips where there can be no view: in a container that forbids it. CI's machine can.
func unavailable(t *testing.T, r *Refusal) {
	t.Helper()
	text := fmt.Sprintln(r) + strings.Join(r.Hints, "\n")
	if os.Getenv("CI") != "" {
		t.Fatal(text)
	}
	t.Skip(text)
}

// again runs tests of this binary once more, in another setting.
func again(t *testing.T, credential *syscall.Credential, prefix ...string) {
	t.Helper()
	out, err := elsewhere(t, credential, append(prefix, "test", "-test.run=^TestRun", "-test.v")...)
	if err != nil {
		t.Errorf("%q: %v\n%s", prefix, err, out)
	}
	if n := strings.Count(out, "--- PASS: TestRun"); n != 6 && err == nil {
		t.Errorf("%q: %d tests passed, want 6:\n%s", prefix, n, out)
	}
}

// elsewhere runs a command line in which "test" stands for this binary.
func elsewhere(t *testing.T, credential *syscall.Credential, args ...string) (output string, err error) {
	t.Helper()
	// Where an ordinary user can read it.
	dir, err := os.MkdirTemp("/tmp", "preview")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	binary := filepath.Join(dir, "test")
	text, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(binary, text, 0o755), os.Mkdir(filepath.Join(dir, "tmp"), 0o755), os.Chmod(filepath.Join(dir, "tmp"), 0o1777)); err != nil {
		t.Fatal(err)
	}
	args[slices.Index(args, "test")] = binary
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TMPDIR="+filepath.Join(dir, "tmp"), "CI=true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// need skips where only root can, and, except in CI, where a program is missing.
func need(t *testing.T, programs ...string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("this takes root")
	}
	for _, p := range programs {
		_, err := exec.LookPath(p)
		switch {
		case err == nil:
		case os.Getenv("CI") != "":
			t.Fatal(err)
		default:
			t.Skip(err)
		}
	}
}

// On every machine with systemd the root is shared: what is mounted below it in a copy of the
// namespace would appear to all.
func TestUnderASharedRoot(t *testing.T) {
	need(t, "unshare", "mount")
	again(t, nil, "unshare", "-m", "--propagation=unchanged", "sh", "-c", `mount --make-rshared / && exec "$@"`, "sh")
}

func TestAsAnOrdinaryUser(t *testing.T) {
	need(t)
	again(t, &syscall.Credential{Uid: 65534, Gid: 65534})
}

func TestWithoutSysAdmin(t *testing.T) {
	need(t, "setpriv")
	again(t, nil, "setpriv", "--bounding-set=-sys_admin")
	again(t, nil, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-sys_admin",
		"--inh-caps=+setuid,+setgid,+setfcap,+chown,+dac_override", "--ambient-caps=+setuid,+setgid,+setfcap,+chown,+dac_override")
}

func TestAvailable(t *testing.T) {
	t.Setenv(asked, "yes")
	need(t, "setpriv", "unshare")
	for _, tt := range []struct {
		name   string
		prefix []string
		want   string
	}{
		{"root", []string{"env"}, "<nil>\n"},
		{"an ordinary user", []string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"}, "<nil>\n"},
		{
			"one who may have no user namespace",
			[]string{"unshare", "-Ur", "sh", "-c", `echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-sys_admin "$@"`, "sh"},
			"it cannot be shown the new files: making a user namespace: no space left on device\n" +
				"user.max_user_namespaces is 0: sysctl -w user.max_user_namespaces=10000 allows user namespaces\n" +
				give + "\n" +
				"a check of a file, with {}, needs none of this\n",
		},
		{
			"root whom a sandbox forbids it",
			[]string{"env", fmt.Sprint(forbidden, "=", unix.SYS_UNSHARE)},
			"it cannot be shown the new files: making a namespace: operation not permitted\n" +
				"the daemon has CAP_SYS_ADMIN, but seccomp or a security module forbids it: SystemCallFilter= must allow @mount, RestrictNamespaces= mnt, a container's profile both\n" +
				"a check of a file, with {}, needs none of this\n",
		},
		{
			"an ordinary user whom a sandbox forbids it",
			[]string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", fmt.Sprint(forbidden, "=", unix.SYS_UNSHARE)},
			"it cannot be shown the new files: making a user namespace: operation not permitted\n" +
				"without CAP_SYS_ADMIN it takes a user namespace: RestrictNamespaces= must allow user and mnt, SystemCallFilter= @mount, a container's profile both\n" +
				give + "\n" +
				"a check of a file, with {}, needs none of this\n",
		},
		{
			"root whom a sandbox forbids a part of it",
			[]string{"env", fmt.Sprint(forbidden, "=", unix.SYS_OPEN_TREE)},
			"it cannot be shown the new files: mounting a file: open_tree: operation not permitted\n" +
				"the daemon has CAP_SYS_ADMIN, but seccomp or a security module forbids it: SystemCallFilter= must allow @mount, RestrictNamespaces= mnt, a container's profile both\n" +
				"a check of a file, with {}, needs none of this\n",
		},
		{
			"an old kernel",
			[]string{"env", fmt.Sprint(forbidden, "=", unix.SYS_FSOPEN)},
			"it cannot be shown the new files: making a file system in memory: fsopen: function not implemented\n" +
				"it takes Linux 5.6 or newer, and a container or SystemCallFilter= that allows @mount\n" +
				"a check of a file, with {}, needs none of this\n",
		},
	} {
		out, err := elsewhere(t, nil, append(tt.prefix, "test")...)
		if err != nil || out != tt.want {
			t.Errorf("%s: %v, %s, want %s", tt.name, err, out, tt.want)
		}
	}
}
