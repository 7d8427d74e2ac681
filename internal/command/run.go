package command

import (
	"cmp"
	"context"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Options are how a command is run. The zero Options are good.
type Options struct {
	Timeout time.Duration // how long it may run; 0 is 30s
	// KillAfter is how long the command may take to end once it got SIGTERM; then it gets SIGKILL.
	// 0 is 5 s.
	KillAfter time.Duration
	Dir       string // working directory; "" is the daemon's
	// Env has texts "name=value", which are added to the daemon's environment, of which credentials
	// are left out.
	Env   []string
	Limit int // bytes of output to keep, from the head and from the tail; 0 is 64 KiB

	// Via changes the way in which the command, which has been found, is started: another program
	// may start it. nil: as it is.
	Via func(*exec.Cmd) error
}

const (
	timeout   = 30 * time.Second
	killAfter = 5 * time.Second
	limit     = 64 << 10

	// stopAfter replaces KillAfter once the context has ended: the daemon itself must be gone
	// within a second.
	stopAfter = 500 * time.Millisecond

	// linger is how long to wait for output after the command has ended. What it left in the
	// background may hold the pipe for ever. Where the daemon is to stop, or everything was killed,
	// there is nothing to wait for.
	linger     = time.Second
	lingerLess = 100 * time.Millisecond

	// dying is how long a process may take to die of SIGKILL. One that waits for a broken disk
	// takes longer, and we go on.
	dying = 200 * time.Millisecond
)

// Run runs c and gives what it wrote to stdout and stderr, together and bounded; the output is
// there beside an error, too. It gets nothing on stdin. The error is a *Error.
//
// When the time is over, or ctx ends, its whole process group gets SIGTERM, then SIGKILL; Run
// returns within a second of ctx's end. Of a command that ends by itself only the process that was
// started is waited for: what it left in the background lives on, with a pipe for its output that
// nobody reads any more.
func Run(ctx context.Context, c Command, o Options) ([]byte, error) {
	output, failed := run(ctx, c, o)
	if failed == nil {
		return output, nil
	}
	failed.Command, failed.Output = c.String(), output
	return output, failed
}

func run(ctx context.Context, c Command, o Options) ([]byte, *Error) {
	if c.IsZero() {
		return nil, &Error{Reason: Start, Detail: "no command is given"}
	}
	if err := ctx.Err(); err != nil {
		return nil, &Error{Reason: Stopped, Err: err}
	}
	p, err := start(c, o)
	if err != nil {
		return nil, NotStarted(c, o.Dir, err)
	}
	failed := p.watch(ctx, o)
	output, state := p.finish(ctx, failed != nil)
	switch {
	case failed == nil:
		failed = ended(state)
	case state == nil:
		failed.Detail = "it does not even die of SIGKILL"
	}
	return output, failed
}

// A process is a command that runs.
type process struct {
	cmd    *exec.Cmd
	pipe   *os.File // what it writes comes out here
	output capture  // belongs to the reader until quiet is closed
	// exited is closed when the process has ended. It stays a zombie, so that its group's number
	// stays its own.
	exited  chan struct{}
	quiet   chan struct{} // closed when nobody holds the other end of pipe any more
	timeout time.Duration
}

func start(c Command, o Options) (*process, error) {
	argv := c.argv()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = o.Dir
	cmd.Env = environ(o.Env)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if o.Via != nil && cmd.Err == nil {
		if err := o.Via(cmd); err != nil {
			return nil, err
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	cmd.Stdout, cmd.Stderr = w, w
	if err := bear(cmd); err != nil {
		r.Close()
		return nil, err
	}
	p := &process{cmd: cmd, pipe: r, exited: make(chan struct{}), quiet: make(chan struct{})}
	p.output.limit = cmp.Or(o.Limit, limit)
	p.timeout = cmp.Or(o.Timeout, timeout)
	go p.read()
	go p.await()
	return p, nil
}

func (p *process) read() {
	defer close(p.quiet)
	io.Copy(&p.output, p.pipe)
}

// await waits for the end without reaping: as long as the zombie is there, no other group can get
// this one's number.
func (p *process) await() {
	defer close(p.exited)
	Await(p.cmd.Process.Pid)
}

// signal sends s to every process of the group. None may be left to get it.
func (p *process) signal(s syscall.Signal) { _ = syscall.Kill(-p.cmd.Process.Pid, s) }

// watch waits until the command ends by itself, which gives nil, or ends its group.
func (p *process) watch(ctx context.Context, o Options) *Error {
	over := time.NewTimer(p.timeout)
	defer over.Stop()
	var failed *Error
	select {
	case <-p.exited:
		return nil
	case <-over.C:
		failed = &Error{Reason: Timeout, Limit: p.timeout, Err: context.DeadlineExceeded}
	case <-ctx.Done():
		failed = &Error{Reason: Stopped, Err: context.Cause(ctx)}
	}
	p.end(ctx, cmp.Or(o.KillAfter, killAfter))
	return failed
}

// end asks the group to end, and after some time makes it. Children that still clean up when the
// first process is gone are known by the pipe that they hold.
func (p *process) end(ctx context.Context, after time.Duration) {
	p.signal(syscall.SIGTERM)
	p.signal(syscall.SIGCONT) // one that is stopped would not see it
	if !p.gone(ctx.Done(), after) {
		p.gone(nil, min(after, stopAfter))
	}
	p.signal(syscall.SIGKILL)
}

// gone waits until the process has ended and everyone who wrote to the pipe too. It is false where
// hurry came first; where the time is over it is true, as there is nothing left to wait for.
func (p *process) gone(hurry <-chan struct{}, after time.Duration) bool {
	over := time.NewTimer(after)
	defer over.Stop()
	for _, done := range []chan struct{}{p.exited, p.quiet} {
		select {
		case <-done:
		case <-over.C:
			return true
		case <-hurry:
			return false
		}
	}
	return true
}

// finish reaps the process and gives its output and state. The state is nil where the process
// cannot be killed; it is reaped when it dies.
func (p *process) finish(ctx context.Context, killed bool) ([]byte, *os.ProcessState) {
	patience := linger
	if killed || ctx.Err() != nil {
		patience = lingerLess
	}
	select {
	case <-p.exited:
	case <-time.After(dying):
		go func() {
			<-p.exited
			p.reap()
		}()
		return p.drain(0), nil
	}
	output := p.drain(patience)
	p.reap()
	if killed {
		p.reapOrphans()
	}
	return output, p.cmd.ProcessState
}

// reap takes the process's status.
func (p *process) reap() {
	_ = p.cmd.Wait() // its error says what the state says
	forget(p.cmd.Process.Pid)
}

// reapOrphans reaps what is left of the group, which got SIGKILL. It is ours only where there is no
// init that takes orphans but us: in a container.
func (p *process) reapOrphans() {
	none := make(chan struct{})
	go func() {
		defer close(none)
		for {
			if _, err := unix.Wait4(-p.cmd.Process.Pid, nil, 0, nil); err != nil && err != unix.EINTR {
				return
			}
		}
	}()
	select {
	case <-none:
	case <-time.After(dying):
	}
}

// drain reads for some more time what is in the pipe, then closes it.
func (p *process) drain(patience time.Duration) []byte {
	_ = p.pipe.SetReadDeadline(time.Now().Add(patience))
	<-p.quiet
	p.pipe.Close()
	return p.output.Bytes()
}
