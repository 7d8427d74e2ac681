package render

import (
	"regexp"
	"slices"
	"strings"
	"text/template/parse"
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
		if f.told > 0 && !list[i].literal {
			list[i].kind = isAny // the template has asked what it is
		}
	}
	return list
}

// ordered notes where the arguments of a call stand in another program's order.
func (f *finder) ordered(c *parse.CommandNode, args []operand, s scope) {
	id := c.Args[0].(*parse.IdentifierNode)
	o, ok := orderNamed(id.Ident)
	if f.noted[id] || !ok {
		return
	}
	if meant := o.meant(args, len(args) >= len(c.Args)); meant != nil {
		f.noted[id] = true
		f.t.rewritten.order(c, meant)
		f.faults = append(f.faults, f.t.rewritten.fault(s.text, id, o.words(id.Ident)))
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

// meant gives the places from which the arguments of a call are to be taken, where they stand in
// another order, and nil where they stand in ours or nothing tells. The last may be piped into it.
func (o order) meant(args []operand, piped bool) []int {
	ours := o.spread(o.ours, len(args))
	if ours == nil || fit(ours, args) && !doubtful(ours, args, piped) {
		return nil
	}
	for _, abroad := range o.abroad {
		places := places(ours, o.spread(abroad, len(args)))
		moved := make([]operand, len(args))
		for i, from := range places {
			moved[i] = args[from]
		}
		if fit(ours, moved) && !doubtful(ours, moved, false) && worksOnValue(ours, moved) {
			return places
		}
	}
	return nil
}

// places says for each role of ours where it stands in another order.
func places(ours, abroad []string) []int {
	places := make([]int, len(ours))
	taken := make([]bool, len(ours))
	for i, role := range ours {
		for j, other := range abroad {
			if other == role && !taken[j] {
				places[i], taken[j] = j, true
				break
			}
		}
	}
	return places
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
	i := placeOf(subject, roles)
	return i < 0 || !args[i].literal || !slices.ContainsFunc(args, func(a operand) bool { return !a.literal })
}

func placeOf(u use, roles []string) int {
	return slices.IndexFunc(roles, func(r string) bool { return roleNamed[r].use == u })
}

// doubtful reports that what stands in the place of the subject cannot be the subject, by what
// stands in the other places.
func doubtful(roles []string, args []operand, piped bool) bool {
	var on operand
	if i := placeOf(subject, roles); i >= 0 {
		on = args[i]
	}
	for i, a := range args {
		if doubts[roleNamed[roles[i]].use](call{roles, args, piped, on}, a) {
			return true
		}
	}
	return false
}

// A call is the arguments of one, in the order of their roles.
type call struct {
	roles []string
	args  []operand
	piped bool
	on    operand // the subject
}

// computed reports that only the render knows an argument.
func computed(a operand) bool {
	_, known := a.value.(unknown)
	return known
}

// longer reports that an argument is a text that is longer than the subject.
func (c call) longer(a operand) bool {
	on, _ := c.on.text()
	part, known := a.value.(string)
	return known && len(part) > len(on)
}

// holds reports that the subject holds an argument, which is known.
func (c call) holds(a operand) bool {
	on, _ := c.on.text()
	part, known := a.value.(string)
	return known && strings.Contains(on, part)
}

var (
	verb       = regexp.MustCompile(`%[-+# 0-9.]*[a-zA-Z]`)
	comparison = regexp.MustCompile(`^\s*[<>=!~^]`)
	kindNames  = []string{"string", "bool", "slice", "map", "int", "int64", "float64", "invalid"}
)

// doubts has for each use when it speaks against the subject.
var doubts = map[use]func(c call, a operand) bool{
	plain:   func(call, operand) bool { return false },
	subject: func(call, operand) bool { return false },
	shorter: func(c call, a operand) bool {
		_, written := c.on.text()
		return written && (c.longer(a) || computed(a))
	},
	contained: func(c call, a operand) bool {
		on, written := c.on.text()
		if a.literal {
			return written && c.longer(a)
		}
		return written && (c.longer(a) || computed(a)) && !strings.ContainsAny(on, " ,;:|/\n\t") // else a list of words
	},
	matches: func(c call, a operand) bool {
		_, written := c.on.text()
		i := placeOf(fills, c.roles)
		return written && computed(a) && (i < 0 || c.args[i].literal && !c.piped)
	},
	replaced: func(c call, a operand) bool {
		_, written := c.on.text()
		return written && (c.longer(a) || !a.literal) && !c.holds(a) && (!computed(a) || !computed(c.args[placeOf(fills, c.roles)]))
	},
	fills: func(c call, a operand) bool {
		on, written := c.on.text()
		if !written || a.literal && !c.piped {
			return false
		}
		if i := placeOf(replaced, c.roles); i >= 0 {
			return !a.literal && c.args[i].literal && !c.holds(c.args[i])
		}
		pattern := c.args[placeOf(matches, c.roles)]
		expr, known := pattern.value.(string)
		if c.piped {
			return !(c.holds(pattern) && !c.longer(pattern) && len(on) > len(expr)) // else a place to be filled
		}
		re, err := regexp.Compile(expr)
		return known && err == nil && !re.MatchString(on)
	},
	fallback: func(c call, a operand) bool {
		return c.on.literal && !a.literal && c.on.value != "" && c.on.value != 0 && c.on.value != false
	},
	formats: func(c call, a operand) bool {
		format, known := a.value.(string)
		last, written := c.args[len(c.args)-1].text()
		return len(c.args) > 1 && !(known && strings.Contains(format, "%")) && written && verb.MatchString(last)
	},
	bounds: func(c call, _ operand) bool {
		version, written := c.on.text()
		return written && comparison.MatchString(version)
	},
	names: func(c call, a operand) bool {
		name, written := c.on.text()
		return written && !a.literal && slices.Contains(kindNames, name)
	},
}
