package aws

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
)

// route gives the site that a ref is asked at, or says why AWS never answers it.
func (s *Source) route(r sources.Ref) (*site, *sources.Error) {
	p, err := s.place(r)
	if err != nil {
		return nil, err
	}
	return s.site(p), nil
}

// Check says, without asking anybody, why AWS can never answer r; nil where it may.
func (s *Source) Check(r sources.Ref) *sources.Error {
	_, err := s.place(r)
	return err
}

func (s *Source) place(r sources.Ref) (place, *sources.Error) {
	if r.Kind != sources.Secret && r.Kind != sources.Param && r.Kind != sources.Params {
		return place{}, unanswerable(r, "it is not in AWS")
	}
	if r.Account != "" {
		return s.named(r)
	}
	if a, ok := parseARN(r.Name); ok {
		return s.addressed(r, a)
	}
	return place{region: s.config.Region}, nil
}

// named gives the place of account::name.
func (s *Source) named(r sources.Ref) (place, *sources.Error) {
	a, ok := s.options.Accounts[r.Account]
	if !ok {
		what := fmt.Sprintf("aws.accounts has no %s", r.Account)
		if near := fault.Near(r.Account, slices.Collect(maps.Keys(s.options.Accounts))); near != "" {
			what += "; did you mean " + near + "?"
		}
		return place{}, unanswerable(r, what, "aws: {accounts: {"+r.Account+`: {role_arn: "arn:aws:iam::222222222222:role/reader"}}}`)
	}
	return place{r.Account, s.regionOf(a)}, nil
}

func (s *Source) regionOf(a Account) string {
	if a.Region != "" {
		return a.Region
	}
	return s.config.Region
}

// addressed gives the place of an ARN: its own Region, and the account that is configured for its digits. An ARN of an account that
// may be the daemon's own is asked for with the daemon's own credentials.
func (s *Source) addressed(r sources.Ref, a arn) (place, *sources.Error) {
	if r.Kind == sources.Secret && !wholeSecretARN.MatchString(r.Name) {
		return place{}, unanswerable(r, "the ARN does not end in the hyphen and six characters that Secrets Manager adds to the name",
			"aws secretsmanager describe-secret --secret-id "+quoted(strings.TrimPrefix(a.resource, "secret:"))+"  shows the whole ARN")
	}
	own := s.accountID("")
	if a.account == own {
		return place{region: a.region}, nil
	}
	for _, name := range slices.Sorted(maps.Keys(s.options.Accounts)) {
		if s.accountID(name) == a.account {
			return place{name, a.region}, nil
		}
	}
	if own != "" {
		return place{}, unanswerable(r, fmt.Sprintf("it is in account %s, which aws.accounts does not have", a.account),
			fmt.Sprintf(`to assume a role there:         aws: {accounts: {other: {role_arn: "arn:%s:iam::%s:role/NAME"}}}`, a.partition, a.account),
			fmt.Sprintf(`where its policy lets us in:    aws: {accounts: {other: {id: %q}}}`, a.account))
	}
	return place{region: a.region}, nil
}

// Origin gives the Region and the account that r is asked for in, each "" where it is not known.
func (s *Source) Origin(r sources.Ref) (region, account string) {
	p, err := s.place(r)
	if err != nil {
		return "", ""
	}
	if a, ok := parseARN(r.Name); ok {
		return p.region, a.account
	}
	if a := s.options.Accounts[p.account]; a.ID == "" && a.RoleARN == "" {
		return p.region, s.accountID("")
	}
	return p.region, s.accountID(p.account)
}

// accountID gives the digits of an account, "" where nothing has told them yet.
func (s *Source) accountID(name string) string {
	role, id := s.options.RoleARN, ""
	if name != "" {
		role, id = s.options.Accounts[name].RoleARN, s.options.Accounts[name].ID
	}
	if a, ok := parseARN(role); ok {
		return a.account
	}
	if name == "" && s.home != nil {
		return s.home.accountOr("")
	}
	return id
}

func unanswerable(r sources.Ref, why string, hints ...string) *sources.Error {
	return &sources.Error{Ref: r, Reason: sources.Unanswerable, Detail: why, Hints: hints}
}
