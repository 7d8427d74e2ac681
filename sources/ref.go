package sources

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// A Kind says what a ref names.
type Kind string

const (
	Secret Kind = "secret" // a secret of AWS Secrets Manager, whole
	Param  Kind = "param"  // one parameter of SSM Parameter Store
	Params Kind = "params" // every parameter under a path, recursively
	File   Kind = "file"   // a local file
	IMDS   Kind = "imds"   // what the instance metadata service of EC2 says at a path
	Own    Kind = "aws"    // the "region" or the "account" that AWS is asked in
)

// A Ref is the name of one value. Refs are equal when they ask for the same thing in the same words, so a Ref is a map key.
type Ref struct {
	Kind     Kind
	Account  string // the account of the config that answers; "" is the daemon's own
	Name     string // a name, a path or a full ARN, without the selector
	Selector string // Secrets Manager: a staging label or version id; Parameter Store: a version or label; "" is the current one
}

// String gives the ref as messages name it: "secret shared::prod/db:AWSPREVIOUS".
func (r Ref) String() string { return string(r.Kind) + " " + r.Text() }

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

// Parameter and secret names, by AWS's API reference: CreateSecret (Name) and PutParameter (Name). A secret that a service
// manages may hold '!' (rds!db-…), and a parameter may be /aws/reference/secretsmanager/NAME with a secret's letters.
var (
	secretName   = regexp.MustCompile(`^[A-Za-z0-9/_+=.@!-]+$`)
	paramName    = regexp.MustCompile(`^[A-Za-z0-9/_.-]+$`)
	accountName  = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)
	metadataPath = regexp.MustCompile(`^[A-Za-z0-9/_.:%@+=-]*[A-Za-z0-9_.:%@+=-][A-Za-z0-9/_.:%@+=-]*$`)
	selector     = regexp.MustCompile(`^[A-Za-z0-9_.+=@/-]+$`)
	// Of digits it is a version, else a label (LabelParameterVersion).
	paramSelector = regexp.MustCompile(`^([0-9]*|[A-Za-z_.-][A-Za-z0-9_.-]{0,99})$`)
	secretARN     = regexp.MustCompile(`^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+$`)
	paramARN      = regexp.MustCompile(`^arn:[a-z-]+:ssm:[a-z0-9-]+:[0-9]{12}:parameter/[A-Za-z0-9/_.-]+$`)
)

const (
	maxSecretName = 512  // bytes (CreateSecret)
	maxParamName  = 1011 // bytes, the ARN's head not counted (PutParameter)
	maxSelector   = 256  // bytes (UpdateSecretVersionStage)
)

// A count in the expression, as {1,512}, takes half as long again, and every lookup of every pass is parsed.
func isSecretName(s string) bool { return len(s) <= maxSecretName && secretName.MatchString(s) }

func isSelector(s string) bool { return len(s) <= maxSelector && selector.MatchString(s) }

const secretReference = "/aws/reference/secretsmanager/"

// ParseRef reads [account::]name[:selector] or ARN[:selector]. For Params the text is a path; for File it is a path of the
// file system, taken as it is. The error says what is wrong with the text and does not repeat it: the text of a computed ref
// may be a secret.
func ParseRef(kind Kind, text string) (Ref, error) {
	if text == "" {
		return Ref{}, errors.New("the name is empty")
	}
	r := Ref{Kind: kind}
	switch kind {
	case File:
		r.Name = text
		return r, nil
	case IMDS:
		r.Name = strings.Trim(text, "/")
		if !metadataPath.MatchString(text) || strings.Contains("/"+text+"/", "/../") {
			return Ref{}, errors.New("a path of instance metadata has letters, digits and /_.:%@+=- only, as placement/region has")
		}
		return r, nil
	case Own:
		r.Name = text
		if text != "region" && text != "account" {
			return Ref{}, errors.New(`there are "region" and "account"`)
		}
		return r, nil
	}
	rest := text
	if account, after, ok := strings.Cut(text, "::"); ok {
		if !accountName.MatchString(account) {
			return Ref{}, errors.New("what stands before :: is not the name of an account")
		}
		r.Account, rest = account, after
	}
	if strings.HasPrefix(rest, "arn:") {
		return parseARN(r, rest)
	}
	var selected bool
	r.Name, r.Selector, selected = strings.Cut(rest, ":")
	if selected && !isSelector(r.Selector) {
		return Ref{}, errors.New("what follows the colon is not a version or a label")
	}
	return r.current(), r.check()
}

// current takes away the stage that a secret has without one, so that both ways to write it are one ref.
func (r Ref) current() Ref {
	if r.Kind == Secret && r.Selector == "AWSCURRENT" {
		r.Selector = ""
	}
	return r
}

// parseARN reads ARN[:selector] into r. A secret's ARN has seven parts, a parameter's six; the selector is one more.
func parseARN(r Ref, text string) (Ref, error) {
	if r.Account != "" {
		return Ref{}, errors.New("an ARN names its account itself; leave out the account before the double colon")
	}
	parts, pattern, what := 7, secretARN, "secret"
	if r.Kind != Secret {
		parts, pattern, what = 6, paramARN, "parameter"
	}
	r.Name = text
	if fields := strings.SplitN(text, ":", parts+1); len(fields) > parts {
		r.Selector = fields[parts]
		r.Name = strings.TrimSuffix(text, ":"+r.Selector)
		if !isSelector(r.Selector) {
			return Ref{}, errors.New("what follows the ARN's last colon is not a version or a label")
		}
	}
	if !pattern.MatchString(r.Name) {
		return Ref{}, fmt.Errorf("it begins with arn: but is not the full ARN of a %s", what)
	}
	if r.Kind == Params {
		return Ref{}, errors.New("a path cannot be an ARN")
	}
	return r.current(), nil
}

// check says why r's name cannot be the name of anything of its kind.
func (r Ref) check() error {
	switch r.Kind {
	case Secret:
		if !isSecretName(r.Name) {
			return errors.New("a secret's name has 1 to 512 letters, digits and /_+=.@-! only")
		}
	case Param:
		if !paramSelector.MatchString(r.Selector) {
			return errors.New("what follows the colon is neither a version, which is a number, nor a label, which does not begin with a digit")
		}
		if strings.HasPrefix(r.Name, secretReference) && isSecretName(r.Name) {
			return nil
		}
		if len(r.Name) > maxParamName || !paramName.MatchString(r.Name) {
			return errors.New("a parameter's name has 1 to 1011 letters, digits and /_.- only")
		}
		if strings.Contains(r.Name, "/") && r.Name[0] != '/' {
			return errors.New("a parameter's name that holds a / begins with one")
		}
	case Params:
		switch {
		case r.Selector != "":
			return errors.New("a path has no versions; leave out what follows the colon")
		case r.Name[:min(1, len(r.Name))] != "/":
			return errors.New("a path of parameters begins with /")
		case !paramName.MatchString(r.Name):
			return errors.New("a path of parameters has letters, digits and /_.- only")
		}
	}
	return nil
}
