package metrics

import (
	"cmp"
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch"
)

// What is said of one moment.
var (
	configGood  = gauge("config_last_reload_successful", "Whether the config on disk is in force, all of it.")
	configSince = gauge("config_last_reload_success_timestamp_seconds", "When the config in force came into force.")

	serviceState     = gauge("service_state", "1 for the state in which the service is, 0 for each of the others.", "service", "state")
	serviceSucceeded = gauge("service_last_success_timestamp_seconds", "When the last look that did not fail ended. Absent before the first.", "service")
	serviceNext      = gauge("service_next_look_timestamp_seconds", "When the service is due again. Absent while it is looked at.", "service")
	serviceInterval  = gauge("service_interval_seconds", "How far two looks of the schedule are apart at present. Absent before the first.", "service")
	rolloutWaiting   = gauge("rollout_waiting", "Whether a service of a fleet waits for its turn.", "service")
	rolloutHalted    = gauge("rollout_halted", "Whether a service of a fleet waits as the change was not well on some host, or as somebody has stopped all.", "service")
	noticesOwed      = gauge("notices_owed", "How many dependents have yet to be told of the service's files.", "service")

	refVersion  = gauge("ref_version_info", "1, with the version that was read last of what is looked up.", "ref", "account", "region", "version")
	refRead     = gauge("ref_last_success_timestamp_seconds", "When what is looked up was last read.", "ref", "account", "region")
	certificate = gauge("certificate_not_after_timestamp_seconds", "When the first certificate in a file ends.", "path")
)

func gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("rendered_"+name, help, labels, nil)
}

// Describe gives nothing: which series there are is known when the loop has answered.
func (*Metrics) Describe(chan<- *prometheus.Desc) {}

// Collect gives what was counted, and how the loop stands.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	for _, c := range m.all() {
		c.Collect(out)
	}
	ctx, cancel := context.WithTimeout(context.Background(), askWithin)
	defer cancel()
	st, err := m.ask(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(configGood, err)
		return
	}
	c := collector(out)
	c.truth(configGood, st.Unusable == "" && len(st.Faulty) == 0)
	c.time(configSince, st.Since)
	for i, svc := range st.Services {
		c.service(svc, st.Details[i])
	}
	if names := m.naming.Load(); names.refs {
		c.lookups(names.lookups(st.Details))
	}
}

// A collector is where metrics go.
type collector chan<- prometheus.Metric

func (c collector) service(s watch.Standing, d watch.Detail) {
	state := s.State()
	for _, one := range watch.States {
		c.truth(serviceState, one == state, s.Service, string(one))
	}
	c.time(serviceSucceeded, d.Succeeded, s.Service)
	c.time(serviceNext, d.Next, s.Service)
	if d.Interval > 0 {
		c.number(serviceInterval, d.Interval.Seconds(), s.Service)
	}
	if d.Group != "" {
		c.truth(rolloutWaiting, s.Held != nil && s.Held.Turn != "", s.Service)
		c.truth(rolloutHalted, s.Held != nil && s.Held.Halted, s.Service)
	}
	c.number(noticesOwed, float64(len(s.Owed)), s.Service)
	for _, f := range d.Files {
		if f.Certificate != nil {
			c.time(certificate, f.Certificate.NotAfter, f.Path)
		}
	}
}

// A lookedUp is something that is looked up, by whichever name and for however many services.
type lookedUp struct{ ref, account, region string }

// lookups gives what was read last of everything that is looked up.
func (n *naming) lookups(details []watch.Detail) map[lookedUp]watch.LookupDetail {
	all := make(map[lookedUp]watch.LookupDetail)
	for _, d := range details {
		for _, l := range d.Lookups {
			of := n.name(l.Ref)
			if was, known := all[of]; !known || l.Read.After(was.Read) || l.Read.Equal(was.Read) && l.Since.After(was.Since) {
				all[of] = l
			}
		}
	}
	return all
}

// name names what a ref stands for as every host does: an account by its number, where it is known,
// and not by what the config of this host calls it.
func (n *naming) name(r sources.Ref) lookedUp {
	var of lookedUp
	if n.origin != nil && r.Kind.Traits().Answerer == sources.AWS {
		of.region, of.account = n.origin(r)
	}
	of.account = cmp.Or(of.account, r.Account)
	r.Account = ""
	of.ref = r.String()
	return of
}

func (c collector) lookups(all map[lookedUp]watch.LookupDetail) {
	for of, l := range all {
		c.time(refRead, l.Read, of.ref, of.account, of.region)
		if l.Version != "" {
			c.number(refVersion, 1, of.ref, of.account, of.region, l.Version)
		}
	}
}

func (c collector) number(d *prometheus.Desc, v float64, labels ...string) {
	for i := range labels {
		labels[i] = label(labels[i])
	}
	c <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func (c collector) truth(d *prometheus.Desc, yes bool, labels ...string) {
	v := 0.0
	if yes {
		v = 1
	}
	c.number(d, v, labels...)
}

// time gives a time where it is known.
func (c collector) time(d *prometheus.Desc, t time.Time, labels ...string) {
	if !t.IsZero() {
		c.number(d, float64(t.UnixMilli())/1000, labels...)
	}
}
