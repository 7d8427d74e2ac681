package render

import (
	"errors"
	"fmt"

	"github.com/rendered/rendered/sources"
)

// versionsFunction gives two versions of a secret, of which one lookup each is made.
const versionsFunction = "secretVersions"

// The names of what it gives.
const (
	currentName  = "current"
	previousName = "previous"
)

var versionNames = []string{currentName, previousName}

// refFor reads the text of a ref as a lookup function of this template means it.
func (t *Template) refFor(function, text string) (sources.Ref, error) {
	ref, err := t.ref(lookupFunctions[function].kind, text)
	if err == nil && function == versionsFunction && ref.Selector != "" {
		return ref, errors.New("secretVersions gives the current and the previous version; leave out what follows the colon")
	}
	return ref, err
}

// secretVersions gives the current and the previous version of a secret: its text, or the text at
// the keys. The previous one is nil where there is none, or no such key in it. The two are asked
// for together, so that a source can read them in their order.
func (r *run) secretVersions(number int, name any, keys ...any) (map[string]any, error) {
	f, err := r.get(number, name, keys)
	if err != nil {
		return nil, err
	}
	current, err := f.secret()
	if err != nil {
		return nil, err
	}
	versions := map[string]any{currentName: current, previousName: nil}
	g := *f
	if err = g.fetch(f.ref.Previous()); err == nil {
		var text string
		if text, err = g.secret(); err == nil {
			versions[previousName] = text
		}
	}
	if missing(err) {
		err = nil
	}
	return versions, err
}

// version gives the piece that is one of the versions.
func (p *piece) version(name string) unknown {
	one := *p
	switch one.shape = oneText; name {
	case currentName:
	case previousName:
		one.ref, one.shape = p.ref.Previous(), textOrNothing
	case anyName:
		one.shape = textOrNothing
	default:
		return unknown{}
	}
	return unknown{piece: &one}
}

// noVersion says that there is no previous version, where that is what a function was given or what
// was to be printed.
func (r *run) noVersion(p *piece) (string, []string) {
	if p == nil || p.shape != textOrNothing {
		return "", nil
	}
	whole, previous := *p, *p
	whole.ref.Selector = ""
	previous.ref = whole.ref.Previous()
	if f := r.lookup(&previous); f != nil {
		if _, err := f.textAt(f.keys); err == nil {
			return "", nil // it is there
		}
	}
	return previous.String() + " is nothing: there is no previous version, or nothing at the keys in it",
		p.ifNamed(fmt.Sprintf("{{ with (%s).previous }}{{ . }}{{ end }} leaves it out", whole.call(versionsFunction)))
}

// previousLookup notes the lookup of the version that a call of secretVersions gives beside the one
// that it names.
func (f *finder) previousLookup(l Lookup) {
	if l.Function == versionsFunction && l.Ref != (sources.Ref{}) {
		l.Ref = l.Ref.Previous()
		f.t.lookups = append(f.t.lookups, l)
	}
}
