package fleet

import "encoding/json"

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
			s.Change, s.Phase = w.Has, Idle.String()
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

var phases = map[Phase]string{
	Idle: "current", Waiting: "waiting", Owing: "owing", Ready: "working", Working: "working", Failing: "rolling back", Back: "rolled back", Well: "current", Ill: "unhealthy",
}

// String gives the word for a phase.
func (p Phase) String() string { return phases[p] }
