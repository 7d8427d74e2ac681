package status

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/pass"
	"github.com/rendered/rendered/watch/tell"
)

var began = time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return began.Add(d) }

// stands is how a loop stands that has a service in each state.
func stands() Status {
	return Of(watch.Status{
		Since: at(time.Minute),
		Report: watch.Report{
			Unusable: "rendered.yaml:4:7: unknown key",
			Faulty: []watch.Faulty{
				{Service: "old", Part: "rendered.yaml", Instead: watch.OldSelf, Faults: fault.List{{What: "no path"}}},
				{Part: "conf.d/x.yaml", Faults: fault.List{{What: "not YAML"}}},
			},
			Services: []watch.Standing{
				{Service: "nginx", Tried: true},
				{Service: "pgbouncer", Tried: true, Owed: []tell.Owed{{Dependent: "HUP pgbouncer.service", Failure: "unit is not running"}}},
				{Service: "soon", Tried: true, Owed: []tell.Owed{{Dependent: "run x"}}},
				{Service: "worker", Tried: true, Failure: "secret shared::payments/stripe: access denied"},
				{Service: "young"},
			},
		},
		Details: []watch.Detail{
			{
				Schedule: "@every 5m", Looked: at(time.Hour), Next: at(64 * time.Minute), Changed: at(20 * time.Minute),
				Files: []watch.FileDetail{
					{Path: "/etc/nginx/site.crt", Changed: at(20 * time.Minute), Mode: 0o640, GID: 54321, Certificate: &pass.Certificate{Names: []string{"www.example.com", "www2.example.com"}, NotAfter: at(61*24*time.Hour + 2*time.Hour)}},
					{Path: "/etc/nginx/site.conf", UID: -1, GID: -1},
				},
				Lookups: []watch.LookupDetail{{Ref: sources.Ref{Kind: sources.Secret, Name: "prod/tls"}, Version: "e04b1c7a", Since: at(20 * time.Minute), Read: at(time.Hour), Live: "7c1f02aa"}, {Ref: sources.Ref{Kind: sources.Param, Name: "/p"}}, {Ref: sources.Ref{Kind: sources.Param, Name: "/q"}, Version: "7", Since: at(-time.Hour)}},
				Told:    []tell.Told{{Dependent: "reload nginx.service", At: at(20 * time.Minute)}},
			},
			{Schedule: "@hourly", Looked: at(59 * time.Minute), Told: []tell.Told{{Dependent: "HUP pgbouncer.service", NotBefore: at(61 * time.Minute)}}},
			{Schedule: "@hourly", Looked: at(59 * time.Minute), Told: []tell.Told{{Dependent: "run x", NotBefore: at(3 * time.Hour)}}},
			{Schedule: "@hourly", Looked: at(59 * time.Minute), Failing: at(-time.Hour), Well: at(-2 * time.Hour), Turn: "the owner of role reader in account 222222222222", Hints: []string{"add  a statement"}},
			{Schedule: "@hourly"},
		},
	}, Daemon{"1.0.0", began, "/etc/rendered/rendered.yaml"})
}

func TestPrint(t *testing.T) {
	t.Setenv("TZ", "UTC")
	local := time.Local
	time.Local = time.UTC
	defer func() { time.Local = local }()
	var b strings.Builder
	st, now := stands(), at(time.Hour+40*time.Second)
	st.Print(&b, now)
	for _, name := range []string{"/etc/nginx/site.conf", "worker", "young", "pgbouncer", "soon"} {
		b.WriteByte('\n')
		st.Find(name).Print(&b, now)
	}
	const want = `rendered 1.0.0, up 60m, config of 2026-11-20 03:01:00; 1 current, 1 not yet
  looked at, 2 owing, 1 failing
the config on disk cannot be used, an older one is in force:
  rendered.yaml:4:7: unknown key
old keeps its old self:
  no path
conf.d/x.yaml cannot be used:
  not YAML
SERVICE    STATE    CHANGED  LOOKED    NEXT   NOTE
nginx      current  40m ago  40s ago   in 3m  reload nginx.service: told 40m ago
young      waiting  -        -         -
pgbouncer  owes     -        100s ago  -      HUP pgbouncer.service: unit is not
                                                running; again in 20s
soon       owes     -        100s ago  -      run x: not told yet; in 119m
worker     failing  -        100s ago  -      secret shared::payments/stripe:
                                                access denied, since 2026-11-20
                                                02:00:00
                                              for the owner of role reader in
                                                account 222222222222

nginx        current, looked at 40s ago, next 2026-11-20 04:04:00 (@every 5m)
files        /etc/nginx/site.crt  0640 root:54321  changed 2026-11-20 03:20:00
             /etc/nginx/site.conf
from         secret prod/tls  e04b1c7a since 2026-11-20 03:20:00, read 40s ago;
               the files are of 7c1f02aa
             param /p  not read yet
             param /q  7 since 2026-11-20 02:00:00, not read yet
told         reload nginx.service: told 40m ago
certificate  www.example.com, www2.example.com; 61 days left

worker   failing, looked at 100s ago
failing  secret shared::payments/stripe: access denied, since 2026-11-20
           02:00:00
         for the owner of role reader in account 222222222222
         add  a statement
well     last at 2026-11-20 01:00:00

young  waiting, not looked at yet

pgbouncer  owes, looked at 100s ago
owed       HUP pgbouncer.service: unit is not running; again in 20s
           told at once by  rendered refresh pgbouncer --wait

soon  owes, looked at 100s ago
owed  run x: not told yet; in 119m
`
	if got := b.String(); got != want {
		t.Errorf("%s", got)
	}
}

// A certificate that is about to end, or has ended, says when.
func TestCertificateLine(t *testing.T) {
	local := time.Local
	time.Local = time.UTC
	defer func() { time.Local = local }()
	for end, want := range map[time.Time]string{
		at(61 * 24 * time.Hour): "a.example; 61 days left",
		at(47 * time.Hour):      "a.example; ends 2026-11-22 02:00:00",
		at(-time.Hour):          "a.example; ended 2026-11-20 02:00:00",
	} {
		if got := (&Certificate{[]string{"a.example"}, end}).line(began); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if got := (&Certificate{nil, at(72 * time.Hour)}).line(began); got != "for no host name; 3 days left" {
		t.Error(got)
	}
}

// Of one service what is wrong with others says nothing.
func TestOf(t *testing.T) {
	st := stands()
	st.Config.Unusable = ""
	st.Config.Faulty[0].Service = "worker"
	nginx, worker := st.Of("nginx"), st.Of("worker")
	if !nginx.Current() || len(nginx.Services) != 1 || worker.Current() || len(worker.Config.Faulty) != 1 || len(st.Config.Faulty) != 2 {
		t.Errorf("%+v, %+v", nginx, worker)
	}
}

// Of one that is left out because its config has a fault the fault is said, whatever was asked.
func TestLeftOut(t *testing.T) {
	st := stands()
	st.Config.Unusable = ""
	st.Config.Faulty = append(st.Config.Faulty, Faulty{Service: "search", Fate: "search is left out", Faults: []string{"unknown function"}})
	for name, want := range map[string]bool{"search": true, "nginx": false, "nobody": false} {
		if got := st.LeavesOut(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if of := st.Of("search"); of.Services == nil || len(of.Services) != 0 || len(of.Config.Faulty) != 1 || of.Current() {
		t.Errorf("%+v", of)
	}
	for name, want := range map[string]string{
		"search":               "search is left out: unknown function",
		"/etc/nginx/site.conf": "/etc/nginx/site.conf is a file of service nginx: name that",
		"/etc/nginx/none":      `there is no service or file "/etc/nginx/none" in the config in force`,
	} {
		if err := st.NoService(name); err.Error() != want {
			t.Errorf("%v; want %s", err, want)
		}
	}
}

func TestJSON(t *testing.T) {
	text, err := json.MarshalIndent(stands(), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	var back Status
	if err := json.Unmarshal(text, &back); err != nil || back.Find("worker").State != watch.Failing {
		t.Errorf("%v: %+v", err, back)
	}
}
