// Package sim runs the real loop, swap and ledger through simulated weeks of trouble, and holds
// what comes of them against what is promised. Everything else is a model: the disk (memory), AWS,
// the dependents, the clocks. What happens when is chosen by chance from one seed; the same seed
// gives the same trace, however busy the machine.
//
//	go test ./watch/sim -run '^TestSimulation$' -seeds 100000
//	go test ./watch/sim -run '^TestSimulation$' -seed 4711 -v     one of them, told step by step
//
// For that each thing that happens has a nanosecond of its own: whoever does something that others
// could notice sleeps first, and wakes at a time that belongs to him alone (world.pause). Nothing
// is chosen by who comes first.
package sim

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/internal/long"
	"golang.org/x/sys/unix"
)

var (
	seeds   = flag.Int("seeds", 0, "how many seeds TestSimulation runs, half of them the same each time; 0: 300, with -long 30,000")
	theSeed = flag.Uint64("seed", 0, "the one seed that TestSimulation runs, and tells, and the sample of TestPairsOfFaults; 0: many, and another each time")
	lying   = flag.Bool("lies", false, "in one seed of four the disk says that it keeps what it loses when the power fails")
	enough  = flag.Int("enough", 0, "TestSimulation ends when so many seeds have failed, and prints how many of how many did; 0: it fails with the first")
)

// A verdict is what came of one seed.
type verdict struct {
	broken []string // promises, each with its time
	trace  uint64   // differs where anything went another way
	text   string   // the trace, where it was asked for
	counts counts
}

// simulate runs a seed in a bubble of its own.
func simulate(t *testing.T, seed uint64, tell bool) (v verdict) {
	defer func() {
		if what := recover(); what != nil {
			fmt.Fprintf(os.Stderr, "seed %d\n", seed)
			panic(what)
		}
	}()
	// In a bubble whose goroutines never rest time stands still.
	defer watchdog(seed)()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(seed, tell, env, pair, twinB, twinA, sites)
		w.live()
		w.peace()
		v = verdict{w.broken, w.trace.sum, w.trace.text.String(), w.counts}
	})
	return v
}

// watchdog ends the process where a seed, which takes a tenth of a second, does not come to an end,
// and says where everybody stands. A minute in which the machine had no time for us does not count,
// but ten of them do.
func watchdog(seed uint64) (stop func()) {
	over := make(chan struct{})
	go func() {
		for minutes, used := 1, worked(); ; minutes++ {
			select {
			case <-over:
				return
			case <-time.After(time.Minute):
			}
			if now := worked(); now-used < 20*time.Second && minutes < 10 {
				used = now
				continue
			}
			_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
			panic(fmt.Sprintf("seed %d does not come to an end", seed))
		}
	}()
	return sync.OnceFunc(func() { close(over) })
}

// worked gives the CPU time of this process.
func worked() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestSimulation runs as many seeds as it is told to: half of them are always the same, the others
// new each time.
func TestSimulation(t *testing.T) {
	if *theSeed != 0 {
		v := simulate(t, *theSeed, true)
		t.Logf("\n%s", v.text)
		for _, b := range v.broken {
			t.Error(b)
		}
		return
	}
	defer debug.SetGCPercent(debug.SetGCPercent(2000))
	seeds := *seeds
	if seeds == 0 {
		seeds = long.Or(120, 30000)
	}
	begun, fresh := time.Now(), rand.Uint64()
	var (
		next   atomic.Int64
		mu     sync.Mutex
		total  counts
		failed int
		done   int
	)
	over := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return *enough > 0 && failed >= *enough
	}
	t.Run("seeds", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for {
					n := next.Add(1)
					if n > int64(seeds) || over() {
						return
					}
					seed := uint64(n)
					if n > int64(seeds)/2 {
						seed = fresh + uint64(n)
					}
					v := simulate(t, seed, false)
					mu.Lock()
					total.add(v.counts)
					done++
					if len(v.broken) > 0 {
						failed++
					}
					mu.Unlock()
					switch {
					case len(v.broken) > 0 && *enough == 0:
						t.Errorf("-seed %d: %s", seed, strings.Join(v.broken, "\n\t"))
						return
					case len(v.broken) > 0:
						t.Logf("-seed %d: %s", seed, strings.Join(v.broken, "\n\t"))
					}
				}
			})
		}
	})
	t.Logf("seeds 1 to %d and %d to %d, %.0f s: %s", seeds/2, fresh+uint64(seeds)/2+1, fresh+uint64(seeds), time.Since(begun).Seconds(), total)
	if *enough > 0 {
		fmt.Printf("%d of %d seeds break a promise\n", failed, done)
	}
}

// TestSameSeedSameTrace runs seeds twice, side by side with others, and wants each to go the same
// way.
func TestSameSeedSameTrace(t *testing.T) {
	last := long.Or(25, 200)
	rounds := [2][]verdict{make([]verdict, last+1), make([]verdict, last+1)}
	t.Run("seeds", func(t *testing.T) {
		for i := range rounds {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for seed := 1; seed <= last; seed++ {
					rounds[i][seed] = simulate(t, uint64(seed), true)
				}
			})
		}
	})
	for seed := 1; seed <= last; seed++ {
		if a, b := rounds[0][seed], rounds[1][seed]; a.trace != b.trace {
			t.Errorf("seed %d went two ways; where they part:\n%s", seed, parting(a.text, b.text))
		}
	}
}

// parting gives the first lines in which two traces differ, and those before.
func parting(a, b string) string {
	x, y := happened(a), happened(b)
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			before := strings.Join(x[max(0, i-5):i], "")
			return fmt.Sprintf("%s--\n%s--\n%s", before, x[i], y[i])
		}
	}
	return "one goes on"
}

// happened leaves out of a trace what the log said: services that do something at the same time log
// in any order.
func happened(trace string) (lines []string) {
	for line := range strings.Lines(trace) {
		if !strings.HasPrefix(line, logMark) {
			lines = append(lines, line)
		}
	}
	return lines
}
