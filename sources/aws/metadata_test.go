package aws

import (
	"testing"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/sources"
)

func TestMetadata(t *testing.T) {
	fake := awsfake.Start(t)
	environment(t, fake.InstanceEnv()...)
	fake.Metadata().Set("tags/instance/Name", "web-1")
	m, err := NewMetadata(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"imds placement/region":    "eu-west-1",
		"imds tags/instance/Name":  "web-1",
		"imds /tags/instance/Name": "web-1",
	} {
		if got := fetchAll(t.Context(), t, m, ref(t, text))[ref(t, text)]; got.Err != nil || got.Value.Text != want || got.Value.Secret {
			t.Errorf("%s: %q, %v", text, got.Value.Text, got.Err)
		}
	}
	document := ref(t, "imds dynamic/instance-identity/document")
	if got := fetchAll(t.Context(), t, m, document)[document]; got.Err != nil || got.Value.Text == "" {
		t.Errorf("the identity document: %v", got.Err)
	}
	missing := ref(t, "imds tags/instance/None")
	if got := fetchAll(t.Context(), t, m, missing)[missing]; got.Err == nil || got.Err.Reason != sources.Missing || len(got.Err.Hints) == 0 {
		t.Errorf("a tag that is not there: %v", got.Err)
	}
	fake.Metadata().Refuse()
	name := ref(t, "imds tags/instance/Name")
	if got := fetchAll(t.Context(), t, m, name)[name]; got.Err == nil || got.Err.Reason != sources.Unavailable {
		t.Errorf("switched off: %v", got.Err)
	}
}

func TestOwnRegionAndAccount(t *testing.T) {
	fake := awsfake.Start(t)
	environment(t, fake.InstanceEnv()...) // the Region comes from instance metadata
	s := open(t, Options{})
	for range 2 {
		for text, want := range map[string]string{"aws region": "eu-west-1", "aws account": "111111111111"} {
			if got := fetchOne(t, s, text); got.Err != nil || got.Value.Text != want {
				t.Errorf("%s: %q, %v", text, got.Value.Text, got.Err)
			}
		}
	}
	wantCalls(t, fake, map[string]int{"GetCallerIdentity": 1})
}

func TestAccountWithoutSTS(t *testing.T) {
	fake, s := startOnce(t)
	fake.Inject(awsfake.Fault{Kind: awsfake.Drop, Operation: "GetCallerIdentity"})
	if got := fetchOne(t, s, "aws account"); got.Err == nil || got.Err.Reason != sources.Unavailable {
		t.Errorf("%v", got.Err)
	}
	fake.PutParameter("/x", "String", "v")
	fetchOne(t, s, "param /x") // its ARN tells the account
	if got := fetchOne(t, s, "aws account"); got.Err != nil || got.Value.Text != "111111111111" {
		t.Errorf("%v", got.Err)
	}
}
