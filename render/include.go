package render

import (
	"text/template/parse"
)

// include gives what a template prints, so that functions can be applied to it. What it takes is
// bounded as a whole: what all that are under way have printed fits the size of the file, and their
// bodies stand in one another only as deep as those of the action template.

const (
	// maxIncluded is how many may be under way in one another, as in Helm.
	maxIncluded = 1000
	// maxBodies is how many bodies may be under way. It is more than text/template lets one
	// execution have, which says so itself.
	maxBodies = 101_000
)

// An included is the error of an execution within another. It has a place of its own.
type included struct{ err error }

func (*included) Error() string { return "what it includes fails" }

// include executes a template over data and gives what it prints.
func (r *run) include(name string, data any) (string, error) {
	switch {
	case r.t.trees[name] == nil:
		return "", &lookupError{what: "include: there is no such template"}
	case r.included == maxIncluded:
		return "", &lookupError{what: "include: templates include each other without end"}
	}
	outer, printed, traced := r.out, len(r.printed), len(r.traced)
	r.out = &output{limit: outer.limit - outer.Len()}
	r.included++
	err := r.set.ExecuteTemplate(r.out, name, data)
	text := r.out.String()
	r.included--
	// What is noted of the inner text has places in that alone.
	r.out, r.printed, r.traced = outer, r.printed[:printed], r.traced[:traced]
	if err != nil {
		return "", &included{err}
	}
	return text, nil
}

// included walks a template that another includes. Its name is to be known: else nobody could say
// what it looks up.
func (f *finder) included(c *parse.CommandNode, args []any, s *scope) {
	id := c.Args[0].(*parse.IdentifierNode)
	if len(args) != 2 || f.reported[id] {
		return
	}
	name, known := args[0].(string)
	switch {
	case !known && kindOf(args[0])&isText == 0:
		f.reportOnce(id, s.text.fault(int(id.Pos), "include takes the name of a template", `{{ include "_part.tmpl" . }}`))
	case !known:
		f.reportOnce(id, s.text.fault(int(id.Pos), "include takes a name that the template alone gives, so that its lookups are known beforehand", `{{ include "_part.tmpl" . }}`))
	case f.t.trees[name] == nil:
		f.undefinedTemplate(id, name, s.text)
	default:
		f.template(name, args[1])
	}
}
