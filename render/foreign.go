package render

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/template/parse"

	"github.com/rendered/rendered/internal/lazyregexp"
	"github.com/rendered/rendered/sources"
)

// People come with templates that they wrote for other programs. A name that one of those knows is
// no slip of the pen: what is said about it is what it is here, written out with the arguments that
// stand there, or why it is not here.

// A foreign is a function of another program.
type foreign struct {
	of string
	// here is what it is here, for one argument, for two, …; the last also for more. <N:SAMPLE> is
	// argument N.
	forms []string
	why   string // why it is not here, or what else there is to know
}

var samplePattern = lazyregexp.New(`<(\d):([^>]*)>`)

// foreignNames gives what other programs know, by name; a function of one of gomplate's namespaces
// as strings.ToUpper.
var foreignNames = sync.OnceValue(func() map[string]foreign {
	m := make(map[string]foreign)
	for _, p := range programs {
		for pair := range strings.FieldsSeq(p.renamed) {
			name, ours, _ := strings.Cut(pair, "=")
			m[name] = foreign{p.name, []string{fmt.Sprintf("{{ <1:%s> | %s }}", cmp.Or(samples[ours], ".text"), ours)}, ""}
		}
		for _, e := range p.functions {
			for name := range strings.FieldsSeq(e.names) {
				m[name] = foreign{p.name, e.forms, e.why}
			}
		}
	}
	return m
})

// A foreignEntry is what several names have in common.
type foreignEntry struct {
	names string // separated by blanks
	forms []string
	why   string
}

// hint says what the name is here, for the arguments that a call has. An argument that cannot stand
// in a template of ours is left to the sample.
func (f foreign) hint(name string, args []string, templates map[string]*parse.Tree) string {
	if len(f.forms) == 0 {
		return fmt.Sprintf("%s's %s is not here: %s", f.of, name, f.why)
	}
	form := f.forms[min(max(len(args), 1), len(f.forms))-1]
	text := samplePattern.ReplaceAllStringFunc(form, func(sample string) string {
		m := samplePattern.FindStringSubmatch(sample)
		i, _ := strconv.Atoi(m[1])
		if i > len(args) || args[i-1] == "" {
			return m[2]
		}
		arg := translated(args[i-1], m[2], templates)
		if strings.HasPrefix(arg, `"`) || strings.Contains(form, "{{ "+sample+" |") {
			return arg
		}
		return inParens(arg)
	})
	text = fmt.Sprintf("%s's %s is %s here", f.of, name, text)
	if f.why != "" {
		text += "; " + f.why
	}
	return text
}

// noText finds samples in whose place no text can stand.
var noText = lazyregexp.New(`^(?:\d+|\.map|\.list)$`)

// translated gives an argument as it may stand here, where the sample is a name: of a parameter it
// begins with /, no path has a * at its end, and a template is there. Where the sample is no text a
// text that is written down is left to it.
func translated(arg, sample string, templates map[string]*parse.Tree) string {
	text, err := strconv.Unquote(arg)
	switch written := err == nil; {
	case strings.HasPrefix(sample, `"_`):
		i := slices.IndexFunc(templateNames(text), func(name string) bool { return written && templates[name] != nil })
		if i < 0 {
			return sample
		}
		return strconv.Quote(templateNames(text)[i])
	case written && noText.MatchString(sample):
		return sample
	case !written || sample[0] != '"':
		return arg
	case sample == `"NAME"` && !isVariable(text):
		return sample
	case strings.HasPrefix(sample, `"/`):
		if text = strings.Trim(strings.TrimSuffix(text, "*"), "/"); strings.Contains(text, "/") || sample == `"/app"` {
			text = "/" + text
		}
		return nameOr(sample, sources.Param, text)
	case strings.Contains(sample, "/"):
		return nameOr(sample, sources.Secret, text)
	}
	return strconv.Quote(text)
}

// templateNames are the names by which a template of another program may be here.
func templateNames(name string) []string { return []string{name, "_" + name, "_" + name + ".tmpl"} }

// nameOr gives a text in quotes where it may be the name of such a thing.
func nameOr(sample string, kind sources.Kind, text string) string {
	if _, err := sources.ParseRef(kind, text); err != nil {
		return sample
	}
	return strconv.Quote(text)
}

// A call of a function that other programs know, with what is written around it.
type foreignCall struct {
	name string // with the namespace, as strings.ToUpper
	args []string
}

// foreignCallAt gives the name at a node and the arguments of its call, where path leads to the
// node.
func foreignCallAt(path []parse.Node, id *parse.IdentifierNode) foreignCall {
	call := foreignCall{name: id.Ident}
	if chain, ok := path[len(path)-2].(*parse.ChainNode); ok {
		call.name += "." + chain.Field[0]
	}
	c := lastCommand(path)
	if !isCalled(c.Args[0], id) {
		return call // it stands as an argument
	}
	for _, a := range c.Args[1:] {
		call.args = append(call.args, source(a))
	}
	pipe := path[slices.Index(path, parse.Node(c))-1].(*parse.PipeNode)
	if i := slices.Index(pipe.Cmds, c); i > 0 {
		call.args = append(call.args, source(&parse.PipeNode{NodeType: parse.NodePipe, Cmds: pipe.Cmds[:i]}))
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
	text := n.String()
	if len(text) > 80 || strings.Contains(text, "\n") || callsForeign(n) {
		return ""
	}
	if p, ok := n.(*parse.PipeNode); ok && len(p.Cmds) == 1 && len(p.Cmds[0].Args) == 1 {
		return p.Cmds[0].Args[0].String()
	}
	return text
}

func callsForeign(n parse.Node) bool {
	for n := range nodes(n) {
		if id, ok := n.(*parse.IdentifierNode); ok && !isFunction(id.Ident) {
			return true
		}
	}
	return false
}

// foreignHint says what the name of a call is here, where another program knows it.
func (t *Template) foreignHint(call foreignCall) []string {
	names := foreignNames()
	namespace, _, _ := strings.Cut(call.name, ".")
	for _, name := range []string{call.name, namespace + ".", namespace} {
		if f, ok := names[name]; ok {
			return []string{f.hint(call.name, call.args, t.trees)}
		}
	}
	plain, sprigs := strings.CutPrefix(call.name, "sprig_") // so consul-template calls them
	if sprigs && isFunction(plain) {
		return []string{fmt.Sprintf("consul-template's %s is %s here", call.name, plain)}
	} else if f, ok := names[plain]; sprigs && ok {
		return []string{f.hint(call.name, call.args, t.trees)}
	}
	return nil
}

// foreignField says what a field of the data is here, where another program hands one of that name
// to its templates.
func foreignField(path []string) []string {
	f, ok := foreignFields[path[0]]
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
	return []string{f.hint("."+path[0], args, nil)}
}
