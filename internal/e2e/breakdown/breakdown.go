// Package breakdown makes the program fail where the end-to-end tests want it to. It is in the
// program that is built with the tag breakdown, and obeys variables of the environment.
package breakdown

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/disk/faulty"
)

const (
	// KillAt names the step of the program's work with files before which it kills itself.
	KillAt = "RENDERED_TEST_KILL_AT"
	// PanicAt names the step before which it panics, over something that quotes Value.
	PanicAt = "RENDERED_TEST_PANIC_AT"
	// Traceable has it let go, before its first step, of what keeps its memory from an ordinary
	// user's strace: that could read neither names nor texts in its system calls (PR_SET_DUMPABLE
	// in prctl(2), ptrace(2)).
	Traceable = "RENDERED_TEST_TRACEABLE"
	// SlowDisk has each rename take up to two milliseconds.
	SlowDisk = "RENDERED_TEST_SLOW_DISK"
	// InstalledAt names the config as the packages put it.
	InstalledAt = "RENDERED_TEST_INSTALLED"

	// Value stands for a secret that the program holds.
	Value = "c4n4ry"
)

// Files gives the file system below as the environment has it.
func Files(below disk.System) disk.System {
	if n, err := strconv.Atoi(os.Getenv(KillAt)); err == nil {
		return before(below, n, func() {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		})
	}
	if n, err := strconv.Atoi(os.Getenv(PanicAt)); err == nil {
		return before(below, n, func() { panic(fmt.Errorf("it breaks at %s", Value)) })
	}
	if os.Getenv(Traceable) != "" {
		return before(below, 1, letTrace)
	}
	if os.Getenv(SlowDisk) != "" {
		return faulty.System(below, func(s faulty.Step) error {
			if s.Op == "rename" {
				<-time.After(rand.N(2 * time.Millisecond))
			}
			return nil
		})
	}
	return below
}

// before has something happen before the nth step.
func before(below disk.System, n int, do func()) disk.System {
	var steps atomic.Int64
	return faulty.System(below, func(faulty.Step) error {
		if steps.Add(1) == int64(n) {
			do()
		}
		return nil
	})
}
