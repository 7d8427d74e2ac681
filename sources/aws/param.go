package aws

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/rendered/rendered/sources"
)

const (
	actParam  = "ssm:GetParameter"
	actParams = "ssm:GetParameters"
)

// batchSize is how many names GetParameters takes.
const batchSize = 10

// A wanted is one parameter to ask for, on behalf of every ref that means it.
type wanted struct {
	name string // as it is asked for
	key  string // the same for every name of the parameter
	refs []sources.Ref
}

// parameterKey gives the name without the leading slash, which AWS does not tell apart at the root,
// also of an ARN.
func parameterKey(name string) string {
	return strings.TrimPrefix(sources.ParameterName(name), "/")
}

// askParams asks for parameters in batches, for those with a selector one by one: a batch would not
// say whether it is the parameter that is missing or the version.
func (f *fetch) askParams(refs []sources.Ref) {
	var plain []sources.Ref
	for _, r := range refs {
		if r.Selector == "" {
			plain = append(plain, r)
			continue
		}
		f.spawn(func() { f.askVersion(r) }, r)
	}
	for _, batch := range batches(plain, &f.apart) {
		f.spawnBatch(batch)
	}
}

// batches divides parameters into as few calls as possible. Two names of one parameter never stand
// in one batch: refs that differ by the slash at the root are asked once, and an ARN apart from the
// plain name, as it may be of another account. What spoiled a batch before goes alone.
func batches(refs []sources.Ref, apart *sync.Map) [][]*wanted {
	var list, alone [][]*wanted
	plain := make(map[string]*wanted) // by key
	for _, r := range refs {
		w := &wanted{name: r.Name, key: parameterKey(r.Name), refs: []sources.Ref{r}}
		if !r.IsARN() {
			if same := plain[w.key]; same != nil {
				same.refs = append(same.refs, r)
				continue
			}
			plain[w.key] = w
		}
		if _, ok := apart.Load(w.key); ok {
			alone = append(alone, []*wanted{w})
			continue
		}
		i := slices.IndexFunc(list, func(b []*wanted) bool { return len(b) < batchSize && find(b, w.key) == nil })
		if i < 0 {
			i, list = len(list), append(list, nil)
		}
		list[i] = append(list[i], w)
	}
	return append(list, alone...)
}

func find(batch []*wanted, key string) *wanted {
	for _, w := range batch {
		if w.key == key {
			return w
		}
	}
	return nil
}

func (f *fetch) spawnBatch(batch []*wanted) {
	var refs []sources.Ref
	for _, w := range batch {
		refs = append(refs, w.refs...)
	}
	f.spawn(func() { f.askBatch(batch) }, refs...)
}

// askBatch asks for up to ten parameters at once. AWS refuses a call as a whole for one name in it.
func (f *fetch) askBatch(batch []*wanted) {
	in := &ssm.GetParametersInput{WithDecryption: awssdk.Bool(true)}
	for _, w := range batch {
		in.Names = append(in.Names, w.name)
	}
	out, err := do(f, sources.Param, f.getParameters, in)
	switch {
	case err == nil:
		f.sortOut(batch, out)
	case ofOneName(err):
		f.split(batch, err)
	default:
		for _, w := range batch {
			f.fail(actParams, err, w.refs...)
		}
	}
}

// split leaves the name that spoiled a batch out of it. Where AWS does not say which it was, each
// is asked for alone, so that the error is that of its own ref.
func (f *fetch) split(batch []*wanted, err error) {
	spoiler := find(batch, parameterKey(readDenial(diagnose(err).message).resource))
	if len(batch) == 1 {
		spoiler = batch[0]
	}
	if spoiler == nil {
		for _, w := range batch {
			f.spawnBatch([]*wanted{w})
		}
		return
	}
	f.apart.Store(spoiler.key, true)
	f.fail(actParams, err, spoiler.refs...)
	if rest := slices.DeleteFunc(slices.Clone(batch), func(w *wanted) bool { return w == spoiler }); len(rest) > 0 {
		f.askBatch(rest)
	}
}

// sortOut gives each ref of a batch its part of the answer, which comes in any order.
func (f *fetch) sortOut(batch []*wanted, out *ssm.GetParametersOutput) {
	found := make(map[string]types.Parameter, len(out.Parameters)) // by key
	for _, p := range out.Parameters {
		found[parameterKey(awssdk.ToString(p.Name))] = p
	}
	for _, w := range batch {
		f.apart.Delete(w.key)
		p, ok := found[w.key]
		switch {
		case ok:
			f.settle(p, w.refs...)
		case slices.ContainsFunc(out.InvalidParameters, func(name string) bool { return parameterKey(name) == w.key }):
			f.fail(actParams, errNoParameter, w.refs...)
		default:
			f.fail(actParams, errEmptyAnswer, w.refs...)
		}
	}
}

// askVersion asks for one version of a parameter.
func (f *fetch) askVersion(r sources.Ref) {
	out, err := do(f, r.Kind, f.getParameter, &ssm.GetParameterInput{
		Name: awssdk.String(r.Name + ":" + r.Selector), WithDecryption: awssdk.Bool(true),
	})
	switch {
	case err != nil:
		f.fail(actParam, err, r)
	case out.Parameter == nil:
		f.fail(actParam, errEmptyAnswer, r)
	default:
		f.settle(*out.Parameter, r)
	}
}

// settle answers refs with the parameter.
func (f *fetch) settle(p types.Parameter, refs ...sources.Ref) {
	if p.Value == nil {
		f.fail(actParams, errEmptyAnswer, refs...)
		return
	}
	if tooLong(p) {
		f.fail(actParams, errTooLong, refs...)
		return
	}
	v := sources.Value{Text: *p.Value, Secret: p.Type == types.ParameterTypeSecureString}
	if p.Type == types.ParameterTypeStringList {
		v.List = strings.Split(v.Text, ",")
	}
	for _, r := range refs {
		if !r.IsARN() {
			f.learn(awssdk.ToString(p.ARN))
		}
		v := v
		v.Version, v.Read = state(p, r.Selector)
		f.answer(r, sources.Result{Value: v})
	}
}

// maxParam is the most bytes of a parameter's value (AWS Systems Manager endpoints and quotas:
// advanced parameters).
const maxParam = 8 << 10

// tooLong tells whether a parameter's value is longer than any of Parameter Store's. It hands on
// secrets, too.
func tooLong(p types.Parameter) bool {
	limit := maxParam
	if strings.HasPrefix(parameterKey(awssdk.ToString(p.Name)), "aws/reference/secretsmanager/") {
		limit = maxSecret
	}
	return len(*p.Value) > limit
}

// state gives the version of a parameter that was asked for with the selector, and its Value.Read.
// A secret read as /aws/reference/secretsmanager/… has no version of its own but says the secret's.
func state(p types.Parameter, selector string) (version string, read map[string]string) {
	arn := awssdk.ToString(p.ARN)
	if p.Version != 0 {
		version = strconv.FormatInt(p.Version, 10)
		if arn != "" && !isParamVersion(selector) {
			read = map[string]string{selector + " of " + arn: version}
		}
		return version, read
	}
	if p.SourceResult == nil {
		return "", nil
	}
	var secret struct { // the rest of it is the secret
		ARN, VersionId string
		VersionStages  []string
	}
	_ = json.Unmarshal([]byte(*p.SourceResult), &secret)
	return secret.VersionId, secretRead(secret.ARN, selector, secret.VersionId, secret.VersionStages)
}

// isParamVersion tells a version from a label, which does not begin with a digit
// (LabelParameterVersion).
func isParamVersion(selector string) bool {
	return strings.Trim(selector, "0123456789") == "" && selector != ""
}
