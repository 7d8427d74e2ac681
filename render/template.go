// Package render makes the bytes of a file from a template and a snapshot. Its subpackages compare,
// stage and swap them.
//
// What a template prints is real: a value that is missing, refused or not there yet is an error,
// never an empty text. What an error prints is not: text/template's own messages and those of
// helper functions quote values, so only their position is used, and what went wrong is said in
// words of our own.
package render

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
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
	// TrackValues notes where values stand in what it prints, for a File whose structure they must
	// keep.
	TrackValues bool
	// Trace notes of which actions what it prints is, for Output.Parts.
	Trace bool

	// Each: the template is of a file for each element, and knows .key and .value; nil: it is not.
	Each  *Each
	Keyed bool // it knows .key

	Env      func(name string) (string, bool) // answers the function env
	Hostname string                           // answers the function hostname

	Check func(sources.Ref) *sources.Error // says why a ref can never be answered; may be nil
}

// A Template is a parsed template with its partials. It does not change, and may be executed from
// several goroutines.
type Template struct {
	Options
	texts []*parsedText          // Main, then Partials
	trees map[string]*parse.Tree // of all texts, as they are written

	// What the walk for lookups finds.
	lookups        []Lookup
	refs           []sources.Ref                // of lookups, each once
	bare           map[*parse.ActionNode]*piece // that it prints as it is
	taken          map[taking]bool
	textConditions fault.List
	deadElses      fault.List
	// known is what the template alone gives, with the ref of the name of a lookup.
	notesItems bool  // it is that of an Each
	item       *item // what it is for is known; nil: it is not
	ranged     any   // what is known of an element of the first range, for an Each
	known      map[argument]*sources.Ref
	pieces     map[parse.Node]*piece // what of a lookup a node stands for
	// constants has the texts that the template alone has an action print; nil: they are not noted.
	constants map[*parse.ActionNode]map[string]bool

	mended    mended     // while it is parsed
	rewritten *rewriting // while it is parsed
}

func newTemplate(o Options) *Template {
	return &Template{
		Options:   o,
		trees:     make(map[string]*parse.Tree),
		bare:      make(map[*parse.ActionNode]*piece),
		taken:     make(map[taking]bool),
		known:     make(map[argument]*sources.Ref),
		pieces:    make(map[parse.Node]*piece),
		rewritten: &rewriting{orders: make(map[*parse.CommandNode][]int), replacements: make(map[parse.Node]string), conversions: make(map[*parse.CommandNode]conversion)},
	}
}

// A Lookup is a call of a lookup function found in a template.
type Lookup struct {
	Spot
	Function string
	Kind     sources.Kind
	Ref      sources.Ref // what it asks for; the zero Ref where only the render can tell
	Written  bool        // Ref stands in the template as it is; else the template makes it
	Asks     bool        // whether it exists, and nothing of its value
}

// A position is a byte of a text.
type position struct {
	text   *Text
	offset int
}

// builtin are text/template's own functions that funcs does not replace.
var builtin = []string{"and", "call", "not", "or"}

// Lookups gives every call of a lookup function that the main template can reach, in the order in
// which they stand.
func (t *Template) Lookups() []Lookup { return slices.Clone(t.lookups) }

// Refs gives the refs known before any render, each once. The caller does not change them.
func (t *Template) Refs() []sources.Ref { return t.refs }

// noteRefs notes the refs of the lookups that were found.
func (t *Template) noteRefs() {
	seen := make(map[sources.Ref]bool)
	for _, l := range t.lookups {
		if l.Ref != (sources.Ref{}) && !seen[l.Ref] {
			seen[l.Ref] = true
			t.refs = append(t.refs, l.Ref)
		}
	}
}

// functionNames gives every name that a template may call, in order.
var functionNames = sync.OnceValue(func() []string {
	names := slices.Concat(builtin, funcs.Names(), slices.Collect(maps.Keys(runFunctions())))
	slices.Sort(names)
	return names
})

// maxFaults is how many calls of functions that do not exist are told. What has more is no
// template.
const maxFaults = 100

// checkFunctions finds calls of functions that do not exist.
func (t *Template) checkFunctions(x *parsedText) fault.List {
	var faults fault.List
	for path := range x.paths() {
		id, ok := path[len(path)-1].(*parse.IdentifierNode)
		if !ok || t.mayCall(id.Ident) && !ofNamespace(path) {
			continue
		}
		if faults = append(faults, t.unknownFunction(x.Text, id, path)); len(faults) == maxFaults {
			break
		}
	}
	return faults
}

// mayCall reports that a name is a function, or stands in the place of what did not parse.
func (t *Template) mayCall(name string) bool {
	return isFunction(name) || name == placeholder && t.mended != whole
}

// isFunction reports that a template may call a name.
func isFunction(name string) bool {
	_, ok := slices.BinarySearch(functionNames(), name)
	return ok
}

// unknownFunction says what a name may mean that no function has.
func (t *Template) unknownFunction(at *Text, id *parse.IdentifierNode, path []parse.Node) *fault.Fault {
	call := foreignCallAt(path, id)
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

// delims gives the delimiters in use.
func (t *Template) delims() (left, right string) {
	return cmp.Or(t.Left, "{{"), cmp.Or(t.Right, "}}")
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
