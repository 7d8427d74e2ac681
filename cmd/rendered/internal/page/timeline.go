package page

import (
	"fmt"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/status"
	"github.com/rendered/rendered/watch/ledger"
)

const (
	day  = 24 * time.Hour
	slot = 15 * time.Minute // what one bar is of
)

// A timeline is what happened within the day that ends now.
type timeline struct {
	Lanes []lane
	Ticks []string // times of day, evenly spread
}

// A lane has a bar for each quarter of an hour in which something of its kind happened.
type lane struct {
	Name string
	Kind string // by which it is coloured
	Of   int    // how often it happened
	Bars []bar
}

// A bar stands in a box of 96 × 12.
type bar struct {
	X, Y, Height int
	Title        string
}

// Slots is how many bars there may be.
func (timeline) Slots() int { return int(day / slot) }

func dayOf(h status.History, now time.Time) timeline {
	begin := now.Truncate(slot).Add(slot - day)
	t := timeline{Lanes: []lane{{Name: "Changes", Kind: "changed"}, {Name: "Notices", Kind: "told"}, {Name: "Refused or failed", Kind: "failed"}}}
	of := map[ledger.Kind]int{ledger.Changed: 0, ledger.Told: 1, ledger.Refused: 2, ledger.Failed: 2, ledger.Unhealthy: 2, ledger.RolledBack: 0}
	counts := make([][]int, len(t.Lanes))
	for i := range counts {
		counts[i] = make([]int, t.Slots())
	}
	for _, e := range h.Events {
		at := e.At.Sub(begin)
		if i, shown := of[e.Kind]; shown && at >= 0 && at < day {
			counts[i][at/slot]++
			t.Lanes[i].Of++
		}
	}
	for i := range t.Lanes {
		for x, n := range counts[i] {
			if n > 0 {
				t.Lanes[i].Bars = append(t.Lanes[i].Bars, barOf(x, n, begin))
			}
		}
	}
	for at := begin; at.Before(begin.Add(day)); at = at.Add(day / 4) {
		t.Ticks = append(t.Ticks, at.Local().Format("15:04"))
	}
	t.Ticks = append(t.Ticks, "now")
	return t
}

// barOf gives a bar that is the higher the more happened; four have its full height.
func barOf(x, n int, begin time.Time) bar {
	height := min(4+2*n, 12)
	at := begin.Add(time.Duration(x) * slot)
	return bar{x, 12 - height, height, fmt.Sprintf("%s to %s: %d", at.Local().Format("15:04"), at.Add(slot).Local().Format("15:04"), n)}
}
