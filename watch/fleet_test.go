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

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources/aws"
	"github.com/rendered/rendered/watch/pass"
	"github.com/rendered/rendered/watch/push"
)

// A fleet is so many daemons, each with its loop and the real SDK, and one AWS with the quotas that
// it publishes.
type fleet struct {
	t     *testing.T
	fake  *awsfake.Server
	dir   string
	size  int
	meter *meter
	hosts []*fleetHost
	stops []func()
}

type fleetHost struct {
	source *aws.Source
	loop   *Loop
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

// calls gives how often an operation was called.
func (m *meter) calls(operation string) (total int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range m.seconds[operation] {
		total += n
	}
	return total
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
	hostParams   = 30
	hostSecrets  = 20
	secretPrice  = 0.05 / 10_000 // dollars a call
	monthMinutes = 365.25 / 12 * 24 * 60
)

// newFleet fills an AWS for so many hosts, with 50 refs each.
func newFleet(t *testing.T, size int) *fleet {
	fake := awsfake.New()
	fake.LimitAsAWS()
	for i := range hostParams {
		fake.PutParameter(fmt.Sprint("/app/", i), "String", "v")
	}
	for i := range hostSecrets {
		fake.PutSecret(fmt.Sprint("s", i), "one")
	}
	setEnv(t, fake)
	return &fleet{t: t, fake: fake, size: size, dir: t.TempDir(), meter: &meter{RoundTripper: fake.Transport()}}
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
	for i := range f.size {
		dir := filepath.Join(f.dir, fmt.Sprint(i))
		state, err := pass.OpenStateDir(context.Background(), disk.Host, filepath.Join(dir, "state"))
		if err != nil {
			f.t.Fatal(err)
		}
		source := sdkOver(f.t, f.meter)
		plan := &Plan{Settle: 2 * time.Second, Within: 30 * time.Second, Source: source}
		plan.Services = []*Service{{
			Schedule: schedule, Splay: HostSplay(DefaultSplay(schedule), fmt.Sprint("machine ", i), "host"),
			Jitter:  HostSplay(Jitter(DefaultSplay(schedule), false), fmt.Sprint("machine ", i), "host"),
			Service: pass.Service{Name: "app", Files: []*render.File{{Template: tmpl, Target: swap.Target{Path: filepath.Join(dir, "f"), UID: swap.Keep, GID: swap.Keep, Mode: 0o600, KeepMode: true}}}},
		}}
		loop := NewLoop(plan, Options{
			Load: func() (*Plan, error) { return plan, nil }, Pass: pass.Options{State: state}, Log: slog.New(slog.DiscardHandler),
			Chance: rand.New(rand.NewPCG(1, uint64(i))),
		})
		ended := make(chan struct{})
		ctx, cancel := context.WithCancel(f.t.Context())
		go func() { defer close(ended); loop.Run(ctx) }()
		f.hosts = append(f.hosts, &fleetHost{source, loop})
		f.stops = append(f.stops, func() { cancel(); <-ended; state.Close() })
	}
}

// listen gives every host a queue.
func (f *fleet) listen() {
	for i, h := range f.hosts {
		listener := push.New(slog.New(slog.DiscardHandler), func(push.Ignored) {})
		queue := f.fake.MakeQueue(fmt.Sprint("rendered-", i))
		f.fake.Notify(queue, awsfake.Bare)
		listener.Set(h.source.Queue(queue))
		ctx, cancel := context.WithCancel(f.t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			listener.Run(ctx, h.loop.Announced)
		}()
		f.stops = append(f.stops, func() { cancel(); <-ended })
	}
}

// current tells whether every host has its file, with the value of the first secret in it.
func (f *fleet) current(value string) bool {
	for i := range f.size {
		data, err := os.ReadFile(filepath.Join(f.dir, fmt.Sprint(i), "f"))
		if err != nil || !strings.Contains(string(data), value) {
			return false
		}
	}
	return true
}

// until waits for every host to be current and gives how long it took.
func (f *fleet) until(value string) time.Duration {
	f.t.Helper()
	begun := time.Now()
	for !f.current(value) {
		if <-time.After(time.Second); time.Since(begun) > 5*time.Minute {
			f.t.Errorf("not current after five minutes:\n%s", f.meter.table())
			break
		}
	}
	return time.Since(begun)
}

// TestFleet boots a thousand hosts in the same second, without -long forty, and then watches them
// work.
func TestFleet(t *testing.T) {
	f := newFleet(t, long.Or(40, 1000))
	synctest.Test(t, func(t *testing.T) {
		f.t = t
		f.boot()
		took := f.until("one")
		t.Logf("%d hosts boot in the same second; the last is current after %v:\n%s", f.size, took, f.meter.table())
		if n := f.meter.calls("GetSecretValue"); n > 4*f.size*hostSecrets {
			t.Errorf("%d of GetSecretValue for %d answers: hosts whose pass was throttled come back too soon", n, f.size*hostSecrets)
		}

		<-time.After(6 * time.Minute) // whoever failed is in step again
		f.meter.reset()
		const watched = 10 * time.Minute
		<-time.After(watched)
		t.Logf("%v of the steady fleet:\n%s", watched, f.meter.table())
		t.Logf("  Secrets Manager costs $%.0f a month", float64(f.meter.calls("GetSecretValue"))/watched.Minutes()*monthMinutes*secretPrice)
		for operation, n := range f.meter.refused {
			t.Errorf("steady, and %d of %s were refused", n, operation)
		}

		f.listen()
		<-time.After(time.Minute)
		f.meter.reset()
		f.fake.PutSecret("s0", "two")
		took = f.until("two")
		t.Logf("a rotation is pushed to all; the last is current after %v:\n%s", took, f.meter.table())
		for _, stop := range slices.Backward(f.stops) {
			stop()
		}
	})
}
