package disk

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// What does not answer is waited for once, for three seconds, and not asked again before it has
// answered; nor is what lies beneath. Its neighbours are.
func TestSilence(t *testing.T) {
	dir := t.TempDir()
	mount := filepath.Join(dir, "mnt")
	if err := os.Mkdir(mount, 0o755); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var asks atomic.Int64
		mended := make(chan struct{})
		hangs := func(string) (any, error) {
			asks.Add(1)
			<-mended
			return nil, nil
		}
		within := func(d time.Duration, path string, want error) {
			t.Helper()
			begun := time.Now()
			if _, err := timed(path, hangs); err != want || time.Since(begun) != d {
				t.Errorf("%s: %v after %v, want %v after %v", path, err, time.Since(begun), want, d)
			}
		}
		within(patience, mount, ErrSilent)
		within(0, mount, ErrSilent)
		within(0, filepath.Join(mount, "in", "it"), ErrSilent)
		if Answers(filepath.Join(mount, "f")) || asks.Load() != 1 {
			t.Errorf("asked %d times", asks.Load())
		}
		if _, err := Stat(dir); err != nil || !Answers(filepath.Join(dir, "none")) {
			t.Errorf("what lies beside it does not answer either: %v", err)
		}
		close(mended)
		synctest.Wait()
		within(0, mount, nil)
		if !Answers(mount) || asks.Load() != 2 || len(calls.open) != 0 {
			t.Errorf("asked %d times, %d calls are open", asks.Load(), len(calls.open))
		}
	})
}

// An answer is as new as its question, though another is still waited for.
func TestAnswersAreNew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	synctest.Test(t, func(t *testing.T) {
		slow := make(chan struct{})
		go func() {
			_, _ = timed(path, func(path string) (any, error) {
				_, err := os.Stat(path)
				<-slow
				return nil, err
			})
		}()
		synctest.Wait()
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Error(err)
		}
		if _, err := Stat(path); err != nil {
			t.Error(err)
		}
		close(slow)
	})
}
