package notify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/endpoint"
)

// A server that is told at a unix socket may be another than the one that is meant: whoever can
// change the way to the socket decides who listens there. What is said to a server is in the config
// and no secret; a file may be one. So where others than root can change the way, a file is sent to
// nobody who could not read it anyway. Who listens is known by the kernel's word (SO_PEERCRED in
// unix(7)).

// dialSocket connects to a unix socket for a letter.
func dialSocket(ctx context.Context, path string, l letter) (net.Conn, error) {
	by, err := ExamineSocket(path)
	if err != nil {
		return nil, err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		return nil, unanswered(ctx, err)
	}
	if by == nil || len(l.files) == 0 {
		return conn, nil
	}
	if err := admit(conn, by, l); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// admit is an error where who listens must not get the files.
func admit(conn net.Conn, by *disk.Doubt, l letter) error {
	who, err := listener(conn)
	if err != nil {
		return &Error{Reason: NotPermitted, What: "it is not known who listens at the socket", Hints: []string{socketHint}, Err: err}
	}
	for _, f := range l.files {
		if who.uid != os.Geteuid() && !who.mayRead(f) {
			return &Error{Reason: NotPermitted, Hints: []string{socketHint}, What: fmt.Sprintf(
				"%s is not sent: user %d listens at the socket, who may not read the file, and others than root can decide that (%v)", f.path, who.uid, by)}
		}
	}
	return nil
}

const socketHint = "have the socket in a directory that root alone can change, as /run, or the file belong to the user that listens there"

// ExamineSocket says what is wrong with the place of a socket, whether or not there is one now. The
// doubt is about who decides what listens there; nil where root alone does, or where we are not
// root.
func ExamineSocket(path string) (*disk.Doubt, error) {
	way, err := disk.Walk(path)
	if err == nil {
		err = way.Trusted()
	}
	switch {
	case disk.IsForeign(err):
		return nil, &Error{Reason: NotPermitted, What: "socket: " + err.Error(), Hints: disk.Hints(err), Err: err}
	case err != nil:
		return nil, &Error{Reason: NotRunning, What: "socket cannot be looked at: " + disk.Reason(err).Error(), Err: err}
	}
	doubts := way.Doubts()
	if last := way.Last(); last.Shared {
		return &disk.Doubt{Path: last.Dir, What: "others can make names in it", User: disk.Several}, nil
	}
	if len(doubts) > 0 {
		return doubts[0], nil
	}
	return nil, nil
}

// unanswered is the error of a server that does not take what it is told.
func unanswered(ctx context.Context, err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if ctx.Err() != nil {
		return stopped(ctx, "waiting for an answer")
	}
	e := endpoint.Explain(ctx, err)
	failed := &Error{Reason: Failed, What: "server " + e.What, Hints: e.Hints, Err: err}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist):
		failed.Reason = NotRunning
	case errors.Is(err, fs.ErrPermission):
		failed.Reason = NotPermitted
	}
	return failed
}
