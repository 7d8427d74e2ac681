// Package fleettest has a table in memory for tests of what asks the table of a fleet.
package fleettest

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/watch/fleet"
)

// A Table is a fleet.Table, of one goroutine. The zero value is empty, and does not say what time
// it is.
type Table struct {
	Now   time.Time // as it says
	Items map[fleet.Key]fleet.Item
	// Silent is for how many requests it does not answer, and Lost is how many updates it then obeys
	// without saying so.
	Silent, Lost int
	Requests     int
}

var errSilent = errors.New("table fleet: no answer")

// Update obeys an update where its conditions hold.
func (t *Table) Update(u fleet.Update) fleet.Answer {
	if t.isSilent() {
		return fleet.Answer{Err: errSilent, Silent: true}
	}
	a := fleet.Answer{Date: t.Now}
	item, obeyed := u.Obey(t.Items[u.Key])
	if !obeyed {
		a.Refused, a.Old = true, item
		return a
	}
	t.Put(u.Key, item)
	if t.Lost > 0 {
		t.Lost--
		return fleet.Answer{Err: errSilent, Silent: true}
	}
	return a
}

// Query gives items by name.
func (t *Table) Query(q fleet.Query) fleet.Answer {
	if t.isSilent() {
		return fleet.Answer{Err: errSilent, Silent: true}
	}
	a := fleet.Answer{Date: t.Now}
	for key, item := range t.Items {
		if key.Part == q.Part && key.Sort >= q.From {
			a.Items = append(a.Items, fleet.Stored{Sort: key.Sort, Item: item})
		}
	}
	slices.SortFunc(a.Items, func(a, b fleet.Stored) int { return strings.Compare(a.Sort, b.Sort) })
	if a.Count = len(a.Items); q.Count {
		a.Items = nil
	}
	return a
}

// Put has an item be there.
func (t *Table) Put(k fleet.Key, item fleet.Item) {
	if t.Items == nil {
		t.Items = make(map[fleet.Key]fleet.Item)
	}
	t.Items[k] = item
}

func (t *Table) isSilent() bool {
	t.Requests++
	if t.Silent > 0 {
		t.Silent--
		return true
	}
	return false
}
