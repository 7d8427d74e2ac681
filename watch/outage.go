package watch

import (
	"strings"

	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/pass"
)

// outages are the causes that all services meet at once, as that AWS is away, with the services
// that meet each now. The log names such a cause once, not once a service.
type outages map[string]*meeting

// A meeting is one cause, and who meets it.
type meeting struct {
	services map[string]bool
	said     string // the service of which it was said; "" where that one no longer meets it
}

// outage names the cause where it is none of the ref alone, but of its account and Region; "" where
// it may be the ref's.
func outage(e *pass.FileError) string {
	lookup, ok := e.Fault.Err.(*sources.Error)
	if !ok || lookup.Ref.Kind.Traits().Answerer != sources.AWS {
		return ""
	}
	switch lookup.Reason {
	case sources.Unavailable, sources.Throttled, sources.Credentials:
		region := ""
		if p := strings.SplitN(lookup.Ref.Name, ":", 6); len(p) == 6 {
			region = p[3] + ":" + p[4]
		}
		return strings.Join([]string{string(lookup.Reason), lookup.Ref.Account, region}, " ")
	}
	return ""
}

// meets notes that a service meets a cause, and tells whether that is yet to be said.
func (o outages) meets(cause, service string) bool {
	m := o[cause]
	if m == nil {
		m = &meeting{services: make(map[string]bool)}
		o[cause] = m
	}
	m.services[service] = true
	if m.said != "" {
		return false
	}
	m.said = service
	return true
}

// keep forgets the causes that a service no longer meets.
func (o outages) keep(service string, causes map[string]bool) {
	for cause, m := range o {
		if causes[cause] {
			continue
		}
		delete(m.services, service)
		if m.said == service {
			m.said = ""
		}
		if len(m.services) == 0 {
			delete(o, cause)
		}
	}
}
