package e2e

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/watch/ledger"
)

var (
	stormKills = flag.Int("kills", 300, "how often TestStorm kills the daemon")
	stormSeed  = flag.Uint64("seed", 0, "what TestStorm's chance comes from; 0: something else each time")
)

// TestStorm kills the daemon with SIGKILL again and again, at moments that chance chooses, many of
// them within a swap, while everything is rotated all the time and half of the notices fail.
// Readers find every file whole, with its owner and mode, and never an older version after a newer
// one; a dependent that is told finds files that match. One quiet start later all is as it should
// be.
//
//	go test -run '^TestStorm$' -v ./internal/e2e -long -kills 1000
func TestStorm(t *testing.T) {
	long.Test(t)
	t.Parallel()
	begun := time.Now()
	seed := *stormSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-seed %d", seed)
	s := newStorm(t, seed)
	s.put()
	s.calm(true)
	s.settle(s.start(false))
	span := time.Since(begun)
	s.calm(false)

	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	all.Go(func() { s.rotate(ctx, rand.New(rand.NewPCG(seed, 1))) })
	all.Go(func() { s.look(ctx) })
	found := make(map[string]int)
	chance := rand.New(rand.NewPCG(seed, 2))
	for range *stormKills {
		d := s.start(chance.IntN(2) == 0)
		s.await(d, chance, span)
		d.kill(t)
		for _, service := range []string{"site", "app"} {
			found[s.stage(service)]++
		}
		if t.Failed() {
			break
		}
	}
	cancel()
	all.Wait()

	s.calm(true)
	s.settle(s.start(false))
	s.judge()
	told, failed := s.notices()
	t.Logf("%d kills, %d rotations, %d reads, %d notices, %d more that failed, %.0f s",
		*stormKills, s.version.Load(), s.reads.Load(), told, failed, time.Since(begun).Seconds())
	for _, stage := range stages {
		t.Logf("  %4d times %s", found[stage], stage)
	}
	if cut := found[betweenRenames] + found[renamed]; cut < *stormKills/20 {
		t.Errorf("only %d kills came between the first rename and the acknowledgement", cut)
	}
}

// A moment is when a daemon is killed: some time after something was put in its place, the so
// manieth time, or after its start.
type moment struct {
	name   string // what its name begins with; "": the start
	within time.Duration
}

// moments are those that TestStorm chooses from. What is staged, on record and renamed is so a few
// milliseconds later.
func moments(span time.Duration) []moment {
	return []moment{
		{"", span}, {".rendered-", 3 * time.Millisecond}, {"ledger.jsonl", 2 * time.Millisecond},
		{"site.crt", 2 * time.Millisecond}, {"site.crt", 10 * time.Millisecond},
	}
}

// await lets a daemon live until the moment that chance chooses for its end.
func (s *storm) await(d *daemon, chance *rand.Rand, span time.Duration) {
	list := moments(span)
	m := list[chance.IntN(len(list))]
	often, pause := 1+chance.IntN(2), time.Duration(chance.Float64()*float64(m.within))
	limit := time.After(patience)
	for m.name != "" && often > 0 {
		select {
		case e := <-s.events.Events:
			if e.Has(fsnotify.Create) && strings.HasPrefix(filepath.Base(e.Name), m.name) {
				often--
			}
		case <-limit:
			s.t.Errorf("nothing is swapped in %v", patience)
			return
		}
	}
	if pause > 0 {
		<-time.After(pause)
	}
}

// How far a service was when the daemon was killed, by what it left.
const (
	untouched      = "with nothing under way"
	staged         = "while it staged, or before that was on record"
	recorded       = "with the swap on record and before the first rename"
	betweenRenames = "between the first rename and the last"
	renamed        = "after the last rename and before every dependent had acknowledged"
)

var stages = []string{untouched, staged, recorded, betweenRenames, renamed}

// recordedTemp finds the temporaries that the ledger names.
var recordedTemp = regexp.MustCompile(`"temp":"([^"]*)"`)

func (s *storm) stage(service string) string {
	dir := map[string]string{"site": "tls", "app": "app"}[service]
	left, _ := filepath.Glob(s.path(dir + "/.rendered-*"))
	begun, there := 0, 0
	for _, found := range recordedTemp.FindAllStringSubmatch(s.read("state/"+ledger.Name), -1) {
		if filepath.Base(filepath.Dir(found[1])) != dir {
			continue
		}
		begun++
		if slices.Contains(left, found[1]) {
			there++
		}
	}
	switch {
	case there > 0 && there == begun:
		return recorded
	case there > 0:
		return betweenRenames
	case len(left) > 0:
		return staged
	case begun > 0:
		return renamed
	}
	return untouched
}

// judge wants, now that all is quiet, every file to be the current one, nothing to be left over,
// and no value in the log.
func (s *storm) judge() {
	for _, o := range outputs {
		if got := s.read(o.path); got != content(o.kind, s.version.Load()) {
			s.t.Errorf("%s holds %.20q at last, not version %d", o.path, got, s.version.Load())
		}
	}
	for dir, want := range map[string]string{
		"tls": "[site.conf site.crt site.key]", "app": "[app.env]", "state": "[key ledger.jsonl lock]",
	} {
		// The config may not be remembered yet.
		if got := strings.Replace(fmt.Sprint(s.list(dir)), "config.jsonl ", "", 1); got != want {
			s.t.Errorf("%s holds %s, want %s", dir, got, want)
		}
	}
	if record := s.read("state/" + ledger.Name); strings.Contains(record, "path") {
		s.t.Errorf("still owed:\n%s", record)
	}
	log := s.read("log")
	if i := strings.Index(log, canary); i >= 0 {
		s.t.Errorf("the log holds a value: …%.300q", log[max(0, i-100):])
	}
	if strings.Contains(log, "panic") || strings.Contains(log, "DATA RACE") {
		s.t.Errorf("the log holds a panic or a race; the end of it:\n%s", log[max(0, len(log)-2000):])
	}
}

// list gives the names in a directory, sorted.
func (s *site) list(dir string) (names []string) {
	entries, err := os.ReadDir(s.path(dir))
	if err != nil {
		s.t.Error(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
