package sources

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rendered/rendered/internal/lazyregexp"
)

// A Ref is the name of one value. Refs are equal when they ask for the same thing in the same
// words, so a Ref is a map key.
type Ref struct {
	Kind    Kind
	Account string // the account of the config that answers; "" is the daemon's own
	Name    string // a name, a path or a full ARN, without the selector
	// Selector is a staging label or version id of Secrets Manager, a version or label of Parameter
	// Store; "" is the current one.
	Selector string
}

// Unique leaves each ref in a list once.
func Unique(refs []Ref) []Ref {
	seen := make(map[Ref]bool, len(refs))
	return slices.DeleteFunc(refs, func(r Ref) bool {
		was := seen[r]
		seen[r] = true
		return was
	})
}

// String gives the ref as messages name it: "secret shared::prod/db:AWSPREVIOUS".
func (r Ref) String() string { return string(r.Kind) + " " + r.Text() }

// Previous gives the ref of the version that the secret's current one took the place of.
func (r Ref) Previous() Ref {
	r.Selector = PreviousLabel
	return r
}

// Text gives the ref as a template writes it: "shared::prod/db:AWSPREVIOUS".
func (r Ref) Text() string {
	s := r.Name
	if r.Account != "" {
		s = r.Account + "::" + s
	}
	if r.Selector != "" {
		s += ":" + r.Selector
	}
	return s
}

// Default gives the call of a template that has VALUE where the ref does not exist, or no texts
// where there are several; "" where no function does.
func (r Ref) Default() string {
	name := r.Kind.Traits().Default
	switch {
	case name == "":
		return ""
	case r.Kind.Traits().Form == TextsByName:
		return fmt.Sprintf(`{{ %s dict %q }}`, name, r.Text())
	}
	return fmt.Sprintf(`{{ %s "VALUE" %q }}`, name, r.Text())
}

// Parameter and secret names, by AWS's API reference: CreateSecret (Name) and PutParameter (Name).
// A secret that a service manages may hold '!' (rds!db-…), and a parameter may be
// /aws/reference/secretsmanager/NAME with a secret's letters.
var (
	secretName  = lazyregexp.New(`^[A-Za-z0-9/_+=.@!-]+$`)
	paramName   = lazyregexp.New(`^[A-Za-z0-9/_.-]+$`)
	accountName = lazyregexp.New(`^[A-Za-z0-9_.-]+$`)
	selector    = lazyregexp.New(`^[A-Za-z0-9_.+=@/-]+$`)
	// Of digits it is a version, else a label (LabelParameterVersion).
	paramSelector = lazyregexp.New(`^([0-9]*|[A-Za-z_.-][A-Za-z0-9_.-]{0,99})$`)
	secretARN     = lazyregexp.New(`(?s)^(arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+)(?::(.*))?$`)
	anyName       = lazyregexp.New(`(?s)^([^:]*)(?::(.*))?$`)
	paramARN      = lazyregexp.New(`(?s)^(arn:[a-z-]+:ssm:[a-z0-9-]+:[0-9]{12}:parameter/[A-Za-z0-9/_.-]+)(?::(.*))?$`)
)

const (
	maxSecretName = 512  // bytes (CreateSecret)
	maxParamName  = 1011 // bytes, the ARN's head not counted (PutParameter)
	maxSelector   = 256  // bytes (UpdateSecretVersionStage)
)

// A count in the expression, as {1,512}, takes half as long again, and every lookup of every pass
// is parsed.
func isSecretName(s string) bool { return len(s) <= maxSecretName && secretName.MatchString(s) }

func isParamName(s string) bool {
	return len(s) <= maxParamName && paramName.MatchString(s) || strings.HasPrefix(s, secretReference) && isSecretName(s)
}

func isSelector(s string) bool { return len(s) <= maxSelector && selector.MatchString(s) }

const secretReference = "/aws/reference/secretsmanager/"

// parseSecret reads a secret's name or ARN. The stage that it has without a selector is taken away,
// so that both ways to write it are one ref.
func parseSecret(text string) (Ref, error) {
	r, err := parseName(text, secretARN, "secret")
	switch {
	case err != nil:
		return Ref{}, err
	case !r.IsARN() && !isSecretName(r.Name):
		return Ref{}, errors.New("a secret's name has 1 to 512 letters, digits and /_+=.@-! only")
	case r.Selector == CurrentLabel:
		r.Selector = ""
	}
	return r, nil
}

func parseParam(text string) (Ref, error) {
	r, err := parseName(text, paramARN, "parameter")
	switch {
	case err != nil:
		return Ref{}, err
	case r.IsARN():
		return r, nil
	case !paramSelector.MatchString(r.Selector):
		return Ref{}, errors.New("what follows the colon is neither a version, which is a number, nor a label, which does not begin with a digit")
	case !isParamName(r.Name):
		return Ref{}, errors.New("a parameter's name has 1 to 1011 letters, digits and /_.- only")
	case strings.Contains(r.Name, "/") && r.Name[0] != '/':
		return Ref{}, errors.New("a parameter's name that holds a / begins with one")
	}
	return r, nil
}

func parsePath(text string) (Ref, error) {
	r, err := parseName(text, paramARN, "parameter")
	switch {
	case err != nil:
		return Ref{}, err
	case r.IsARN():
		return Ref{}, errors.New("a path cannot be an ARN")
	case r.Selector != "":
		return Ref{}, errors.New("a path has no versions; leave out what follows the colon")
	case !strings.HasPrefix(r.Name, "/"):
		return Ref{}, errors.New("a path of parameters begins with /")
	case !paramName.MatchString(r.Name):
		return Ref{}, errors.New("a path of parameters has letters, digits and /_.- only")
	}
	return r, nil
}

// parseName reads [account::]name[:selector], or what the pattern of an ARN matches.
func parseName(text string, pattern *lazyregexp.Regexp, what string) (r Ref, err error) {
	account, rest, other := strings.Cut(text, "::")
	if !other {
		account, rest = "", text
	} else if !accountName.MatchString(account) {
		return Ref{}, errors.New("what stands before :: is not the name of an account")
	}
	if !strings.HasPrefix(rest, "arn:") {
		pattern = anyName
	} else if other {
		return Ref{}, errors.New("an ARN names its account itself; leave out the account before the double colon")
	}
	m := pattern.FindStringSubmatch(rest)
	if m == nil {
		return Ref{}, fmt.Errorf("it begins with arn: but is not the full ARN of a %s", what)
	}
	if len(m[1]) < len(rest) && !isSelector(m[2]) {
		return Ref{}, errors.New("what follows the name and a colon is not a version or a label")
	}
	return Ref{Account: account, Name: m[1], Selector: m[2]}, nil
}
