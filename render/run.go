package render

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
	"time"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/lazyregexp"
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
	var failed *fault.Fault
	if err != nil {
		failed = r.explain(err)
	} else {
		failed = r.checkFormatErrors(r.Content)
	}
	if failed != nil {
		r.Content = nil
		t.delimit(failed)
	}
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

// formatError is what text/template and fmt print in the place of a value that they could not print
// (fmt: "Format errors").
var formatError = lazyregexp.New(`<no value>|<nil>|%!(?:[A-Za-z%]\([^)]*\)?|\((?:NOVERB|EXTRA|BADWIDTH|BADPREC|BADINDEX)[^)]*\))`)

// marks are what a formatError has in it. To look for them takes a hundredth of the time.
var marks = [][]byte{[]byte("<no value>"), []byte("<nil>"), []byte("%!")}

// checkFormatErrors finds output in which something went wrong unnoticed. What a value itself holds
// is no mistake.
func (r *run) checkFormatErrors(content []byte) *fault.Fault {
	if !slices.ContainsFunc(marks, func(mark []byte) bool { return bytes.Contains(content, mark) }) {
		return nil
	}
	var suspects []string
	offsets := make(map[string]int) // where each stands first
	for _, at := range formatError.FindAllIndex(content, -1) {
		found := string(content[at[0]:at[1]])
		if _, known := offsets[found]; !known {
			offsets[found] = at[0]
			if !r.t.written(found) {
				suspects = append(suspects, found)
			}
		}
	}
	if len(suspects) == 0 {
		return nil
	}
	absent := r.snapshot.Absent(suspects)
	if len(absent) == 0 {
		return nil
	}
	what := absent[0]
	if strings.HasPrefix(what, "%!") {
		what = "a formatting error, " + what[:min(3, len(what))] + "…"
	}
	line := 1 + bytes.Count(content[:offsets[absent[0]]], []byte("\n"))
	return &fault.Fault{
		Place: fault.Place{File: r.t.Main.shown()},
		What:  fmt.Sprintf("line %d of the output holds %s", line, what),
		Hints: []string{"something printed there is nothing, or of another type than its verb; see the template around it"},
	}
}

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
	if lookup = o.across(offset); lookup != "" {
		return lookup, true
	}
	return o.before(offset), false
}

// across gives the lookup of the longest text that stands across a byte.
func (o Output) across(offset int) (lookup string) {
	length, left := 0, maxSearched
	for _, g := range o.lookedUp {
		if n := len(g.text); n > length && left > 0 {
			left -= 2 * n
			around := o.Content[max(offset-n+1, 0):min(offset+n, len(o.Content))]
			if bytes.Contains(around, []byte(g.text)) {
				lookup, length = g.lookup, n
			}
		}
	}
	return lookup
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
