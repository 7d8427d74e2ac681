package lookups

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rendered/rendered/sources"
)

// A question is what a person wants to know the users of: a secret, a parameter, a path of them, a
// local file or a fact, by any of its names.
type question struct {
	text string       // as it was asked
	kind sources.Kind // "": any
	ref  string       // the text without its kind

	// The parts of ref, as those of sources.Ref. "" is any.
	account, name, selector string
}

// ask reads words as a person writes a ref: as a template does, as messages do with the kind before
// it, as an ARN, or as a bare name.
func ask(words []string) (question, error) {
	text := strings.Join(words, " ")
	q := question{text: text, ref: text}
	if kind, rest, ok := strings.Cut(text, " "); ok {
		kinds := sources.Kinds(func(sources.Traits) bool { return true })
		if !slices.Contains(kinds, sources.Kind(kind)) {
			return q, fmt.Errorf("there is no kind of lookup %q; write a ref, as prod/db, or its kind before it, as secret prod/db", kind)
		}
		q.kind, q.ref = sources.Kind(kind), rest
	}
	if q.ref == "" {
		return q, errors.New("the ref is empty")
	}
	q.name = q.ref
	for _, kind := range []sources.Kind{sources.Secret, sources.Param} {
		if r, err := sources.ParseRef(kind, q.ref); err == nil {
			q.account, q.name, q.selector = r.Account, r.Name, r.Selector
			break
		}
	}
	return q, nil
}

// takes tells whether a ref is of a kind that was asked about.
func (q question) takes(r sources.Ref) bool {
	return q.kind == "" || q.kind == r.Kind || q.kind == r.Original().Kind || q.kind == sources.Param && r.Kind == sources.Params
}

// means tells whether a lookup asks for what the question is about.
func (s *survey) means(q question, l lookup) bool {
	r := l.Ref
	switch {
	case !l.isKnown() || !q.takes(r):
		return false
	case r.Text() == q.ref:
		return true
	case r.Kind == sources.File:
		return r.Name == filepath.Join(l.file.Template.Dir, q.ref)
	case r.Kind != sources.Secret && r.Kind != sources.Param && r.Kind != sources.Params:
		return r.Name == strings.Trim(q.ref, "/")
	}
	return (q.selector == "" || q.selector == r.Selector) && (q.account == "" || s.isOf(r, q.account)) && s.named(q, r)
}

// isOf tells whether a ref is one of an account of the config: by its name there, or by an ARN of
// it.
func (s *survey) isOf(r sources.Ref, account string) bool {
	if r.Account != "" || !r.IsARN() {
		return r.Account == account
	}
	_, digits := s.source.Origin(r)
	return digits == s.digits(account)
}

// digits gives those of an account of the config; "" where they are not known.
func (s *survey) digits(account string) string {
	_, digits := s.source.Origin(sources.Ref{Kind: sources.Secret, Account: account, Name: "x"})
	return digits
}

// named compares names. It says yes where the daemon would look again if AWS said that what has the
// name has changed.
func (s *survey) named(q question, r sources.Ref) bool {
	if r.Kind == sources.Params && strings.Trim(r.Name, "/") == strings.Trim(sources.ParameterName(q.name), "/") {
		return true
	}
	c := sources.Change{Origin: s.origin(q)}
	arn, isARN := sources.ParseARN(q.name)
	c.Region, c.Account = arn.Region, arn.Account
	secret, param := c, c
	secret.Kind, secret.Name = sources.Secret, q.name
	if isARN {
		secret.Name = sources.SecretName(q.name)
	}
	if isARN && "secret:"+secret.Name != arn.Resource { // it has the end that AWS adds
		secret.ARN = q.name
	}
	param.Kind, param.Name = sources.Param, sources.ParameterName(q.name)
	return arn.Service != "ssm" && secret.Means(r) || arn.Service != "secretsmanager" && param.Means(r)
}

// origin gives where refs are looked up. Where the daemon's own account is not known, it is at
// least none of those that the config names.
func (s *survey) origin(q question) sources.Origin {
	return func(r sources.Ref) (region, account string) {
		region, account = s.source.Origin(r)
		if account != "" {
			return region, account
		}
		for name := range s.cfg.AWS.Accounts {
			if digits := s.digits(name); digits != "" && strings.Contains(q.name, ":"+digits+":") {
				return region, "own"
			}
		}
		return region, ""
	}
}
