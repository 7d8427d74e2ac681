package config

import (
	"strconv"

	"gopkg.in/yaml.v3"
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
		r.fault(key, "", quoted+" cannot be the name of a service; use up to 64 letters, digits and . _ @ -")
	}
	if vars := valueOf(n, "vars"); vars != nil { // paths know them, wherever they stand
		varsKind.read(r, vars, join(where, "vars"), &s.Vars)
	}
	s.keyed = hasEach(n)
	hold := ""
	hasFiles, verified := false, func() {}
	var notices []func()
	ok := r.mapping(n, where, &ofService, fields{
		"schedule": &s.Schedule, "vars": func(*yaml.Node, string) {}, "min_interval": &s.MinInterval, "notify_window": &s.Windows, "hold": &hold, "allow": &s.Allow,
		"files": func(n *yaml.Node, where string) {
			hasFiles = true
			r.list(n, where, func(n *yaml.Node, where string) { l.readFile(r, n, where, &s) })
			if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
				r.fault(n, where, "a service has at least one file", filesHint)
			}
		},
		"check": func(n *yaml.Node, where string) {
			s.Check, s.CheckAt = r.serviceCheckOf(n, where), r.place(n)
		},
		"verify": func(n *yaml.Node, where string) { verified = l.readVerify(r, n, where, &s) },
		"notify": func(n *yaml.Node, where string) {
			r.list(n, where, func(n *yaml.Node, where string) { notices = append(notices, l.readNotice(r, n, where, &s)) })
		},
	})
	if ok && !hasFiles {
		r.fault(key, where, "a service has at least one file", filesHint)
	}
	s.Hold = r.holds(n, where, hold)
	verified()
	for _, finish := range notices {
		finish()
	}
	l.cfg.Services = append(l.cfg.Services, s)
}
