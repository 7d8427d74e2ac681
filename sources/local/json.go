package local

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/rendered/rendered/internal/lazyregexp"

	"gopkg.in/yaml.v3"
)

// maxDepth is how deep maps and lists may nest. It also ends an alias that stands inside what it
// names.
const maxDepth = 100

// nodeCost is what a node takes of the budget, in bytes, whatever it writes: it bounds the time as
// well.
const nodeCost = 16

// number is a number as JSON may write it, RFC 8259 section 6.
var number = lazyregexp.New(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// json writes n as compact JSON: keys in the order of the file, numbers digit for digit. What YAML
// counts as a number and JSON cannot write (0123, 0x1F, 1_000, .inf) is written as a text, as are
// dates.
func (p *parser) json(b *bytes.Buffer, n *yaml.Node, depth int) {
	n = resolve(n)
	p.tag(n)
	if p.budget -= nodeCost; depth > maxDepth {
		p.budget = -1
	}
	switch {
	case p.budget < 0:
		p.exhausted(n)
	case rehearsed(n) != "":
		p.fault(n, n.Tag+" stands in place of a whole secret only")
	case n.Kind == yaml.MappingNode:
		p.object(b, n, depth)
	case n.Kind == yaml.SequenceNode:
		p.array(b, n, depth)
	case n.ShortTag() == "!!null":
		b.WriteString("null")
	default:
		p.scalar(b, n)
	}
}

func (p *parser) array(b *bytes.Buffer, n *yaml.Node, depth int) {
	b.WriteByte('[')
	for i, part := range n.Content {
		if i > 0 {
			b.WriteByte(',')
		}
		p.json(b, part, depth+1)
	}
	b.WriteByte(']')
}

func (p *parser) object(b *bytes.Buffer, n *yaml.Node, depth int) {
	b.WriteByte('{')
	seen := make(map[string]bool, len(n.Content)/2)
	for key, value := range pairs(n) {
		switch {
		case key.Kind != yaml.ScalarNode:
			p.fault(key, "a key is a text")
		case key.ShortTag() == "!!merge":
			p.fault(key, "<< does not merge here; write the keys out")
		case seen[key.Value]:
			p.fault(key, "this key stands in its map twice")
		}
		if len(seen) > 0 {
			b.WriteByte(',')
		}
		seen[key.Value] = true
		quote(b, key.Value)
		b.WriteByte(':')
		p.json(b, value, depth+1)
	}
	b.WriteByte('}')
}

func (p *parser) scalar(b *bytes.Buffer, n *yaml.Node) {
	text := p.text(n)
	// 1e400 is a text to yaml.v3, because no float64 holds it; so what is not quoted counts, not
	// the tag.
	bare := n.Style == 0 || n.Style == yaml.TaggedStyle && n.Tag != "!!str"
	switch {
	case bare && number.MatchString(text):
		b.WriteString(text)
	case n.ShortTag() == "!!bool":
		b.WriteString(strings.ToLower(text))
	default:
		quote(b, text)
	}
}

// quote writes text as a JSON string, without HTML escapes.
func quote(b *bytes.Buffer, text string) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text)      // a string always encodes
	b.Truncate(b.Len() - 1) // the newline of Encode
}
