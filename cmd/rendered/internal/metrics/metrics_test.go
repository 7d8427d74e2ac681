package metrics

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/aws"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/notify"
	"github.com/rendered/rendered/watch/pass"
	"github.com/rendered/rendered/watch/push"
	"github.com/rendered/rendered/watch/tell"
)

func at(seconds int) time.Time { return time.Unix(int64(seconds), 0) }

// planOf gives a plan with services, each with one dependent.
func planOf(names ...string) *watch.Plan {
	p := new(watch.Plan)
	for _, name := range names {
		s := &watch.Service{Service: pass.Service{Name: name, Dependents: []notify.Action{notify.Systemd{Verb: notify.Reload, Unit: name + ".service"}}}}
		p.Services = append(p.Services, s)
	}
	return p
}

// standing is how a loop stands that has a service in each state.
func standing() watch.Status {
	tls := sources.Ref{Kind: sources.Secret, Name: "prod/tls"}
	far := sources.Ref{Kind: sources.Secret, Name: "prod/tls", Account: "self"}
	return watch.Status{
		Since: at(1000),
		Report: watch.Report{Services: []watch.Standing{
			{Service: "a", Tried: true},
			{Service: "b", Tried: true, Failure: "secret x: access denied", Owed: []tell.Owed{{Dependent: "reload b.service"}}},
			{Service: "c\xff"},
		}},
		Details: []watch.Detail{
			{
				Group: "web", Succeeded: at(2000), Next: at(2300), Interval: 5 * time.Minute,
				Files: []watch.FileDetail{{Path: "/etc/a.crt", Certificate: &pass.Certificate{NotAfter: at(9000)}}, {Path: "/etc/a.key"}},
				Lookups: []watch.LookupDetail{
					{Ref: tls, Version: "v1", Read: at(1500)}, {Ref: far, Version: "v2", Read: at(2000)},
					{Ref: sources.Ref{Kind: sources.Params, Name: "/app"}, Read: at(2000)}, {Ref: sources.Ref{Kind: sources.Param, Name: "/new"}},
				},
			},
			{Lookups: []watch.LookupDetail{{Ref: tls, Version: "v1", Read: at(1600)}, {Ref: sources.Ref{Kind: sources.Secret, Name: "x", Account: "other"}, Version: "7", Read: at(3)}}},
			{},
		},
	}
}

// origin knows the number of the daemon's own account, and of one that is called self.
func origin(r sources.Ref) (region, account string) {
	if r.Account == "" || r.Account == "self" {
		return "eu-west-1", "111111111111"
	}
	return "us-east-1", ""
}

func busy(t *testing.T, refs bool) *Metrics {
	t.Helper()
	m := New(Options{Version: "1.0", Revision: "abc", GoVersion: "go1", Ask: func(context.Context) (watch.Status, error) { return standing(), nil }})
	m.Follow(planOf("a", "gone"), true, nil)
	m.Looked(pass.Outcome{Service: "gone"})
	m.Told(tell.Notice{Services: []string{"gone"}, Dependent: "reload gone.service"})
	m.Follow(planOf("a", "b", "c\xff"), refs, origin)
	m.Looked(pass.Outcome{Service: "gone"}) // by a job that an older plan began
	m.Looked(pass.Outcome{Service: "a", Took: 20 * time.Millisecond, Files: []pass.FileOutcome{{State: swap.Differs}, {State: swap.NotThere, Restored: true}, {State: swap.Same}}})
	m.Looked(pass.Outcome{Service: "a", Took: 2 * time.Second, Files: []pass.FileOutcome{{State: swap.Same}}})
	m.Looked(pass.Outcome{Service: "b", Err: &fault.Fault{What: "no"}})
	m.Told(tell.Notice{Services: []string{"a", "b"}, Dependent: "reload a.service"})
	m.Told(tell.Notice{Services: []string{"a"}, Dependent: "reload a.service", Err: errors.New("no")})
	m.Called(aws.Call{API: "GetSecretValue", Took: 30 * time.Millisecond, Price: 0.05 / 10_000})
	for _, reason := range []sources.Reason{sources.Deleted, sources.Denied, sources.Throttled, sources.Credentials} {
		m.Called(aws.Call{API: "GetParameters", Reason: reason})
	}
	m.Heard(push.NoNotice)
	m.Heard("")
	m.Elsewhere()
	m.Turn("granted")
	m.Waited(90 * time.Second)
	return m
}

func scrape(t *testing.T, m *Metrics) (code int, text string) {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Code, w.Body.String()
}

// What is scraped is what the loop answers and what was counted.
func TestMetrics(t *testing.T) {
	code, text := scrape(t, busy(t, true))
	if code != http.StatusOK {
		t.Fatal(code, text)
	}
	for _, want := range strings.Split(strings.TrimSpace(`
rendered_build_info{goversion="go1",revision="abc",version="1.0"} 1
rendered_config_last_reload_successful 1
rendered_config_last_reload_success_timestamp_seconds 1000
rendered_service_state{service="a",state="current"} 1
rendered_service_state{service="a",state="failing"} 0
rendered_service_state{service="b",state="failing"} 1
rendered_service_state{service="c�",state="waiting"} 1
rendered_service_last_success_timestamp_seconds{service="a"} 2000
rendered_service_next_look_timestamp_seconds{service="a"} 2300
rendered_service_interval_seconds{service="a"} 300
rendered_notices_owed{service="a"} 0
rendered_rollout_waiting{service="a"} 0
rendered_rollout_halted{service="a"} 0
rendered_rollout_turns_total{kind="away"} 0
rendered_rollout_turns_total{kind="granted"} 1
rendered_rollout_wait_seconds_bucket{le="60"} 0
rendered_rollout_wait_seconds_bucket{le="300"} 1
rendered_notices_owed{service="b"} 1
rendered_passes_total{result="changed",service="a"} 1
rendered_passes_total{result="unchanged",service="a"} 1
rendered_passes_total{result="failed",service="a"} 0
rendered_passes_total{result="failed",service="b"} 1
rendered_pass_duration_seconds_count{service="a"} 2
rendered_pass_duration_seconds_bucket{service="a",le="0.05"} 1
rendered_file_changes_total{service="a"} 2
rendered_drift_repairs_total{service="a"} 1
rendered_notices_total{dependent="reload a.service",result="told",service="a"} 1
rendered_notices_total{dependent="reload a.service",result="refused",service="a"} 1
rendered_notices_total{dependent="reload a.service",result="told",service="b"} 1
rendered_notices_total{dependent="reload b.service",result="told",service="b"} 0
rendered_api_calls_total{api="GetSecretValue",result="ok"} 1
rendered_api_calls_total{api="GetSecretValue",result="denied"} 0
rendered_api_calls_total{api="GetParameters",result="not_found"} 1
rendered_api_calls_total{api="GetParameters",result="denied"} 1
rendered_api_calls_total{api="GetParameters",result="throttled"} 1
rendered_api_calls_total{api="GetParameters",result="error"} 1
rendered_api_call_duration_seconds_bucket{api="GetSecretValue",le="0.05"} 1
rendered_api_cost_dollars_total 5e-06
rendered_ref_version_info{account="111111111111",ref="secret prod/tls",region="eu-west-1",version="v2"} 1
rendered_ref_version_info{account="other",ref="secret x",region="us-east-1",version="7"} 1
rendered_ref_last_success_timestamp_seconds{account="111111111111",ref="secret prod/tls",region="eu-west-1"} 2000
rendered_ref_last_success_timestamp_seconds{account="111111111111",ref="params /app",region="eu-west-1"} 2000
rendered_certificate_not_after_timestamp_seconds{path="/etc/a.crt"} 9000
rendered_queue_ignored_total{reason="no_notice"} 1
rendered_queue_ignored_total{reason="nothing"} 0
rendered_queue_ignored_total{reason="elsewhere"} 1
`), "\n") {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("there is no %s", want)
		}
	}
	for _, none := range []string{"gone", "/new", `version="v1"`, `path="/etc/a.key"`, `last_success_timestamp_seconds{service="b"}`} {
		if strings.Contains(text, none) {
			t.Errorf("there is %s", none)
		}
	}
	if !regexp.MustCompile(`(?m)^rendered_queue_last_message_timestamp_seconds [1-9]`).MatchString(text) {
		t.Error("no time of the last message")
	}
	if t.Failed() {
		t.Log(text)
	}
}

// Prometheus' own linter finds nothing.
func TestLint(t *testing.T) {
	_, text := scrape(t, busy(t, true))
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// With refs: false no metric names what is looked up.
func TestNoRefs(t *testing.T) {
	if _, text := scrape(t, busy(t, false)); strings.Contains(text, "prod/tls") || strings.Contains(text, "rendered_ref_") || !strings.Contains(text, "rendered_service_state") {
		t.Error(text)
	}
}

// The config is not in force while one on disk, or a part of it, is not.
func TestConfigRejected(t *testing.T) {
	for _, r := range []watch.Report{{Unusable: "rendered.yaml:1:1: unknown key"}, {Faulty: []watch.Faulty{{Service: "a", Instead: watch.OldSelf}}}} {
		m := New(Options{Ask: func(context.Context) (watch.Status, error) { return watch.Status{Report: r}, nil }})
		if _, text := scrape(t, m); !strings.Contains(text, "rendered_config_last_reload_successful 0\n") {
			t.Error(text)
		}
	}
}

// A loop that does not answer is an error of the scrape, and no metrics that are half right.
func TestNoAnswer(t *testing.T) {
	m := New(Options{Ask: func(context.Context) (watch.Status, error) {
		return watch.Status{}, errors.New("the daemon is stopping")
	}})
	if code, text := scrape(t, m); code != http.StatusInternalServerError || strings.Contains(text, "rendered_passes") {
		t.Error(code, text)
	}
}

// Every state that a service may be in is a label.
func TestEveryState(t *testing.T) {
	_, text := scrape(t, busy(t, true))
	for _, s := range watch.States {
		if !strings.Contains(text, `state="`+string(s)+`"`) {
			t.Errorf("no state %s", s)
		}
	}
}

// documented is a row of the page: a series and its labels.
var documented = regexp.MustCompile("(?m)^\\| `(rendered_\\w+)(?:\\{([\\w,]+)\\})?` \\|")

// docs/metrics.md lists the series that there are, with their labels, and no others.
func TestDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	said := make(map[string]string)
	for _, m := range documented.FindAllStringSubmatch(string(page), -1) {
		labels := strings.Split(m[2], ",")
		slices.Sort(labels)
		said[m[1]] = strings.Join(labels, ",")
	}
	families, err := busy(t, true).registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	exported := make(map[string]string)
	for _, f := range families {
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, l.GetName())
		}
		slices.Sort(labels)
		exported[f.GetName()] = strings.Join(labels, ",")
	}
	if diff := cmp.Diff(said, exported); diff != "" {
		t.Errorf("-docs +exported:\n%s", diff)
	}
}

// A journal is a log that one goroutine writes and another reads.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// A textfile is written when something has happened, not too often, and from time to time; it stays
// when the daemon ends, and goes when the config names another.
func TestTextfile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, log := busy(t, true), new(journal)
		f := NewTextfile(m, disk.Host, slog.New(slog.NewTextHandler(log, nil)))
		dir := t.TempDir()
		path := filepath.Join(dir, "rendered.prom")
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); f.Run(ctx) }()
		written := func() time.Time {
			st, err := os.Stat(path)
			if err != nil || st.Mode().Perm() != 0o644 {
				t.Fatal(st, err)
			}
			return st.ModTime()
		}
		f.Set(path)
		synctest.Wait()
		first := written()
		if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), `rendered_service_state{service="a",state="current"} 1`) {
			t.Errorf("%v\n%s", err, text)
		}
		// The clock of the files is the machine's: what is written anew is another file.
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		m.Looked(pass.Outcome{Service: "a"})
		<-time.After(leastApart - time.Millisecond)
		synctest.Wait()
		if _, err := os.Stat(path); err == nil {
			t.Error("written again at once")
		}
		<-time.After(time.Millisecond)
		synctest.Wait()
		written()
		os.Remove(path)
		<-time.After(mostApart)
		synctest.Wait()
		if written().Before(first) || log.String() != "" {
			t.Errorf("%s", log)
		}
		f.Set(filepath.Join(dir, "missing/rendered.prom"))
		synctest.Wait()
		if _, err := os.Stat(path); err == nil {
			t.Error("the file of before is still there")
		}
		<-time.After(10 * mostApart)
		synctest.Wait()
		if n := strings.Count(log.String(), "cannot be written"); n != 1 {
			t.Errorf("said %d times:\n%s", n, log)
		}
		if err := os.Mkdir(filepath.Join(dir, "missing"), 0o755); err != nil {
			t.Fatal(err)
		}
		path = filepath.Join(dir, "missing/rendered.prom")
		<-time.After(mostApart)
		synctest.Wait()
		if written(); !strings.Contains(log.String(), "is written again") {
			t.Errorf("%s", log)
		}
		// Of one path to another: what was never written is not said to stay, and what is written at
		// once is not written again.
		said := len(log.String())
		f.Set(filepath.Join(dir, "none/rendered.prom"))
		synctest.Wait()
		f.Set(path)
		synctest.Wait()
		if written(); strings.Contains(log.String()[said:], "stays") || strings.Contains(log.String()[said:], "is written again") {
			t.Errorf("%s", log)
		}
		cancel()
		<-ended
		written() // it stays
		if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
			t.Errorf("left behind: %v", left)
		}
	})
}
