package aws

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// A client sends requests and reads their answers whole, within bounds, before the SDK parses them:
// whoever stands at the endpoint decides neither how much memory an answer takes nor who else
// gets the request.
type client struct {
	*connections
	http     *http.Client
	metadata bool // answers are texts, which nobody parses
}

const (
	// maxAnswer bounds an answer, in bytes. The largest of AWS's to a single question is that of a
	// secret of 64 KiB, in which each byte may be written as six.
	maxAnswer = 4 << 20
	// maxBatchAnswer is for the answer of twenty secrets. AWS may exceed it; then they are asked
	// for one by one.
	maxBatchAnswer = 8 << 20
	// largeAnswer is the size from which answers take turns. The SDK's parsers take several times
	// the size of what they parse.
	largeAnswer = 256 << 10
	// maxElements bounds the values in an answer, each of which costs a parser some 100 bytes.
	// AWS's have some hundreds.
	maxElements = 5000
)

// A badAnswer is an answer that cannot be AWS's, or is none that anybody asked for. It is not asked
// for again in the same pass.
type badAnswer struct{ what string }

func (e *badAnswer) Error() string { return e.what }

// RetryableError tells the SDK's retryer.
func (*badAnswer) RetryableError() bool { return false }

var (
	errTooLarge   = &badAnswer{"the answer has more bytes than any of AWS's"}
	errTooMany    = &badAnswer{"the answer holds more values than any of AWS's"}
	errTooLong    = &badAnswer{"the answer holds a value that is longer than AWS stores"}
	errHeaders    = &badAnswer{"its headers have more bytes than any of AWS's"}
	errCompressed = &badAnswer{"the answer is compressed, though nobody asked for that"}
	errWebPage    = &badAnswer{"a web page came in the place of AWS's answer; is a proxy or a login page in between?"}
)

// A slowAnswer is one that began in time and did not end.
type slowAnswer struct{ error }

func (e *slowAnswer) Unwrap() error { return e.error }

// Do sends a request. The body of the response has been read and is to be closed. Errors after the
// first byte are *url.Error, as http.Client's own are.
func (c *client) Do(r *http.Request) (*http.Response, error) {
	if c.isClosed() {
		r.Close = true
		defer c.closeIdle()
	}
	resp, err := c.http.Do(r)
	if err != nil {
		if strings.Contains(err.Error(), "headers exceeded") || strings.Contains(err.Error(), "header list larger") { // net/http has no type for it
			err = c.failed(r, errHeaders)
		}
		return resp, err
	}
	defer resp.Body.Close()
	taken := new(turn)
	body, err := c.read(r.Context(), resp, limitOf(r), taken)
	if err == nil && !c.metadata {
		err = implausible(resp.StatusCode, body)
	}
	if err != nil {
		taken.end()
		return nil, c.failed(r, err)
	}
	if c.isClosed() { // meanwhile
		c.closeIdle()
	}
	resp.Body = &content{Reader: bytes.NewReader(body), turn: taken}
	return resp, nil
}

// failed gives the error of a request as http.Client does.
func (*client) failed(r *http.Request, err error) error {
	return &url.Error{Op: r.Method, URL: r.URL.String(), Err: err}
}

// limitOf gives the bound of the answer to a request.
func limitOf(r *http.Request) int {
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".BatchGetSecretValue") {
		return maxBatchAnswer
	}
	return maxAnswer
}

// read gives the body of an answer. From largeAnswer on it waits for its turn.
func (c *client) read(ctx context.Context, resp *http.Response, limit int, taken *turn) ([]byte, error) {
	switch e := strings.ToLower(resp.Header.Get("Content-Encoding")); {
	case e != "" && e != "identity":
		return nil, errCompressed
	case resp.ContentLength > int64(limit):
		return nil, errTooLarge
	}
	var b bytes.Buffer
	_, err := io.CopyN(&b, resp.Body, largeAnswer)
	if err == nil { // and there may be more
		if err = taken.begin(ctx, c.large); err == nil {
			b.Grow(limit - largeAnswer + bytes.MinRead)
			_, err = io.CopyN(&b, resp.Body, int64(limit-largeAnswer+1))
		}
		if err == nil {
			err = errTooLarge
		}
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		err = &slowAnswer{err}
	}
	if err != io.EOF {
		return nil, err
	}
	return b.Bytes(), nil
}

// implausible says why a body is none of AWS's; nil where it may be one. That a load balancer's web
// page has an error's status is told by the status.
func implausible(status int, body []byte) error {
	text := bytes.TrimLeft(body, " \t\r\n\ufeff")
	start := strings.ToLower(string(text[:min(len(text), len("<!doctype html"))]))
	page := strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html")
	switch {
	case page && status < 300:
		return errWebPage
	case elements(text) > maxElements:
		return errTooMany
	}
	return nil
}

// elements counts what a parser of JSON or XML would make a value of.
func elements(text []byte) (n int) {
	if len(text) > 0 && text[0] == '<' {
		return bytes.Count(text, []byte("<")) + bytes.Count(text, []byte("="))
	}
	inside := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			inside = !inside
		case c == '\\' && inside:
			i++
		case !inside && (c == ',' || c == ':' || c == '[' || c == '{'):
			n++
		}
	}
	return n
}

// A turn is that of a large answer, from when it has become one until it is parsed.
type turn struct {
	slot chan struct{} // nil: it is not taken
	once sync.Once
}

// begin waits for the turn. The error is ctx's.
func (t *turn) begin(ctx context.Context, slot chan struct{}) error {
	select {
	case slot <- struct{}{}:
		t.slot = slot
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *turn) end() {
	t.once.Do(func() {
		if t.slot != nil {
			<-t.slot
		}
	})
}

// A content is a body that has been read.
type content struct {
	*bytes.Reader
	*turn
}

// Close ends the body's turn.
func (c *content) Close() error {
	c.turn.end()
	return nil
}
