package yamltext

import (
	"bytes"

	"gopkg.in/yaml.v3"
)

// lenient finds what yaml.v3 takes and libyaml does not, nor most others: a byte order mark at the
// beginning of a line, and \' between double quotes.
func (p *parser) lenient(text []byte, documents []*yaml.Node) *Error {
	if n := bytes.Index(append([]byte("\n"), text...), []byte("\n"+bom)); n >= 0 {
		return &Error{Line: 1 + bytes.Count(text[:n], []byte("\n")), Column: 1, What: "a byte order mark begins this line", Hint: "what was put here begins with U+FEFF, which editors of Windows write; store it without"}
	}
	unescaped := withoutEscape(text)
	if unescaped == nil {
		return nil
	}
	others, err := p.modern(unescaped)
	switch {
	case p.spent:
		return p.explain(text, err)
	case err != nil:
		return nil
	}
	if n := shorter(documents, others); n != nil {
		return &Error{Line: n.Line, What: `a \' in the text that is quoted here means nothing`, Hint: "between double quotes a ' stands for itself"}
	}
	return nil
}

// withoutEscape gives the text with another character for the \ of each \', nil where there is
// none. Between double quotes alone it is longer by that, once it is parsed.
func withoutEscape(text []byte) []byte {
	if !bytes.Contains(text, []byte(`\'`)) {
		return nil
	}
	text = bytes.Clone(text)
	for i := 0; i+1 < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		if text[i+1] == '\'' {
			text[i] = 'x'
		}
		i++
	}
	return text
}

// shorter gives the first text between double quotes that is shorter in some nodes than in others,
// which are alike but for texts; nil where none is.
func shorter(nodes, others []*yaml.Node) *yaml.Node {
	for i, n := range nodes[:min(len(nodes), len(others))] {
		if n.Style&yaml.DoubleQuotedStyle != 0 && len(n.Value) < len(others[i].Value) {
			return n
		}
		if found := shorter(n.Content, others[i].Content); found != nil {
			return found
		}
	}
	return nil
}
