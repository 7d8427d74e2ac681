package watch

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// elsewhere counts announcements of places where nothing is looked up: a queue that gets them, or a
// daemon that looks in the wrong Region, is easily made and hard to notice.
type elsewhere struct {
	counts map[string]int // by place, as messages name it
	said   map[string]bool
	at     time.Time // when the latest came
}

// quietFor is for how long none of them came when they are said: they come in crowds.
const quietFor = 2 * time.Second

// looksIn gives the Regions and accounts in which the plan looks, as far as they are known.
func (l *Loop) looksIn(a Announcement) (regions, accounts map[string]bool) {
	regions, accounts = make(map[string]bool), make(map[string]bool)
	for _, svc := range l.plan.Services {
		for _, r := range slices.Concat(svc.Refs(), l.states[svc.Name].asked) {
			if region, account := a.Origin(r); region != "" { // it is in AWS
				regions[region], accounts[account] = true, true
			}
		}
	}
	return regions, accounts
}

// countElsewhere counts those announcements that are of another Region, or of another account, than
// all that is looked up. While one place is not known it may be any.
func (l *Loop) countElsewhere(list []Announcement, now time.Time) {
	for _, a := range list {
		if a.Origin == nil {
			continue
		}
		regions, accounts := l.looksIn(a)
		place := ""
		switch {
		case a.Region != "" && len(regions) > 0 && !regions[a.Region]:
			place = a.Region + ", this daemon looks in " + named(regions)
		case a.Account != "" && len(accounts) > 0 && !accounts[""] && !accounts[a.Account]:
			place = "account " + a.Account + ", this daemon looks in account " + named(accounts)
		default:
			continue
		}
		if l.elsewhere.counts == nil {
			l.elsewhere.counts, l.elsewhere.said = make(map[string]int), make(map[string]bool)
		}
		if len(l.elsewhere.counts) < mostElsewhere || l.elsewhere.counts[place] > 0 {
			l.elsewhere.counts[place]++
			l.elsewhere.at = now
		}
	}
}

// mostElsewhere bounds the places that are counted.
const mostElsewhere = 20

func named(places map[string]bool) string {
	return strings.Join(slices.Sorted(maps.Keys(places)), ", ")
}

// sayElsewhere says once of each place how many announcements came from there. It waits until every
// service was looked at: before that it is not known what templates compute.
func (l *Loop) sayElsewhere(now time.Time) {
	if l.elsewhere.at.IsZero() || now.Sub(l.elsewhere.at) < quietFor {
		return
	}
	for _, s := range l.states {
		if !s.tried {
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
