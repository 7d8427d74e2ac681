// Package sources is the vocabulary of what a template can look up: the kinds of lookups, refs, the
// values they stand for, the sources that answer them, and the snapshot that one pass works with.
package sources

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// A Source answers refs.
type Source interface {
	// Fetch asks for every ref and calls deliver exactly once for each, from any goroutine and in
	// any order, each as soon as its answer is known; it returns after the last of these calls. An
	// error belongs to its ref: one that fails takes no other with it. When ctx ends, what is not
	// answered by then is delivered as Unavailable without delay.
	Fetch(ctx context.Context, refs []Ref, deliver func(Ref, Result))
}

// A Result is the answer to one ref: a value, or the reason why there is none.
type Result struct {
	Value Value
	Err   *Error // nil where Value is real
}

// A Value is what a ref stands for. It prints as ‹value› under every verb of fmt and in every log,
// so that it cannot leak by being printed.
type Value struct {
	// Text is a secret's text, a parameter's (a StringList with its commas), or a file's content.
	Text  string
	Bytes []byte   // a binary secret; nil for everything else
	List  []string // the parts of a StringList; nil for everything else
	// Params answers a ref of kind Params: name relative to the path, without a leading slash →
	// text.
	Params  map[string]string
	Version string // the source's own name of the version; "" where it has none
	// Read is what it was read from and in which state; see Snapshot.Torn. nil: nothing else can be
	// read from there.
	Read map[string]string
	// Secret: it is a secret or a SecureString, never to be shown, not even as part of a name.
	Secret bool
}

const hidden = "‹value›"

// Format hides the value under every verb.
func (Value) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }

// MarshalText hides the value from encoders and loggers.
func (Value) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// A Reason says what kind of trouble a lookup met. Its text completes "secret prod/db …".
type Reason string

const (
	// Missing: there is no such name, version or label. The default of secretOr and paramOr
	// applies.
	Missing Reason = "does not exist"
	// Deleted: it can still be restored, so it is not Missing.
	Deleted Reason = "is marked for deletion"
	// Denied: IAM, a resource policy or a KMS key's policy refuses.
	Denied    Reason = "access denied"
	Throttled Reason = "AWS is throttling" // asked too often, also after the retries
	// Unavailable: the source cannot be reached, is too slow, or fails on its side.
	Unavailable Reason = "no answer"
	// Unanswerable: the name, ARN or selector is one that this source never answers.
	Unanswerable  Reason = "cannot be asked for"
	Undecryptable Reason = "cannot be decrypted" // its KMS key is disabled, deleted or gone
	Changing      Reason = "changed while being read"
	Credentials   Reason = "no valid credentials" // none found, expired, or not accepted
)

// An Error is why a ref has no value. It never holds one.
type Error struct {
	Ref    Ref
	Reason Reason
	// Detail is what is known beyond the reason: a place, or what the source said as far as it
	// holds no value. It may be "".
	Detail string
	Hints  []string // what to do about it, a line each; may be empty
	Turn   string   // whose turn it is to mend it, where the source knows; else ""
}

// Machine is who minds where the program runs.
const Machine = "the administrator of this machine"

// Whose says whose turn it is to mend it, as "the owner of secret prod/db".
func (e *Error) Whose() string {
	if e.Turn != "" {
		return e.Turn
	}
	if kind, err := e.Ref.Kind.lookUp(); err == nil && kind.Call.Service == "" {
		return Machine // it is no service's
	}
	switch e.Reason {
	case Missing, Unanswerable:
		return "the author of the template, or the owner of " + e.Ref.String()
	case Deleted, Undecryptable, Changing:
		return "the owner of " + e.Ref.String()
	case Denied:
		return "the owner of this machine's role"
	case Throttled:
		return "the owner of the account, which is asked too often"
	}
	return Machine
}

// Error gives "secret prod/db: access denied: detail", on one line.
func (e *Error) Error() string {
	s := e.Ref.String() + " " + string(e.Reason)
	switch e.Reason {
	case Denied, Throttled, Unavailable, Credentials:
		s = e.Ref.String() + ": " + string(e.Reason)
	}
	switch {
	case e.Detail == "":
	case strings.HasPrefix(e.Detail, "in "): // "does not exist in eu-west-1"
		s += " " + e.Detail
	default:
		s += ": " + e.Detail
	}
	return s
}

// A Mux answers each ref by the first route that has its kind. Where none has, the ref is
// Unanswerable.
type Mux []Route

// A Route leads the refs of some kinds to a source.
type Route struct {
	Source Source
	Kinds  []Kind
}

// Fetch asks every source that is needed, side by side.
func (m Mux) Fetch(ctx context.Context, refs []Ref, deliver func(Ref, Result)) {
	shares := make([][]Ref, len(m))
	for _, r := range refs {
		i := slices.IndexFunc(m, func(to Route) bool { return slices.Contains(to.Kinds, r.Kind) })
		if i < 0 {
			deliver(r, Result{Err: &Error{Ref: r, Reason: Unanswerable, Detail: "nothing here answers such a lookup"}})
			continue
		}
		shares[i] = append(shares[i], r)
	}
	var all sync.WaitGroup
	for i, share := range shares {
		if len(share) > 0 {
			all.Go(func() { Guard(share, deliver, func() { m[i].Source.Fetch(ctx, share, deliver) }) })
		}
	}
	all.Wait()
}
