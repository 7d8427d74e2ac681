package pass

import (
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/verify"
)

// Parsing is the dearest part of a pass, and a failing service is looked at again and again. So
// bytes are parsed only where they differ from those on disk, and the same bytes once: what was
// found out about them is remembered until they are written, or others come.

// Parsers are what looks at bytes. The zero Parsers are those of the daemon; tests count.
type Parsers struct {
	Judge func(*render.Rendering) *fault.Fault
	Read  func(rule verify.TLS, content func(path string) []byte) *verify.Reading
}

var own = Parsers{(*render.Rendering).Judge, verify.TLS.Read}

// verdicts are what was found out about the bytes that a service is to write.
type verdicts struct {
	// service is the one of which they are true: another plan may have other formats and rules.
	service *Service
	files   map[string]verdict // by path; those that differ from what is on disk
	rules   map[ruleKey]reading
}

// A ruleKey tells the rules of a service apart: its place, and the files of one key where they
// stand for others.
type ruleKey struct {
	number    int
	cert, key string
}

// A verdict is what was said of a file's bytes; a nil fault lets them pass.
type verdict struct {
	of    digest
	fault *fault.Fault
}

// A reading is what a rule read, and of which bytes.
type reading struct {
	of  []digest
	was *verify.Reading
}

type digest = [sha256.Size]byte

// judge says which of the files that are to be written must not be.
func (p *pass) judge() error {
	if p.verdicts.service != p.service {
		p.verdicts = verdicts{service: p.service}
	}
	files := make(map[string]verdict, len(p.changed))
	var errs []error
	for _, r := range p.renderings {
		if !slices.Contains(p.changed, r.Path) {
			continue
		}
		of := sha256.Sum256(r.Content)
		v, known := p.verdicts.files[r.Path]
		if !known || v.of != of {
			v = verdict{of, p.parsers.Judge(r)}
		}
		files[r.Path] = v
		if v.fault != nil {
			errs = append(errs, &FileError{r.Path, v.fault})
		}
	}
	p.verdicts.files = files
	return errors.Join(errs...)
}

// verify holds what is to be written against the service's rules, before anything is staged. A rule
// whose files all stay as they are is left alone: a certificate that runs out where it is keeps no
// other file from changing.
func (p *pass) verify() error {
	content := func(path string) []byte {
		for _, t := range p.renderings {
			if t.Path == path {
				return t.Content
			}
		}
		return nil
	}
	rules := make(map[ruleKey]reading)
	var errs []error
	for i, rule := range p.rules {
		at := ruleKey{i, rule.Cert, rule.Key}
		if !rule.Concerns(p.changed) {
			continue
		}
		var of []digest
		for _, path := range rule.Paths() {
			of = append(of, sha256.Sum256(content(path)))
		}
		r, known := p.verdicts.rules[at]
		if !known || !slices.Equal(r.of, of) {
			r = reading{of, p.parsers.Read(rule, content)}
		}
		rules[at] = r
		for _, f := range r.was.Faults(time.Now()) {
			errs = append(errs, &FileError{f.Place.File, f})
		}
	}
	p.verdicts.rules = rules
	return errors.Join(errs...)
}
