package aws

import (
	"cmp"
	"slices"
	"strings"

	"github.com/rendered/rendered/internal/lazyregexp"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/rendered/rendered/sources"
)

const actSecret = "secretsmanager:GetSecretValue"

// A version id has 32 to 64 characters, by PutSecretValue's ClientRequestToken. Most are UUIDs;
// some tools make up their own of letters, digits and hyphens.
var versionID = lazyregexp.New(`^[0-9A-Za-z-]{32,64}$`)

func isVersionID(selector string) bool {
	return versionID.MatchString(selector) && strings.ContainsAny(selector, "0123456789")
}

// IsPinned tells whether a ref names one version of a secret or a parameter, which never changes.
func IsPinned(r sources.Ref) bool {
	if r = r.Original(); r.Kind == sources.Param {
		return isParamVersion(r.Selector)
	}
	return isVersionID(r.Selector)
}

const (
	maxSecret  = 64 << 10 // bytes of a value (AWS Secrets Manager quotas)
	maxVersion = 64       // characters of a version id (PutSecretValue, ClientRequestToken)
)

func (f *fetch) askSecret(r sources.Ref) {
	in := &secretsmanager.GetSecretValueInput{SecretId: &r.Name}
	switch {
	case r.Selector == "":
	case isVersionID(r.Selector):
		in.VersionId = &r.Selector
	default:
		in.VersionStage = &r.Selector
	}
	out, err := do(f, r.Kind, f.getSecretValue, in)
	if err != nil {
		f.fail(actSecret, err, r)
		return
	}
	f.settleSecret(r, out.ARN, out.VersionId, out.SecretString, out.SecretBinary, out.VersionStages)
}

// settleSecret answers r with a version of the secret.
func (f *fetch) settleSecret(r sources.Ref, arn, version, text *string, binary []byte, stages []string) {
	if !r.IsARN() {
		f.learn(awssdk.ToString(arn))
	}
	v := sources.Value{Version: awssdk.ToString(version)}
	v.Read = secretRead(awssdk.ToString(arn), r.Selector, v.Version, stages)
	switch {
	case text != nil:
		v.Text = *text
	case binary != nil:
		v.Bytes = binary
	default:
		f.fail(actSecret, errEmptyAnswer, r)
		return
	}
	if max(len(v.Text), len(v.Bytes)) > maxSecret || len(v.Version) > maxVersion {
		f.fail(actSecret, errTooLong, r)
		return
	}
	f.answer(r, sources.Result{Value: v})
}

// secretRead gives the Value.Read of a secret's version: what the label that was meant stood at,
// and which labels the version had. The latter differ where AWSCURRENT and AWSPREVIOUS are read
// from either side of a rotation and are one version.
func secretRead(arn, selector, version string, stages []string) map[string]string {
	if arn == "" || version == "" {
		return nil
	}
	read := make(map[string]string)
	if len(stages) > 0 {
		stages = slices.Sorted(slices.Values(stages))
		read["labels of "+version+" "+arn] = strings.Join(stages, " ")
	}
	if !isVersionID(selector) {
		read[cmp.Or(selector, sources.CurrentLabel)+" of "+arn] = version
	}
	return read
}
