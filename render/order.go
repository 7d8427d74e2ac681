package render

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"

	"github.com/rendered/rendered/render/fault"
)

// Other programs have functions of the same names whose arguments stand in another order, or that
// give something else. Where the call alone shows that such a one is meant, it is a fault: it would
// give a wrong text without a word.

// A textOrder is what a function takes before its text, and where the text stands.
type textOrder struct {
	first string // in words
	text  int
	use   use
}

// A use is what a function does with what stands before the text, as far as that shows in the call.
type use int

const (
	counts    use = iota // a number
	trims                // the end of the text that is to go
	tests                // what the text begins or ends with
	contained            // what may stand in the text, or be one of the words that it lists
	separates            // what stands between the parts of the text
	matches              // what is looked for in the text
	replaced             // what is put something in the place of
)

var textOrders = map[string]textOrder{
	"trimPrefix": {"the prefix", 1, trims}, "trimSuffix": {"the suffix", 1, trims}, "trimAll": {"the characters", 1, matches},
	"hasPrefix": {"the prefix", 1, tests}, "hasSuffix": {"the suffix", 1, tests}, "contains": {"what to look for", 1, contained},
	"split": {"the separator", 1, separates}, "splitList": {"the separator", 1, separates}, "splitn": {"the separator and the count", 2, separates},
	"regexSplit": {"the pattern", 1, matches}, "mustRegexSplit": {"the pattern", 1, matches},
	"regexMatch": {"the pattern", 1, matches}, "mustRegexMatch": {"the pattern", 1, matches},
	"regexFind": {"the pattern", 1, matches}, "mustRegexFind": {"the pattern", 1, matches},
	"regexFindAll": {"the pattern", 1, matches}, "mustRegexFindAll": {"the pattern", 1, matches},
	"replace": {"the old and the new part", 2, replaced},
	"trunc":   {"the count", 1, counts}, "substr": {"start and end", 2, counts}, "repeat": {"the count", 1, counts}, "indent": {"the count", 1, counts},
	"nindent": {"the count", 1, counts}, "abbrev": {"the width", 1, counts}, "wrap": {"the width", 1, counts},
}

// An operand is one argument of a call.
type operand struct {
	value   any  // as far as it is known
	literal bool // written down in the call
}

// text gives a text that is written down in the call.
func (a operand) text() (string, bool) {
	text, ok := a.value.(string)
	return text, ok && a.literal
}

// ordered notes where the arguments of a call are another program's.
func (f *finder) ordered(c *parse.CommandNode, args []any, before *parse.CommandNode, s scope) {
	id := c.Args[0].(*parse.IdentifierNode)
	if f.noted[id] {
		return
	}
	call := make([]operand, len(args))
	for i, value := range args {
		call[i].value = value
		switch {
		case i+1 < len(c.Args):
			call[i].literal = isLiteral(c.Args[i+1])
		case before != nil:
			call[i].literal = len(before.Args) == 1 && isLiteral(before.Args[0])
		}
	}
	what, hints := misordered(id.Ident, call, len(args) >= len(c.Args))
	if what == "" {
		return
	}
	f.noted[id] = true
	f.faults = append(f.faults, s.text.fault(int(id.Pos), what, hints...))
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

// misordered says what is wrong with the arguments of a call, the last of which may be piped into
// it.
func misordered(name string, args []operand, piped bool) (what string, hints []string) {
	if order, ok := textOrders[name]; ok && order.text < len(args) {
		if turned(order, args) {
			return fmt.Sprintf("%s takes %s first, then the text", name, order.first), rewritten(name, order, args)
		}
		return "", nil
	}
	switch name {
	case "join":
		if len(args) != 2 {
			break
		}
		_, text := args[1].text()
		if _, computed := args[0].value.(unknown); text && computed || isList(args[0]) {
			return "join takes the separator first, then the list", nil
		}
	case "default":
		if _, computed := args[len(args)-1].value.(unknown); !computed && len(args) == 2 && args[1].literal && !args[0].literal && args[1].value != "" && args[1].value != 0 && args[1].value != false {
			return "default takes the default first, then the value", []string{fmt.Sprintf("{{ default %s VALUE }}", shownLiteral(args[1].value))}
		}
	case "regexReplaceAll", "mustRegexReplaceAll", "regexReplaceAllLiteral", "mustRegexReplaceAllLiteral":
		return replacing(name, args, piped)
	}
	return "", nil
}

// turned reports that what stands in the text's place cannot be the text.
func turned(order textOrder, args []operand) bool {
	first, text := args[0], args[order.text]
	if order.use == counts {
		_, number := text.value.(int)
		_, written := first.value.(string)
		return written && number && text.literal
	}
	written, ok := text.text()
	if !ok {
		return false
	}
	part, known := first.value.(string)
	longer := known && len(part) > len(written)
	switch order.use {
	case trims, tests, separates:
		return longer || !known && !first.literal
	case contained:
		if first.literal {
			return longer
		}
		return (longer || !known) && !strings.ContainsAny(written, " ,;:|/\n\t") // else a list of words
	}
	if order.use == replaced {
		return (longer || !first.literal) && !(known && strings.Contains(written, part))
	}
	return !known && !first.literal
}

func isList(a operand) bool { return reflect.ValueOf(a.value).Kind() == reflect.Slice }

// rewritten gives the call with the text at its end, where the other arguments are written down.
func rewritten(name string, order textOrder, args []operand) []string {
	rest := []string{"TEXT"}
	for _, a := range slices.Backward(args[1:]) {
		if _, computed := a.value.(unknown); computed || !a.literal {
			return nil
		}
		rest = slices.Insert(rest, 0, shownLiteral(a.value))
	}
	if order.use == replaced && len(args) == 3 { // replace TEXT OLD NEW
		rest = []string{shownLiteral(args[1].value), shownLiteral(args[2].value), "TEXT"}
	}
	if first, ok := args[0].text(); ok {
		rest[len(rest)-1] = strconv.Quote(first)
	}
	return []string{fmt.Sprintf("{{ %s %s }}", name, strings.Join(rest, " "))}
}

func shownLiteral(value any) string {
	if text, ok := value.(string); ok {
		return strconv.Quote(text)
	}
	return fmt.Sprint(value)
}

// replacing finds the order of consul-template, in which the text comes last: the pattern, the
// replacement, the text.
func replacing(name string, args []operand, piped bool) (string, []string) {
	if len(args) != 3 {
		return "", nil
	}
	pattern, known := args[0].value.(string)
	text, ok := args[1].text()
	if !ok || args[2].literal && !piped {
		return "", nil
	}
	if piped && known && len(text) > len(pattern) && strings.Contains(text, pattern) { // a place to be filled
		return "", nil
	}
	if re, err := regexp.Compile(pattern); !piped && (!known || err != nil || re.MatchString(text)) {
		return "", nil
	}
	shown := "PATTERN"
	if args[0].literal {
		shown = shownLiteral(pattern)
	}
	return name + " takes the pattern, the text, then the replacement", []string{fmt.Sprintf("{{ %s %s TEXT %s }}", name, shown, strconv.Quote(text))}
}

// checkUses finds functions whose result is not what it is used for: seq gives text, split a map,
// and merge changes nothing.
func (t *Template) checkUses() fault.List {
	var faults fault.List
	read := 0 // how often $_ is
	t.eachNode(func(_ *Text, n parse.Node) {
		switch n := n.(type) {
		case *parse.VariableNode:
			if n.Ident[0] == "$_" {
				read++
			}
		case *parse.PipeNode:
			read -= len(n.Decl) // they are nodes, too
			for _, v := range n.Decl {
				if v.Ident[0] != "$_" {
					read++
				}
			}
		}
	})
	t.eachNode(func(at *Text, n parse.Node) {
		switch n := n.(type) {
		case *parse.RangeNode:
			faults = append(faults, checkRange(at, n.Pipe)...)
		case *parse.ActionNode:
			if read == 0 {
				faults = append(faults, checkDropped(at, n.Pipe)...)
			}
		case *parse.PipeNode:
			faults = append(faults, checkJoined(at, n)...)
		}
	})
	return faults
}

// last gives the function that gives a pipeline its value.
func last(p *parse.PipeNode) (*parse.CommandNode, *parse.IdentifierNode) {
	c := p.Cmds[len(p.Cmds)-1]
	id, _ := c.Args[0].(*parse.IdentifierNode)
	return c, id
}

func checkRange(at *Text, p *parse.PipeNode) fault.List {
	c, id := last(p)
	switch {
	case id == nil:
	case id.Ident == "seq":
		return fault.List{at.fault(int(id.Pos), "seq gives a text, as the program of that name does, and range goes over a list", seqHint(c))}
	case id.Ident == "split":
		return fault.List{at.fault(int(id.Pos), "split gives a map, and range goes over its keys in the order _0, _1, _10, _2", "splitList gives a list")}
	}
	return nil
}

// seqHint writes the numbers of seq as untilStep does.
func seqHint(c *parse.CommandNode) string {
	var n []int64
	for _, a := range c.Args[1:] {
		if number, ok := a.(*parse.NumberNode); ok && number.IsInt {
			n = append(n, number.Int64)
		}
	}
	first, step := int64(1), int64(1)
	switch {
	case len(n) != len(c.Args)-1 || len(n) < 1 || len(n) > 3:
		return `{{ range splitList " " (seq FIRST LAST) }} goes over the texts`
	case len(n) > 1:
		first = n[0]
	}
	end := n[len(n)-1]
	if len(n) == 3 {
		step = n[1]
	} else if end < first {
		step = -1
	}
	if step < 0 {
		return fmt.Sprintf("{{ range untilStep %d %d %d }}", first, end-1, step)
	}
	return fmt.Sprintf("{{ range untilStep %d %d %d }}", first, end+1, step)
}

// checkJoined finds a join of what split gives.
func checkJoined(at *Text, p *parse.PipeNode) fault.List {
	for i, c := range p.Cmds {
		id, ok := c.Args[0].(*parse.IdentifierNode)
		if !ok || id.Ident != "join" {
			continue
		}
		var of *parse.IdentifierNode
		if i > 0 && len(c.Args) == 2 {
			of, _ = p.Cmds[i-1].Args[0].(*parse.IdentifierNode)
		} else if len(c.Args) == 3 {
			if inner, ok := c.Args[2].(*parse.PipeNode); ok {
				_, of = last(inner)
			}
		}
		if of != nil && of.Ident == "split" {
			return fault.List{at.fault(int(of.Pos), "split gives a map, and join takes a list", "splitList gives a list")}
		}
	}
	return nil
}

// checkDropped finds {{ $_ := merge $d … }}, by which Helm changes $d.
func checkDropped(at *Text, p *parse.PipeNode) fault.List {
	c, id := last(p)
	if id == nil || len(p.Decl) != 1 || p.Decl[0].Ident[0] != "$_" {
		return nil
	}
	switch id.Ident {
	case "merge", "mustMerge", "mergeOverwrite", "mustMergeOverwrite":
	default:
		return nil
	}
	hint := "{{ $all := " + c.String() + " }}, then $all"
	if len(c.Args) > 1 {
		if v, ok := c.Args[1].(*parse.VariableNode); ok && len(v.Ident) == 1 && v.Ident[0] != "$" {
			hint = "{{ " + v.Ident[0] + " = " + c.String() + " }}"
		}
	}
	return fault.List{at.fault(int(id.Pos), id.Ident+" changes none of its arguments, and what it gives is not used", hint)}
}
