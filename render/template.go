// Package render makes the bytes of a file from a template and a snapshot. Its subpackages compare, stage and swap them.
//
// What a template prints is real: a value that is missing, refused or not there yet is an error, never an empty text. What
// an error prints is not: text/template's own messages and those of helper functions quote values, so only their position
// is used, and what went wrong is said in words of our own.
package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"text/template"
	"text/template/parse"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render/funcs"
	"github.com/rendered/rendered/sources"
)

// Options are what a template is made of.
type Options struct {
	Main     Text
	Partials []Text         // may be called by name; each is parsed with the delimiters of Main
	Left     string         // delimiter; "" is {{
	Right    string         // delimiter; "" is }}
	Dir      string         // what a relative path of the function file is relative to
	Vars     map[string]any // the data: .name in the template
	MaxSize  int            // bytes that it may print; 0 is DefaultMaxSize
	Placed   bool           // note where values stand in what it prints, for a File whose structure they must keep

	Env      func(name string) (string, bool) // answers the function env
	Hostname string                           // answers the function hostname

	Check func(sources.Ref) *sources.Error // says why a ref can never be answered; may be nil
}

// A Template is a parsed template with its partials. It does not change, and may be executed from several goroutines.
type Template struct {
	Options
	set       *template.Template
	texts     []Text // by the number that stands for a text in parse names: Main, then Partials
	trees     map[string]*parse.Tree
	ticks     []position // by the number that a tick was given
	inserts   []insert   // by the number that the printing of an action was given
	literals  []string   // the texts between quotes in its actions
	lookups   []Lookup
	bare      map[*parse.ActionNode]Insertion
	used      map[sources.Ref]map[string]bool // of a secret the keys that are taken
	truths    fault.List
	mended    mended
	rewritten *rewriting
	sites     []site                      // calls that a name is given to, by the number that each was given; 0 is none
	calls     map[*parse.CommandNode]site // every call of a function
	values    map[parse.Node]flow         // what names and what is ranged over stand for
	called    map[string]bool             // names of functions
	runs      sync.Pool                   // of *run, those that are over
}

// A Lookup is a call of a lookup function found in a template.
type Lookup struct {
	Function string
	Place    fault.Place
	Line     string      // the text of the line at Place
	Ref      sources.Ref // what it asks for; the zero Ref where only the render can tell
}

// A position is a byte of a text.
type position struct {
	text   *Text
	offset int
}

// builtin are text/template's own functions that funcs does not replace.
var builtin = []string{"and", "call", "not", "or"}

// Parse reads the template and its partials and finds their lookups. It reports every fault it finds, not only the first.
func Parse(o Options) (*Template, fault.List) {
	t := &Template{Options: o, trees: make(map[string]*parse.Tree), rewritten: newRewriting()}
	t.texts = append([]Text{o.Main}, o.Partials...)
	var faults fault.List
	for i := range t.texts {
		faults = append(faults, t.parse(i)...)
	}
	faults = append(faults, t.faults()...)
	if len(faults) > 0 {
		faults.Sort()
		for _, f := range faults {
			t.delimit(f)
		}
		return nil, faults
	}
	t.rewritten = nil
	for _, f := range t.truths {
		t.delimit(f)
	}
	t.trace()
	t.guard()
	t.noteCalled()
	t.set = template.New("").Option("missingkey=error").Funcs(t.only(funcs.Map())).Funcs(t.only(new(run).functions()))
	for name, tree := range t.trees {
		template.Must(t.set.AddParseTree(name, tree))
	}
	return t, nil
}

// faults finds what is wrong with the trees. Where a text did not parse as it stands, it looks as
// far as what is left of it tells.
func (t *Template) faults() fault.List {
	faults := slices.Concat(t.checkFunctions(), t.checkCalls(), t.checkUses())
	if t.mended != lost {
		faults = append(faults, t.findLookups()...)
	}
	t.rewritten.show(t)
	return faults
}

// Lookups gives every call of a lookup function that the main template can reach, in the order in which they stand.
func (t *Template) Lookups() []Lookup { return slices.Clone(t.lookups) }

// Refs gives the refs known before any render, each once.
func (t *Template) Refs() []sources.Ref {
	var refs []sources.Ref
	seen := make(map[sources.Ref]bool)
	for _, l := range t.lookups {
		if l.Ref != (sources.Ref{}) && !seen[l.Ref] {
			seen[l.Ref] = true
			refs = append(refs, l.Ref)
		}
	}
	return refs
}

// functionNames gives every name that a template may call, in order.
var functionNames = sync.OnceValue(func() []string {
	names := slices.Concat(builtin, funcs.Names(), slices.Collect(maps.Keys(new(run).functions())))
	slices.Sort(names)
	return names
})

// maxFaults is how many calls of functions that do not exist are told. What has more is no
// template.
const maxFaults = 100

// checkFunctions finds calls of functions that do not exist.
func (t *Template) checkFunctions() fault.List {
	known := functionNames()
	var faults fault.List
	for _, name := range slices.Sorted(maps.Keys(t.trees)) {
		at := t.text(t.trees[name])
		eachPath(t.trees[name].Root, func(path []parse.Node) {
			id, ok := path[len(path)-1].(*parse.IdentifierNode)
			if !ok || len(faults) == maxFaults || id.Ident == stand && t.mended != whole {
				return
			}
			if _, ours := slices.BinarySearch(known, id.Ident); !ours || ofNamespace(path) {
				faults = append(faults, t.unknownFunction(at, id, path))
			}
		})
	}
	return faults
}

// unknownFunction says what a name may mean that no function has.
func (t *Template) unknownFunction(at *Text, id *parse.IdentifierNode, path []parse.Node) *fault.Fault {
	call := calledAbroad(path, id)
	what, hints := fmt.Sprintf("unknown function %q", call.name), t.foreignHint(call)
	if c, ok := path[len(path)-2].(*parse.CommandNode); ok && c.Args[0] != parse.Node(id) {
		hints = append([]string{fmt.Sprintf("a text stands in double quotes: %q", id.Ident)}, hints...)
	}
	if hints == nil {
		what = fmt.Sprintf("unknown function %q", id.Ident)
		_, isVar := t.Vars[id.Ident]
		near := fault.Near(id.Ident, functionNames())
		switch {
		case isVar || near == "" && len(call.args) == 0:
			hints = []string{fmt.Sprintf("a name of vars: has a dot before it: {{ .%s }}", id.Ident)}
		case near != "":
			what += "; did you mean " + near + "?"
		}
	}
	return at.fault(int(id.Pos), what, hints...)
}

// noteCalled notes which functions are called, and which texts stand between quotes.
func (t *Template) noteCalled() {
	t.called = map[string]bool{tickFunction: true, printFunction: true} // guard's
	t.eachNode(func(_ *Text, n parse.Node) {
		switch n := n.(type) {
		case *parse.IdentifierNode:
			t.called[n.Ident] = true
		case *parse.StringNode:
			t.literals = append(t.literals, n.Text)
		}
	})
}

// only leaves those functions that are called. An execution copies them: it does not have to copy two hundred.
func (t *Template) only(list template.FuncMap) template.FuncMap {
	maps.DeleteFunc(list, func(name string, _ any) bool { return !t.called[name] })
	return list
}

// eachNode calls f with every node of every tree, and the text it stands in.
func (t *Template) eachNode(f func(at *Text, n parse.Node)) {
	for _, name := range slices.Sorted(maps.Keys(t.trees)) {
		tree := t.trees[name]
		at := t.text(tree)
		inspect(tree.Root, func(n parse.Node) bool { f(at, n); return true })
	}
}

// delims gives the delimiters in use.
func (t *Template) delims() (left, right string) {
	left, right = t.Left, t.Right
	if left == "" {
		left = "{{"
	}
	if right == "" {
		right = "}}"
	}
	return left, right
}

// delimit has a fault speak of actions as this template writes them.
func (t *Template) delimit(f *fault.Fault) {
	left, right := t.delims()
	if left == "{{" && right == "}}" {
		return
	}
	replace := strings.NewReplacer("{{", left, "}}", right).Replace
	f.What = replace(f.What)
	f.Hints = slices.Clone(f.Hints)
	for i, h := range f.Hints {
		f.Hints[i] = replace(h)
	}
}

// written reports whether the words stand in the template, so that they can be no value.
func (t *Template) written(words string) bool {
	return slices.ContainsFunc(t.texts, func(x Text) bool { return strings.Contains(x.Body, words) })
}
