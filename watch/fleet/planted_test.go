package fleet

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/long"
)

// Bugs that a world of trouble notices, and in how many worlds at most.
var plantable = map[string]int{
	"no condition": 100, "own clock": 100, "halt ignored": 1000, "freeze ignored": 300, "canary skipped": 100, "blind renewal": 100,
	"turn forgotten": 2000, "no release": 100, "halt unsaid": 2000, "no bake": 100, "released early": 200, "halt by group": 2000,
}

func TestPlantedBugsAreNoticed(t *testing.T) {
	for bug, most := range plantable {
		t.Run(bug, func(t *testing.T) {
			if t.Parallel(); most > 1000 && !long.Asked() {
				t.Skip("-long")
			}
			for i := range most {
				if w := chaos(uint64(i+1), bug, false); len(w.broken) > 0 {
					t.Logf("after %d worlds: %s", i+1, w.broken[0])
					return
				}
			}
			for fault := range faults {
				for step := 1; ; step++ {
					w, reached := stepped(false, false, fault, step, bug, nil)
					if !reached {
						break
					}
					if len(w.broken) > 0 {
						t.Logf("%s at request %d: %s", fault, step, w.broken[0])
						return
					}
				}
			}
			t.Errorf("it is not, in %d worlds", most)
		})
	}
}

// plantedUpdate is an update as a member with a bug asks for it.
func (w *world) plantedUpdate(u Update) Update {
	slot := strings.HasPrefix(u.Key.Sort, slotSort)
	_, renews := u.Set["until"]
	switch w.planted {
	case "blind renewal":
		if slot && len(u.Set) == 1 && u.Set.Number("until") > 0 {
			u.If = nil
		}
	case "no release":
		if slot && renews && u.Set.Number("until") == 0 {
			u.If = append(u.If, Any{equal("lease", "nobody's")})
		}
	case "halt unsaid":
		if u.Set.Text("halted") != "" {
			u.If = append(u.If, Any{equal("seat", "nobody's")})
		}
	}
	return u
}

// plantedAnswer is an answer as a member with a bug reads it.
func (w *world) plantedAnswer(h *host, a Answer) Answer {
	change := func(attribute string, to any) {
		items := make([]Stored, len(a.Items))
		for i, s := range a.Items {
			s.Item = maps.Clone(s.Item)
			if to == nil {
				delete(s.Item, attribute)
			} else if strings.HasPrefix(s.Sort, changeSort) {
				s.Item[attribute] = to
			}
			items[i] = s
		}
		a.Items = items
	}
	switch w.planted {
	case "halt ignored":
		change("halted", nil)
	case "freeze ignored":
		change("frozen", nil)
	case "canary skipped":
		change("ok_at", w.low())
	case "halt by group":
		for _, s := range a.Items {
			if s.Item.Text("halted") != "" {
				change("halted", "as another is")
			}
		}
	case "own clock":
		if !a.Date.IsZero() {
			a.Date = a.Date.Add(time.Duration(h.number%3-1) * 24 * time.Hour)
		}
	}
	return a
}

// remembered is what a member with a bug knows after a restart.
func (w *world) remembered(m Memory) Memory {
	switch w.planted {
	case "turn forgotten":
		m.Lease = ""
	}
	return m
}
