package yamltext

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	"gopkg.in/yaml.v3"
)

// yaml.v3 bounds how deep a text nests, by 10,000, and nothing else. It takes up to 200 bytes and a
// microsecond for each byte of a dense text, and more than that in corners.
const (
	// MaxDepth is how deep maps and lists may nest.
	MaxDepth = 1000
	// maxMarks is how many nodes and comments a text may have. They are not counted, but the
	// characters that there are at least as many of, wherever these stand: a text of 1 MiB that has
	// more is none that people or programs write.
	maxMarks = 3 << 18
	// maxDirectives is how many lines may begin with %. Each is held against all before.
	maxDirectives = 1000
)

var tooDeep = fmt.Sprintf("maps and lists nest deeper than %d", MaxDepth)

// bounded refuses a text that would take too much.
func bounded(text []byte) *Error {
	marks, directives, number := 0, 0, 0
	for line := range bytes.Lines(text) {
		number++
		marks += marksIn(line)
		directives += bytes.Count(line, []byte("\r%"))
		if line[0] == '%' {
			directives++
		}
		switch {
		case marks > maxMarks:
			return &Error{Line: number, What: fmt.Sprintf("up to here there are more than %d keys, elements, lines and comments", maxMarks), Limit: true}
		case directives > maxDirectives:
			return &Error{Line: number, What: fmt.Sprintf("more than %d lines begin with %%", maxDirectives), Limit: true}
		}
	}
	return nil
}

// marksIn counts the characters of a line that there are at least as many of as nodes and comments.
func marksIn(line []byte) (n int) {
	for i, c := range line {
		if strings.IndexByte(",[{:#?\r\n", c) >= 0 || c == '-' && (i+1 == len(line) || strings.IndexByte(" \t\r\n", line[i+1]) >= 0) {
			n++
		}
	}
	return n - bytes.Count(line, []byte("\r\n")) // which end one line
}

// deepest gives the first node that nests deeper than it may, nil where none does.
func deepest(n *yaml.Node, depth int) *yaml.Node {
	if n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode {
		if depth++; depth > MaxDepth {
			return n
		}
	}
	for _, part := range n.Content {
		if deep := deepest(part, depth); deep != nil {
			return deep
		}
	}
	return nil
}

// A parser has yaml.v3 parse a text, more than once where a place is searched for, within one limit
// of time.
type parser struct {
	ends  time.Duration // of the thread's CPU time
	spent bool
}

// newParser makes a parser of the calling goroutine, which closes it.
func newParser() *parser {
	runtime.LockOSThread()
	return &parser{ends: cpuTime() + maxTime}
}

func (p *parser) close() { runtime.UnlockOSThread() }

var errSlow = errors.New("yaml: it takes too long")

// cpuTime gives the time for which the calling thread has worked.
func cpuTime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

// A meter hands a text to yaml.v3, which asks for some hundred bytes at a time, until the time is
// spent.
type meter struct {
	parser *parser
	text   io.Reader
}

func (m *meter) Read(b []byte) (int, error) {
	if cpuTime() > m.parser.ends {
		m.parser.spent = true
		return 0, errSlow
	}
	return m.text.Read(b)
}
