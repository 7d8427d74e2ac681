package redact

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// A public is text that holds no secret.
type public struct {
	text   []byte // in lower case
	folded []byte
	shown  map[uint64]bool // windows that were looked for, and whether they stand in it
}

// maxPublic bounds how much public text is looked at.
const maxPublic = 1 << 20

func newPublic(texts []string) *public {
	p := &public{shown: make(map[uint64]bool)}
	for _, t := range texts {
		t = t[:min(len(t), maxPublic-len(p.text))]
		p.text = append(append(p.text, lower(t)...), '\n')
		if len(p.text) >= maxPublic {
			break
		}
	}
	p.folded = lettersOf(p.text).folded
	return p
}

// without leaves out the hits that stand in it.
func (p *public) without(hits []hit) []hit {
	if p.ask(hits) {
		for i := 0; i+window <= len(p.folded); i++ {
			w := binary.BigEndian.Uint64(p.folded[i:])
			if _, asked := p.shown[w]; asked {
				p.shown[w] = true
			}
		}
	}
	return slices.DeleteFunc(hits, func(h hit) bool { return p.shown[h.window] })
}

// ask notes the windows that nobody has looked for, and tells whether there are any.
func (p *public) ask(hits []hit) (fresh bool) {
	for _, h := range hits {
		if _, known := p.shown[h.window]; !known {
			p.shown[h.window], fresh = false, true
		}
	}
	return fresh
}

// word reports that a text stands in it by itself.
func (p *public) word(text []byte) bool {
	for rest := p.text; ; {
		at := bytes.Index(rest, text)
		if at < 0 {
			return false
		}
		end := at + len(text)
		if divided(rest, at) && divided(rest, end) {
			return true
		}
		rest = rest[end:]
	}
}

// bare reports that letters and digits stand in it, whatever is between them.
func (p *public) bare(folded []byte) bool { return bytes.Contains(p.folded, folded) }
