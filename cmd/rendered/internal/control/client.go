package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"
)

// most bounds the answer that a client reads, in bytes.
const most = 64 << 20

// A Client asks the daemon whose socket is at Path. A Refused error is the daemon's own.
type Client struct{ Path string }

// Reload has the daemon read its config again, and decodes what came of it, when it has, or, where
// it is to wait, what came of the looks that follow, too. A daemon of before there were versions
// says nothing of that.
func (c Client) Reload(ctx context.Context, wait bool, to any) (said bool, _ error) {
	err := c.await(ctx, reloadPath, services{Wait: wait}, to)
	if errors.Is(err, ErrUnknown) && !wait {
		return false, c.await(ctx, formerPath, nil, nil)
	}
	return err == nil, err
}

// Status decodes how the daemon stands.
func (c Client) Status(ctx context.Context, to any) error {
	return c.ask(ctx, http.MethodGet, statusPath, nil, to)
}

// Summary decodes how the daemon stands, but for lookups and files.
func (c Client) Summary(ctx context.Context, to any) error {
	return c.ask(ctx, http.MethodGet, statusPath+"?"+withoutLookups, nil, to)
}

// StatusOf decodes how one service stands, by its name or the path of a file; an older daemon gives
// all.
func (c Client) StatusOf(ctx context.Context, name string, to any) error {
	return c.ask(ctx, http.MethodGet, statusPath+"?"+url.Values{ofService: {name}}.Encode(), nil, to)
}

// History decodes what happened.
func (c Client) History(ctx context.Context, to any) error {
	return c.ask(ctx, http.MethodGet, historyPath, nil, to)
}

// Refresh has the daemon look at services, or at all where none is named. Where there is somewhere
// to decode it to, it waits for what comes of it.
func (c Client) Refresh(ctx context.Context, names []string, to any) error {
	if to == nil {
		return c.ask(ctx, http.MethodPost, refreshPath, services{Services: names}, nil)
	}
	return c.await(ctx, refreshPath, services{Services: names, Wait: true}, to)
}

// Wait returns when the services, or all where none is named, are current.
func (c Client) Wait(ctx context.Context, names []string) error {
	return c.await(ctx, waitPath, services{Services: names}, nil)
}

// base begins the URL of a question. Only the path in it means something.
const base = "http://rendered"

// http gives a client of HTTP through the socket.
func (c Client) http() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", c.Path)
	}}}
}

// Pause has nobody work on services for a time, 0 meaning until they are resumed, and decodes what
// came of it.
func (c Client) Pause(ctx context.Context, names []string, lasts time.Duration, why string, to any) error {
	return c.await(ctx, pausePath, services{Services: names, For: lasts, Why: why}, to)
}

// Resume ends the pauses of services, or all where none is named, and decodes what came of it.
func (c Client) Resume(ctx context.Context, names []string, to any) error {
	return c.ask(ctx, http.MethodPost, resumePath, services{Services: names}, to)
}

// ask sends a question, and decodes the answer to where it is to go.
func (c Client) ask(ctx context.Context, method, path string, question, to any) error {
	return c.patiently(ctx, longest, func(ctx context.Context) error { return c.send(ctx, method, path, question, to) })
}

// await is ask of what takes as long as it takes.
func (c Client) await(ctx context.Context, path string, question, to any) error {
	return c.patiently(ctx, 0, func(ctx context.Context) error { return c.send(ctx, http.MethodPost, path, question, to) })
}

func (c Client) send(ctx context.Context, method, path string, question, to any) error {
	client := c.http()
	defer client.CloseIdleConnections()
	var body bytes.Buffer
	if question != nil {
		if err := json.NewEncoder(&body).Encode(question); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, base+path, &body)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	switch {
	case isClosed(err):
		return fmt.Errorf("no daemon answers at %s: %w", c.Path, ErrClosed)
	case err != nil:
		return fmt.Errorf("no daemon answers at %s: %w", c.Path, c.reason(err))
	}
	defer answer.Body.Close()
	return c.read(answer, to)
}

// reason gives why nobody can be asked. Of what is no socket the system says that it refuses the
// connection.
func (c Client) reason(err error) error {
	if st, _ := os.Stat(c.Path); st != nil && st.Mode().Type() != os.ModeSocket && errors.Is(err, syscall.ECONNREFUSED) {
		return ErrNoSocket
	}
	return innermost(err)
}

// read reads an answer.
func (c Client) read(answer *http.Response, to any) error {
	text, err := io.ReadAll(io.LimitReader(answer.Body, most))
	switch {
	case err != nil:
		return fmt.Errorf("the daemon at %s broke off: %w", c.Path, innermost(err))
	case answer.StatusCode == http.StatusConflict:
		return Refused(bytes.TrimSpace(text))
	case answer.StatusCode != http.StatusOK:
		who := "another version of rendered"
		if version := answer.Header.Get(versionHeader); version != "" {
			who = "rendered " + version
		}
		return fmt.Errorf("what listens at %s is %s: %w (%s)", c.Path, who, ErrUnknown, answer.Status)
	case to == nil:
		return nil
	}
	return c.decode(answer.Header.Get(versionHeader), text, to)
}

// decode decodes the answer of a daemon of a version; "" is that of another program.
func (c Client) decode(version string, text []byte, to any) error {
	if version == "" {
		return fmt.Errorf("what listens at %s is no daemon of rendered: %w", c.Path, ErrUnknown)
	}
	if err := json.Unmarshal(text, to); err != nil {
		return fmt.Errorf("the answer of rendered %s at %s cannot be read: %w", version, c.Path, err)
	}
	return nil
}

// ErrUnknown is that the daemon is of another version, which does not understand the question.
var ErrUnknown = errors.New("it does not know what is asked")

// Refused is why the daemon did not do what it was asked for, in its words.
type Refused string

func (r Refused) Error() string { return string(r) }

// ErrClosed is that who listens took the question and closed the connection: the daemon ends, or
// does not admit who asks.
var ErrClosed = errors.New("it closes the connection")

// isClosed tells whether an error is that the connection was closed before an answer came.
// net/http reads while it writes: where the read ends first it closes the connection under the
// write. Its error for one that was closed before the question was sent has no type.
func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed) ||
		err != nil && strings.HasSuffix(err.Error(), "server closed idle connection")
}

// innermost gives the error of the system: what is around it names a URL that nobody knows.
func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
