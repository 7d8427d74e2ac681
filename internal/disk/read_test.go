package disk

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// A read that hangs is waited for once, for three seconds, and until it ends there is no other of
// that file. One that takes its time is whole.
func TestReadThatHangs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var reads atomic.Int64
		mended := make(chan struct{})
		read := func(waits <-chan struct{}) func(*os.File) ([]byte, error) {
			return func(f *os.File) ([]byte, error) {
				reads.Add(1)
				<-waits
				return content(f, 100)
			}
		}
		within := func(d time.Duration, want error, get func() ([]byte, error)) {
			t.Helper()
			begun := time.Now()
			if _, err := get(); err != want || time.Since(begun) != d {
				t.Errorf("%v after %v, want %v after %v", err, time.Since(begun), want, d)
			}
		}
		open := func() *os.File {
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		hangs := open()
		within(patience, ErrUnread, func() ([]byte, error) { return Reading(hangs, read(mended)) })
		for range 10 {
			within(0, ErrUnread, func() ([]byte, error) { return Reading(hangs, read(mended)) })
			within(0, ErrSilent, func() ([]byte, error) { return ReadFile(path, 100) })
			within(0, ErrSilent, func() ([]byte, error) { return ReadInput(path, 100) })
		}
		if n := reads.Load(); n != 1 {
			t.Errorf("%d reads hang", n)
		}
		hangs.Close() // as who gave up does
		close(mended)
		synctest.Wait()
		late := open()
		defer late.Close()
		text, err := Reading(late, func(f *os.File) ([]byte, error) {
			time.Sleep(patience - 1)
			return content(f, 100)
		})
		if string(text) != "old" || err != nil || len(calls.open) != 0 {
			t.Errorf("%q, %v, %d calls are open", text, err, len(calls.open))
		}
	})
	if !errors.Is(ErrUnread, ErrSilent) {
		t.Error("who looks for what is silent does not find what is not read")
	}
}

// The kernel's log is a regular file without an end. It costs three seconds, and leaves nobody
// waiting for more of it.
func TestKernelLog(t *testing.T) {
	const path = "/proc/kmsg"
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skip(err)
	}
	unix.Close(fd)
	before, descriptors := runtime.NumGoroutine(), countDescriptors(t)
	for range 2 {
		begun := time.Now()
		content, err := ReadInput(path, 1<<20)
		if !errors.Is(err, ErrSilent) || content != nil || time.Since(begun) > 2*patience {
			t.Fatalf("%d bytes, %v after %v", len(content), err, time.Since(begun))
		}
	}
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > before || countDescriptors(t) > descriptors; <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines and %d descriptors, %d and %d before", runtime.NumGoroutine(), countDescriptors(t), before, descriptors)
		}
	}
}

// countDescriptors counts those of this process.
func countDescriptors(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
