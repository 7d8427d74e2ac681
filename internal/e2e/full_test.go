package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/watch/ledger"
)

// fills is how often each file system is filled up.
const fills = 5

// TestFullDisk fills the file systems of the destinations and of the state up, again and again,
// while everything is rotated. The files stay whole, the log says what is full, and when there is
// room again all is current and told. The state has no room for two records with the history that
// there is soon: it gives way.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	neededRoot(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	s := newStorm(t, seed)
	s.mount("tls", 96<<10)
	s.mount("state", 64<<10)
	s.remember(25 << 10)
	s.put()
	s.calm(true)
	d := s.start(false)
	until(t.Fatalf, "the first files are there", func() bool {
		return !slices.ContainsFunc(outputs, func(o output) bool { _, err := s.whole(o); return err != nil })
	})
	s.calm(false)

	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	all.Go(func() { s.rotate(ctx, rand.New(rand.NewPCG(seed, 1))) })
	all.Go(func() { s.look(ctx) })
	for range fills {
		for _, dir := range []string{"tls", "state"} {
			s.crowd(dir)
		}
	}
	cancel()
	all.Wait()

	s.calm(true)
	// A dependent that by chance refused seven times in a row would be tried in a minute; of a new
	// change it is told at once.
	s.put()
	s.nudge()
	s.settle(d)
	s.judge()
	told, failed := s.notices()
	if record := s.read("state/" + ledger.Name); !strings.Contains(record, string(ledger.Forgotten)) {
		t.Errorf("no part of the history is given up:\n%s", record)
	}
	t.Logf("%d times full, %d rotations, %d reads, %d notices, %d more that failed", 2*fills, s.version.Load(), s.reads.Load(), told, failed)
}

// remember puts a history of so many bytes on record.
func (s *storm) remember(size int) {
	s.t.Helper()
	l := must(ledger.Open(disk.Host, must(disk.Host.Open(s.path("state"))), false, nil))
	for at := time.Unix(0, 0); size > 0; at = at.Add(time.Second) {
		e := ledger.Event{At: at.UTC(), Kind: ledger.Failed, Services: []string{"site"}, Failure: strings.Repeat("x", 100)}
		l.Note(e)
		size -= len(must(json.Marshal(e)))
	}
	if err := errors.Join(l.Flush(), l.Close()); err != nil {
		s.t.Fatal(err)
	}
}

// crowd fills the file system of a directory up until the log says so once more, and empties it.
func (s *storm) crowd(dir string) {
	s.t.Helper()
	warnings := func() (n int) {
		for line := range strings.Lines(s.read("log")) {
			if strings.Contains(line, "level=WARN") && strings.Contains(line, "no space left on device") && strings.Contains(line, "df -h "+s.path(dir)) {
				n++
			}
		}
		return n
	}
	before := warnings()
	f := must(os.Create(s.path(dir + "/crowd")))
	until(s.t.Fatalf, fmt.Sprintf("the log says that %s is full:\n%s", dir, s.read("log")), func() bool {
		// What the daemon lets go of is taken, too.
		for {
			if _, err := f.Write(make([]byte, 4096)); err != nil {
				if !errors.Is(err, unix.ENOSPC) {
					s.t.Fatal(err)
				}
				return warnings() > before
			}
		}
	})
	f.Close()
	s.remove(dir + "/crowd")
	now := s.version.Load()
	until(s.t.Fatalf, "a file is swapped again", func() bool {
		version, err := s.whole(outputs[0])
		return err == nil && version > now
	})
}

// mount puts a small file system in the place of a directory.
func (s *storm) mount(dir string, size int) {
	s.t.Helper()
	if err := unix.Mount("tmpfs", s.path(dir), "tmpfs", 0, fmt.Sprintf("size=%d,mode=755", size)); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := unix.Unmount(s.path(dir), unix.MNT_DETACH); err != nil {
			s.t.Error(err)
		}
	})
}

// neededRoot skips a test that only root can do. CI runs the tests as root, and once more as an
// ordinary user.
func neededRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("this takes root")
	}
}
