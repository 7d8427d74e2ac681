package watch

import (
	"errors"
	"time"

	"github.com/rendered/rendered/render/swap"
)

// verify holds what is to be written against the service's rules, before anything is staged. A rule whose files all stay as they are
// is left alone: a certificate that runs out where it is keeps no other file from changing.
func (k *keeper) verify(targets []swap.Target, changed []string) error {
	content := func(path string) []byte {
		for _, t := range targets {
			if t.Path == path {
				return t.Content
			}
		}
		return nil
	}
	var errs []error
	for _, rule := range k.service.Verify {
		if !rule.Concerns(changed) {
			continue
		}
		for _, f := range rule.Check(content, time.Now()) {
			errs = append(errs, &FileError{f.Place.File, f})
		}
	}
	return errors.Join(errs...)
}
