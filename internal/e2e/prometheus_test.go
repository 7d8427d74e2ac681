package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/internal/testpki"
)

// A host is a daemon with metrics.
type host struct {
	t       *testing.T
	dir     string
	address string
	cmd     *exec.Cmd
}

// startHost starts a daemon with a config, in which METRICS stands for its metrics.
func startHost(t *testing.T, aws *awsfake.Server, config string) *host {
	t.Helper()
	h := &host{t: t, dir: t.TempDir(), address: freeAddress(t)}
	h.configure(config)
	h.cmd = exec.Command(program(t), "run", "-c", "rendered.yaml")
	h.cmd.Dir, h.cmd.Env = h.dir, append(append(os.Environ(), aws.Env()...), "RENDERED_SOCKET="+filepath.Join(h.dir, "socket"))
	log := must(os.Create(filepath.Join(h.dir, "log")))
	h.cmd.Stderr = log
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = h.cmd.Process.Signal(syscall.SIGTERM)
		_ = h.cmd.Wait()
		log.Close()
		if t.Failed() {
			t.Logf("%s:\n%s", h.address, must(os.ReadFile(log.Name())))
		}
	})
	until(t.Fatalf, "the daemon is ready", func() bool { code, _ := h.get("/-/ready"); return code == http.StatusOK })
	return h
}

// configure replaces the config, whole.
func (h *host) configure(config string) {
	h.t.Helper()
	text := strings.ReplaceAll(config, "METRICS", fmt.Sprintf("{listen: %q, textfile: rendered.prom}", h.address))
	write(h.t, filepath.Join(h.dir, "new"), text)
	if err := os.Rename(filepath.Join(h.dir, "new"), filepath.Join(h.dir, "rendered.yaml")); err != nil {
		h.t.Fatal(err)
	}
}

// ask runs a verb that asks the daemon.
func (h *host) ask(words ...string) {
	h.t.Helper()
	cmd := exec.CommandContext(h.t.Context(), program(h.t), words...)
	cmd.Env = h.cmd.Env
	if out, err := cmd.CombinedOutput(); err != nil {
		h.t.Fatalf("%s: %v\n%s", words, err, out)
	}
}

func (h *host) get(path string) (code int, text string) {
	answer, err := http.Get("http://" + h.address + path)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body)
}

// freeAddress gives one that nobody listens at.
func freeAddress(t *testing.T) string { return fmt.Sprint("127.0.0.1:", freePort(t)) }

// A prometheus is a real one.
type prometheus struct {
	t     *testing.T
	url   string
	hosts map[string]string // names by address
}

// hasty makes alerts of minutes ones of seconds.
var hasty = strings.NewReplacer("[15m]", "[10s]")

var alertFor = regexp.MustCompile(`(?m)^( +for: ).*$`)

// startPrometheus starts one that scrapes the hosts each second, with the alert rules that are
// shipped, but for how long they wait.
func startPrometheus(t *testing.T, hosts map[string]*host) *prometheus {
	t.Helper()
	needed(t, "prometheus")
	dir, address := t.TempDir(), freeAddress(t)
	p := &prometheus{t, "http://" + address, make(map[string]string)}
	var targets []string
	for name, h := range hosts {
		p.hosts[h.address] = name
		targets = append(targets, h.address)
	}
	rules := string(must(os.ReadFile(root + "/packaging/prometheus/rendered.rules.yml")))
	write(t, filepath.Join(dir, "rules.yml"), hasty.Replace(alertFor.ReplaceAllString(rules, "${1}0s")))
	config := must(json.Marshal(map[string]any{
		"global":         map[string]any{"scrape_interval": "1s", "evaluation_interval": "1s"},
		"rule_files":     []string{"rules.yml"},
		"scrape_configs": []any{map[string]any{"job_name": "rendered", "static_configs": []any{map[string]any{"targets": targets}}}},
	}))
	write(t, filepath.Join(dir, "prometheus.yml"), string(config))
	cmd := exec.Command("prometheus", "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--log.level=warn")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("Prometheus: %s", said.String())
		}
	})
	return p
}

// ask gives the data of an answer; nothing where there is none yet.
func (p *prometheus) ask(path string, query url.Values, data any) bool {
	answer, err := http.PostForm(p.url+path, query)
	if path == "/api/v1/alerts" {
		answer, err = http.Get(p.url + path)
	}
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode == http.StatusServiceUnavailable {
		return false
	}
	var whole struct {
		Status, Error string
		Data          json.RawMessage
	}
	if err := json.Unmarshal(body, &whole); err != nil || whole.Status != "success" {
		p.t.Fatalf("%s %s: %v %s", path, query.Encode(), err, body)
	}
	return json.Unmarshal(whole.Data, data) == nil
}

// series gives how many series a query gives.
func (p *prometheus) series(query string) int {
	var data struct{ Result []any }
	p.ask("/api/v1/query", url.Values{"query": {query}}, &data)
	return len(data.Result)
}

// firing gives the alerts that fire: their names, the host, and what they are about.
func (p *prometheus) firing() (list []string) {
	var data struct {
		Alerts []struct {
			Labels map[string]string
			State  string
		}
	}
	p.ask("/api/v1/alerts", nil, &data)
	for _, a := range data.Alerts {
		if a.State != "firing" {
			continue
		}
		words := []string{strings.TrimPrefix(a.Labels["alertname"], "Rendered")}
		for _, label := range []string{"instance", "service", "api", "path", "ref"} {
			value := a.Labels[label]
			if label == "instance" && value != "" {
				value = p.hosts[value]
			}
			if value != "" {
				words = append(words, filepath.Base(value))
			}
		}
		list = append(list, strings.Join(words, " "))
	}
	slices.Sort(list)
	return list
}

// fires waits until each of these alerts has fired, and no other; rests, until none fires.
func (p *prometheus) fires(want ...string) {
	p.t.Helper()
	slices.Sort(want)
	var got []string
	p.until(patience, func() bool {
		got = slices.Compact(slices.Sorted(slices.Values(append(got, p.firing()...))))
		return len(got) >= len(want)
	})
	if diff := cmp.Diff(want, got); diff != "" {
		p.t.Fatalf("in trouble (-want +fired):\n%s", diff)
	}
}

func (p *prometheus) rests(when string) {
	p.t.Helper()
	if !p.until(patience, func() bool { return len(p.firing()) == 0 }) {
		p.t.Fatalf("%s there fires %q", when, p.firing())
	}
}

// until asks five times a second, which is oftener than anything changes, and tells whether it
// became so.
func (p *prometheus) until(longest time.Duration, so func() bool) bool {
	tick := time.NewTicker(time.Second / 5)
	defer tick.Stop()
	for end := time.Now().Add(longest); time.Now().Before(end); <-tick.C {
		if so() {
			return true
		}
	}
	return false
}

const otherHost = `state_dir: state
splay: 0s
schedule: "@every 5s"
metrics: METRICS
services:
  common: {schedule: "@every 1h", files: [{content: '{{ secret "prod/common" }}', path: common}]}
  site: {files: [{content: '{{ secret "prod/app" }}', path: app}]}
`

const troubledHost = `state_dir: state
splay: 0s
settle: 100ms
schedule: "@every 5s"
aws: {timeout: 20s}
metrics: METRICS
triggers: {sqs: "QUEUE"}
services:
  common: {schedule: "@every 1h", files: [{content: '{{ secret "prod/common" }}', path: common}]}
  app: {files: [{content: '{{ secret "prod/denied" }}', path: app}], notify: [{run: "true"}]}
  site: {files: [{content: '{{ secret "prod/tls" }}', path: site.pem}], notify: [{run: "test ! -e refuse"}]}
  limits: {files: [{content: '{{ param "/prod/limit" }}', path: limits}]}
  held: {files: [{content: '{{ secret "prod/app" }}', path: held}]}
`

// Each alert fires when what it is for happens to a real daemon, and rests before and after. Every
// query of the dashboard has data. No metric holds a value.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	needed(t, "prometheus")
	aws := awsfake.Start(t)
	queue := aws.MakeQueue("rendered-b")
	aws.Notify(queue, awsfake.Bare)
	certificate := func(days int) string {
		now := time.Now()
		return testpki.New(testpki.Leaf(now.Add(-time.Hour), now.Add(time.Duration(days)*24*time.Hour), "www.example.com"), nil, nil).CertPEM()
	}
	for _, name := range []string{"common", "app", "denied"} {
		aws.PutSecret("prod/"+name, "c4n4ry-"+name)
	}
	aws.PutSecret("prod/tls", certificate(61))
	aws.PutParameter("/prod/limit", "String", "c4n4ry-limit")
	config := strings.ReplaceAll(troubledHost, "QUEUE", queue)
	a, b := startHost(t, aws, otherHost), startHost(t, aws, config)
	p := startPrometheus(t, map[string]*host{"a": a, "b": b})
	if !p.until(patience, func() bool { return p.series(`rendered_service_state{state="current"} == 1`) == 7 }) {
		t.Fatal("services are not current")
	}
	p.rests("when all is well")

	write(t, filepath.Join(b.dir, "refuse"), "")
	aws.PutSecret("prod/tls", certificate(6))
	aws.Inject(awsfake.Fault{Name: "prod/denied", Kind: awsfake.Deny})
	aws.Inject(awsfake.Fault{Operation: "GetParameters", Kind: awsfake.Throttle, Times: 2})
	b.configure(config + "  broken: {files: [{path: x}]}\n")
	b.ask("pause", "held", "--why", "a rehearsal")
	aws.PutSecret("prod/common", "c4n4ry-new") // of which the queue tells b alone
	aws.Send(queue, "no notice")
	p.fires("ServiceFailing b app", "Silent b app", "NoticeOwed b site", "ConfigRejected b",
		"AccessDenied b GetSecretValue", "Throttled b GetParameters", "CertificateExpiring b site.pem", "VersionSkew common", "Paused b held")
	dashboard(t, p)
	for name, h := range map[string]*host{"a": a, "b": b} {
		_, text := h.get("/metrics")
		for where, text := range map[string]string{"/metrics": text, "the textfile": string(must(os.ReadFile(filepath.Join(h.dir, "rendered.prom"))))} {
			if strings.Contains(text, "c4n4ry") || !strings.Contains(text, "rendered_service_state") {
				t.Errorf("%s of %s holds a value, or nothing:\n%s", where, name, text)
			}
			check := exec.CommandContext(t.Context(), "promtool", "check", "metrics")
			check.Stdin = strings.NewReader(text)
			if out, err := check.CombinedOutput(); err != nil {
				t.Errorf("%s of %s: promtool: %v\n%s", where, name, err, out)
			}
		}
	}

	aws.Clear()
	if err := os.Remove(filepath.Join(b.dir, "refuse")); err != nil {
		t.Fatal(err)
	}
	aws.PutSecret("prod/tls", certificate(90))
	b.ask("resume", "held")
	b.configure(config)
	if err := a.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	p.rests("when all is mended")

	// A config that says so moves the listener, and takes the textfile away.
	moved := freeAddress(t)
	b.configure(strings.ReplaceAll(config, "METRICS", fmt.Sprintf("{listen: %q}", moved)))
	before := b.address
	b.address = moved
	until(t.Fatalf, "the listener has moved", func() bool { code, _ := b.get("/-/healthy"); return code == http.StatusOK })
	until(t.Fatalf, "the address before is free, and the textfile gone", func() bool {
		_, err := os.Stat(filepath.Join(b.dir, "rendered.prom"))
		_, refused := net.Dial("tcp", before)
		return os.IsNotExist(err) && refused != nil
	})
}

// dashboard asks every query of the dashboard.
func dashboard(t *testing.T, p *prometheus) {
	t.Helper()
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(must(os.ReadFile(root+"/packaging/prometheus/rendered.dashboard.json")), &board); err != nil {
		t.Fatal(err)
	}
	variables := strings.NewReplacer("$__rate_interval", "10s", "$job", "rendered", "$instance", ".*")
	asked := 0
	for _, panel := range board.Panels {
		for _, target := range panel.Targets {
			asked++
			query := variables.Replace(target.Expr)
			if !p.until(10*time.Second, func() bool { return p.series(query) > 0 }) {
				t.Errorf("%s: no data of %s", panel.Title, query)
			}
		}
	}
	if asked < 20 {
		t.Errorf("%d queries", asked)
	}
}
