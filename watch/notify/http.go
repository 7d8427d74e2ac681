package notify

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/internal/endpoint"
)

// An HTTP tells a server by a request, which it acknowledges by its status.
type HTTP struct {
	URL    string // as endpoint.Parse takes it
	Method string // "": POST
	Expect []int  // statuses that acknowledge; empty: any 2xx
	// Body is sent; {file PATH} in it stands for the content of a file. Type says what it is.
	Body, Type string
	Timeout    time.Duration // 0 is 30s
	Output     command.OutputPolicy
}

// answerTimeout is how long a server may take.
const answerTimeout = 30 * time.Second

// maxAnswer is how many bytes of an answer are read.
const maxAnswer = 64 << 10

// Name gives "POST http://127.0.0.1:9090/-/reload".
func (h HTTP) Name() string {
	var options []string
	if len(h.Expect) > 0 {
		options = append(options, "expect "+strings.Trim(fmt.Sprint(h.Expect), "[]"))
	}
	if h.Body != "" {
		options = append(options, "body "+command.Command{Shell: h.Body}.String())
	}
	if h.Type != "" {
		options = append(options, "content_type "+h.Type)
	}
	if h.Output != command.Redact {
		options = append(options, "output "+string(h.Output))
	}
	return withOptions(h.method()+" "+h.URL, h.Timeout, options...)
}

func (h HTTP) method() string { return cmp.Or(h.Method, "POST") }

// Target gives the server: whatever is asked of it, one thing is at a time.
func (h HTTP) Target() string {
	a, err := endpoint.Parse(h.URL)
	switch {
	case err != nil:
		return h.URL
	case a.Socket != "":
		return socketTarget(a.Socket)
	}
	return "server " + a.Peer()
}

// Do asks, and gives what the server answers.
func (h HTTP) Do(ctx context.Context, _ Change) (Output, error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(h.Timeout, answerTimeout))
	defer cancel()
	body, err := newLetter(h.Body)
	if err != nil {
		return Output{}, err
	}
	a, err := h.address(body)
	if err != nil {
		return Output{}, err
	}
	answer, err := a.Do(ctx, endpoint.Request{
		Method: h.method(), Body: []byte(body.whole(func(content string) string { return content })), Type: h.Type, Limit: maxAnswer + 1,
		Dial: func(ctx context.Context, socket string) (net.Conn, error) { return dialSocket(ctx, socket, body) },
	})
	if err != nil {
		return Output{}, unanswered(ctx, err)
	}
	said := Output{Text: wholeLines(answer.Body), Policy: h.Output}
	if h.acknowledges(answer.Status) {
		return said, nil
	}
	e := &Error{Reason: Failed, What: fmt.Sprintf("server answered %d", answer.Status)}
	if answer.Status/100 == 3 {
		e.Hints = []string{"it leads elsewhere, and is not followed: name the address that it leads to, or expect: that it is to answer"}
	}
	return said, e
}

// address gives whom to ask. What is in a file is said to nobody who could listen in.
func (h HTTP) address(body letter) (endpoint.Address, error) {
	a, err := endpoint.Parse(h.URL)
	if err != nil {
		return a, &Error{Reason: NotSupported, What: err.Error(), Err: err}
	}
	if len(body.files) > 0 && !h.Confidential() {
		return a, &Error{Reason: NotPermitted, What: body.files[0].path + " is not sent: at this address anybody may listen", Hints: []string{ConfidentialHint}}
	}
	return a, nil
}

// ConfidentialHint says where the content of a file may be sent to.
const ConfidentialHint = "a file's content goes to a unix socket, or by https to a host that its certificate names"

// Confidential tells whether the content of a file may be sent to the address: to a port of this
// machine any of its users could listen when the server does not.
func (h HTTP) Confidential() bool {
	a, err := endpoint.Parse(h.URL)
	return err == nil && (a.Socket != "" || a.Verified())
}

func (h HTTP) acknowledges(status int) bool {
	if len(h.Expect) == 0 {
		return status >= 200 && status <= 299
	}
	return slices.Contains(h.Expect, status)
}

// Socket gives the path of the unix socket at which the server is asked; "": it has none.
func (h HTTP) Socket() string {
	a, _ := endpoint.Parse(h.URL)
	return a.Socket
}

// SendsFiles tells whether the content of a file is sent.
func (h HTTP) SendsFiles() bool { return len(FilesIn(h.Body)) > 0 }
