package config

import (
	"fmt"
	"regexp"

	"gopkg.in/yaml.v3"
)

const filesHint = "files: [{template: app.env.tmpl, path: /etc/app/app.env}]"

// A service's name becomes the name of a file of the ledger.
var serviceName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._@-]{0,63}$`)

func (l *loader) readService(r *reader, key, n *yaml.Node, where string) {
	where = join(where, key.Value)
	if !serviceName.MatchString(key.Value) {
		r.fault(key, "", fmt.Sprintf("%q cannot be the name of a service; use up to 64 letters, digits and . _ @ -", short(key.Value)))
	}
	if first, twice := l.services[key.Value]; twice {
		r.fault(key, "", fmt.Sprintf("service %q is defined a second time; the first is at %s", short(key.Value), first))
	}
	l.services[key.Value] = r.place(key)
	s := Service{Name: key.Value, Place: r.place(key), Schedule: l.schedule}
	hasFiles, verified := false, func() {}
	ok := r.mapping(n, where, fields{
		"schedule":     r.scheduleInto(&s.Schedule),
		"vars":         r.varsInto(&s.Vars),
		"min_interval": r.durationInto(&s.MinInterval),
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
		"allow":  r.allowInto(&s.Allow),
		"verify": func(n *yaml.Node, where string) { verified = r.readVerify(n, where, &s) },
		"notify": func(n *yaml.Node, where string) {
			r.list(n, where, func(n *yaml.Node, where string) { readNotice(r, n, where, &s) })
		},
	})
	if ok && !hasFiles {
		r.fault(key, where, "a service has at least one file", filesHint)
	}
	verified()
	l.cfg.Services = append(l.cfg.Services, s)
}
