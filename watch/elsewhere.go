package watch

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/sources"
)

// elsewhere counts changes in places where nothing is looked up: a queue that gets them, or a
// daemon that looks in the wrong Region, is easily made and hard to notice.
type elsewhere struct {
	counts map[string]int // by place, as messages name it
	said   map[string]bool
	at     time.Time // when the latest came
}

// quietFor is for how long none of them came when they are said: they come in crowds.
const quietFor = 2 * time.Second

// looksIn gives the Regions and accounts in which the plan looks, as far as they are known.
func (l *Loop) looksIn(c sources.Change) (regions, accounts map[string]bool) {
	regions, accounts = make(map[string]bool), make(map[string]bool)
	for _, svc := range l.plan.Services {
		for _, r := range slices.Concat(svc.Refs(), l.states[svc.Name].asked) {
			if region, account := c.Origin(r); region != "" { // it is in AWS
				regions[region], accounts[account] = true, true
			}
		}
	}
	return regions, accounts
}

// countElsewhere counts those changes that are of another Region, or of another account, than
// all that is looked up. While one place is not known it may be any.
func (l *Loop) countElsewhere(list []sources.Change, now time.Time) {
	for _, c := range list {
		if c.Origin == nil {
			continue
		}
		place := l.elsewhereOf(c)
		l.elsewhere.count(place, now)
		if place != "" && l.Seen != nil {
			l.Seen.Elsewhere()
		}
	}
}

// elsewhereOf names the place that a change came from, where nothing is looked up there; else "".
func (l *Loop) elsewhereOf(c sources.Change) string {
	regions, accounts := l.looksIn(c)
	switch {
	case c.Region != "" && len(regions) > 0 && !regions[c.Region]:
		return c.Region + ", this daemon looks in " + named(regions)
	case c.Account != "" && len(accounts) > 0 && !accounts[""] && !accounts[c.Account]:
		return "account " + c.Account + ", this daemon looks in account " + named(accounts)
	}
	return ""
}

// count counts a change in a place; "" is none.
func (e *elsewhere) count(place string, now time.Time) {
	if place == "" || len(e.counts) >= mostElsewhere && e.counts[place] == 0 {
		return
	}
	if e.counts == nil {
		e.counts, e.said = make(map[string]int), make(map[string]bool)
	}
	e.counts[place]++
	e.at = now
}

// mostElsewhere bounds the places that are counted.
const mostElsewhere = 20

func named(places map[string]bool) string {
	return strings.Join(slices.Sorted(maps.Keys(places)), ", ")
}

// logElsewhere says once of each place how many changes came from there. It waits until every
// service was looked at: before that it is not known what templates compute.
func (l *Loop) logElsewhere(now time.Time) {
	if l.elsewhere.at.IsZero() || now.Sub(l.elsewhere.at) < quietFor {
		return
	}
	for _, s := range l.states {
		if !s.tried && s.paused == nil {
			return
		}
	}
	l.elsewhere.at = time.Time{}
	for _, place := range slices.Sorted(maps.Keys(l.elsewhere.counts)) {
		if l.elsewhere.said[place] {
			continue
		}
		l.elsewhere.said[place] = true
		n := fmt.Sprintf("%d notices are", l.elsewhere.counts[place])
		if l.elsewhere.counts[place] == 1 {
			n = "1 notice is"
		}
		l.Log.Warn(n+" of "+place, hints([]string{
			"it was deleted, as others like it will be; the rule that sends it to this queue need not",
			"what is there is looked up by its ARN, by aws.accounts, or all of it by aws.region",
		}))
	}
}
