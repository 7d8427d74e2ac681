package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/control"
	"github.com/rendered/rendered/cmd/rendered/internal/daemon"
	"github.com/rendered/rendered/cmd/rendered/internal/outcome"
	"github.com/rendered/rendered/cmd/rendered/internal/status"
	"github.com/rendered/rendered/internal/pages"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/ledger"
)

// on gives a moment of November 2026, here.
func on(day, hour, minute, second int) time.Time {
	return time.Date(2026, 11, day, hour, minute, second, 0, time.Local)
}

// shownStatus is how the daemon of docs/operating.md stands, now.
func shownStatus() status.Status {
	now := time.Now()
	ago := func(d time.Duration) time.Time { return now.Add(-d - 300*time.Millisecond) }
	until := func(d time.Duration) time.Time { return now.Add(d + 700*time.Millisecond) }
	return status.Status{
		Version: "1.0.0", Started: ago(6 * 24 * time.Hour),
		Config: status.Config{Path: "/etc/rendered/rendered.yaml", Since: on(17, 9, 12, 44)},
		Services: []*status.Service{
			{Name: "nginx", State: watch.Current, Changed: ago(3 * 24 * time.Hour), Looked: ago(40 * time.Second), Next: until(260 * time.Second),
				Dependents: []status.Dependent{{Name: "reload nginx.service", Told: ago(3 * 24 * time.Hour)}}},
			{Name: "pgbouncer", State: watch.Owes, Changed: ago(8 * time.Second), Looked: ago(8 * time.Second), Next: until(52 * time.Second),
				Dependents: []status.Dependent{{Name: "HUP pgbouncer.service", Owed: true, Failure: "unit is not running", Next: until(30 * time.Second)}}},
			{Name: "worker", State: watch.Failing, Looked: ago(20 * time.Second), Next: until(40 * time.Second), Failing: on(20, 13, 58, 2),
				Failure: "secret shared::payments/stripe: access denied", Turn: "the owner of role reader in account 222222222222"},
		},
	}
}

// shownHistory is what happened to it.
func shownHistory() any {
	tls := []string{"/etc/nginx/tls/site.crt", "/etc/nginx/tls/site.key"}
	site := []string{"/etc/nginx/site.conf"}
	return status.HistoryOf([]ledger.Event{
		{At: on(17, 9, 12, 44), Kind: ledger.Changed, Services: []string{"nginx"}, Trigger: ledger.Trigger{Why: "config"}, Paths: site},
		{At: on(17, 9, 12, 45), Kind: ledger.Told, Services: []string{"nginx"}, Dependent: "reload nginx.service", Paths: site, Took: 98 * time.Millisecond},
		{At: on(18, 9, 0, 0), Kind: ledger.Changed, Services: []string{"other"}, Trigger: ledger.Trigger{Why: "config"}, Paths: []string{"/etc/other"}},
		{At: on(20, 4, 0, 0), Kind: ledger.Changed, Services: []string{"nginx"}, Trigger: ledger.Trigger{Why: "queue"}, Paths: tls,
			Refs: []ledger.Renewal{{Ref: "secret prod/web/tls", From: "7c1f02aa-0000-4000-8000-000000000001", To: "e04b1c7a-0000-4000-8000-000000000002"}}},
		{At: on(20, 4, 0, 1), Kind: ledger.Told, Services: []string{"nginx"}, Dependent: "reload nginx.service", Paths: tls, Took: 112 * time.Millisecond},
	})
}

// changed says that a file has new contents.
func changed(path string) outcome.File { return outcome.File{Path: path, State: "changed"} }

// shownDaemon answers as the daemon of the page does.
func shownDaemon() control.Daemon {
	pause := ledger.Pause{Service: "nginx", Since: on(20, 14, 10, 17), Until: on(20, 16, 10, 17), Why: "certificate by hand, ticket 4711", Who: "root"}
	paused := false
	return control.Daemon{
		Version: "1.0.0",
		Status:  func(context.Context, bool) (any, error) { return shownStatus(), nil },
		History: shownHistory,
		Refresh: func(_ context.Context, _ []string, wait bool) (any, error) {
			if paused {
				return nil, daemon.Refused(watch.PausedError{pause})
			}
			return outcome.Outcome{
				Services: []outcome.Service{{Service: "nginx", Files: []outcome.File{changed("/etc/nginx/tls/site.crt"), changed("/etc/nginx/tls/site.key"), {Path: "/etc/nginx/site.conf", State: "unchanged"}}}},
				Notices:  []outcome.Notice{{Services: []string{"nginx"}, Dependent: "reload nginx.service", State: outcome.Told, Took: 0.112}},
			}, nil
		},
		Reload: func(context.Context, bool) (any, error) {
			return outcome.Reload{Services: 2, New: []string{"shop"}, Changed: []string{"nginx"}, Outcome: &outcome.Outcome{
				Services: []outcome.Service{{Service: "shop", Files: []outcome.File{{Path: "/etc/shop/shop.env", State: "created"}}}, {Service: "nginx", Files: []outcome.File{changed("/etc/nginx/site.conf")}}},
				Notices:  []outcome.Notice{{Services: []string{"nginx"}, Dependent: "reload nginx.service", State: outcome.Told, Took: 0.098}},
			}}, nil
		},
		Pause: func(context.Context, []string, time.Duration, string) (any, error) {
			paused = true
			return status.Pauses{Paused: []*status.Pause{status.PauseOf(pause)}}, nil
		},
		Resume: func(_ context.Context, names []string) (any, error) { return status.Resumed{Resumed: names}, nil },
	}
}

// What docs/operating.md shows of the verbs that ask a daemon is what they print of its answers.
func TestOperatingShowsWhatDaemonsSay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rendered.sock")
	t.Setenv("RENDERED_SOCKET", path)
	listener, err := control.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- shownDaemon().Serve(ctx, listener) }()
	defer func() { stop(); <-ended }()
	for _, b := range pages.Claimed(t) {
		var now strings.Builder
		for line := range strings.Lines(b.Text) {
			command, ok := strings.CutPrefix(line, "$ rendered ")
			if !ok {
				continue
			}
			var said bytes.Buffer
			run(words(command), &said, &said)
			now.WriteString(line + said.String())
		}
		if now.String() != b.Text {
			t.Errorf("%v: now it is\n%s", b, &now)
		}
	}
}

// words splits a command as a shell does that knows double quotes alone.
func words(command string) (list []string) {
	for i, part := range strings.Split(strings.TrimSpace(command), `"`) {
		if i%2 == 1 {
			list = append(list, part)
		} else {
			list = append(list, strings.Fields(part)...)
		}
	}
	return list
}
