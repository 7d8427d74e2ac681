package command

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Where there is no init that takes orphans, as in a container, they are ours: none of a group that
// was ended stays a zombie.
func TestOrphansOfAGroupAreReaped(t *testing.T) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	defer unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
	for _, line := range []string{
		`sh -c 'trap "" TERM; echo $$ >$FIFO; while :; do sleep 60; done' & wait`,
		`sh -c 'sh -c "echo \$\$ >\$FIFO; exec sleep 60" & sleep 60' & wait`,
	} {
		r, result := told(t, t.Context(), line, Options{Timeout: 300 * time.Millisecond, KillAfter: 50 * time.Millisecond})
		_, fd := processOf(t, r)
		var e *Error
		if err := <-result; !errors.As(err, &e) || e.Reason != Timeout {
			t.Errorf("%s: %v, want a timeout", line, err)
		}
		if !ends(fd, 0) {
			t.Errorf("%s: it lives on", line)
		}
		if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); err != unix.ECHILD {
			t.Errorf("%s: there are children left: %d, %v", line, pid, err)
		}
	}
}
