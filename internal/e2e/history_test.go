package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/watch/ledger"
)

// TestHistoryOfKills kills the daemon with SIGKILL again and again, at moments that chance chooses,
// while everything is rotated, and reads the history each time: what was on record stays there,
// once, up to its bound; what is in a file is in it; it holds no value; and the version before is
// that of the entry before.
//
//	go test -run '^TestHistoryOfKills$' -v ./internal/e2e -long -kills 1000
func TestHistoryOfKills(t *testing.T) {
	t.Parallel()
	seed := *stormSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-seed %d", seed)
	s := newStorm(t, seed)
	s.remember(bound * 170) // so that the oldest events go
	s.put()
	s.calm(true)
	d := s.start(false)
	until(t.Fatalf, "the first files are there", func() bool {
		return !slices.ContainsFunc(outputs, func(o output) bool { _, err := s.whole(o); return err != nil })
	})
	d.kill(t)
	s.calm(false)

	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	all.Go(func() { s.rotate(ctx, rand.New(rand.NewPCG(seed, 1))) })
	chance := rand.New(rand.NewPCG(seed, 2))
	kills, added := long.Or(10, *stormKills), 0
	events := s.chronicle()
	for range kills {
		d := s.start(chance.IntN(2) == 0)
		s.await(d, chance, 300*time.Millisecond)
		d.kill(t)
		now := s.chronicle()
		added += s.goesOn(events, now)
		if events = now; t.Failed() {
			break
		}
	}
	cancel()
	all.Wait()
	s.calm(true)
	s.settle(s.start(false))
	added += s.goesOn(events, s.chronicle())
	s.judge()
	t.Logf("%d kills, %d rotations, %d events", kills, s.version.Load(), added)
	if added < kills {
		t.Errorf("only %d events", added)
	}
}

// bound is how many events the history has.
const bound = 1000

// chronicle gives the events on record as text, and complains of what they must not be.
func (s *storm) chronicle() (list []string) {
	s.t.Helper()
	dir := must(disk.Host.Open(s.path("state")))
	defer dir.Close()
	record := must(os.ReadFile(s.path("state/" + ledger.Name)))
	if strings.Contains(string(record), canary) {
		s.t.Error("the record holds a value")
	}
	versions := make(map[string]string) // by service and ref, the last
	bytes := 0
	for _, e := range ledger.Peek(dir).History() {
		text := string(must(json.Marshal(e)))
		if len(list) > 0 && slices.Contains(list, text) {
			s.t.Errorf("twice: %s", text)
		}
		list, bytes = append(list, text), bytes+len(text)
		for _, r := range e.Refs {
			of := fmt.Sprint(e.Services, r.Ref)
			if last, known := versions[of]; known && last != r.From {
				s.t.Errorf("%s was %s: %s", of, last, text)
			}
			versions[of] = r.To
		}
	}
	if len(list) > bound || bytes > 1<<20 {
		s.t.Errorf("%d events of %d bytes", len(list), bytes)
	}
	// Parameters have versions that count up, as ours do: what is in the file was begun.
	found, err := s.whole(outputs[3])
	said, _ := strconv.ParseInt(versions["[app]param /app/env"], 10, 64)
	if err != nil || found > said {
		s.t.Errorf("%v: %s holds version %d, and the history ends with %d", err, outputs[3].path, found, said)
	}
	return list
}

// goesOn wants all events that there were to be there yet, but for the oldest, and gives how many
// are new.
func (s *storm) goesOn(was, now []string) (added int) {
	s.t.Helper()
	if len(now) == 0 || len(was) == 0 {
		return len(now)
	}
	first := slices.Index(was, now[0])
	if first < 0 {
		s.t.Errorf("the history goes on with %s, which is not what was on record", now[0])
		return 0
	}
	stays := was[first:]
	if len(now) < len(stays) || !slices.Equal(stays, now[:len(stays)]) {
		s.t.Errorf("of %d events on record these are left:\n%s", len(stays), strings.Join(now, "\n"))
		return 0
	}
	if len(now) < bound && first > 0 {
		s.t.Errorf("%d events are gone, and there are %d", first, len(now))
	}
	return len(now) - len(stays)
}
