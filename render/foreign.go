package render

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/template/parse"

	"github.com/rendered/rendered/sources"
)

// People come with templates that they wrote for other programs. A name that one of those knows is
// no slip of the pen: what is said about it is what it is here, written out with the arguments that
// stand there, or why it is not here.

// A foreign is a function of another program.
type foreign struct {
	of   string
	here []string // what it is here, for one argument, for two, …; the last also for more. <N:SAMPLE> is argument N
	why  string   // why it is not here, or what else there is to know
}

var argument = regexp.MustCompile(`<(\d):([^>]*)>`)

// foreignNames gives what other programs know, by name; a function of one of gomplate's namespaces
// as strings.ToUpper.
var foreignNames = sync.OnceValue(func() map[string]foreign {
	m := make(map[string]foreign)
	for _, of := range []struct {
		program string
		names   []foreignEntry
	}{{"sprig", ofSprig}, {"gomplate", ofGomplate}, {"Helm", ofHelm}, {"consul-template", ofConsulTemplate}, {"confd", ofConfd}, {"Ansible", ofAnsible}} {
		for _, e := range of.names {
			for name := range strings.FieldsSeq(e.names) {
				m[name] = foreign{of.program, e.here, e.why}
			}
		}
	}
	return m
})

// A foreignEntry is what several names have in common.
type foreignEntry struct {
	names string // separated by blanks
	here  []string
	why   string
}

// hint says what the name is here, for the arguments that a call has. An argument that cannot stand
// in a template of ours is left to the sample.
func (f foreign) hint(name string, args []string, templates map[string]*parse.Tree) string {
	if len(f.here) == 0 {
		return fmt.Sprintf("%s's %s is not here: %s", f.of, name, f.why)
	}
	form := f.here[min(max(len(args), 1), len(f.here))-1]
	text := argument.ReplaceAllStringFunc(form, func(place string) string {
		m := argument.FindStringSubmatch(place)
		i, _ := strconv.Atoi(m[1])
		if i > len(args) || args[i-1] == "" {
			return m[2]
		}
		arg := asHere(args[i-1], m[2], templates)
		if strings.Contains(arg, " ") && !strings.HasPrefix(arg, `"`) && !strings.Contains(form, "{{ "+place+" |") {
			arg = "(" + arg + ")"
		}
		return arg
	})
	text = fmt.Sprintf("%s's %s is %s here", f.of, name, text)
	if f.why != "" {
		text += "; " + f.why
	}
	return text
}

// noText finds samples in whose place no text can stand.
var noText = regexp.MustCompile(`^(?:\d+|\.map|\.list)$`)

// asHere gives an argument as it may stand here, where the sample is a name: of a parameter it
// begins with /, no path has a * at its end, and a template is there. Where the sample is no text a
// text that is written down is left to it.
func asHere(arg, sample string, templates map[string]*parse.Tree) string {
	text, err := strconv.Unquote(arg)
	if strings.HasPrefix(sample, `"_`) {
		for _, name := range []string{text, "_" + text, "_" + text + ".tmpl"} {
			if err == nil && templates[name] != nil {
				return strconv.Quote(name)
			}
		}
		return sample
	}
	if err == nil && noText.MatchString(sample) {
		return sample
	}
	if err != nil || sample[0] != '"' {
		return arg
	}
	switch {
	case strings.HasPrefix(sample, `"/`):
		if text = strings.Trim(strings.TrimSuffix(text, "*"), "/"); strings.Contains(text, "/") || sample == `"/app"` {
			text = "/" + text
		}
		if _, err := sources.ParseRef(sources.Param, text); err != nil {
			return sample
		}
	case strings.Contains(sample, "/"):
		if _, err := sources.ParseRef(sources.Secret, text); err != nil {
			return sample
		}
	}
	return strconv.Quote(text)
}

// A call of a function that other programs know, with what is written around it.
type abroad struct {
	name string // with the namespace, as strings.ToUpper
	args []string
}

// calledAbroad gives the name at a node and the arguments of its call, where path leads to the
// node.
func calledAbroad(path []parse.Node, id *parse.IdentifierNode) abroad {
	call := abroad{name: id.Ident}
	var pipe *parse.PipeNode
	var command *parse.CommandNode
	for _, n := range slices.Backward(path) {
		switch n := n.(type) {
		case *parse.ChainNode:
			if n.Node == parse.Node(id) && command == nil {
				call.name += "." + n.Field[0]
			}
		case *parse.CommandNode:
			if command == nil {
				command = n
			}
		case *parse.PipeNode:
			if pipe == nil {
				pipe = n
			}
		}
	}
	if command == nil || len(command.Args) == 0 || !isCalled(command.Args[0], id) {
		return call // it stands as an argument
	}
	for _, a := range command.Args[1:] {
		call.args = append(call.args, source(a))
	}
	if pipe == nil {
		return call
	}
	if i := slices.Index(pipe.Cmds, command); i > 0 {
		before := make([]string, i)
		for j, c := range pipe.Cmds[:i] {
			if before[j] = source(c); before[j] == "" {
				return abroad{call.name, append(call.args, "")}
			}
		}
		call.args = append(call.args, strings.Join(before, " | "))
	}
	return call
}

// ofNamespace reports that the name at the end of a path is a namespace of gomplate's, though it
// has the name of a function: env.Getenv.
func ofNamespace(path []parse.Node) bool {
	if len(path) < 2 {
		return false
	}
	id, _ := path[len(path)-1].(*parse.IdentifierNode)
	_, ok := path[len(path)-2].(*parse.ChainNode)
	_, known := foreignNames()[id.Ident+"."]
	return ok && known
}

func isCalled(n parse.Node, id *parse.IdentifierNode) bool {
	if c, ok := n.(*parse.ChainNode); ok {
		n = c.Node
	}
	return n == parse.Node(id)
}

// source gives a node as a template writes it, "" where it calls what is not here.
func source(n parse.Node) string {
	known, foreign := functionNames(), false
	inspect(n, func(n parse.Node) bool {
		if id, ok := n.(*parse.IdentifierNode); ok {
			if _, ok := slices.BinarySearch(known, id.Ident); !ok {
				foreign = true
			}
		}
		return true
	})
	if text := n.String(); !foreign && len(text) <= 80 && !strings.Contains(text, "\n") {
		if p, ok := n.(*parse.PipeNode); ok && len(p.Cmds) == 1 && len(p.Cmds[0].Args) == 1 {
			return p.Cmds[0].Args[0].String()
		}
		return text
	}
	return ""
}

// foreignHint says what the name of a call is here, where another program knows it.
func (t *Template) foreignHint(call abroad) []string {
	names := foreignNames()
	namespace, _, _ := strings.Cut(call.name, ".")
	for _, name := range []string{call.name, namespace + ".", namespace} {
		if f, ok := names[name]; ok {
			return []string{f.hint(call.name, call.args, t.trees)}
		}
	}
	plain, sprigs := strings.CutPrefix(call.name, "sprig_") // so consul-template calls them
	if _, ours := slices.BinarySearch(functionNames(), plain); sprigs && ours {
		return []string{fmt.Sprintf("consul-template's %s is %s here", call.name, plain)}
	} else if f, ok := names[plain]; sprigs && ok {
		return []string{f.hint(call.name, call.args, t.trees)}
	}
	return nil
}

// eachPath calls f with the way from a node to each of those below it, in the order of the text.
func eachPath(root parse.Node, f func(path []parse.Node)) {
	var path []parse.Node
	var visit func(parse.Node)
	visit = func(n parse.Node) {
		path = append(path, n)
		f(path)
		for _, c := range children(n) {
			visit(c)
		}
		path = path[:len(path)-1]
	}
	visit(root)
}

// foreignField says what a field of the data is here, where another program hands one of that name
// to its templates.
func foreignField(path []string) []string {
	f, ok := fieldsAbroad[path[0]]
	if !ok {
		return nil
	}
	var args []string
	switch last := path[len(path)-1]; {
	case len(path) == 1:
	case path[0] == "Env":
		args = []string{strconv.Quote(path[1])}
	case path[0] == "Values":
		args = []string{"." + last}
	}
	return []string{foreign{f.names, f.here, f.why}.hint("."+path[0], args, nil)}
}
