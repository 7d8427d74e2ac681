package sources

import "strings"

// An ARN is the parts of arn:partition:service:region:account:resource.
type ARN struct {
	Partition, Service, Region, Account, Resource string
}

// ParseARN reads an ARN; ok is false where the text is none.
func ParseARN(text string) (_ ARN, ok bool) {
	p := strings.SplitN(text, ":", 6)
	if len(p) < 6 || p[0] != "arn" {
		return ARN{}, false
	}
	return ARN{p[1], p[2], p[3], p[4], p[5]}, true
}

// IsARN tells whether the ref names what it asks for by an ARN.
func (r Ref) IsARN() bool { return strings.HasPrefix(r.Name, "arn:") }

// SecretName gives the name in a secret's ARN, without the hyphen and six characters that AWS adds.
func SecretName(arn string) string {
	a, _ := ParseARN(arn)
	name := strings.TrimPrefix(a.Resource, "secret:")
	if n := len(name) - len("-??????"); n > 0 && name[n] == '-' {
		return name[:n]
	}
	return name
}

// ParameterName gives the name with its leading slash, which AWS takes with and without, of a name
// or an ARN.
func ParameterName(text string) string {
	if a, ok := ParseARN(text); ok {
		text = strings.TrimPrefix(a.Resource, "parameter")
	}
	return "/" + strings.TrimLeft(text, "/")
}
