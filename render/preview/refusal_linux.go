package preview

import (
	"errors"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

func refusal(user bool, step string, err error) *Refusal {
	r := &Refusal{Step: step, Err: err}
	switch {
	case errors.Is(err, unix.ENOSYS):
		r.Hints = append(r.Hints, "it takes Linux 5.6 or newer, and a container or SystemCallFilter= that allows @mount")
	case user:
		r.Hints = append(r.Hints, userHints()...)
		r.Hints = append(r.Hints, give)
	case errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES):
		r.Hints = append(r.Hints, "the daemon has CAP_SYS_ADMIN, but seccomp or a security module forbids it: SystemCallFilter= must allow @mount, RestrictNamespaces= mnt, a container's profile both")
	}
	r.Hints = append(r.Hints, perFile)
	return r
}

// give is how a unit has what a view takes. Each line adds to what the unit and its other drop-ins
// allow, and none of them suffices alone.
const give = "or give the daemon CAP_SYS_ADMIN: systemctl edit rendered, [Service] CapabilityBoundingSet=CAP_SYS_ADMIN, RestrictNamespaces=mnt, SystemCallFilter=@mount, " +
	"and where it has a User= AmbientCapabilities=CAP_SYS_ADMIN"

// userHints says what commonly forbids user namespaces.
func userHints() []string {
	var hints []string
	for _, s := range []struct{ path, bad, hint string }{
		{"user/max_user_namespaces", "0", "user.max_user_namespaces is 0: sysctl -w user.max_user_namespaces=10000 allows user namespaces"},
		{"kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1 allows user namespaces"},
		{"kernel/apparmor_restrict_unprivileged_userns", "1", "AppArmor restricts user namespaces: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or a profile for rendered with userns"},
	} {
		text, err := os.ReadFile("/proc/sys/" + s.path)
		if err == nil && strings.TrimSpace(string(text)) == s.bad {
			hints = append(hints, s.hint)
		}
	}
	if hints == nil {
		hints = []string{"without CAP_SYS_ADMIN it takes a user namespace: RestrictNamespaces= must allow user and mnt, SystemCallFilter= @mount, a container's profile both"}
	}
	return hints
}

// A helperError is what went wrong in the helper.
type helperError struct {
	text  string
	errno syscall.Errno
}

func (e *helperError) Error() string { return e.text }

func (e *helperError) Unwrap() error { return e.errno }

// cause gives the innermost error: what is around it speaks of the helper's own program.
func cause(err error) error {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err
}
