package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/watch/notify"
)

var (
	unitName = regexp.MustCompile(`^[A-Za-z0-9:_.\\@-]+\.(service|socket|target|timer|mount|path|slice|scope)$`)
	verbs    = map[string]notify.Verb{"reload": notify.Reload, "restart": notify.Restart, "start": notify.Start}
)

// readNotice reads one dependent: exactly one of run, signal, reload, restart and start.
func readNotice(r *reader, n *yaml.Node, where string, s *Service) {
	var actions []notify.Action
	var timeout time.Duration
	var output command.OutputPolicy
	var unit, pidFile string
	var signal *yaml.Node
	known := fields{
		"run": func(n *yaml.Node, where string) {
			command, _ := r.commandOf(n, where)
			actions = append(actions, notify.Run{Command: command})
		},
		"signal":   func(n *yaml.Node, where string) { signal = n },
		"unit":     r.unitInto(&unit),
		"pid_file": r.filePathInto(&pidFile),
		"timeout":  r.positiveInto(&timeout),
		"output":   r.outputInto(&output),
	}
	for word, verb := range verbs {
		known[word] = func(n *yaml.Node, where string) {
			var unit string
			r.unitInto(&unit)(n, where)
			actions = append(actions, notify.Systemd{Verb: verb, Unit: unit})
		}
	}
	before := len(*r.faults)
	if !r.mapping(n, where, known) {
		return
	}
	switch {
	case hasKey(n, "output") && !hasKey(n, "run"):
		r.fault(n, where, "output: goes with run:, of which it says what may be shown")
		return
	case signal != nil && hasKey(n, "timeout"):
		r.fault(n, where, "a signal is sent in no time; timeout: goes with run, reload, restart and start")
		return
	case signal != nil:
		actions = append(actions, r.signalOf(signal, join(where, "signal"), n, unit, pidFile))
	case hasKey(n, "unit") || hasKey(n, "pid_file"):
		r.fault(n, where, "unit: and pid_file: go with signal:")
		return
	}
	if len(actions) != 1 {
		r.fault(n, where, "a notice is exactly one of run, signal, reload, restart and start")
		return
	}
	if len(*r.faults) > before {
		return // what could not be read has no name to compare
	}
	action := withSettings(actions[0], timeout, output)
	if slices.ContainsFunc(s.Notify, func(other notify.Action) bool { return other.Name() == action.Name() }) {
		r.fault(n, where, "the same notice stands here a second time")
		return
	}
	s.Notify, s.NoticesAt = append(s.Notify, action), append(s.NoticesAt, r.place(n))
}

func withSettings(action notify.Action, timeout time.Duration, output command.OutputPolicy) notify.Action {
	switch a := action.(type) {
	case notify.Run:
		a.Timeout, a.Output = timeout, output
		return a
	case notify.Systemd:
		a.Timeout = timeout
		return a
	}
	return action
}

func (r *reader) unitInto(to *string) func(*yaml.Node, string) {
	return func(n *yaml.Node, where string) {
		text, ok := r.textOf(n, where)
		if ok && !unitName.MatchString(text) {
			hint := "a unit's name ends in .service, .socket, .target …"
			if !strings.Contains(text, ".") {
				hint = "here " + text + ".service?"
			}
			r.fault(n, where, fmt.Sprintf("%q is not the name of a unit", short(text)), hint)
			return
		}
		*to = text
	}
}

func (r *reader) signalOf(n *yaml.Node, where string, notice *yaml.Node, unit, pidFile string) notify.Action {
	text, ok := r.textOf(n, where)
	if ok {
		signal, err := notify.ParseSignal(text)
		if err != nil {
			r.fault(n, where, err.Error())
		}
		switch byUnit, byFile := hasKey(notice, "unit"), hasKey(notice, "pid_file"); {
		case byUnit && byFile:
			r.fault(notice, where, "a signal has unit: or pid_file:, not both")
		case !byUnit && !byFile:
			r.fault(notice, where, "a signal needs unit: or pid_file:, to know whom to send it to")
		}
		return notify.Signal{Signal: signal, Unit: unit, PIDFile: pidFile}
	}
	return notify.Signal{Unit: unit, PIDFile: pidFile}
}
