package awsfake

import (
	"encoding/base64"
	"slices"
	"strings"
)

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

func (in *getParametersByPath) run(at *Place, _ *call) (any, error) {
	after, err := in.check()
	if err != nil {
		return nil, err
	}
	names := slices.DeleteFunc(at.under(*in.Path, in.Recursive), func(name string) bool { return name <= after })
	page := names[:min(in.limit(), len(names))]
	var answer struct {
		NextToken  string `json:",omitempty"`
		Parameters []*parameterAnswer
	}
	answer.Parameters = []*parameterAnswer{}
	for _, name := range page {
		key := strings.TrimPrefix(name, "/")
		par := at.shelf(key)[key]
		par = par.past.seen(par)
		answer.Parameters = append(answer.Parameters, par.show(par.latest(), in.WithDecryption))
		after = name
	}
	if len(page) < len(names) || in.page == EmptyPage {
		answer.NextToken = base64.StdEncoding.EncodeToString([]byte(tokenMark + after))
	}
	return answer, nil
}

// tokenMark begins every NextToken of ours; the name it goes on after follows.
const tokenMark = "awsfake:"

// check refuses bad input and gives the name after which the page begins. What AWS says of a bad
// token is not known, only the code.
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
func (at *Place) under(path string, recursive bool) []string {
	dir := strings.TrimSuffix(path, "/") + "/"
	var names []string
	for key, par := range at.shelf(strings.TrimPrefix(dir, "/")) {
		rest, ok := strings.CutPrefix("/"+key, dir)
		if ok && par.past.seen(par) != nil && (recursive || !strings.Contains(rest, "/")) {
			names = append(names, par.name)
		}
	}
	slices.Sort(names)
	return names
}
