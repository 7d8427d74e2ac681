package aws

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/rendered/rendered/sources"
)

// slots are the requests to one service that may be in flight.
type slots chan struct{}

func (s slots) take(ctx context.Context) error {
	select {
	case s <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s slots) give() { <-s }

// An inquiry is one Fetch under way, at all of its sites.
type inquiry struct {
	ctx     context.Context
	deliver func(sources.Ref, sources.Result)

	mu   sync.Mutex
	open map[sources.Ref]bool // not answered yet
	done chan struct{}        // closed when none is open
}

// A fetch is the part of an inquiry that one site answers.
type fetch struct {
	*site
	*inquiry
	refused error // the credentials were; what has not been asked yet would be refused as well

	slowSecrets, slowParams atomic.Bool // the service has throttled
}

// Fetch asks AWS for the refs. It returns when all are answered, or at once when ctx or Options.Timeout ends, even where a
// request still hangs; what it brings after that is dropped.
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
	bySite := make(map[*site][]sources.Ref)
	for _, r := range refs {
		if r.Kind == sources.Own {
			q.spawn(func() { s.answerOwn(q, r) }, r)
		} else if at, err := s.route(r); err != nil {
			q.answer(r, sources.Result{Err: err})
		} else {
			bySite[at] = append(bySite[at], r)
		}
	}
	var fetches []*fetch
	for at := range bySite {
		f := &fetch{site: at, inquiry: q}
		fetches = append(fetches, f)
		q.spawn(func() { f.ask(bySite[at]) }, bySite[at]...)
	}
	select {
	case <-q.done:
	case <-ctx.Done():
		for _, f := range fetches {
			f.abandon(bySite[f.site])
		}
		for _, r := range refs { // what no site was asked for
			q.answer(r, sources.Result{Err: &sources.Error{Ref: r, Reason: sources.Unavailable, Detail: "stopped waiting", Hints: silenceHints()}})
		}
	}
}

// answerOwn answers with the Region or account that is the daemon's own. The account is known from an answer, or STS is asked, once.
func (s *Source) answerOwn(q *inquiry, r sources.Ref) {
	text := s.home.region
	if r.Name == "account" {
		if text = s.accountID(""); text == "" {
			account, _, err := s.home.whoami(q.ctx)
			if err != nil && q.ctx.Err() == nil {
				t, _ := err.(*trouble)
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

// answer delivers the result of a ref that is open. It holds the lock while it delivers: after Fetch has returned, nothing is.
func (q *inquiry) answer(r sources.Ref, result sources.Result) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.open[r] {
		return
	}
	delete(q.open, r)
	q.deliver(r, result)
	if len(q.open) == 0 {
		close(q.done)
	}
}

// abandon answers what is open when the time is over.
func (f *fetch) abandon(refs []sources.Ref) {
	detail := "stopped waiting"
	late := errors.Is(f.ctx.Err(), context.DeadlineExceeded)
	if late {
		detail = fmt.Sprintf("within %s", f.timeout)
	}
	for _, r := range refs {
		e := &sources.Error{Ref: r, Reason: sources.Unavailable, Detail: detail, Hints: silenceHints()}
		if late && f.slow(r.Kind).Load() {
			e.Reason, e.Detail, e.Hints = sources.Throttled, fmt.Sprintf("still after %s", f.timeout), throttleHints(r.Kind)
		}
		f.answer(r, sources.Result{Err: e})
	}
}

// slow tells whether the service that answers a kind has throttled.
func (f *fetch) slow(kind sources.Kind) *atomic.Bool {
	if kind == sources.Secret {
		return &f.slowSecrets
	}
	return &f.slowParams
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

// ask sorts the refs and sets the calls going. Credentials come first: where there are none, one attempt says so for all.
func (f *fetch) ask(refs []sources.Ref) {
	var secrets, params, paths []sources.Ref
	for _, r := range refs {
		switch r.Kind {
		case sources.Secret:
			secrets = append(secrets, r)
		case sources.Param:
			params = append(params, r)
		default:
			paths = append(paths, r)
		}
	}
	if err := f.signIn(); err != nil {
		f.fail("", err, secrets...)
		f.fail("", err, params...)
		f.fail("", err, paths...)
		return
	}
	f.askSecrets(secrets)
	f.askParams(params)
	for _, r := range paths {
		f.spawn(func() { f.askPath(r) }, r)
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

// do makes one call within the slots of its service. Refused credentials are read anew and the call is repeated, once; where
// they are refused again no other call of the fetch is made.
func do[In, Out, Opt any](f *fetch, kind sources.Kind, c call[In, Out, Opt], in *In) (*Out, error) {
	free := f.params
	if kind == sources.Secret {
		free = f.secrets
	}
	if err := free.take(f.ctx); err != nil {
		return nil, err
	}
	defer free.give()
	if err := f.refusal(); err != nil {
		return nil, err
	}
	ctx := context.WithValue(f.ctx, throttleKey{}, f.slow(kind))
	generation := f.identity.current()
	out, err := c(ctx, in)
	if unaccepted(err) && f.identity.replace(ctx, generation) {
		out, err = c(ctx, in)
	}
	f.identity.judge(err)
	if unaccepted(err) {
		f.mu.Lock()
		f.refused = err
		f.mu.Unlock()
	}
	return out, err
}

func (f *fetch) refusal() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.refused
}
