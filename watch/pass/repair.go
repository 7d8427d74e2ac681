package pass

import (
	"errors"
	"slices"
	"time"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render/swap"
)

// A repair is what was last written to a file, and how often it was written again because somebody
// else had changed it.
type repair struct {
	digest string
	again  int
	at     time.Time
}

const (
	// freely is how often a file is put right before it counts as one that somebody else keeps
	// writing.
	freely = 3
	// repairFirst is the pause before the next repair then; it doubles up to repairMost.
	repairFirst = 2 * time.Minute
	repairMost  = time.Hour
	// repairForget is after how long without a repair all is forgotten.
	repairForget = 2 * repairMost
)

// notBefore gives when the file may be put right again.
func (r repair) notBefore() time.Time {
	if r.again < freely {
		return r.at
	}
	return r.at.Add(min(repairFirst<<min(r.again-freely, 10), repairMost))
}

var errContested = errors.New("contested")

// contested tells that all there is to write was written before, and changed by somebody else,
// again and again: two who keep a file each in his way would reload its readers for ever. Such
// files are put right at growing intervals; new content is written at once.
func (p *pass) contested() error {
	var errs []error
	for _, t := range p.targets() {
		if t.Gone == swap.Remove && slices.Contains(p.changed, t.Path) {
			return nil
		}
		if !slices.Contains(p.changed, t.Path) {
			continue
		}
		r, known := p.repairs[t.Path]
		if !known || r.digest != p.machine.Key.Digest(t.Path, t.Content) || !p.now.Before(r.notBefore()) {
			return nil
		}
		errs = append(errs, &FileError{t.Path, &fault.Fault{
			Place: fault.Place{File: t.Path},
			What:  "something else keeps writing this file; it is put right less and less often",
			Hints: []string{"another service or daemon may render it, or configuration management or a package own it", "auditctl -w " + t.Path + " -p wa shows who writes"},
			Err:   errContested,
		}})
	}
	return errors.Join(errs...)
}

// repaired notes what was written.
func (p *pass) repaired() {
	for _, t := range p.targets() {
		if !slices.Contains(p.changed, t.Path) || t.Gone != swap.Wanted {
			continue
		}
		digest := p.machine.Key.Digest(t.Path, t.Content)
		r := p.repairs[t.Path]
		switch {
		case r.digest != digest || p.now.Sub(r.at) > repairForget:
			r = repair{digest: digest}
		default:
			r.again++
		}
		r.at = p.now
		p.repairs[t.Path] = r
	}
}

// Contested tells whether nothing is wrong but that somebody else keeps writing to files.
func (o Outcome) Contested() bool {
	list := o.FileErrors()
	return len(list) > 0 && !slices.ContainsFunc(list, func(e *FileError) bool { return e.Fault.Err != errContested })
}
