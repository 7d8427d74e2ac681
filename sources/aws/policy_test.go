package aws

import (
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/rendered/rendered/sources"
)

var update = flag.Bool("update", false, "write what is given to the golden files")

// everyRef has a ref of each kind and form.
var everyRef = []string{
	"secret prod/db", "secret prod/db:AWSPREVIOUS", "secret arn:aws:secretsmanager:us-east-1:222222222222:secret:pay-AbCdEf",
	"secret arn:aws:secretsmanager:eu-west-1:333333333333:secret:open-AbCdEf", "secret shared::prod/db", "secret far::prod/db",
	"param /app/a", "param app-b", "param /app/c:3", "param /app/d:live", "param yonder::/app/e",
	"param arn:aws:ssm:eu-west-1:333333333333:parameter/open/x", "param /aws/service/ami", "param /aws/reference/secretsmanager/prod/ref:AWSPENDING",
	"params /shop/", "params /shop/a", "params /far", "file /etc/hostname", "imds placement/region", "aws region", "aws account",
}

// everyPlace has an account of each form.
var everyPlace = map[string]Account{
	"shared": {RoleARN: reader}, "yonder": {RoleARN: reader, Region: "us-east-1"}, "open": {ID: "333333333333"}, "far": {Region: "us-east-1"},
	"unused": {RoleARN: "arn:aws:iam::444444444444:role/unused"},
}

func TestPolicies(t *testing.T) {
	var refs []sources.Ref
	for _, text := range everyRef {
		refs = append(refs, ref(t, text))
	}
	for name, c := range map[string]struct {
		options Options
		wants   Wants
	}{
		"own": {Options{Region: "eu-west-1", Accounts: everyPlace}, Wants{
			Account: "111111111111", Queue: "https://sqs.eu-central-1.amazonaws.com/111111111111/rendered-web-1",
			Keys: []string{"arn:aws:kms:eu-west-1:111111111111:key/own", "arn:aws:kms:us-east-1:222222222222:key/shared", "arn:aws:kms:eu-west-1:555555555555:key/other"},
		}},
		"unknown": {Options{}, Wants{Keys: []string{"arn:aws:kms:us-east-1:111111111111:key/own"}}},
		"role":    {Options{Region: "cn-north-1", RoleARN: "arn:aws-cn:iam::111111111111:role/web", BatchSecrets: true}, Wants{Keys: []string{"arn:aws-cn:kms:cn-north-1:111111111111:key/own"}}},
	} {
		t.Run(name, func(t *testing.T) {
			c.wants.Refs = refs
			if name == "unknown" || name == "role" {
				c.wants.Refs = []sources.Ref{refs[0], refs[1], refs[6]}
			}
			policies, err := Policies(c.options, c.wants)
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.MarshalIndent(policies, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			path := "testdata/policy_" + name + ".json"
			if *update {
				if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil || string(want) != string(got)+"\n" {
				t.Errorf("%v; it is\n%s", err, got)
			}
		})
	}
}

// A version that is named by its id never changes; one that is named by a label does.
func TestPinned(t *testing.T) {
	for text, want := range map[string]bool{
		"secret prod/db": false, "secret prod/db:AWSPREVIOUS": false, "secret prod/db:0a1b2c3d-0000-4000-8000-000000000000": true,
		"param /a": false, "param /a:live": false, "param /a:3": true, "params /a": false,
		"param /aws/reference/secretsmanager/a": false, "param /aws/reference/secretsmanager/a:ca1b2c3d-0000-4000-8000-000000000000": true,
	} {
		if IsPinned(ref(t, text)) != want {
			t.Errorf("%s: pinned is %v", text, !want)
		}
	}
}

// A name that another means, too, is not repeated.
func TestPoliciesHaveNothingTwice(t *testing.T) {
	const whole = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:prod/db-AbCdEf"
	var refs []sources.Ref
	for _, text := range []string{"secret " + whole, "secret prod/db", "secret prod/db:AWSPREVIOUS", "params /shop/a", "params /shop", "params /shop/", "params /shopping", "params shared::/"} {
		refs = append(refs, ref(t, text))
	}
	policies, err := Policies(Options{Region: "eu-west-1", Accounts: everyPlace}, Wants{Refs: refs, Account: "111111111111"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range policies {
		for _, s := range p.Statements {
			for _, arn := range s.Resource {
				got = append(got, strings.TrimPrefix(arn, "arn:aws:"))
			}
		}
	}
	want := []string{
		"iam::222222222222:role/reader", "secretsmanager:eu-west-1:111111111111:secret:prod/db-??????",
		"ssm:eu-west-1:111111111111:parameter/shop", "ssm:eu-west-1:111111111111:parameter/shop/*",
		"ssm:eu-west-1:111111111111:parameter/shopping", "ssm:eu-west-1:111111111111:parameter/shopping/*",
		"ssm:eu-west-1:222222222222:parameter/*",
	}
	if !slices.Equal(got, want) {
		t.Errorf("they have %q", got)
	}
}

// What no policy can allow is refused.
func TestPoliciesOfWhatCannotBe(t *testing.T) {
	for _, c := range []struct{ ref, key, want string }{
		{"secret shaerd::prod/db", "", "did you mean shared?"},
		{"secret arn:aws:secretsmanager:eu-west-1:111111111111:secret:prod/db", "", "the ARN does not end"},
		{"secret prod/db", "arn:aws:kms:us-east-1:111111111111:key/own", "decrypts nothing: nothing is looked up in us-east-1"},
		{"param /aws/service/ami", "arn:aws:kms:eu-west-1:111111111111:key/own", "decrypts nothing"},
		{"secret prod/db", "arn:aws:kms:eu-west-1:111111111111:alias/own", "is not the ARN of a KMS key"},
		{"secret prod/db", "own", "is not the ARN of a KMS key"},
	} {
		w := Wants{Refs: []sources.Ref{ref(t, c.ref)}}
		if c.key != "" {
			w.Keys = []string{c.key}
		}
		if _, err := Policies(Options{Region: "eu-west-1", Accounts: everyPlace}, w); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: %v", c.ref, c.key, err)
		}
	}
	if list, err := Policies(Options{}, Wants{Refs: []sources.Ref{ref(t, "file /x"), ref(t, "aws account")}}); len(list) != 0 || err != nil {
		t.Errorf("what asks nobody takes %v, %v", list, err)
	}
}

// The table of a fleet is used with the daemon's own identity, in the account of that.
func TestPolicyOfATable(t *testing.T) {
	const role = "arn:aws:iam::222222222222:role/rendered"
	for _, c := range []struct{ role, account, want string }{
		{"", "", "arn:aws:dynamodb:eu-west-1:*:table/rendered"},
		{"", "111111111111", "arn:aws:dynamodb:eu-west-1:111111111111:table/rendered"},
		{role, "111111111111", "arn:aws:dynamodb:eu-west-1:222222222222:table/rendered"},
	} {
		policies, err := Policies(Options{Region: "eu-west-1", RoleARN: c.role}, Wants{Table: "rendered", Parts: []string{"prod#web", "prod#web#hosts"}, Account: c.account})
		if err != nil {
			t.Fatal(err)
		}
		own := policies[len(policies)-1].Statements
		want := []Statement{{
			Sid: "FleetEuWest1", Effect: "Allow", Action: Words{"dynamodb:UpdateItem", "dynamodb:Query"}, Resource: Words{c.want},
			Condition: map[string]map[string]Words{"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": {"prod#web", "prod#web#hosts"}}},
		}}
		if !reflect.DeepEqual(own, want) {
			t.Errorf("%+v: %+v", c, own)
		}
	}
}
