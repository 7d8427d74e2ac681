package render

import (
	"regexp"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/rendered/rendered/internal/lazyregexp"
)

// Other programs have functions of the same names whose arguments stand in another order. Where the
// call alone shows that such an order is meant, it is a fault: it would give a wrong text without a
// word, or fail at the render.

// An operand is one argument of a call.
type operand struct {
	value   any  // as far as it is known
	kind    kind // as far as it is known
	literal bool // written down in the call
}

// text gives a text that is written down in the call.
func (a operand) text() (string, bool) {
	text, ok := a.value.(string)
	return text, ok && a.literal
}

// operands gives the arguments of a call, the last of which may be piped into it by the command
// before.
func (f *finder) operands(c, before *parse.CommandNode, args []any) []operand {
	list := make([]operand, len(args))
	for i, value := range args {
		list[i] = operand{value: value, kind: kindOf(value)}
		switch {
		case i+1 < len(c.Args):
			list[i].literal = isLiteral(c.Args[i+1])
		case before != nil:
			list[i].literal = len(before.Args) == 1 && isLiteral(before.Args[0])
		}
		if f.typeTests > 0 && !list[i].literal {
			list[i].kind = isAny // the template has asked what it is
		}
	}
	return list
}

// checkOrder notes where the arguments of a call stand in another program's order.
func (f *finder) checkOrder(c *parse.CommandNode, args []operand, s *scope) {
	id := c.Args[0].(*parse.IdentifierNode)
	o, ok := orderNamed(id.Ident)
	if f.reported[id] || !ok {
		return
	}
	if meant := o.meant(args, len(args) >= len(c.Args)); meant != nil {
		f.reported[id] = true
		f.t.rewritten.orders[c] = meant
		f.faults = append(f.faults, f.t.rewritten.fault(s.text, id, o.describe(id.Ident)))
	}
}

func isLiteral(n parse.Node) bool {
	switch n := n.(type) {
	case *parse.StringNode, *parse.NumberNode, *parse.BoolNode:
		return true
	case *parse.PipeNode:
		return len(n.Cmds) == 1 && len(n.Cmds[0].Args) == 1 && isLiteral(n.Cmds[0].Args[0])
	}
	return false
}

// meant gives the positions from which the arguments of a call are to be taken, where they stand in
// another order, and nil where they stand in ours or nothing tells. The last may be piped into it.
func (o order) meant(args []operand, piped bool) []int {
	ours := o.spread(o.ours, len(args))
	if ours == nil || likely(ours, args, piped) {
		return nil
	}
	for _, theirs := range o.foreign {
		from := permutation(ours, o.spread(theirs, len(args)))
		moved := make([]operand, len(args))
		for i, j := range from {
			moved[i] = args[j]
		}
		if likely(ours, moved, false) && worksOnValue(ours, moved) {
			return from
		}
	}
	return nil
}

// likely reports that arguments may be meant in an order.
func likely(roles []string, args []operand, piped bool) bool {
	return fit(roles, args) && !doubtful(roles, args, piped)
}

// permutation says for each role of ours where it stands in another order.
func permutation(ours, theirs []string) []int {
	from, left := make([]int, len(ours)), slices.Clone(theirs)
	for i, role := range ours {
		if j := slices.Index(left, role); j >= 0 {
			from[i], left[j] = j, ""
		}
	}
	return from
}

// fit reports that each argument may be of the kind that its role takes.
func fit(roles []string, args []operand) bool {
	for i, a := range args {
		if roleNamed[roles[i]].takes&a.kind == 0 {
			return false
		}
	}
	return true
}

// worksOnValue reports that a function does not work on what is written down while a value is
// another of its arguments.
func worksOnValue(roles []string, args []operand) bool {
	i := roleIndex(subject, roles)
	return i < 0 || !args[i].literal || !slices.ContainsFunc(args, func(a operand) bool { return !a.literal })
}

func roleIndex(u use, roles []string) int {
	return slices.IndexFunc(roles, func(r string) bool { return roleNamed[r].use == u })
}

// doubtful reports that what stands in the place of the subject cannot be the subject, by what
// stands in the other places.
func doubtful(roles []string, args []operand, piped bool) bool {
	c := call{roles: roles, args: args, piped: piped}
	if i := roleIndex(subject, roles); i >= 0 {
		c.on = args[i]
		c.text, c.written = c.on.text()
	}
	for i, a := range args {
		if doubt := doubts[roleNamed[roles[i]].use]; doubt != nil && doubt(c, a) {
			return true
		}
	}
	return false
}

// A call is the arguments of one, in the order of their roles.
type call struct {
	roles   []string
	args    []operand
	piped   bool
	on      operand // the subject
	text    string  // it
	written bool    // as a text
}

// computed reports that only the render knows an argument.
func computed(a operand) bool {
	_, known := a.value.(unknown)
	return known
}

// longer reports that an argument is a text that is longer than the subject.
func (c call) longer(a operand) bool {
	part, known := a.value.(string)
	return known && len(part) > len(c.text)
}

// holds reports that the subject holds an argument, which is known.
func (c call) holds(a operand) bool {
	part, known := a.value.(string)
	return known && strings.Contains(c.text, part)
}

var (
	verb      = lazyregexp.New(`%[-+# 0-9.]*[a-zA-Z]`)
	bound     = lazyregexp.New(`^\s*[<>=!~^]`)
	layout    = lazyregexp.New(`2006|\bJan|15:04|^0[126]\b`)
	span      = lazyregexp.New(`^[-+]?[\d.]+(?:h|m|s|ms|us|ns)`)
	zone      = lazyregexp.New(`^(?:UTC|GMT|[A-Z][A-Za-z]+/[A-Z][A-Za-z_/]+)$`)
	kindNames = []string{"string", "bool", "slice", "map", "int", "int64", "float64", "invalid"}
)

// doubts has for each use when it speaks against the subject.
var doubts = map[use]func(c call, a operand) bool{
	shorter: ofText(func(c call, a operand) bool { return c.longer(a) || computed(a) }),
	contained: ofText(func(c call, a operand) bool {
		if a.literal {
			return c.longer(a)
		}
		// Otherwise it is a list of words.
		return (c.longer(a) || computed(a)) && !strings.ContainsAny(c.text, " ,;:|/\n\t")
	}),
	matches: ofText(func(c call, a operand) bool {
		i := roleIndex(fills, c.roles)
		return computed(a) && (i < 0 || c.args[i].literal && !c.piped)
	}),
	replaced: ofText(func(c call, a operand) bool {
		return (c.longer(a) || !a.literal) && !c.holds(a) && (!computed(a) || !computed(c.args[roleIndex(fills, c.roles)]))
	}),
	fills: ofText(func(c call, a operand) bool {
		if a.literal && !c.piped {
			return false
		}
		if i := roleIndex(replaced, c.roles); i >= 0 {
			return !a.literal && c.args[i].literal && !c.holds(c.args[i])
		}
		pattern := c.args[roleIndex(matches, c.roles)]
		expr, known := pattern.value.(string)
		if c.piped {
			// Otherwise it is a place to be filled.
			return !(c.holds(pattern) && !c.longer(pattern) && len(c.text) > len(expr))
		}
		re, err := regexp.Compile(expr)
		return known && err == nil && !re.MatchString(c.text)
	}),
	fallback: func(c call, a operand) bool {
		return c.on.literal && !a.literal && c.on.value != "" && c.on.value != 0 && c.on.value != false
	},
	formats: func(c call, a operand) bool {
		format, known := a.value.(string)
		last, written := c.args[len(c.args)-1].text()
		return len(c.args) > 1 && !(known && strings.Contains(format, "%")) && written && verb.MatchString(last)
	},
	bounds:  ofText(func(c call, _ operand) bool { return bound.MatchString(c.text) }),
	layouts: likeSubject(layout), spans: likeSubject(span), zones: likeSubject(zone),
	names: ofText(func(c call, a operand) bool { return !a.literal && slices.Contains(kindNames, c.text) }),
}

// likeSubject doubts where the subject is written as an argument is to be that only the render
// knows.
func likeSubject(pattern *lazyregexp.Regexp) func(c call, a operand) bool {
	return ofText(func(c call, a operand) bool { return !a.literal && pattern.MatchString(c.text) })
}

// ofText makes a doubt of one about a subject that is a text which is written down.
func ofText(doubt func(c call, a operand) bool) func(c call, a operand) bool {
	return func(c call, a operand) bool { return c.written && doubt(c, a) }
}
