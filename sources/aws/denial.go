package aws

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/rendered/rendered/sources"
)

// A denial is what AWS says about a refused permission. The policy matters: an identity-based one is the role's owner's, a
// resource-based one the secret's owner's, and an explicit deny nobody can outweigh.
type denial struct {
	caller   string // ARN
	action   string // as "ssm:GetParameters"
	resource string // the ARN of what was asked for; "" where AWS does not name it
	policy   string // the kind of policy that decided, as "identity-based policy"; "" where AWS does not say
	explicit bool   // policy denies, rather than not allowing
	kms      bool   // it is the key that was refused
	key      string // its ARN, where AWS names it
}

// AWS's texts: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
var (
	denialCaller = regexp.MustCompile(`User: (arn:[^\s"]+) is not authorized`)
	denialAction = regexp.MustCompile(`to perform: ([a-z0-9-]+:[A-Za-z]+)`)
	denialOf     = regexp.MustCompile(`on resource: (arn:[^\s"]+)`)
	denialKey    = regexp.MustCompile(`arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+`)
	denialPolicy = regexp.MustCompile(`(because no|with an explicit deny in an?) (identity-based policy|resource-based policy|service control policy|resource control policy|session policy|permissions boundary|VPC endpoint policy)`)
)

func readDenial(message string) denial {
	var d denial
	if m := denialCaller.FindStringSubmatch(message); m != nil {
		d.caller = m[1]
	}
	if m := denialAction.FindStringSubmatch(message); m != nil {
		d.action = m[1]
	}
	if m := denialOf.FindStringSubmatch(message); m != nil {
		d.resource = m[1]
	}
	if m := denialPolicy.FindStringSubmatch(message); m != nil {
		d.policy, d.explicit = m[2], m[1] != "because no"
	}
	d.key = denialKey.FindString(message)
	d.kms = d.action == "kms:Decrypt" || d.key != "" || strings.Contains(message, "KMS") || strings.Contains(message, "customer master key")
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

// A statement is one of an IAM policy, in the order in which people write it.
type statement struct {
	Effect    string
	Principal map[string]string `json:",omitempty"`
	Action    any               // a string or several
	Resource  any               // likewise
}

func (s statement) String() string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // of texts, so it encodes
	return strings.TrimSpace(b.String())
}

// hints say who was refused and what to add to which policy, so that the ref can be read by action.
func (s *site) denialHints(d denial, r sources.Ref, action string) []string {
	var hints []string
	if d.caller != "" {
		hints = append(hints, "asked as  "+d.caller)
	}
	if d.explicit {
		return append(hints, "undo      the explicit deny; no Allow outweighs it")
	}
	allow := statement{Effect: "Allow", Action: action, Resource: s.resource(r)}
	if r.Kind == queueKind {
		allow.Action = queueActions
	}
	to := principal(d.caller)
	switch {
	case d.kms:
		allow.Action, allow.Resource = "kms:Decrypt", d.key
		if d.key == "" {
			allow.Resource = "arn:" + partition(s.region) + ":kms:" + s.region + ":" + s.accountOr("*") + ":key/ID-OF-ITS-KEY"
		}
		to += "; the policy of the key must allow it as well"
	case d.policy == "resource-based policy":
		allow.Principal, allow.Resource = map[string]string{"AWS": roleARN(d.caller)}, "*"
		to = "the resource policy of " + r.String()
	case d.policy != "" && d.policy != "identity-based policy":
		to = "the " + d.policy
	}
	return append(hints, "add       "+allow.String(), "to        "+to)
}

// resource gives the ARN, or the ARNs, by which IAM knows what r asks for.
func (s *site) resource(r sources.Ref) any {
	if isARN(r.Name) {
		return r.Name
	}
	in := func(service, resource string) string {
		return "arn:" + partition(s.region) + ":" + service + ":" + s.region + ":" + s.accountOr("*") + ":" + resource
	}
	switch name := strings.Trim(r.Name, "/"); {
	case r.Kind == sources.Secret:
		return in("secretsmanager", "secret:"+r.Name+"-??????") // the end that AWS adds to the name
	case r.Kind == queueKind:
		return in("sqs", r.Name)
	case r.Kind == sources.Param:
		return in("ssm", "parameter/"+name)
	case name == "":
		return in("ssm", "parameter/*")
	default:
		return []string{in("ssm", "parameter/"+name), in("ssm", "parameter/"+name+"/*")}
	}
}

// principal names a caller as people do: "role web in account 111111111111".
func principal(caller string) string {
	a, ok := parseARN(caller)
	if !ok {
		return "the role or user of these credentials"
	}
	kind, name, _ := strings.Cut(a.resource, "/")
	if kind == "assumed-role" {
		kind = "role"
		name, _, _ = strings.Cut(name, "/") // the session's name follows
	}
	return strings.TrimSpace(kind+" "+name) + " in account " + a.account
}

// roleARN gives the ARN for a policy's Principal: that of the role behind a session.
func roleARN(caller string) string {
	a, ok := parseARN(caller)
	kind, name, _ := strings.Cut(a.resource, "/")
	if !ok || kind != "assumed-role" {
		return caller
	}
	name, _, _ = strings.Cut(name, "/")
	return "arn:" + a.partition + ":iam::" + a.account + ":role/" + name
}
