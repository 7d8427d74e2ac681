// Package yamltext reads the documents of a YAML text and says where a text stops being YAML, and why. What it says holds nothing
// of the text, which yaml.v3's own errors quote, and its lines are those of the text, which theirs are not always.
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
}

// Error gives "not YAML at line 6, column 3: what".
func (e *Error) Error() string {
	s := "not YAML"
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

// Text gives data without the mark that some editors begin a UTF-8 file with. Lines and columns count from here.
func Text(data []byte) []byte { return bytes.TrimPrefix(data, []byte(bom)) }

// Documents gives the documents of data, each a node of kind DocumentNode; none where there is nothing but comments. The error is
// that of the first place that is wrong.
func Documents(data []byte) ([]*yaml.Node, *Error) {
	text := Text(data)
	if e := encoded(text); e != nil {
		return nil, e
	}
	documents, err := decode(text)
	if err != nil {
		return nil, explain(text, err)
	}
	return documents, nil
}

// decode calls the parser, whose panics become errors.
func decode(text []byte) (documents []*yaml.Node, err error) {
	defer func() {
		if recover() != nil {
			documents, err = nil, errors.New("yaml: the parser gave up")
		}
	}()
	d := yaml.NewDecoder(bytes.NewReader(text))
	for {
		document := new(yaml.Node)
		switch err := d.Decode(document); {
		case err == io.EOF:
			return documents, nil
		case err != nil:
			return nil, err
		}
		documents = append(documents, document)
	}
}
