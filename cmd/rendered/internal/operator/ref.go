package operator

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rendered/rendered/sources"
)

// A question names a secret or a parameter as a template does, as messages do with its kind before
// it, or by its ARN.
type question struct {
	text string
	kind sources.Kind // "": any
	ref  string       // the text without its kind
}

func ask(words []string) (question, error) {
	text := strings.Join(words, " ")
	q := question{text: text, ref: text}
	if kind, rest, ok := strings.Cut(text, " "); ok {
		kinds := sources.Kinds(func(t sources.Traits) bool { return t.Answerer == sources.AWS })
		if !slices.Contains(kinds, sources.Kind(kind)) {
			return q, fmt.Errorf("there is no kind of lookup %q that AWS answers; write a ref, as prod/db, or its kind before it, as secret prod/db", kind)
		}
		q.kind, q.ref = sources.Kind(kind), rest
	}
	if q.ref == "" {
		return q, errors.New("the ref is empty")
	}
	return q, nil
}

// means tells whether it is about a ref that a host has named: by the same account, name and
// version. An ARN is its name's, where no account is named.
func (q question) means(named string) bool {
	r, known := refOf(named)
	if !known || q.kind != "" && q.kind != r.Kind {
		return false
	}
	asked, err := sources.ParseRef(r.Kind, q.ref)
	if err != nil {
		return false
	}
	if asked.IsARN() != r.IsARN() {
		asked.Name, r.Name = nameOf(asked), nameOf(r)
	}
	return asked == r
}

// refOf reads a ref as a host names it: "secret prod/db".
func refOf(named string) (sources.Ref, bool) {
	kind, text, _ := strings.Cut(named, " ")
	r, err := sources.ParseRef(sources.Kind(kind), text)
	return r, err == nil
}

func nameOf(r sources.Ref) string {
	switch {
	case !r.IsARN():
		return r.Name
	case r.Kind == sources.Secret:
		return sources.SecretName(r.Name)
	}
	return sources.ParameterName(r.Name)
}
