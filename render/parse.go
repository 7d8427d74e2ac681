package render

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"text/template/parse"

	"github.com/rendered/rendered/internal/fault"
)

// A Parser parses the templates of a plan. What it makes of a text it makes once, for all templates
// that have the text with the same delimiters. The zero Parser is ready. It is for one goroutine;
// its templates may be executed while it parses others.
type Parser struct {
	texts map[textKey]*parsedText
	count int // of the texts that were parsed
}

// A textKey is all that what is made of a text depends on.
type textKey struct {
	Text
	left, right string
}

// A parsedText is what one text tells, whatever stands beside it. It does not change once a
// template has it.
type parsedText struct {
	*Text
	// parseName is a number: the names in text/template's messages are then ours, whatever a file
	// is called.
	parseName string
	trees     map[string]*parse.Tree
	called    []string // names of functions, each once
	literals  []string // the texts between quotes in its actions
}

// Parse reads a template and its partials and finds their lookups. It reports every fault it finds,
// not only the first.
func Parse(o Options) (*Template, fault.List) { return new(Parser).Parse(o) }

// Parse does what the function does.
func (p *Parser) Parse(o Options) (*Template, fault.List) {
	t := newTemplate(o)
	fresh, faults := p.parse(t)
	for _, x := range fresh {
		faults = append(faults, slices.Concat(t.checkFunctions(x), checkCalls(x), t.checkUses(x))...)
	}
	if t.mended != lost {
		faults = append(faults, t.findLookups()...)
	}
	t.rewritten.show(t)
	t.rewritten = nil
	for _, f := range slices.Concat(faults, t.textConditions, t.deadElses) {
		t.delimit(f)
	}
	if len(faults) > 0 {
		faults.Sort()
		return nil, faults
	}
	for _, x := range fresh {
		p.keep(t.key(*x.Text), x)
	}
	t.noteRefs()
	return t, nil
}

// parse reads the texts of a template. It gives those that were not known.
func (p *Parser) parse(t *Template) (fresh []*parsedText, faults fault.List) {
	for _, text := range append([]Text{t.Main}, t.Partials...) {
		x := p.texts[t.key(text)]
		if x == nil {
			text.lines = new(lineIndex)
			x = &parsedText{Text: &text, parseName: strconv.Itoa(p.count)}
			p.count++
			fresh = append(fresh, x)
			faults = append(faults, t.parse(x)...)
		}
		faults = append(faults, t.add(x)...)
	}
	return fresh, faults
}

// parse reads a text, as far as it parses.
func (t *Template) parse(x *parsedText) (faults fault.List) {
	trees, err := t.parseText(x.parseName, x.Body)
	if err != nil {
		m := &mender{t: t, text: x.Text, name: x.parseName, scanner: t.scanner(x.Body)}
		trees, faults = m.mend()
		t.mended = max(t.mended, m.state)
	}
	x.trees = make(map[string]*parse.Tree, len(trees))
	for name, tree := range trees {
		if name == x.parseName {
			name = x.Name
			tree.Name = name
		}
		faults = append(faults, define(x.trees, name, tree, x.Text, x.Text)...)
	}
	return faults
}

// define gives a set the template of a text, in the place of one that is empty. Both of two that
// are not are a fault; the other is of first.
func define(set map[string]*parse.Tree, name string, tree *parse.Tree, text, first *Text) fault.List {
	if old := set[name]; old == nil || parse.IsEmptyTree(old.Root) {
		set[name] = tree
	} else if !parse.IsEmptyTree(tree.Root) {
		what := fmt.Sprintf("template %q is defined a second time; the first is in %s", name, first.shown())
		return fault.List{text.fault(int(tree.Root.Pos), what)}
	}
	return nil
}

// add gives the template the trees of a text.
func (t *Template) add(x *parsedText) (faults fault.List) {
	t.texts = append(t.texts, x)
	for name, tree := range x.trees {
		first := x.Text
		if old := t.trees[name]; old != nil {
			first = t.text(old)
		}
		faults = append(faults, define(t.trees, name, tree, x.Text, first)...)
	}
	return faults
}

func (t *Template) parseText(name, body string) (map[string]*parse.Tree, error) {
	left, right := t.delims()
	set := make(map[string]*parse.Tree)
	tree := parse.New(name)
	// We look for all unknown functions ourselves, with their columns.
	tree.Mode = parse.SkipFuncCheck
	_, err := tree.Parse(body, left, right, set)
	return set, err
}

// keep has a text at hand for other templates.
func (p *Parser) keep(key textKey, x *parsedText) {
	for n := range x.nodes() {
		switch n := n.(type) {
		case *parse.IdentifierNode:
			if !slices.Contains(x.called, n.Ident) {
				x.called = append(x.called, n.Ident)
			}
		case *parse.StringNode:
			x.literals = append(x.literals, n.Text)
		}
	}
	if p.texts == nil {
		p.texts = make(map[textKey]*parsedText)
	}
	p.texts[key] = x
}

// paths gives the way to every node of every tree from its root.
func (x *parsedText) paths() iter.Seq[[]parse.Node] {
	return func(yield func([]parse.Node) bool) {
		for _, name := range slices.Sorted(maps.Keys(x.trees)) {
			if !walk(x.trees[name].Root, yield) {
				return
			}
		}
	}
}

// nodes gives every node of every tree.
func (x *parsedText) nodes() iter.Seq[parse.Node] { return ends(x.paths()) }

// nodes gives every node of every tree, with the text it stands in.
func (t *Template) nodes() iter.Seq2[*Text, parse.Node] {
	return func(yield func(*Text, parse.Node) bool) {
		for _, x := range t.texts {
			for n := range x.nodes() {
				if !yield(x.Text, n) {
					return
				}
			}
		}
	}
}

// text gives the text that a tree was parsed from.
func (t *Template) text(tree *parse.Tree) *Text { return t.textNamed(tree.ParseName) }

// textNamed gives the text of a parse name; the main one where there is none.
func (t *Template) textNamed(parseName string) *Text {
	for _, x := range t.texts {
		if x.parseName == parseName {
			return x.Text
		}
	}
	return t.texts[0].Text
}

func (t *Template) key(text Text) textKey {
	text.lines = nil
	return textKey{text, t.Left, t.Right}
}
