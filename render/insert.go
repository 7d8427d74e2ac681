package render

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"text/template/parse"
	"time"
	"unicode/utf8"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/lazyregexp"
	"github.com/rendered/rendered/render/format"
	"github.com/rendered/rendered/render/funcs"
	"github.com/rendered/rendered/render/structure"
)

// Where a file has a format, a looked-up value must not change the structure around it. So it is
// noted where each action prints, and what it printed is looked through for values that stand there
// as they are: what a function has written in another way is right for its place.

// A printAction is an action that prints.
type printAction struct {
	at    position
	node  *parse.ActionNode // as it is written
	pipe  string            // as the template has it
	least int               // from how many bytes a value is taken for a part of what is printed; 0: none is
}

// leastIn gives from how many bytes a value is taken for a part of what a pipe prints. In what a
// function has written for a format there are texts that are no values, as the quoted names in
// JSON; in what puts texts together there are hardly any.
func leastIn(p *parse.PipeNode) int {
	switch name := calledBy(last(p)); {
	case writes.MatchString(name):
		return 0
	case joins.MatchString(name):
		return leastInner
	}
	return leastPart
}

var (
	writes = lazyregexp.New(`(?:Quote|Json|Yaml|Toml)$|^(?:quote|dotenv(?:AsIs)?|dockerEnv(?:AsIs)?)$`)
	joins  = lazyregexp.New(`^(?:printf|print|println|join|cat|squote)$`)
)

// A printedSpan is a text that an action printed, and where it lies in the output.
type printedSpan struct {
	action     int
	start, end int
}

// print prints for an action, and notes where the text stands. text/template writes it next.
func (r *run) print(number int, value any) (any, error) {
	if text, ok := value.(string); ok && r.t.TrackValues && len(r.printed) < maxPrinted && !structure.Harmless(text) {
		r.printed = append(r.printed, printedSpan{number, r.out.Len(), r.out.Len() + len(text)})
	}
	text, err := funcs.Print(value)
	if r.t.Trace {
		r.trace(number, text)
	}
	return text, err
}

// keeps says which looked-up value changes the structure of a file of that format.
func (o Output) keeps(f format.Format) *fault.Fault {
	if f.IsZero() {
		return nil
	}
	values := o.values()
	if len(values) == 0 {
		return nil
	}
	spans := make([]structure.Span, len(values))
	for i, v := range values {
		spans[i] = v.Span
	}
	breach := structure.Check(f, o.Content, spans, time.Now().Add(timeLimit-o.spent))
	if breach == nil {
		return nil
	}
	v := values[breach.Span]
	in := o.prints[v.action]
	what := fmt.Sprintf("the value of %s changes the structure of the %s around it; file not written", v.lookup, f.Title())
	breach.Part = breach.Part && !v.inner
	return in.at.text.fault(in.at.offset, what, o.template.keepHints(f, in.unquoted(), breach)...)
}

// beside says what becomes of what stands around a value that is quoted: of all of the text in
// which it stands, and of a part of it.
var beside = map[structure.Within][2]string{
	structure.Bare:   {"", ", in the place of the whole text"},
	structure.Block:  {", in the place of the whole text of several lines", ", in the place of the whole text of several lines"},
	structure.Quotes: {" writes the quotes, too: take away those around it", ", in the place of the whole text and of the quotes around it"},
}

// keepHints says how a value is written so that it stays in its place.
func (t *Template) keepHints(f format.Format, pipe string, b *structure.Breach) []string {
	left, right := t.delims()
	action := func(pipe string) string { return left + " " + pipe + " " + right }
	quote := " | " + f.Quote()
	whole := strings.TrimSuffix(pipe, quote)
	quoted := action(whole + quote)
	if b.Part {
		quoted = action(fmt.Sprintf(`printf "…%%s…" (%s)%s`, whole, quote))
	}
	var hint string
	switch {
	case b.Within == structure.Armour:
		hint = "a value holds whole blocks, or nothing of the lines with which one begins and ends"
	case b.Within == structure.Section:
		hint = action(pipe+quote) + ", without CDATA around it"
	case f.String() == "xml", f.String() == "properties":
		hint = action(pipe + quote)
	case b.Within == structure.Block && b.Indent > 0 && !b.Part:
		hint = action(fmt.Sprintf("%s | indent %d", pipe, b.Indent)) + " at the beginning of its line indents all lines of it"
	case b.Within == structure.List:
		hint = quoted + "; a whole list, without brackets around it: " + action(`paramList "NAME" | toJson`)
	case b.Part:
		hint = quoted + beside[b.Within][1]
	default:
		hint = quoted + beside[b.Within][0]
	}
	return []string{hint, "where values are to bring structure of their own: structure: free of the file"}
}

// A valueSpan is a looked-up text in the output.
type valueSpan struct {
	structure.Span
	action int
	lookup string
	inner  bool // it is a part of what the action printed
}

func (v valueSpan) overlaps(o valueSpan) bool { return v.Start < o.End && o.Start < v.End }

const (
	// maxPrinted is how many texts are noted of what an execution prints.
	maxPrinted = 1 << 18
	// leastPart is the length in bytes from which a text is taken for a part of a value, or a value
	// for a part of a text.
	leastPart = 4
	// leastInner is that from which a value is taken for a part of texts that were put together.
	leastInner = 2
	// maxSearch bounds how many bytes are searched for parts.
	maxSearch = 64 << 20
)

// values gives where looked-up texts stand as they are, in order.
func (o Output) values() (list []valueSpan) {
	if len(o.printed) == 0 {
		return nil
	}
	known, searched := o.index(), 0
	left, right := o.template.delims()
	stand := o.standings()
	for i, in := range o.printed {
		text := string(o.Content[in.start:in.end])
		if stand[i] != outside {
			list = append(list, valueSpan{structure.Span{Start: in.start, End: in.end}, in.action, left + " " + o.prints[in.action].pipe + " " + right, false})
			continue
		}
		if searched += known.cost(text); searched <= maxSearch && strings.Trim(text, " \t") != "" {
			list = append(list, o.valuesIn(in, text, known)...)
		}
	}
	return list
}

// valuesIn gives the values in what an action printed: all of it where that is a value or a part of
// one.
func (o Output) valuesIn(in printedSpan, text string, known *lookupIndex) []valueSpan {
	lookup, ok := known.names[text]
	switch long := len(text) >= leastPart; {
	case ok && long:
	case o.template.constant(text):
		return nil
	case long && strings.TrimSpace(text) != "":
		lookup, ok = known.around(text)
	}
	if !ok {
		return o.within(in, text, known)
	}
	return []valueSpan{{structure.Span{Start: in.start, End: in.end}, in.action, lookup, false}}
}

// within gives the values that are parts of what an action printed.
func (o Output) within(in printedSpan, text string, known *lookupIndex) (list []valueSpan) {
	for _, g := range known.atLeast(o.prints[in.action].least) {
		if len(g.text) >= len(text) || o.template.constant(g.text) {
			continue
		}
		for at := range occurrences(text, g.text) {
			v := valueSpan{structure.Span{Start: in.start + at, End: in.start + at + len(g.text)}, in.action, g.lookup, true}
			if !slices.ContainsFunc(list, v.overlaps) {
				list = append(list, v)
			}
		}
	}
	slices.SortFunc(list, func(a, b valueSpan) int { return a.Start - b.Start })
	return list
}

// occurrences gives where a part stands in a text.
func occurrences(text, part string) iter.Seq[int] {
	return func(yield func(int) bool) {
		for from := 0; ; from += len(part) {
			n := strings.Index(text[from:], part)
			if from += n; n < 0 || !yield(from) {
				return
			}
		}
	}
}

// A lookupIndex is what the lookups of a run gave.
type lookupIndex struct {
	names map[string]string // what each comes from
	long  []lookupText      // those that may stand in a text, the longest first
	whole []lookupText      // those that parts may come from
	size  int               // in bytes, of whole and of the template's own texts
}

// atLeast gives those of the long texts that have so many bytes; of 0, none.
func (t *lookupIndex) atLeast(size int) []lookupText {
	n := slices.IndexFunc(t.long, func(g lookupText) bool { return size == 0 || len(g.text) < size })
	if n < 0 {
		n = len(t.long)
	}
	return t.long[:n]
}

// cost is about how many bytes are looked at for a text.
func (t *lookupIndex) cost(text string) int { return t.size + len(t.long)*(16+len(text)) }

func (o Output) index() *lookupIndex {
	t := &lookupIndex{names: make(map[string]string), whole: slices.Clone(o.lookedUp)}
	for _, x := range o.template.texts {
		for _, l := range x.literals {
			t.size += len(l)
		}
	}
	for _, g := range o.lookedUp {
		t.size += len(g.text)
		t.add(g)
	}
	for _, g := range o.keys {
		t.add(g)
	}
	others := derived(o.lookedUp, o.template.derivations())
	for _, g := range others {
		t.addDecoded(g, true)
	}
	for _, g := range slices.Concat(o.lookedUp, others) {
		decoded(g.text, func(leaf string, escaped bool) { t.addDecoded(lookupText{g.lookup, leaf}, escaped) })
	}
	slices.SortStableFunc(t.long, func(a, b lookupText) int { return len(b.text) - len(a.text) })
	return t
}

func (t *lookupIndex) add(g lookupText) {
	if _, known := t.names[g.text]; known || structure.Harmless(g.text) {
		return
	}
	t.names[g.text] = g.lookup
	if len(g.text) >= leastInner && strings.TrimSpace(g.text) != "" {
		t.long = append(t.long, g)
	}
}

// addDecoded adds a key or a text of JSON. What stands there without escapes is a part of the JSON
// itself.
func (t *lookupIndex) addDecoded(g lookupText, escaped bool) {
	t.add(g)
	if escaped && len(g.text) >= leastPart && !structure.Harmless(g.text) {
		t.whole = append(t.whole, g)
		t.size += 16 + len(g.text)
	}
}

// decoded calls each with every key and text of a text that is JSON, as fromJson gives them, with
// those of JSON in these, and with whether it stands there by escapes. Each level has escapes for
// the one above, which bounds the levels.
func decoded(text string, each func(leaf string, escaped bool)) {
	text = strings.TrimSpace(text)
	if !strings.ContainsAny(text[:min(1, len(text))], `{["`) || !json.Valid([]byte(text)) {
		return
	}
	for leaf := range jsonTexts(text) {
		escaped := strings.Contains(leaf, `\`) || !utf8.ValidString(leaf)
		if !escaped || json.Unmarshal([]byte(`"`+leaf+`"`), &leaf) == nil {
			each(leaf, escaped)
			decoded(leaf, each)
		}
	}
}

// jsonTexts gives the keys and texts of JSON as they are written. Quotes stand only around these,
// so that the rest can be passed over: a decoder takes seconds for millions of numbers.
func jsonTexts(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			_, rest, found := strings.Cut(text, `"`)
			if !found {
				return
			}
			end := 0
			for rest[end] != '"' {
				if rest[end] == '\\' {
					end++
				}
				end++
			}
			if !yield(rest[:end]) {
				return
			}
			text = rest[end+1:]
		}
	}
}

// around gives the lookup of a value that a text is a part of.
func (t *lookupIndex) around(text string) (lookup string, ok bool) {
	for _, g := range t.whole {
		if strings.Contains(g.text, text) {
			return g.lookup, true
		}
	}
	return "", false
}

// constant reports that a text stands between quotes in an action of the template, or in its vars,
// so that it need not come from a lookup.
func (t *Template) constant(text string) bool {
	for _, x := range t.texts {
		if slices.ContainsFunc(x.literals, func(l string) bool { return strings.Contains(l, text) }) {
			return true
		}
	}
	for v := range leaves(t.Vars) {
		if known, ok := v.(string); ok && strings.Contains(known, text) {
			return true
		}
	}
	return false
}
