package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rendered/rendered/sources"
)

// What a fault may name. A name or a key that a template wrote down may be shown; one that it computed may be a secret, in whatever
// form: in capitals, cut, put together. Nothing about such a name gives its origin away, so the rule goes by what it could come from: as
// long as a run was given no secret it can hold none, and after that each part of it must be known from elsewhere.

// hiddenName stands for a name that may hold a secret.
const hiddenName = "‹a name computed from a secret›"

// shown quotes a name or a key for a message, unless it may hold a secret.
func (r *run) shown(name string) string {
	if !r.showable(name) {
		return hiddenName
	}
	return fmt.Sprintf("%q", name)
}

// showable reports that no secret is in a name.
func (r *run) showable(name string) bool {
	if !r.secrets {
		return true
	}
	for part := range strings.FieldsFuncSeq(name, func(c rune) bool { return c == '/' || c == ':' }) {
		if !r.public(part) {
			return false
		}
	}
	return true
}

// public reports that a text is known from elsewhere than a secret: it stands in the template, in its vars, in the host's name, or
// in something that was looked up and is no secret.
func (r *run) public(text string) bool {
	holds := func(where string) bool { return strings.Contains(where, text) }
	return r.t.written(text) || holds(r.t.Hostname) || slices.ContainsFunc(r.known, holds) || inVars(r.t.Vars, holds)
}

func inVars(value any, holds func(string) bool) bool {
	switch v := value.(type) {
	case map[string]any:
		for k, e := range v {
			if holds(k) || inVars(e, holds) {
				return true
			}
		}
		return false
	case []any:
		return slices.ContainsFunc(v, func(e any) bool { return inVars(e, holds) })
	}
	return holds(fmt.Sprint(value))
}

// met notes what a lookup gave: from a secret on, what the template computes may hold it. A local file may be one.
func (r *run) met(kind sources.Kind, v sources.Value) {
	if v.Secret || kind == sources.File {
		r.secrets = true
	} else {
		r.known = append(append(r.known, v.Text), v.List...)
		for _, text := range v.Params {
			r.known = append(r.known, text)
		}
	}
	for name := range v.Params {
		r.known = append(r.known, name)
	}
}

// refused makes the error of a failed lookup. Of a ref that may hold a secret it keeps the reason alone.
func (r *run) refused(kind sources.Kind, name string, ref sources.Ref, err error) error {
	e, ok := err.(*sources.Error)
	if !ok {
		return &lookupError{what: fmt.Sprintf("%s %s cannot be looked up", kind, r.shown(name))}
	}
	if r.showable(name) || slices.Contains(r.t.Refs(), ref) {
		return &lookupError{what: e.Error(), hints: e.Hints, cause: e}
	}
	bare := &sources.Error{Ref: sources.Ref{Kind: kind, Name: hiddenName}, Reason: e.Reason}
	return &lookupError{what: bare.Error(), cause: bare}
}
