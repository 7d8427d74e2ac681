package render

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
)

// What the walk for lookups sees on its way and the render would fail with.

// noTemplate notes once that a template which is called does not exist.
func (f *finder) noTemplate(n *parse.TemplateNode, text *Text) {
	if f.noted[n] {
		return
	}
	f.noted[n] = true
	what := fmt.Sprintf("template %q does not exist", n.Name)
	if near := fault.Near(n.Name, slices.Collect(maps.Keys(f.t.trees))); near != "" {
		what += fmt.Sprintf("; did you mean %q?", near)
	}
	f.faults = append(f.faults, text.fault(int(n.Pos), what, "partials are the files beside the template whose names begin with _"))
}

// hasField notes a name that a map is known not to have, where it will be asked for: missingkey=error makes it fail.
func (f *finder) hasField(s scope, value any, path []string, n parse.Node) {
	if f.noted[n] {
		return
	}
	for i, name := range path {
		m, ok := value.(map[string]any)
		if !ok {
			return
		}
		if value, ok = m[name]; !ok {
			what, hints := noSuchName(name, m, upTo(n, i), path[i+1:])
			if abroad := foreignField(path[i:]); abroad != nil && i == 0 {
				what, hints = "there is no "+name, abroad
			} else if f.maybe > 0 {
				return
			}
			f.noted[n] = true
			f.faults = append(f.faults, s.text.fault(start(n), what, hints...))
			return
		}
	}
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

// answerable notes once where a ref can never be answered.
func (f *finder) answerable(ref sources.Ref, id *parse.IdentifierNode, text *Text) {
	if f.t.Check == nil || ref.Kind == sources.File || ref.Kind == sources.IMDS || ref.Kind == sources.Own || f.seen[id][ref] {
		return
	}
	if err := f.t.Check(ref); err != nil {
		failed := text.fault(int(id.Pos), err.Error(), err.Hints...)
		failed.Err = err
		f.faults = append(f.faults, failed)
	}
}

// swapped reports that of a default and a name the default is the one that looks like a name.
func swapped(args []any) bool {
	looks := func(arg any) bool {
		text, ok := arg.(string)
		return ok && (strings.HasPrefix(text, "/") || strings.HasPrefix(text, "arn:"))
	}
	return looks(args[0]) && !looks(args[1])
}
