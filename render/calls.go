package render

import (
	"fmt"
	"maps"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"text/template/parse"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render/funcs"
)

// signatures are the types of the functions by name, but for text/template's own.
var signatures = sync.OnceValue(func() map[string]reflect.Type {
	m := funcs.Map()
	maps.Copy(m, new(run).functions())
	types := make(map[string]reflect.Type, len(m))
	for name, f := range m {
		types[name] = reflect.TypeOf(f)
	}
	return types
})

// checkCalls finds calls with too few arguments or too many.
func (t *Template) checkCalls() fault.List {
	var faults fault.List
	t.eachNode(func(at *Text, n parse.Node) {
		switch n := n.(type) {
		case *parse.PipeNode:
			for i, c := range n.Cmds {
				given := len(c.Args) - 1
				if i > 0 {
					given++ // what is piped in
				}
				faults = append(faults, checkCall(at, c.Args[0], given, c.Args[1:])...)
			}
		case *parse.CommandNode:
			faults = append(faults, checkField(at, n)...)
			for _, a := range n.Args[1:] {
				faults = append(faults, checkCall(at, a, 0, nil)...)
			}
		case *parse.NumberNode:
			if strings.HasPrefix(n.Text, "'") {
				what := fmt.Sprintf("%s is a number here, the code of that character; a text stands in double quotes: %q", n.Text, strings.Trim(n.Text, "'"))
				faults = append(faults, at.fault(int(n.Pos), what))
			}
			if digits := strings.TrimLeft(n.Text, "+-"); len(digits) > 1 && digits[0] == '0' && strings.Trim(digits, "0123456789_") == "" {
				what := fmt.Sprintf("%s is octal here, the number %d", n.Text, n.Int64)
				faults = append(faults, at.fault(int(n.Pos), what, fmt.Sprintf("write the text %q, or the number %d", n.Text, n.Int64)))
			}
		}
	})
	return faults
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
	if abroad := foreignField(f.Ident); abroad != nil {
		hints = abroad
	}
	return fault.List{at.fault(start(f), what, hints...)}
}

// checkCall finds too few arguments or too many of a call, of which some may be piped in.
func checkCall(at *Text, n parse.Node, given int, written []parse.Node) fault.List {
	id, ok := n.(*parse.IdentifierNode)
	if !ok {
		return nil
	}
	t := signatures()[id.Ident]
	if t == nil {
		return nil
	}
	least := t.NumIn()
	if named(id.Ident) {
		least-- // the number of the call is not the template's
	}
	most := least
	if t.IsVariadic() {
		least, most = least-1, given
	}
	if least <= given && given <= most {
		return nil
	}
	wants := strconv.Itoa(least)
	if t.IsVariadic() {
		wants = "at least " + wants
	}
	what := fmt.Sprintf("%s takes %s %s, here it gets %d", id.Ident, wants, plural(least, "argument"), given)
	if id.Ident == "get" && given == 1 {
		key := `"/app/key"`
		if len(written) == 1 {
			key = asHere(written[0].String(), key, nil)
		}
		return fault.List{at.fault(int(id.Pos), what, fmt.Sprintf("get takes a map and a key; confd's get is {{ param %s }} here", key))}
	}
	return fault.List{at.fault(int(id.Pos), what)}
}

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}
