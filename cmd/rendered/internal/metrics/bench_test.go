package metrics

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/pass"
)

// BenchmarkScrape is of a thousand services with ten lookups each.
func BenchmarkScrape(b *testing.B) {
	var st watch.Status
	var names []string
	for i := range 1000 {
		name := fmt.Sprintf("service-%d", i)
		names = append(names, name)
		d := watch.Detail{Succeeded: at(1), Next: at(2), Interval: 300e9}
		for j := range 10 {
			ref := sources.Ref{Kind: sources.Secret, Name: fmt.Sprintf("prod/%s/%d", name, j)}
			d.Lookups = append(d.Lookups, watch.LookupDetail{Ref: ref, Version: "e04b1c7a-0000-0000-0000-000000000000", Read: at(3)})
		}
		st.Services = append(st.Services, watch.Standing{Service: name, Tried: true})
		st.Details = append(st.Details, d)
	}
	m := New(Options{Ask: func(context.Context) (watch.Status, error) { return st, nil }})
	m.Follow(planOf(names...), true, origin)
	for _, name := range names {
		m.Looked(pass.Outcome{Service: name})
	}
	h := m.Handler()
	for b.Loop() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		n, _ := io.Copy(io.Discard, w.Body)
		b.ReportMetric(float64(n), "bytes")
	}
}
