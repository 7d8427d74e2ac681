package config

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/watch/notify"
)

var (
	unitName = newForm(`^[A-Za-z0-9:_.\\@-]+\.(service|socket|target|timer|mount|path|slice|scope)$`)
	verbs    = map[string]notify.Verb{"reload": notify.Reload, "restart": notify.Restart, "start": notify.Start}
)

// readNotice reads one dependent: exactly one of run, signal, reload, restart and start.
func readNotice(r *reader, n *yaml.Node, where string, s *Service) {
	var run notify.Run
	var signal notify.Signal
	var systemd notify.Systemd
	var timeout time.Duration
	known := fields{
		"run": &run.Command, "output": &run.Output, "signal": &signal.Signal, "unit": &signal.Unit, "pid_file": &signal.PIDFile, "timeout": &timeout,
	}
	for word, verb := range verbs {
		known[word] = after{&systemd.Unit, func(*yaml.Node, string) { systemd.Verb = verb }}
	}
	before := len(*r.faults)
	if !r.mapping(n, where, &ofNotice, known) {
		return
	}
	if at, what := misfit(n); what != "" {
		r.fault(n, strings.TrimSuffix(where+"."+at, "."), what)
	}
	if len(*r.faults) > before {
		return // what could not be read has no name to compare
	}
	run.Timeout, systemd.Timeout = timeout, timeout
	var action notify.Action = systemd
	switch {
	case hasKey(n, "run"):
		action = run
	case hasKey(n, "signal"):
		action = signal
	}
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
	case count("output") > count("run"):
		return "", "output: goes with run:, of which it says what may be shown"
	case count("signal", "timeout") == 2:
		return "", "a signal is sent in no time; timeout: goes with run, reload, restart and start"
	case signal == 0 && whom > 0:
		return "", "unit: and pid_file: go with signal:"
	case count("run", "signal", "reload", "restart", "start") != 1:
		return "", "a notice is exactly one of run, signal, reload, restart and start"
	case signal == 1 && whom == 2:
		return "signal", "a signal has unit: or pid_file:, not both"
	case signal == 1 && whom == 0:
		return "signal", "a signal needs unit: or pid_file:, to know whom to send it to"
	}
	return "", ""
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
