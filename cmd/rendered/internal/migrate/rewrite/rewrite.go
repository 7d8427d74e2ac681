package rewrite

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"text/template/parse"
	"unicode"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/lazyregexp"
	"github.com/rendered/rendered/render"
)

// Options say what a template was, and what it becomes.
type Options struct {
	Program     *Program
	File        string // as places name it
	Line        int    // the line of the file before the text, where the text is a part of it
	Left, Right string // the delimiters; "" are {{ and }}
	// Prefix stands before every path, in confd.
	Prefix  string
	Backend Backend
	// Keys are what confd asked its backend for.
	Keys []string
	// Name gives the name here of a secret that the other program knows by a path.
	Name func(path string) string
	// MissingFails says that a key that is missing is an error there, too.
	MissingFails bool
	// Quote is the notation of the file, in which values are to be quoted; "" quotes nothing.
	Quote string
}

// A Backend says where confd's values come from.
type Backend string

// The backends that are not asked by Parameter Store here.
const (
	Parameters Backend = ""
	Variables  Backend = "env"
	Secrets    Backend = "secretsmanager"
)

// A Remark is what is to be known of a template or a config that was rewritten.
type Remark struct {
	Place fault.Place
	Todo  bool // a person has to do something before it works
	What  string
}

// rewriter rewrites one text.
type rewriter struct {
	o         Options
	src       *source
	edits     []edit
	remarks   []Remark
	refusal   *refusal // of the action that is being rewritten
	before    []string // actions that it needs before it
	testing   bool     // it only tests what it is given
	globs     map[string]bool
	templates map[string]shape // what templates are given
	queue     []string         // those that are yet to be rewritten
}

// A refusal says why an action is not rewritten.
type refusal struct {
	pos  int
	what string
}

// A scope is what an action finds around it.
type scope struct {
	dot     shape
	vars    map[string]shape
	current string // the path whose value the dot is; "" is none
}

func (s scope) within(dot shape) scope { return scope{dot: dot, vars: maps.Clone(s.vars)} }

// Template rewrites a template. The error is that of a text that is no template.
func Template(text string, o Options) (string, []Remark, error) {
	o.Left, o.Right = cmp.Or(o.Left, "{{"), cmp.Or(o.Right, "}}")
	trees, err := parseTree(text, o)
	if err != nil {
		return "", nil, err
	}
	r := &rewriter{o: o, src: newSource(text, o.Left, o.Right), globs: globVariables(text), templates: map[string]shape{}}
	r.list(trees[mainTemplate].Root, scope{vars: map[string]shape{}})
	for done := map[string]bool{mainTemplate: true}; ; {
		for _, name := range slices.Sorted(maps.Keys(trees)) {
			if !done[name] && !slices.Contains(r.queue, name) && len(r.queue) == 0 {
				r.queue = append(r.queue, name) // nobody calls it
			}
		}
		if len(r.queue) == 0 {
			break
		}
		name := r.queue[0]
		r.queue = r.queue[1:]
		if tree := trees[name]; tree != nil && !done[name] {
			done[name] = true
			r.list(tree.Root, scope{dot: r.templates[name], vars: map[string]shape{}})
		}
	}
	slices.SortStableFunc(r.remarks, func(a, b Remark) int {
		return slices.Compare([]int{a.Place.Line, a.Place.Column}, []int{b.Place.Line, b.Place.Column})
	})
	return r.src.apply(r.edits), r.remarks, nil
}

// mainTemplate is the name of what stands outside of every define.
const mainTemplate = "the template"

func parseTree(text string, o Options) (map[string]*parse.Tree, error) {
	tree := parse.New(mainTemplate)
	tree.Mode = parse.SkipFuncCheck
	trees := map[string]*parse.Tree{}
	if _, err := tree.Parse(text, o.Left, o.Right, trees); err != nil {
		return nil, err
	}
	if trees[mainTemplate] == nil {
		trees[mainTemplate] = tree // it is empty but for what it defines
	}
	return trees, nil
}

var globVariable = lazyregexp.New(`\bgetv?s\s+(\$\w+)`)

// globVariables gives the variables that hold a pattern for gets or getvs.
func globVariables(text string) map[string]bool {
	m := map[string]bool{}
	for _, found := range globVariable.FindAllStringSubmatch(text, -1) {
		m[found[1]] = true
	}
	return m
}

func (r *rewriter) list(l *parse.ListNode, s scope) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			r.action(n.Pipe, s)
		case *parse.IfNode:
			r.ifNode(n, s)
		case *parse.WithNode:
			r.with(n, s)
		case *parse.RangeNode:
			r.rangeNode(n, s)
		case *parse.TemplateNode:
			r.template(n, s)
		}
	}
}

// action rewrites an action that prints, or that sets a variable.
func (r *rewriter) action(p *parse.PipeNode, s scope) {
	r.header(p, func() string {
		v := r.pipeline(p, s, false)
		if len(p.Decl) == 0 {
			return r.quoted(v, r.printed(v, p), p)
		}
		name := p.Decl[0].Ident[0]
		if r.globs[name] {
			v = r.withoutStar(v)
		}
		s.vars[name] = v.shape
		return declaration(p) + v.text
	})
}

// printed gives what an action prints.
func (r *rewriter) printed(v value, p *parse.PipeNode) string {
	r.whole(v, p.Position())
	if keys, ok := strings.CutPrefix(v.text, "(secretMap "); ok && v.form == atom {
		name, rest, _ := strings.Cut(keys, ").")
		if rest != "" && !strings.ContainsAny(name, "()") {
			return "secret " + name + quotedKeys(strings.Split(rest, "."))
		}
	}
	return v.text
}

func quotedKeys(keys []string) (text string) {
	for _, k := range keys {
		text += fmt.Sprintf(" %q", k)
	}
	return text
}

// declaration writes the variables that a pipeline sets.
func declaration(p *parse.PipeNode) string {
	if len(p.Decl) == 0 {
		return ""
	}
	names := make([]string, len(p.Decl))
	for i, d := range p.Decl {
		names[i] = d.Ident[0]
	}
	if p.IsAssign {
		return strings.Join(names, ", ") + " = "
	}
	return strings.Join(names, ", ") + " := "
}

// header rewrites the pipeline of an action by a text that is made for it. Where that is refused
// the action stays, and a comment says why. It reports whether it was not.
func (r *rewriter) header(p *parse.PipeNode, written func() string) bool {
	r.refusal, r.before = nil, nil
	remarks := len(r.remarks)
	a, ok := r.src.around(int(p.Position()))
	if !ok {
		return false
	}
	text := written()
	if len(r.before) > 0 && strings.HasPrefix(r.src.text[a.inside:], "else") {
		r.refuse(p.Position(), "a list of values is made before the action, and there is no place before an else; put it before the whole if")
	}
	if r.refusal != nil {
		r.remarks = r.remarks[:remarks]
		r.todo(a, p)
		return false
	}
	if len(r.before) > 0 {
		r.insert(a, strings.Join(r.before, ""))
	}
	if text != p.String() {
		r.replace(a, p, text)
	}
	return true
}

// replace puts a text in the place of the pipeline of an action.
func (r *rewriter) replace(a segment, p *parse.PipeNode, text string) {
	at := int(p.Position())
	if at > a.inside && unicode.IsLetter(rune(r.src.text[at-1])) { // the parentheses of {{if(x)}} go
		text = " " + text
	}
	r.edits = append(r.edits, edit{at, a.behind, text})
}

// insert puts actions before one.
func (r *rewriter) insert(a segment, text string) {
	if a.trims {
		text = strings.Replace(text, r.o.Left, r.o.Left+"-", 1)
	}
	r.edits = append(r.edits, edit{a.start, a.start, text})
}

// todo says in a comment before an action what is to be done about it. An action that would work
// here, and mean something else, is kept from it.
func (r *rewriter) todo(a segment, p *parse.PipeNode) {
	place := r.place(r.refusal.pos)
	r.remarks = append(r.remarks, Remark{place, true, r.refusal.what})
	said := strings.ReplaceAll(fmt.Sprintf("TODO(migrate): %s: %s", place, r.refusal.what), "*/", "* /")
	known := knownHere(p)
	if known && strings.HasPrefix(r.src.text[a.inside:], "else") { // nothing can stand before its condition
		said += "; it was " + strings.ReplaceAll(p.String(), "*/", "* /")
		r.replace(a, p, `fail "TODO(migrate)"`)
		known = false
	}
	text := fmt.Sprintf("%s/* %s */ -%s\n", r.o.Left, said, r.o.Right)
	if known {
		text += fmt.Sprintf("%s fail \"TODO(migrate)\" -%s\n", r.o.Left, r.o.Right)
	}
	r.insert(a, strings.Replace(text, r.o.Left, r.o.Left+map[bool]string{true: " "}[a.trims], 1))
}

// functions are the names of ours.
var functions = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	for _, f := range render.Functions() {
		m[f.Name] = true
	}
	return m
})

// knownHere reports that all functions of a pipeline are here.
func knownHere(p *parse.PipeNode) bool {
	known := true
	eachNode(p, func(n parse.Node) {
		if id, ok := n.(*parse.IdentifierNode); ok {
			known = known && (functions()[id.Ident] || slices.Contains(builtins, id.Ident))
		}
	})
	return known
}

// place gives a position as a person finds it.
func (r *rewriter) place(pos int) fault.Place {
	p := r.src.place(r.o.File, pos)
	p.Line += r.o.Line
	return p
}

// remark notes what is other than it was, where it is not refused, once a template.
func (r *rewriter) remark(pos parse.Pos, what string) {
	if slices.ContainsFunc(r.remarks, func(said Remark) bool { return said.What == what }) {
		return
	}
	r.remarks = append(r.remarks, Remark{r.place(int(pos)), false, what})
}

// refuse notes why the action is not rewritten; the first reason counts.
func (r *rewriter) refuse(pos parse.Pos, what string, args ...any) value {
	if r.refusal == nil {
		r.refusal = &refusal{int(pos), fmt.Sprintf(what, args...)}
	}
	return value{}
}

// miscounted refuses a call with another number of arguments than its function takes.
func (r *rewriter) miscounted(c *call) value {
	return r.refuse(c.pos, "%s with %d arguments is not known", c.name, len(c.args))
}
