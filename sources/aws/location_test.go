package aws

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/sources"
)

const (
	reader  = "arn:aws:iam::222222222222:role/reader"
	foreign = "222222222222"
)

// TestPlaces counts what a pass over two accounts and two Regions asks.
func TestPlaces(t *testing.T) {
	for _, batches := range []bool{false, true} {
		t.Run(fmt.Sprint("batches ", batches), func(t *testing.T) {
			fake, s := start(t, Options{BatchSecrets: batches, Accounts: map[string]Account{
				"far":     {Region: "us-east-1"},
				"shared":  {RoleARN: reader, ExternalID: "ext"},
				"yonder":  {RoleARN: reader, ExternalID: "ext", Region: "us-east-1"},
				"nowhere": {RoleARN: "arn:aws:iam::222222222222:role/none"},
			}})
			fake.AllowRole(reader, "ext")
			var list []sources.Ref
			want := make(map[sources.Ref]string)
			for prefix, at := range map[string]*awsfake.Place{
				"": fake.In("", ""), "far::": fake.In("", "us-east-1"), "shared::": fake.In(foreign, ""), "yonder::": fake.In(foreign, "us-east-1"),
			} {
				for i := range 250 {
					name := fmt.Sprintf("/app/%d", i)
					at.PutParameter(name, "SecureString", prefix+name)
					want[ref(t, "param "+prefix+name)] = prefix + name
				}
				for i := range 25 {
					name := fmt.Sprintf("prod/%d", i)
					at.PutSecret(name, prefix+name)
					want[ref(t, "secret "+prefix+name)] = prefix + name
				}
			}
			for i := range 5 {
				path := fmt.Sprintf("/path/%d", i)
				for j := range 12 {
					fake.PutParameter(fmt.Sprintf("%s/%d", path, j), "String", "v")
				}
				list = append(list, ref(t, "params "+path))
			}
			for r := range want {
				list = append(list, r)
			}
			calls := map[string]int{"GetParameters": 100, "GetParametersByPath": 10, "AssumeRole": 1}
			if batches {
				calls["BatchGetSecretValue"] = 4 * 2
			} else {
				calls["GetSecretValue"] = 100
			}
			for pass := range 2 {
				fake.ResetCalls()
				for r, got := range fetchAll(t.Context(), t, s, list...) {
					if got.Err != nil || r.Kind != sources.Params && got.Value.Text != want[r] {
						t.Errorf("%s: %v", r, got.Err)
					}
				}
				wantCalls(t, fake, calls)
				if delete(calls, "AssumeRole"); pass == 0 && t.Failed() {
					t.FailNow()
				}
			}
			if got := fetchOne(t, s, "secret nowhere::prod/1"); got.Err == nil || got.Err.Reason != sources.Credentials {
				t.Errorf("a role that cannot be assumed: %v", got.Err)
			}
			if got := fetchOne(t, s, "secret prod/1"); got.Err != nil {
				t.Errorf("and the daemon's own account: %v", got.Err)
			}
		})
	}
}

// TestARNs finds the location of an ARN by its account and Region.
func TestARNs(t *testing.T) {
	fake, s := start(t, Options{RoleARN: "arn:aws:iam::111111111111:role/web", Accounts: map[string]Account{
		"shared": {RoleARN: reader},
		"open":   {ID: "333333333333"},
	}})
	far, foreignFar, open := fake.In("", "us-east-1"), fake.In(foreign, "us-east-1"), fake.In("333333333333", "")
	for at, text := range map[*awsfake.Place]string{far: "far", foreignFar: "foreign", open: "open"} {
		at.PutSecret("s", text+" secret")
		at.PutParameter("/p", "String", text+" param")
	}
	open.Share("s", "111111111111")
	open.Share("/p", "111111111111")
	for at, text := range map[*awsfake.Place]string{far: "far", foreignFar: "foreign", open: "open"} {
		if got := fetchOne(t, s, "secret "+at.SecretARN("s")); got.Err != nil || got.Value.Text != text+" secret" {
			t.Errorf("%s: %v", text, got.Err)
		}
		if got := fetchOne(t, s, "param "+at.ParameterARN("/p")); got.Err != nil || got.Value.Text != text+" param" {
			t.Errorf("%s: %v", text, got.Err)
		}
	}
	fake.PutSecret("s", "our own")
	for _, text := range []string{"secret open::s", "param open::/p"} {
		if got := fetchOne(t, s, text); got.Err == nil || got.Err.Reason != sources.Unanswerable {
			t.Errorf("%s, whose name the daemon's own credentials do not reach: %v", text, got)
		}
	}
	if got := fetchOne(t, s, "secret arn:aws:secretsmanager:eu-west-1:444444444444:secret:s-AbCdEf"); got.Err == nil || got.Err.Reason != sources.Unanswerable {
		t.Errorf("an account that nobody configured: %v", got.Err)
	}
}

// TestFailureOfOneLocationLeavesOthersAlone lets one account hang.
func TestFailureOfOneLocationLeavesOthersAlone(t *testing.T) {
	fake := awsfake.New()
	fake.AllowRole(reader, "")
	shared := fake.In(foreign, "")
	for i := range 50 {
		shared.PutSecret(fmt.Sprint("s", i), "x")
		fake.PutSecret(fmt.Sprint("h", i), "x")
	}
	environment(t, fake.Env()...)
	synctest.Test(t, func(t *testing.T) {
		s, err := New(t.Context(), Options{Transport: hang{fake.Transport(), "/reader/"}, Timeout: 9 * time.Second, Accounts: map[string]Account{"shared": {RoleARN: reader}}})
		if err != nil {
			t.Fatal(err)
		}
		var list []sources.Ref
		for i := range 50 {
			list = append(list, ref(t, fmt.Sprint("secret shared::s", i)), ref(t, fmt.Sprint("secret h", i)))
		}
		begun := time.Now()
		s.Fetch(t.Context(), list, func(r sources.Ref, got sources.Result) {
			if home := r.Account == ""; home != (got.Err == nil) || home != (time.Since(begun) < time.Second) {
				t.Errorf("%s after %v: %v", r, time.Since(begun), got.Err)
			}
		})
	})
}

// hang is a transport that never answers what is signed with a session's credentials.
type hang struct {
	http.RoundTripper
	of string
}

func (h hang) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("X-Amz-Security-Token") != "" {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return h.RoundTripper.RoundTrip(r)
}

// TestUnderAWSsQuotas makes passes over many names where AWS grants what it grants by default.
func TestUnderAWSsQuotas(t *testing.T) {
	tests := []struct {
		name   string
		kind   sources.Kind
		count  int
		most   int
		within time.Duration // 1.2 times the ideal
		fails  int           // of so many calls one answers 500; 0: none
	}{
		{"1,000 parameters", sources.Param, 1000, 105, 1800 * time.Millisecond, 0},
		{"3,000 parameters", sources.Param, 3000, 315, 7800 * time.Millisecond, 0},
		{"10,000 parameters", sources.Param, 10000, 1050, 29 * time.Second, 0},
		{"10,000 secrets", sources.Secret, 10000, 525, 4800 * time.Millisecond, 0},
		{"1,000 parameters, five in a hundred calls fail", sources.Param, 1000, 115, 3 * time.Second, 20},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fake := awsfake.New()
			fake.LimitAsAWS()
			var list []sources.Ref
			for i := range tt.count {
				name := fmt.Sprintf("/n/%d", i)
				if tt.kind == sources.Param {
					fake.PutParameter(name, "String", "v")
				} else {
					fake.PutSecret(name, "v")
				}
				list = append(list, sources.Ref{Kind: tt.kind, Name: name})
			}
			environment(t, fake.Env()...)
			synctest.Test(t, func(t *testing.T) {
				fake.SetLatency(10 * time.Millisecond)
				s, err := New(t.Context(), Options{Transport: &failing{RoundTripper: fake.Transport(), every: int64(tt.fails)}, BatchSecrets: true})
				if err != nil {
					t.Fatal(err)
				}
				begun := time.Now()
				s.Fetch(t.Context(), list, func(r sources.Ref, got sources.Result) {
					if got.Err != nil {
						t.Errorf("%s: %v", r, got.Err)
					}
				})
				took, calls := time.Since(begun), 0
				for n := range maps.Values(fake.Calls()) {
					calls += n
				}
				t.Logf("%v calls, %v throttled, %v", fake.Calls(), fake.Throttled(), took)
				if calls > tt.most || took > tt.within {
					t.Errorf("%d calls in %v, want at most %d in %v", calls, took, tt.most, tt.within)
				}
			})
		})
	}
}

// failing is a transport that answers every so-manieth call with HTTP 500.
type failing struct {
	http.RoundTripper
	every, calls int64
}

func (f *failing) RoundTrip(r *http.Request) (*http.Response, error) {
	if n := atomic.AddInt64(&f.calls, 1); f.every == 0 || n%f.every != 0 {
		return f.RoundTripper.RoundTrip(r)
	}
	body := `{"__type":"InternalServerError","message":"x"}`
	return &http.Response{
		StatusCode: 500, Request: r, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}
