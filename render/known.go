package render

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/lazyregexp"
	"github.com/rendered/rendered/sources"
)

// What the walk for lookups sees on its way and the render would fail with.

// undefinedTemplate notes once that a template which is called does not exist.
func (f *finder) undefinedTemplate(n parse.Node, name string, text *Text) {
	what := fmt.Sprintf("template %q does not exist", name)
	near := fault.Near(name, slices.Collect(maps.Keys(f.t.trees)))
	for _, file := range templateNames(name) {
		if f.t.trees[file] != nil {
			near = file
		}
	}
	if near != "" {
		what += fmt.Sprintf("; did you mean %q?", near)
	}
	f.reportOnce(n, text.fault(int(n.Position()), what, "partials are the files beside the template whose names begin with _"))
}

// checkFields notes where a name is asked for that is not there: of a map that is known not to have
// it, which missingkey=error makes fail, of a text or of a list.
func (f *finder) checkFields(value any, n parse.Node, s *scope) {
	f.recordPiece(n, value)
	path := fieldsOf(n)
	for i, name := range path {
		switch v := value.(type) {
		case map[string]any:
			if _, ok := v[name]; !ok {
				f.missingName(v, n, i, s)
				return
			}
		case unknown:
			if v.piece.hasNoField(name) {
				what, hints := v.piece.noField(path[i:])
				f.report(n, s, start(n), what, hints...)
				return
			}
		}
		value = field(value, []string{name})
	}
}

// missingName notes that a map does not have name i of those that a node follows, where it will be
// asked for.
func (f *finder) missingName(m map[string]any, n parse.Node, i int, s *scope) {
	path := fieldsOf(n)
	what, hints := noSuchName(path[i], m, upTo(n, i), path[i+1:])
	if other := foreignField(path[i:]); other != nil && i == 0 {
		what, hints = "there is no "+path[i], other
	} else if f.conditional > 0 {
		return
	}
	f.reportOnce(n, s.text.fault(start(n), what, hints...))
}

// noSuchName says that a map of vars does not have a name. in is how the template writes the map,
// below the names that it follows behind this one.
func noSuchName(name string, m map[string]any, in string, below []string) (what string, hints []string) {
	what = "there is no " + name
	if near := fault.Near(name, slices.Sorted(maps.Keys(m))); near != "" && near != name {
		what += "; did you mean " + near + "?"
	}
	if len(below) == 0 {
		return what, []string{fmt.Sprintf("an optional one is {{ get %s %q \"default\" }}", in, name)}
	}
	call := "dig"
	for _, key := range append([]string{name}, below...) {
		call += " " + strconv.Quote(key)
	}
	return what, []string{fmt.Sprintf("an optional one is {{ %s \"default\" %s }}", call, in)}
}

// upTo writes a node as far as the first of its names that are followed, and so many more.
func upTo(n parse.Node, names int) string {
	text, fields := ".", fieldsOf(n)
	switch n := n.(type) {
	case *parse.VariableNode:
		text = n.Ident[0]
	case *parse.ChainNode:
		text = n.Node.String()
		if _, ok := n.Node.(*parse.PipeNode); ok {
			text = "(" + text + ")"
		}
	}
	if names == 0 {
		return text
	}
	return strings.TrimSuffix(text, ".") + "." + strings.Join(fields[:names], ".")
}

// checkAnswerable notes once where a ref can never be answered.
func (f *finder) checkAnswerable(ref sources.Ref, id *parse.IdentifierNode, text *Text) {
	if f.t.Check == nil || f.seen[asking{id, ref}] {
		return
	}
	if err := f.t.Check(ref); err != nil {
		failed := text.fault(int(id.Pos), err.Error(), err.Hints...)
		failed.Err = err
		f.faults = append(f.faults, failed)
	}
}

// checkVariable notes a default of envOr and a variable that stand in each other's place, as
// consul-template and gomplate have them.
func (f *finder) checkVariable(c *parse.CommandNode, args []operand, s *scope) {
	id := c.Args[0].(*parse.IdentifierNode)
	if id.Ident != "envOr" || len(args) != 2 || f.reported[id] {
		return
	}
	fallback, written := args[0].text()
	name, named := args[1].text()
	if !named || isVariable(name) && !(isUpper(fallback) && strings.ToLower(name) == name && !strings.Contains(name, "_")) {
		return
	}
	if written && isVariable(fallback) {
		f.t.rewritten.orders[c] = []int{1, 0}
		f.reportOnce(id, f.t.rewritten.fault(s.text, id, orders()[id.Ident].describe(id.Ident)))
	}
}

var (
	variablePattern = lazyregexp.New(`^[A-Za-z_][A-Za-z0-9_]*$`)
	upperPattern    = lazyregexp.New(`^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$`)
)

func isVariable(name string) bool { return variablePattern.MatchString(name) }
func isUpper(name string) bool    { return upperPattern.MatchString(name) }

// swapped reports that of a default and a name the default is the one that looks like a name.
func swapped(args []any) bool {
	fallback, _ := args[0].(string)
	name, _ := args[1].(string)
	return nameLike.MatchString(fallback) && !nameLike.MatchString(name)
}

var nameLike = lazyregexp.New(`^(?:/|arn:)`)
