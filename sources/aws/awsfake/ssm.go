package awsfake

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
)

// parameterStore answers Parameter Store's part of AWS Systems Manager's API of 2014-11-06.
var parameterStore = &service{
	name:     "ssm",
	target:   "AmazonSSM",
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
func (s *Server) read(p pointer, decrypt bool) (*parameterAnswer, *refusal) {
	if strings.HasPrefix(p.key, reference) {
		return s.readReference(p, decrypt)
	}
	par := s.parameters[p.key]
	if par == nil {
		return nil, errNoParameter
	}
	v := par.pick(p.selector)
	if v == nil {
		return nil, noParameterVersion(p.selector, p.path)
	}
	answer := s.show(par, v, decrypt)
	if p.selector != "" {
		answer.Selector = ":" + p.selector
	}
	return answer, nil
}

func (s *Server) show(par *parameter, v *parameterVersion, decrypt bool) *parameterAnswer {
	value := v.value
	if par.kind == "SecureString" && !decrypt {
		value = ciphertext(par.name, v)
	}
	return &parameterAnswer{
		ARN: s.parameterARN(strings.TrimPrefix(par.name, "/")), Name: par.name, Type: par.kind, DataType: par.dataType,
		Value: value, Version: v.number, LastModifiedDate: timestamp(v.modified),
	}
}

type getParameter struct {
	parameterID
	WithDecryption bool
}

func (in *getParameter) run(s *Server, _ *call) (any, error) {
	p, refused := s.pointer(in.Name)
	if refused != nil {
		return nil, refused
	}
	var answer struct{ Parameter *parameterAnswer }
	if answer.Parameter, refused = s.read(p, in.WithDecryption); refused != nil {
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
func (in *getParameters) run(s *Server, _ *call) (any, error) {
	pointers, err := in.pointers(s)
	if err != nil {
		return nil, err
	}
	var answer struct {
		InvalidParameters []string
		Parameters        []*parameterAnswer
	}
	answer.InvalidParameters, answer.Parameters = []string{}, []*parameterAnswer{}
	for _, p := range append(pointers[1:], pointers[0]) {
		found, refused := s.read(p, in.WithDecryption)
		switch {
		case refused == nil:
			answer.Parameters = append(answer.Parameters, found)
		case refused.code == "ValidationException":
			return nil, refused
		default: // missing name, version or label: AWS does not say which
			answer.InvalidParameters = append(answer.InvalidParameters, p.asked)
		}
	}
	return answer, nil
}

// pointers reads and checks the names. AWS takes each once.
func (in *getParameters) pointers(s *Server) ([]pointer, error) {
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
		p, refused := s.pointer(&name)
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

type getParametersByPath struct {
	Path             *string
	Recursive        bool
	WithDecryption   bool
	MaxResults       *int
	NextToken        string
	ParameterFilters []struct{}

	page Kind // ShortPage or EmptyPage where a fault makes it one
}

func (in *getParametersByPath) names() []string { return text(in.Path) }

func (in *getParametersByPath) run(s *Server, _ *call) (any, error) {
	after, err := in.check()
	if err != nil {
		return nil, err
	}
	names := slices.DeleteFunc(s.under(*in.Path, in.Recursive), func(name string) bool { return name <= after })
	page := names[:min(in.limit(), len(names))]
	var answer struct {
		NextToken  string `json:",omitempty"`
		Parameters []*parameterAnswer
	}
	answer.Parameters = []*parameterAnswer{}
	for _, name := range page {
		par := s.parameters[strings.TrimPrefix(name, "/")]
		answer.Parameters = append(answer.Parameters, s.show(par, par.latest(), in.WithDecryption))
		after = name
	}
	if len(page) < len(names) || in.page == EmptyPage {
		answer.NextToken = base64.StdEncoding.EncodeToString([]byte(tokenMark + after))
	}
	return answer, nil
}

// tokenMark begins every NextToken of ours; the name it goes on after follows.
const tokenMark = "awsfake:"

// check refuses bad input and gives the name after which the page begins.
func (in *getParametersByPath) check() (after string, err error) {
	switch {
	case in.Path == nil:
		return "", invalid("Value null at 'path' failed to satisfy constraint: Member must not be null")
	case !strings.HasPrefix(*in.Path, "/") || !parameterName.MatchString(*in.Path) || len(*in.Path) > maxName:
		return "", refuse("ValidationException", "%s", pathRule)
	case in.MaxResults != nil && *in.MaxResults < 1:
		return "", invalid("Value '%d' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 1", *in.MaxResults)
	case in.MaxResults != nil && *in.MaxResults > 10:
		return "", invalid("Value '%d' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 10", *in.MaxResults)
	case len(in.ParameterFilters) > 0:
		return "", unimplemented("GetParametersByPath with ParameterFilters")
	}
	token, bad := base64.StdEncoding.DecodeString(in.NextToken)
	after, ours := strings.CutPrefix(string(token), tokenMark)
	if in.NextToken != "" && (bad != nil || !ours) {
		return "", refuse("InvalidNextToken", "The specified token isn't valid.")
	}
	return after, nil
}

// limit gives how many parameters fit on the page.
func (in *getParametersByPath) limit() int {
	switch {
	case in.page == EmptyPage:
		return 0
	case in.page == ShortPage:
		return 1
	case in.MaxResults != nil:
		return *in.MaxResults
	}
	return 10
}

// under gives the sorted names of the parameters below path.
func (s *Server) under(path string, recursive bool) []string {
	dir := strings.TrimSuffix(path, "/") + "/"
	var names []string
	for key, par := range s.parameters {
		rest, ok := strings.CutPrefix("/"+key, dir)
		if ok && (recursive || !strings.Contains(rest, "/")) {
			names = append(names, par.name)
		}
	}
	slices.Sort(names)
	return names
}

type putParameter struct {
	parameterID
	Value     *string
	Type      string
	Tier      string
	DataType  string
	Overwrite bool

	public bool // AWS itself puts it: the name may be one of AWS's
}

type putAnswer struct {
	Tier    string
	Version int64
}

func (in *putParameter) run(s *Server, _ *call) (any, error) {
	p, refused := s.pointer(in.Name)
	if refused != nil {
		return nil, refused
	}
	par := s.parameters[p.key]
	if err := first(in.checkName(p), in.check(par)); err != nil {
		return nil, err
	}
	if par == nil {
		par = &parameter{name: p.path, kind: in.Type, tier: "Standard", dataType: "text"}
	}
	if refused := par.append(*in.Value); refused != nil {
		return nil, refused
	}
	if in.Tier == "Advanced" || len(*in.Value) > maxStandard {
		par.tier = "Advanced"
	}
	if in.DataType != "" {
		par.dataType = in.DataType
	}
	s.parameters[p.key] = par
	return putAnswer{par.tier, par.latest().number}, nil
}

// checkName refuses names that only AWS may give.
func (in *putParameter) checkName(p pointer) *refusal {
	lower := strings.ToLower(p.key)
	switch {
	case in.public:
		return nil
	case strings.HasPrefix(p.asked, "arn:") || p.selector != "":
		return refuse("ValidationException", "%s", nameRule)
	case strings.HasPrefix(lower, "aws") && strings.Contains(lower, "/"):
		return &refusal{code: "AccessDeniedException", message: "No access to reserved parameter name: " + p.path + ".", status: http.StatusBadRequest}
	case reserved.MatchString(p.path):
		return refuse("ValidationException", `Parameter name: can't be prefixed with "aws" or "ssm" (case-insensitive).`)
	case strings.Count(p.path, "/") > maxLevels:
		return refuse("HierarchyLevelLimitExceededException", "A hierarchy can have a maximum of 15 levels. For more information, see Requirements and constraints for parameter names in the AWS Systems Manager User Guide.")
	}
	return nil
}

// check refuses a value that the parameter, nil for a new one, cannot have.
func (in *putParameter) check(par *parameter) *refusal {
	switch {
	case in.Value == nil:
		return invalid("Value null at 'value' failed to satisfy constraint: Member must not be null")
	case *in.Value == "":
		return invalid("Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1.")
	case par != nil && !in.Overwrite:
		return refuse("ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
	case par == nil && in.Type == "":
		return refuse("ValidationException", "A parameter type is required when you create a parameter.")
	case in.Type != "" && !slices.Contains([]string{"String", "StringList", "SecureString"}, in.Type):
		return invalid("Value '%s' at 'type' failed to satisfy constraint: Member must satisfy enum value set: [SecureString, StringList, String]", in.Type)
	case par != nil && in.Type != "" && in.Type != par.kind:
		return refuse("HierarchyTypeMismatchException", "Parameter Store does not support changing a parameter type in a hierarchy. For example, you can't change a parameter from a String type to a SecureString type. You must create a new, unique parameter.")
	}
	return in.checkSize(par)
}

// checkSize refuses what is too long for the tier.
func (in *putParameter) checkSize(par *parameter) *refusal {
	const more = "For more information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
	advanced := in.Tier == "Advanced" || in.Tier == "Intelligent-Tiering" || par != nil && par.tier == "Advanced"
	switch n := len(*in.Value); {
	case n > maxStandard && !advanced:
		return refuse("ValidationException", "Standard tier parameters support a maximum parameter value of %d characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier. %s", maxStandard, more)
	case n > maxAdvanced:
		return refuse("ValidationException", "Advanced tier parameters support a maximum parameter value of %d characters. %s", maxAdvanced, more)
	}
	return nil
}

type labelParameterVersion struct {
	parameterID
	ParameterVersion int64
	Labels           []string
}

func (in *labelParameterVersion) run(s *Server, _ *call) (any, error) {
	p, refused := s.pointer(in.Name)
	if refused != nil {
		return nil, refused
	}
	switch {
	case len(in.Labels) == 0:
		return nil, invalid("Value '[]' at 'labels' failed to satisfy constraint: Member must have length greater than or equal to 1")
	case len(in.Labels) > maxLabels:
		return nil, tooLong("labels", in.Labels, maxLabels)
	}
	par := s.parameters[p.key]
	if par == nil {
		return nil, errNoParameter
	}
	v := par.version(in.ParameterVersion)
	if v == nil {
		return nil, noParameterVersion(decimal(in.ParameterVersion), p.path)
	}
	bad, refused := par.label(v, in.Labels)
	if refused != nil {
		return nil, refused
	}
	return struct {
		InvalidLabels    []string
		ParameterVersion int64
	}{append([]string{}, bad...), v.number}, nil
}

type deleteParameter struct{ parameterID }

func (in *deleteParameter) run(s *Server, _ *call) (any, error) {
	p, refused := s.pointer(in.Name)
	if refused != nil {
		return nil, refused
	}
	if s.parameters[p.key] == nil {
		return nil, errNoParameter
	}
	delete(s.parameters, p.key)
	return struct{}{}, nil
}
