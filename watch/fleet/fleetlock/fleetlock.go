// Package fleetlock has a host take its turn by a server of the FleetLock protocol, which is a
// semaphore: so many hosts of a group hold it at once. The server knows of no change, so there is
// no canary and no halt, and a host that holds it and dies holds it until somebody unlocks it
// there.
//
// The protocol: https://coreos.github.io/zincati/development/fleetlock/protocol/
package fleetlock

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/rendered/rendered/internal/endpoint"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/lazyregexp"
)

// A Lock is what one host has, or has not, of one group. Several goroutines may use it.
type Lock struct {
	base          string
	lock, release endpoint.Address
	body          []byte
}

// groupName is what the protocol takes for one.
var groupName = lazyregexp.New(`^[a-zA-Z0-9.-]+$`)

const maxID = 255 // bytes

// New gives the lock of a host, by its id, in a group of the server at a base URL. Nobody is asked.
// The error is a *fault.Fault.
func New(base, group, id string) (*Lock, error) {
	l := &Lock{base: strings.TrimRight(base, "/")}
	a, err := endpoint.Parse(l.base)
	switch {
	case err != nil || a.Socket != "" || strings.Contains(base, "?"):
		return nil, &fault.Fault{What: "this is no base URL of a FleetLock server", Hints: []string{"write it as http://HOST:PORT or https://HOST/PATH"}, Err: err}
	case !groupName.MatchString(group):
		return nil, &fault.Fault{What: fmt.Sprintf("%q is no group of FleetLock", group), Hints: []string{"a group has letters, digits, points and hyphens"}}
	case id == "" || len(id) > maxID:
		return nil, &fault.Fault{What: fmt.Sprintf("the id of a host has between 1 and %d bytes", maxID)}
	}
	l.lock, l.release = endpoint.Address{URL: l.base + "/v1/pre-reboot"}, endpoint.Address{URL: l.base + "/v1/steady-state"}
	type params struct {
		Group string `json:"group"`
		ID    string `json:"id"`
	}
	if l.body, err = json.Marshal(struct {
		Params params `json:"client_params"`
	}{params{group, id}}); err != nil {
		return nil, err
	}
	return l, nil
}

// Acquire asks for the lock; who holds it already gets it again. Where held is false, why is what
// the server says, as "semaphore currently full (failed_lock_semaphore_full)". An error, a
// *fault.Fault, says that nobody has answered who knows the protocol: the host may hold the lock.
func (l *Lock) Acquire(ctx context.Context) (held bool, why string, err error) {
	return l.ask(ctx, l.lock)
}

// Release gives the lock back, which who does not hold it may do, too. An error, a *fault.Fault,
// says that it is not known that it is given back: it is to be tried again.
func (l *Lock) Release(ctx context.Context) error {
	done, why, err := l.ask(ctx, l.release)
	if err == nil && !done {
		err = &fault.Fault{What: "the FleetLock server " + l.base + " does not take the lock back: " + why}
	}
	return err
}

const (
	// answerWithin is how long a server may take. It may have to ask a store of its own.
	answerWithin = 10 * time.Second
	maxAnswer    = 64 << 10 // bytes that are read of an answer
)

// ask makes one request, which is not tried again.
func (l *Lock) ask(ctx context.Context, a endpoint.Address) (done bool, why string, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	answer, err := a.Do(ctx, endpoint.Request{
		Method: http.MethodPost, Body: l.body, Type: "application/json", Limit: maxAnswer,
		Header: http.Header{"Fleet-Lock-Protocol": {"true"}},
	})
	if err != nil {
		e := endpoint.Explain(ctx, err)
		return false, "", &fault.Fault{
			What: "the FleetLock server " + l.base + " " + e.What, Hints: append(e.Hints, "fleet.fleetlock has its base URL; no proxy is used"), Err: err,
		}
	}
	if answer.Status == http.StatusOK {
		return true, "", nil
	}
	if why = read(answer.Body); answer.Status < 400 || why == "" {
		return false, "", l.strange(answer.Status)
	}
	return false, why, nil
}

// strange is the fault of an answer that the protocol does not have.
func (l *Lock) strange(status int) error {
	hint := "is " + l.base + " the base URL of a FleetLock server?"
	switch {
	case status/100 == 3:
		hint = "it leads elsewhere, and is not followed: name the base URL that it leads to"
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		hint = "the protocol has no password: the server, or a proxy before it, is to let this host in by its address"
	case status >= 500:
		hint = "the trouble is on the server's side, or on that of a proxy before it; it is asked again by itself"
	}
	return &fault.Fault{What: fmt.Sprintf("the FleetLock server %s answered %d, without an error of the protocol", l.base, status), Hints: []string{hint}}
}

// kindName is how servers write the types of their errors.
var kindName = lazyregexp.New(`^[A-Za-z0-9_.:-]{1,64}$`)

const maxValue = 200 // characters

// read gives what an error of the protocol says, on one line; "": it is none.
func read(body []byte) string {
	var e struct {
		Kind  string `json:"kind"`
		Value string `json:"value"`
	}
	if json.Unmarshal(body, &e) != nil || e.Kind == "" {
		return ""
	}
	value := []rune(strings.Join(strings.FieldsFunc(e.Value, func(r rune) bool { return !unicode.IsPrint(r) || r == ' ' }), " "))
	if len(value) > maxValue {
		value = append(value[:maxValue], '…')
	}
	kind := e.Kind
	if !kindName.MatchString(kind) {
		kind = "an error of a strange name"
	}
	if len(value) == 0 {
		return kind
	}
	return string(value) + " (" + kind + ")"
}
