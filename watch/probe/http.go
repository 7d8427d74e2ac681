package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/internal/endpoint"
)

// An HTTP is well where a server answers a GET as it is to. No redirect is followed.
type HTTP struct {
	URL     string        // as endpoint.Parse takes it
	Status  []int         // what it may answer; empty: any 2xx
	Body    string        // must be in the first 64 KiB of the answer's body; "": anything may
	Timeout time.Duration // of one look; 0 is 5s
}

// maxBody is how many bytes of an answer are looked at.
const maxBody = 64 << 10

// Name gives "http http://127.0.0.1/ok (status 200)".
func (h HTTP) Name() string {
	var options []string
	if len(h.Status) > 0 {
		options = append(options, "status "+strings.Trim(fmt.Sprint(h.Status), "[]"))
	}
	if h.Body != "" {
		options = append(options, "body "+quoted(h.Body))
	}
	return named("http "+h.URL, h.Timeout, options...)
}

// Begin begins a series.
func (h HTTP) Begin() Look { return stateless(h, h.look) }

func (h HTTP) look(ctx context.Context) *Failure {
	ctx, cancel := within(ctx, h.Timeout)
	defer cancel()
	address, err := endpoint.Parse(h.URL)
	if err != nil {
		return unreached(ctx, err)
	}
	r := endpoint.Request{Method: "GET"}
	if h.Body != "" {
		r.Limit = maxBody
	}
	answer, err := address.Do(ctx, r)
	switch {
	case err != nil:
		return unreached(ctx, err)
	case !h.takes(answer.Status):
		return &Failure{What: fmt.Sprintf("answered %d", answer.Status), Hints: redirected(answer)}
	case !bytes.Contains(answer.Body, []byte(h.Body)):
		return &Failure{What: fmt.Sprintf("answered %d without the text that body: wants", answer.Status)}
	}
	return nil
}

func (h HTTP) takes(status int) bool {
	if len(h.Status) == 0 {
		return status >= 200 && status <= 299
	}
	return slices.Contains(h.Status, status)
}

// redirected says what to do about a redirect. Where it leads is the server's to say, and is not
// shown.
func redirected(answer *endpoint.Response) []string {
	if answer.Location == "" || answer.Status/100 != 3 {
		return nil
	}
	return []string{"it leads elsewhere, and is not followed: name the address that it leads to, or status: that it is to answer"}
}

// unreached is the failure of a connection.
func unreached(ctx context.Context, err error) *Failure {
	e := endpoint.Explain(ctx, err)
	return &Failure{What: e.What, Hints: e.Hints, Err: errors.Unwrap(e)}
}
