package aws

import (
	"cmp"
	"strings"

	"github.com/rendered/rendered/internal/lazyregexp"

	"github.com/rendered/rendered/sources"
)

// A denial is what AWS says about a refused permission. The policy matters: an identity-based one
// is the role's owner's, a resource-based one the secret's owner's, and an explicit deny nobody can
// outweigh.
type denial struct {
	caller   string // ARN
	action   string // as "ssm:GetParameters"
	resource string // the ARN of what was asked for; "" where AWS does not name it
	// policy is the kind of policy that decided, as "identity-based policy"; "" where AWS does not
	// say.
	policy   string
	explicit bool   // policy denies, rather than not allowing
	kms      bool   // it is the key that was refused
	key      string // its ARN, where AWS names it
}

// AWS's texts: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
var (
	denialCaller = lazyregexp.New(`User: (arn:[^\s"]+) is not authorized`)
	denialAction = lazyregexp.New(`to perform: ([a-z0-9-]+:[A-Za-z]+)`)
	denialOf     = lazyregexp.New(`on resource: (arn:[^\s"]+)`)
	denialKey    = lazyregexp.New(`arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+`)
	denialPolicy = lazyregexp.New(`(because no|with an explicit deny in an?) (identity-based policy|resource-based policy|service control policy|resource control policy|session policy|permissions boundary|VPC endpoint policy)`)
)

func readDenial(message string) denial {
	group := func(pattern *lazyregexp.Regexp, n int) string {
		if m := pattern.FindStringSubmatch(message); m != nil {
			return m[n]
		}
		return ""
	}
	d := denial{
		caller: group(denialCaller, 1), action: group(denialAction, 1), resource: group(denialOf, 1), key: denialKey.FindString(message),
		policy: group(denialPolicy, 2), explicit: strings.HasPrefix(group(denialPolicy, 1), "with an explicit"),
	}
	d.kms = d.action == actDecrypt || d.key != "" || strings.Contains(message, "KMS") || strings.Contains(message, "customer master key")
	return d
}

// detail gives AWS's reason in few words.
func (d denial) detail() string {
	switch {
	case d.explicit:
		return "an explicit deny in " + article(d.policy)
	case d.policy != "":
		return "no " + d.policy + " allows " + d.action
	case d.kms:
		return "its KMS key may not be used"
	case d.action != "":
		return "not allowed to " + d.action
	}
	return ""
}

func article(noun string) string {
	if strings.HasPrefix(noun, "i") {
		return "an " + noun
	}
	return "a " + noun
}

// hints say who was refused and what to add to which policy, so that the ref can be read by action.
func (c *clients) denialHints(d denial, r sources.Ref, action string) []string {
	grant := Statement{Effect: allow, Action: Words{action}, Resource: resources(r, c.region, c.accountOr("*"))}
	if r.Kind == queueKind {
		grant.Action = queueActions
	}
	return c.hintsToAdd(d, r, grant)
}

// hintsToAdd say who was refused, and to which policy to add what.
func (c *clients) hintsToAdd(d denial, r sources.Ref, grant Statement) []string {
	var hints []string
	if d.caller != "" {
		hints = append(hints, "asked as  "+d.caller)
	}
	if d.explicit {
		return append(hints, "undo      the explicit deny; no Allow outweighs it")
	}
	to := principal(d.caller)
	switch {
	case d.kms:
		key := "arn:" + partition(c.region) + ":kms:" + c.region + ":" + c.accountOr("*") + ":key/ID-OF-ITS-KEY"
		grant.Action, grant.Resource, grant.Condition = Words{actDecrypt}, Words{cmp.Or(d.key, key)}, nil
		to += "; the policy of the key must allow it as well"
	case d.policy == "resource-based policy":
		grant.Principal, grant.Resource = map[string]string{"AWS": roleARN(d.caller)}, Words{"*"}
		to = "the resource policy of " + r.String()
	case cmp.Or(d.policy, "identity-based policy") != "identity-based policy":
		to = "the " + d.policy
	}
	return append(hints, "add       "+grant.String(), "to        "+to)
}

// turn says whose policy it is that refused r.
func (d denial) turn(r sources.Ref) string {
	role := "the owner of " + principal(d.caller)
	switch d.policy {
	case "resource-based policy":
		return "the owner of " + r.String()
	case "service control policy", "resource control policy":
		return "the administrator of the organization"
	case "VPC endpoint policy":
		return "the owner of the VPC endpoint"
	}
	if d.kms {
		return role + ", and the owner of the key"
	}
	return role
}

// whois reads the ARN of a caller: of a session the role behind it.
func whois(caller string) (kind, name string, in sources.ARN) {
	in, _ = sources.ParseARN(caller)
	kind, name, _ = strings.Cut(in.Resource, "/")
	if kind == "assumed-role" {
		kind = "role"
		name, _, _ = strings.Cut(name, "/") // the session's name follows
	}
	return kind, name, in
}

// principal names a caller as people do: "role web in account 111111111111".
func principal(caller string) string {
	kind, name, in := whois(caller)
	if in.Account == "" {
		return "the role or user of these credentials"
	}
	return strings.TrimSpace(kind+" "+name) + " in account " + in.Account
}

// roleARN gives the ARN for a policy's Principal: that of the role behind a session.
func roleARN(caller string) string {
	_, name, in := whois(caller)
	if !strings.HasPrefix(in.Resource, "assumed-role/") {
		return caller
	}
	return "arn:" + in.Partition + ":iam::" + in.Account + ":role/" + name
}
