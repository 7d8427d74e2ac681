package render

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"text/template"
	"time"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
)

// A run is one execution of a template. It is used again for another, when it is over.
type run struct {
	t   *Template
	set *template.Template // with functions that belong to this run

	ctx      context.Context
	snapshot *sources.Snapshot

	begun   time.Time
	waited  time.Duration  // for lookups
	secrets map[int]bool   // by the number of the lookup that gave one
	last    map[int]*found // what a lookup gave last, by its number
	asked   []sources.Ref
	given   []given // what the lookups gave, to say what a place of the output comes from
	names   []given // keys of JSON

	out      *output
	inserted []inserted
}

// given is a text that a lookup put into the template's hands.
type given struct {
	lookup string // "secret prod/api/db port"
	text   string
}

// maxGiven is how many texts are noted: each is looked for where a format breaks.
const maxGiven = 4096

// full reports that no more texts are noted.
func (r *run) full() bool { return len(r.given) >= maxGiven }

// An Output is what an execution gave.
type Output struct {
	Content []byte
	Asked   []sources.Ref // what it looked up, in order; the next pass fetches it in advance

	template *Template
	given    []given
	names    []given
	inserted []inserted
	spent    time.Duration // lookups not counted
}

// Execute renders the template over the snapshot. A fault has the place in the template, the ref and the remedy, and no
// value; what was asked for up to then is given all the same. It ends soon after ctx does.
func (t *Template) Execute(ctx context.Context, snapshot *sources.Snapshot) (Output, *fault.Fault) {
	r := t.begin()
	defer t.end(r)
	r.ctx, r.snapshot, r.begun = ctx, snapshot, time.Now()
	r.secrets, r.last = make(map[int]bool), make(map[int]*found)
	r.out = &output{limit: t.maxSize()}
	err := r.set.ExecuteTemplate(r.out, t.Main.Name, clone(t.Vars))
	result := Output{
		Content:  r.out.Bytes(),
		Asked:    r.asked,
		template: t,
		given:    r.given,
		names:    r.names,
		inserted: r.inserted,
		spent:    time.Since(r.begun) - r.waited,
	}
	var failed *fault.Fault
	if err != nil {
		failed = r.explain(err)
	} else {
		failed = r.refuseMishap(result.Content)
	}
	if failed != nil {
		result.Content = nil
		t.delimit(failed)
	}
	return result, failed
}

// begin gives a run that nobody uses. A new one takes a copy of the template and of its functions, which costs more than most executions.
func (t *Template) begin() *run {
	if r, ok := t.runs.Get().(*run); ok {
		return r
	}
	r := &run{t: t}
	r.set = template.Must(t.set.Clone()).Funcs(t.only(r.functions()))
	return r
}

// end keeps a run for the next execution, without anything that it knows.
func (t *Template) end(r *run) {
	*r = run{t: r.t, set: r.set}
	t.runs.Put(r)
}

func (t *Template) maxSize() int { return cmp.Or(t.MaxSize, DefaultMaxSize) }

// clone copies vars, so that a function that changes its argument changes nothing for the next execution.
func clone(value any) any {
	switch v := value.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[k] = clone(e)
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i, e := range v {
			l[i] = clone(e)
		}
		return l
	}
	return value
}

// mishap is what text/template and fmt print in the place of a value that they could not print (fmt: "Format errors").
var mishap = regexp.MustCompile(`<no value>|<nil>|%!(?:[A-Za-z%]\([^)]*\)?|\((?:NOVERB|EXTRA|BADWIDTH|BADPREC|BADINDEX)[^)]*\))`)

// refuseMishap finds output in which something went wrong unnoticed. What a value itself holds is no mishap.
func (r *run) refuseMishap(content []byte) *fault.Fault {
	var suspects []string
	places := make(map[string]int) // where each stands first
	for _, at := range mishap.FindAllIndex(content, -1) {
		found := string(content[at[0]:at[1]])
		if _, known := places[found]; !known {
			places[found] = at[0]
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
	line := 1 + bytes.Count(content[:places[absent[0]]], []byte("\n"))
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

// Origin says which lookup a byte of the output most likely comes from: within "secret prod/api/db port", or else which one it follows.
// It gives "" where no looked-up text stands or ends there.
func (o Output) Origin(offset int) (lookup string, within bool) {
	offset = min(max(offset, 0), len(o.Content))
	length, left := 0, maxSearched
	for _, g := range o.given {
		if n := len(g.text); n > length && left > 0 {
			left -= 2 * n
			around := o.Content[max(offset-n+1, 0):min(offset+n, len(o.Content))]
			if bytes.Contains(around, []byte(g.text)) {
				lookup, within, length = g.lookup, true, n
			}
		}
	}
	if within {
		return lookup, true
	}
	nearest := -1
	head := string(o.Content[max(offset-maxBefore, 0):offset])
	for _, g := range o.given {
		if g.text == "" {
			continue
		}
		end := g.text[max(len(g.text)-maxEnd, 0):]
		if at := strings.LastIndex(head, end); at >= 0 && at+len(end) > nearest {
			lookup, nearest = g.lookup, at+len(end)
		}
	}
	return lookup, false
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
