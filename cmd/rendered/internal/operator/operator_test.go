package operator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/fleettest"
	"github.com/rendered/rendered/internal/jsonshape"
	_ "github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/internal/pages"
	"github.com/rendered/rendered/watch/fleet"
)

var now = time.Date(2026, 11, 20, 3, 15, 0, 0, time.UTC)

// A fixture is a table with the groups web and db of the fleet prod in it, and who asks it.
type fixture struct {
	*testing.T
	fleettest.Table
	Operator
	out, err bytes.Buffer
}

const twoGroups = `
fleet: {table: rendered, name: prod}
values: values.yaml
services:
  web:
    files: [{path: /tmp/none/web, content: '{{ secret "prod/web/tls" }}'}]
    rollout: {group: web, max_unavailable: 2}
  site:
    files: [{path: /tmp/none/site, content: x}]
    rollout: {group: web, max_unavailable: 2}
  db:
    files: [{path: /tmp/none/db, content: y}]
    rollout: {max_unavailable: 10%}
  alone:
    files: [{path: /tmp/none/alone, content: z}]
`

func begin(t *testing.T, cfg string) *fixture {
	f := &fixture{T: t}
	f.Now = now
	path := filepath.Join(t.TempDir(), "rendered.yaml")
	for name, text := range map[string]string{path: cfg, filepath.Join(filepath.Dir(path), "values.yaml"): "secrets: {prod/web/tls: x}\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f.Config.Config = path
	f.Out, f.Err = &f.out, &f.err
	f.open = func(context.Context, *config.Config) (fleet.Table, error) { return &f.Table, nil }
	return f
}

func (f *fixture) put(sort string, item fleet.Item) {
	f.Put(fleet.Key{Part: fleet.PartOf("prod", "web"), Sort: sort}, item)
}

func (f *fixture) item(sort string) fleet.Item {
	return f.Items[fleet.Key{Part: fleet.PartOf("prod", "web"), Sort: sort}]
}

// says has a host of a group say what it has of one service.
func (f *fixture) says(group, host, service, change, state string, seen time.Duration, versions map[string]string) {
	key := fleet.Key{Part: fleet.HostsOf("prod", group), Sort: "host#" + host}
	services := make(map[string]fleet.HostService)
	if text := f.Items[key].Text("services"); text != "" {
		if err := json.Unmarshal([]byte(text), &services); err != nil {
			f.Fatal(err)
		}
	}
	services[service] = fleet.HostService{Change: change, Phase: state, Versions: versions}
	text, err := json.Marshal(services)
	if err != nil {
		f.Fatal(err)
	}
	f.Put(key, fleet.Item{"at": ms(-seen), "services": string(text)})
}

// ms gives a time of the table, by how far it is from now.
func ms(d time.Duration) int64 { return now.Add(d).UnixMilli() }

// said gives what was printed since it was asked last.
func (f *fixture) said() string {
	text := f.out.String()
	if f.err.Len() > 0 {
		text += "! " + strings.ReplaceAll(strings.TrimSuffix(f.err.String(), "\n"), "\n", "\n! ") + "\n"
	}
	f.out.Reset()
	f.err.Reset()
	return text
}

// expect wants an outcome, and what was printed to be as it is.
func (f *fixture) expect(good bool, err error, wantGood bool, want string) {
	f.Helper()
	if err != nil || good != wantGood {
		f.Errorf("%v, %v; want %v", good, err, wantGood)
	}
	if got := f.said(); got != strings.TrimPrefix(want, "\n") {
		f.Errorf("it says\n%s", got)
	}
}

const (
	oldChange = "1:5d90ab12ffffffffffffffffffffffff"
	newChange = "1:77aa01ccffffffffffffffffffffffff"
	oldTLS    = "7c1f02aa-1111-1111-1111-111111111111"
	newTLS    = "e04b1c7a-2222-2222-2222-222222222222"
	beganTTL  = 30 * 24 * 3600
)

func tls(version string) map[string]string { return map[string]string{"secret prod/web/tls": version} }

// rolling has a change go through 20 hosts of web.
func rolling(t *testing.T) *fixture {
	t.Setenv("TZ", "UTC")
	f := begin(t, twoGroups)
	for i := range 20 {
		change, version := oldChange, oldTLS
		if i >= 17 {
			change, version = newChange, newTLS
		}
		f.says("web", fmt.Sprintf("web-%02d", i), "web", change, "current", time.Hour, tls(version))
	}
	f.put("state", fleet.Item{"hosts": int64(20)})
	f.put("svc#web#"+oldChange, fleet.Item{"ok_at": ms(-50 * time.Hour), "ttl": ms(-51*time.Hour)/1000 + beganTTL})
	f.put("svc#web#"+newChange, fleet.Item{"ok_at": ms(-10 * time.Minute), "ttl": ms(-15*time.Minute)/1000 + beganTTL})
	f.put("slot#000000", fleet.Item{"lease": "a", "owner": "web-07", "until": ms(52 * time.Second)})
	f.put("slot#000001", fleet.Item{"lease": "b", "owner": "web-19", "until": int64(0)})
	return f
}

func TestStatusOfARollout(t *testing.T) {
	f := rolling(t)
	f.Where.Group = "web"
	good, err := f.Status(t.Context(), nil)
	f.expect(good, err, false, `
group web of fleet prod: 20 hosts, 1 at work of at most 2
SERVICE  CHANGE      STATE    HOSTS
web      1:5d90ab12  current  17: web-00, web-01, web-02 and 14 more
web      1:77aa01cc  current  3: web-17, web-18, web-19
SLOT  HOST    UNTIL
0     web-07  2026-11-20 03:15:52, in 52s, where it does not renew it
SERVICE  CHANGE      STANDS
web      1:77aa01cc  well since 2026-11-20 03:05:00; 3 have it, 17 another
web      1:5d90ab12  well since 2026-11-18 01:15:00; 17 have it, 3 another
`)
	good, err = f.Status(t.Context(), []string{"prod/web/tls"})
	if text := f.said(); err != nil || good || !strings.Contains(text, "SERVICE  VERSION   STATE    HOSTS\nweb      7c1f02aa  current  17: web-00") || !strings.Contains(text, "\nweb      e04b1c7a  current  3: web-17") {
		t.Errorf("%v, %v\n%s", good, err, text)
	}
}

// halted has that change be halted, and the fleet be frozen.
func halted(t *testing.T) *fixture {
	f := rolling(t)
	f.Where.Group = "web"
	for i := 17; i < 20; i++ {
		f.says("web", fmt.Sprintf("web-%02d", i), "web", oldChange, "current", time.Hour, tls(oldTLS))
	}
	f.says("web", "web-00", "web", newChange, "rolled back", time.Minute, tls(oldTLS))
	f.says("web", "web-01", "web", newChange, "unhealthy", time.Minute, tls(newTLS))
	f.says("web", "web-02", "web", oldChange, "current", 50*time.Hour, tls(oldTLS))
	f.put("state", fleet.Item{"hosts": int64(20), "max_op": int64(5), "frozen": "alice@ops: ticket 4711"})
	f.put("slot#000000", fleet.Item{"lease": "a", "owner": "web-01", "until": ms(23 * time.Hour), "kept": int64(1)})
	f.put("svc#web#"+newChange, fleet.Item{
		"halted": "unit nginx.service has failed", "halted_by": "web-00", "halted_at": ms(-8 * time.Minute), "ttl": ms(-8*time.Minute)/1000 + beganTTL,
	})
	f.put("svc#web#1:obsolete", fleet.Item{"halted": "x", "halted_by": "y", "halted_at": ms(-60 * time.Hour), "ttl": ms(-60*time.Hour)/1000 + beganTTL})
	return f
}

// A change that is halted, a slot that is kept, hosts that are ill or silent: what needs somebody
// stands below the rest, with what to do.
func TestStatusSaysWhatIsHalted(t *testing.T) {
	f := halted(t)
	good, err := f.Status(t.Context(), nil)
	f.expect(good, err, false, `
group web of fleet prod: 20 hosts, 0 at work of at most 5, as an operator has
  it, 1 kept
frozen by alice@ops: ticket 4711; it ends by  rendered fleet thaw
SERVICE  CHANGE      STATE            HOSTS
web      1:5d90ab12  current          17: web-03, web-04, web-05 and 14 more
web      1:5d90ab12  current, unseen  1: web-02
web      1:77aa01cc  rolled back      1: web-00
web      1:77aa01cc  unhealthy        1: web-01
SLOT  HOST    UNTIL
0     web-01  kept, as the host is not well: until 2026-11-21 02:15:00, or
                rendered fleet release web-01
SERVICE  CHANGE      STANDS
web      1:77aa01cc  halted by web-00 8m ago: unit nginx.service has failed
                     rendered fleet resume web
web      1:5d90ab12  well since 2026-11-18 01:15:00; 18 have it, 2 another
`)
	f.JSON = true
	if _, err := f.Status(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := jsonshape.Fits("../../testdata/json/fleet-status", f.out.Bytes()); err != nil {
		t.Error(err)
	}
}

// What every host has, and nobody works on, is settled; a host that was not seen for long is no
// matter.
func TestStatusSettled(t *testing.T) {
	f := begin(t, twoGroups)
	for _, host := range []string{"a", "b"} {
		f.says("web", host, "web", newChange, "current", time.Hour, tls(newTLS))
		f.says("db", host, "db", oldChange, "current", time.Hour, nil)
	}
	f.says("web", "dead", "web", oldChange, "current", 49*time.Hour, tls(oldTLS))
	if good, err := f.Status(t.Context(), nil); !good || err != nil {
		t.Errorf("%v, %v: %s", good, err, f.said())
	}
	for what, change := range map[string]func(){
		"another change": func() { f.says("web", "a", "web", oldChange, "current", 47*time.Hour, nil) },
		"waiting":        func() { f.says("web", "a", "web", newChange, "waiting", time.Hour, nil) },
		"a slot":         func() { f.put("slot#000003", fleet.Item{"lease": "x", "owner": "a", "until": ms(time.Minute)}) },
		"first": func() {
			f.put("svc#web#"+newChange, fleet.Item{"by": "a", "seat_until": ms(time.Minute), "ttl": ms(0)/1000 + beganTTL})
		},
		"halted": func() {
			f.put("svc#web#"+newChange, fleet.Item{"halted": "x", "halted_at": ms(0), "ttl": ms(0)/1000 + beganTTL})
		},
		"frozen":  func() { f.put("state", fleet.Item{"frozen": "x"}) },
		"no host": func() { f.Items = nil }, // as where the name of the fleet is mistyped
	} {
		f.Items = nil
		f.says("web", "a", "web", newChange, "current", time.Hour, nil)
		f.says("web", "b", "web", newChange, "current", time.Hour, nil)
		f.says("db", "a", "db", oldChange, "current", time.Hour, nil)
		if good, err := f.Status(t.Context(), nil); !good || err != nil {
			t.Errorf("before %s: %v, %v: %s", what, good, err, f.said())
		}
		change()
		if good, err := f.Status(t.Context(), nil); good || err != nil {
			t.Errorf("%s: %v, %v", what, good, err)
		}
	}
}

// A change that no first host was seen to be well with is not said to wait for one, where hosts have
// it: they went without a turn.
func TestStatusOfAChangeWithoutAFirst(t *testing.T) {
	f := begin(t, twoGroups)
	f.Where.Group = "web"
	f.put("svc#web#"+newChange, fleet.Item{"by": "a", "seat_until": int64(0), "ttl": ms(0)/1000 + beganTTL})
	for has, want := range map[string]string{
		oldChange: "waits for a host that goes first; 0 have it, 1 another",
		newChange: "no host that goes first was seen to be well; 1 has it, 0 another",
	} {
		f.says("web", "a", "web", has, "current", time.Hour, nil)
		f.out.Reset()
		_, err := f.Status(t.Context(), nil)
		if said := f.said(); err != nil || !strings.Contains(strings.Join(strings.Fields(said), " "), want) {
			t.Errorf("%v: %s, want %q", err, said, want)
		}
	}
}

// Who goes first with a change is shown, though another was begun since, and no host has it yet.
func TestStatusOfTwoChangesAtOnce(t *testing.T) {
	f := begin(t, twoGroups)
	f.Where.Group = "web"
	f.says("web", "a", "web", newChange, "current", time.Hour, nil)
	f.put("svc#web#"+newChange, fleet.Item{"by": "a", "seat_until": int64(0), "ok_at": ms(0), "ttl": ms(0)/1000 + beganTTL})
	f.put("svc#web#1:another", fleet.Item{"by": "b", "seat_until": ms(time.Minute), "ttl": ms(-time.Minute)/1000 + beganTTL})
	if good, err := f.Status(t.Context(), nil); good || err != nil || !strings.Contains(f.said(), "b goes first") {
		t.Errorf("%v, %v", good, err)
	}
}

// A service of which every host has another change takes a line, and not a thousand.
func TestStatusOfManyDifferentHosts(t *testing.T) {
	f := begin(t, twoGroups)
	f.Where.Group = "web"
	for i := range 1000 {
		f.says("web", fmt.Sprintf("h%03d", i), "web", fmt.Sprintf("1:%08d%024d", i, 0), "current", time.Hour, tls(newTLS))
		f.put(fmt.Sprintf("slot#%06d", i), fleet.Item{"lease": "x", "owner": fmt.Sprintf("h%03d", i), "until": ms(time.Minute)})
	}
	if _, err := f.Status(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	text := f.said()
	if !strings.Contains(text, "web      1000 changes  current  1000: h000, h001, h002 and 997 more\n") || !strings.Contains(text, "and 980 more; --json has them") {
		t.Error(text)
	}
	for line := range strings.Lines(text) {
		if len(line) > 81 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
}

// behind has two hosts not have the version that is current.
func behind(t *testing.T) *fixture {
	f := rolling(t)
	f.Where.Group = "web"
	for i := range 15 {
		f.says("web", fmt.Sprintf("web-%02d", i), "web", newChange, "current", time.Hour, tls(newTLS))
	}
	f.says("web", "web-15", "web", oldChange, "current", 49*time.Hour, tls(oldTLS))
	f.says("web", "web-16", "web", newChange, "owing", time.Hour, tls(newTLS))
	return f
}

func TestOldVersions(t *testing.T) {
	f := behind(t)
	asked := OldVersions{Words: []string{"prod/web/tls"}, Current: newTLS}
	good, err := f.OldVersions(t.Context(), asked)
	f.expect(good, err, false, `
2 of 20 hosts that look up prod/web/tls have not got version e04b1c7a
GROUP  HOST    SERVICE  VERSION   SEEN
web    web-15  web      7c1f02aa  2026-11-18 02:15:00, not for two days
web    web-16  web      e04b1c7a  2026-11-20 02:15:00, owing
hosts that were not seen for two days may be dead; --assume-dead leaves them out
`)
	f.says("web", "web-16", "web", newChange, "current", time.Hour, tls(newTLS))
	if good, err := f.OldVersions(t.Context(), asked); good || err != nil {
		t.Errorf("a host that may be alive: %v, %v", good, err)
	}
	f.said()
	asked.AssumeDead = true
	good, err = f.OldVersions(t.Context(), asked)
	f.expect(good, err, true, `
1 of 20 hosts that look up prod/web/tls have not got version e04b1c7a; 1 of them
  were not seen for two days, and do not count
GROUP  HOST    SERVICE  VERSION   SEEN
web    web-15  web      7c1f02aa  2026-11-18 02:15:00, not for two days
`)
	f.JSON = true
	_, _ = f.OldVersions(t.Context(), asked)
	if err := jsonshape.Fits("../../testdata/json/fleet-old-versions", f.out.Bytes()); err != nil {
		t.Error(err)
	}
}

// A gate that knows nothing does not open.
func TestOldVersionsKnowsNothing(t *testing.T) {
	f := rolling(t)
	f.Where.Group = "web"
	good, err := f.OldVersions(t.Context(), OldVersions{Words: []string{"prod/web/tsl"}, Current: newTLS, AssumeDead: true})
	f.expect(good, err, false, `
! no host has said that it looks up prod/web/tsl, so nobody can say who has which version
!   they look up secret prod/web/tls
`)
	f.Now = time.Time{}
	if good, err := f.OldVersions(t.Context(), OldVersions{Words: []string{"prod/web/tls"}, Current: oldTLS}); good || !errors.Is(err, ErrUnanswered) {
		t.Errorf("without a time: %v, %v", good, err)
	}
	broken := begin(t, strings.Replace(twoGroups, "alone:\n", "alone:\n    nonsense: 1\n", 1))
	broken.says("web", "a", "web", newChange, "current", time.Hour, tls(newTLS))
	if good, err := broken.OldVersions(t.Context(), OldVersions{Words: []string{"prod/web/tls"}, Current: newTLS}); good || err != nil || !strings.Contains(broken.err.String(), "nonsense") {
		t.Errorf("a service whose group is not known: %v, %v: %s", good, err, broken.said())
	}
}

// Without --current the version is asked for where the hosts ask, and no value is shown.
func TestOldVersionsAsksForTheCurrentOne(t *testing.T) {
	aws := awsfake.Start(t)
	for _, kv := range aws.Env() {
		name, value, _ := strings.Cut(kv, "=")
		t.Setenv(name, value)
	}
	const canary = "canary-4711"
	current := aws.PutSecret("prod/web/tls", canary)
	asked := OldVersions{Words: []string{"secret", "prod/web/tls"}}
	for _, where := range []Where{{}, {Table: "rendered", Name: "prod", Group: "web"}} {
		f := begin(t, strings.Replace(twoGroups, "values: values.yaml\n", "", 1))
		f.Where = where
		f.says("web", "a", "web", newChange, "current", time.Hour, tls(current))
		good, err := f.OldVersions(t.Context(), asked)
		f.expect(good, err, true, "all hosts that look up secret prod/web/tls have version "+current[:8]+": 1\n")
		f.says("web", "b", "web", newChange, "current", time.Hour, tls(oldTLS))
		good, err = f.OldVersions(t.Context(), asked)
		if text := f.said(); good || err != nil || !strings.Contains(text, "web    b     web") || strings.Contains(text, canary) {
			t.Errorf("%v, %v: %s", good, err, text)
		}
		aws.DeleteSecret("prod/web/tls")
		if good, err = f.OldVersions(t.Context(), asked); good || !errors.Is(err, ErrUnanswered) || !strings.Contains(f.said(), "marked for deletion") {
			t.Errorf("%v, %v", good, err)
		}
		aws.RestoreSecret("prod/web/tls")
		f.says("web", "c", "web", newChange, "current", time.Hour, map[string]string{"param /prod/web/tls": "1"})
		if good, err := f.OldVersions(t.Context(), OldVersions{Words: []string{"param", "/prod/web/tls"}}); good || !errors.Is(err, ErrUnanswered) {
			t.Errorf("%v, %v", good, err)
		}
	}
	f := begin(t, twoGroups)
	f.says("web", "a", "web", newChange, "current", time.Hour, tls(current))
	if good, err := f.OldVersions(t.Context(), asked); good || !errors.Is(err, ErrUnanswered) || !strings.Contains(f.said(), "has no version here") {
		t.Errorf("of a values file: %v, %v", good, err)
	}
}

// A ref is named as a template, a message or AWS does, and means what a host reads by another of
// its names.
func TestRefs(t *testing.T) {
	const arn = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:prod/db-AbCdEf"
	for _, c := range []struct {
		asked, named string
		means        bool
	}{
		{"prod/db", "secret prod/db", true}, {"secret prod/db", "secret prod/db", true}, {"param /prod/db", "secret prod/db", false},
		{"prod/db", "secret prod/db:AWSPREVIOUS", false}, {"prod/db:AWSPREVIOUS", "secret prod/db:AWSPREVIOUS", true}, {"prod/db:AWSCURRENT", "secret prod/db", true},
		{"shared::prod/db", "secret prod/db", false}, {"shared::prod/db", "secret shared::prod/db", true}, {"prod/db", "secret shared::prod/db", false},
		{arn, "secret prod/db", true}, {"prod/db", "secret " + arn, true}, {arn, "secret " + arn, true}, {strings.Replace(arn, "111111111111", "222222222222", 1), "secret " + arn, false},
		{"/prod/port", "param /prod/port", true}, {"arn:aws:ssm:eu-west-1:111111111111:parameter/prod/port", "param /prod/port", true},
		{"/prod/port", "param /prod/portal", false}, {"params /prod", "params /prod", true}, {"prod/db", "nonsense", false}, {"prod/db", "", false},
	} {
		q, err := ask(strings.Fields(c.asked))
		if err != nil || q.means(c.named) != c.means {
			t.Errorf("%s and %q: %v, %v", c.asked, c.named, q.means(c.named), err)
		}
	}
	for _, words := range [][]string{{""}, {"nonsense", "prod/db"}, {"file", "motd"}, {"secret", ""}} {
		if _, err := ask(words); err == nil {
			t.Errorf("%q is taken", words)
		}
	}
}

func TestResume(t *testing.T) {
	for _, skips := range []bool{false, true} {
		f := rolling(t)
		halted := fleet.Item{"halted": "not well", "halted_by": "web-00", "halted_at": ms(-time.Minute), "resumes": int64(2), "ttl": ms(-time.Minute)/1000 + beganTTL}
		f.put("svc#web#"+newChange, halted)
		f.put("svc#web#1:obsolete", fleet.Item{"halted": "x", "halted_by": "y", "halted_at": ms(-60 * time.Hour), "ttl": ms(-60*time.Hour)/1000 + beganTTL})
		f.put("svc#site#"+newChange, halted)
		good, err := f.Resume(t.Context(), "web", skips)
		f.expect(good, err, true, "web: change 1:77aa01cc of web, halted by web-00, is tried again; "+map[bool]string{false: "one host goes first\n", true: "no host needs to go first\n"}[skips])
		now := f.item("svc#web#" + newChange)
		if now.Text("halted") != "" || now.Number("resumes") != 3 || (now.Number("ok_at") > 0) != skips {
			t.Errorf("%v", now)
		}
		if f.item("svc#site#"+newChange).Text("halted") == "" || f.item("svc#web#1:obsolete").Text("halted") == "" {
			t.Error("another change is resumed")
		}
		good, err = f.Resume(t.Context(), "web", skips)
		f.expect(good, err, false, "! no change of web is halted\n")
		if good, err := f.Resume(t.Context(), "wep", skips); good || err == nil || err.Error() != "no service wep takes its turns in a fleet; these do: site, web, db; did you mean web?" && !strings.Contains(err.Error(), "did you mean web?") {
			t.Errorf("%v, %v", good, err)
		}
	}
}

func TestRelease(t *testing.T) {
	f := rolling(t)
	good, err := f.Release(t.Context(), "web-07")
	f.expect(good, err, true, "web: slot 0 of web-07 is free\n")
	if item := f.item("slot#000000"); item.Number("until") != 0 || item.Text("lease") != "a" {
		t.Errorf("%v", item)
	}
	f.put("slot#000001", fleet.Item{"lease": "b", "owner": "web-19", "until": ms(time.Minute)})
	good, err = f.Release(t.Context(), "web-07")
	f.expect(good, err, false, "! web-07 has no slot; who has one: web-19\n")
}

func TestSetMost(t *testing.T) {
	f := rolling(t)
	if good, err := f.SetMost(t.Context(), 5); good || err == nil || !strings.Contains(err.Error(), "several groups: db, web; say which by --group") {
		t.Errorf("%v, %v", good, err)
	}
	f.Where.Group = "web"
	good, err := f.SetMost(t.Context(), 5)
	f.expect(good, err, true, "web: at most 5 hosts at once, whatever the config says\n")
	if f.item("state").Number("max_op") != 5 {
		t.Errorf("%v", f.item("state"))
	}
	good, err = f.SetMost(t.Context(), 0)
	f.expect(good, err, true, "web: as many hosts at once as the config says\n")
	if _, there := f.item("state")["max_op"]; there || f.item("state").Number("hosts") != 20 {
		t.Errorf("%v", f.item("state"))
	}
}

// Whoever froze it is not forgotten by who does so after him; all groups are frozen, and thawed.
func TestFreezeAndThaw(t *testing.T) {
	f := rolling(t)
	good, err := f.Freeze(t.Context(), "ticket 4711")
	f.expect(good, err, true, "db: frozen; no host begins a change until  rendered fleet thaw\nweb: frozen; no host begins a change until  rendered fleet thaw\n")
	by := f.item("state").Text("frozen")
	if !strings.HasSuffix(by, ": ticket 4711") || !strings.Contains(by, "@") {
		t.Errorf("by %q", by)
	}
	good, err = f.Freeze(t.Context(), "another")
	f.expect(good, err, true, "db: it was frozen before, by "+by+"\nweb: it was frozen before, by "+by+"\n")
	good, err = f.Thaw(t.Context())
	f.expect(good, err, true, "db: hosts go on; it was frozen by "+by+"\nweb: hosts go on; it was frozen by "+by+"\n")
	good, err = f.Thaw(t.Context())
	f.expect(good, err, true, "db: it is not frozen\nweb: it is not frozen\n")
	for _, why := range []string{"two\nlines", strings.Repeat("x", 201), "\x1b[2J"} {
		if good, err := f.Freeze(t.Context(), why); good || err == nil || f.item("state").Text("frozen") != "" {
			t.Errorf("%q: %v, %v", why, good, err)
		}
	}
}

// A request that is lost is asked again; a table that is away is said to be.
func TestTableIsAway(t *testing.T) {
	f := rolling(t)
	synctest.Test(t, func(t *testing.T) {
		f.Silent, f.Where.Group = 2, "web"
		if good, err := f.Freeze(t.Context(), ""); !good || err != nil {
			t.Errorf("%v, %v", good, err)
		}
		f.Lost = 1
		if good, err := f.SetMost(t.Context(), 3); !good || err != nil || f.item("state").Number("max_op") != 3 {
			t.Errorf("%v, %v", good, err)
		}
		f.said()
		for name, verb := range map[string]func() (bool, error){
			"status":  func() (bool, error) { return f.Status(t.Context(), nil) },
			"old":     func() (bool, error) { return f.OldVersions(t.Context(), OldVersions{Words: []string{"prod/web/tls"}}) },
			"resume":  func() (bool, error) { return f.Resume(t.Context(), "web", false) },
			"release": func() (bool, error) { return f.Release(t.Context(), "web-07") },
			"set-max": func() (bool, error) { return f.SetMost(t.Context(), 1) },
			"freeze":  func() (bool, error) { return f.Freeze(t.Context(), "") },
			"thaw":    func() (bool, error) { return f.Thaw(t.Context()) },
		} {
			f.Silent = 1000
			good, err := verb()
			if text := f.said(); good || !errors.Is(err, ErrUnanswered) || !strings.Contains(text, "no answer") {
				t.Errorf("%s: %v, %v: %s", name, good, err, text)
			}
			if f.Silent != 1000-tries {
				t.Errorf("%s asked %d times", name, 1000-f.Silent)
			}
		}
	})
}

// A person who says too little hears what else to say.
func TestWhere(t *testing.T) {
	const lock = "fleet: {fleetlock: 'http://127.0.0.1:1', name: prod}\nservices: {}\n"
	for _, c := range []struct {
		config string
		where  Where
		want   string
	}{
		{twoGroups, Where{Group: "none"}, "no group none; it has db, web"},
		{twoGroups, Where{Name: "prod"}, "--name is for --table"},
		{twoGroups, Where{Region: "eu-west-1"}, "--region is for --table"},
		{twoGroups, Where{Table: "rendered", Name: "prod"}, "--table wants the --name of the fleet and a --group"},
		{twoGroups, Where{Table: "rendered", Name: "a#b", Group: "web"}, "have no #"},
		{"services: {}\n", Where{}, "there is no fleet: in the config"},
		{"fleet: {table: rendered, name: prod}\nservices: {}\n", Where{}, "no service has a rollout:"},
		{lock, Where{}, "its server alone says"},
	} {
		f := begin(t, c.config)
		f.Where = c.where
		_, err := f.Status(t.Context(), nil)
		text := fmt.Sprint(err)
		if list, is := err.(fault.List); is {
			text = list[0].Text()
		}
		if !strings.Contains(text, c.want) {
			t.Errorf("%+v: %s", c.where, text)
		}
	}
	f := begin(t, "")
	f.Where = Where{Table: "rendered", Name: "prod", Group: "web"}
	f.says("web", "a", "web", newChange, "current", time.Hour, nil)
	good, err := f.Status(t.Context(), nil)
	f.expect(good, err, true, "group web of fleet prod: 1 host, 0 at work\nSERVICE  CHANGE      STATE    HOSTS\nweb      1:77aa01cc  current  1: a\n")
}

func TestCompletion(t *testing.T) {
	f := begin(t, twoGroups)
	if groups, services := Groups(f.Config), Services(f.Config); !slices.Equal(groups, []string{"db", "web"}) || !slices.Equal(services, []string{"db", "site", "web"}) {
		t.Error(groups, services)
	}
}

// What the page shows of the verbs is what they say.
func TestPageShowsWhatIsSaid(t *testing.T) {
	shown := map[string]func() (*fixture, bool){
		"status": func() (*fixture, bool) {
			f := halted(t)
			good, _ := f.Status(t.Context(), nil)
			return f, good
		},
		"old-versions prod/web/tls --current " + newTLS: func() (*fixture, bool) {
			f := behind(t)
			good, _ := f.OldVersions(t.Context(), OldVersions{Words: []string{"prod/web/tls"}, Current: newTLS})
			return f, good
		},
	}
	for _, b := range pages.Claimed(t) {
		line, says, _ := strings.Cut(b.Text, "\n")
		do := shown[strings.TrimPrefix(line, "$ rendered fleet ")]
		if do == nil {
			t.Errorf("%v: it shows another verb", b)
			continue
		}
		if f, good := do(); good || f.said() != says {
			f.Error("the page shows something else")
		}
	}
}

// What programs read stays what it is, and is documented.
func TestDocuments(t *testing.T) {
	text, err := os.ReadFile("../../../../docs/fleet.md")
	if err != nil {
		t.Fatal(err)
	}
	_, page, _ := strings.Cut(string(text), "\n## For programs\n")
	for name, c := range map[string]struct {
		document reflect.Type
		words    jsonshape.Words
	}{
		"fleet-status":       {reflect.TypeFor[standing](), jsonshape.Words{"groups[].most_by": {"operator", "config", "unknown"}}},
		"fleet-old-versions": {reflect.TypeFor[verdict](), nil},
		"fleet-done":         {reflect.TypeFor[deeds](), nil},
	} {
		jsonshape.Hold(t, "../../testdata/json/"+name, c.document, c.words)
		jsonshape.Documented(t, page, c.document)
	}
}
