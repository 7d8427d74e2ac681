// Package yamltext reads the documents of a YAML text and says where a text stops being YAML, and
// why. What it says holds nothing of the text, which yaml.v3's own errors quote, and its lines are
// those of the text, which theirs are not always.
package yamltext

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"gopkg.in/yaml.v3"
)

// An Error is the place where a text is no YAML.
type Error struct {
	Line   int    // 1-based; 0 where nothing is known
	Column int    // 1-based, in characters; 0 where only the line is known
	What   string // what is wrong, one clause; "" where only that something is
	Hint   string // how to put it right; may be ""
	Limit  bool   // it may be YAML, and is more than is read
}

// Error gives "not YAML at line 6, column 3: what", or "cannot be read as YAML at line 6: what".
func (e *Error) Error() string {
	s := "not YAML"
	if e.Limit {
		s = "cannot be read as YAML"
	}
	if e.Line > 0 {
		s += fmt.Sprintf(" at line %d", e.Line)
	}
	if e.Column > 0 {
		s += fmt.Sprintf(", column %d", e.Column)
	}
	if e.What != "" {
		s += ": " + e.What
	}
	return s
}

const bom = "\xef\xbb\xbf"

// Text gives data without the mark that some editors begin a UTF-8 file with. Lines and columns
// count from here.
func Text(data []byte) []byte { return bytes.TrimPrefix(data, []byte(bom)) }

// Documents gives the documents of data, each a node of kind DocumentNode; none where there is
// nothing but comments. The error is that of the first place that is wrong.
func Documents(data []byte) ([]*yaml.Node, *Error) { return documents(data, false) }

// Strict is Documents for a text that other programs read: what yaml.v3 takes and libyaml does not
// is an error, too.
func Strict(data []byte) ([]*yaml.Node, *Error) { return documents(data, true) }

func documents(data []byte, strict bool) ([]*yaml.Node, *Error) {
	text := Text(data)
	if e := encoded(text); e != nil {
		return nil, e
	}
	if e := bounded(text); e != nil {
		return nil, e
	}
	p := newParser()
	defer p.close()
	documents, err := p.modern(text)
	if err != nil {
		return nil, p.explain(text, err)
	}
	for _, d := range documents {
		if n := deepest(d, 0); n != nil {
			return nil, &Error{Line: n.Line, Column: n.Column, What: tooDeep, Limit: true}
		}
	}
	if strict {
		if e := p.lenient(text, documents); e != nil {
			return nil, e
		}
	}
	return documents, nil
}

// decode calls yaml.v3, whose panics become errors.
func (p *parser) decode(text []byte) (documents []*yaml.Node, err error) {
	defer func() {
		if recover() != nil {
			documents, err = nil, errors.New("yaml: the parser gave up")
		}
	}()
	d := yaml.NewDecoder(&meter{p, bytes.NewReader(text)})
	for {
		document := new(yaml.Node)
		switch err := d.Decode(document); {
		case p.spent:
			return nil, errSlow
		case err == io.EOF:
			return documents, nil
		case err != nil:
			return nil, err
		}
		documents = append(documents, document)
	}
}
