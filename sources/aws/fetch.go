package aws

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/rendered/rendered/sources"
)

// An inquiry is one Fetch under way, with all of its clients.
type inquiry struct {
	ctx     context.Context
	deliver func(sources.Ref, sources.Result)

	mu   sync.Mutex
	open map[sources.Ref]bool // not answered yet
	// then has what is to be done when a ref is answered.
	then map[sources.Ref]func()
	done chan struct{} // closed when none is open
}

// A fetch is the part of an inquiry that is asked of one account and Region.
type fetch struct {
	*clients
	*inquiry
	refs []sources.Ref
	// refused: the credentials were; what has not been asked yet would be refused as well.
	refused atomic.Pointer[error]
	slow    map[sources.Service]*atomic.Bool // the services that have throttled
}

// askers ask for the refs of a kind. The region and the account are not asked for here.
var askers = map[sources.Kind]func(*fetch, []sources.Ref){
	sources.Secret: (*fetch).askSecrets,
	sources.Param:  (*fetch).askParams,
	sources.Params: (*fetch).askPaths,
}

// Fetch asks AWS for the refs. It returns when all are answered, or at once when ctx or
// Options.Timeout ends, even where a request still hangs; what it brings after that is dropped.
func (s *Source) Fetch(ctx context.Context, refs []sources.Ref, deliver func(sources.Ref, sources.Result)) {
	if len(refs) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	q := &inquiry{ctx: ctx, deliver: deliver, open: make(map[sources.Ref]bool, len(refs)), done: make(chan struct{})}
	for _, r := range refs {
		q.open[r] = true
	}
	fetches := s.divide(q, refs)
	for _, f := range fetches {
		q.spawn(f.ask, f.refs...)
	}
	select {
	case <-q.done:
	case <-ctx.Done():
		for _, f := range fetches {
			f.abandon()
		}
		for _, r := range refs { // of which no fetch is
			q.answer(r, sources.Result{Err: &sources.Error{Ref: r, Reason: sources.Unavailable, Detail: "stopped waiting", Hints: silenceHints()}})
		}
	}
}

// divide gives the fetches by which refs are answered, but for those that are answered otherwise.
func (s *Source) divide(q *inquiry, refs []sources.Ref) map[*clients]*fetch {
	fetches := make(map[*clients]*fetch)
	for _, r := range refs {
		if r.Kind == sources.Own {
			q.spawn(func() { s.answerOwn(q, r) }, r)
			continue
		}
		at, err := s.route(r)
		if err != nil {
			q.answer(r, sources.Result{Err: err})
			continue
		}
		if fetches[at] == nil {
			slow := map[sources.Service]*atomic.Bool{sources.SecretsManager: new(atomic.Bool), sources.ParameterStore: new(atomic.Bool)}
			fetches[at] = &fetch{clients: at, inquiry: q, slow: slow}
		}
		fetches[at].refs = append(fetches[at].refs, r)
	}
	return fetches
}

// answerOwn answers with the Region or account that is the daemon's own. The account is known from
// an answer, or STS is asked, once.
func (s *Source) answerOwn(q *inquiry, r sources.Ref) {
	text := s.home.region
	if r.Name == "account" {
		if text = s.accountID(""); text == "" {
			account, _, err := s.home.whoami(q.ctx)
			if err != nil && q.ctx.Err() == nil {
				t, _ := err.(*failure)
				q.answer(r, sources.Result{Err: &sources.Error{Ref: r, Reason: t.reason, Detail: t.detail, Hints: silenceHints()}})
			}
			if err != nil {
				return
			}
			text = account
		}
	}
	q.answer(r, sources.Result{Value: sources.Value{Text: text}})
}

// spawn answers refs in a goroutine of its own.
func (q *inquiry) spawn(f func(), refs ...sources.Ref) { go sources.Guard(refs, q.answer, f) }

// answer delivers the result of a ref that is open. It holds the lock while it delivers: after
// Fetch has returned, nothing is.
func (q *inquiry) answer(r sources.Ref, result sources.Result) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.open[r] {
		return
	}
	delete(q.open, r)
	q.deliver(r, result)
	if then := q.then[r]; then != nil {
		delete(q.then, r)
		then()
	}
	if len(q.open) == 0 {
		close(q.done)
	}
}

// abandon answers what is open when the time is over.
func (f *fetch) abandon() {
	detail := "stopped waiting"
	timedOut := errors.Is(f.ctx.Err(), context.DeadlineExceeded)
	if timedOut {
		detail = fmt.Sprintf("within %s", f.timeout)
	}
	for _, r := range f.refs {
		e := &sources.Error{Ref: r, Reason: sources.Unavailable, Detail: detail, Hints: silenceHints()}
		if service := r.Kind.Traits().Call.Service; timedOut && f.slow[service].Load() {
			e.Reason, e.Detail, e.Hints = sources.Throttled, fmt.Sprintf("still after %s", f.timeout), slowDown(r.Kind)
		}
		f.answer(r, sources.Result{Err: e})
	}
}

// fail answers refs with what err means for each. When the time is over, abandon knows better why.
func (f *fetch) fail(action string, err error, refs ...sources.Ref) {
	if f.ctx.Err() != nil {
		return
	}
	for _, r := range refs {
		f.answer(r, sources.Result{Err: f.explain(r, action, err)})
	}
}

// ask sorts the refs and sets the calls going. Credentials come first: where there are none, one
// attempt says so for all.
func (f *fetch) ask() {
	if err := f.signIn(); err != nil {
		f.fail("", err, f.refs...)
		return
	}
	byKind := make(map[sources.Kind][]sources.Ref)
	for _, r := range f.refs {
		byKind[r.Kind] = append(byKind[r.Kind], r)
	}
	for kind, share := range byKind {
		askers[kind](f, share)
	}
}

// signIn makes sure that there are credentials, and reads them anew where there are none.
func (f *fetch) signIn() error {
	generation := f.identity.current()
	_, err := f.identity.Retrieve(f.ctx)
	if err != nil && f.ctx.Err() == nil && f.identity.replace(f.ctx, generation) {
		_, err = f.identity.Retrieve(f.ctx)
	}
	return err
}

// do makes one call within the slots of its service. Refused credentials are read anew and the call
// is repeated, once; where they are refused again no other call of the fetch is made.
func do[In, Out, Opt any](f *fetch, kind sources.Kind, c call[In, Out, Opt], in *In) (*Out, error) {
	service := kind.Traits().Call.Service
	give, err := f.slots[service].take(f.ctx)
	if err != nil {
		return nil, err
	}
	defer give()
	if refused := f.refused.Load(); refused != nil {
		return nil, *refused
	}
	ctx := context.WithValue(f.ctx, throttleKey{}, f.slow[service])
	out, err := c.with(ctx, f.identity, in)
	if unaccepted(err) {
		f.refused.Store(&err)
	}
	return out, err
}
