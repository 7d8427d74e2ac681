package render

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
	"time"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
)

// A run is one execution of a template.
type run struct {
	t   *Template
	set *template.Template // with functions that belong to this run

	// The calls that get a number when they are executed, by that.
	ticks []position
	named []*parse.CommandNode // of functions that are named

	ctx      context.Context
	snapshot *sources.Snapshot

	begun      time.Time
	waited     time.Duration // for lookups
	bodies     int           // of templates that are being executed
	included   int           // of these by include, in one another
	readSecret bool          // a lookup has given what is never to be shown
	out        *output
	Output     // what it gives, so far
}

// A lookupText is a text that a lookup put into the template's hands.
type lookupText struct {
	lookup string // "secret prod/api/db port"
	text   string
}

// maxGiven is how many texts are noted: each is looked for where a format breaks.
const maxGiven = 4096

// full reports that no more texts are noted.
func (r *run) full() bool { return len(r.lookedUp) >= maxGiven }

// An Output is what an execution gave.
type Output struct {
	Content []byte
	Asked   []sources.Ref // what it looked up, in order; the next pass fetches it in advance

	template *Template
	lookedUp []lookupText  // what the lookups gave, to say what a byte of the output comes from
	keys     []lookupText  // keys of JSON
	prints   []printAction // what prints, where that is noted
	items    []item        // of an Each
	item     *item         // that it is for; nil: none
	printed  []printedSpan
	traced   []printedSpan // all that was printed by actions, where the template is traced
	spent    time.Duration // lookups not counted
}

// Execute renders the template over the snapshot. A fault has the place in the template, the ref
// and the remedy, and no value; what was asked for up to then is given all the same. It ends soon
// after ctx does.
func (t *Template) Execute(ctx context.Context, snapshot *sources.Snapshot) (Output, *fault.Fault) {
	return t.executeFor(ctx, snapshot, nil)
}

// executeFor is Execute for an element of the template's Each; nil: it has none.
func (t *Template) executeFor(ctx context.Context, snapshot *sources.Snapshot, of *item) (Output, *fault.Fault) {
	r := &run{t: t, ctx: ctx, snapshot: snapshot, begun: time.Now(), out: &output{limit: t.maxSize()}}
	r.Output.item = of
	r.set, r.template = r.executable(), t
	if of != nil {
		r.readSecret, r.lookedUp, r.keys = of.secret, slices.Clone(of.lookups), slices.Clone(of.keys)
	}
	err := r.set.ExecuteTemplate(r.out, t.Main.Name, t.data(of))
	r.Content, r.spent = r.out.Bytes(), time.Since(r.begun)-r.waited
	if err == nil {
		return r.Output, nil
	}
	failed := r.explain(err)
	r.Content = nil
	t.delimit(failed)
	return r.Output, failed
}

// executable gives what is executed, with functions that belong to the run: the main template, and
// all that it may call.
func (r *run) executable() *template.Template {
	set := template.New("").Option("missingkey=error").Funcs(r.called())
	for _, name := range r.t.callable() {
		if tree := r.t.trees[name]; tree != nil {
			template.Must(set.AddParseTree(name, r.guarded(r.t.text(tree), tree)))
		}
	}
	return set
}

// callable gives the name of the main template, and those that it may call, each once: all, where
// one computes a name.
func (t *Template) callable() []string {
	names, known := []string{t.Main.Name}, map[string]bool{t.Main.Name: true}
	for i := 0; i < len(names); i++ {
		tree := t.trees[names[i]]
		if tree == nil {
			continue
		}
		for n := range nodes(tree.Root) {
			name, computed := callee(n)
			if computed {
				return slices.Collect(maps.Keys(t.trees))
			}
			if name != "" && !known[name] {
				known[name] = true
				names = append(names, name)
			}
		}
	}
	return names
}

// callee gives the template that a node calls; "" where it calls none, or computes its name.
func callee(n parse.Node) (name string, computed bool) {
	switch n := n.(type) {
	case *parse.TemplateNode:
		return n.Name, false
	case *parse.CommandNode:
		if calledBy(n) != "include" {
			return "", false
		}
		if len(n.Args) > 1 && n.Args[1].Type() == parse.NodeString {
			return n.Args[1].(*parse.StringNode).Text, false
		}
		return "", true
	}
	return "", false
}

// notesPrints reports that a run is to know what each action printed.
func (t *Template) notesPrints() bool { return t.TrackValues || t.Trace }

func (t *Template) maxSize() int { return cmp.Or(t.MaxSize, DefaultMaxSize) }

// Bounds of a search for what a byte of the output comes from.
const (
	maxSearched = 256 << 20 // bytes of all texts together
	maxBefore   = 64 << 10  // how far before the byte a text may end that it is said to follow
	maxEnd      = 4 << 10   // how much of that text is looked for
)

// Origin says which lookup a byte of the output most likely comes from: within "secret prod/api/db
// port", or else which one it follows. It gives "" where no looked-up text stands or ends there.
func (o Output) Origin(offset int) (lookup string, within bool) {
	offset = min(max(offset, 0), len(o.Content))
	if of := o.across(offset); of.text != "" {
		return of.lookup, true
	}
	return o.before(offset), false
}

// across gives the longest text that stands across a byte; the zero one where none does.
func (o Output) across(offset int) (of lookupText) {
	left := maxSearched
	for _, g := range o.lookedUp {
		if n := len(g.text); n > len(of.text) && left > 0 {
			left -= 2 * n
			around := o.Content[max(offset-n+1, 0):min(offset+n, len(o.Content))]
			if bytes.Contains(around, []byte(g.text)) {
				of = g
			}
		}
	}
	return of
}

// before gives the lookup of the text that ends nearest before a byte.
func (o Output) before(offset int) (lookup string) {
	nearest := -1
	head := string(o.Content[max(offset-maxBefore, 0):offset])
	for _, g := range o.lookedUp {
		if g.text == "" {
			continue
		}
		end := g.text[max(len(g.text)-maxEnd, 0):]
		if at := strings.LastIndex(head, end); at >= 0 && at+len(end) > nearest {
			lookup, nearest = g.lookup, at+len(end)
		}
	}
	return lookup
}

// A lookupError is a lookup that failed, in words that hold no value.
type lookupError struct {
	what  string
	hints []string
	cause error
}

func (e *lookupError) Error() string { return e.what }
func (e *lookupError) Unwrap() error { return e.cause }

// unwrap gives the failed lookup behind an error of text/template.
func unwrap(err error) (*lookupError, bool) {
	e, ok := errors.AsType[*lookupError](err)
	return e, ok
}
