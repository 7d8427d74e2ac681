package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/long"
)

// TestRotations rotates a secret that a certificate and its key come from, while readers loop over
// both files: each file is whole at any moment. The dependent, when it is told, finds a matching
// pair, and after the last rotation it has seen the last.
func TestRotations(t *testing.T) {
	t.Parallel()
	rotations := long.Or(12, 200)
	s := newSite(t)
	write(t, s.path("rendered.yaml"), strings.ReplaceAll(siteConfig, "state_dir: state", "state_dir: state\nschedule: '@every 1h'"))
	pad := strings.Repeat("-", 25<<10) // several pages: a torn write would show
	put := func(i int) { s.put(fmt.Sprintf("%d%s%d", i, pad, i)) }
	put(0)
	cmd := exec.CommandContext(t.Context(), program(t), "run", "-c", "rendered.yaml")
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), s.aws.Env()...)
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	told := func(i int) bool {
		return strings.Contains(s.read("told"), fmt.Sprintf("c-%d%s%[1]d k-%[1]d%[2]s%[1]d\n", i, pad))
	}
	until(t.Fatalf, "the dependent is told", func() bool { return told(0) })

	var stop atomic.Bool
	var reads atomic.Int64
	var readers sync.WaitGroup
	for _, name := range []string{"tls/site.crt", "tls/site.key"} {
		readers.Go(func() {
			for !stop.Load() {
				data, err := os.ReadFile(s.path(name))
				first, last, _ := strings.Cut(string(data[min(2, len(data)):]), pad)
				if err != nil || first == "" || first != last {
					t.Errorf("%s: %d bytes, from version %q to %q: %v", name, len(data), first, last, err)
					return
				}
				if reads.Add(1)%10 == 0 {
					<-time.After(50 * time.Microsecond) // some of the machine is the daemon's
				}
			}
		})
	}
	for i := 1; i <= rotations; i++ {
		if err := os.Remove(s.path("told")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		put(i)
		if err := cmd.Process.Signal(syscall.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		until(t.Fatalf, fmt.Sprintf("the dependent is told of rotation %d", i), func() bool { return told(i) })
		if n := strings.Count(s.read("told"), "\n"); n != 1 {
			t.Errorf("rotation %d: told %d times", i, n)
		}
	}
	stop.Store(true)
	readers.Wait()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v:\n%s", err, &said)
	}
	t.Logf("%d rotations, %d reads", rotations, reads.Load())
}
