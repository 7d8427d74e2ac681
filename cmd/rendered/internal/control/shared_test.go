package control

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Who asks at the same time shares what is made after that; the making takes its share of the time,
// and nobody waits long for it.
func TestShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var made atomic.Int64
		s := newShared(func(context.Context) ([]byte, error) {
			<-time.After(20 * time.Millisecond)
			return []byte(strconv.FormatInt(made.Add(1), 10)), nil
		})
		go s.run(ctx)
		const seconds = 60
		var all sync.WaitGroup
		for range seconds * 100 {
			asked := int(made.Load())
			all.Go(func() {
				begun := time.Now()
				text, err := s.get(ctx)
				if n, _ := strconv.Atoi(string(text)); err != nil || n <= asked || time.Since(begun) > mostRest+2*20*time.Millisecond {
					t.Errorf("asked after %d, got %q after %v, %v", asked, text, time.Since(begun), err)
				}
			})
			<-time.After(10 * time.Millisecond)
		}
		all.Wait()
		if taken := time.Duration(made.Load()) * 20 * time.Millisecond; taken > seconds*time.Second/share+2*saved {
			t.Errorf("%d were made, in %v", made.Load(), taken)
		}
		<-time.After(time.Minute)
		for range 5 { // what was saved is there for those who ask one after the other
			begun := time.Now()
			if _, err := s.get(ctx); err != nil || time.Since(begun) > 20*time.Millisecond {
				t.Errorf("%v after %v", err, time.Since(begun))
			}
		}
	})
}

// Large answers are carried in their share of the time, and who asks once in a while waits for none.
func TestSharedCarries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		text := make([]byte, 300<<10)
		s := newShared(func(context.Context) ([]byte, error) { return text, nil })
		go s.run(ctx)
		const seconds = 20
		answers, over := atomic.Int64{}, time.Now().Add(seconds*time.Second)
		var all sync.WaitGroup
		for range 256 {
			all.Go(func() {
				for time.Now().Before(over) {
					if _, err := s.get(ctx); err != nil {
						t.Error(err)
					}
					answers.Add(1)
				}
			})
		}
		all.Wait()
		took := time.Duration(answers.Load()) * time.Duration(len(text)) * time.Millisecond / carried
		if most := seconds*time.Second/share + saved + 2*256*300*time.Millisecond/1024; took > most || took < most/2 {
			t.Errorf("%d answers take %v to carry", answers.Load(), took)
		}
		<-time.After(time.Minute)
		for range 5 {
			begun := time.Now()
			if _, err := s.get(ctx); err != nil || time.Since(begun) > 0 {
				t.Errorf("%v after %v", err, time.Since(begun))
			}
		}
	})
}

// What goes wrong is everybody's, and is tried again.
func TestSharedFails(t *testing.T) {
	failed := errors.New("stopping")
	n := 0
	s := newShared(func(context.Context) ([]byte, error) {
		if n++; n == 1 {
			return nil, failed
		} else if n == 2 {
			panic("c4n4ry")
		}
		return []byte("x"), nil
	})
	go s.run(t.Context())
	if _, err := s.get(t.Context()); err != failed {
		t.Error(err)
	}
	if _, err := s.get(t.Context()); err == nil {
		t.Error("a panic is an answer")
	}
	if text, err := s.get(t.Context()); err != nil || string(text) != "x" {
		t.Errorf("%q, %v", text, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newShared(nil).get(ended); err == nil {
		t.Error("nobody made it")
	}
}
