package pass

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/internal/endpoint"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/watch/ledger"
	"github.com/rendered/rendered/watch/notify"
)

// An OnFailure says who hears of a failure. The zero OnFailure is nobody.
type OnFailure struct {
	Run  command.Check // a command; the zero Check is none
	Post string        // the address that a document is sent to; "": none
}

// IsZero tells whether nobody hears of it.
func (f OnFailure) IsZero() bool { return f.Run.IsZero() && f.Post == "" }

// A failure is what is said, as JSON. It holds no value.
type failure struct {
	Service   string           `json:"service"`
	Host      string           `json:"host,omitempty"`
	Kind      ledger.Kind      `json:"kind"` // failed, refused, unhealthy, rolled-back
	Failure   string           `json:"failure"`
	At        time.Time        `json:"at"`
	Dependent string           `json:"dependent,omitempty"`
	Files     []string         `json:"files"`
	Refs      []ledger.Renewal `json:"refs"`
}

// An Alarm is what came of saying that something failed.
type Alarm struct {
	Service string
	Of      ledger.Event
	Fault   *fault.Fault // why it is tried again; nil: it was said
}

const (
	// postWithin is how long sending a document may take.
	postWithin = 30 * time.Second
	// maxVariable is how long one entry of an environment may be (MAX_ARG_STRLEN of execve(2)).
	maxVariable = 128 << 10
)

// Alarm says that something failed, and puts on record that it is said.
func (o Options) Alarm(ctx context.Context, s *Service, e ledger.Event, party Party) Alarm {
	a := Alarm{Service: s.Name, Of: e}
	mistake := fault.Caught(func() {
		if a.Fault = o.say(ctx, s, e, party); a.Fault != nil {
			return
		}
		if err := o.State.Ledger.Alarmed(s.Name, e); err != nil {
			a.Fault = &fault.Fault{What: "on_failure: it is said, and that cannot be put on record: " + err.Error(), Hints: Remedy(err), Err: err}
		}
	})
	if mistake != nil {
		a.Fault = mistake
	}
	o.woke(s.Name)
	return a
}

// say runs the command, and sends the document.
func (o Options) say(ctx context.Context, s *Service, e ledger.Event, party Party) *fault.Fault {
	text := documentOf(s.Name, e)
	if run := s.OnFailure.Run; !run.IsZero() {
		env := []string{"RENDERED_SERVICE=" + s.Name, "RENDERED_EVENT=" + string(text)}
		output, err := o.runner()(ctx, run.Command, command.Options{Timeout: run.Timeout, Env: env})
		if err != nil {
			return failedCommand("on_failure", run, err, o.Shown(notify.Output{Text: output, Policy: run.Output}, party), "will try again")
		}
	}
	if s.OnFailure.Post == "" {
		return nil
	}
	return post(ctx, s.OnFailure.Post, text)
}

// documentOf gives what is said. Where it would be longer than a command may be given, the files
// and the refs are left out.
func documentOf(service string, e ledger.Event) []byte {
	host, _ := os.Hostname()
	f := failure{service, host, e.Kind, e.Failure, e.At, e.Dependent, append([]string{}, e.Paths...), append([]ledger.Renewal{}, e.Refs...)}
	text, err := json.Marshal(f)
	if err == nil && len(text) > maxVariable/2 {
		f.Files, f.Refs = []string{}, []ledger.Renewal{}
		text, err = json.Marshal(f)
	}
	if err != nil { // there is nothing in it that JSON has no form for
		panic(err)
	}
	return text
}

func post(ctx context.Context, to string, text []byte) *fault.Fault {
	address, err := endpoint.Parse(to)
	if err != nil {
		return &fault.Fault{What: "on_failure: post: " + err.Error(), Err: err}
	}
	ctx, end := context.WithTimeout(ctx, postWithin)
	defer end()
	answer, err := address.Do(ctx, endpoint.Request{Method: "POST", Body: text, Type: "application/json", Limit: 1 << 10})
	switch {
	case err != nil:
		return &fault.Fault{What: fmt.Sprintf("on_failure: post to %s: %v; will try again", address.Peer(), err), Err: err}
	case answer.Status < 200 || answer.Status > 299:
		return &fault.Fault{What: fmt.Sprintf("on_failure: post to %s: it answered %d; will try again", address.Peer(), answer.Status)}
	}
	return nil
}
