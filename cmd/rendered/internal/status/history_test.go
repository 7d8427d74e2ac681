package status

import (
	"strings"
	"testing"
	"time"

	"github.com/rendered/rendered/watch/ledger"
)

// Who was told of a change at once stands with it, of each where there were several, and who was
// told later at its own time; the newest comes first.
func TestPrintHistory(t *testing.T) {
	local := time.Local
	time.Local = time.UTC
	defer func() { time.Local = local }()
	files := []string{"/etc/nginx/site.crt", "/etc/nginx/site.key"}
	h := HistoryOf([]ledger.Event{
		{At: at(0), Kind: ledger.Changed, Services: []string{"nginx"}, Trigger: ledger.Trigger{Why: "config"}, Paths: files[:1], Took: time.Minute}, // of checks
		{At: at(59 * time.Second), Kind: ledger.Told, Services: []string{"nginx"}, Dependent: "reload nginx.service", Paths: files[:1], Took: 98 * time.Millisecond},
		{At: at(time.Minute), Kind: ledger.Failed, Services: []string{"worker"}, Trigger: ledger.Trigger{Why: "schedule"}, Failure: "secret payments/stripe: access denied"},
		{At: at(time.Hour), Kind: ledger.Changed, Services: []string{"nginx"}, Trigger: ledger.Trigger{Why: "queue"}, Paths: files, Refs: []ledger.Renewal{{Ref: "secret prod/web/tls", From: "7c1f02aa-0000-4000-8000-000000000001", To: "e04b1c7a-0000-4000-8000-000000000002"}, {Ref: "param /p", To: "2"}}},
		{At: at(time.Hour), Kind: ledger.Changed, Services: []string{"lb"}, Trigger: ledger.Trigger{Why: "queue"}, Paths: []string{"/etc/lb.pem"}, Restored: []string{"/etc/lb.pem"}},
		{At: at(time.Hour), Kind: ledger.Refused, Services: []string{"nginx"}, Dependent: "reload nginx.service", Paths: files, Failure: "unit is not running"},
		{At: at(time.Hour + 30*time.Second), Kind: ledger.Told, Services: []string{"lb", "nginx"}, Dependent: "run slow", Paths: append(files[:2:2], "/etc/lb.pem"), Took: 28 * time.Second},
		{At: at(2 * time.Hour), Kind: ledger.Told, Services: []string{"nginx"}, Dependent: "reload nginx.service", Paths: files, Took: 112 * time.Millisecond},
		{At: at(3 * time.Hour), Kind: ledger.Well, Services: []string{"worker"}, Trigger: ledger.Trigger{Why: "retry"}},
	})
	var b strings.Builder
	h.Print(&b)
	b.WriteByte('\n')
	h.About("/etc/nginx/site.key").Print(&b)
	b.WriteByte('\n')
	h.About("none").Print(&b)
	const want = `2026-11-20 06:00:00  worker  up to date again
2026-11-20 05:00:00  nginx   reload nginx.service told in 112ms
2026-11-20 04:00:00  nginx   reload nginx.service: unit is not running
2026-11-20 04:00:00  lb      changed (queue)
                             /etc/lb.pem put right: somebody else had changed it
                             run slow told in 28s, once for 2 services
2026-11-20 04:00:00  nginx   secret prod/web/tls 7c1f02aa → e04b1c7a (queue)
                             param /p ? → 2 (queue)
                             /etc/nginx/site.crt
                             /etc/nginx/site.key
                             run slow told in 28s, once for 2 services
2026-11-20 03:01:00  worker  failing: secret payments/stripe: access denied
2026-11-20 03:00:00  nginx   changed (config)
                             /etc/nginx/site.crt
                             reload nginx.service told in 98ms

2026-11-20 05:00:00  nginx  reload nginx.service told in 112ms
2026-11-20 04:00:00  nginx  reload nginx.service: unit is not running
2026-11-20 04:00:00  nginx  secret prod/web/tls 7c1f02aa → e04b1c7a (queue)
                            param /p ? → 2 (queue)
                            /etc/nginx/site.crt
                            /etc/nginx/site.key
                            run slow told in 28s, once for 2 services

`
	if got := b.String(); got != want {
		t.Errorf("%s", got)
	}
}
