package main

import (
	"context"
	"reflect"

	"github.com/rendered/rendered/sources/aws"
)

// A holding is a source that is kept from one plan to the next, until something about AWS changes.
type holding[S interface {
	comparable
	Current() bool
	Close()
}] struct {
	held S // zero: none
	made aws.Options
}

// get gives the source for the options, the one that is held where it would be the same. Where it
// cannot be made the one that is held stays: the plan in force may ask it.
func (h *holding[S]) get(ctx context.Context, o aws.Options, open func(context.Context, aws.Options) (S, error)) (S, error) {
	var none S
	if h.held != none && reflect.DeepEqual(h.made, o) && h.held.Current() {
		return h.held, nil
	}
	s, err := open(ctx, o)
	if err != nil {
		return none, err
	}
	h.drop()
	h.held, h.made = s, o
	return s, nil
}

// drop closes the source that is held. A pass that is under way goes on with it.
func (h *holding[S]) drop() {
	var none S
	if h.held != none {
		h.held.Close()
	}
	h.held = none
}
