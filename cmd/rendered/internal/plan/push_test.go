package plan

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/sources/aws"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/notify"
	"github.com/rendered/rendered/watch/pass"
	"github.com/rendered/rendered/watch/push"
)

// A pushed is a daemon's loop and listener over the real SDK and an AWS that publishes changes,
// inside a synctest bubble.
type pushed struct {
	*awsfake.Server
	t     *testing.T
	dir   string
	queue string // URL

	mu   sync.Mutex
	told map[string][]time.Time // by service
}

// A teller is told in the place of a process.
type teller struct {
	*pushed
	service string
}

func (d teller) Name() string { return "test " + d.service }

func (d teller) Target() string { return d.service }

func (d teller) Do(context.Context, notify.Change) (notify.Output, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pushed.told[d.service] = append(d.pushed.told[d.service], time.Now())
	return notify.Output{}, nil
}

// notices gives how often each service was told since the last call.
func (p *pushed) notices() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := make(map[string]int)
	for service, times := range p.told {
		n[service] = len(times)
	}
	p.told = make(map[string][]time.Time)
	return n
}

func (p *pushed) read(name string) string {
	data, _ := os.ReadFile(filepath.Join(p.dir, name))
	return string(data)
}

func (p *pushed) after(span time.Duration) {
	<-time.After(span)
	synctest.Wait()
}

// Ten services that have a secret and a parameter each, one more that finds the name of its secret
// in a parameter, and one with a path.
const pushServices = 10

func pushConfig() string {
	var b strings.Builder
	b.WriteString("schedule: '@hourly'\nsplay: 0s\nsettle: 2s\nstate_dir: state\nservices:\n")
	for i := range pushServices {
		fmt.Fprintf(&b, "  app%d: {files: [{path: f%[1]d, content: '{{secret \"prod/%[1]d\"}} {{param \"/app/%[1]d\"}}'}]}\n", i)
	}
	b.WriteString("  dynamic: {files: [{path: dynamic, content: '{{secret (param \"/name\")}}'}]}\n")
	b.WriteString("  tree: {files: [{path: tree, content: '{{range $k, $v := params \"/tree\"}}{{$k}}={{$v}} {{end}}'}]}\n")
	return b.String()
}

func underPush(t *testing.T, subscribe func(*awsfake.Server, string), story func(p *pushed)) {
	t.Helper()
	underPushAs(t, pushConfig(), "host", subscribe, story)
}

// underPushAs tells a story of a config on one host of a fleet.
func underPushAs(t *testing.T, text, hostname string, subscribe func(*awsfake.Server, string), story func(p *pushed)) {
	t.Helper()
	fake := awsfake.New()
	for _, pair := range fake.Env() {
		key, value, _ := strings.Cut(pair, "=")
		t.Setenv(key, value)
	}
	t.Setenv("AWS_ENDPOINT_URL", "http://aws.invalid")
	t.Setenv("AWS_CA_BUNDLE", "") // the SDK cannot put it into a foreign transport
	dir := t.TempDir()
	write(t, filepath.Join(dir, "rendered.yaml"), text)
	synctest.Test(t, func(t *testing.T) {
		p := &pushed{Server: fake, t: t, dir: dir, told: make(map[string][]time.Time)}
		fake.SetLatency(5 * time.Millisecond)
		for i := range pushServices {
			fake.PutSecret(fmt.Sprint("prod/", i), "one")
			fake.PutParameter(fmt.Sprint("/app/", i), "String", "one")
		}
		fake.PutSecret("prod/dynamic", "one")
		fake.PutParameter("/name", "String", "prod/dynamic")
		fake.PutParameter("/tree/a/b", "String", "one")
		url := fake.MakeQueue("rendered-web-1")
		subscribe(fake, url)
		p.queue = url

		c := NewCompiler(Options{Config: filepath.Join(dir, "rendered.yaml"), Reach: ToValues})
		c.hostname = hostname
		cfg, plan, err := c.Load(t.Context(), config.Machine)
		if err != nil {
			t.Fatal(err)
		}
		source, err := aws.New(t.Context(), aws.Options{Transport: fake.Transport()})
		if err != nil {
			t.Fatal(err)
		}
		plan.Source = source
		for _, s := range plan.Services {
			s.Dependents = []notify.Action{teller{p, s.Name}}
		}
		state, err := pass.OpenStateDir(t.Context(), disk.Host, cfg.StateDir)
		if err != nil {
			t.Fatal(err)
		}
		defer state.Close()
		loop := watch.NewLoop(plan, watch.Options{
			Load: func() (*watch.Plan, error) { return plan, nil }, Pass: pass.Options{State: state},
			Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Chance: rand.New(rand.NewPCG(1, 2)),
		})
		listener := push.New(slog.New(slog.NewTextHandler(t.Output(), nil)), func(push.Ignored) {})
		listener.Set(source.Queue(url))
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() { loop.Run(ctx) })
		all.Go(func() { listener.Run(ctx, loop.Announced) })
		p.after(10 * time.Second)
		if n := p.notices(); len(n) != pushServices+2 {
			t.Fatalf("told at the start: %v", n)
		}
		p.after(10 * time.Second) // notices of what was put before the start
		p.notices()
		p.ResetCalls()
		story(p)
		cancel()
		all.Wait()
	})
}

// calls gives what was asked since the last call, without what the queue takes.
func (p *pushed) calls() map[string]int {
	n := p.Calls()
	p.ResetCalls()
	maps.DeleteFunc(n, func(operation string, _ int) bool {
		return operation == "ReceiveMessage" || operation == "DeleteMessageBatch"
	})
	return n
}

func (p *pushed) want(what string, told, calls map[string]int) {
	p.t.Helper()
	if n := p.notices(); !maps.Equal(n, told) {
		p.t.Errorf("%s: told %v, want %v", what, n, told)
	}
	if n := p.calls(); !maps.Equal(n, calls) {
		p.t.Errorf("%s: asked %v, want %v", what, n, calls)
	}
}

// A change reaches file and dependent within the settle time and a second, whatever form its notice
// has, and nobody looks at what it does not concern.
func TestPush(t *testing.T) {
	type counts = map[string]int
	one := counts{"GetSecretValue": 1, "GetParameters": 1}
	many := long.Or(200, 1000)
	for name, subscribe := range map[string]func(*awsfake.Server, string){
		"events":             func(s *awsfake.Server, url string) { s.Notify(url, awsfake.Bare) },
		"events by SNS":      func(s *awsfake.Server, url string) { s.Notify(url, awsfake.SNS) },
		"CloudTrail":         func(s *awsfake.Server, url string) { s.NotifyCalls(url, awsfake.Bare) },
		"CloudTrail by SNS":  func(s *awsfake.Server, url string) { s.NotifyCalls(url, awsfake.SNS) },
		"events, each twice": func(s *awsfake.Server, url string) { s.Notify(url, awsfake.Bare); s.Notify(url, awsfake.SNS) },
	} {
		t.Run(name, func(t *testing.T) {
			underPush(t, subscribe, func(p *pushed) {
				put := time.Now()
				p.PutSecret("prod/3", "two")
				p.after(5 * time.Second)
				if at := p.told["app3"]; len(at) != 1 || at[0].Sub(put) > 3*time.Second {
					t.Errorf("put at %v, told at %v", put, at)
				} else {
					t.Logf("told after %v, of which 2 s to settle", at[0].Sub(put))
				}
				p.want("secret", counts{"app3": 1}, one)
				p.PutParameter("/app/4", "String", "two")
				p.after(5 * time.Second)
				p.want("parameter", counts{"app4": 1}, one)
				p.PutSecret("prod/dynamic", "two")
				p.after(5 * time.Second)
				p.want("secret of a computed name", counts{"dynamic": 1}, one)
				p.PutParameter("/tree/c", "String", "two")
				p.after(5 * time.Second)
				p.want("path", counts{"tree": 1}, counts{"GetParametersByPath": 1})
				if got := p.read("f3") + p.read("f4") + p.read("dynamic") + p.read("tree"); got != "two oneone twotwoa/b=one c=two " {
					t.Errorf("the files hold %q", got)
				}

				p.PutSecret("staging/3", "c4n4ry")
				p.PutParameter("/treetop", "String", "c4n4ry")
				p.after(5 * time.Second)
				p.want("names that nobody uses", counts{}, counts{})

				last := ""
				for i := 0; len(p.Messages(p.queue)) < many; i++ {
					last = fmt.Sprint("three ", i)
					p.PutSecret("prod/3", last)
				}
				p.after(40 * time.Second)
				p.want("many notices in a second", counts{"app3": 1}, one)
				if got := p.read("f3"); got != last+" one" {
					t.Errorf("after many notices: %q", got)
				}
			})
		})
	}
}

// At the defaults a rotation is told within the settle time, a host's part of three seconds, and a
// second; where splay is set its tenth takes the place of the three seconds.
func TestPushAtTheDefaults(t *testing.T) {
	events := func(s *awsfake.Server, url string) { s.Notify(url, awsfake.Bare) }
	for _, test := range []struct {
		splay        string
		jitter       time.Duration
		least, spans time.Duration // between the first and the last of the hosts
	}{
		{"", 3 * time.Second, 500 * time.Millisecond, 3 * time.Second},
		{"splay: 100s", 10 * time.Second, 3 * time.Second, 10 * time.Second},
		{"splay: 5s", 500 * time.Millisecond, 0, 500 * time.Millisecond},
	} {
		first, last := time.Hour, time.Duration(0)
		for host := range 8 {
			text := strings.Replace(pushConfig(), "splay: 0s", test.splay, 1)
			underPushAs(t, text, fmt.Sprint("host-", host), events, func(p *pushed) {
				p.after(20 * time.Second)
				p.notices()
				put := time.Now()
				p.PutSecret("prod/3", "two")
				p.after(20 * time.Second)
				at := p.told["app3"]
				if len(at) != 1 {
					t.Fatalf("told at %v", at)
				}
				took := at[0].Sub(put)
				first, last = min(first, took), max(last, took)
				if most := test.jitter + 2*time.Second + time.Second; took > most {
					t.Errorf("%q: told after %v, of %v", test.splay, took, most)
				}
			})
		}
		t.Logf("%q: told after %v to %v", test.splay, first, last)
		if spread := last - first; spread < test.least || spread > test.spans {
			t.Errorf("%q: the hosts are told within %v", test.splay, spread)
		}
	}
}

// Readers see a new version three seconds after it was announced: that is the one that is rendered,
// and the dependent is told once.
func TestPushBeforeReadersSeeIt(t *testing.T) {
	underPush(t, func(s *awsfake.Server, url string) { s.Notify(url, awsfake.Bare) }, func(p *pushed) {
		p.Lag(3 * time.Second)
		p.PutSecret("prod/3", "two")
		p.after(8 * time.Second)
		if got := p.read("f3"); got != "two one" {
			t.Errorf("it holds %q", got)
		}
		p.after(time.Minute)
		n := p.calls()
		if told := p.notices(); told["app3"] != 1 || len(told) != 1 || n["GetSecretValue"] < 2 || n["GetSecretValue"] > 4 {
			t.Errorf("told %v after %v", told, n)
		}
	})
}
