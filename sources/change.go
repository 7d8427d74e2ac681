package sources

import (
	"strings"
	"time"
)

// A Change says that a secret or a parameter changed at its source. It is a hint: it may come
// twice, late, in another order, or never, and it holds no value. The zero Change may be of
// anything.
type Change struct {
	Kind    Kind   // Secret or Param; "" may be anything
	ARN     string // "" where it is not said
	Name    string // a parameter's begins with a slash
	Region  string // "" where it is not said
	Account string // its twelve digits; "" likewise
	Origin  Origin // of the refs here; nil: it is not known of any
	Scope   Scope  // which versions it is about
	// Version is the version id that the secret's AWSCURRENT is at now; "" where it is not said.
	Version string
	At      time.Time // when it changed; zero where it is not said
	Message string    // the id of the message that said so; "" where there is none
}

// An Origin gives the Region and the account that a ref is looked up in, each "" where it is not
// known.
type Origin func(Ref) (region, account string)

// A Scope says which versions of a secret or a parameter a change is about.
type Scope int

const (
	Everything Scope = iota // as when it was deleted or restored
	Current                 // the one that is meant where nothing is selected
	Labelled                // one of those with a label
)

const (
	// CurrentLabel is the label of the secret's version that is meant where nothing is selected.
	CurrentLabel = "AWSCURRENT"
	// PreviousLabel is the label of the version that was meant before it.
	PreviousLabel = "AWSPREVIOUS"
)

// Means tells whether the change may be about what r means.
func (c Change) Means(r Ref) bool {
	if !c.names(r) {
		return false
	}
	if c.Origin == nil {
		return true
	}
	region, account := c.Origin(r)
	return !differ(c.Region, region) && !differ(c.Account, account)
}

func differ(a, b string) bool { return a != "" && b != "" && a != b }

// names compares what the change is about with what r names.
func (c Change) names(r Ref) bool {
	r = r.Original()
	switch {
	case c.Kind == "":
		return true
	case !c.selects(r.Kind, r.Selector):
		return false
	}
	switch [...]Kind{c.Kind, r.Kind} {
	case [...]Kind{Secret, Secret}:
		return c.isSecret(r.Name)
	case [...]Kind{Param, Param}:
		return ParameterName(r.Name) == c.Name
	case [...]Kind{Param, Params}:
		return strings.HasPrefix(c.Name, strings.TrimRight(r.Name, "/")+"/")
	}
	return false
}

// isSecret compares by ARN where both are known by it: a secret that was deleted and made anew has
// its name, and another ARN.
func (c Change) isSecret(name string) bool {
	if !strings.HasPrefix(name, "arn:") {
		return name == c.Name
	}
	if c.ARN != "" {
		return name == c.ARN
	}
	return SecretName(name) == c.Name
}

// selects tells whether a ref with this selector can mean another version than before.
func (c Change) selects(kind Kind, selector string) bool {
	switch c.Scope {
	case Current: // AWSPREVIOUS moves with it, and there is no event of its own
		return selector == "" || kind == Secret && (selector == CurrentLabel || selector == PreviousLabel)
	case Labelled:
		return selector != "" && strings.Trim(selector, "0123456789") != ""
	}
	return true
}

// VersionOf gives the Value.Version that r means since the change; "" where that is not said.
func (c Change) VersionOf(r Ref) string {
	if r = r.Original(); r.Kind == Secret && r.Selector == "" {
		return c.Version
	}
	return ""
}

// Original gives the ref of the secret that Parameter Store hands on under the name of r, r itself
// where it hands on none.
func (r Ref) Original() Ref {
	if r.Kind == Param {
		if name, ok := strings.CutPrefix(ParameterName(r.Name), secretReference); ok {
			r.Kind, r.Name = Secret, name
		}
	}
	return r
}
