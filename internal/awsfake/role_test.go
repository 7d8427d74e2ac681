package awsfake_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rendered/rendered/internal/awsfake"
)

func TestRolesAreAllowed(t *testing.T) {
	s, c := start()
	const closed, hub = "arn:aws:iam::222222222222:role/team/closed", "arn:aws:iam::111111111111:role/hub"
	assume := func(c clients, role, externalID string) error {
		in := &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("host-1")}
		if externalID != "" {
			in.ExternalId = &externalID
		}
		_, err := c.sts.AssumeRole(t.Context(), in)
		return err
	}
	if err := assume(c, closed, ""); err != nil {
		t.Errorf("before anything is said about roles: %v", err)
	}
	s.AllowRole(reader, "")
	s.AllowRole(closed, "x-1", hub)
	s.AllowRole(hub, "")
	chained := as(s, "eu-west-1", hub)
	denied := func(who, role string) refusal {
		return refusal{"AccessDenied", 403, "User: " + who + " is not authorized to perform: sts:AssumeRole on resource: " + role}
	}
	for _, tc := range []struct {
		name             string
		c                clients
		role, externalID string
		want             refusal
	}{
		{"open to all", c, reader, "", refusal{}},
		{"an external id that nobody asked for", c, reader, "x-2", refusal{}},
		{"unknown", c, "arn:aws:iam::222222222222:role/none", "", denied(web, "arn:aws:iam::222222222222:role/none")},
		{"of another account", c, "arn:aws:iam::333333333333:role/reader", "", denied(web, "arn:aws:iam::333333333333:role/reader")},
		{"not trusted", c, closed, "x-1", denied(web, closed)},
		{"chained", chained, closed, "x-1", refusal{}},
		{"chained without the external id", chained, closed, "", denied("arn:aws:sts::111111111111:assumed-role/hub/test", closed)},
		{"chained with another external id", chained, closed, "x-2", denied("arn:aws:sts::111111111111:assumed-role/hub/test", closed)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := assume(tc.c, tc.role, tc.externalID)
			if err == nil && tc.want == (refusal{}) {
				return
			}
			if got := refused(t, err); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
	if n := s.Calls()["AssumeRole"]; n != 10 { // the chained clients assumed the hub once
		t.Errorf("%d calls of AssumeRole", n)
	}
}

func TestSessionLength(t *testing.T) {
	s, c := start()
	lasts := func(seconds int32) (time.Duration, error) {
		out, err := c.sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(reader), RoleSessionName: aws.String("me"), DurationSeconds: &seconds})
		if err != nil {
			return 0, err
		}
		return time.Until(*out.Credentials.Expiration).Round(10 * time.Second), nil
	}
	for seconds, want := range map[int32]refusal{
		899:   {"ValidationError", 400, "1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value between 900 and 43200"},
		900:   {},
		3600:  {},
		3601:  {"ValidationError", 400, "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."},
		43201: {"ValidationError", 400, "1 validation error detected: Value '43201' at 'durationSeconds' failed to satisfy constraint: Member must have value between 900 and 43200"},
	} {
		got, err := lasts(seconds)
		switch {
		case want == (refusal{}) && (err != nil || got != time.Duration(seconds)*time.Second):
			t.Errorf("%d: %v, %v", seconds, got, err)
		case want != (refusal{}) && refused(t, err) != want:
			t.Errorf("%d: %v", seconds, err)
		}
	}
	s.SetSessionLifetime(time.Minute)
	if got, err := lasts(900); err != nil || got != time.Minute {
		t.Errorf("made shorter: %v, %v", got, err)
	}
	s.SetSessionLifetime(0)
	if got, err := lasts(900); err != nil || got != 15*time.Minute {
		t.Errorf("not made shorter any more: %v, %v", got, err)
	}
}

// A chain of two roles as the SDK builds it: each is renewed when its time is over, and neither
// before.
func TestChainIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const hub = "arn:aws:iam::111111111111:role/hub"
		s := awsfake.New()
		s.SetSessionLifetime(10 * time.Second)
		s.AllowRole(hub, "")
		s.AllowRole(reader, "x-1", hub)
		s.In(other, "").PutParameter("/a", "String", "theirs")
		cfg := inProcess(s)
		for _, role := range []string{hub, reader} {
			next := cfg.Copy()
			next.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(connect(cfg).sts, role, func(o *stscreds.AssumeRoleOptions) {
				o.ExternalID = aws.String("x-1")
			}))
			cfg = next
		}
		c := connect(cfg)
		for range 3 {
			for range 5 {
				if got := setting(t, c, "/a"); got != "theirs" {
					t.Fatal(got)
				}
			}
			<-time.After(11 * time.Second)
		}
		if n := s.Calls()["AssumeRole"]; n != 6 {
			t.Errorf("assumed %d roles, want two in each of three sessions", n)
		}
	})
}
