package page

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/status"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/ledger"
	"github.com/rendered/rendered/watch/pass"
	"github.com/rendered/rendered/watch/tell"
)

var now = time.Date(2026, 11, 20, 14, 3, 20, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

const day19 = 19 * 24 * time.Hour

// stands is how a loop stands that has services in each state.
func stands() watch.Status {
	told := func(name string, at time.Time) []tell.Told { return []tell.Told{{Dependent: name, At: at}} }
	file := func(path string, at time.Time) []watch.FileDetail {
		return []watch.FileDetail{{Path: path, Changed: at}}
	}
	change := func(stage ledger.Stage, at time.Duration, failure, stays string) *ledger.Rollout {
		return &ledger.Rollout{Stage: stage, Since: ago(at), Failure: failure, Stays: stays}
	}
	return watch.Status{
		Since:  ago(3*24*time.Hour + 5*time.Hour),
		Absent: []ledger.Pause{{Service: "old", Since: ago(time.Hour), Why: "goes soon", Who: "root"}},
		Report: watch.Report{
			Faulty: []watch.Faulty{{Service: "batch", Part: "conf.d/batch.yaml", Instead: watch.OldSelf, Faults: fault.List{{Place: fault.Place{File: "conf.d/batch.yaml", Line: 4, Column: 7}, What: `unknown key "pth"; did you mean "path"?`}}}},
			Services: []watch.Standing{
				{Service: "api", Tried: true},
				{Service: "cron", Tried: true, Paused: &ledger.Pause{Service: "cron", Since: ago(time.Hour), Until: now.Add(time.Hour), Why: "by hand, ticket 4711", Who: "root"}},
				{Service: "haproxy", Tried: true},
				{Service: "nginx", Tried: true},
				{Service: "pgbouncer", Tried: true, Owed: []tell.Owed{{Dependent: "HUP pgbouncer.service", Failure: "unit is not running; again in 30s"}}},
				{Service: "worker", Tried: true, Failure: "secret shared::payments/stripe: access denied"},
				{Service: "young"},
				{Service: "motd", Tried: true, Held: &pass.Hold{Gate: "gate: alarms: exit status 1; no file written", Hints: []string{"DatabaseSlow fires"}}},
				{Service: "search", Tried: true, Rollout: change(ledger.Unproven, 4*time.Second, "", "")},
				{Service: "shop", Tried: true, Rollout: change(ledger.Unwell, 3*time.Hour, "tcp 127.0.0.1:6432: connection refused", "secret prod/shop has another version, and what was before may be dead")},
				{Service: "web", Tried: true, Rollout: change(ledger.Rejected, time.Hour, "http http://127.0.0.1/ok: answered 502", "")},
			},
		},
		Details: []watch.Detail{
			{Schedule: "*/10 * * * *", Looked: ago(200 * time.Second), Next: now.Add(400 * time.Second), Changed: ago(26 * time.Hour), Files: file("/etc/api/config.json", ago(26*time.Hour)), Told: told("USR1 /run/api/api.pid", ago(26*time.Hour))},
			{Schedule: "@hourly", Looked: ago(time.Hour), Changed: ago(day19), Files: file("/etc/cron.d/app", ago(day19))},
			{Schedule: "@every 5m", Looked: ago(60 * time.Second), Next: now.Add(240 * time.Second), Changed: ago(5 * time.Hour), Files: []watch.FileDetail{{Path: "/etc/haproxy/site.pem", Changed: ago(5 * time.Hour), Certificate: &pass.Certificate{NotAfter: now.Add(30 * time.Hour)}}}, Told: told("run haproxy-set-cert", ago(5*time.Hour))},
			{
				Schedule: "@every 5m", Looked: ago(40 * time.Second), Next: now.Add(260 * time.Second), Changed: ago(5 * time.Hour),
				Files:   []watch.FileDetail{{Path: "/etc/nginx/tls/site.crt", Changed: ago(5 * time.Hour), Certificate: &pass.Certificate{Names: []string{"www.example.com"}, NotAfter: now.Add(61*24*time.Hour + time.Hour)}}, {Path: "/etc/nginx/tls/site.key", Changed: ago(5 * time.Hour)}},
				Lookups: []watch.LookupDetail{{Ref: sources.Ref{Kind: sources.Secret, Name: "prod/web/tls"}, Version: "e04b1c7a-0000-4000-8000-000000000002", Since: ago(5 * time.Hour), Read: ago(40 * time.Second)}},
				Told:    told("reload nginx.service", ago(5*time.Hour)),
			},
			{Schedule: "@every 1m", Looked: ago(8 * time.Second), Next: now.Add(52 * time.Second), Changed: ago(8 * time.Second), Files: file("/etc/pgbouncer/userlist.txt", ago(8*time.Second)), Told: told("HUP pgbouncer.service", time.Time{})},
			{Schedule: "@every 1m", Looked: ago(20 * time.Second), Next: now.Add(40 * time.Second), Changed: ago(day19), Failing: ago(2 * time.Hour), Hints: []string{"role reader in account 222222222222 may not read it, and its owner can let it"}, Files: file("/etc/worker/config.json", ago(day19)), Told: told("restart worker.service", ago(day19))},
			{Schedule: "@hourly", Files: file("/etc/young/app.env", time.Time{})},
			{Schedule: "@every 5m", Looked: ago(30 * time.Second), Next: now.Add(270 * time.Second), Files: file("/etc/motd", time.Time{})},
			{Schedule: "@every 5m", Looked: ago(4 * time.Second), Next: now.Add(296 * time.Second), Changed: ago(4 * time.Second), Files: file("/etc/search/app.env", ago(4*time.Second)), Told: told("restart search.service", ago(3*time.Second))},
			{Schedule: "@every 5m", Looked: ago(90 * time.Second), Next: now.Add(210 * time.Second), Changed: ago(3 * time.Hour), Turn: "the owner of secret prod/shop, or the administrator of this machine", Files: file("/etc/shop/app.env", ago(3*time.Hour)), Told: told("restart shop.service", ago(3*time.Hour))},
			{Schedule: "@every 5m", Looked: ago(95 * time.Second), Next: now.Add(205 * time.Second), Changed: ago(time.Hour), Turn: "the author of the template, or the owner of what it looks up", Files: file("/etc/nginx/conf.d/site.conf", ago(time.Hour)), Told: told("reload web.service", ago(time.Hour))},
		},
	}
}

func happened() []ledger.Event {
	tls := []string{"/etc/nginx/tls/site.crt", "/etc/nginx/tls/site.key"}
	renewal := func(ref string, from, to int) []ledger.Renewal {
		id := func(n int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", n, n) }
		return []ledger.Renewal{{Ref: ref, From: id(from), To: id(to)}}
	}
	list := []ledger.Event{
		{At: ago(26 * time.Hour), Kind: ledger.Changed, Services: []string{"api"}, Trigger: ledger.Trigger{Why: "schedule"}, Refs: []ledger.Renewal{{Ref: "param /prod/api/level", From: "6", To: "7"}}, Paths: []string{"/etc/api/config.json"}},
		{At: ago(26 * time.Hour), Kind: ledger.Told, Services: []string{"api"}, Dependent: "USR1 /run/api/api.pid", Paths: []string{"/etc/api/config.json"}, Took: 3 * time.Millisecond},
	}
	for hour := 22; hour > 5; hour -= 3 {
		at := ago(time.Duration(hour) * time.Hour)
		list = append(list,
			ledger.Event{At: at, Kind: ledger.Changed, Services: []string{"pgbouncer"}, Trigger: ledger.Trigger{Why: "schedule"}, Refs: renewal("secret prod/db", hour, hour-1), Paths: []string{"/etc/pgbouncer/userlist.txt"}},
			ledger.Event{At: at.Add(time.Second), Kind: ledger.Told, Services: []string{"pgbouncer"}, Dependent: "HUP pgbouncer.service", Paths: []string{"/etc/pgbouncer/userlist.txt"}, Took: 12 * time.Millisecond})
	}
	return append(list,
		ledger.Event{At: ago(5 * time.Hour), Kind: ledger.Changed, Services: []string{"nginx"}, Trigger: ledger.Trigger{Why: "queue"}, Refs: renewal("secret prod/web/tls", 0x7c1f02aa, 0xe04b1c7a), Paths: tls},
		ledger.Event{At: ago(5*time.Hour - time.Second), Kind: ledger.Told, Services: []string{"nginx"}, Dependent: "reload nginx.service", Paths: tls, Took: 112 * time.Millisecond},
		ledger.Event{At: ago(2 * time.Hour), Kind: ledger.Failed, Services: []string{"worker"}, Trigger: ledger.Trigger{Why: "schedule"}, Failure: "secret shared::payments/stripe: access denied"},
		ledger.Event{At: ago(8 * time.Second), Kind: ledger.Changed, Services: []string{"pgbouncer"}, Trigger: ledger.Trigger{Why: "queue"}, Refs: renewal("secret prod/db", 4, 3), Paths: []string{"/etc/pgbouncer/userlist.txt"}},
		ledger.Event{At: ago(7 * time.Second), Kind: ledger.Refused, Services: []string{"pgbouncer"}, Dependent: "HUP pgbouncer.service", Paths: []string{"/etc/pgbouncer/userlist.txt"}, Failure: "unit is not running"},
	)
}

// pageOf gives the page of a daemon that stands as the loop's answer has it.
func pageOf(st *watch.Status, events *[]ledger.Event) Page {
	return Page{
		Status: func(context.Context) (status.Status, error) {
			return status.Of(*st, status.Daemon{Version: "1.0.0", Started: ago(6 * 24 * time.Hour), Config: "/etc/rendered/rendered.yaml"}), nil
		},
		History: func() status.History { return status.HistoryOf(*events) },
		Host:    "web-1.example.com",
		Now:     func() time.Time { return now },
	}
}

func utc(t *testing.T) {
	t.Helper()
	local := time.Local
	time.Local = time.UTC
	t.Cleanup(func() { time.Local = local })
}

// get asks a page for a path of its own.
func get(p Page, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	p.Handler().ServeHTTP(w, httptest.NewRequest("GET", "http://localhost:9464"+path, nil))
	return w
}

// What the page says of a service are the words of status, and of what happened those of history.
func TestSaysWhatTheVerbsSay(t *testing.T) {
	utc(t)
	st, events := stands(), happened()
	p := pageOf(&st, &events)
	all, err := p.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text := plain(get(p, "/").Body.String())
	for _, word := range append(words(all), "old, which the config in force does not have, is paused", "batch keeps its old self", `unknown key "pth"; did you mean "path"?`, "Changes 8", "Notices 7", "Refused or failed 2", "61 days left", "ends 2026-11-21 20:03:20") {
		if !strings.Contains(text, word) {
			t.Errorf("the page lacks %q", word)
		}
	}
	if worker, nginx := strings.Index(text, "▸worker"), strings.Index(text, "▸nginx"); worker < 0 || nginx < worker {
		t.Errorf("what fails is not before what is current: %d, %d\n%s", worker, nginx, text)
	}
	for _, e := range p.History().Entries() {
		if line := strings.Join(append([]string{status.Moment(e.At)}, e.Services...), " "); !strings.Contains(text, line) {
			t.Errorf("the page lacks %q", line)
		}
	}
	one := plain(get(p, "/?service=/etc/nginx/tls/site.key").Body.String())
	for _, r := range all.Find("nginx").Rows(now) {
		for _, line := range r.Lines {
			if !strings.Contains(one, line) {
				t.Errorf("the page of nginx lacks %q", line)
			}
		}
	}
	if strings.Contains(one, "prod/db") {
		t.Error("the page of nginx has the history of others")
	}
}

// words gives what status says.
func words(st status.Status) (list []string) {
	list = append(list, st.Headline(now))
	for _, s := range st.Services {
		list = append(list, s.Name, string(s.State), status.Since(now, s.Changed), status.Until(now, s.Next))
		list = append(list, s.Notes(now)...)
	}
	return list
}

// plain gives the text of a page; a ▸ stands where a row has its head.
func plain(html string) string {
	for _, row := range []string{`<th scope="row"><a`} {
		html = strings.ReplaceAll(html, row, "▸"+row)
	}
	var b strings.Builder
	inside := false
	for _, r := range html {
		switch {
		case r == '<':
			inside = true
		case r == '>':
			inside = false
		case !inside:
			b.WriteRune(r)
		}
	}
	return strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&lt;", "<", "&gt;", ">", "&amp;", "&", "&#43;", "+").Replace(b.String())
}

// Each state has its look, and the icon the colour of the worst.
func TestEachStateHasItsLook(t *testing.T) {
	css, err := content.ReadFile("page.css")
	if err != nil {
		t.Fatal(err)
	}
	st, events := stands(), happened()
	p := pageOf(&st, &events)
	for _, state := range watch.States {
		if !strings.Contains(string(css), "td."+string(state)+"::before") || !strings.Contains(get(p, "/icon.svg?state="+string(state)).Body.String(), colours[state]) || colours[state] == "" {
			t.Errorf("%s has no look", state)
		}
	}
	for worse, like := range map[watch.State]watch.State{watch.RolledBack: watch.Owes, watch.Unhealthy: watch.Failing, watch.Held: watch.Waiting, watch.Proving: watch.Waiting} {
		if colours[worse] != colours[like] {
			t.Errorf("%s has the colour %s, and %s has %s", worse, colours[worse], like, colours[like])
		}
	}
}

// Names are of others: they direct neither browser nor reader.
func TestNamesAreText(t *testing.T) {
	st, events := stands(), happened()
	st.Services[5].Failure = "<script>alert(1)</script> \x1b[31m \u202egnp.exe"
	events[0].Services = []string{`"><img src=x>&?#`}
	body := get(pageOf(&st, &events), "/").Body.String()
	for _, bad := range []string{"<script>alert", "\x1b", "\u202e", "<img"} {
		if strings.Contains(body, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	for _, good := range []string{"&lt;script&gt;", `\x1b[31m`, `\u202egnp`, `/?service=%22%3e%3cimg%20src%3dx%3e%26%3f%23"`} {
		if !strings.Contains(body, good) {
			t.Errorf("the page lacks %q", good)
		}
	}
}

// What is asked by another name than this machine's, or from another's page, is refused.
func TestRefusesStrangers(t *testing.T) {
	st, events := stands(), happened()
	p := pageOf(&st, &events)
	server := httptest.NewServer(p.Handler())
	defer server.Close()
	port := server.Listener.Addr().(*net.TCPAddr).Port
	for _, c := range []struct {
		method, path, host, origin string
		want                       int
	}{
		{"GET", "/", "", "", 200},
		{"HEAD", "/", "localhost:1", "", 200},
		{"GET", "/page.js", "LOCALHOST", "", 200},
		{"GET", "/page.css", "[::1]:80", "", 200},
		{"GET", "/", "127.8.9.10", "", 200},
		{"GET", "/", "web-1.example.com:9464", "", 200},
		{"GET", "/", "Web-1", "", 200},
		{"GET", "/", "localhost:8080", "http://localhost:8080", 200},
		{"GET", "/", "localhost:8080", "https://localhost:8080", 200},

		{"GET", "/", "evil.example.com", "", 421},
		{"GET", "/page.js", "evil.example.com", "", 421},
		{"GET", "/nothing", "evil.example.com", "", 421},
		{"GET", "/", "example.com", "", 421},
		{"GET", "/", "web-1.example.com.evil.org", "", 421},
		{"GET", "/", "localhost.evil.org", "", 421},
		{"GET", "/", "127.0.0.1.evil.org", "", 421},
		{"GET", "/", "192.0.2.1", "", 421},
		{"GET", "/", "localhost:8080", "http://localhost:3000", 403},
		{"GET", "/", "localhost:8080", "http://evil.example.com", 403},
		{"GET", "/", "localhost:8080", "null", 403},
		{"GET", "/", "localhost:8080", "", 200},
		{"POST", "/", "localhost", "", 405},
		{"DELETE", "/page.js", "localhost", "", 405},
		{"OPTIONS", "/", "localhost", "", 405},
		{"GET", "/nothing", "localhost", "", 404},
		{"GET", "/?service=wroker", "localhost", "", 404},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, fmt.Sprintf("http://127.0.0.1:%d%s", port, c.path), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = c.host
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode != c.want {
			t.Errorf("%s %s of %q from %q: %s", c.method, c.path, c.host, c.origin, answer.Status)
		}
		if answer.StatusCode >= 400 && strings.Contains(string(body), "nginx") {
			t.Errorf("%+v was told: %s", c, body)
		}
		h := answer.Header
		if h.Get("Content-Security-Policy") != policy || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" ||
			h.Get("Referrer-Policy") != "no-referrer" || h.Get("Set-Cookie") != "" || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%+v: %v", c, h)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Error(policy)
	}
}

// A host may have no name that is known, and a daemon may be about to stop.
func TestWithout(t *testing.T) {
	st, events := watch.Status{Since: now}, []ledger.Event(nil)
	p := pageOf(&st, &events)
	if text := plain(get(p, "/").Body.String()); !strings.Contains(text, "There are no services.") || !strings.Contains(text, "Nothing is on record yet.") {
		t.Error(text)
	}
	p.Host = ""
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/", nil)
	r.Host = ""
	if p.Handler().ServeHTTP(w, r); w.Code != http.StatusMisdirectedRequest {
		t.Error(w.Code)
	}
	p.Named = func() bool { return false }
	if w := get(p, "/"); w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), "1.0.0") {
		t.Error(w.Code, w.Body)
	}
	p.Named = nil
	p.Status = func(context.Context) (status.Status, error) {
		return status.Status{}, errors.New("the daemon is stopping")
	}
	if w := get(p, "/"); w.Code != http.StatusServiceUnavailable {
		t.Error(w.Code)
	}
}

// many makes a thousand services, with ten lookups each and a full history.
func many() (watch.Status, []ledger.Event) {
	st, events := watch.Status{Since: now}, []ledger.Event(nil)
	for i := range 1000 {
		name := fmt.Sprintf("service-%03d", i)
		s := watch.Standing{Service: name, Tried: true}
		if i%100 == 99 {
			s.Failure = "secret prod/x: access denied"
		}
		d := watch.Detail{Schedule: "@every 1m", Looked: ago(time.Minute), Next: now.Add(time.Minute), Files: []watch.FileDetail{{Path: "/etc/" + name}}, Told: []tell.Told{{Dependent: "reload " + name + ".service", At: ago(time.Hour)}}}
		for j := range 10 {
			d.Lookups = append(d.Lookups, watch.LookupDetail{Ref: sources.Ref{Kind: sources.Param, Name: fmt.Sprintf("/%s/%d", name, j)}, Version: "1", Read: now})
		}
		st.Services, st.Details = append(st.Services, s), append(st.Details, d)
		kind := []ledger.Kind{ledger.Changed, ledger.Told}[i%2]
		events = append(events, ledger.Event{At: ago(time.Duration(1000-i&^1) * time.Minute), Kind: kind, Services: []string{fmt.Sprintf("service-%03d", i&^1)}, Trigger: ledger.Trigger{Why: "schedule"}, Paths: []string{fmt.Sprintf("/etc/service-%03d", i&^1)}, Dependent: map[bool]string{true: "reload"}[i%2 == 1]})
	}
	return st, events
}

// The page of a thousand services is small.
func TestManyServices(t *testing.T) {
	st, events := many()
	body := get(pageOf(&st, &events), "/").Body.String()
	if len(body) > 400_000 || strings.Count(body, `<th scope="row">`) != 1000 || !strings.Contains(body, "400 older") {
		t.Errorf("%d bytes for %d services", len(body), strings.Count(body, `<th scope="row">`))
	}
	t.Logf("%d bytes", len(body))
}

func BenchmarkManyServices(b *testing.B) {
	st, events := many()
	h := pageOf(&st, &events).Handler()
	for b.Loop() {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "http://localhost/", nil))
	}
}
