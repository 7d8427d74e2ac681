package awsfake_test

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smtypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/internal/awsfake/moto"
)

// TestConformance runs the same cases, with the real SDK, against the fake and against moto, which
// nobody here wrote. What moto is known to get wrong is checked against the fake alone, and each
// such place says what moto does.
func TestConformance(t *testing.T) {
	t.Run("awsfake", func(t *testing.T) {
		t.Parallel()
		s := awsfake.New()
		s.In("", "us-east-1")
		conform(t, inProcess(s), false)
	})
	t.Run("moto", func(t *testing.T) {
		t.Parallel()
		conform(t, config(moto.Start(t)), true)
	})
}

func conform(t *testing.T, cfg aws.Config, moto bool) {
	for _, tc := range conformance {
		t.Run(tc.name, func(t *testing.T) {
			tc.run(&probe{T: t, clients: connect(cfg), config: cfg, moto: moto, prefix: strings.ReplaceAll(tc.name, " ", "-")})
		})
	}
}

// A probe is what a case works with.
type probe struct {
	*testing.T
	clients
	config aws.Config
	moto   bool
	prefix string // of all names of the case: moto keeps what the cases before have left
}

// motoIs says what moto is known to get wrong; what depends on it is not asked of moto.
func (p *probe) motoIs(wrong string) bool {
	p.Helper()
	if p.moto {
		p.Logf("not asked of moto: %s", wrong)
	}
	return p.moto
}

func (p *probe) name(rest string) string { return p.prefix + "/" + rest }
func (p *probe) path(rest string) string { return "/" + p.prefix + "/" + rest }

func (p *probe) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *probe) same(what string, got, want any) {
	p.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		p.Errorf("%s: got + want -\n%s", what, diff)
	}
}

// refuses checks how AWS refuses; a field of but names what moto has wrong about it.
func (p *probe) refuses(err error, want refusal, but ...string) {
	p.Helper()
	got := refused(p.T, err)
	for _, wrong := range but {
		field, why, _ := strings.Cut(wrong, ": ")
		if !p.motoIs(why) {
			continue
		}
		before := got
		switch field {
		case "code":
			got.code = want.code
		case "status":
			got.status = want.status
		case "text":
			got.text = want.text
		default:
			p.Fatalf("%s is not a field of a refusal", field)
		}
		if got == before {
			p.Logf("moto gets the %s right by now", field)
		}
	}
	p.same("refusal", fmt.Sprint(got), fmt.Sprint(want))
}

// is404 is moto's best-known mistake.
const is404 = "status: moto answers 404 where AWS answers 400"

func (p *probe) create(name, text string) *secretsmanager.CreateSecretOutput {
	p.Helper()
	out, err := p.sm.CreateSecret(p.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: &text})
	p.must(err)
	return out
}

func (p *probe) put(name, text string, stages ...string) *secretsmanager.PutSecretValueOutput {
	p.Helper()
	out, err := p.sm.PutSecretValue(p.Context(), &secretsmanager.PutSecretValueInput{SecretId: &name, SecretString: &text, VersionStages: stages})
	p.must(err)
	return out
}

func (p *probe) secret(id, version, stage string) (*secretsmanager.GetSecretValueOutput, error) {
	in := &secretsmanager.GetSecretValueInput{SecretId: &id}
	if version != "" {
		in.VersionId = &version
	}
	if stage != "" {
		in.VersionStage = &stage
	}
	return p.sm.GetSecretValue(p.Context(), in)
}

// text gives a secret's text, or fails.
func (p *probe) text(id, version, stage string) string {
	p.Helper()
	out, err := p.secret(id, version, stage)
	p.must(err)
	return aws.ToString(out.SecretString)
}

func (p *probe) stages(name string) map[string][]string {
	p.Helper()
	out, err := p.sm.DescribeSecret(p.Context(), &secretsmanager.DescribeSecretInput{SecretId: &name})
	p.must(err)
	return out.VersionIdsToStages
}

func (p *probe) set(name, value string, kind ssmtypes.ParameterType) int64 {
	p.Helper()
	out, err := p.ssm.PutParameter(p.Context(), &ssm.PutParameterInput{Name: &name, Value: &value, Type: kind, Overwrite: aws.Bool(true)})
	p.must(err)
	return out.Version
}

func (p *probe) label(name string, version int64, labels ...string) *ssm.LabelParameterVersionOutput {
	p.Helper()
	out, err := p.ssm.LabelParameterVersion(p.Context(), &ssm.LabelParameterVersionInput{Name: &name, ParameterVersion: &version, Labels: labels})
	p.must(err)
	return out
}

func (p *probe) parameter(name string) (*ssmtypes.Parameter, error) {
	out, err := p.ssm.GetParameter(p.Context(), &ssm.GetParameterInput{Name: &name, WithDecryption: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	return out.Parameter, nil
}

// with gives clients with other credentials.
func (p *probe) with(credentials aws.CredentialsProvider) clients {
	cfg := p.config.Copy()
	cfg.Credentials = credentials
	return connect(cfg)
}

// far gives clients in another Region.
func (p *probe) far() clients {
	cfg := p.config.Copy()
	cfg.Region = "us-east-1"
	return connect(cfg)
}

// queue makes the case's queue, or finds it.
func (p *probe) queue() (url string) {
	p.Helper()
	out, err := p.sqs.CreateQueue(p.Context(), &sqs.CreateQueueInput{QueueName: &p.prefix})
	p.must(err)
	return *out.QueueUrl
}

func (p *probe) send(url string, texts ...string) {
	p.Helper()
	for _, text := range texts {
		_, err := p.sqs.SendMessage(p.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &text})
		p.must(err)
	}
}

func (p *probe) receive(url string, n, hide int32) []string {
	p.Helper()
	out, err := p.sqs.ReceiveMessage(p.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: n, VisibilityTimeout: hide})
	p.must(err)
	return bodies(out.Messages)
}

func (p *probe) count(url string) string {
	p.Helper()
	out, err := p.sqs.GetQueueAttributes(p.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{"All"}})
	p.must(err)
	return out.Attributes["ApproximateNumberOfMessages"] + " visible, " + out.Attributes["ApproximateNumberOfMessagesNotVisible"] + " not"
}

// values gives the values of a GetParameters by name, and the names that are invalid, sorted.
func (p *probe) values(names ...string) (map[string]string, []string) {
	p.Helper()
	out, err := p.ssm.GetParameters(p.Context(), &ssm.GetParametersInput{Names: names, WithDecryption: aws.Bool(true)})
	p.must(err)
	values := make(map[string]string)
	for _, v := range out.Parameters {
		values[*v.Name] = *v.Value
	}
	return values, slices.Sorted(slices.Values(out.InvalidParameters))
}

// below gives the values under a path by name.
func (p *probe) below(path string, recursive bool) map[string]string {
	p.Helper()
	values := make(map[string]string)
	pages := ssm.NewGetParametersByPathPaginator(p.ssm, &ssm.GetParametersByPathInput{Path: &path, Recursive: &recursive, WithDecryption: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(p.Context())
		p.must(err)
		if len(page.Parameters) > 10 {
			p.Errorf("a page of %d", len(page.Parameters))
		}
		for _, v := range page.Parameters {
			values[*v.Name] = *v.Value
		}
	}
	return values
}

var conformance = []struct {
	name string
	run  func(p *probe)
}{
	{"secret text", func(p *probe) {
		made := p.create(p.name("db"), `{"user":"a","n":1e400}`)
		for _, id := range []string{p.name("db"), *made.ARN} {
			out, err := p.secret(id, "", "")
			p.must(err)
			p.same("text", *out.SecretString, `{"user":"a","n":1e400}`)
			p.same("version", *out.VersionId, *made.VersionId)
			p.same("stages", out.VersionStages, []string{"AWSCURRENT"})
			p.same("name", *out.Name, p.name("db"))
			p.same("ARN", *out.ARN, *made.ARN)
			p.same("binary", len(out.SecretBinary), 0)
		}
		suffix := strings.TrimPrefix((*made.ARN)[strings.LastIndex(*made.ARN, ":")+1:], p.name("db"))
		if len(suffix) != 7 || suffix[0] != '-' {
			p.Errorf("ARN ends in %q, want - and six letters", suffix)
		}
	}},
	{"secret bytes", func(p *probe) {
		want := []byte{0, 1, 0xff, '\n'}
		_, err := p.sm.CreateSecret(p.Context(), &secretsmanager.CreateSecretInput{Name: aws.String(p.name("key")), SecretBinary: want})
		p.must(err)
		out, err := p.secret(p.name("key"), "", "")
		p.must(err)
		if !bytes.Equal(out.SecretBinary, want) || out.SecretString != nil {
			p.Error("the bytes came back otherwise")
		}
	}},
	{"secret missing", func(p *probe) {
		_, err := p.secret(p.name("none"), "", "")
		p.refuses(err, refusal{"ResourceNotFoundException", 400, "Secrets Manager can't find the specified secret."}, is404)
	}},
	{"secret stage missing", func(p *probe) {
		p.create(p.name("db"), "x")
		_, err := p.secret(p.name("db"), "", "AWSPREVIOUS")
		p.refuses(err, refusal{"ResourceNotFoundException", 400, "Secrets Manager can't find the specified secret value for staging label: AWSPREVIOUS"},
			is404, "text: moto says that the secret is missing")
	}},
	{"secret version missing", func(p *probe) {
		p.create(p.name("db"), "x")
		const id = "00000000-0000-4000-8000-000000000000"
		_, err := p.secret(p.name("db"), id, "")
		p.refuses(err, refusal{"ResourceNotFoundException", 400, "Secrets Manager can't find the specified secret value for VersionId: " + id}, is404)
	}},
	{"secret without a value", func(p *probe) {
		out, err := p.sm.CreateSecret(p.Context(), &secretsmanager.CreateSecretInput{Name: aws.String(p.name("new"))})
		p.must(err)
		p.same("version", out.VersionId, (*string)(nil))
		_, err = p.secret(p.name("new"), "", "")
		p.refuses(err, refusal{"ResourceNotFoundException", 400, "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"}, is404)
	}},
	{"secret id and stage disagree", func(p *probe) {
		old := p.create(p.name("db"), "1")
		p.put(p.name("db"), "2")
		_, err := p.secret(p.name("db"), *old.VersionId, "AWSCURRENT")
		p.refuses(err, refusal{"InvalidRequestException", 400, "You provided a VersionStage that is not associated to the provided VersionId."}, is404)
		p.same("agreeing", p.text(p.name("db"), *old.VersionId, "AWSPREVIOUS"), "1")
	}},
	{"secret exists", func(p *probe) {
		p.create(p.name("db"), "x")
		_, err := p.sm.CreateSecret(p.Context(), &secretsmanager.CreateSecretInput{Name: aws.String(p.name("db")), SecretString: aws.String("x")})
		p.refuses(err, refusal{"ResourceExistsException", 400, "The operation failed because the secret " + p.name("db") + " already exists."})
	}},
	{"secret put", func(p *probe) {
		first := p.create(p.name("db"), "1")
		second := p.put(p.name("db"), "2")
		third := p.put(p.name("db"), "3")
		p.same("current", p.text(p.name("db"), "", ""), "3")
		p.same("previous", p.text(p.name("db"), "", "AWSPREVIOUS"), "2")
		p.same("stages", p.stages(p.name("db"))[*third.VersionId], []string{"AWSCURRENT"})
		p.same("stages", p.stages(p.name("db"))[*second.VersionId], []string{"AWSPREVIOUS"})
		p.same("by id", p.text(p.name("db"), *first.VersionId, ""), "1")
	}},
	{"secret put twice", func(p *probe) {
		p.create(p.name("db"), "1")
		in := &secretsmanager.PutSecretValueInput{
			SecretId: aws.String(p.name("db")), SecretString: aws.String("2"), ClientRequestToken: aws.String("0123456789abcdef0123456789abcdef"),
		}
		for range 2 {
			out, err := p.sm.PutSecretValue(p.Context(), in)
			p.must(err)
			p.same("version", *out.VersionId, *in.ClientRequestToken)
		}
		in.SecretString = aws.String("3")
		_, err := p.sm.PutSecretValue(p.Context(), in)
		got := refused(p.T, err)
		p.same("code", got.code, "ResourceExistsException")
		p.same("status", got.status, 400)
		p.same("unchanged", p.text(p.name("db"), "", ""), "2")
	}},
	{"secret put of nothing", func(p *probe) {
		p.create(p.name("db"), "1")
		_, err := p.sm.PutSecretValue(p.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String(p.name("db"))})
		p.refuses(err, refusal{"InvalidRequestException", 400, "You must provide either SecretString or SecretBinary."})
	}},
	{"secret rotation", func(p *probe) {
		old := p.create(p.name("db"), "1")
		fresh := p.put(p.name("db"), "2", "AWSPENDING")
		p.same("still", p.text(p.name("db"), "", ""), "1")
		p.same("pending", p.text(p.name("db"), "", "AWSPENDING"), "2")
		_, err := p.sm.UpdateSecretVersionStage(p.Context(), &secretsmanager.UpdateSecretVersionStageInput{
			SecretId: aws.String(p.name("db")), VersionStage: aws.String("AWSCURRENT"), MoveToVersionId: fresh.VersionId,
		})
		p.refuses(err, refusal{"InvalidParameterException", 400, "The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently attached to version " +
			*old.VersionId + ", so you must explicitly reference that version in RemoveFromVersionId."})
		_, err = p.sm.UpdateSecretVersionStage(p.Context(), &secretsmanager.UpdateSecretVersionStageInput{
			SecretId: aws.String(p.name("db")), VersionStage: aws.String("AWSCURRENT"), MoveToVersionId: fresh.VersionId, RemoveFromVersionId: old.VersionId,
		})
		p.must(err)
		got := p.stages(p.name("db"))
		p.same("old", got[*old.VersionId], []string{"AWSPREVIOUS"})
		p.same("new", slices.Sorted(slices.Values(got[*fresh.VersionId])), []string{"AWSCURRENT", "AWSPENDING"})
		p.same("by stage", p.text(p.name("db"), "", "AWSCURRENT"), "2")
		if !p.motoIs("a read without a stage gives the old version after UpdateSecretVersionStage") {
			p.same("current", p.text(p.name("db"), "", ""), "2")
		}
	}},
	{"secret deleted", func(p *probe) {
		p.create(p.name("db"), "x")
		out, err := p.sm.DeleteSecret(p.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String(p.name("db")), RecoveryWindowInDays: aws.Int64(7)})
		p.must(err)
		if out.DeletionDate == nil {
			p.Error("no date")
		}
		marked := refusal{"InvalidRequestException", 400, "You can't perform this operation on the secret because it was marked for deletion."}
		_, err = p.secret(p.name("db"), "", "")
		p.refuses(err, marked, "text: moto puts it in other words")
		if !p.motoIs("PutSecretValue on a deleted secret passes") {
			_, err = p.sm.PutSecretValue(p.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String(p.name("db")), SecretString: aws.String("y")})
			p.refuses(err, marked)
		}
		d, err := p.sm.DescribeSecret(p.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String(p.name("db"))})
		p.must(err)
		if d.DeletedDate == nil {
			p.Error("no date in the description")
		}
		_, err = p.sm.RestoreSecret(p.Context(), &secretsmanager.RestoreSecretInput{SecretId: aws.String(p.name("db"))})
		p.must(err)
		p.same("restored", p.text(p.name("db"), "", ""), "x")
	}},
	{"secret deleted for good", func(p *probe) {
		first := p.create(p.name("db"), "1")
		_, err := p.sm.DeleteSecret(p.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String(p.name("db")), ForceDeleteWithoutRecovery: aws.Bool(true)})
		p.must(err)
		_, err = p.secret(p.name("db"), "", "")
		p.refuses(err, refusal{"ResourceNotFoundException", 400, "Secrets Manager can't find the specified secret."}, is404)
		if second := p.create(p.name("db"), "2"); *second.ARN == *first.ARN {
			p.Error("the new secret has the old ARN")
		}
	}},
	{"secret batch", func(p *probe) {
		made := p.create(p.name("a"), "1")
		p.create(p.name("b"), "2")
		out, err := p.sm.BatchGetSecretValue(p.Context(), &secretsmanager.BatchGetSecretValueInput{SecretIdList: []string{*made.ARN, p.name("b"), p.name("none")}})
		p.must(err)
		got := make(map[string]string)
		for _, v := range out.SecretValues {
			got[*v.Name] = *v.SecretString
		}
		p.same("values", got, map[string]string{p.name("a"): "1", p.name("b"): "2"})
		p.same("errors", len(out.Errors), 1)
		p.same("id", *out.Errors[0].SecretId, p.name("none"))
		p.same("code", *out.Errors[0].ErrorCode, "ResourceNotFoundException")
		p.same("text", *out.Errors[0].Message, "Secrets Manager can't find the specified secret.")
	}},
	{"secret batch of too many", func(p *probe) {
		if p.motoIs("batches of over 20 ids pass") {
			return
		}
		_, err := p.sm.BatchGetSecretValue(p.Context(), &secretsmanager.BatchGetSecretValueInput{SecretIdList: slices.Repeat([]string{"a"}, 21)})
		p.refuses(err, refusal{"ValidationException", 400, "1 validation error detected: Value '[" + strings.Repeat("a, ", 20) + "a]' at 'secretIdList' failed to satisfy constraint: Member must have length less than or equal to 20"})
	}},
	{"secret batch by both", func(p *probe) {
		_, err := p.sm.BatchGetSecretValue(p.Context(), &secretsmanager.BatchGetSecretValueInput{
			SecretIdList: []string{"a"}, Filters: []smtypes.Filter{{Key: smtypes.FilterNameStringTypeName, Values: []string{"a"}}},
		})
		p.refuses(err, refusal{"InvalidParameterException", 400, "Either 'SecretIdList' or 'Filters' must be provided, but not both."})
	}},
	{"parameter", func(p *probe) {
		p.same("version", p.set(p.path("host"), "a", ssmtypes.ParameterTypeString), int64(1))
		p.same("version", p.set(p.path("host"), "b", ssmtypes.ParameterTypeString), int64(2))
		got, err := p.parameter(p.path("host"))
		p.must(err)
		p.same("value", *got.Value, "b")
		p.same("version", got.Version, int64(2))
		p.same("type", got.Type, ssmtypes.ParameterTypeString)
		p.same("name", *got.Name, p.path("host"))
		p.same("selector", got.Selector, (*string)(nil))
		byARN, err := p.parameter(*got.ARN)
		p.must(err)
		p.same("value by ARN", *byARN.Value, "b")
		p.same("name by ARN", *byARN.Name, p.path("host"))
	}},
	{"parameter kinds", func(p *probe) {
		p.set(p.path("list"), "a,b,,c", ssmtypes.ParameterTypeStringList)
		p.set(p.path("key"), "s3cret", ssmtypes.ParameterTypeSecureString)
		values, bad := p.values(p.path("list"), p.path("key"))
		p.same("values", values, map[string]string{p.path("list"): "a,b,,c", p.path("key"): "s3cret"})
		p.same("invalid", len(bad), 0)
		out, err := p.ssm.GetParameter(p.Context(), &ssm.GetParameterInput{Name: aws.String(p.path("key"))})
		p.must(err)
		if *out.Parameter.Value == "s3cret" {
			p.Error("decrypted although not asked to")
		}
	}},
	{"parameter at the root", func(p *probe) {
		p.set(p.prefix, "1", ssmtypes.ParameterTypeString)
		p.same("version", p.set("/"+p.prefix, "2", ssmtypes.ParameterTypeString), int64(2))
		for _, name := range []string{p.prefix, "/" + p.prefix} {
			got, err := p.parameter(name)
			p.must(err)
			p.same("value", *got.Value, "2")
			if !strings.HasSuffix(*got.ARN, ":parameter/"+p.prefix) {
				p.Errorf("ARN %s", *got.ARN)
			}
		}
	}},
	{"parameter exists", func(p *probe) {
		p.set(p.path("a"), "1", ssmtypes.ParameterTypeString)
		_, err := p.ssm.PutParameter(p.Context(), &ssm.PutParameterInput{Name: aws.String(p.path("a")), Value: aws.String("2"), Type: ssmtypes.ParameterTypeString})
		p.refuses(err, refusal{"ParameterAlreadyExists", 400, "The parameter already exists. To overwrite this value, set the overwrite option in the request to true."})
	}},
	{"parameter missing", func(p *probe) {
		_, err := p.parameter(p.path("none"))
		p.refuses(err, refusal{"ParameterNotFound", 400, ""}, "text: moto has one, AWS has none")
		_, err = p.ssm.DeleteParameter(p.Context(), &ssm.DeleteParameterInput{Name: aws.String(p.path("none"))})
		p.refuses(err, refusal{"ParameterNotFound", 400, ""}, "text: moto has one, AWS has none")
	}},
	{"parameter version", func(p *probe) {
		p.set(p.path("a"), "1", ssmtypes.ParameterTypeString)
		p.set(p.path("a"), "2", ssmtypes.ParameterTypeString)
		got, err := p.parameter(p.path("a") + ":1")
		p.must(err)
		p.same("value", *got.Value, "1")
		p.same("version", got.Version, int64(1))
		p.same("name", *got.Name, p.path("a"))
		if !p.motoIs("there is no Selector") {
			p.same("selector", aws.ToString(got.Selector), ":1")
		}
		_, err = p.parameter(p.path("a") + ":9")
		p.refuses(err, refusal{"ParameterVersionNotFound", 400, "Systems Manager could not find version 9 of " + p.path("a") + ". Verify the version and try again."})
	}},
	{"parameter label", func(p *probe) {
		p.set(p.path("a"), "1", ssmtypes.ParameterTypeString)
		p.set(p.path("a"), "2", ssmtypes.ParameterTypeString)
		p.label(p.path("a"), 2, "prod", "other")
		moved := p.label(p.path("a"), 1, "prod", "1st", "aws-x", "ssm.x", "a b")
		p.same("invalid", slices.Sorted(slices.Values(moved.InvalidLabels)), []string{"1st", "a b", "aws-x", "ssm.x"})
		p.same("version", moved.ParameterVersion, int64(1))
		got, err := p.parameter(p.path("a") + ":prod")
		p.must(err)
		p.same("value", *got.Value, "1")
		_, err = p.parameter(p.path("a") + ":none")
		p.refuses(err, refusal{"ParameterVersionNotFound", 400, "Systems Manager could not find version none of " + p.path("a") + ". Verify the version and try again."},
			"code: an unknown label is ParameterNotFound", "text: an unknown label is ParameterNotFound")
	}},
	{"parameter labels are ten", func(p *probe) {
		p.set(p.path("a"), "1", ssmtypes.ParameterTypeString)
		var labels []string
		for i := range 10 {
			labels = append(labels, fmt.Sprint("l", i))
		}
		p.label(p.path("a"), 1, labels...)
		_, err := p.ssm.LabelParameterVersion(p.Context(), &ssm.LabelParameterVersionInput{Name: aws.String(p.path("a")), Labels: []string{"l10"}})
		p.refuses(err, refusal{"ParameterVersionLabelLimitExceeded", 400, "A parameter version can have maximum 10 labels.Move one or more labels to another version and try again."},
			"text: moto puts the CLI's words before AWS's")
	}},
	{"parameters", func(p *probe) {
		p.set(p.path("a"), "1", ssmtypes.ParameterTypeString)
		p.set(p.path("b"), "2", ssmtypes.ParameterTypeString)
		p.set(p.path("b"), "3", ssmtypes.ParameterTypeString)
		values, bad := p.values(p.path("a"), p.path("b")+":1", p.path("c"), p.path("a")+":7", p.path("a")+":none")
		p.same("values", values, map[string]string{p.path("a"): "1", p.path("b"): "2"})
		p.same("invalid", bad, []string{p.path("a") + ":7", p.path("a") + ":none", p.path("c")})
	}},
	{"parameters by ARN", func(p *probe) {
		if p.motoIs("full ARNs in GetParameters are invalid to it") {
			return
		}
		p.set(p.path("a"), "1", ssmtypes.ParameterTypeString)
		got, err := p.parameter(p.path("a"))
		p.must(err)
		values, bad := p.values(*got.ARN, *got.ARN+":1", *got.ARN+"x")
		p.same("values", values, map[string]string{p.path("a"): "1"})
		p.same("invalid", bad, []string{*got.ARN + "x"})
	}},
	{"parameters are ten", func(p *probe) {
		_, err := p.ssm.GetParameters(p.Context(), &ssm.GetParametersInput{Names: strings.Split("abcdefghijk", "")})
		p.refuses(err, refusal{"ValidationException", 400, "1 validation error detected: Value '[a, b, c, d, e, f, g, h, i, j, k]' at 'names' failed to satisfy constraint: Member must have length less than or equal to 10"},
			"text: moto ends it with a full stop")
	}},
	{"parameters by path", func(p *probe) {
		want := make(map[string]string)
		for i := range 12 {
			name := p.path(fmt.Sprintf("app/deep/%02d", i))
			want[name] = fmt.Sprint("v", i)
			p.set(name, want[name], ssmtypes.ParameterTypeSecureString)
		}
		p.set(p.path("app/top"), "t", ssmtypes.ParameterTypeString)
		p.set(p.path("apple"), "t", ssmtypes.ParameterTypeString)
		p.same("one level", p.below(p.path("app"), false), map[string]string{p.path("app/top"): "t"})
		p.same("with a slash", p.below(p.path("app/"), false), map[string]string{p.path("app/top"): "t"})
		p.same("nothing", p.below(p.path("none"), true), map[string]string{})
		want[p.path("app/top")] = "t"
		p.same("recursive", p.below(p.path("app"), true), want)
	}},
	{"parameters by path are ten", func(p *probe) {
		_, err := p.ssm.GetParametersByPath(p.Context(), &ssm.GetParametersByPathInput{Path: aws.String("/a"), MaxResults: aws.Int32(11)})
		p.refuses(err, refusal{"ValidationException", 400, "1 validation error detected: Value '11' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 10"},
			"text: moto leaves out the quotes")
	}},
	{"parameters by path with a bad token", func(p *probe) {
		if p.motoIs("a bad NextToken is a 500") {
			return
		}
		_, err := p.ssm.GetParametersByPath(p.Context(), &ssm.GetParametersByPathInput{Path: aws.String("/a"), NextToken: aws.String("x")})
		p.refuses(err, refusal{"InvalidNextToken", 400, "The specified token isn't valid."})
	}},
	{"parameter deleted", func(p *probe) {
		p.set(p.path("a"), "1", ssmtypes.ParameterTypeString)
		_, err := p.ssm.DeleteParameter(p.Context(), &ssm.DeleteParameterInput{Name: aws.String(p.path("a"))})
		p.must(err)
		_, bad := p.values(p.path("a"))
		p.same("invalid", bad, []string{p.path("a")})
		p.same("anew", p.set(p.path("a"), "1", ssmtypes.ParameterTypeString), int64(1))
	}},
	{"parameter with a reserved name", func(p *probe) {
		for name, want := range map[string]refusal{
			"/aws/mine": {"AccessDeniedException", 400, "No access to reserved parameter name: /aws/mine."},
			"ssm-mine":  {"ValidationException", 400, `Parameter name: can't be prefixed with "aws" or "ssm" (case-insensitive).`},
		} {
			_, err := p.ssm.PutParameter(p.Context(), &ssm.PutParameterInput{Name: &name, Value: aws.String("x"), Type: ssmtypes.ParameterTypeString})
			p.refuses(err, want)
		}
	}},
	{"parameter that is a secret", func(p *probe) {
		made := p.create(p.name("db"), "1")
		p.put(p.name("db"), "2")
		name := "/aws/reference/secretsmanager/" + p.name("db")
		got, err := p.parameter(name)
		p.must(err)
		p.same("value", *got.Value, "2")
		p.same("version", got.Version, int64(0))
		p.same("type", got.Type, ssmtypes.ParameterTypeSecureString)
		got, err = p.parameter(name + ":AWSPREVIOUS")
		p.must(err)
		p.same("previous", *got.Value, "1")
		if !p.motoIs("its SourceResult describes the secret and does not name the version") {
			p.same("name", *got.Name, name)
			if !strings.Contains(aws.ToString(got.SourceResult), `"VersionId":"`+*made.VersionId+`"`) {
				p.Error("SourceResult does not name the version")
			}
		}
	}},
	{"queue", func(p *probe) {
		url := p.queue()
		p.same("made again", p.queue(), url)
		if !strings.HasSuffix(url, "/"+p.prefix) {
			p.Errorf("URL %s", url)
		}
		p.same("empty", p.receive(url, 10, 0), []string(nil))
		p.send(url, "a", "b", "c")
		p.same("count", p.count(url), "3 visible, 0 not")
		p.same("one", len(p.receive(url, 1, 30)), 1)
		p.same("the rest", len(p.receive(url, 10, 30)), 2)
		p.same("hidden", p.receive(url, 10, 30), []string(nil))
		p.same("count of the hidden", p.count(url), "0 visible, 3 not")
		_, err := p.sqs.DeleteQueue(p.Context(), &sqs.DeleteQueueInput{QueueUrl: &url})
		p.must(err)
		_, err = p.sqs.ReceiveMessage(p.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url})
		p.refuses(err, refusal{"AWS.SimpleQueueService.NonExistentQueue", 400, "The specified queue does not exist."})
	}},
	{"queue by long poll", func(p *probe) {
		url := p.queue()
		type answer struct {
			out *sqs.ReceiveMessageOutput
			err error
		}
		done := make(chan answer)
		go func() {
			out, err := p.sqs.ReceiveMessage(p.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 20})
			done <- answer{out, err}
		}()
		p.send(url, "hello")
		got := <-done
		p.must(got.err)
		p.same("bodies", bodies(got.out.Messages), []string{"hello"})
	}},
	{"queue shows a message again", func(p *probe) {
		url := p.queue()
		p.send(url, "hello")
		for count := range 2 {
			out, err := p.sqs.ReceiveMessage(p.Context(), &sqs.ReceiveMessageInput{
				// A VisibilityTimeout of 0 would be the queue's own.
				QueueUrl: &url, VisibilityTimeout: 1, WaitTimeSeconds: 5,
				MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{"ApproximateReceiveCount"},
			})
			p.must(err)
			p.same("bodies", bodies(out.Messages), []string{"hello"})
			p.same("count", out.Messages[0].Attributes["ApproximateReceiveCount"], fmt.Sprint(count+1))
		}
	}},
	{"queue forgets a message", func(p *probe) {
		url := p.queue()
		p.send(url, "a", "b", "c")
		out, err := p.sqs.ReceiveMessage(p.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10, VisibilityTimeout: 60})
		p.must(err)
		for range 2 { // twice is not an error
			_, err = p.sqs.DeleteMessage(p.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: out.Messages[0].ReceiptHandle})
			p.must(err)
		}
		batch, err := p.sqs.DeleteMessageBatch(p.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: []sqstypes.DeleteMessageBatchRequestEntry{
			{Id: aws.String("0"), ReceiptHandle: out.Messages[1].ReceiptHandle},
			{Id: aws.String("1"), ReceiptHandle: aws.String("no such handle")},
		}})
		p.must(err)
		p.same("successful", len(batch.Successful), 1)
		p.same("failed", len(batch.Failed), 1)
		p.same("code", *batch.Failed[0].Code, "ReceiptHandleIsInvalid")
		p.same("text", *batch.Failed[0].Message, `The input receipt handle "no such handle" is not a valid receipt handle.`)
		p.same("count", p.count(url), "0 visible, 1 not")
	}},
	{"queue refuses", func(p *probe) {
		url := p.queue()
		_, err := p.sqs.DeleteMessage(p.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: aws.String("x")})
		p.refuses(err, refusal{"ReceiptHandleIsInvalid", 404, `The input receipt handle "x" is not a valid receipt handle.`},
			"status: moto answers 400", "text: moto does not name the handle")
		_, err = p.sqs.ReceiveMessage(p.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 11})
		p.refuses(err, refusal{"InvalidParameterValue", 400, "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."},
			"text: moto puts the CLI's words before its own")
		_, err = p.sqs.DeleteMessageBatch(p.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: []sqstypes.DeleteMessageBatchRequestEntry{}})
		p.refuses(err, refusal{"AWS.SimpleQueueService.EmptyBatchRequest", 400, "There should be at least one DeleteMessageBatchRequestEntry in the request."})
		_, err = p.sqs.GetQueueAttributes(p.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{"Colour"}})
		p.refuses(err, refusal{"InvalidAttributeName", 400, "Unknown Attribute Colour."})
		_, err = p.sqs.CreateQueue(p.Context(), &sqs.CreateQueueInput{QueueName: &p.prefix, Attributes: map[string]string{"VisibilityTimeout": "31"}})
		p.refuses(err, refusal{"QueueAlreadyExists", 400, "A queue already exists with the same name and a different value for attribute VisibilityTimeout"},
			"text: moto does not name the attribute")
	}},
	{"who", func(p *probe) {
		out, err := p.sts.GetCallerIdentity(p.Context(), &sts.GetCallerIdentityInput{})
		p.must(err)
		if len(*out.Account) != 12 || !strings.Contains(*out.Arn, ":"+*out.Account+":") || *out.UserId == "" {
			p.Errorf("account %s, ARN %s, user %q", *out.Account, *out.Arn, *out.UserId)
		}
	}},
	{"role", func(p *probe) {
		out, err := p.sts.AssumeRole(p.Context(), &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::222222222222:role/reader"), RoleSessionName: aws.String("rendered")})
		p.must(err)
		p.same("ARN", *out.AssumedRoleUser.Arn, "arn:aws:sts::222222222222:assumed-role/reader/rendered")
		if c := out.Credentials; !strings.HasPrefix(*c.AccessKeyId, "ASIA") || *c.SessionToken == "" || *c.SecretAccessKey == "" || c.Expiration.IsZero() {
			p.Error("the credentials are not all there")
		}
	}},
	{"role of a role", func(p *probe) {
		c := p.clients
		for i, role := range []string{"arn:aws:iam::222222222222:role/hub", "arn:aws:iam::333333333333:role/team/leaf"} {
			session := fmt.Sprint("session-", i)
			out, err := c.sts.AssumeRole(p.Context(), &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: &session, ExternalId: aws.String("x-1"), DurationSeconds: aws.Int32(900)})
			p.must(err)
			given := out.Credentials
			c = p.with(credentials.NewStaticCredentialsProvider(*given.AccessKeyId, *given.SecretAccessKey, *given.SessionToken))
			who, err := c.sts.GetCallerIdentity(p.Context(), nil)
			p.must(err)
			p.same("account", *who.Account, strings.Split(role, ":")[4])
			p.same("ARN", *who.Arn, "arn:aws:sts::"+*who.Account+":assumed-role/"+path.Base(role)+"/"+session)
			p.same("the answer's ARN", *out.AssumedRoleUser.Arn, *who.Arn)
		}
		// What another account holds is another account's.
		_, err := c.sm.CreateSecret(p.Context(), &secretsmanager.CreateSecretInput{Name: aws.String(p.name("db")), SecretString: aws.String("theirs")})
		p.must(err)
		_, err = p.secret(p.name("db"), "", "")
		p.refuses(err, refusal{"ResourceNotFoundException", 400, "Secrets Manager can't find the specified secret."}, is404)
	}},
	{"role refused", func(p *probe) {
		role := func(in sts.AssumeRoleInput) error {
			in.RoleArn = aws.String("arn:aws:iam::222222222222:role/reader")
			if in.RoleSessionName == nil {
				in.RoleSessionName = aws.String("me")
			}
			_, err := p.sts.AssumeRole(p.Context(), &in)
			return err
		}
		long := strings.Repeat("s", 65)
		p.refuses(role(sts.AssumeRoleInput{RoleSessionName: &long}), refusal{"ValidationError", 400,
			"1 validation error detected: Value '" + long + "' at 'roleSessionName' failed to satisfy constraint: Member must have length less than or equal to 64"},
			"text: moto writes two blanks")
		if p.motoIs("sessions last as long as one likes") {
			return
		}
		p.refuses(role(sts.AssumeRoleInput{DurationSeconds: aws.Int32(43201)}), refusal{"ValidationError", 400,
			"1 validation error detected: Value '43201' at 'durationSeconds' failed to satisfy constraint: Member must have value between 900 and 43200"})
	}},
	{"another Region", func(p *probe) {
		far := p.far()
		_, err := far.sm.CreateSecret(p.Context(), &secretsmanager.CreateSecretInput{Name: aws.String(p.name("db")), SecretString: aws.String("far")})
		p.must(err)
		_, err = far.ssm.PutParameter(p.Context(), &ssm.PutParameterInput{Name: aws.String(p.path("a")), Value: aws.String("far"), Type: ssmtypes.ParameterTypeString})
		p.must(err)
		_, err = p.secret(p.name("db"), "", "")
		p.refuses(err, refusal{"ResourceNotFoundException", 400, "Secrets Manager can't find the specified secret."}, is404)
		_, bad := p.values(p.path("a"))
		p.same("parameter", bad, []string{p.path("a")})
		p.create(p.name("db"), "near")
		p.same("near", p.text(p.name("db"), "", ""), "near")
	}},
}
