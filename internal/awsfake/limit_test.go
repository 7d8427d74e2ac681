package awsfake_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/google/go-cmp/cmp"

	"github.com/rendered/rendered/internal/awsfake"
)

// let counts how many of n calls, one right after the other, are not throttled.
func let(t *testing.T, n int, call func(i int) error) int {
	t.Helper()
	passed := 0
	for i := range n {
		err := call(i)
		if err == nil {
			passed++
			continue
		}
		if got := refused(t, err); got.text != "Rate exceeded" || got.status != 400 || got.code != "ThrottlingException" {
			t.Fatalf("got %v", got)
		}
	}
	return passed
}

func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start()
		s.SetLatency(0)
		s.PutParameter("/a", "String", "x")
		s.PutSecret("prod/db", "x")
		ctx := t.Context()
		reads := []func() error{
			func() error { return parameters(ctx, c, "/a") },
			func() error { _, err := read(ctx, c); return err },
			func() error {
				_, err := c.ssm.GetParametersByPath(ctx, &ssm.GetParametersByPathInput{Path: aws.String("/")})
				return err
			},
		}
		parameter := func(i int) error { return reads[i%3]() }
		secret := func(int) error { return secretValue(ctx, c) }
		batch := func(int) error {
			_, err := c.sm.BatchGetSecretValue(ctx, &secretsmanager.BatchGetSecretValueInput{SecretIdList: []string{"prod/db"}})
			return err
		}
		if n := let(t, 100, parameter); n != 100 {
			t.Errorf("without a limit %d of 100 passed", n)
		}
		s.Limit(awsfake.ParameterReads, 40, 20)
		s.Limit(awsfake.SecretBatches, 100, 5)
		if n := let(t, 30, parameter); n != 20 {
			t.Errorf("%d of 30 passed a burst of 20", n)
		}
		if n := let(t, 6, batch); n != 5 {
			t.Errorf("%d of 6 passed a burst of 5", n)
		}
		if n := let(t, 50, secret); n != 50 {
			t.Errorf("%d of 50 passed without a limit of their own", n)
		}
		s.ResetCalls()
		<-time.After(100 * time.Millisecond)
		if n := let(t, 9, parameter); n != 4 {
			t.Errorf("%d of 9 passed after a tenth of a second, want 4", n)
		}
		if diff := cmp.Diff(map[string]int{"GetParameter": 2, "GetParameters": 1, "GetParametersByPath": 2}, s.Throttled()); diff != "" {
			t.Errorf("throttled: got + want -\n%s", diff)
		}
		if diff := cmp.Diff(map[string]int{"GetParameter": 3, "GetParameters": 3, "GetParametersByPath": 3}, s.Calls()); diff != "" {
			t.Errorf("calls: got + want -\n%s", diff)
		}
		<-time.After(time.Hour)
		if n := let(t, 30, parameter); n != 20 {
			t.Errorf("%d of 30 passed after an hour: a bucket holds no more than its burst of 20", n)
		}
		<-time.After(time.Hour)
		steady := 0
		for range 1000 { // at the rate
			steady += let(t, 1, parameter)
			<-time.After(25 * time.Millisecond)
		}
		if steady != 1000 {
			t.Errorf("%d of 1000 passed at the rate itself", steady)
		}
		s.Limit(awsfake.ParameterReads, 0, 0)
		if n := let(t, 100, parameter); n != 100 {
			t.Errorf("%d of 100 passed after the limit was taken away", n)
		}
	})
}

func TestLimitIsOfAnAccountAndRegion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, home := start()
		s.SetLatency(0)
		s.In("", "us-east-1")
		s.Limit(awsfake.ParameterReads, 40, 40)
		for name, c := range map[string]clients{"home": home, "far": in(s, "us-east-1"), "other": as(s, "eu-west-1", reader)} {
			if n := let(t, 50, func(int) error { return parameters(t.Context(), c, "/a") }); n != 40 {
				t.Errorf("%s: %d of 50 passed, want 40", name, n)
			}
		}
	})
}

func TestLimitAsAWS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start()
		s.SetLatency(0)
		s.PutSecret("prod/db", "x")
		s.LimitAsAWS()
		for name, tc := range map[string]struct {
			want int
			call func(int) error
		}{
			"parameters": {40, func(int) error { return parameters(t.Context(), c, "/a") }},
			"batches": {100, func(int) error {
				_, err := c.sm.BatchGetSecretValue(t.Context(), &secretsmanager.BatchGetSecretValueInput{SecretIdList: []string{"prod/db"}})
				return err
			}},
			"secrets": {500, func(int) error { return secretValue(t.Context(), c) }}, // of 10,000
		} {
			if n := let(t, 500, tc.call); n != tc.want {
				t.Errorf("%s: %d of 500 passed, want %d", name, n, tc.want)
			}
		}
		passed := 0
		for range 650 {
			if err := whoAmI(t.Context(), c); err == nil {
				passed++
			} else if got := refused(t, err); got != (refusal{"Throttling", 400, "Rate exceeded"}) {
				t.Fatal(got)
			}
		}
		if passed != 600 || s.Throttled()["GetCallerIdentity"] != 50 {
			t.Errorf("STS: %d of 650 passed, throttled %v", passed, s.Throttled())
		}
	})
}

// A token is taken as the call arrives, whether or not its answer is waited for.
func TestLimitCountsArrivals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start()
		s.SetLatency(time.Second)
		s.Limit(awsfake.ParameterReads, 1, 2)
		var passed, throttled int
		answers := make(chan error)
		for range 5 {
			go func() { answers <- parameters(t.Context(), c, "/a") }()
		}
		begun := time.Now()
		for range 5 {
			if <-answers == nil {
				passed++
			} else {
				throttled++
			}
		}
		if passed != 2 || throttled != 3 || time.Since(begun) != time.Second {
			t.Errorf("%d passed and %d were throttled after %v, want 2 and 3 after a second", passed, throttled, time.Since(begun))
		}
	})
}

// A fault that throttles counts as well.
func TestThrottledByFault(t *testing.T) {
	s, c := start()
	s.Inject(awsfake.Fault{Kind: awsfake.Throttle, Times: 2})
	for range 3 {
		_ = parameters(t.Context(), c, "/a")
	}
	if diff := cmp.Diff(map[string]int{"GetParameters": 2}, s.Throttled()); diff != "" {
		t.Errorf("got + want -\n%s", diff)
	}
	s.ResetCalls()
	if len(s.Throttled()) != 0 {
		t.Errorf("after ResetCalls: %v", s.Throttled())
	}
}
