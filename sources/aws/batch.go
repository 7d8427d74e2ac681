package aws

import (
	"errors"
	"slices"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/rendered/rendered/sources"
)

// secretBatch is how many secrets BatchGetSecretValue takes. It gives the current versions only.
const secretBatch = 20

// batchable tells whether a secret comes in batches. Those of other accounts, which only their ARN
// can name, are not known to.
func batchable(r sources.Ref) bool { return r.Selector == "" && !r.IsARN() }

// askSecrets asks for secrets: in batches where that is wished and possible, else one by one.
func (f *fetch) askSecrets(refs []sources.Ref) {
	var plain []sources.Ref
	for _, r := range f.previousLater(refs) {
		if !batchable(r) || !f.batchSecrets || f.unbatchable.Load() {
			f.askAlone(r)
			continue
		}
		plain = append(plain, r)
	}
	for batch := range slices.Chunk(plain, secretBatch) {
		f.spawn(func() { f.askSecretBatch(batch) }, batch...)
	}
}

// previousLater leaves out the previous versions of secrets whose current ones are asked for as
// well: they are asked for when these are answered. A rotation in between then shows in the
// answers, which are one version. The other way round they would be two that are not neighbours.
func (f *fetch) previousLater(refs []sources.Ref) []sources.Ref {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(refs), func(r sources.Ref) bool {
		current := r
		current.Selector = ""
		if r.Selector != sources.PreviousLabel || !f.open[current] || !slices.Contains(refs, current) {
			return false
		}
		if f.then == nil {
			f.then = make(map[sources.Ref]func())
		}
		f.then[current] = func() { f.askAlone(r) }
		return true
	})
}

func (f *fetch) askAlone(refs ...sources.Ref) {
	for _, r := range refs {
		f.spawn(func() { f.askSecret(r) }, r)
	}
}

// askSecretBatch asks for up to twenty secrets at once. Where the call as a whole is refused, by
// IAM or by the policy of a VPC endpoint, they are asked for one by one, and so is everything
// after; where only the answer is too large, these are.
func (f *fetch) askSecretBatch(refs []sources.Ref) {
	in := new(secretsmanager.BatchGetSecretValueInput)
	for _, r := range refs {
		in.SecretIdList = append(in.SecretIdList, r.Name)
	}
	out, err := do(f, sources.Secret, f.batchGetSecretValue, in)
	switch {
	case err == nil:
		f.sortOutSecrets(refs, out.SecretValues)
	case ofOneName(err):
		f.fallBack(err)
		f.askAlone(refs...)
	case errors.Is(err, errTooLarge):
		f.askAlone(refs...)
	default:
		f.fail(actSecretBatch, err, refs...)
	}
}

// sortOutSecrets gives each ref of a batch its part of the answer.
func (f *fetch) sortOutSecrets(refs []sources.Ref, values []types.SecretValueEntry) {
	for _, r := range refs {
		i := slices.IndexFunc(values, func(v types.SecretValueEntry) bool {
			return r.Name == awssdk.ToString(v.Name) || r.Name == awssdk.ToString(v.ARN)
		})
		if i < 0 {
			// It is in Errors, or nowhere. Asked for alone it has an error that says why.
			f.askAlone(r)
			continue
		}
		v := values[i]
		f.settleSecret(r, v.ARN, v.VersionId, v.SecretString, v.SecretBinary, v.VersionStages)
	}
}

const actSecretBatch = "secretsmanager:BatchGetSecretValue"

// fallBack gives up batches, and says so once.
func (f *fetch) fallBack(err error) {
	if f.unbatchable.Swap(true) {
		return
	}
	if log := f.log.Load(); log != nil {
		log.Warn("batch_secrets: refused, secrets are asked for one by one from now on", "region", f.region, "err", describe(err),
			"hint", actSecretBatch+` needs an Allow on "*"`)
	}
}
