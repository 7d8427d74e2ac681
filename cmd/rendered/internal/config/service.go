package config

import (
	"strconv"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/command"
)

const filesHint = "files: [{template: app.env.tmpl, path: /etc/app/app.env}]"

// A service's name stands in lines of the log, and between blanks in RENDERED_SERVICE.
var serviceName = newForm(`^[A-Za-z0-9_][A-Za-z0-9._@-]{0,63}$`)

// holdSwap has the files of a service wait for its window.
const holdSwap = "swap"

// holds reports that the files of a service wait for its window.
func (r *reader) holds(n *yaml.Node, where, hold string) bool {
	if hold == holdSwap && !hasKey(n, "notify_window") {
		r.fault(n, where, "hold: swap goes with notify_window:, which says when files are written")
	}
	return hold == holdSwap
}

func (l *loader) readService(r *reader, key, n *yaml.Node, where string) {
	name, quoted := key.Value, strconv.Quote(short(key.Value))
	if name == "" || quoted != `"`+name+`"` { // it is said in a line, and has to look like something
		name = quoted
	}
	where = join(where, name)
	s := Service{Name: name, Place: r.place(key), Schedule: l.schedule}
	file := r.faults
	r.faults = &s.Faults
	defer func() { r.faults = file }()
	r.tags(key, nil)
	r.tags(n, nil)
	if !serviceName.MatchString(key.Value) {
		r.fault(key, "", quoted+" cannot be the name of a service; use up to 64 letters, digits and . _ @ -, of which the first is a letter, a digit or _")
	}
	if vars := valueOf(n, "vars"); vars != nil { // paths know them, wherever they stand
		varsKind.read(r, vars, join(where, "vars"), &s.Vars)
	}
	s.keyed = hasEach(n)
	hasFiles := false
	var later []func() // what takes all files of the service
	known := fields{
		"schedule": &s.Schedule, "vars": func(*yaml.Node, string) {}, "min_interval": &s.MinInterval, "notify_window": &s.Windows, "hold": &s.hold, "allow": &s.Allow,
		"files": func(n *yaml.Node, where string) {
			hasFiles = true
			r.list(n, where, func(n *yaml.Node, where string) { l.readFile(r, n, where, &s) })
			if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
				r.fault(n, where, "a service has at least one file", filesHint)
			}
		},
		"check":  func(n *yaml.Node, where string) { s.Check, s.CheckAt = r.serviceCheckOf(n, where), r.place(n) },
		"verify": func(n *yaml.Node, where string) { later = append(later, l.readVerify(r, n, where, &s)) },
		"notify": func(n *yaml.Node, where string) {
			r.list(n, where, func(n *yaml.Node, where string) { later = append(later, l.readNotice(r, n, where, &s)) })
		},
		"healthy": func(n *yaml.Node, where string) { later = append(later, l.readHealthy(r, n, where, &s)) },
	}
	r.aroundChanges(&s, known)
	ok := r.mapping(n, where, &ofService, known)
	if ok && !hasFiles {
		r.fault(key, where, "a service has at least one file", filesHint)
	}
	s.Hold = r.holds(n, where, s.hold)
	for _, finish := range later {
		finish()
	}
	r.howHealthy(n, where, &s)
	r.bracketed(n, where)
	l.cfg.Services = append(l.cfg.Services, s.as(n))
}

// Around gives the commands that are run before and after a change, and when something failed. The
// zero Command is none.
func (s *Service) Around() []command.Command {
	return []command.Command{s.Gate.Command, s.Before.Command, s.After.Command, s.OnFailure.Command}
}

// aroundChanges adds the fields of what is done before and after a change.
func (r *reader) aroundChanges(s *Service, known fields) {
	known["before"] = func(n *yaml.Node, where string) { s.Before = r.aroundOf(n, where) }
	known["gate"] = func(n *yaml.Node, where string) { s.Gate = r.aroundOf(n, where) }
	known["after"] = func(n *yaml.Node, where string) { s.After = r.aroundOf(n, where) }
	known["on_failure"] = func(n *yaml.Node, where string) { r.failureOf(n, where, s) }
	known["rollout"] = func(n *yaml.Node, where string) { r.rolloutOf(n, where, s) }
	known["rollback"] = &s.Rollback
	known["healthy_for"], known["healthy_within"] = &s.HealthyFor, &s.HealthyWithin
}

// bracketed says that what is done after a change needs something before it.
func (r *reader) bracketed(n *yaml.Node, where string) {
	if n.Kind != yaml.MappingNode {
		return
	}
	if at := valueOf(n, "after"); at != nil && !hasKey(n, "before") {
		r.fault(at, join(where, "after"), "after: is run wherever before: was, and there is none", "who is to be told of a change is named under notify:")
	}
}
