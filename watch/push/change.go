// Package push hears of changes from AWS: events of EventBridge that come through an SQS queue.
//
// A notice is a hint. It may come twice, late, in another order, or never, and it holds no value; what it says is at most that
// something should be looked at again.
package push

import (
	"strings"
	"time"

	"github.com/rendered/rendered/sources"
)

// A Change is what a notice says: this secret or parameter changed.
type Change struct {
	Kind    sources.Kind // Secret or Param
	ARN     string       // "" where the notice does not say
	Name    string       // a parameter's begins with a slash
	Region  string       // "" where the notice does not say
	Account string       // its twelve digits; "" likewise
	Scope   Scope
	At      time.Time
	Version string // the version id that the secret's AWSCURRENT is at now; "" where the notice does not say
}

// A Scope says which versions of it the change is about.
type Scope int

const (
	Everything Scope = iota // as when it was deleted or restored
	Current                 // the one that is meant where nothing is selected
	Labelled                // one of those with a label
)

const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"

	secretReference = "/aws/reference/secretsmanager"
)

// An Origin gives the Region and the account that a ref is asked for in, each "" where it is not known.
type Origin func(sources.Ref) (region, account string)

// Concerns tells whether the change may be about what r means.
func (c Change) Concerns(r sources.Ref, origin Origin) bool {
	if !c.means(r) {
		return false
	}
	region, account := origin(r)
	return !differ(c.Region, region) && !differ(c.Account, account)
}

func differ(a, b string) bool { return a != "" && b != "" && a != b }

// means compares what the change is about with what r names.
func (c Change) means(r sources.Ref) bool {
	switch {
	case c.Kind == sources.Secret && r.Kind == sources.Param:
		// Parameter Store hands secrets on under this name.
		name, ok := strings.CutPrefix(parameterName(r.Name), secretReference+"/")
		return ok && name == c.Name && c.selects(sources.Secret, r.Selector)
	case c.Kind == sources.Secret && r.Kind == sources.Secret:
		return c.isSecret(r.Name) && c.selects(r.Kind, r.Selector)
	case c.Kind == sources.Param && r.Kind == sources.Param:
		return parameterName(r.Name) == c.Name && c.selects(r.Kind, r.Selector)
	case c.Kind == sources.Param && r.Kind == sources.Params:
		return c.Scope != Labelled && strings.HasPrefix(c.Name, strings.TrimRight(r.Name, "/")+"/")
	}
	return false
}

// isSecret compares by ARN where both are known by it: a secret that was deleted and made anew has its name, and another ARN.
func (c Change) isSecret(name string) bool {
	if !strings.HasPrefix(name, "arn:") {
		return name == c.Name
	}
	if c.ARN != "" {
		return name == c.ARN
	}
	return secretName(name) == c.Name
}

// selects tells whether a ref with this selector can mean another version than before.
func (c Change) selects(kind sources.Kind, selector string) bool {
	switch c.Scope {
	case Current: // AWSPREVIOUS moves with it, and there is no event of its own
		return selector == "" || kind == sources.Secret && (selector == current || selector == previous)
	case Labelled:
		return selector != "" && strings.Trim(selector, "0123456789") != ""
	}
	return true
}

// secretName gives the name in a secret's ARN, without the hyphen and six characters that AWS adds.
func secretName(arn string) string {
	name := resource(arn, "secret:")
	if n := len(name) - len("-??????"); n > 0 && name[n] == '-' {
		return name[:n]
	}
	return name
}

// parameterName gives the name with its leading slash, which AWS takes with and without, of a name or an ARN.
func parameterName(text string) string {
	if strings.HasPrefix(text, "arn:") {
		text = resource(text, "parameter")
	}
	return "/" + strings.TrimLeft(text, "/")
}

// resource gives what stands after arn:partition:service:region:account: and the prefix.
func resource(arn, prefix string) string {
	parts := strings.SplitN(arn, ":", 6)
	return strings.TrimPrefix(parts[len(parts)-1], prefix)
}
