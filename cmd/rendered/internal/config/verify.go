package config

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render/verify"
)

const tlsHint = "tls: {cert: /etc/nginx/tls/site.crt, key: /etc/nginx/tls/site.key, host: www.example.com, valid_for: 72h}"

// readVerify reads what must hold of a service's files before they are written. What it gives is to
// be called when all files of the service are known.
func (l *loader) readVerify(r *reader, n *yaml.Node, where string, s *Service) (finish func()) {
	var rules []func()
	one := func(n *yaml.Node, where string) { rules = append(rules, l.readTLS(r, n, where, s)) }
	ok := r.mapping(n, where, &ofVerify, fields{"tls": func(n *yaml.Node, where string) { r.oneOrMore(n, where, "a mapping", tlsHint, one) }})
	if ok && !hasKey(n, "tls") {
		r.fault(n, where, "it does not say what is to be verified", tlsHint)
	}
	return func() {
		for _, finish := range rules {
			finish()
		}
	}
}

// readTLS reads one certificate with its key. What it gives finds out which of the service's files
// are meant.
func (l *loader) readTLS(r *reader, n *yaml.Node, where string, s *Service) (finish func()) {
	var rule verify.TLS
	var files []func() bool
	file := func(to *string) field {
		return func(n *yaml.Node, where string) {
			if path, ok := l.targetOf(r, n, where, s, s.keyed); ok {
				files = append(files, func() (ok bool) { *to, ok = r.fileOf(n, where, path, s); return ok })
			}
		}
	}
	before := len(*r.faults)
	ok := r.mapping(n, where, &ofTLS, fields{"cert": file(&rule.Cert), "key": file(&rule.Key), "host": &rule.Hosts, "valid_for": &rule.ValidFor})
	if ok && !hasKey(n, "cert") {
		r.fault(n, where, "it needs cert:, the path of the certificate's file", tlsHint)
	}
	good := len(*r.faults) == before
	return func() {
		for _, find := range files {
			good = find() && good
		}
		if good {
			s.Verify = append(s.Verify, rule)
		}
	}
}

// fileOf gives the path, as its path: has it, of the service's file that another name of it may
// mean.
func (r *reader) fileOf(n *yaml.Node, where, path string, s *Service) (string, bool) {
	var paths []string
	for _, f := range s.Files {
		if f.Path == path || f.Path != "" && r.links.real(f.Path) == r.links.real(path) {
			return f.Path, true
		}
		paths = append(paths, f.Path)
	}
	if len(paths) == 0 || slices.Contains(paths, "") {
		return "", false // it may be one that could not be read
	}
	what := path + " is not the path of a file of this service"
	if near := fault.Near(path, paths); near != "" {
		r.fault(n, where, what+fmt.Sprintf("; did you mean %q?", near))
	} else {
		r.fault(n, where, what, "its files are "+strings.Join(paths, ", "))
	}
	return "", false
}

// hostsOf reads a host, or a list of them.
func (r *reader) hostsOf(n *yaml.Node, where string) (hosts []string, _ bool) {
	r.oneOrMore(n, where, "a host", hostHint, func(n *yaml.Node, where string) {
		if host, ok := parsed(r, parseHost)(n, where); ok {
			hosts = append(hosts, host)
		}
	})
	return hosts, true
}

const hostHint = "a host is a name or an IP address, as www.example.com, *.example.com and 192.0.2.1 are"

// hostName is a name as it stands in a certificate, up to its dots (RFC 1035, 2.3.4); a wildcard is
// the whole first part.
var hostName = newForm(`^(\*\.)?([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$`)

const maxHostName = 253

func parseHost(text string) (string, *refusal) {
	if net.ParseIP(text) != nil || len(text) <= maxHostName && hostName.MatchString(text) {
		return text, nil
	}
	hint := hostHint
	switch {
	case strings.Contains(text, "{{"):
		hint = "a host is no template; write it out"
	case strings.Contains(text, "://"):
		hint = "this is a URL; only the host in it is meant"
	case utf8.RuneCountInString(text) < len(text):
		hint = "letters beyond ASCII are written as certificates have them: xn--…"
	case strings.Count(text, ":") == 1:
		hint = "a host stands here without a port"
	}
	return "", refuse(fmt.Sprintf("%q is not a host", short(text)), hint)
}

// below puts the paths of rules below another root.
func below(root string, rules []verify.TLS) {
	for i := range rules {
		rule := &rules[i]
		rule.Cert = filepath.Join(root, rule.Cert)
		if rule.Key != "" {
			rule.Key = filepath.Join(root, rule.Key)
		}
	}
}
