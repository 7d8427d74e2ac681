package awsfake

import (
	"slices"
	"strings"
)

// parameterStore answers Parameter Store's part of AWS Systems Manager's API of 2014-11-06.
var parameterStore = &service{
	name:     "ssm",
	target:   "AmazonSSM",
	version:  "1.1",
	message:  "message",
	internal: "InternalServerError",
	operations: map[string]func() operation{
		"DeleteParameter":       func() operation { return new(deleteParameter) },
		"GetParameter":          func() operation { return new(getParameter) },
		"GetParameters":         func() operation { return new(getParameters) },
		"GetParametersByPath":   func() operation { return new(getParametersByPath) },
		"LabelParameterVersion": func() operation { return new(labelParameterVersion) },
		"PutParameter":          func() operation { return new(putParameter) },
	},
}

// A parameterID is the member that names the parameter.
type parameterID struct{ Name *string }

func (in parameterID) names() []string { return text(in.Name) }

// A parameterAnswer is a parameter with its value.
type parameterAnswer struct {
	ARN, DataType    string
	LastModifiedDate timestamp
	Name             string
	Selector         string `json:",omitempty"`
	SourceResult     string `json:",omitempty"`
	Type, Value      string
	Version          int64
}

// errNoParameter has no text, as AWS's has none.
var errNoParameter = refuse("ParameterNotFound", "")

func noParameterVersion(version, name string) *refusal {
	return refuse("ParameterVersionNotFound", "Systems Manager could not find version %s of %s. Verify the version and try again.", version, name)
}

// read gives the value that p asks for.
func (at *Place) read(c *call, p pointer, decrypt bool) (*parameterAnswer, *refusal) {
	if strings.HasPrefix(p.key, reference) && p.account == at.account {
		return at.readReference(c, p, decrypt)
	}
	par, refused := at.visible(c, p)
	if refused != nil {
		return nil, refused
	}
	if par = par.past.seen(par); par == nil {
		return nil, errNoParameter
	}
	v := par.pick(p.selector)
	if v == nil {
		return nil, noParameterVersion(p.selector, p.path)
	}
	answer := par.show(v, decrypt)
	if p.selector != "" {
		answer.Selector = ":" + p.selector
	}
	return answer, nil
}

func (par *parameter) show(v *parameterVersion, decrypt bool) *parameterAnswer {
	value := v.value
	if par.kind == "SecureString" && !decrypt {
		value = ciphertext(par.name, v)
	}
	return &parameterAnswer{
		ARN: par.arn, Name: par.name, Type: par.kind, DataType: par.dataType,
		Value: value, Version: v.number, LastModifiedDate: timestamp(v.modified),
	}
}

type getParameter struct {
	parameterID
	WithDecryption bool
}

func (in *getParameter) run(at *Place, c *call) (any, error) {
	p, refused := at.pointer(in.Name)
	if refused != nil {
		return nil, refused
	}
	var answer struct{ Parameter *parameterAnswer }
	if answer.Parameter, refused = at.read(c, p, in.WithDecryption); refused != nil {
		return nil, refused
	}
	return answer, nil
}

type getParameters struct {
	Names          []string
	WithDecryption bool
}

func (in *getParameters) names() []string { return in.Names }

// run answers in another order than asked, as AWS does.
func (in *getParameters) run(at *Place, c *call) (any, error) {
	pointers, err := in.pointers(at)
	if err != nil {
		return nil, err
	}
	var answer struct {
		InvalidParameters []string
		Parameters        []*parameterAnswer
	}
	answer.InvalidParameters, answer.Parameters = []string{}, []*parameterAnswer{}
	for _, p := range append(pointers[1:], pointers[0]) {
		found, refused := at.read(c, p, in.WithDecryption)
		switch {
		case refused == nil:
			answer.Parameters = append(answer.Parameters, found)
		case refused.code == "ValidationException", refused.code == "AccessDeniedException":
			return nil, refused
		default: // missing name, version or label: AWS does not say which
			answer.InvalidParameters = append(answer.InvalidParameters, p.asked)
		}
	}
	return answer, nil
}

// pointers reads and checks the names. AWS takes each once; how it says so is not known.
func (in *getParameters) pointers(at *Place) ([]pointer, error) {
	switch {
	case in.Names == nil:
		return nil, invalid("Value null at 'names' failed to satisfy constraint: Member must not be null")
	case len(in.Names) == 0:
		return nil, invalid("Value '[]' at 'names' failed to satisfy constraint: Member must have length greater than or equal to 1")
	case len(in.Names) > 10:
		return nil, tooLong("names", in.Names, 10)
	}
	pointers := make([]pointer, len(in.Names))
	for i, name := range in.Names {
		p, refused := at.pointer(&name)
		if refused != nil {
			return nil, refused
		}
		if slices.ContainsFunc(pointers[:i], func(q pointer) bool { return q.asked == p.asked }) {
			return nil, refuse("ValidationException", "Duplicate parameter names are not allowed: %s", p.asked)
		}
		pointers[i] = p
	}
	return pointers, nil
}

// tooLong is the refusal of a list with too many members.
func tooLong(member string, list []string, limit int) *refusal {
	return invalid("Value '[%s]' at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", strings.Join(list, ", "), member, limit)
}
