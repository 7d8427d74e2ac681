package preview

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// asked is the variable of the environment that makes this program say whether there can be a view.
const asked = "PREVIEW_AVAILABLE"

func TestMain(m *testing.M) {
	Main()
	// As the daemon is.
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	if os.Getenv(asked) != "" {
		err := Available(context.Background())
		fmt.Println(err)
		if r, ok := errors.AsType[*Refusal](err); ok {
			fmt.Println(strings.Join(r.Hints, "\n"))
		}
		return
	}
	os.Exit(m.Run())
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
	if n := strings.Count(out, "--- PASS: TestRun"); n != 5 && err == nil {
		t.Errorf("%q: %d tests passed, want 5:\n%s", prefix, n, out)
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

// need skips, except in CI, where a program or a privilege is missing.
func need(t *testing.T, programs ...string) {
	t.Helper()
	why := ""
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			why = p + " is not there"
		}
	}
	if os.Geteuid() != 0 {
		why = "only root can"
	}
	switch {
	case why == "":
	case os.Getenv("CI") != "":
		t.Fatal(why)
	default:
		t.Skip(why)
	}
}

// On every machine with systemd the root is shared: what is mounted below it in a copy of the namespace would appear to all.
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
				"or give the daemon CAP_SYS_ADMIN: systemctl edit rendered, [Service] AmbientCapabilities=CAP_SYS_ADMIN\n" +
				"a check of a file, with {}, needs none of this\n",
		},
	} {
		out, err := elsewhere(t, nil, append(tt.prefix, "test")...)
		if err != nil || out != tt.want {
			t.Errorf("%s: %v, %s, want %s", tt.name, err, out, tt.want)
		}
	}
}
