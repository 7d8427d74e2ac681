package render

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/template/parse"
	"time"
	"unicode/utf8"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render/format"
	"github.com/rendered/rendered/render/funcs"
	"github.com/rendered/rendered/render/structure"
)

// Where a file has a format, a looked-up value must not change the structure around it. So it is
// noted where each action prints, and what it printed is looked through for values that stand there
// as they are: what a function has written in another way is right for its place.

// An insert is an action that prints.
type insert struct {
	at    position
	pipe  string // as the template has it
	least int    // from how many bytes a value is taken for a part of what is printed; 0: none is
}

// leastIn gives from how many bytes a value is taken for a part of what a pipe prints. In what a
// function has written for a format there are texts that are no values, as the quoted names in
// JSON; in what puts texts together there are hardly any.
func leastIn(p *parse.PipeNode) int {
	id, call := p.Cmds[len(p.Cmds)-1].Args[0].(*parse.IdentifierNode)
	switch {
	case !call:
		return leastPart
	case strings.HasSuffix(id.Ident, "Quote"), strings.HasSuffix(id.Ident, "Json"), id.Ident == "quote", id.Ident == "squote", id.Ident == "dotenv":
		return 0
	case id.Ident == "printf", id.Ident == "print", id.Ident == "println", id.Ident == "join", id.Ident == "cat":
		return leastInner
	}
	return leastPart
}

// inserted is a text that an action printed, and where it lies in the output.
type inserted struct {
	insert     int
	start, end int
}

// print prints for an action, and notes where the text stands. text/template writes it next.
func (r *run) print(number int, value any) (any, error) {
	if text, ok := value.(string); ok && len(r.inserted) < maxInserted && !structure.Harmless(text) {
		r.inserted = append(r.inserted, inserted{number, r.out.Len(), r.out.Len() + len(text)})
	}
	return funcs.Print(value)
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
	in := o.template.inserts[v.insert]
	what := fmt.Sprintf("the value of %s changes the structure of the %s around it; file not written", v.lookup, f.Title())
	breach.Part = breach.Part && !v.inner
	return in.at.text.fault(in.at.offset, what, o.template.keepHints(f, in.pipe, breach)...)
}

// keepHints says how a value is written so that it stays in its place.
func (t *Template) keepHints(f format.Format, pipe string, b *structure.Breach) []string {
	left, right := t.delims()
	action := func(pipe string) string { return left + " " + pipe + " " + right }
	quote := f.Quote()
	quoted := action(pipe + " | " + quote)
	if b.Part {
		quoted = action(fmt.Sprintf(`printf "…%%s…" (%s) | %s`, pipe, quote))
	}
	if strings.HasSuffix(pipe, "| "+quote) {
		quoted = action(pipe)
	}
	var hint string
	switch {
	case b.Within == structure.Armour:
		hint = "a value holds whole blocks, or nothing of the lines with which one begins and ends"
	case b.Within == structure.Section:
		hint = action(pipe+" | "+quote) + ", without CDATA around it"
	case f.String() == "xml":
		hint = action(pipe + " | " + quote)
	case b.Within == structure.Block && b.Indent > 0 && !b.Part:
		hint = fmt.Sprintf("%s at the beginning of its line indents all lines of it", action(fmt.Sprintf("%s | indent %d", pipe, b.Indent)))
	case b.Within == structure.Block:
		hint = quoted + ", in the place of the whole text of several lines"
	case b.Within == structure.Quotes && b.Part:
		hint = quoted + ", in the place of the whole text and of the quotes around it"
	case b.Within == structure.Quotes:
		hint = quoted + " writes the quotes, too: take away those around it"
	case b.Within == structure.List:
		hint = quoted + "; a whole list, without brackets around it: " + action(`paramList "NAME" | toJson`)
	case b.Part:
		hint = quoted + ", in the place of the whole text"
	default:
		hint = quoted
	}
	return []string{hint, "where values are to bring structure of their own: structure: free of the file"}
}

// A placed is a looked-up text in the output.
type placed struct {
	structure.Span
	insert int
	lookup string
	inner  bool // it is a part of what the action printed
}

const (
	// maxInserted is how many texts are noted of what an execution prints.
	maxInserted = 1 << 18
	// leastPart is the length in bytes from which a text is taken for a part of a value, or a value
	// for a part of a text.
	leastPart = 4
	// leastInner is that from which a value is taken for a part of texts that were put together.
	leastInner = 2
	// maxSearch bounds how many bytes are searched for parts.
	maxSearch = 64 << 20
)

// values gives where looked-up texts stand as they are, in order: what an action printed, where
// that is a value or a part of one, and else the values in it.
func (o Output) values() []placed {
	if len(o.inserted) == 0 {
		return nil
	}
	var list []placed
	known, searched := o.texts(), 0
	for _, in := range o.inserted {
		text := string(o.Content[in.start:in.end])
		lookup, ok := known.names[text]
		searched += known.cost(text)
		blank := strings.TrimSpace(text) == ""
		switch {
		case searched > maxSearch || strings.Trim(text, " \t") == "":
			continue
		case ok && len(text) >= leastPart:
		case o.template.constant(text):
			continue
		case !ok && len(text) >= leastPart && !blank:
			lookup, ok = known.around(text)
		}
		if ok {
			list = append(list, placed{structure.Span{Start: in.start, End: in.end}, in.insert, lookup, false})
		} else {
			list = append(list, o.within(in, text, known)...)
		}
	}
	return list
}

// within gives the values in what an action printed.
func (o Output) within(in inserted, text string, known *texts) []placed {
	var list []placed
	least := o.template.inserts[in.insert].least
	for _, g := range known.long {
		if least == 0 || len(g.text) < least {
			break // they become shorter
		}
		if len(g.text) >= len(text) || o.template.constant(g.text) {
			continue
		}
		for from := 0; ; {
			n := strings.Index(text[from:], g.text)
			if n < 0 {
				break
			}
			start := in.start + from + n
			span := structure.Span{Start: start, End: start + len(g.text)}
			if !slices.ContainsFunc(list, func(p placed) bool { return p.Start < span.End && span.Start < p.End }) {
				list = append(list, placed{span, in.insert, g.lookup, true})
			}
			from += n + len(g.text)
		}
	}
	slices.SortFunc(list, func(a, b placed) int { return a.Start - b.Start })
	return list
}

// texts are what the lookups of a run gave.
type texts struct {
	names map[string]string // what each comes from
	long  []given           // those that may stand in a text, the longest first
	whole []given           // those that parts may come from
	size  int               // in bytes, of whole and of the template's own texts
}

// cost is about how many bytes are looked at for a text.
func (t *texts) cost(text string) int { return t.size + len(t.long)*(16+len(text)) }

func (o Output) texts() *texts {
	t := &texts{names: make(map[string]string), whole: slices.Clone(o.given)}
	add := func(g given) {
		if _, known := t.names[g.text]; known || structure.Harmless(g.text) {
			return
		}
		t.names[g.text] = g.lookup
		if len(g.text) >= leastInner && strings.TrimSpace(g.text) != "" {
			t.long = append(t.long, g)
		}
	}
	for _, l := range o.template.literals {
		t.size += len(l)
	}
	for _, g := range o.given {
		t.size += len(g.text)
		add(g)
	}
	for _, g := range o.names {
		add(g)
	}
	for _, g := range o.given {
		decoded(g.text, func(leaf string, escaped bool) {
			part := given{g.lookup, leaf}
			add(part)
			// What stands there without escapes is a part of the JSON itself.
			if escaped && len(leaf) >= leastPart && !structure.Harmless(leaf) {
				t.whole = append(t.whole, part)
				t.size += 16 + len(leaf)
			}
		})
	}
	slices.SortStableFunc(t.long, func(a, b given) int { return len(b.text) - len(a.text) })
	return t
}

// decoded calls each with every key and text of a text that is JSON, as fromJson gives them, with
// those of JSON in these, and with whether it stands there by escapes. Each level has escapes for
// the one above, which bounds the levels. Quotes stand only around keys and texts, so that the rest
// can be passed over: a decoder takes seconds for millions of numbers.
func decoded(text string, each func(leaf string, escaped bool)) {
	text = strings.TrimSpace(text)
	if text == "" || strings.IndexByte(`{["`, text[0]) < 0 || !json.Valid([]byte(text)) {
		return
	}
	for {
		start := strings.IndexByte(text, '"')
		if start < 0 {
			return
		}
		end := start + 1
		for text[end] != '"' {
			if text[end] == '\\' {
				end++
			}
			end++
		}
		quoted := text[start : end+1]
		leaf := quoted[1 : len(quoted)-1]
		escaped := strings.IndexByte(leaf, '\\') >= 0 || !utf8.ValidString(leaf)
		if !escaped || json.Unmarshal([]byte(quoted), &leaf) == nil {
			each(leaf, escaped)
			decoded(leaf, each)
		}
		text = text[end+1:]
	}
}

// around gives the lookup of a value that a text is a part of.
func (t *texts) around(text string) (lookup string, ok bool) {
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
	return slices.ContainsFunc(t.literals, func(l string) bool { return strings.Contains(l, text) }) || inVars(t.Vars, text)
}

func inVars(value any, text string) bool {
	switch v := value.(type) {
	case string:
		return strings.Contains(v, text)
	case map[string]any:
		for _, e := range v {
			if inVars(e, text) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, func(e any) bool { return inVars(e, text) })
	}
	return false
}
