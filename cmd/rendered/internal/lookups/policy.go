package lookups

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/plan"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/aws"
	"github.com/rendered/rendered/watch/fleet"
)

// PolicyOptions say what is asked of the policies of a config, and how they are written.
type PolicyOptions struct {
	Keys      []string // ARNs of KMS keys that values are encrypted with
	Account   string   // digits of the account that the environment's credentials are of; "": not known
	For       string   // the one whose policy is wanted; "": all
	Terraform bool
	JSON      bool
}

// The names of policies that are not those of an account of the config.
const (
	theOwn  = "own"  // of the daemon's own identity
	theBase = "base" // of the credentials that aws.role_arn is assumed with
)

// A named policy is what one identity must be allowed.
type named struct {
	aws.Policy
	name string
}

// IAM prints what AWS must allow so that everything can be looked up, a policy for each identity
// that asks. It reports whether every service could be looked at. An error that is no fault.List is
// a mistake in the options.
func IAM(ctx context.Context, o plan.Options, po PolicyOptions, stdout, stderr io.Writer) (bool, error) {
	if po.Account != "" && !aws.IsAccount(po.Account) {
		return false, fmt.Errorf("--account %s: an account has twelve digits", po.Account)
	}
	s, err := look(ctx, o)
	if err != nil {
		return false, err
	}
	policies, err := s.policies(ctx, po)
	if err != nil {
		return false, err
	}
	if po.For != "" {
		if known := roles(s.cfg); !slices.Contains(known, po.For) {
			return false, unknownRole(po.For, known)
		}
		policies = slices.DeleteFunc(policies, func(p named) bool { return !p.isFor(po.For) })
	}
	remarks := s.remarks(ctx, po, policies)
	switch {
	case po.JSON:
		console.JSON(stdout, s.rights(policies, remarks))
	case s.isEmpty(stderr):
	case po.Terraform:
		printTerraform(stdout, policies, append(s.unknownFaults(), remarks...), s.short)
	default:
		printDocuments(stdout, stderr, policies)
	}
	if !po.JSON {
		console.Warnings(stderr, s.unknownFaults())
		console.Warnings(stderr, remarks)
	}
	return s.explain(stderr), nil
}

// printDocuments writes policies as IAM takes them, one after another, and says whose each is.
func printDocuments(stdout, stderr io.Writer, policies []named) {
	for i, p := range policies {
		if i > 0 {
			fmt.Fprintln(stdout)
		}
		if len(policies) > 1 {
			console.Say(stderr, fmt.Sprintf("for %s, by itself with --for %s:", p.who(), p.name))
		}
		console.JSON(stdout, p.document())
	}
}

// policies gives a policy for each identity of the config that needs one.
func (s *survey) policies(ctx context.Context, po PolicyOptions) (list []named, err error) {
	options := s.cfg.AWS
	options.Region = aws.HomeRegion(ctx, options)
	wants := aws.Wants{Keys: po.Keys, Account: po.Account}
	for _, r := range s.refs() {
		if r.Kind.Traits().Answerer == sources.AWS {
			wants.Refs = append(wants.Refs, r)
		}
	}
	if len(wants.Refs) > 0 { // else there is nothing that notices could be about
		wants.Queue = s.cfg.Queue
	}
	wants.Table, wants.Parts = s.fleet()
	policies, err := aws.Policies(options, wants)
	if refused, ok := errors.AsType[*sources.Error](err); ok {
		return nil, fault.List{{What: refused.Error(), Hints: refused.Hints, Err: err}}
	}
	for _, p := range policies {
		name := theOwn
		switch {
		case p.Base:
			name = theBase
		case len(p.Accounts) > 0:
			name = p.Accounts[0]
		}
		list = append(list, named{p, name})
	}
	return list, err
}

// fleet gives the table of the fleet, and the parts of it that the config's groups use.
func (s *survey) fleet() (table string, parts []string) {
	for _, service := range s.cfg.Services {
		if group := service.Rollout.Group; group != "" {
			parts = append(parts, fleet.PartOf(s.cfg.Fleet.Name, group), fleet.HostsOf(s.cfg.Fleet.Name, group))
		}
	}
	if slices.Sort(parts); len(parts) == 0 {
		return "", nil
	}
	return s.cfg.Fleet.Table, slices.Compact(parts)
}

// roles gives the names of the identities that a config has.
func roles(cfg *config.Config) []string {
	list := []string{theOwn}
	if cfg.AWS.RoleARN != "" {
		list = append(list, theBase)
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.AWS.Accounts)) {
		if cfg.AWS.Accounts[name].RoleARN != "" {
			list = append(list, name)
		}
	}
	return list
}

func unknownRole(name string, known []string) error {
	if near := fault.Near(name, known); near != "" {
		return fmt.Errorf("--for %s: there is no such account; did you mean %q?", name, near)
	}
	return fmt.Errorf("--for %s: there is no such account, but %s", name, strings.Join(known, ", "))
}

// isFor tells whether the policy is that of a name.
func (p named) isFor(name string) bool { return p.name == name || slices.Contains(p.Accounts, name) }

// who says whose policy it is.
func (p named) who() string {
	switch {
	case p.Base:
		return "the credentials that aws.role_arn is assumed with"
	case p.Role == "":
		return "the role or user that rendered runs as"
	case len(p.Accounts) == 0:
		return p.Role + " of aws.role_arn"
	}
	return p.Role + " of aws.accounts." + strings.Join(p.Accounts, " and ")
}

// A document is a policy as IAM takes it.
type document struct {
	Version   string
	Statement []aws.Statement
}

func (p named) document() document { return document{"2012-10-17", p.Statements} }

// size counts the characters that IAM counts: white space is free.
func (p named) size() int {
	text, _ := json.Marshal(p.document()) // of texts, so it encodes
	return len(text)
}

// unknownFaults says of each lookup that no policy can have what to do about it.
func (s *survey) unknownFaults() (list fault.List) {
	for _, l := range s.unknown() {
		if l.Kind.Traits().Answerer != sources.AWS {
			continue
		}
		list = append(list, l.Fault(fmt.Sprintf("%s which %s is looked up here: it is in no policy", onlyTheRender, l.Kind),
			"either  write the name out, or make it of vars: alone",
			"or      allow what it may be in a statement of your own"))
	}
	return list
}

// maxPolicy is how many characters a managed policy has at most, and maxInline all inline policies
// of a role together (IAM and AWS STS quotas).
const (
	maxPolicy = 6144
	maxInline = 10240
)

// remarks says what a person must know who puts the policies in place.
func (s *survey) remarks(ctx context.Context, po PolicyOptions, policies []named) (list fault.List) {
	add := func(what string, hints ...string) { list = append(list, &fault.Fault{What: what, Hints: hints}) }
	if anyOf(policies, func(s aws.Statement) bool {
		return slices.ContainsFunc(s.Resource, func(arn string) bool { return strings.Contains(arn, ":*:") })
	}) {
		var unknown []string
		if aws.HomeRegion(ctx, s.cfg.AWS) == "" {
			unknown = append(unknown, "the Region is not known here: set aws.region or AWS_REGION")
		}
		if po.Account == "" && s.cfg.AWS.RoleARN == "" {
			unknown = append(unknown, "the account is not known here: --account 111111111111")
		}
		add("where an ARN has a * it is wider than it need be", unknown...)
	}
	if len(po.Keys) == 0 && anyOf(policies, aws.Statement.Reads) {
		add("values under a KMS key of your own take kms:Decrypt on it", "--kms-key ARN  adds it; AWS's own keys need nothing")
	}
	for _, p := range policies {
		if n := p.size(); n > maxPolicy {
			hint := fmt.Sprintf("a role's inline policies may have %d: aws iam put-role-policy", maxInline)
			if n > maxInline {
				hint = "look up parameters by their path, or divide the services among several hosts and roles"
			}
			add(fmt.Sprintf("the policy for %s has %d characters, and a managed policy may have %d", p.who(), n, maxPolicy), hint)
		}
	}
	return list
}

// anyOf tells whether a condition holds for a statement.
func anyOf(policies []named, holds func(aws.Statement) bool) bool {
	return slices.ContainsFunc(policies, func(p named) bool { return slices.ContainsFunc(p.Statements, holds) })
}
