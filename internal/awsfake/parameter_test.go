package awsfake_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestParameterLimits(t *testing.T) {
	s, c := start()
	s.PutParameter("/there", "String", "x")
	get := func(name string) error {
		_, err := c.ssm.GetParameter(t.Context(), &ssm.GetParameterInput{Name: &name})
		return err
	}
	put := func(in ssm.PutParameterInput) error {
		if in.Value == nil {
			in.Value = aws.String("x")
		}
		_, err := c.ssm.PutParameter(t.Context(), &in)
		return err
	}
	label := func(labels ...string) error {
		_, err := c.ssm.LabelParameterVersion(t.Context(), &ssm.LabelParameterVersionInput{Name: aws.String("/there"), Labels: append([]string{}, labels...)})
		return err
	}
	byPath := func(in ssm.GetParametersByPathInput) error {
		_, err := c.ssm.GetParametersByPath(t.Context(), &in)
		return err
	}
	value := func(n int) *string { return aws.String(strings.Repeat("v", n)) }
	const badName = `Parameter name: can't be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_`
	const more = " For more information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
	for _, tc := range []struct {
		name string
		err  error
		want refusal // the zero one for none; without a text, any
	}{
		{"every letter of a name", put(ssm.PutParameterInput{Name: aws.String("/a/B-9/_.x"), Type: "String"}), refusal{}},
		{"a blank in a name", get("/a b"), refusal{"ValidationException", 400, badName}},
		{"two colons", get("/there:1:2"), refusal{"ValidationException", 400, badName}},
		{"nothing after the colon", get("/there:"), refusal{"ValidationException", 400, badName}},
		{"a path without a slash", get("app/host"), refusal{"ValidationException", 400, "Parameter name must be a fully qualified name."}},
		{"a name too long", get("/" + strings.Repeat("n", 1011)), refusal{"ValidationException", 400, badName}},
		{"no name", get(""), refusal{"ValidationException", 400, "1 validation error detected: Value '' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 1"}},
		{"put to a version", put(ssm.PutParameterInput{Name: aws.String("/there:1"), Type: "String"}), refusal{"ValidationException", 400, badName}},
		{"15 levels", put(ssm.PutParameterInput{Name: aws.String(strings.Repeat("/l", 15)), Type: "String"}), refusal{}},
		{"16 levels", put(ssm.PutParameterInput{Name: aws.String(strings.Repeat("/l", 16)), Type: "String"}), refusal{"HierarchyLevelLimitExceededException", 400, ""}},
		{"4096 bytes", put(ssm.PutParameterInput{Name: aws.String("/big"), Type: "String", Value: value(4096)}), refusal{}},
		{"4097 bytes", put(ssm.PutParameterInput{Name: aws.String("/bigger"), Type: "String", Value: value(4097)}),
			refusal{"ValidationException", 400, "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier." + more}},
		{"8192 bytes, advanced", put(ssm.PutParameterInput{Name: aws.String("/bigger"), Type: "String", Value: value(8192), Tier: "Advanced"}), refusal{}},
		{"8193 bytes, advanced", put(ssm.PutParameterInput{Name: aws.String("/biggest"), Type: "String", Value: value(8193), Tier: "Advanced"}),
			refusal{"ValidationException", 400, "Advanced tier parameters support a maximum parameter value of 8192 characters." + more}},
		{"no value", put(ssm.PutParameterInput{Name: aws.String("/a"), Type: "String", Value: aws.String("")}),
			refusal{"ValidationException", 400, "1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1."}},
		{"no type", put(ssm.PutParameterInput{Name: aws.String("/new")}), refusal{"ValidationException", 400, "A parameter type is required when you create a parameter."}},
		{"no type for a new version", put(ssm.PutParameterInput{Name: aws.String("/there"), Overwrite: aws.Bool(true)}), refusal{}},
		{"another type", put(ssm.PutParameterInput{Name: aws.String("/there"), Overwrite: aws.Bool(true), Type: "SecureString"}), refusal{"HierarchyTypeMismatchException", 400, ""}},
		{"a type there is not", put(ssm.PutParameterInput{Name: aws.String("/new"), Type: "Text"}),
			refusal{"ValidationException", 400, "1 validation error detected: Value 'Text' at 'type' failed to satisfy constraint: Member must satisfy enum value set: [SecureString, StringList, String]"}},
		{"11 labels", label(strings.Split("abcdefghijk", "")...),
			refusal{"ValidationException", 400, "1 validation error detected: Value '[a, b, c, d, e, f, g, h, i, j, k]' at 'labels' failed to satisfy constraint: Member must have length less than or equal to 10"}},
		{"no labels", label(), refusal{"ValidationException", 400, "1 validation error detected: Value '[]' at 'labels' failed to satisfy constraint: Member must have length greater than or equal to 1"}},
		{"no page", byPath(ssm.GetParametersByPathInput{Path: aws.String("/"), MaxResults: aws.Int32(0)}),
			refusal{"ValidationException", 400, "1 validation error detected: Value '0' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 1"}},
		{"a path without its slash", byPath(ssm.GetParametersByPathInput{Path: aws.String("app")}), refusal{"ValidationException", 400, ""}},
		{"a filter", byPath(ssm.GetParametersByPathInput{Path: aws.String("/"), ParameterFilters: []types.ParameterStringFilter{{Key: aws.String("Type")}}}), refusal{"NotImplemented", 501, ""}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.err == nil && tc.want == (refusal{}) {
				return
			}
			got := refused(t, tc.err)
			if tc.want.text == "" {
				got.text = ""
			}
			if got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestGetParametersNames(t *testing.T) {
	s, c := start()
	s.PutParameter("/a", "String", "1")
	for name, tc := range map[string]struct {
		names []string
		want  refusal
	}{
		"none":          {[]string{}, refusal{"ValidationException", 400, "1 validation error detected: Value '[]' at 'names' failed to satisfy constraint: Member must have length greater than or equal to 1"}},
		"one twice":     {[]string{"/a", "/b", "/a"}, refusal{"ValidationException", 400, "Duplicate parameter names are not allowed: /a"}},
		"one malformed": {[]string{"/a", "/a b"}, refusal{"ValidationException", 400, ""}},
	} {
		t.Run(name, func(t *testing.T) {
			got := refused(t, parameters(t.Context(), c, tc.names...))
			if tc.want.text == "" {
				got.text = ""
			}
			if got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

// asked gives what GetParameters answers: NAME SELECTOR VERSION VALUE for each, in its order.
func asked(t *testing.T, c clients, names ...string) (found, invalid []string) {
	t.Helper()
	out, err := c.ssm.GetParameters(t.Context(), &ssm.GetParametersInput{Names: names, WithDecryption: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range out.Parameters {
		found = append(found, fmt.Sprint(*p.Name, " ", aws.ToString(p.Selector), " ", p.Version, " ", *p.Value))
	}
	return found, out.InvalidParameters
}

func TestGetParametersAnswer(t *testing.T) {
	s, c := start()
	for _, name := range []string{"/a", "/b", "root", "/app/deep/c"} {
		s.PutParameter(name, "String", "old "+name)
		s.PutParameter(name, "String", "new "+name)
	}
	s.LabelParameter("/a", 1, "prod")
	for name, tc := range map[string]struct{ names, found, invalid []string }{
		"another order":        {[]string{"/a", "/b", "root"}, []string{"/b  2 new /b", "root  2 new root", "/a  2 new /a"}, nil},
		"another order of 2":   {[]string{"/b", "/a"}, []string{"/a  2 new /a", "/b  2 new /b"}, nil},
		"selectors":            {[]string{"/a:1", "/a:prod", "/a:2", "/a"}, []string{"/a :prod 1 old /a", "/a :2 2 new /a", "/a  2 new /a", "/a :1 1 old /a"}, nil},
		"ARN":                  {[]string{s.ParameterARN("/app/deep/c") + ":1"}, []string{"/app/deep/c :1 1 old /app/deep/c"}, nil},
		"root":                 {[]string{"/root"}, []string{"root  2 new root"}, nil},
		"root ARN":             {[]string{s.ParameterARN("root")}, []string{"root  2 new root"}, nil},
		"no version":           {[]string{"/a:3"}, nil, []string{"/a:3"}},
		"no label":             {[]string{"/b:prod"}, nil, []string{"/b:prod"}},
		"no name":              {[]string{"/none", "/a"}, []string{"/a  2 new /a"}, []string{"/none"}},
		"of another Region":    {[]string{"arn:aws:ssm:us-east-1:111111111111:parameter/a"}, nil, []string{"arn:aws:ssm:us-east-1:111111111111:parameter/a"}},
		"no referenced secret": {[]string{"/aws/reference/secretsmanager/none"}, nil, []string{"/aws/reference/secretsmanager/none"}},
	} {
		t.Run(name, func(t *testing.T) {
			found, invalid := asked(t, c, tc.names...)
			if diff := cmp.Diff(tc.found, found); diff != "" {
				t.Errorf("found: got + want -\n%s", diff)
			}
			if diff := cmp.Diff(tc.invalid, invalid, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("invalid: got + want -\n%s", diff)
			}
		})
	}
}

func TestReference(t *testing.T) {
	const name = "/aws/reference/secretsmanager/prod/db"
	s, c := start()
	one := s.PutSecret("prod/db", "1")
	s.PutSecret("prod/db", "2")
	s.PutParameter("/a", "String", "x")
	found, _ := asked(t, c, name, name+":AWSPREVIOUS", name+":"+one, "/a")
	want := []string{name + " :AWSPREVIOUS 0 1", name + " :" + one + " 0 1", "/a  1 x", name + "  0 2"}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("got + want -\n%s", diff)
	}
	_, err := c.ssm.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String(name)})
	if got, want := refused(t, err), (refusal{"ValidationException", 400, "WithDecryption flag must be True for retrieving a Secret Manager secret."}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	_, err = c.ssm.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String(name + "x"), WithDecryption: aws.Bool(true)})
	if got, want := refused(t, err), (refusal{"ParameterNotFound", 400, "An error occurred (ParameterNotFound) when referencing Secrets Manager: Secret " + name + "x not found."}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestCiphertext(t *testing.T) {
	s, c := start()
	s.PutParameter("/k", "SecureString", "s3cret")
	s.PutParameter("/t", "String", "plain")
	out, err := c.ssm.GetParametersByPath(t.Context(), &ssm.GetParametersByPathInput{Path: aws.String("/")})
	if err != nil {
		t.Fatal(err)
	}
	if got := *out.Parameters[1].Value; got != "plain" {
		t.Errorf("a String is %q", got)
	}
	raw, err := base64.StdEncoding.DecodeString(*out.Parameters[0].Value)
	if err != nil || !strings.HasPrefix(*out.Parameters[0].Value, "AQICAH") || strings.Contains(string(raw), "s3cret") {
		t.Errorf("a SecureString is %q, %v", *out.Parameters[0].Value, err)
	}
}

func TestVersionsAreAHundred(t *testing.T) {
	s, c := start()
	for i := range 101 {
		s.PutParameter("/a", "String", fmt.Sprint("v", i+1))
	}
	if _, invalid := asked(t, c, "/a:1"); len(invalid) != 1 {
		t.Error("version 1 of 101 is still there")
	}
	s.LabelParameter("/a", 2, "keep")
	_, err := c.ssm.PutParameter(t.Context(), &ssm.PutParameterInput{Name: aws.String("/a"), Value: aws.String("x"), Overwrite: aws.Bool(true)})
	if got := refused(t, err); got.code != "ParameterMaxVersionLimitExceeded" || got.status != 400 {
		t.Errorf("got %v", got)
	}
	s.LabelParameter("/a", 3, "keep")
	if v := s.PutParameter("/a", "", "x"); v != 102 {
		t.Errorf("version %d, want 102", v)
	}
}

func TestPublicParameter(t *testing.T) {
	const name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
	s, c := start()
	s.PutParameter(name, "String", "ami-1")
	if v := s.PutParameter(name, "String", "ami-2"); v != 2 {
		t.Errorf("version %d", v)
	}
	found, _ := asked(t, c, name)
	if !slices.Equal(found, []string{name + "  2 ami-2"}) {
		t.Error(found)
	}
}
