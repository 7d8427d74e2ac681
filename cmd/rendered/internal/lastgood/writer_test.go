package lastgood

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/disk/faulty"
)

// A config that cannot be remembered now is remembered later, with one warning; the newest is.
func TestWriterTriesAgain(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var full atomic.Bool
		system := faulty.System(disk.Host, func(s faulty.Step) error {
			if full.Load() && s.Op == "create" {
				return unix.ENOSPC
			}
			return nil
		})
		var log strings.Builder
		w := NewWriter(system, dir, slog.New(slog.NewTextHandler(&log, nil)))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); w.Run(ctx) }()
		put := func(text string) {
			w.Put(&Config{Path: "/c", Files: map[string][]byte{"/c": []byte(text)}})
		}
		holds := func(want string) {
			t.Helper()
			data, _ := os.ReadFile(filepath.Join(dir, name))
			if !strings.Contains(string(data), want) || want == "" && len(data) > 0 {
				t.Errorf("remembered is %q, want %q", data, want)
			}
		}
		full.Store(true)
		put("first")
		put("second")
		<-time.After(10 * time.Minute)
		holds("")
		full.Store(false)
		<-time.After(retryPause + time.Second)
		holds("second")
		if n := strings.Count(log.String(), "cannot be remembered"); n != 1 {
			t.Errorf("%d warnings:\n%s", n, &log)
		}
		cancel()
		put("third") // a reload just before the end
		<-ended
		synctest.Wait()
		put("third")
		w.Run(ctx)
		holds("third")
	})
}
