package config

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/watch/notify"
	"github.com/rendered/rendered/watch/probe"
)

const (
	defaultHealthyFor    = 5 * time.Second
	defaultHealthyWithin = 30 * time.Second

	healthyHint = "healthy: [{unit: nginx.service}, {http: \"http://127.0.0.1/ok\"}]"
)

// A healthyReader reads what stands under healthy: of a service.
type healthyReader struct {
	l        *loader
	r        *reader
	service  *Service
	finishes []func()
}

// readHealthy reads how a service is seen to be well. What it gives is to be called when all files
// of the service are known.
func (l *loader) readHealthy(r *reader, n *yaml.Node, where string, s *Service) (finish func()) {
	h := &healthyReader{l: l, r: r, service: s}
	r.oneOrMore(n, where, "a mapping", healthyHint, h.read)
	return func() {
		for _, finish := range h.finishes {
			finish()
		}
	}
}

// probes are the keys of what may be looked at, and those that go with each.
var probes = []struct {
	key  string
	with []string
}{
	{"unit", nil},
	{"http", []string{"status", "body"}},
	{"tls", []string{"host", "cert"}},
	{"tcp", nil},
	{"run", []string{"output"}},
}

// read reads one thing that is looked at.
func (h *healthyReader) read(n *yaml.Node, where string) {
	var unit probe.Unit
	var http probe.HTTP
	var session probe.TLS
	var tcp probe.TCP
	var run probe.Run
	var timeout time.Duration
	find := func() bool { return true }
	r, before := h.r, len(*h.r.faults)
	if !r.mapping(n, where, &ofHealthy, fields{
		"unit": &unit.Unit, "http": &http.URL, "status": &http.Status, "body": &http.Body, "tls": &session.Address, "host": &session.Host,
		"tcp": &tcp.Address, "run": &run.Command, "output": &run.Output, "timeout": &timeout,
		"cert": func(n *yaml.Node, where string) {
			if path, ok := h.l.targetOf(r, n, where, h.service, false); ok {
				find = func() (ok bool) { session.Cert, ok = r.fileOf(n, where, path, h.service); return ok }
			}
		},
	}) {
		return
	}
	kind, what := probeIn(n)
	if what != "" {
		r.fault(n, where, what)
	}
	if len(*r.faults) > before {
		return // what could not be read has no name to compare
	}
	unit.Timeout, http.Timeout, session.Timeout, tcp.Timeout, run.Timeout = timeout, timeout, timeout, timeout, timeout
	h.finishes = append(h.finishes, func() {
		if find() {
			h.add(n, where, map[string]probe.Probe{"unit": unit, "http": http, "tls": session, "tcp": tcp, "run": run}[kind])
		}
	})
}

func (h *healthyReader) add(n *yaml.Node, where string, p probe.Probe) {
	s := h.service
	if slices.ContainsFunc(s.Healthy, func(other probe.Probe) bool { return other.Name() == p.Name() }) {
		h.r.fault(n, where, "the same stands here a second time")
		return
	}
	s.Healthy, s.HealthyAt = append(s.Healthy, p), append(s.HealthyAt, h.r.place(n))
}

// probeIn says what is to be looked at, or which keys do not go together.
func probeIn(n *yaml.Node) (kind, what string) {
	for _, p := range probes {
		if !hasKey(n, p.key) {
			continue
		}
		if kind != "" {
			return "", kind + ": and " + p.key + ": are two things to look at: make two elements of a list of them"
		}
		kind = p.key
	}
	if kind == "" {
		return "", "it has exactly one of unit, http, tls, tcp and run"
	}
	for _, p := range probes {
		for _, with := range p.with {
			if hasKey(n, with) && kind != p.key {
				return "", with + ": goes with " + p.key + ":"
			}
		}
	}
	if kind == "tls" && !hasKey(n, "cert") {
		return "", "tls: needs cert:, the path of the file whose certificate is to be shown"
	}
	return kind, ""
}

// howHealthy puts in place for how long and within what time a service is to be well.
func (r *reader) howHealthy(n *yaml.Node, where string, s *Service) {
	if n.Kind != yaml.MappingNode {
		return
	}
	for _, key := range []string{"healthy_for", "healthy_within", "rollback"} {
		if at := valueOf(n, key); at != nil && !hasKey(n, "healthy") {
			if key == "healthy_for" && s.upFor(r, at, join(where, key)) {
				continue
			}
			what := key + ": goes with healthy:, which says what is looked at"
			if key == "healthy_for" {
				what += ", or with a notice to a unit"
			}
			r.fault(at, join(where, key), what, healthyHint)
			return
		}
	}
	if !hasKey(n, "healthy") {
		return
	}
	if !hasKey(n, "healthy_for") {
		s.HealthyFor = defaultHealthyFor
	}
	if !hasKey(n, "healthy_within") {
		s.HealthyWithin = max(defaultHealthyWithin, s.HealthyFor+defaultHealthyWithin-defaultHealthyFor)
	}
	if at := valueOf(n, "healthy_within"); at != nil && s.HealthyWithin != 0 && s.HealthyWithin <= s.HealthyFor {
		r.fault(at, join(where, "healthy_within"), fmt.Sprintf("%v is not longer than healthy_for:, which is %v: it can never be well for so long in so short a time", s.HealthyWithin, s.HealthyFor))
	}
}

// upFor has the units that are told be looked at for as long as healthy_for says, where nothing
// else is. It tells whether there are any.
func (s *Service) upFor(r *reader, at *yaml.Node, where string) (any bool) {
	for i, action := range s.Notify {
		unit, is := action.(notify.Systemd)
		if !is {
			continue
		}
		any = true
		_, refused := parseDuration(at.Value)
		if s.HealthyFor == 0 && refused == nil {
			r.fault(at, where, "without healthy: it is how long units are looked at after their notices, and this must be longer than nothing")
			return true
		}
		if within := unit.Within(); s.HealthyFor >= within {
			r.fault(at, where, fmt.Sprintf("%v is not shorter than the timeout: of  %s  , which is %v and for the whole", s.HealthyFor, unit.Name(), within))
			return true
		}
		unit.UpFor = s.HealthyFor
		s.Notify[i] = unit
	}
	s.HealthyFor = 0 // of what is under healthy:, which is nothing
	return any
}

var (
	peerPattern = newForm(`^([^\s:/@\[\]{}]+|\[[0-9A-Fa-f:.]+\]):([1-9][0-9]{0,4})$`)
	asPeer      = "write it as HOST:PORT, as 127.0.0.1:443, [::1]:443 or db.example.com:5432"
)

// parsePeer parses what is connected to.
func parsePeer(text string) (string, *refusal) {
	m := peerPattern.FindStringSubmatch(text)
	if m != nil {
		port, err := strconv.Atoi(m[2])
		if host := strings.Trim(m[1], "[]"); err == nil && port < 1<<16 && (host == m[1] || net.ParseIP(host) != nil) {
			return text, nil
		}
	}
	return "", refuse(fmt.Sprintf("%q is not an address to connect to", short(text)), asPeer)
}

// noName is what is a host, and not a name: a wildcard, or an IP address.
var noName = newForm(`^\*|:|^[0-9.]+$`)

// parseName parses a name that a server is asked for.
func parseName(text string) (string, *refusal) {
	name, refused := parseHost(text)
	if refused == nil && noName.MatchString(name) {
		refused = refuse(fmt.Sprintf("%q is not a name that a server can be asked for", short(text)), "one of those that the certificate is for, as www.example.com")
	}
	return name, refused
}
