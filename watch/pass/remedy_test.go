package pass

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Of a full file system the place to look at is said, wherever in a pass it is met; of an owner
// that may not be given, what it takes.
func TestRemedies(t *testing.T) {
	full := fmt.Errorf("ledger: %w", &fs.PathError{Op: "write", Path: "/state/ledger.jsonl", Err: unix.ENOSPC})
	staged := &fs.PathError{Op: "stage", Path: "/etc/app/f", Err: fmt.Errorf("write: %w", unix.EDQUOT)}
	owned := &fs.PathError{Op: "stage", Path: "/etc/app/f", Err: fmt.Errorf("chown: %w", unix.EPERM)}
	state := fmt.Errorf("state_dir: %w", &fs.PathError{Op: "open", Path: "/var/lib/rendered", Err: unix.EACCES})
	if hints := Remedy(state); len(hints) != 1 || !strings.HasPrefix(hints[0], "the state belongs to") {
		t.Errorf("of a state of somebody else's is said %q", hints)
	}
	o := Outcome{Err: errors.Join(full, staged, owned, &fs.PathError{Op: "open", Path: "/etc/app/f", Err: unix.EACCES})}
	var said []string
	for _, e := range o.FileErrors() {
		said = append(said, strings.Join(e.Fault.Hints, " "))
	}
	want := []string{"df -h /state", "df -h /etc/app", "it is to belong to somebody else than the daemon's user", ""}
	if len(said) > 2 && !strings.Contains(said[2], "SupplementaryGroups=") {
		t.Errorf("of a group is said %q", said[2])
	}
	for i := range want {
		if len(said) != len(want) || !strings.HasPrefix(said[i], want[i]) || want[i] == "" && said[i] != "" {
			t.Fatalf("hints: %q, want %q", said, want)
		}
	}
}

// Who reads that a change was rolled back is told what has it tried again.
func TestRetried(t *testing.T) {
	for want, s := range map[string]Service{
		"it is tried again when it changes, or at once by  rendered refresh web":                         {Name: "web"},
		"it is tried again when it changes, or when somebody has resumed it:  rendered fleet resume web": {Name: "web", Group: "web", Resumable: true},
		"it is tried again when it changes":                                                              {Name: "web", Group: "web"}, // FleetLock knows no changes
	} {
		if got := s.Retried(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
