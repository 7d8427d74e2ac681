package fleet

import (
	"encoding/json"
	"time"
)

// changeTTL is for how many seconds the table keeps what is known of a change, and hostTTL of a
// host.
const (
	changeTTL = 30 * 24 * 3600
	hostTTL   = 3 * 24 * 3600
)

// count counts the hosts of the group, by which a share of them is so many, and each has its place.
func (m *Member) count() {
	a := m.query(Query{Part: HostsOf(m.Fleet, m.Group), From: hostSort, Count: true})
	if a.Err != nil || a.Count == m.memory.Hosts {
		return
	}
	if a := m.update(Update{Key: Key{m.part(), stateSort}, Set: Item{"hosts": int64(a.Count)}}); a.Err == nil {
		m.memory.Hosts = a.Count
	}
}

// report says which changes this host has.
func (m *Member) report() bool {
	if !m.clock.known() && m.look() == nil {
		return false
	}
	low := m.clock.low(m.env.Now())
	said := m.says()
	a := m.update(Update{
		Key: Key{HostsOf(m.Fleet, m.Group), hostSort + m.Host},
		Set: Item{"at": low, servicesAttribute: said, "ttl": low/1000 + hostTTL},
	})
	if a.Err != nil {
		return false
	}
	m.said = said
	m.beatAt = m.env.Now() + beatEach - time.Duration(m.env.Chance()*float64(beatEach/10))
	return true
}

// A HostService is what a host has said of one of its services.
type HostService struct {
	Change   string            `json:"change"`
	Phase    string            `json:"phase"`
	Versions map[string]string `json:"versions,omitempty"` // of its lookups
}

// servicesAttribute has what a host says of its services, as JSON, by name.
const servicesAttribute = "services"

// says gives what this host has to say of its services. That one waits for its turn is no news.
func (m *Member) says() string {
	services := make(map[string]HostService)
	for name, w := range m.all() {
		s := HostService{w.Change, w.Phase.String(), w.Versions}
		switch w.Phase {
		case Waiting, Ready:
			if s.Change, s.Phase = w.Has, Idle.String(); w.Ill {
				s.Phase = Ill.String()
			}
		case Idle, Back:
			s.Change = w.Has
		}
		if s.Change != "" {
			services[name] = s
		}
	}
	text, err := json.Marshal(services)
	if err != nil { // there is nothing in it that JSON has no form for
		panic(err)
	}
	return string(text)
}

// heardOf gives what a host has said of its services; what is no such thing is not there.
func heardOf(item Item) map[string]HostService {
	services := make(map[string]HostService)
	var said map[string]json.RawMessage
	if json.Unmarshal([]byte(item.Text(servicesAttribute)), &said) != nil {
		return services
	}
	for name, text := range said {
		var s HostService
		if json.Unmarshal(text, &s) == nil {
			services[name] = s
		}
	}
	return services
}
