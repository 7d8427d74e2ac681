package awsfake

import (
	"net/http"
	"slices"
	"strings"
)

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

func (in *putParameter) run(at *Place, _ *call) (any, error) {
	p, refused := at.pointer(in.Name)
	if refused != nil {
		return nil, refused
	}
	par := at.own(p)
	if err := first(in.checkName(p), in.check(par)); err != nil {
		return nil, err
	}
	operation := "Update"
	if par == nil {
		operation = "Create"
		par = &parameter{name: p.path, arn: at.parameterARN(p.key), kind: in.Type, tier: "Standard", dataType: "text"}
	}
	refused = par.change(at.server.lag, func() *refusal {
		if refused := par.append(*in.Value); refused != nil {
			return refused
		}
		if in.Tier == "Advanced" || len(*in.Value) > maxStandard {
			par.tier = "Advanced"
		}
		if in.DataType != "" {
			par.dataType = in.DataType
		}
		return nil
	})
	if refused != nil {
		return nil, refused
	}
	at.shelf(p.key)[p.key] = par
	at.tell(par, operation)
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

func (in *labelParameterVersion) run(at *Place, _ *call) (any, error) {
	p, refused := at.pointer(in.Name)
	if refused != nil {
		return nil, refused
	}
	switch {
	case len(in.Labels) == 0:
		return nil, invalid("Value '[]' at 'labels' failed to satisfy constraint: Member must have length greater than or equal to 1")
	case len(in.Labels) > maxLabels:
		return nil, tooLong("labels", in.Labels, maxLabels)
	}
	par := at.own(p)
	if par == nil {
		return nil, errNoParameter
	}
	v := par.version(in.ParameterVersion)
	if v == nil {
		return nil, noParameterVersion(decimal(in.ParameterVersion), p.path)
	}
	var bad []string
	refused = par.change(at.server.lag, func() (refused *refusal) {
		bad, refused = par.label(v, in.Labels)
		return refused
	})
	if refused != nil {
		return nil, refused
	}
	if len(bad) < len(in.Labels) {
		at.tell(par, "LabelParameterVersion")
	}
	return struct {
		InvalidLabels    []string
		ParameterVersion int64
	}{append([]string{}, bad...), v.number}, nil
}

type deleteParameter struct{ parameterID }

func (in *deleteParameter) run(at *Place, _ *call) (any, error) {
	p, refused := at.pointer(in.Name)
	if refused != nil {
		return nil, refused
	}
	par := at.own(p)
	if par == nil {
		return nil, errNoParameter
	}
	delete(at.shelf(p.key), p.key)
	at.tell(par, "Delete")
	return struct{}{}, nil
}
