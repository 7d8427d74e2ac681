package watch

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources/aws/awsfake"
)

// A fleet is so many daemons, each with its loop and the real SDK, and one AWS with the quotas that it publishes.
type fleet struct {
	t     *testing.T
	fake  *awsfake.Server
	dir   string
	meter *meter
	stops []func()
}

// A meter counts what goes to AWS by operation and second.
type meter struct {
	http.RoundTripper
	begun   time.Time
	mu      sync.Mutex
	seconds map[string]map[int]int
	refused map[string]int
}

func (m *meter) RoundTrip(r *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	m.mu.Lock()
	if m.seconds[operation] == nil {
		m.seconds[operation] = make(map[int]int)
	}
	m.seconds[operation][int(time.Since(m.begun).Seconds())]++
	m.mu.Unlock()
	resp, err := m.RoundTripper.RoundTrip(r)
	if err == nil && resp.StatusCode != http.StatusOK {
		m.mu.Lock()
		m.refused[operation]++
		m.mu.Unlock()
	}
	return resp, err
}

func (m *meter) reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.begun, m.seconds, m.refused = time.Now(), make(map[string]map[int]int), make(map[string]int)
}

// table gives a line for each operation: calls, the busiest second, the share that was refused.
func (m *meter) table() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var b strings.Builder
	for _, operation := range slices.Sorted(maps.Keys(m.seconds)) {
		total, most := 0, 0
		for _, n := range m.seconds[operation] {
			total, most = total+n, max(most, n)
		}
		fmt.Fprintf(&b, "  %-16s %7d calls, at most %5d in a second, %5.1f %% throttled\n", operation, total, most, 100*float64(m.refused[operation])/float64(total))
	}
	return b.String()
}

const (
	hosts        = 1000
	hostParams   = 30
	hostSecrets  = 20
	secretPrice  = 0.05 / 10_000 // dollars a call
	monthMinutes = 365.25 / 12 * 24 * 60
)

// newFleet fills an AWS and makes its hosts' templates: 50 refs each.
func newFleet(t *testing.T) *fleet {
	fake := awsfake.New()
	fake.LimitAsAWS()
	for i := range hostParams {
		fake.PutParameter(fmt.Sprint("/app/", i), "String", "v")
	}
	for i := range hostSecrets {
		fake.PutSecret(fmt.Sprint("s", i), "one")
	}
	setEnv(t, fake)
	return &fleet{t: t, fake: fake, dir: t.TempDir(), meter: &meter{RoundTripper: fake.Transport()}}
}

// boot starts every host, all in the same second.
func (f *fleet) boot() {
	f.fake.SetLatency(20 * time.Millisecond)
	f.meter.reset()
	var body strings.Builder
	for i := range hostParams {
		fmt.Fprintf(&body, "{{param %q}}", fmt.Sprint("/app/", i))
	}
	for i := range hostSecrets {
		fmt.Fprintf(&body, "{{secret %q}}", fmt.Sprint("s", i))
	}
	tmpl, faults := render.Parse(render.Options{Main: render.Text{Name: "t", Body: body.String()}})
	if len(faults) > 0 {
		f.t.Fatal(faults)
	}
	schedule := parse(f.t, "*/5 * * * *")
	for i := range hosts {
		dir := filepath.Join(f.dir, fmt.Sprint(i))
		ledger, err := OpenLedger(context.Background(), filepath.Join(dir, "state"))
		if err != nil {
			f.t.Fatal(err)
		}
		plan := &Plan{Settle: 2 * time.Second, Within: 30 * time.Second, Source: awsOver(f.t, f.meter)}
		plan.Services = []*Service{{
			Name: "app", Schedule: schedule, Splay: HostSplay(DefaultSplay(schedule), fmt.Sprint("machine ", i), "host", "app"),
			Files: []*render.File{{Path: filepath.Join(dir, "f"), Template: tmpl, UID: swap.Keep, GID: swap.Keep, Mode: 0o600, KeepMode: true}},
		}}
		loop := NewLoop(plan, Options{
			Load: func() (*Plan, error) { return plan, nil }, Ledger: ledger, Log: slog.New(slog.DiscardHandler),
			Chance: rand.New(rand.NewPCG(1, uint64(i))),
		})
		ended := make(chan struct{})
		ctx, cancel := context.WithCancel(f.t.Context())
		go func() { defer close(ended); loop.Run(ctx) }()
		f.stops = append(f.stops, func() { cancel(); <-ended; ledger.Close() })
	}
}

// current tells whether every host has its file.
func (f *fleet) current() bool {
	for i := range hosts {
		if _, err := os.Stat(filepath.Join(f.dir, fmt.Sprint(i), "f")); err != nil {
			return false
		}
	}
	return true
}

// raceDetector tells whether the tests are built with it.
var raceDetector bool

// TestFleet boots a thousand hosts in the same second, and then watches them work.
func TestFleet(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("a fleet takes half a minute, and four times that under the race detector")
	}
	f := newFleet(t)
	synctest.Test(t, func(t *testing.T) {
		f.t = t
		f.boot()
		begun := time.Now()
		for !f.current() {
			if <-time.After(time.Second); time.Since(begun) > 5*time.Minute {
				t.Errorf("not current after five minutes:\n%s", f.meter.table())
				break
			}
		}
		t.Logf("1,000 hosts boot in the same second; the last is current after %v:\n%s", time.Since(begun), f.meter.table())

		<-time.After(6 * time.Minute) // whoever failed is in step again
		f.meter.reset()
		const watched = 10 * time.Minute
		<-time.After(watched)
		t.Logf("%v of the steady fleet:\n%s", watched, f.meter.table())
		calls := 0
		for _, n := range f.meter.seconds["GetSecretValue"] {
			calls += n
		}
		t.Logf("  Secrets Manager costs $%.0f a month", float64(calls)/watched.Minutes()*monthMinutes*secretPrice)
		for operation, n := range f.meter.refused {
			t.Errorf("steady, and %d of %s were refused", n, operation)
		}
		for _, stop := range f.stops {
			stop()
		}
	})
}
