package sources

import (
	"strings"
	"testing"
)

func TestParseRef(t *testing.T) {
	const secretARN = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:prod/db-AbCdEf"
	const paramARN = "arn:aws:ssm:eu-west-1:111111111111:parameter/app/key"
	for _, c := range []struct {
		kind Kind
		text string
		want Ref
	}{
		{Secret, "prod/db", Ref{Kind: Secret, Name: "prod/db"}},
		{Secret, "rds!db-1", Ref{Kind: Secret, Name: "rds!db-1"}},
		{Secret, "prod/db:AWSPREVIOUS", Ref{Kind: Secret, Name: "prod/db", Selector: "AWSPREVIOUS"}},
		{Secret, "prod/db:AWSCURRENT", Ref{Kind: Secret, Name: "prod/db"}},
		{Secret, secretARN + ":AWSCURRENT", Ref{Kind: Secret, Name: secretARN}},
		{Secret, "shared::prod/db:AWSPREVIOUS", Ref{Kind: Secret, Account: "shared", Name: "prod/db", Selector: "AWSPREVIOUS"}},
		{Secret, secretARN, Ref{Kind: Secret, Name: secretARN}},
		{Secret, secretARN + ":AWSPENDING", Ref{Kind: Secret, Name: secretARN, Selector: "AWSPENDING"}},
		{Param, "/app/key:3", Ref{Kind: Param, Name: "/app/key", Selector: "3"}},
		{Param, "key", Ref{Kind: Param, Name: "key"}},
		{Param, paramARN + ":label", Ref{Kind: Param, Name: paramARN, Selector: "label"}},
		{Param, "/aws/reference/secretsmanager/rds!db+1", Ref{Kind: Param, Name: "/aws/reference/secretsmanager/rds!db+1"}},
		{Params, "/app", Ref{Kind: Params, Name: "/app"}},
		{IMDS, "placement/region", Ref{Kind: IMDS, Name: "placement/region"}},
		{IMDS, "/tags/instance/Name/", Ref{Kind: IMDS, Name: "tags/instance/Name"}},
		{Own, "account", Ref{Kind: Own, Name: "account"}},
		{File, "/any where:at all", Ref{Kind: File, Name: "/any where:at all"}},
	} {
		got, err := ParseRef(c.kind, c.text)
		if err != nil || got != c.want {
			t.Errorf("%s %q: %+v, %v", c.kind, c.text, got, err)
		}
	}
	for _, c := range []struct {
		kind Kind
		text string
	}{
		{Secret, ""}, {Secret, "a b"}, {Secret, "a:"}, {Secret, "::a"}, {Secret, "x::"}, {Secret, "x::" + secretARN}, {Secret, "arn:aws:ssm:x"}, {Secret, "a:b c"}, {IMDS, "/"}, {IMDS, "a/../b"}, {IMDS, "a b"}, {Own, "regoin"}, {Param, "/a:1b"}, {Param, "/a:b@c"},
		{Secret, strings.Repeat("a", 513)}, {Param, "a/b"}, {Param, "/a!b"}, {Param, paramARN + ":"}, {Params, "app"}, {Params, "/app:3"}, {Params, paramARN}, {File, ""},
		{Param, strings.Repeat("a", 1012)},
	} {
		if got, err := ParseRef(c.kind, c.text); err == nil {
			t.Errorf("%s %q: %+v", c.kind, c.text, got)
		}
	}
}

// What is accepted reads the same again, and what is refused is not repeated.
func FuzzParseRef(f *testing.F) {
	for _, text := range []string{"prod/db", "x::/a/b:3", "arn:aws:ssm:eu-west-1:111111111111:parameter/a:1", "a:b:c", "::", "arn:"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range []Kind{Secret, Param, Params, File} {
			r, err := ParseRef(kind, text)
			if err != nil {
				if len(text) > 20 && strings.Contains(err.Error(), text) {
					t.Errorf("%v repeats %q", err, text)
				}
				continue
			}
			if again, err := ParseRef(kind, r.Text()); err != nil || again != r {
				t.Errorf("%q is %+v, and that %+v, %v", text, r, again, err)
			}
		}
	})
}

func TestRefLengths(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	for text, good := range map[string]bool{
		long(maxSecretName):          true,
		long(maxSecretName + 1):      false,
		"s:" + long(maxSelector):     true,
		"s:" + long(maxSelector+1):   false,
		"s:":                         false,
		"s:" + long(8) + "\n" + "xx": false,
	} {
		if _, err := ParseRef(Secret, text); (err == nil) != good {
			t.Errorf("%d bytes: %v", len(text), err)
		}
	}
}
