package render

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/template/parse"

	"github.com/rendered/rendered/internal/fault"
)

// signatures are the types of the functions by name, but for text/template's own.
var signatures = sync.OnceValue(func() map[string]reflect.Type {
	types := make(map[string]reflect.Type)
	for name, f := range pureFunctions() {
		types[name] = reflect.TypeOf(f)
	}
	for name, bind := range runFunctions() {
		types[name] = reflect.TypeOf(bind(new(run)))
	}
	return types
})

// checkCalls finds calls with too few arguments or too many, and numbers that are meant otherwise.
func checkCalls(x *parsedText) (faults fault.List) {
	for n := range x.nodes() {
		switch n := n.(type) {
		case *parse.PipeNode:
			for i, c := range n.Cmds {
				args := slices.Clone(c.Args[1:])
				if i > 0 {
					args = append(args, n.Cmds[i-1])
				}
				faults = append(faults, checkCall(x.Text, c.Args[0], args)...)
			}
		case *parse.CommandNode:
			faults = append(faults, checkField(x.Text, n)...)
			for _, a := range n.Args[1:] {
				faults = append(faults, checkCall(x.Text, a, nil)...)
			}
		case *parse.NumberNode:
			faults = append(faults, checkNumber(x.Text, n)...)
		}
	}
	return faults
}

// checkNumber finds a character, and a number with a zero in front.
func checkNumber(at *Text, n *parse.NumberNode) fault.List {
	if strings.HasPrefix(n.Text, "'") {
		what := fmt.Sprintf("%s is a number here, the code of that character; a text stands in double quotes: %q", n.Text, strings.Trim(n.Text, "'"))
		return fault.List{at.fault(int(n.Pos), what)}
	}
	if digits := strings.TrimLeft(n.Text, "+-"); len(digits) > 1 && digits[0] == '0' && strings.Trim(digits, "0123456789_") == "" {
		what := fmt.Sprintf("%s is octal here, the number %d", n.Text, n.Int64)
		return fault.List{at.fault(int(n.Pos), what, fmt.Sprintf("write the text %q, or the number %d", n.Text, n.Int64))}
	}
	return nil
}

// checkField finds arguments of what is no function: .secret "prod/db".
func checkField(at *Text, c *parse.CommandNode) fault.List {
	f, ok := c.Args[0].(*parse.FieldNode)
	if !ok || len(c.Args) < 2 {
		return nil
	}
	name := f.Ident[len(f.Ident)-1]
	what, hints := "."+name+" takes no arguments", []string(nil)
	if signatures()[name] != nil {
		what, hints = what+"; "+name+" does, which is a function", []string{"leave out the dot"}
	}
	if other := foreignField(f.Ident); other != nil {
		hints = other
	}
	return fault.List{at.fault(start(f), what, hints...)}
}

// checkCall finds too few arguments or too many of a call. The last may be the command that is
// piped in.
func checkCall(at *Text, n parse.Node, args []parse.Node) fault.List {
	id, ok := n.(*parse.IdentifierNode)
	if !ok || signatures()[id.Ident] == nil {
		return nil
	}
	least, more := arity(id.Ident)
	if n := len(args) - least; n == 0 || n > 0 && more {
		return nil
	}
	wants := count(least, "argument")
	if more {
		wants = "at least " + wants
	}
	failed := at.fault(int(id.Pos), fmt.Sprintf("%s takes %s, here it gets %d", id.Ident, wants, len(args)), howCalled(id.Ident, len(args) > least)...)
	if id.Ident == "get" && len(args) == 1 {
		failed.Hints = []string{fmt.Sprintf("get takes a map and a key; confd's get is {{ param %s }} here", parameter(args[0]))}
	}
	return fault.List{failed}
}

// howCalled says how a function is called; where it was given too much, also that which takes a
// default.
func howCalled(name string, much bool) (hints []string) {
	names := []string{name}
	if much {
		names = append(names, name+"Or")
	}
	for _, f := range reference() {
		if slices.Contains(names, f.Name) {
			hints = append(hints, strings.TrimSpace("{{ "+f.Name+" "+f.Args)+" }}")
		}
	}
	return hints
}

// parameter writes the name of a parameter that stands as another program's key.
func parameter(n parse.Node) string {
	const sample = `"/app/key"`
	if _, piped := n.(*parse.CommandNode); piped {
		return sample
	}
	return translated(n.String(), sample, nil)
}

// arity gives how many arguments a function takes, and whether it takes more.
func arity(name string) (least int, more bool) {
	t := signatures()[name]
	least = t.NumIn()
	if named(name) {
		least-- // the number of the call is not the template's
	}
	if t.IsVariadic() {
		least--
	}
	return least, t.IsVariadic()
}

// count gives "1 key", "5 keys".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
