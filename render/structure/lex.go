package structure

import "bytes"

// A state is what a byte stands in, by the rules of a format: for the letter that stands there none
// of its rules holds.
type state int

const (
	outside state = iota
	comment
	basic        // "…"
	literal      // '…'
	basicLines   // """…"""
	literalLines // '''…'''
	section      // CDATA
)

// lex says for each value what it stands in. The values themselves are left out, as if a word stood
// there.
func (d *document) lex(step func(s state, text []byte) (state, int)) {
	s := outside
	for i := range d.values {
		s = through(d.before(i), s, step)
		v := &d.values[i]
		switch {
		case s == section:
			v.sectioned = true
		case s == outside && d.format.String() != "xml":
			v.quoted = !d.inWord(i)
		}
	}
}

func through(text []byte, s state, step func(state, []byte) (state, int)) state {
	for len(text) > 0 {
		var n int
		s, n = step(s, text)
		text = text[min(n, len(text)):]
	}
	return s
}

// inWord reports that a value is a part of a word without quotes.
func (d *document) inWord(i int) bool {
	before, after := d.before(i), d.before(i+1)
	return len(before) > 0 && isWord(before[len(before)-1]) || len(after) > 0 && isWord(after[0])
}

func isWord(c byte) bool {
	return c == '_' || c == '-' || c == '.' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func jsonState(s state, text []byte) (state, int) {
	switch {
	case text[0] == '"' && s == basic:
		return outside, 1
	case text[0] == '"':
		return basic, 1
	case text[0] == '\\':
		return s, 2
	}
	return s, 1
}

var (
	tomlEnds   = [...]string{comment: "\n", basic: `"`, literal: `'`, basicLines: `"""`, literalLines: `'''`}
	tomlBegins = []struct {
		begin string
		state state
	}{{`"""`, basicLines}, {`'''`, literalLines}, {`"`, basic}, {`'`, literal}, {"#", comment}}
)

func tomlState(s state, text []byte) (state, int) {
	if s != outside {
		switch end := tomlEnds[s]; {
		case bytes.HasPrefix(text, []byte(end)):
			return outside, len(end)
		case text[0] == '\\' && (s == basic || s == basicLines):
			return s, 2
		}
		return s, 1
	}
	for _, b := range tomlBegins {
		if bytes.HasPrefix(text, []byte(b.begin)) {
			return b.state, len(b.begin)
		}
	}
	return outside, 1
}

func xmlState(s state, text []byte) (state, int) {
	if s != outside {
		end := "-->"
		if s == section {
			end = "]]>"
		}
		if bytes.HasPrefix(text, []byte(end)) {
			return outside, len(end)
		}
		return s, 1
	}
	switch {
	case bytes.HasPrefix(text, []byte("<!--")):
		return comment, len("<!--")
	case bytes.HasPrefix(text, []byte("<![CDATA[")):
		return section, len("<![CDATA[")
	}
	return outside, 1
}
