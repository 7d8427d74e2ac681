package notify

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/rendered/rendered/internal/command"
)

// A Socket tells a server at a unix socket by lines, as the runtime API of HAProxy has them.
//
// Each text of Send goes over a connection of its own, with a newline at its end; {file PATH} in it
// stands for the content of a file, of which empty lines are left out: they would end what is sent.
// Then the answer is read to its end. Where that is not as it is to be nothing more of Send is
// sent, and each text of Abort is, in the same way, whatever is answered.
type Socket struct {
	Path string
	Send []string // at least one
	// Expect is what the answer to each of Send must hold. One that stands alone is for the last;
	// "" and none take any answer.
	Expect  []string
	Abort   []string
	Timeout time.Duration // for all, 0 is 30s
	Output  command.OutputPolicy
}

// abortTimeout bounds what is sent after a failure, also where the daemon ends.
const abortTimeout = time.Second

func socketTarget(path string) string { return "socket " + path }

// Name gives "socket /run/haproxy.sock: show info".
func (s Socket) Name() string {
	var options []string
	list := func(of string, texts []string) {
		if len(texts) > 0 {
			options = append(options, of+" "+command.Command{Shell: strings.Join(texts, "; ")}.String())
		}
	}
	list("expect", s.Expect)
	list("abort", s.Abort)
	if s.Output != command.Redact {
		options = append(options, "output "+string(s.Output))
	}
	return withOptions(s.Target()+": "+command.Command{Shell: strings.Join(s.Send, "; ")}.String(), s.Timeout, options...)
}

// Target gives the socket.
func (s Socket) Target() string { return socketTarget(s.Path) }

// SendsFiles tells whether the content of a file is sent.
func (s Socket) SendsFiles() bool { return len(FilesIn(strings.Join(s.Send, "\n"))) > 0 }

// Do says it all, and gives what the server answers.
func (s Socket) Do(parent context.Context, _ Change) (Output, error) {
	ctx, cancel := context.WithTimeout(parent, cmp.Or(s.Timeout, answerTimeout))
	defer cancel()
	said := Output{Policy: s.Output}
	for i, text := range s.Send {
		d := dialogue{path: s.Path, text: text, want: s.expect(i)}
		err := d.hold(ctx)
		said.Text = append(said.Text, d.minutes()...)
		if err != nil {
			if d.begun || i > 0 {
				said.Text = append(said.Text, s.abort(parent)...)
			}
			return said, err
		}
	}
	return said, nil
}

// expect gives what the answer to one of Send must hold.
func (s Socket) expect(i int) string {
	switch {
	case len(s.Expect) == 1 && i == len(s.Send)-1:
		return s.Expect[0]
	case len(s.Expect) == len(s.Send):
		return s.Expect[i]
	}
	return ""
}

// abort undoes what was begun, and gives what the server answers to that.
func (s Socket) abort(parent context.Context) (said []byte) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(parent), abortTimeout)
	defer cancel()
	for _, text := range s.Abort {
		d := dialogue{path: s.Path, text: text}
		_ = d.hold(ctx) // what failed before is what there is to say
		said = append(said, d.minutes()...)
	}
	return said
}

// A dialogue is one connection: what is said, and what is answered.
type dialogue struct {
	path, text string
	want       string // must be in the answer

	begun  bool // something may have been said
	answer []byte
	ended  bool // the answer was read to its end
}

func (d *dialogue) hold(ctx context.Context) error {
	l, err := newLetter(d.text)
	if err != nil {
		return err
	}
	conn, err := dialSocket(ctx, d.path, l)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })()
	d.begun = true
	if _, err = io.WriteString(conn, l.whole(withoutEmptyLines)+"\n"); err == nil {
		if c, ok := conn.(*net.UnixConn); ok {
			_ = c.CloseWrite() // who waits for more knows that there is none
		}
		err = d.read(conn)
	}
	switch {
	case d.answered():
		return nil
	case err != nil:
		return unanswered(ctx, err)
	case d.want == "":
		return nil
	case len(d.answer) == 0:
		return &Error{Reason: Failed, What: fmt.Sprintf("there is no answer to %q", firstLine(d.text))}
	}
	return &Error{Reason: Failed, What: fmt.Sprintf("the answer to %q has no %q", firstLine(d.text), d.want)}
}

// read reads an answer to its end, or until it holds what is wanted.
func (d *dialogue) read(conn net.Conn) error {
	part := make([]byte, 4096)
	for len(d.answer) <= maxAnswer && (d.want == "" || !d.answered()) {
		n, err := conn.Read(part)
		d.answer = append(d.answer, part[:n]...)
		if errors.Is(err, io.EOF) {
			d.ended = len(d.answer) <= maxAnswer
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// answered tells whether the answer is as it is to be.
func (d *dialogue) answered() bool {
	return d.want != "" && bytes.Contains(d.answer, []byte(d.want))
}

// minutes gives who said what. A line that was cut is left out, but for what was wanted of it.
func (d *dialogue) minutes() []byte {
	if !d.begun {
		return nil
	}
	answer := wholeLines(d.answer)
	if at := bytes.Index(d.answer, []byte(d.want)); !d.ended && len(answer) == len(d.answer) {
		end := bytes.LastIndexByte(answer, '\n') + 1
		if d.want != "" && at >= 0 {
			end = max(end, at+len(d.want))
		}
		answer = answer[:end]
	}
	return fmt.Appendf(nil, "> %s\n%s\n", firstLine(d.text), bytes.TrimRight(answer, "\n"))
}

// firstLine gives the first line of a text of the config.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// wholeLines gives an answer of which no more is kept than may be, without the line at its end that
// was cut: whoever filters secrets out of it must not meet the half of one.
func wholeLines(answer []byte) []byte {
	if len(answer) <= maxAnswer {
		return answer
	}
	whole := answer[:bytes.LastIndexByte(answer[:maxAnswer], '\n')+1]
	return append(bytes.Clone(whole), "… more is left out …\n"...)
}
