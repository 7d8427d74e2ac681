package config

import (
	"errors"
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/endpoint"
	"github.com/rendered/rendered/watch/notify"
)

// Addresses are judged by endpoint.Parse; the pattern has what a schema can tell of that.
var addressPattern = newForm(`^([Hh][Tt][Tt][Pp][Ss]?://[!"$-.0-9;-?A-Z\[-~][!"$-~]*|unix:/[!"$-~]*)$`)

// parseAddress parses where a server is asked over HTTP.
func parseAddress(text string) (string, *refusal) {
	if isTemplate(text) {
		return "", refuse("an address is no template", "write it out")
	}
	if _, err := endpoint.Parse(text); err != nil {
		hints := []string{"write it as " + endpoint.Form}
		if e, ok := errors.AsType[*endpoint.Error](err); ok {
			hints = e.Hints
		}
		return "", refuse(err.Error(), hints...)
	}
	return text, nil
}

// statusesOf reads a status of HTTP, or a list of them.
func (r *reader) statusesOf(n *yaml.Node, where string) (list []int, ok bool) {
	ok = true
	r.oneOrMore(n, where, "a status", "[200, 204]", func(n *yaml.Node, where string) {
		status, good := r.number(n, where, 100, 599)
		list, ok = append(list, status), ok && good
	})
	return list, ok
}

// someTextsOf reads a text, or a list of them.
func (r *reader) someTextsOf(n *yaml.Node, where string) (list []string, ok bool) {
	ok = true
	r.oneOrMore(n, where, "a text", `["show info"]`, func(n *yaml.Node, where string) {
		text, good := r.textOf(n, where)
		list, ok = append(list, text), ok && good
	})
	return list, ok
}

// maxSocketPath is the longest path of a socket (unix(7)).
const maxSocketPath = 107

// socketOf reads the path of a socket.
func (r *reader) socketOf(n *yaml.Node, where string) (string, bool) {
	path, ok := r.filePathOf(n, where)
	if ok && len(path) > maxSocketPath {
		r.fault(n, where, fmt.Sprintf("the path of a socket has up to %d bytes", maxSocketPath))
		return "", false
	}
	return path, ok
}

// filesIn puts in a text the files of the service as their paths are, where it names them.
func (l *loader) filesIn(r *reader, n *yaml.Node, where string, s *Service, text string) (string, bool) {
	good := true
	text = notify.RenameFiles(text, func(name string) string {
		at := *n
		at.Kind, at.Value, at.Content = yaml.ScalarNode, strings.TrimSpace(name), nil
		path, ok := l.targetOf(r, &at, where, s, false)
		if ok {
			path, ok = r.fileOf(&at, where, path, s)
		}
		good = good && ok
		return path
	})
	if good && strings.Count(text, "{file") > len(notify.FilesIn(text)) {
		r.fault(n, where, "{file stands for the content of a file, and names none", "write it as {file /etc/app/app.pem}")
		return text, false
	}
	return text, good
}

// finishHTTP finds the files in the body of a notice.
func (l *loader) finishHTTP(r *reader, n *yaml.Node, where string, s *Service, h *notify.HTTP) (ok bool) {
	body := valueOf(n, "body")
	if body == nil {
		return true
	}
	where = join(where, "body")
	h.Body, ok = l.filesIn(r, body, where, s, h.Body)
	if ok && len(notify.FilesIn(h.Body)) > 0 && !h.Confidential() {
		r.fault(body, where, "the content of a file is not sent to this address: whoever listens there would get it", notify.ConfidentialHint)
		return false
	}
	return ok
}

// finishSocket finds the files in what is said to a server.
func (l *loader) finishSocket(r *reader, n *yaml.Node, where string, s *Service, socket *notify.Socket) bool {
	good := true
	for i := range socket.Send {
		at, here := nthOf(valueOf(n, "send"), join(where, "send"), i)
		text, ok := l.filesIn(r, at, here, s, socket.Send[i])
		if ok && strings.Contains(text, "<<\n") && !strings.HasSuffix(text, "\n") {
			r.fault(at, here, "what follows << ends with an empty line, and here is none", `end the text with \n: a newline more is sent behind each`)
			ok = false
		}
		socket.Send[i], good = text, good && ok
	}
	if count := len(socket.Expect); count > 1 && count != len(socket.Send) {
		r.fault(valueOf(n, "expect"), join(where, "expect"), fmt.Sprintf("these are %d texts, and send: has %d", count, len(socket.Send)), "one text is for the last answer, a list has one for each")
		return false
	}
	for i, text := range socket.Abort {
		if at, here := nthOf(valueOf(n, "abort"), join(where, "abort"), i); strings.Contains(text, "{file") {
			r.fault(at, here, "no file is sent when something is broken off")
			good = false
		}
	}
	return good
}

// nthOf gives the node of an element of a list, or the one that stands in its place.
func nthOf(n *yaml.Node, where string, i int) (*yaml.Node, string) {
	if n.Kind != yaml.SequenceNode {
		return n, where
	}
	return n.Content[i], fmt.Sprintf("%s[%d]", where, i)
}
