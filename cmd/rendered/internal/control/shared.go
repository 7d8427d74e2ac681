package control

import (
	"context"
	"time"

	"github.com/rendered/rendered/internal/fault"
)

// Making answers and carrying them takes a tenth of a processor's time at most, however many ask,
// but for what was not taken in the last seconds.
const (
	share    = 10
	saved    = 250 * time.Millisecond // of making and carrying
	mostRest = 250 * time.Millisecond // after making
	// carried is how many bytes a processor takes through a socket in a millisecond, both ends
	// together.
	carried = 1 << 20
)

// A shared answer is made for all who ask before its making begins, once at a time.
type shared struct {
	asked chan chan<- made
	build func(context.Context) ([]byte, error)
}

// made is what came of making an answer.
type made struct {
	text []byte
	err  error
}

func newShared(build func(context.Context) ([]byte, error)) *shared {
	return &shared{make(chan chan<- made), build}
}

// run makes the answer for those who ask, until ctx ends.
func (s *shared) run(ctx context.Context) {
	var waiting []chan<- made
	var paid time.Time // up to when the time that was taken is the share
	rest := time.NewTimer(0)
	defer rest.Stop()
	for {
		var rested <-chan time.Time
		if len(waiting) > 0 {
			rested = rest.C
		}
		select {
		case <-ctx.Done():
			return
		case who := <-s.asked:
			waiting = append(waiting, who)
		case <-rested:
			begun := time.Now()
			var m made
			if mistake := fault.Caught(func() { m.text, m.err = s.build(ctx) }); mistake != nil {
				m.err = mistake
			}
			for _, who := range waiting {
				who <- m
			}
			paid = latest(paid, begun).Add(share * time.Since(begun))
			if most := time.Now().Add(share*saved + mostRest); paid.After(most) {
				paid = most // it took long because something else did
			}
			paid = paid.Add(share * time.Duration(len(waiting)*len(m.text)) * time.Millisecond / carried)
			waiting = nil
			rest.Reset(time.Until(paid.Add(-share * saved)))
		}
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// get gives the answer. The error is that of making it, or that of ctx.
func (s *shared) get(ctx context.Context) ([]byte, error) {
	answer := make(chan made, 1)
	select {
	case s.asked <- answer:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case m := <-answer:
		return m.text, m.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
