// Package sources is the vocabulary of what a template can look up: refs, the values they stand for, the sources that answer
// them, and the snapshot that one pass works with. It imports nothing of the project; everything else imports it.
package sources

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// A Source answers refs.
type Source interface {
	// Fetch asks for every ref and calls deliver exactly once for each, from any goroutine and in any order, each as soon as
	// its answer is known; it returns after the last of these calls. An error belongs to its ref: one that fails takes no
	// other with it. When ctx ends, what is not answered by then is delivered as Unavailable without delay.
	Fetch(ctx context.Context, refs []Ref, deliver func(Ref, Result))
}

// A Result is the answer to one ref: a value, or the reason why there is none.
type Result struct {
	Value Value
	Err   *Error // nil where Value is real
}

// A Value is what a ref stands for. It prints as ‹value› under every verb of fmt and in every log, so that it cannot leak by
// being printed.
type Value struct {
	Text    string            // a secret's text, a parameter's text (a StringList with its commas), a file's content
	Bytes   []byte            // a binary secret; nil for everything else
	List    []string          // the parts of a StringList; nil for everything else
	Params  map[string]string // answers Params: name relative to the path, without a leading slash → text
	Version string            // the source's own name of the version; "" where it has none
	Read    map[string]string // what it was read from and in which state; see Snapshot.Torn. nil: nothing else can be read from there
	Secret  bool              // a secret or a SecureString: never to be shown, not even as part of a name
}

const hidden = "‹value›"

// Format hides the value under every verb.
func (Value) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }

// MarshalText hides the value from encoders and loggers.
func (Value) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// A Reason says what kind of trouble a lookup met. Its text completes "secret prod/db …".
type Reason string

const (
	Missing       Reason = "does not exist"         // no such name, version or label; the default of secretOr and paramOr applies
	Deleted       Reason = "is marked for deletion" // it can still be restored, so it is not Missing
	Denied        Reason = "access denied"          // IAM, a resource policy or a KMS key's policy refuses
	Throttled     Reason = "AWS is throttling"      // asked too often, also after the retries
	Unavailable   Reason = "no answer"              // unreachable, timed out, or failing on its side
	Unanswerable  Reason = "cannot be asked for"    // the name, ARN or selector is one that this source never answers
	Undecryptable Reason = "cannot be decrypted"    // its KMS key is disabled, deleted or gone
	Changing      Reason = "changed while being read"
	Credentials   Reason = "no valid credentials" // none found, expired, or not accepted
)

// An Error is why a ref has no value. It never holds one.
type Error struct {
	Ref    Ref
	Reason Reason
	Detail string   // what is known beyond the reason: a place, or what the source said as far as it holds no value; may be ""
	Hints  []string // what to do about it, a line each; may be empty
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

// A Mux answers each ref from the source of its kind. A kind without a source is Unanswerable.
type Mux map[Kind]Source

// Fetch asks every source that is needed, side by side.
func (m Mux) Fetch(ctx context.Context, refs []Ref, deliver func(Ref, Result)) {
	shares := make(map[Source][]Ref)
	for _, r := range refs {
		if s := m[r.Kind]; s != nil {
			shares[s] = append(shares[s], r)
			continue
		}
		deliver(r, Result{Err: &Error{Ref: r, Reason: Unanswerable, Detail: "nothing here answers such a lookup"}})
	}
	done := make(chan struct{})
	for s, share := range shares {
		go func() {
			Guard(share, deliver, func() { s.Fetch(ctx, share, deliver) })
			done <- struct{}{}
		}()
	}
	for range shares {
		<-done
	}
}
