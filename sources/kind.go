package sources

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rendered/rendered/internal/lazyregexp"
)

// A Kind says what a ref names. Each has a row in the table below.
type Kind string

const (
	Secret Kind = "secret" // a secret of AWS Secrets Manager, whole
	Param  Kind = "param"  // one parameter of SSM Parameter Store
	Params Kind = "params" // every parameter under a path, recursively
	File   Kind = "file"   // a local file
	IMDS   Kind = "imds"   // what the instance metadata service of EC2 says at a path
	Own    Kind = "aws"    // the "region" or the "account" that AWS is asked in
)

// Traits are what the program needs to know of a kind.
type Traits struct {
	Kind     Kind
	Noun     string   // in counts: "local file"
	Answerer Answerer // who answers
	Secrecy  Secrecy  // whether its values are secrets
	Form     Form     // what of a Value it has
	Call     Call     // what a lookup costs; zero is nothing
	Section  string   // of a values file that stands in for the answerer; "" where nothing does
	Default  string   // the template function that gives a default; "": none

	parse func(text string) (Ref, error) // without the kind
}

// An Answerer is who answers the refs of some kinds: for each there is one Source.
type Answerer string

const (
	AWS              Answerer = "AWS"
	InstanceMetadata Answerer = "instance metadata"
	LocalFiles       Answerer = "local files"
)

// Secrecy says whether the values of a kind are secrets.
type Secrecy int

const (
	NeverSecret  Secrecy = iota + 1
	MaybeSecret          // the source says of each value whether it is one
	AlwaysSecret         // whatever the source says
)

// A Form says what of a Value the values of a kind have.
type Form int

const (
	OneText     Form = iota + 1 // Text
	TextOrList                  // Text, with List where it is one
	TextOrBytes                 // Text, which may be JSON, or Bytes
	TextsByName                 // Params
)

// A Call is the request that lookups take.
type Call struct {
	Service Service // that is asked
	Batch   int     // how many lookups one call answers
	Price   float64 // dollars a call
}

// A Service is a service of AWS that counts and limits calls.
type Service string

const (
	SecretsManager Service = "Secrets Manager"
	ParameterStore Service = "Parameter Store"
)

// secretPrice is that of a call of Secrets Manager's API (its pricing page). Parameter Store's
// standard throughput is free.
const secretPrice = 0.05 / 10_000

// table has every kind, in the order of counts. What differs by kind is read from here, and
// docs/contributing-a-source.md shows what else a new one takes.
var table = []Traits{
	{Secret, "secret", AWS, AlwaysSecret, TextOrBytes, Call{SecretsManager, 1, secretPrice}, "secrets", "secretOr", parseSecret},
	{Param, "param", AWS, MaybeSecret, TextOrList, Call{ParameterStore, 10, 0}, "params", "paramOr", parseParam},
	{Params, "path", AWS, MaybeSecret, TextsByName, Call{ParameterStore, 1, 0}, "params", "paramsOr", parsePath},
	{File, "local file", LocalFiles, AlwaysSecret, OneText, Call{}, "", "", parseFile},
	{IMDS, "fact", InstanceMetadata, MaybeSecret, OneText, Call{}, "imds", "", parseMetadata},
	{Own, "fact", AWS, NeverSecret, OneText, Call{}, "aws", "", parseOwn},
}

// Kinds gives the kinds for which a condition holds, in the order of the table.
func Kinds(where func(Traits) bool) (kinds []Kind) {
	for _, t := range table {
		if where(t) {
			kinds = append(kinds, t.Kind)
		}
	}
	return kinds
}

// Traits gives the row of the kind. There is one for each kind of this package; it panics for any
// other.
func (k Kind) Traits() Traits {
	t, err := k.lookUp()
	if err != nil {
		panic(err)
	}
	return t
}

func (k Kind) lookUp() (Traits, error) {
	i := slices.IndexFunc(table, func(t Traits) bool { return t.Kind == k })
	if i < 0 {
		return Traits{}, fmt.Errorf("there is no kind of lookup %q", string(k))
	}
	return table[i], nil
}

// ParseRef reads [account::]name[:selector] or ARN[:selector]. For Params the text is a path; for
// File it is a path of the file system, taken as it is. The error says what is wrong with the text,
// or that there is no such kind. It does not repeat the text: that of a computed ref may be a
// secret.
func ParseRef(kind Kind, text string) (Ref, error) {
	traits, err := kind.lookUp()
	if err != nil {
		return Ref{}, err
	}
	if text == "" {
		return Ref{}, errors.New("the name is empty")
	}
	r, err := traits.parse(text)
	if err != nil {
		return Ref{}, err
	}
	r.Kind = kind
	return r, nil
}

func parseFile(text string) (Ref, error) { return Ref{Name: text}, nil }

var metadataPath = lazyregexp.New(`^[A-Za-z0-9/_.:%@+=-]*[A-Za-z0-9_.:%@+=-][A-Za-z0-9/_.:%@+=-]*$`)

func parseMetadata(text string) (Ref, error) {
	if !metadataPath.MatchString(text) || strings.Contains("/"+text+"/", "/../") {
		return Ref{}, errors.New("a path of instance metadata has letters, digits and /_.:%@+=- only, as placement/region has")
	}
	return Ref{Name: strings.Trim(text, "/")}, nil
}

func parseOwn(text string) (Ref, error) {
	if text != "region" && text != "account" {
		return Ref{}, errors.New(`there are "region" and "account"`)
	}
	return Ref{Name: text}, nil
}
