package awsfake_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smtypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/google/go-cmp/cmp"
)

func TestSecretLimits(t *testing.T) {
	s, c := start()
	s.PutSecret("there", "x")
	s.PutSecret("deleted", "x")
	s.DeleteSecret("deleted")
	const token = "0123456789abcdef0123456789abcdef"
	create := func(in secretsmanager.CreateSecretInput) error {
		_, err := c.sm.CreateSecret(t.Context(), &in)
		return err
	}
	put := func(in secretsmanager.PutSecretValueInput) error {
		_, err := c.sm.PutSecretValue(t.Context(), &in)
		return err
	}
	get := func(id string) error {
		_, err := c.sm.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &id})
		return err
	}
	remove := func(in secretsmanager.DeleteSecretInput) error {
		_, err := c.sm.DeleteSecret(t.Context(), &in)
		return err
	}
	batch := func(in secretsmanager.BatchGetSecretValueInput) error {
		_, err := c.sm.BatchGetSecretValue(t.Context(), &in)
		return err
	}
	const badName = "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"
	for _, tc := range []struct {
		name string
		err  error
		want refusal // the zero one for none
	}{
		{"every letter of a name", create(secretsmanager.CreateSecretInput{Name: aws.String("rds!a/_+=.@-Z9"), SecretString: aws.String("x")}), refusal{}},
		{"the longest name", create(secretsmanager.CreateSecretInput{Name: aws.String(strings.Repeat("n", 512))}), refusal{}},
		{"a longer name", create(secretsmanager.CreateSecretInput{Name: aws.String(strings.Repeat("n", 513))}), refusal{"ValidationException", 400, badName}},
		{"a colon in a name", get("prod:db"), refusal{"ValidationException", 400, badName}},
		{"a blank in a name", create(secretsmanager.CreateSecretInput{Name: aws.String("a b")}), refusal{"ValidationException", 400, badName}},
		{"the longest text", put(secretsmanager.PutSecretValueInput{SecretId: aws.String("there"), SecretString: aws.String(strings.Repeat("é", 32768))}), refusal{}},
		{"a longer text", put(secretsmanager.PutSecretValueInput{SecretId: aws.String("there"), SecretString: aws.String(strings.Repeat("é", 32768) + "x")}),
			refusal{"ValidationException", 400, "1 validation error detected: Value at 'secretString' failed to satisfy constraint: Member must have length less than or equal to 65536"}},
		{"the most bytes", put(secretsmanager.PutSecretValueInput{SecretId: aws.String("there"), SecretBinary: make([]byte, 65536)}), refusal{}},
		{"more bytes", put(secretsmanager.PutSecretValueInput{SecretId: aws.String("there"), SecretBinary: make([]byte, 65537)}),
			refusal{"ValidationException", 400, "1 validation error detected: Value at 'secretBinary' failed to satisfy constraint: Member must have length less than or equal to 65536"}},
		{"an empty text", put(secretsmanager.PutSecretValueInput{SecretId: aws.String("there"), SecretString: aws.String("")}),
			refusal{"InvalidRequestException", 400, "You must provide either SecretString or SecretBinary."}},
		{"text and bytes", create(secretsmanager.CreateSecretInput{Name: aws.String("both"), SecretString: aws.String("x"), SecretBinary: []byte("x")}),
			refusal{"InvalidParameterException", 400, "You can't specify both a binary secret value and a string secret value in the same secret."}},
		{"a short token", put(secretsmanager.PutSecretValueInput{SecretId: aws.String("there"), SecretString: aws.String("x"), ClientRequestToken: aws.String(token[1:])}),
			refusal{"InvalidParameterException", 400, "ClientRequestToken must be 32-64 characters long."}},
		{"a long token", put(secretsmanager.PutSecretValueInput{SecretId: aws.String("there"), SecretString: aws.String("x"), ClientRequestToken: aws.String(token + token + "0")}),
			refusal{"InvalidParameterException", 400, "ClientRequestToken must be 32-64 characters long."}},
		{"21 stages", put(secretsmanager.PutSecretValueInput{SecretId: aws.String("there"), SecretString: aws.String("x"), VersionStages: slices.Repeat([]string{"s"}, 21)}),
			refusal{"ValidationException", 400, "1 validation error detected: Value '[" + strings.Repeat("s, ", 20) + "s]' at 'versionStages' failed to satisfy constraint: Member must have length less than or equal to 20"}},
		{"put to a missing one", put(secretsmanager.PutSecretValueInput{SecretId: aws.String("none"), SecretString: aws.String("x")}),
			refusal{"ResourceNotFoundException", 400, "Secrets Manager can't find the specified secret."}},
		{"create a deleted one", create(secretsmanager.CreateSecretInput{Name: aws.String("deleted"), SecretString: aws.String("x")}),
			refusal{"InvalidRequestException", 400, "You can't create this secret because a secret with this name is already scheduled for deletion."}},
		{"delete it again", remove(secretsmanager.DeleteSecretInput{SecretId: aws.String("deleted")}),
			refusal{"InvalidRequestException", 400, "You can't perform this operation on the secret because it was already scheduled for deletion."}},
		{"delete in 6 days", remove(secretsmanager.DeleteSecretInput{SecretId: aws.String("there"), RecoveryWindowInDays: aws.Int64(6)}),
			refusal{"InvalidParameterException", 400, "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."}},
		{"delete in two ways", remove(secretsmanager.DeleteSecretInput{SecretId: aws.String("there"), RecoveryWindowInDays: aws.Int64(7), ForceDeleteWithoutRecovery: aws.Bool(true)}),
			refusal{"InvalidParameterException", 400, "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."}},
		{"delete a missing one for good", remove(secretsmanager.DeleteSecretInput{SecretId: aws.String("none"), ForceDeleteWithoutRecovery: aws.Bool(true)}), refusal{}},
		{"a batch of nothing", batch(secretsmanager.BatchGetSecretValueInput{}),
			refusal{"InvalidParameterException", 400, "Either 'SecretIdList' or 'Filters' must be provided, but not both."}},
		{"a batch of 20", batch(secretsmanager.BatchGetSecretValueInput{SecretIdList: slices.Repeat([]string{"none"}, 20)}), refusal{}},
		{"pages of a batch by id", batch(secretsmanager.BatchGetSecretValueInput{SecretIdList: []string{"there"}, MaxResults: aws.Int32(1)}),
			refusal{"InvalidParameterException", 400, "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided."}},
		{"a batch by filter", batch(secretsmanager.BatchGetSecretValueInput{Filters: []smtypes.Filter{{Key: "name", Values: []string{"t"}}}}),
			refusal{"NotImplemented", 501, "awsfake does not answer BatchGetSecretValue with Filters"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.err == nil && tc.want == (refusal{}) {
				return
			}
			if got := refused(t, tc.err); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

// stagesOf gives the labels of a secret by the text of the version.
func stagesOf(t *testing.T, c clients, id string) map[string]string {
	t.Helper()
	d, err := c.sm.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: &id})
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for version, stages := range d.VersionIdsToStages {
		out, err := c.sm.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &id, VersionId: &version})
		text := "no value"
		if err == nil {
			text = *out.SecretString
		}
		got[text] = strings.Join(stages, " ")
	}
	return got
}

func TestStages(t *testing.T) {
	s, c := start()
	move := func(stage, from, to string) error {
		in := &secretsmanager.UpdateSecretVersionStageInput{SecretId: aws.String("db"), VersionStage: &stage}
		if from != "" {
			in.RemoveFromVersionId = &from
		}
		if to != "" {
			in.MoveToVersionId = &to
		}
		_, err := c.sm.UpdateSecretVersionStage(t.Context(), in)
		return err
	}
	is := func(want map[string]string) {
		t.Helper()
		if diff := cmp.Diff(want, stagesOf(t, c, "db")); diff != "" {
			t.Errorf("got + want -\n%s", diff)
		}
	}
	one := s.PutSecret("db", "1", "AWSPENDING")
	// The first version is always the current one.
	is(map[string]string{"1": "AWSCURRENT AWSPENDING"})
	two := s.PutSecret("db", "2")
	is(map[string]string{"1": "AWSPENDING AWSPREVIOUS", "2": "AWSCURRENT"})
	three := s.PutSecret("db", "3", "AWSPENDING", "BLUE")
	is(map[string]string{"1": "AWSPREVIOUS", "2": "AWSCURRENT", "3": "AWSPENDING BLUE"})
	if err := move("AWSCURRENT", two, three); err != nil {
		t.Fatal(err)
	}
	is(map[string]string{"2": "AWSPREVIOUS", "3": "AWSCURRENT AWSPENDING BLUE"}) // 1 is deprecated
	if err := move("AWSCURRENT", three, two); err != nil {                       // back
		t.Fatal(err)
	}
	is(map[string]string{"2": "AWSCURRENT", "3": "AWSPENDING AWSPREVIOUS BLUE"})
	if err := move("BLUE", three, ""); err != nil {
		t.Fatal(err)
	}
	if err := move("GREEN", "", one); err != nil {
		t.Fatal(err)
	}
	is(map[string]string{"1": "GREEN", "2": "AWSCURRENT", "3": "AWSPENDING AWSPREVIOUS"})

	for name, tc := range map[string]struct {
		err  error
		want refusal
	}{
		"from another":     {move("AWSCURRENT", one, three), refusal{"InvalidParameterException", 400, "The staging label AWSCURRENT is not attached to version " + one + "."}},
		"from nobody":      {move("RED", one, two), refusal{"InvalidParameterException", 400, "The staging label RED is not attached to version " + one + "."}},
		"to nobody":        {move("AWSCURRENT", two, ""), refusal{"InvalidParameterException", 400, "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed."}},
		"to a missing one": {move("AWSCURRENT", two, "x"), refusal{"ResourceNotFoundException", 400, "Secrets Manager can't find the specified secret value for VersionId: x"}},
	} {
		if got := refused(t, tc.err); got != tc.want {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
	is(map[string]string{"1": "GREEN", "2": "AWSCURRENT", "3": "AWSPENDING AWSPREVIOUS"})
}

// A rotation makes the version first and gives it its value later.
func TestRotationSetsTheValueLater(t *testing.T) {
	s, c := start()
	s.PutSecret("db", "1")
	id := s.BeginRotation("db")
	if diff := cmp.Diff(map[string]string{"1": "AWSCURRENT", "no value": "AWSPENDING"}, stagesOf(t, c, "db")); diff != "" {
		t.Errorf("got + want -\n%s", diff)
	}
	_, err := c.sm.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("db"), VersionStage: aws.String("AWSPENDING")})
	if got, want := refused(t, err), (refusal{"ResourceNotFoundException", 400, "Secrets Manager can't find the specified secret value for staging label: AWSPENDING"}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	_, err = c.sm.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String("db"), ClientRequestToken: &id, SecretString: aws.String("2"), VersionStages: []string{"AWSPENDING"}})
	if err != nil {
		t.Fatal(err)
	}
	s.StageSecret("db", "AWSCURRENT", id)
	if diff := cmp.Diff(map[string]string{"1": "AWSPREVIOUS", "2": "AWSCURRENT AWSPENDING"}, stagesOf(t, c, "db")); diff != "" {
		t.Errorf("got + want -\n%s", diff)
	}
}

func TestSecretARN(t *testing.T) {
	s, c := start()
	s.PutSecret("db", "1")
	s.PutSecret("db-abcdef", "2")
	arn := s.SecretARN("db")
	partial := arn[:len(arn)-7]
	for id, want := range map[string]string{
		"db": "1", "db-abcdef": "2", arn: "1", s.SecretARN("db-abcdef"): "2",
		partial:             "1",
		partial + "-abcdef": "missing", // the trap: the end of the name passes for the random part
		partial + "-zzzzzz": "missing",
		strings.Replace(arn, "eu-west-1", "us-east-1", 1): "missing",
	} {
		got := "missing"
		out, err := c.sm.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &id})
		if err == nil {
			got = *out.SecretString
		} else if refused(t, err).code != "ResourceNotFoundException" {
			t.Error(err)
		}
		if got != want {
			t.Errorf("%s gives %s, want %s", id, got, want)
		}
	}
}

// A batch cannot choose among versions.
func TestBatchIsOfCurrentVersions(t *testing.T) {
	s, c := start()
	s.PutSecret("db", "old")
	id := s.PutSecret("db", "current")
	s.PutSecret("db", "pending", "AWSPENDING")
	out, err := c.sm.BatchGetSecretValue(t.Context(), &secretsmanager.BatchGetSecretValueInput{SecretIdList: []string{"db", s.SecretARN("db")}})
	if err != nil || len(out.SecretValues) != 2 {
		t.Fatalf("%v, %v", out, err)
	}
	for _, v := range out.SecretValues {
		if *v.SecretString != "current" || *v.VersionId != id || !slices.Equal(v.VersionStages, []string{"AWSCURRENT"}) {
			t.Errorf("%s: version %s with %v", *v.Name, *v.VersionId, v.VersionStages)
		}
	}
}

func TestBatchOrder(t *testing.T) {
	s, c := start()
	values := map[string]string{"a": "1", "b": "2", "c": "3"}
	for name, text := range values {
		s.PutSecret(name, text)
	}
	asked := slices.Sorted(maps.Keys(values))
	out, err := c.sm.BatchGetSecretValue(t.Context(), &secretsmanager.BatchGetSecretValueInput{SecretIdList: asked})
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, v := range out.SecretValues {
		order = append(order, *v.Name)
		if *v.SecretString != values[*v.Name] {
			t.Errorf("%s has another's value", *v.Name)
		}
	}
	if len(order) != 3 || slices.Equal(order, asked) {
		t.Errorf("asked for %v, answered %v; no client may count on the order", asked, order)
	}
}
