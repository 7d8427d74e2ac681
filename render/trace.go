package render

import (
	"slices"
	"text/template/parse"

	"github.com/rendered/rendered/render/funcs"
	"github.com/rendered/rendered/sources"
)

// Whoever shows a file to a person shows what the template alone gives, and hides the rest: the
// text between actions is printed as it stands, and what an action prints is shown where the same
// text comes of the template, its vars and the hostname. So it does not matter what functions made
// of a value, nor on which way it came to the action. The environment may hold secrets: what is
// made of it is hidden, too.

// A Part is a stretch of an output that the template alone does not give.
type Part struct {
	Start, End int
	Of         []Origin // what it is made of, as far as the template tells; none: that is not known
}

// An Origin is a lookup, or a part of what it gives.
type Origin struct {
	Ref  sources.Ref // the zero Ref where only the render can tell
	Keys []string    // that lead to the part, as far as they are known
}

// maxTraced is how many texts are noted of what an execution prints. What comes after them is one
// Part.
const maxTraced = 1 << 18

// trace notes what an action prints. text/template writes it next.
func (r *run) trace(number int, text string) {
	if text != "" && len(r.traced) <= maxTraced {
		r.traced = append(r.traced, printedSpan{number, r.out.Len(), r.out.Len() + len(text)})
	}
}

// Parts gives what of the content the template alone does not give, in order. The template is
// traced.
func (o Output) Parts() (parts []Part) {
	constants := o.template.tellConstants(o.item)
	for i, in := range o.traced {
		if i == maxTraced {
			return append(parts, Part{Start: in.start, End: len(o.Content)})
		}
		node := o.prints[in.action].node
		if !constants[node][string(o.Content[in.start:in.end])] {
			parts = append(parts, Part{in.start, in.end, o.template.origins(node)})
		}
	}
	return parts
}

// tellConstants gives the texts that the template alone has its actions print.
func (t *Template) tellConstants(of *item) map[*parse.ActionNode]map[string]bool {
	o := t.Options
	o.Env, o.Check = nil, nil
	again := newTemplate(o)
	again.texts, again.trees, again.item = t.texts, t.trees, of
	again.constants = make(map[*parse.ActionNode]map[string]bool)
	again.findLookups()
	return again.constants
}

// recordConstant notes what an action prints where the template alone tells that.
func (f *finder) recordConstant(n *parse.ActionNode, value any) {
	if f.t.constants == nil || len(n.Pipe.Decl) > 0 {
		return
	}
	text, err := funcs.Print(value)
	if err != nil { // it is unknown, or cannot be printed
		return
	}
	if f.t.constants[n] == nil {
		f.t.constants[n] = make(map[string]bool)
	}
	f.t.constants[n][text] = true
}

// origins gives the lookups that stand in an action, or whose parts variables in it are. Of two of
// which one is a part of the other it gives the part.
func (t *Template) origins(n *parse.ActionNode) (list []Origin) {
	for node := range nodes(n.Pipe) {
		p := t.pieceAt(node)
		if p == nil {
			continue
		}
		o := Origin{Ref: p.ref, Keys: slices.Concat(p.keys, p.path)}
		if i := slices.Index(o.Keys, anyName); i >= 0 {
			o.Keys = o.Keys[:i]
		}
		if slices.ContainsFunc(list, o.holds) {
			continue
		}
		list = append(slices.DeleteFunc(list, func(other Origin) bool { return other.holds(o) }), o)
	}
	return list
}

// holds tells whether another origin is the same, or a part of it.
func (o Origin) holds(part Origin) bool {
	return o.Ref == part.Ref && len(o.Keys) <= len(part.Keys) && slices.Equal(o.Keys, part.Keys[:len(o.Keys)])
}
