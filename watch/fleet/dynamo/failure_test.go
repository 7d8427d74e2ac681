package dynamo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/aws"
	"github.com/rendered/rendered/watch/fleet"
)

var write = fleet.Update{
	Key: fleet.Key{Part: "prod#web", Sort: "slot#000001"}, Set: fleet.Item{"lease": "mine"},
	If: []fleet.Any{{{Attribute: "lease"}}},
}

// What goes wrong is said with what to do about it, and whether anybody has answered at all.
func TestFailures(t *testing.T) {
	const own = `"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["prod#web","prod#web#hosts"]}`
	for _, c := range []struct {
		kind   awsfake.Kind
		want   string
		hint   string
		silent bool
		dated  bool
	}{
		{awsfake.Throttle, "AWS is throttling", "provisioned capacity", false, true},
		{awsfake.ServerError, "no answer: HTTP 500 InternalServerError", "on AWS's side", false, true},
		{awsfake.Unavailable, "no answer: HTTP 503, not from AWS itself", "is the way to AWS open?", true, false},
		{awsfake.Drop, "no answer: ", "is the way to AWS open?", true, false},
		{awsfake.Lost, "no answer: ", "is the way to AWS open?", true, false},
		{awsfake.Damaged, "no answer: the answer is not as AWS has sent it: its checksum is another", "is the way", false, false},
		{awsfake.Deny, "access denied: no identity-based policy allows dynamodb:UpdateItem", `"Resource":"arn:aws:dynamodb:eu-west-1:111111111111:table/rendered","Condition":{` + own + `}`, false, true},
		{awsfake.Deny, "access denied", `"Action":["dynamodb:UpdateItem","dynamodb:Query"]`, false, true},
		{awsfake.DenyByEndpoint, "access denied", "the VPC endpoint policy", false, true},
		{awsfake.DenyExplicitly, "access denied: an explicit deny", "undo", false, true},
		{awsfake.ExpiredToken, "no valid credentials: they have expired", "aws sts get-caller-identity", false, true},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			fake := awsfake.Start(t)
			fake.MakeTable("rendered")
			table := New(t.Context(), open(t, http.DefaultTransport, fake.Env()).Table("rendered"))
			fake.Inject(awsfake.Fault{Kind: c.kind})
			asked := map[string]fleet.Answer{"UpdateItem": table.Update(write)}
			if !strings.Contains(c.want, "UpdateItem") {
				asked["Query"] = table.Query(fleet.Query{Part: "prod#web#hosts"})
			}
			for api, a := range asked {
				e, _ := errors.AsType[*sources.Error](a.Err)
				if e == nil || a.Refused || a.Silent != c.silent || a.Date.IsZero() == c.dated {
					t.Fatalf("%s: %+v", api, a)
				}
				hints := strings.Join(e.Hints, "\n")
				if !strings.HasPrefix(e.Error(), "table rendered: "+c.want) || !strings.Contains(hints, c.hint) {
					t.Errorf("%s: %v\n%s", api, e, hints)
				}
				if strings.Contains(e.Error()+hints, "wJalrXUtnFEMI") {
					t.Error("a key is shown")
				}
			}
			if got := fake.Calls(); got["UpdateItem"] != 1 {
				t.Errorf("asked %v times", got)
			}
		})
	}
}

// A date that a proxy may have set is none.
func TestDates(t *testing.T) {
	fake := awsfake.Start(t)
	fake.MakeTable("rendered")
	table := New(t.Context(), open(t, http.DefaultTransport, fake.Env()).Table("rendered"))
	if a := table.Update(write); a.Err != nil || time.Since(a.Date) > time.Minute {
		t.Errorf("%+v", a)
	}
	if a := table.Update(write); !a.Refused || time.Since(a.Date) > time.Minute || a.Old.Text("lease") != "mine" {
		t.Errorf("%+v", a)
	}
	fake.Inject(awsfake.Fault{Kind: awsfake.Rewritten})
	if a := table.Update(write); !a.Refused || !a.Date.IsZero() {
		t.Errorf("%+v", a)
	}
	if a := table.Query(fleet.Query{Part: "prod#web"}); a.Err != nil || len(a.Items) != 1 || !a.Date.IsZero() {
		t.Errorf("%+v", a)
	}
}

// A table that is not there, or is another one, is named with what to do.
func TestNoSuchTable(t *testing.T) {
	fake := awsfake.Start(t)
	fake.In("222222222222", "us-east-1").MakeTable("rendered")
	source := open(t, http.DefaultTransport, fake.Env())
	a := New(t.Context(), source.Table("rendered")).Query(fleet.Query{Part: "prod#web"})
	e, _ := errors.AsType[*sources.Error](a.Err)
	if e == nil || e.Reason != sources.Missing || a.Silent || !strings.Contains(e.Error(), "table rendered does not exist in eu-west-1") ||
		!strings.Contains(strings.Join(e.Hints, "\n"), "aws dynamodb list-tables --region eu-west-1") {
		t.Errorf("%v %q", e, e.Hints)
	}
	a = New(t.Context(), source.Table("arn:aws:dynamodb:us-east-1:222222222222:table/rendered")).Query(fleet.Query{Part: "prod#web"})
	if e, _ = errors.AsType[*sources.Error](a.Err); e == nil || !strings.Contains(e.Error(), "us-east-1, account 222222222222") {
		t.Errorf("%v", a.Err)
	}
	if got := fake.Requests(); got[1].Region != "us-east-1" {
		t.Errorf("asked in %s", got[1].Region)
	}
}

// A table whose key is another one refuses what is written, and the hint says how it is to be.
func TestOtherKey(t *testing.T) {
	other := strings.NewReplacer(`"pk":`, `"id":`)
	fake := awsfake.Start(t)
	fake.MakeTable("rendered")
	table := New(t.Context(), open(t, rewriting{other}, fake.Env()).Table("rendered"))
	a := table.Update(write)
	e, _ := errors.AsType[*sources.Error](a.Err)
	if e == nil || a.Silent || !strings.Contains(e.Error(), "The provided key element does not match the schema") || !strings.Contains(strings.Join(e.Hints, ""), "must be pk and sk") {
		t.Errorf("%+v", a)
	}
}

// Nobody is there.
func TestNobodyAnswers(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	fake := awsfake.New()
	fake.URL = "http://" + listener.Addr().String()
	for url, want := range map[string]string{
		fake.URL:                 "connection refused",
		"http://nowhere.invalid": "nowhere.invalid: ",
	} {
		fake.URL = url
		a := New(t.Context(), open(t, http.DefaultTransport, fake.Env()).Table("rendered")).Update(write)
		if a.Err == nil || !a.Silent || !strings.Contains(a.Err.Error(), want) {
			t.Errorf("%+v", a)
		}
	}
}

// An answer is waited for ten seconds, and not when the table is no longer used.
func TestTimeout(t *testing.T) {
	fake := awsfake.New()
	fake.URL = "http://aws.test"
	environment(t, fake.Env())
	synctest.Test(t, func(t *testing.T) {
		fake := awsfake.New()
		fake.MakeTable("rendered")
		fake.Inject(awsfake.Fault{Kind: awsfake.Hang})
		source, err := aws.New(t.Context(), aws.Options{Transport: fake.Transport()})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		begun := time.Now()
		a := New(ctx, source.Table("rendered")).Update(write)
		if took := time.Since(begun); a.Err == nil || !a.Silent || took != 10*time.Second || !strings.Contains(a.Err.Error(), "nothing within 10s") {
			t.Errorf("after %v: %+v", took, a)
		}
		time.AfterFunc(time.Second, cancel)
		begun = time.Now()
		if a := New(ctx, source.Table("rendered")).Query(fleet.Query{Part: "p"}); !errors.Is(a.Err, context.Canceled) || time.Since(begun) != time.Second {
			t.Errorf("%+v", a)
		}
		fake.Clear()
	})
}

// A look at a large fleet has tens of thousands of values.
func TestLargeFleet(t *testing.T) {
	fake := awsfake.New()
	fake.URL = "http://aws.test"
	fake.SetLatency(0)
	fake.MakeTable("rendered")
	table := New(t.Context(), open(t, fake.Transport(), fake.Env()).Table("rendered"))
	const slots = 2000
	for i := range slots {
		u := fleet.Update{
			Key: fleet.Key{Part: "prod#web", Sort: fmt.Sprintf("slot#%06d", i)},
			Set: fleet.Item{"lease": "0123456789abcdef0123456789abcdef", "owner": "host", "until": int64(1_800_000_000_000), "kept": int64(0), "at": int64(1), "hold": int64(9)},
		}
		if a := table.Update(u); a.Err != nil {
			t.Fatal(a.Err)
		}
	}
	fake.PageBytes(150_000)
	a := table.Query(fleet.Query{Part: "prod#web", Consistent: true})
	if a.Err != nil || len(a.Items) != slots || a.Items[slots-1].Item.Number("hold") != 9 {
		t.Fatalf("%d items, %v", len(a.Items), a.Err)
	}
	fake.PageBytes(1)
	if a := table.Query(fleet.Query{Part: "prod#web"}); !errors.Is(a.Err, errTooMuch) || a.Silent || len(a.Items) > 0 {
		t.Errorf("%d items, %v", len(a.Items), a.Err)
	}
}

// A read that is not consistent may see what was; one that is does not.
func TestConsistency(t *testing.T) {
	fake := awsfake.New()
	fake.URL = "http://aws.test"
	fake.MakeTable("rendered")
	table := New(t.Context(), open(t, fake.Transport(), fake.Env()).Table("rendered"))
	fake.Lag(time.Hour)
	if a := table.Update(write); a.Err != nil {
		t.Fatal(a.Err)
	}
	for consistent, want := range map[bool]int{false: 0, true: 1} {
		if a := table.Query(fleet.Query{Part: "prod#web", Consistent: consistent}); a.Err != nil || len(a.Items) != want {
			t.Errorf("%t: %+v", consistent, a)
		}
	}
}

// Requests are counted with what AWS charges for them.
func TestCost(t *testing.T) {
	fake := awsfake.New()
	fake.URL = "http://aws.test"
	fake.MakeTable("rendered")
	source := open(t, fake.Transport(), fake.Env())
	var calls []string
	source.CountTo(func(c aws.Call) {
		calls = append(calls, fmt.Sprintf("%s %q $%.4g a million", c.API, c.Reason, c.Price*1e6))
	})
	table := New(t.Context(), source.Table("rendered"))
	table.Update(write)
	table.Update(write)
	table.Query(fleet.Query{Part: "prod#web"})
	table.Query(fleet.Query{Part: "prod#web", Consistent: true, Count: true})
	fake.Inject(awsfake.Fault{Kind: awsfake.Throttle})
	table.Update(write)
	want := []string{
		`UpdateItem "" $0.625 a million`, `UpdateItem "" $0.625 a million`, `Query "" $0.0625 a million`, `Query "" $0.125 a million`,
		`UpdateItem "AWS is throttling" $0 a million`,
	}
	if strings.Join(calls, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q", calls)
	}
}

// The policy is to allow the keys of the group, whichever is asked for.
func TestKeys(t *testing.T) {
	for part, want := range map[string]string{
		fleet.PartOf("prod", "web"): "[prod#web prod#web#hosts]", fleet.HostsOf("prod", "web"): "[prod#web prod#web#hosts]",
		fleet.PartOf("prod", "hosts"): "[prod#hosts prod#hosts#hosts]", fleet.HostsOf("prod", "hosts"): "[prod#hosts prod#hosts#hosts]",
	} {
		if got := fmt.Sprint(keys(part)); got != want {
			t.Errorf("%s: %s", part, got)
		}
	}
}
