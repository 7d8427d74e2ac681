package metrics

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/aws"
	"github.com/rendered/rendered/watch/fleet"
	"github.com/rendered/rendered/watch/pass"
	"github.com/rendered/rendered/watch/push"
	"github.com/rendered/rendered/watch/tell"
)

// counters are what is counted where it happens.
type counters struct {
	passes, changes, repairs, told *prometheus.CounterVec
	passTime                       *prometheus.HistogramVec
	calls                          *prometheus.CounterVec
	callTime                       *prometheus.HistogramVec
	dollars                        prometheus.Counter
	heard                          prometheus.Gauge
	ignored                        *prometheus.CounterVec
	turns                          *prometheus.CounterVec
	waits                          prometheus.Histogram
}

// Results of passes, of notices and of calls.
const (
	unchanged = "unchanged"
	changed   = "changed"
	failed    = "failed"

	acknowledged = "told"
	refused      = "refused"

	answered = "ok"
	notFound = "not_found"
	denied   = "denied"
	throttle = "throttled"
	trouble  = "error"
)

var callResults = []string{answered, notFound, denied, throttle, trouble}

// called are the operations of AWS that lookups and the queue take: their counts begin at 0, so
// that the first that is denied is seen to be one more.
var called = []string{"GetSecretValue", "GetParameter", "GetParameters", "GetParametersByPath", "ReceiveMessage", "DeleteMessageBatch"}

// elsewhere is why a change that was announced is ignored by the loop; the other reasons are those
// of push.
const elsewhere = "elsewhere"

func newCounters() counters {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rendered_" + name, Help: help}, labels)
	}
	c := counters{
		passes:  counter("passes_total", "Looks at a service that have ended.", "service", "result"),
		changes: counter("file_changes_total", "Files that got new contents.", "service"),
		repairs: counter("drift_repairs_total", "Files that somebody else had changed, and that were put right.", "service"),
		told:    counter("notices_total", "Times that a dependent was told of a service's files, or refused.", "service", "dependent", "result"),
		passTime: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "rendered_pass_duration_seconds", Help: "How long looks at a service took, with the waiting for AWS.",
			Buckets: []float64{.01, .05, .1, .5, 1, 5, 10, 30, 60},
		}, []string{"service"}),
		calls: counter("api_calls_total", "Requests to AWS; one that is tried again is several.", "api", "result"),
		callTime: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "rendered_api_call_duration_seconds", Help: "How long requests to AWS took.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"api"}),
		dollars: prometheus.NewCounter(prometheus.CounterOpts{Name: "rendered_api_cost_dollars_total", Help: "What the requests to AWS cost at most, at its list prices."}),
		heard:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "rendered_queue_last_message_timestamp_seconds", Help: "When the last change notice came through the queue; 0: none since the daemon began."}),
		waits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "rendered_rollout_wait_seconds", Help: "How long services wanted a change before their files were swapped in their fleet.",
			Buckets: []float64{10, 30, 60, 5 * 60, 15 * 60, 30 * 60, 60 * 60, 4 * 60 * 60, 24 * 60 * 60},
		}),
		turns:   counter("rollout_turns_total", "Turns that this host has had in its fleet.", "kind"),
		ignored: counter("queue_ignored_total", "Messages of the queue, or changes in them, that nothing follows from.", "reason"),
	}
	for _, api := range called {
		c.beginCalls(api)
	}
	for _, kind := range []string{fleet.KindGranted, fleet.KindAway, fleet.KindLate} {
		c.turns.WithLabelValues(kind)
	}
	for _, reason := range []string{string(push.NoNotice), string(push.Nothing), elsewhere} {
		c.ignored.WithLabelValues(reason)
	}
	return c
}

// all gives the counters.
func (c *counters) all() []prometheus.Collector {
	return []prometheus.Collector{c.passes, c.changes, c.repairs, c.told, c.passTime, c.calls, c.callTime, c.dollars, c.heard, c.ignored, c.turns, c.waits}
}

// begin has a service's counts begin at 0.
func (c *counters) begin(service string) {
	service = label(service)
	for _, result := range []string{unchanged, changed, failed} {
		c.passes.WithLabelValues(service, result)
	}
	c.changes.WithLabelValues(service)
	c.repairs.WithLabelValues(service)
	c.passTime.WithLabelValues(service)
}

func (c *counters) beginTold(service, dependent string) {
	for _, result := range []string{acknowledged, refused} {
		c.told.WithLabelValues(label(service), label(dependent), result)
	}
}

func (c *counters) beginCalls(api string) {
	for _, result := range callResults {
		c.calls.WithLabelValues(api, result)
	}
}

// forget takes away what was counted of a service.
func (c *counters) forget(service string) {
	of := prometheus.Labels{"service": label(service)}
	for _, vec := range []interface {
		DeletePartialMatch(prometheus.Labels) int
	}{c.passes, c.changes, c.repairs, c.told, c.passTime} {
		vec.DeletePartialMatch(of)
	}
}

// label makes a text one that Prometheus takes.
func label(text string) string { return strings.ToValidUTF8(text, "�") }

// Looked counts a look at a service.
func (m *Metrics) Looked(o pass.Outcome) {
	defer m.touch()
	if !m.has(o.Service) {
		return
	}
	service, result := label(o.Service), unchanged
	for _, f := range o.Files {
		if f.Renewed() {
			m.changes.WithLabelValues(service).Inc()
		}
		if f.Restored {
			m.repairs.WithLabelValues(service).Inc()
		}
	}
	switch {
	case o.Err != nil:
		result = failed
	case o.Renewed():
		result = changed
	}
	m.passes.WithLabelValues(service, result).Inc()
	m.passTime.WithLabelValues(service).Observe(o.Took.Seconds())
}

// Told counts a notice, for each of the services that it is about.
func (m *Metrics) Told(n tell.Notice) {
	defer m.touch()
	result := acknowledged
	if n.Err != nil {
		result = refused
	}
	for _, service := range n.Services {
		if m.has(service) {
			m.told.WithLabelValues(label(service), label(n.Dependent), result).Inc()
		}
	}
}

// Elsewhere counts a change of a place where nothing is looked up.
func (m *Metrics) Elsewhere() { m.ignored.WithLabelValues(elsewhere).Inc() }

// Turn counts a turn of a fleet, by its kind.
func (m *Metrics) Turn(kind string) {
	defer m.touch()
	m.turns.WithLabelValues(kind).Inc()
}

// Waited counts a change of a service in a fleet, by how long it was wanted before its swap.
func (m *Metrics) Waited(d time.Duration) {
	defer m.touch()
	m.waits.Observe(d.Seconds())
}

// Heard counts a message of the queue.
func (m *Metrics) Heard(ignored push.Ignored) {
	m.heard.Set(float64(time.Now().UnixMilli()) / 1000)
	if ignored != "" {
		m.ignored.WithLabelValues(string(ignored)).Inc()
	}
}

// Called counts a request to AWS.
func (m *Metrics) Called(c aws.Call) {
	api := label(c.API)
	m.calls.WithLabelValues(api, resultOf(c.Reason)).Inc()
	m.callTime.WithLabelValues(api).Observe(c.Took.Seconds())
	m.dollars.Add(c.Price)
}

func resultOf(r sources.Reason) string {
	switch r {
	case "":
		return answered
	case sources.Missing, sources.Deleted:
		return notFound
	case sources.Denied:
		return denied
	case sources.Throttled:
		return throttle
	}
	return trouble
}
