// Package endpoint asks servers over HTTP, at a URL or a unix socket, within bounds: it follows no
// redirect, uses no proxy, and reads no more of an answer than it is to. No error has anything of
// what a server says.
package endpoint

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"
)

// An Address is where an HTTP server is asked, and for what.
type Address struct {
	Socket string // the path of a unix socket; "": the host of URL
	URL    string // what is asked for; with a Socket at localhost
}

// Form says how an address is written.
const Form = "http://HOST:PORT/PATH, https://… or unix:/run/app.sock:/PATH"

const (
	maxAddress = 2048 // bytes
	// maxSocket is sizeof(sun_path) without the zero at its end (unix(7)).
	maxSocket = 107
)

// Parse reads an address as it is written: a URL of http or https, or unix:SOCKET:PATH. The error
// is a *Error.
func Parse(text string) (a Address, err error) {
	if len(text) > maxAddress || strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return a, wrong("an address is up to 2048 letters of ASCII without blanks")
	}
	if rest, ok := strings.CutPrefix(text, "unix:"); ok {
		a.Socket = rest
		a.URL = "/"
		if i := strings.LastIndex(rest, ":/"); i >= 0 {
			a.Socket, a.URL = rest[:i], rest[i+1:]
		}
		if !filepath.IsAbs(a.Socket) || len(a.Socket) > maxSocket || filepath.Clean(a.Socket) != a.Socket {
			return a, wrong("the path of a socket is absolute, plain, and of up to 107 bytes")
		}
		a.URL = "http://localhost" + a.URL
		text = a.URL
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return a, wrong("this is no URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return a, wrong("this is no address of HTTP")
	case u.Hostname() == "" || strings.HasSuffix(u.Host, ":"):
		return a, wrong("this has no host")
	case u.User != nil:
		return a, wrong("a user or password in an address would be shown wherever the address is")
	case u.Fragment != "" || strings.Contains(text, "#"):
		return a, wrong("what stands behind # is never sent")
	}
	a.URL = u.String()
	return a, nil
}

func wrong(what string) *Error { return &Error{What: what, Hints: []string{"write it as " + Form}} }

// Peer gives HOST:PORT, of an address without a Socket.
func (a Address) Peer() string {
	u, err := url.Parse(a.URL)
	switch {
	case err != nil:
		return a.URL
	case u.Port() != "":
		return u.Host
	case u.Scheme == "https":
		return net.JoinHostPort(u.Hostname(), "443")
	}
	return net.JoinHostPort(u.Hostname(), "80")
}

// A Request is what a server is asked.
type Request struct {
	Method string // "": GET
	Body   []byte
	Type   string      // of Body, for Content-Type; "": it is not said
	Header http.Header // further ones, by their canonical names
	Limit  int         // how many bytes of the answer's body are read
	// Dial connects to the unix socket of an Address, in a way of its own; nil: as usual.
	Dial func(ctx context.Context, socket string) (net.Conn, error)
}

// A Response is what it answered.
type Response struct {
	Status   int
	Location string // where a redirect leads
	Body     []byte // its first bytes
}

// Do asks, and waits for an answer until ctx ends. The error is a *Error.
//
// The certificate of an https server is verified unless the server is asked at a loopback address
// or at localhost: what it shows has other names.
func (a Address) Do(ctx context.Context, r Request) (*Response, error) {
	q, err := http.NewRequestWithContext(ctx, r.Method, a.URL, bytes.NewReader(r.Body))
	if err != nil {
		return nil, &Error{What: "it cannot be asked so", Err: err}
	}
	maps.Copy(q.Header, r.Header)
	q.Header.Set("User-Agent", "rendered")
	if r.Type != "" {
		q.Header.Set("Content-Type", r.Type)
	}
	transport := a.transport(q.URL.Hostname(), r.Dial)
	defer transport.CloseIdleConnections()
	answer, err := transport.RoundTrip(q) // which follows no redirect
	if err != nil {
		return nil, Explain(ctx, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, int64(r.Limit)))
	if err != nil {
		return nil, Explain(ctx, err)
	}
	return &Response{answer.StatusCode, answer.Header.Get("Location"), body}, nil
}

// maxHeader is how many bytes of an answer's header are read.
const maxHeader = 64 << 10

// transport makes the connection, for one request.
func (a Address) transport(host string, dial func(context.Context, string) (net.Conn, error)) *http.Transport {
	t := &http.Transport{DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxHeader, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
	dialer := new(net.Dialer)
	switch {
	case a.Socket != "":
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			if dial != nil {
				return dial(ctx, a.Socket)
			}
			return dialer.DialContext(ctx, "unix", a.Socket)
		}
		return t
	case isLoopback(host):
		t.TLSClientConfig.InsecureSkipVerify = true
		dialer.Control = stayHere
	}
	t.DialContext = dialer.DialContext
	return t
}

// Verified tells whether Do goes on only where the server has shown, by a certificate, that it is
// who is asked.
func (a Address) Verified() bool {
	u, err := url.Parse(a.URL)
	return err == nil && a.Socket == "" && u.Scheme == "https" && !isLoopback(u.Hostname())
}

// isLoopback tells whether a host is this machine, whoever asks.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// stayHere lets no connection leave the machine: localhost may be known as something else.
func stayHere(_, address string, _ syscall.RawConn) error {
	if at, err := netip.ParseAddrPort(address); err == nil && at.Addr().Unmap().IsLoopback() {
		return nil
	}
	return errElsewhere
}
