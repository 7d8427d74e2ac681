package sim

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk/memory"
	"github.com/rendered/rendered/internal/long"
)

// blows are all that may happen in the place of a step.
var blows = []blow{
	{err: unix.EIO}, {err: unix.ENOSPC}, {err: unix.EACCES}, {err: unix.EROFS},
	{kill: true}, {kill: true, torn: true}, {kill: true, cut: true}, {kill: true, cut: true, torn: true},
}

// everyBlow has power cuts with more than one outcome.
var everyBlow = slices.Concat(blows, []blow{
	{kill: true, cut: true, luck: 1}, {kill: true, cut: true, luck: 2}, {kill: true, cut: true, luck: 3}, {kill: true, cut: true, luck: 4},
	{kill: true, cut: true, luck: 5},
})

// lies are told first only: alone, and without a power cut, they change nothing.
var lies = []blow{{lie: memory.Cached}, {lie: memory.Dropped}, {lying: true}}

// swapUnder changes a service of two files and two dependents while things go wrong, each at a step
// that changes the disk, counted from the rotation on. It gives how many steps there were until all
// was settled, and which promises were broken.
func swapUnder(t *testing.T, at map[int]blow, tell bool) (steps int, v verdict) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(hash(0, fmt.Sprint(at), 0), tell, pair)
		w.conf.gate, w.conf.window = false, false
		w.start(faults{})
		w.after(time.Second)
		w.mu.Lock()
		w.steps, w.at = 0, maps.Clone(at)
		w.mu.Unlock()
		w.aws.rotate("s1", false, false, 0)
		w.life.loop.Refresh()
		for range 4 {
			w.await(4 * time.Second)
			if w.life == nil {
				w.mu.Lock()
				w.aws.away = true // what was cut short is finished without it
				w.mu.Unlock()
				w.start(faults{})
			}
		}
		w.mu.Lock()
		steps, w.at, w.next = w.steps, nil, memory.Honest
		w.mu.Unlock()
		w.peace()
		v = verdict{broken: w.broken, text: w.trace.text.String()}
	})
	return steps, v
}

// sampled is of how many pairs of faults one is tried without -rarest.
const sampled = 40

// TestPairsOfFaults lets everything go wrong at every step of a swap of two files, without -long at
// every third, and, with it, everything once more at the steps that come after it: at each with
// -rarest, else in a sample of all pairs, which a seed chooses that it prints. -seed gives another.
func TestPairsOfFaults(t *testing.T) {
	whole, v := swapUnder(t, nil, false)
	if len(v.broken) > 0 || whole < 20 {
		t.Fatalf("without any fault, %d steps: %v", whole, v.broken)
	}
	type first struct {
		step int
		blow blow
	}
	todo := make(chan first, whole*(len(everyBlow)+len(lies)))
	for step := 1; step <= whole; step++ {
		for i, b := range slices.Concat(everyBlow, lies) {
			if (step+i)%3 > 0 && !long.Asked() {
				continue
			}
			todo <- first{step, b}
		}
	}
	close(todo)
	var singles, doubles atomic.Int64
	of, seed := uint64(sampled), *theSeed
	if *rarest {
		of = 1
	}
	if seed == 0 {
		seed = rand.Uint64()
	}
	begun := time.Now()
	t.Run("pairs", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				try := func(at map[int]blow) int {
					steps, v := swapUnder(t, at, false)
					if len(v.broken) > 0 {
						_, v = swapUnder(t, at, true)
						t.Fatalf("%v:\n%v\n%s", at, v.broken, v.text)
					}
					return steps
				}
				for f := range todo {
					singles.Add(1)
					last := try(map[int]blow{f.step: f.blow})
					for step := f.step + 1; step <= last && long.Asked(); step++ {
						for _, b := range everyBlow {
							pair := map[int]blow{f.step: f.blow, step: b}
							if hash(seed, fmt.Sprint(pair), 0)%of > 0 {
								continue
							}
							doubles.Add(1)
							try(pair)
						}
					}
				}
			})
		}
	})
	t.Logf("%d steps, %d kinds of fault: %d alone, %d pairs of -seed %d, %.0f s", whole, len(everyBlow)+len(lies), singles.Load(), doubles.Load(), seed, time.Since(begun).Seconds())
}

func (b blow) String() string {
	return fmt.Sprintf("{%s, torn %v, luck %d, lie %d %v}", b.text(), b.torn, b.luck, b.lie, b.lying)
}
