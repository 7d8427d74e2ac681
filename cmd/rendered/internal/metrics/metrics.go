// Package metrics counts what the daemon does, and says it as Prometheus reads it. What is said of
// one moment is made of one answer of the loop, as every screen is. docs/metrics.md has all series.
package metrics

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch"
)

// Options are what metrics are made from.
type Options struct {
	Version, Revision, GoVersion string
	// Ask gives how the loop stands.
	Ask func(context.Context) (watch.Status, error)
}

// Metrics are those of one daemon. They may be used from several goroutines.
type Metrics struct {
	ask      func(context.Context) (watch.Status, error)
	registry *prometheus.Registry
	counters
	naming  atomic.Pointer[naming]
	changed chan struct{} // one slot: something was counted that a textfile does not say yet

	mu       sync.Mutex
	services map[string]bool    // of the plan in force
	notices  map[[2]string]bool // services and their dependents
}

// A naming says how what is looked up is named.
type naming struct {
	refs   bool                                       // else not at all
	origin func(sources.Ref) (region, account string) // nil: it is not in AWS
}

// New makes the metrics of a daemon that has done nothing yet.
func New(o Options) *Metrics {
	m := &Metrics{
		ask: o.Ask, registry: prometheus.NewRegistry(), counters: newCounters(), changed: make(chan struct{}, 1),
		services: make(map[string]bool), notices: make(map[[2]string]bool),
	}
	m.naming.Store(new(naming))
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "rendered_build_info", Help: "1, with what the daemon was built from.",
		ConstLabels: prometheus.Labels{"version": o.Version, "revision": o.Revision, "goversion": o.GoVersion},
	})
	build.Set(1)
	m.registry.MustRegister(build, m)
	return m
}

// Follow has the metrics be of a plan that is about to be put in force: what is counted of services
// that have left is gone. Refs says whether what is looked up is named; origin, which may be nil,
// gives the Region and the account that it is in.
func (m *Metrics) Follow(p *watch.Plan, refs bool, origin func(sources.Ref) (region, account string)) {
	m.naming.Store(&naming{refs, origin})
	services, notices := make(map[string]bool), make(map[[2]string]bool)
	for _, s := range p.Services {
		services[s.Name] = true
		for _, d := range s.Dependents {
			notices[[...]string{s.Name, d.Name()}] = true
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for name := range m.services {
		if !services[name] {
			m.forget(name)
		}
	}
	for n := range m.notices {
		if !notices[n] {
			m.told.DeletePartialMatch(prometheus.Labels{"service": label(n[0]), "dependent": label(n[1])})
		}
	}
	for name := range services {
		m.begin(name)
	}
	for n := range notices {
		m.beginTold(n[0], n[1])
	}
	m.services, m.notices = services, notices
	m.touch()
}

// has tells whether a service is of the plan in force.
func (m *Metrics) has(service string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.services[service]
}

// touch says that something has changed.
func (m *Metrics) touch() {
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// askWithin is how long the loop may take to say how it stands.
const askWithin = 5 * time.Second

// mostScrapes bounds how many are answered at once.
const mostScrapes = 4

// Handler answers Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: mostScrapes})
}
