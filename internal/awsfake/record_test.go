package awsfake_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rendered/rendered/internal/awsfake"
)

func TestRecord(t *testing.T) {
	s := awsfake.New()
	cfg := inProcess(s)
	cfg.AppID = "rendered/1.0"
	c := connect(cfg)
	const canary = "c4n4ry-v4lue"
	if _, err := c.sm.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("prod/db"), SecretString: aws.String(canary)}); err != nil {
		t.Fatal(err)
	}
	if err := parameters(t.Context(), c, "/a:1", "/b"); err != nil {
		t.Fatal(err)
	}
	s.Inject(awsfake.Fault{Kind: awsfake.Throttle})
	_ = parameters(t.Context(), c, "/c")
	_ = whoAmI(t.Context(), c)
	const caller = "arn:aws:sts::111111111111:assumed-role/web/i-0123456789abcdef0"
	want := []awsfake.Request{
		{Operation: "CreateSecret", Names: []string{"prod/db"}, Caller: caller, Account: "111111111111", Region: "eu-west-1"},
		{Operation: "GetParameters", Names: []string{"/a:1", "/b"}, Caller: caller, Account: "111111111111", Region: "eu-west-1"},
		{Operation: "GetParameters", Names: []string{"/c"}, Caller: caller, Account: "111111111111", Region: "eu-west-1"},
		{Operation: "GetCallerIdentity", Caller: caller, Account: "111111111111", Region: "eu-west-1"},
	}
	if diff := cmp.Diff(want, s.Requests(), cmpopts.IgnoreFields(awsfake.Request{}, "UserAgent")); diff != "" {
		t.Errorf("requests: got + want -\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"CreateSecret": 1, "GetParameters": 2, "GetCallerIdentity": 1}, s.Calls()); diff != "" {
		t.Errorf("calls: got + want -\n%s", diff)
	}
	if agent := s.Requests()[0].UserAgent; !strings.Contains(agent, "app/rendered-1.0") {
		t.Errorf("the user agent is %q", agent)
	}
	if strings.Contains(fmt.Sprintf("%+v", s.Requests()), canary) {
		t.Error("a request holds a value")
	}
	s.ResetCalls()
	if len(s.Calls())+len(s.Requests())+s.MaxInFlight() != 0 {
		t.Errorf("after ResetCalls: %v, %v, %d", s.Calls(), s.Requests(), s.MaxInFlight())
	}
}

// A call that a test prepares its server with is not one of the program under test.
func TestSeedsAreNotCounted(t *testing.T) {
	s, c := start()
	s.Inject(awsfake.Fault{Kind: awsfake.Throttle})
	s.PutParameter("/a", "String", "1")
	s.PutSecret("db", "1")
	s.DeleteSecret("db")
	s.RestoreSecret("db")
	s.RemoveSecret("db")
	s.RemoveSecret("db")
	s.DeleteParameter("/a")
	if len(s.Calls()) != 0 {
		t.Errorf("counted %v", s.Calls())
	}
	s.Clear()
	if got := refused(t, secretValue(t.Context(), c)).code; got != "ResourceNotFoundException" {
		t.Errorf("got %s", got)
	}
}

func TestSeedPanicsWhereAWSRefuses(t *testing.T) {
	s := awsfake.New()
	s.PutSecret("deleted", "x")
	s.DeleteSecret("deleted")
	for name, seed := range map[string]func(){
		"bad name":         func() { s.PutSecret("a:b", "x") },
		"empty text":       func() { s.PutSecret("a", "") },
		"deleted":          func() { s.PutSecret("deleted", "y") },
		"no such secret":   func() { s.SecretARN("none") },
		"no such version":  func() { s.PutSecret("b", "x"); s.StageSecret("b", "AWSCURRENT", "none") },
		"bad parameter":    func() { s.PutParameter("a/b", "String", "x") },
		"bad type":         func() { s.PutParameter("/a", "text", "x") },
		"reserved":         func() { s.PutParameter("/aws/mine", "String", "x") },
		"not there":        func() { s.DeleteParameter("/none") },
		"nothing to share": func() { s.Share("none", "222222222222") },
		"no account":       func() { s.In("other", "") },
		"no queue":         func() { s.Send("https://sqs.eu-west-1.amazonaws.com/111111111111/none", "x") },
		"public bad value": func() { s.PutParameter("/aws/service/a", "String", "") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if r := recover(); r == nil || !strings.HasPrefix(fmt.Sprint(r), "awsfake: ") {
					t.Errorf("it gave %v", r)
				}
			}()
			seed()
		})
	}
}

func TestMaxInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start()
		s.SetLatency(time.Second)
		var all sync.WaitGroup
		for i := range 6 {
			all.Go(func() {
				<-time.After(time.Duration(i/4) * 10 * time.Second) // a wave of four and one of two
				_ = secretValue(t.Context(), c)
			})
		}
		all.Wait()
		if n := s.MaxInFlight(); n != 4 {
			t.Errorf("at most %d in flight, want 4", n)
		}
	})
}

func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start()
		s.PutParameter("/a", "String", "1")
		for _, d := range []time.Duration{0, time.Millisecond, 5 * time.Second} {
			s.SetLatency(d)
			begun := time.Now()
			if err := parameters(t.Context(), c, "/a"); err != nil || time.Since(begun) != d {
				t.Errorf("with a latency of %v: %v after %v", d, err, time.Since(begun))
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := parameters(ctx, c, "/a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the client does not wait: %v", err)
		}
	})
}

func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start()
		begun := time.Now()
		go func() {
			<-time.After(time.Minute)
			_ = secretValue(t.Context(), c)
			_ = parameters(t.Context(), c, "/a")
		}()
		if err := s.Await(t.Context(), "", 2); err != nil || time.Since(begun) < time.Minute {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := s.Await(ctx, "GetParameters", 2); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the end of the context", err)
		}
	})
}

// Readers, writers and faults at once: the race detector looks on, and nobody sees half a change.
func TestConcurrentUse(t *testing.T) {
	s := awsfake.Start(t)
	c := connect(config(s.URL))
	s.PutSecret("prod/db", "0")
	s.PutParameter("/a", "String", "0")
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for n := range 10 {
				s.PutSecret("prod/db", fmt.Sprint(i, n))
				s.PutParameter("/a", "", fmt.Sprint(i, n))
				s.Inject(awsfake.Fault{Name: "/none", Kind: awsfake.Deny})()
				s.Requests()
				if err := errors.Join(secretValue(t.Context(), c), parameters(t.Context(), c, "/a", "/a:1")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if diff := cmp.Diff(map[string]int{"GetSecretValue": 40, "GetParameters": 40}, s.Calls()); diff != "" {
		t.Errorf("calls: got + want -\n%s", diff)
	}
	out, err := c.ssm.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("/a")})
	if err != nil || out.Parameter.Version != 41 {
		t.Errorf("version %d after 41 puts, %v", out.Parameter.Version, err)
	}
}

// An account and Region of one's own.
func TestOptions(t *testing.T) {
	s := awsfake.New(awsfake.Account("222222222222"), awsfake.Region("us-east-2"))
	cfg := inProcess(s)
	cfg.Region = "us-east-2"
	c := connect(cfg)
	s.PutSecret("db", "x")
	if arn := s.SecretARN("db"); !strings.HasPrefix(arn, "arn:aws:secretsmanager:us-east-2:222222222222:secret:db-") {
		t.Error(arn)
	}
	if err := whoAmI(t.Context(), c); err != nil {
		t.Error(err)
	}
	if got := refused(t, parameters(t.Context(), connect(inProcess(s)), "/a")); got.code != "InvalidSignatureException" {
		t.Errorf("from another Region: %v", got)
	}
}
