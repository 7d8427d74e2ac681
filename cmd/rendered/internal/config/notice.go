package config

import (
	"fmt"
	"slices"
	"strings"
	"syscall"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/watch/notify"
)

var (
	unitName = newForm(`^[A-Za-z0-9:_.\\@-]+\.(service|socket|target|timer|mount|path|slice|scope)$`)
	verbs    = map[string]notify.Verb{"reload": notify.Reload, "restart": notify.Restart, "start": notify.Start}
)

// noticeKinds are the keys that say how a dependent is told.
var noticeKinds = []string{"reload", "restart", "start", "signal", "run", "http", "socket"}

// A notice is one dependent, as it is read.
type notice struct {
	run     notify.Run
	signal  notify.Signal
	systemd notify.Systemd
	http    notify.HTTP
	socket  notify.Socket
}

// readNotice reads one dependent: exactly one of the kinds. What it gives is to be called when all
// files of the service are known.
func (l *loader) readNotice(r *reader, n *yaml.Node, where string, s *Service) (finish func()) {
	a := new(notice)
	before := len(*r.faults)
	known := a.fields(r, n)
	if r.mapping(n, where, &ofNotice, known) {
		if at, what := misfit(n); what != "" {
			r.fault(n, strings.TrimSuffix(where+"."+at, "."), what)
		}
	}
	if len(*r.faults) > before {
		return func() {} // what could not be read has no name to compare
	}
	a.systemd.Timeout, a.http.Timeout, a.socket.Timeout = a.run.Timeout, a.run.Timeout, a.run.Timeout
	a.http.Output, a.socket.Output = a.run.Output, a.run.Output
	return func() {
		switch {
		case hasKey(n, "run"):
			s.addNotice(r, n, where, a.run)
		case hasKey(n, "signal"):
			s.addNotice(r, n, where, a.signal)
		case hasKey(n, "http"):
			if l.finishHTTP(r, n, where, s, &a.http) {
				s.addNotice(r, n, where, a.http)
			}
		case hasKey(n, "socket"):
			if l.finishSocket(r, n, where, s, &a.socket) {
				s.addNotice(r, n, where, a.socket)
			}
		default:
			s.addNotice(r, n, where, a.systemd)
		}
	}
}

// fields reads the keys of a notice.
func (a *notice) fields(r *reader, n *yaml.Node) fields {
	known := fields{
		"run": &a.run.Command, "output": &a.run.Output, "timeout": &a.run.Timeout,
		"signal": &a.signal.Signal, "unit": &a.signal.Unit, "pid_file": &a.signal.PIDFile,
		"http": &a.http.URL, "method": &a.http.Method, "body": &a.http.Body, "content_type": &a.http.Type,
		"socket": &a.socket.Path, "send": &a.socket.Send, "abort": &a.socket.Abort,
		"expect": func(at *yaml.Node, where string) {
			if hasKey(n, "socket") {
				a.socket.Expect, _ = r.someTextsOf(at, where)
			} else {
				a.http.Expect, _ = r.statusesOf(at, where)
			}
		},
	}
	for word, verb := range verbs {
		known[word] = after{&a.systemd.Unit, func(*yaml.Node, string) { a.systemd.Verb = verb }}
	}
	return known
}

func (s *Service) addNotice(r *reader, n *yaml.Node, where string, action notify.Action) {
	if slices.ContainsFunc(s.Notify, func(other notify.Action) bool { return other.Name() == action.Name() }) {
		r.fault(n, where, "the same notice stands here a second time")
		return
	}
	s.Notify, s.NoticesAt = append(s.Notify, action), append(s.NoticesAt, r.place(n))
}

// misfit says which keys of a notice do not go together, and at which key that is; "" where all do.
func misfit(n *yaml.Node) (at, what string) {
	count := func(keys ...string) (found int) {
		for _, key := range keys {
			if hasKey(n, key) {
				found++
			}
		}
		return found
	}
	signal, whom := count("signal"), count("unit", "pid_file")
	switch {
	case count("output") == 1 && count("run", "http", "socket") == 0:
		return "", "output: goes with run:, http: and socket:, of which it says what may be shown"
	case count("signal", "timeout") == 2:
		return "", "a signal is sent in no time; timeout: goes with the other notices"
	case signal == 0 && whom > 0:
		return "", "unit: and pid_file: go with signal:"
	case count(noticeKinds...) != 1:
		return "", "a notice is exactly one of " + listed(noticeKinds)
	case signal == 1 && whom == 2:
		return "signal", "a signal has unit: or pid_file:, not both"
	case signal == 1 && whom == 0:
		return "signal", "a signal needs unit: or pid_file:, to know whom to send it to"
	case count("method", "body", "content_type") > 0 && count("http") == 0:
		return "", "method:, body: and content_type: go with http:"
	case count("send", "abort") > 0 && count("socket") == 0:
		return "", "send: and abort: go with socket:"
	case count("expect") == 1 && count("http", "socket") == 0:
		return "", "expect: goes with http: and socket:"
	case count("socket") == 1 && count("send") == 0:
		return "socket", "a socket needs send:, what is said to the server there"
	case count("content_type") == 1 && count("body") == 0:
		return "", "content_type: goes with body:, of which it says what it is"
	}
	return "", ""
}

// listed gives words with "and" before the last.
func listed(words []string) string {
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

const asUnit = "a unit's name ends in .service, .socket, .target …"

func parseUnit(text string) (string, *refusal) {
	if unitName.MatchString(text) {
		return text, nil
	}
	hint := asUnit
	if !strings.Contains(text, ".") {
		hint = "here " + text + ".service?"
	}
	return "", refuse(fmt.Sprintf("%q is not the name of a unit", short(text)), hint)
}

// signalForm is what names of signals look like, which may have SIG before them, in any case.
var signalForm = "^([Ss][Ii][Gg])?(" + strings.Join(anyCase(notify.Signals()), "|") + ")$"

// anyCase gives for each word a pattern that matches it in upper and in lower case.
func anyCase(words []string) (patterns []string) {
	for _, word := range words {
		pattern := ""
		for _, c := range word {
			pattern += "[" + string(c) + strings.ToLower(string(c)) + "]"
		}
		patterns = append(patterns, pattern)
	}
	return patterns
}

func parseSignal(text string) (syscall.Signal, *refusal) {
	signal, err := notify.ParseSignal(text)
	if err != nil {
		return 0, refuse(err.Error())
	}
	return signal, nil
}
