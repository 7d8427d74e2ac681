package aws

import (
	"testing"

	"github.com/rendered/rendered/sources"
)

// Every kind that costs a call of AWS has who asks for it, and its service slots and a remedy for
// throttling.
func TestEveryKindOfAWSIsAskedFor(t *testing.T) {
	_, s := start(t, Options{})
	for _, kind := range sources.Kinds(func(t sources.Traits) bool { return t.Call.Service != "" }) {
		service := kind.Traits().Call.Service
		if askers[kind] == nil || s.home.slots[service] == nil || throttleHints[service] == nil {
			t.Errorf("%s of %s", kind, service)
		}
		policies, err := Policies(Options{Region: "eu-west-1"}, Wants{Refs: []sources.Ref{{Kind: kind, Name: "/a"}}})
		if err != nil || len(policies) != 1 || len(policies[0].Statements) != 1 {
			t.Errorf("%s takes the permissions %v, %v", kind, policies, err)
		}
	}
	for kind := range askers {
		if kind.Traits().Answerer != sources.AWS {
			t.Errorf("%s is not AWS's", kind)
		}
	}
}
