package local

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/fault/yamltext"
	"github.com/rendered/rendered/sources"
)

// A parser makes a document of YAML. It goes on after a fault, so that all are reported at once.
type parser struct {
	doc    *document
	faults fault.List
	// budget is how many bytes values may still take. Aliases of aliases could otherwise fill the
	// memory.
	budget int
	full   bool // whether the end of the budget has been noted
}

func newParser(path string) *parser {
	return &parser{doc: &document{path: path, entries: make(map[sources.Ref]entry)}, budget: maxSize}
}

// parse gives the document in text, or everything that is wrong with it.
func parse(path string, text []byte) (*document, fault.List) {
	p := newParser(path)
	documents, err := yamltext.Documents(text)
	switch {
	case err != nil:
		p.syntax(err)
	case len(documents) == 0:
		// An editor that truncates before it writes must not look as if every value were gone.
		p.fault(nil, "it is empty; write secrets: {} where that is meant")
	default:
		p.top(documents[0].Content[0])
		for _, d := range documents[1:] {
			if d.Content[0].ShortTag() != "!!null" { // --- at the end
				p.fault(d, "a second document; values stand in one")
			}
		}
	}
	p.faults.Sort()
	return p.doc, p.faults
}

// maxFaults is how many faults of a file are noted.
const maxFaults = 100

// fault notes what is wrong at n; nil is the whole file.
func (p *parser) fault(n *yaml.Node, what string) {
	switch {
	case len(p.faults) > maxFaults:
		return
	case len(p.faults) == maxFaults:
		what = "there is more wrong, here and below"
	}
	p.faults = append(p.faults, &fault.Fault{Place: p.place(n), What: what})
}

func (p *parser) place(n *yaml.Node) fault.Place {
	if n == nil {
		return fault.Place{File: p.doc.path}
	}
	return fault.Place{File: p.doc.path, Line: n.Line, Column: n.Column}
}

// syntax notes why the text is not YAML.
func (p *parser) syntax(err *yamltext.Error) {
	f := &fault.Fault{Place: fault.Place{File: p.doc.path, Line: err.Line, Column: err.Column}, What: "not YAML", Err: err}
	if err.Limit {
		f.What = "cannot be read as YAML"
	}
	if err.What != "" {
		f.What += ": " + err.What
	}
	if err.Hint != "" {
		f.Hints = []string{err.Hint}
	}
	p.faults = append(p.faults, f)
}

// top reads the document's sections.
func (p *parser) top(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		p.fault(n, "not a map of secrets: and params:")
		return
	}
	seen := make(map[string]bool)
	for key, value := range pairs(n) {
		i := slices.IndexFunc(sections, func(k sources.Kind) bool { return k.Traits().Section == key.Value })
		switch {
		case seen[key.Value]:
			p.fault(key, "this section stands here twice")
		case i < 0:
			p.unknown(key)
		default:
			p.section(value, sections[i])
		}
		seen[key.Value] = true
	}
}

// sections are the kinds that have a section, in the order of the table. A path has that of the
// parameters under it.
var sections = sources.Kinds(func(t sources.Traits) bool { return t.Section != "" && t.Form != sources.TextsByName })

func (p *parser) unknown(key *yaml.Node) {
	names := make([]string, len(sections))
	for i, kind := range sections {
		names[i] = kind.Traits().Section
	}
	last := len(names) - 1
	p.fault(key, "unknown section; there are "+strings.Join(names[:last], ":, ")+": and "+names[last]+":")
	if near := fault.Near(key.Value, names); near != "" && len(p.faults) <= maxFaults {
		f := p.faults[len(p.faults)-1]
		f.Hints = append(f.Hints, "did you mean "+near+":?")
	}
}

// section reads the names of one kind and what stands after each.
func (p *parser) section(n *yaml.Node, kind sources.Kind) {
	n = resolve(n)
	p.tag(n)
	if n.Kind != yaml.MappingNode {
		p.fault(n, "not a map of names to values; write {} where there are none")
		return
	}
	for key, value := range pairs(n) {
		r, err := p.name(key, kind)
		if err != nil {
			p.fault(key, err.Error())
			continue
		}
		if first, again := p.doc.entries[r]; again {
			p.fault(key, string(kind)+" "+r.Text()+" stands in line "+strconv.Itoa(first.place.Line)+" already")
			continue
		}
		e := entry{place: p.place(key)}
		value = resolve(value)
		if e.reason = rehearsed(value); e.reason == "" {
			e.value = p.value(value, kind.Traits().Form)
		} else if value.Value != "" || value.Kind != yaml.ScalarNode {
			p.fault(value, value.Tag+" stands in place of a value, not before one")
		}
		p.doc.entries[r] = e
	}
}

func (p *parser) name(key *yaml.Node, kind sources.Kind) (sources.Ref, error) {
	switch {
	case key.Kind != yaml.ScalarNode:
		return sources.Ref{}, errors.New("a name is a text")
	case key.ShortTag() == "!!merge":
		return sources.Ref{}, errors.New("<< does not merge here; write the names out")
	}
	r, err := sources.ParseRef(kind, key.Value)
	return canonical(r), err
}

// rehearsed gives the failure that n asks for, "" where it is a value.
func rehearsed(n *yaml.Node) sources.Reason {
	switch n.Tag {
	case "!missing":
		return sources.Missing
	case "!denied":
		return sources.Denied
	case "!throttled":
		return sources.Throttled
	}
	return ""
}

// value reads what stands after a name.
func (p *parser) value(n *yaml.Node, form sources.Form) sources.Value {
	switch form {
	case sources.OneText:
		return sources.Value{Text: p.text(n)}
	case sources.TextOrList:
		return p.textOrList(n)
	case sources.TextOrBytes:
		return p.textOrBytes(n)
	}
	panic(fmt.Sprint("no values of the form ", form, " stand in a section"))
}

// textOrBytes reads a text, a binary, or what answers as a JSON secret.
func (p *parser) textOrBytes(n *yaml.Node) (v sources.Value) {
	switch {
	case n.ShortTag() == "!!binary":
		v.Bytes = p.binary(n)
	case n.Kind == yaml.ScalarNode:
		v.Text = p.text(n)
	default:
		var b bytes.Buffer
		p.json(&b, n, 0)
		v.Text = b.String()
	}
	return v
}

func (p *parser) binary(n *yaml.Node) []byte {
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.Value), ""))
	if err != nil || len(b) == 0 {
		p.fault(n, "not base64")
	}
	return b
}

// textOrList reads a text, or the parts of a StringList.
func (p *parser) textOrList(n *yaml.Node) sources.Value {
	switch n.Kind {
	case yaml.ScalarNode:
		return sources.Value{Text: p.text(n)}
	case yaml.SequenceNode:
		return p.list(n)
	}
	p.fault(n, "a parameter is a text or a list; a map is for secrets")
	return sources.Value{}
}

func (p *parser) list(n *yaml.Node) sources.Value {
	p.tag(n)
	if len(n.Content) == 0 {
		p.fault(n, "an empty list; AWS has none")
	}
	var v sources.Value
	for _, part := range n.Content {
		part = resolve(part)
		text := p.text(part)
		if strings.Contains(text, ",") {
			p.fault(part, "a part of a list cannot hold a comma; AWS divides lists at commas, without escaping")
		}
		v.List = append(v.List, text)
	}
	v.Text = strings.Join(v.List, ",")
	return v
}

const strayTag = "a tag that means nothing here; there are !missing, !denied, !throttled and, for a secret, !!binary"

// text gives a scalar as it is written: 0123, 1.10 and true keep their characters.
func (p *parser) text(n *yaml.Node) string {
	switch {
	case n.Kind != yaml.ScalarNode:
		p.fault(n, "not a text")
	case n.ShortTag() == "!!null":
		p.fault(n, `no value; write "" for an empty text, !missing for none`)
	case !plain(n):
		p.fault(n, strayTag)
	}
	if p.budget -= len(n.Value); p.budget < 0 {
		p.exhausted(n)
	}
	return n.Value
}

// tag notes that a map or a list asks for what nothing here does. Of texts, text does.
func (p *parser) tag(n *yaml.Node) {
	if n.Kind != yaml.ScalarNode && rehearsed(n) == "" && !yamltext.OwnTag(n) {
		p.fault(n, strayTag)
	}
}

// plain reports whether n is a text, a number, a truth value or a date.
func plain(n *yaml.Node) bool {
	return slices.Contains([]string{"!!str", "!!int", "!!float", "!!bool", "!!timestamp"}, n.ShortTag())
}

// exhausted notes, once, that the values are too much.
func (p *parser) exhausted(n *yaml.Node) {
	if !p.full {
		p.full = true
		p.fault(n, "the values take more than 16 MiB, or nest too deeply")
	}
}

// resolve gives what n is an alias of, n itself where it is none.
func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// pairs gives the keys and values of a map in the order of the file.
func pairs(n *yaml.Node) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], n.Content[i+1]) {
				return
			}
		}
	}
}
