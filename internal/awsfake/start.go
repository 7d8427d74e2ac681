package awsfake

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"syscall"
	"testing"
)

// Start runs a new server on loopback until the test ends; its URL is the endpoint.
func Start(t testing.TB, opts ...Option) *Server {
	t.Helper()
	s := New(opts...)
	h := httptest.NewUnstartedServer(s)
	h.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connections.Add(1)
		}
	}
	h.Start()
	s.URL = h.URL
	t.Cleanup(func() {
		h.CloseClientConnections()
		s.Clear()
		h.Close()
	})
	return s
}

// Connections gives how many connections were made to the server that Start runs.
func (s *Server) Connections() int { return int(s.connections.Load()) }

// Env gives the environment, as KEY=value, in which a program that uses an AWS SDK or the AWS CLI
// asks this server and nobody else. It needs a URL.
func (s *Server) Env() []string {
	return []string{
		"AWS_ENDPOINT_URL=" + s.URL,
		"AWS_REGION=" + s.region,
		"AWS_DEFAULT_REGION=" + s.region,
		"AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE",
		"AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=/dev/null",
		"AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	}
}

// InstanceEnv gives the environment, as KEY=value, of a program on the virtual machine that
// Metadata is about: it finds its Region and credentials there. It needs a URL.
func (s *Server) InstanceEnv() []string {
	return []string{
		"AWS_ENDPOINT_URL=" + s.URL,
		"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + s.URL,
		"AWS_EC2_METADATA_DISABLED=false",
		"AWS_EC2_METADATA_V1_DISABLED=true",
		"AWS_CONFIG_FILE=/dev/null",
		"AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	}
}

// Transport gives an http.RoundTripper that asks the server, its instance metadata included,
// without a socket, whatever host the request is for. With it a real SDK works inside a
// testing/synctest bubble.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

type transport struct{ server *Server }

// RoundTrip answers r in the calling goroutine. As a socket would, it gives r's context's error
// when that ends first, and io.ErrUnexpectedEOF where the server breaks off.
func (t transport) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	in := r.Clone(r.Context())
	if in.Host == "" {
		in.Host = in.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	body, err := io.ReadAll(in.Body)
	in.Body.Close()
	if err != nil {
		return nil, err
	}
	in.Body = io.NopCloser(bytes.NewReader(body))
	if m := t.server.metadata; m.serves(in) && m.refused() {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	defer func() {
		if what := recover(); what == http.ErrAbortHandler {
			resp, err = nil, io.ErrUnexpectedEOF
		} else if what != nil {
			panic(what)
		}
	}()
	w := httptest.NewRecorder()
	t.server.ServeHTTP(w, in)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	resp = w.Result()
	resp.Request = r
	return resp, nil
}
