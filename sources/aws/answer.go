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
	// maxTableElements is for a page of a table: a MiB of small items.
	maxTableElements = 400_000
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
		// net/http has no type for this error.
		if strings.Contains(err.Error(), "headers exceeded") || strings.Contains(err.Error(), "header list larger") {
			err = c.failed(r, errHeaders)
		}
		return resp, err
	}
	defer resp.Body.Close()
	body, err := c.read(r, resp)
	if err != nil {
		return nil, c.failed(r, err)
	}
	if c.isClosed() { // meanwhile
		c.closeIdle()
	}
	resp.Body = body
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

// elementsOf gives how many values the answer to a request may hold.
func elementsOf(r *http.Request) int {
	if strings.HasPrefix(r.Header.Get("X-Amz-Target"), "DynamoDB_") {
		return maxTableElements
	}
	return maxElements
}

// read gives the body of an answer, which is to be closed. From largeAnswer on it waits for its
// turn.
func (c *client) read(r *http.Request, resp *http.Response) (*content, error) {
	limit := limitOf(r)
	switch e := strings.ToLower(resp.Header.Get("Content-Encoding")); {
	case e != "" && e != "identity":
		return nil, errCompressed
	case resp.ContentLength > int64(limit):
		return nil, errTooLarge
	}
	var b bytes.Buffer
	give := func() {}
	_, err := io.CopyN(&b, resp.Body, largeAnswer)
	if err == nil { // and there may be more
		give, err = c.large.take(r.Context())
	}
	if err == nil {
		b.Grow(limit - largeAnswer + bytes.MinRead)
		if _, err = io.CopyN(&b, resp.Body, int64(limit-largeAnswer+1)); err == nil {
			err = errTooLarge
		}
	}
	if err = c.judge(err, resp.StatusCode, b.Bytes(), elementsOf(r)); err != nil {
		give()
		return nil, err
	}
	return &content{bytes.NewReader(b.Bytes()), give}, nil
}

// judge says what is wrong with a body, of which err is where it ended, and which may hold so many
// values.
func (c *client) judge(err error, status int, body []byte, most int) error {
	timeout, ok := errors.AsType[net.Error](err)
	switch {
	case ok && timeout.Timeout():
		return &slowAnswer{err}
	case err != io.EOF:
		return err
	case c.metadata:
		return nil
	}
	return implausible(status, body, most)
}

// implausible says why a body is none of AWS's, of which most is how many values it may hold; nil
// where it may be one. That a load balancer's web page has an error's status is told by the status.
func implausible(status int, body []byte, most int) error {
	text := bytes.TrimLeft(body, " \t\r\n\ufeff")
	start := strings.ToLower(string(text[:min(len(text), len("<!doctype html"))]))
	page := strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html")
	switch {
	case page && status < 300:
		return errWebPage
	case elements(text) > most:
		return errTooMany
	}
	return nil
}

// elements counts what a parser of JSON or XML would make a value of.
func elements(text []byte) (n int) {
	if bytes.HasPrefix(text, []byte("<")) {
		return bytes.Count(text, []byte("<")) + bytes.Count(text, []byte("="))
	}
	for len(text) > 0 {
		between, rest, _ := bytes.Cut(text, []byte(`"`))
		for _, c := range between {
			if strings.IndexByte(",:[{", c) >= 0 {
				n++
			}
		}
		text = afterString(rest)
	}
	return n
}

// afterString gives what follows a string of JSON, of a text that begins within it.
func afterString(text []byte) []byte {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return text[i+1:]
		}
	}
	return nil
}

// slots are what so many may have at once.
type slots chan struct{}

// take waits for a slot. What it gives is called to give it back, however often; the error is
// ctx's.
func (s slots) take(ctx context.Context) (give func(), err error) {
	select {
	case s <- struct{}{}:
		return sync.OnceFunc(func() { <-s }), nil
	case <-ctx.Done():
		return func() {}, ctx.Err()
	}
}

// A content is a body that has been read.
type content struct {
	*bytes.Reader
	give func() // its slot
}

// Close ends the body's turn.
func (c *content) Close() error {
	c.give()
	return nil
}
