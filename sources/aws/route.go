package aws

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
)

// route gives the clients that a ref is asked with, or says why AWS never answers it.
func (s *Source) route(r sources.Ref) (*clients, *sources.Error) {
	p, err := s.locate(r)
	if err != nil {
		return nil, err
	}
	return s.clientsAt(p), nil
}

// Check says, without asking anybody, why AWS can never answer r; nil where it may, and where it is
// not in AWS.
func (s *Source) Check(r sources.Ref) *sources.Error {
	if askers[r.Kind] == nil {
		return nil
	}
	_, err := s.locate(r)
	return err
}

func (s *Source) locate(r sources.Ref) (location, *sources.Error) {
	if askers[r.Kind] == nil {
		return location{}, unanswerable(r, "it is not in AWS")
	}
	if r.Account != "" {
		return s.named(r)
	}
	if a, ok := sources.ParseARN(r.Name); ok {
		return s.addressed(r, a)
	}
	return location{region: s.config.Region}, nil
}

// named gives the location of account::name.
func (s *Source) named(r sources.Ref) (location, *sources.Error) {
	a, ok := s.options.Accounts[r.Account]
	if !ok {
		what := fmt.Sprintf("aws.accounts has no %s", r.Account)
		if near := fault.Near(r.Account, slices.Collect(maps.Keys(s.options.Accounts))); near != "" {
			what += "; did you mean " + near + "?"
		}
		return location{}, unanswerable(r, what, "aws: {accounts: {"+r.Account+`: {role_arn: "arn:aws:iam::222222222222:role/reader"}}}`)
	}
	if a.RoleARN == "" && a.ID != "" && a.ID != s.accountID("") {
		// With the daemon's own credentials a name is one of its own account.
		return location{}, unanswerable(r, fmt.Sprintf("aws.accounts has no role_arn for %s, and without one a name cannot be looked up in account %s", r.Account, a.ID),
			fmt.Sprintf("with the daemon's own credentials:  the whole ARN of it, which begins with arn:aws:%s:", awsName(r.Kind)),
			fmt.Sprintf(`with a role there:                  aws: {accounts: {%s: {role_arn: "arn:aws:iam::%s:role/NAME"}}}`, r.Account, a.ID))
	}
	return location{r.Account, s.regionOf(a)}, nil
}

// awsName is the service as ARNs name it.
func awsName(k sources.Kind) string {
	if k == sources.Secret {
		return "secretsmanager"
	}
	return "ssm"
}

func (s *Source) regionOf(a Account) string {
	if a.Region != "" {
		return a.Region
	}
	return s.config.Region
}

// addressed gives the location of an ARN: its own Region, and the account that is configured for
// its digits. An ARN of an account that may be the daemon's own is asked for with the daemon's own
// credentials.
func (s *Source) addressed(r sources.Ref, a sources.ARN) (location, *sources.Error) {
	if r.Kind == sources.Secret && !wholeSecretARN.MatchString(r.Name) {
		return location{}, unanswerable(r, "the ARN does not end in the hyphen and six characters that Secrets Manager adds to the name",
			"aws secretsmanager describe-secret --secret-id "+quoted(strings.TrimPrefix(a.Resource, "secret:"))+"  shows the whole ARN")
	}
	own := s.accountID("")
	if a.Account == own {
		return location{region: a.Region}, nil
	}
	for _, name := range slices.Sorted(maps.Keys(s.options.Accounts)) {
		if s.accountID(name) == a.Account {
			return location{name, a.Region}, nil
		}
	}
	if own != "" {
		return location{}, unanswerable(r, fmt.Sprintf("it is in account %s, which aws.accounts does not have", a.Account),
			fmt.Sprintf(`to assume a role there:         aws: {accounts: {other: {role_arn: "arn:%s:iam::%s:role/NAME"}}}`, a.Partition, a.Account),
			fmt.Sprintf(`where its policy lets us in:    aws: {accounts: {other: {id: %q}}}`, a.Account))
	}
	return location{region: a.Region}, nil
}

// Origin gives the Region and the account that r is asked for in, each "" where it is not known.
func (s *Source) Origin(r sources.Ref) (region, account string) {
	p, err := s.locate(r)
	if err != nil {
		return "", ""
	}
	if a, ok := sources.ParseARN(r.Name); ok {
		return p.region, a.Account
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
	if a, ok := sources.ParseARN(role); ok {
		return a.Account
	}
	if name == "" && s.home != nil {
		return s.home.accountOr("")
	}
	return id
}

func unanswerable(r sources.Ref, why string, hints ...string) *sources.Error {
	return &sources.Error{Ref: r, Reason: sources.Unanswerable, Detail: why, Hints: hints}
}
