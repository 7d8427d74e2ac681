package watch

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/watch/pass"
	"github.com/rendered/rendered/watch/tell"
)

// Pause has nobody work on services until they are resumed, or the time of their pauses is over:
// they are not looked at, their files stay as they are, and nobody is told of them. What is owed
// stays owed. It returns when that is on durable record and what was under way has ended. Where the
// error is that of the record nobody is paused who was not; where it is that the loop stops, or
// that of ctx, they are paused, and something may be under way yet.
func (l *Loop) Pause(ctx context.Context, list []pass.Pause) error {
	if err := l.Pass.State.Ledger.Pause(list); err != nil {
		return err
	}
	l.woken()
	var names []string
	for _, p := range list {
		names = append(names, p.Service)
	}
	l.send(paused{})
	answer := make(chan Result, 1)
	_, err := answered(ctx, l, &request{ctx: ctx, services: names, until: untilResting, answer: answer}, answer)
	return err
}

// Resume ends the pauses of services, or all where none is named, and has them looked at. It gives
// those that were paused; where the error is that of the record they still are.
func (l *Loop) Resume(who string, names ...string) ([]string, error) {
	book := l.Pass.State.Ledger
	if len(names) == 0 {
		for _, p := range book.Pauses() {
			names = append(names, p.Service)
		}
	}
	resumed, err := book.Resume(names, who, l.Wall().Round(0).UTC())
	if err != nil {
		return nil, err
	}
	l.woken()
	l.send(paused{})
	return resumed, nil
}

// woken is called after a wait that may end for others at once.
func (l *Loop) woken() {
	if l.Pass.Woken != nil {
		l.Pass.Woken("pause")
	}
}

// pauses notes who is paused, and has those that no longer are looked at.
func (l *Loop) pauses(now time.Time) {
	if len(l.Pass.State.Ledger.Expire(now.UTC())) > 0 {
		l.record.changed(now)
	}
	for name, s := range l.states {
		was := s.paused
		p, is := l.Pass.State.Ledger.Paused(name)
		switch s.paused = nil; {
		case is:
			s.paused = &p
			if !s.busy {
				l.teller.Set(name, tell.Unsettled, now)
			}
			if was == nil || was.Since != p.Since {
				l.Log.Info("paused", "service", name, "why", p.Why, "who", p.Who, until(p.Until), kindPaused.id())
			}
		case was != nil:
			l.asked(name, s, pass.Trigger{Why: string(Resumed)}, now)
			l.Log.Info("resumed", "service", name, kindResumed.id())
		}
	}
}

// expire ends the pauses whose time is over.
func (l *Loop) expire(now time.Time) {
	for _, s := range l.states {
		if s.paused != nil && s.paused.Ended(now) {
			l.pauses(now)
			return
		}
	}
}

// pauseEnds gives when the time of a pause is over; zero where there is none.
func (s *state) pauseEnds() time.Time {
	if s.paused == nil {
		return time.Time{}
	}
	return s.paused.Until
}

// A PausedError is that services are paused.
type PausedError []pass.Pause

// Error gives a line for each: who paused it, why, and until when.
func (e PausedError) Error() string {
	lines := make([]string, len(e))
	for i, p := range e {
		lines[i] = fmt.Sprintf("%s is %s", p.Service, p)
	}
	return strings.Join(lines, "\n")
}

// paused gives the pauses of services.
func (l *Loop) paused(names []string) (list PausedError) {
	for _, name := range names {
		if s := l.states[name]; s != nil && s.paused != nil {
			list = append(list, *s.paused)
		}
	}
	return list
}

// pausedOf gives the pauses of services whose time is not over.
func pausedOf(dir *pass.StateDir, services []*Service, now time.Time) (list PausedError) {
	for _, p := range dir.Ledger.Pauses() {
		if !p.Ended(now) && slices.ContainsFunc(services, func(s *Service) bool { return s.Name == p.Service }) {
			list = append(list, p)
		}
	}
	return list
}
