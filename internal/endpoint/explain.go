package endpoint

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"net"
	"syscall"
)

// An Error is why there is no answer. Its text has nothing of what the server said.
type Error struct {
	What  string   // one clause: "refuses connections"
	Hints []string // what to do about it, a line each; may be empty
	Err   error    // the cause, for errors.Is; its text is not printed
}

// Error gives What.
func (e *Error) Error() string { return e.What }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

var errElsewhere = errors.New("localhost is not this machine")

// causes say what errors of connections mean.
var causes = []struct {
	err  error
	what string
}{
	{context.DeadlineExceeded, "does not answer"},
	{context.Canceled, "was not waited for"},
	{syscall.ECONNREFUSED, "refuses connections"},
	{syscall.ECONNRESET, "broke the connection off"},
	{syscall.EPIPE, "broke the connection off"},
	{syscall.EHOSTUNREACH, "cannot be reached"},
	{syscall.ENETUNREACH, "cannot be reached"},
	{syscall.ETIMEDOUT, "does not answer"},
	{syscall.ENOTSOCK, "is no socket"},
	{syscall.EPROTOTYPE, "is a socket of another kind"},
	{fs.ErrNotExist, "is not there"},
	{fs.ErrPermission, "may not be asked by us"},
	{errElsewhere, "is not this machine"},
	{io.ErrUnexpectedEOF, "broke its answer off"},
	{io.EOF, "closed the connection without an answer"},
}

// Explain says what the error of a connection means, to a server that was asked until ctx ended.
func Explain(ctx context.Context, err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	e := &Error{What: "gave an answer that cannot be understood", Err: err}
	for _, c := range causes {
		if errors.Is(err, c.err) {
			e.What = c.what
			return e
		}
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		e.What = "has a name that cannot be looked up"
		if dns.IsNotFound {
			e.What = "has a name that is not known"
		}
		return e
	}
	if untrusted, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		e.What, e.Hints = "shows a certificate that is not valid here", []string{verification(untrusted.Err)}
		return e
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		e.What = "does not answer"
	}
	return e
}

// verification says what is wrong with a certificate, in words of ours.
func verification(err error) string {
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "it is for other names than the one that was asked for"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return "it has expired, or is not valid yet"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "it is signed by an authority that this machine does not know"
	}
	return "it cannot be verified"
}
