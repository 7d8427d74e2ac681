package pass

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/internal/disk"
)

// One process keeps the services of a state directory. Another one waits a moment for it to end,
// then says who it is; it does not wait any longer than whoever started it.
func TestLedgerIsLocked(t *testing.T) {
	for _, tt := range []struct {
		name            string
		released, ended time.Duration // after so long; 0: never
		took            time.Duration
		ok              bool
	}{
		{"held", 0, 0, lockWait, false},
		{"released in time", time.Second, 0, time.Second, true},
		{"called off", 0, time.Second, time.Second, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				state := t.TempDir() + "/state"
				first, err := OpenStateDir(t.Context(), disk.Host, state)
				if err != nil {
					t.Fatal(err)
				}
				release := func() {
					if err := first.Close(); err != nil {
						t.Error(err)
					}
				}
				if tt.released > 0 {
					time.AfterFunc(tt.released, release)
				} else {
					defer release()
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tt.ended > 0 {
					time.AfterFunc(tt.ended, cancel)
				}
				begun := time.Now()
				second, err := OpenStateDir(ctx, disk.Host, state)
				if took := time.Since(begun); took < tt.took || took > tt.took+2*lockPause {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				switch {
				case tt.ok && err == nil:
					err = second.Close()
				case tt.ended > 0 && errors.Is(err, context.Canceled), err != nil && strings.HasSuffix(err.Error(), fmt.Sprintf("%s is held by another rendered, process %d", state, os.Getpid())):
					if hints := Remedy(err); len(hints) > 0 != (tt.ended == 0) {
						t.Errorf("%v: %q", err, hints)
					}
					return
				}
				if err != nil || !tt.ok {
					t.Error(err)
				}
			})
		})
	}
}

// As root no ledger is opened that others can change: what is on record is renamed.
func TestLedgerOfOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has others to distrust")
	}
	for name, change := range map[string]func(state string) error{
		"everybody can write to it": func(state string) error { return os.Chmod(state, 0o777) },
		"a former ledger is a user's": func(state string) error {
			former := filepath.Join(state, "ledger")
			return errors.Join(os.Mkdir(former, 0o700), os.Chown(former, 12, 12))
		},
		"the state is a user's":            func(state string) error { return os.Chown(state, 12, 12) },
		"a directory above it is a user's": func(state string) error { return os.Chown(filepath.Dir(state), 12, 12) },
	} {
		state := filepath.Join(t.TempDir(), "state")
		l, err := OpenStateDir(t.Context(), disk.Host, state)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(l.Close(), change(state)); err != nil {
			t.Fatal(err)
		}
		l, err = OpenStateDir(t.Context(), disk.Host, state)
		if err == nil {
			l.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "state_dir: ") || !strings.Contains(err.Error(), "root rename what he likes") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
