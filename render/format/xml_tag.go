package format

import (
	"bytes"
	"fmt"
)

// endTag reads what follows </.
func (x *xmlChecker) endTag(begin int) *Error {
	name := x.name()
	x.blank()
	switch {
	case !x.comes(">"):
		return x.expected("the > of an end tag is expected")
	case len(x.open) == 0:
		return x.fail(begin, xmlNoStart)
	}
	e := x.open[len(x.open)-1]
	if !bytes.Equal(e.name, name) {
		return x.fail(begin, xmlEndTag)
	}
	x.spaces.close(e.spaces)
	x.open = x.open[:len(x.open)-1]
	return nil
}

// startTag reads what follows the < of an element.
func (x *xmlChecker) startTag(begin int) *Error {
	name := x.name()
	switch {
	case len(name) == 0:
		return x.expected(xmlMarkup)
	case len(x.open) == 0 && x.roots > 0:
		return x.fail(begin, xmlRoots)
	case len(x.open) == maxDepth:
		e := x.fail(begin, fmt.Sprintf("elements nest deeper than %d", maxDepth))
		e.Limit = true
		return e
	}
	attributes, err := x.attributes()
	if err != nil {
		return err
	}
	empty := x.comes("/>")
	if !empty && !x.comes(">") {
		return x.expected(xmlTag)
	}
	spaces, err := x.resolve(begin, name, attributes)
	if err != nil {
		return err
	}
	if len(x.open) == 0 {
		x.roots++
	}
	if empty {
		x.spaces.close(spaces)
	} else {
		x.open = append(x.open, xmlElement{name, spaces})
	}
	return nil
}

// An xmlAttribute is where an attribute stands in the text.
type xmlAttribute struct {
	at          int
	name, value []byte
}

// attributes reads the attributes of a tag, each with the blank before it.
func (x *xmlChecker) attributes() ([]xmlAttribute, *Error) {
	var list []xmlAttribute
	for x.blank() && x.peek() != '>' && x.peek() != '/' {
		a := xmlAttribute{at: x.at}
		a.name = x.name()
		if len(a.name) == 0 {
			return nil, x.expected(xmlTag)
		}
		x.blank()
		if !x.comes("=") {
			return nil, x.expected(xmlNoValue)
		}
		x.blank()
		quote := x.peek()
		if quote != '"' && quote != '\'' {
			return nil, x.expected(xmlUnquoted)
		}
		x.at++
		begin := x.at
		n := bytes.IndexByte(x.text[begin:], quote)
		if n < 0 {
			n = len(x.text) - begin
		}
		if less := bytes.IndexByte(x.text[begin:begin+n], '<'); less >= 0 {
			return nil, x.fail(begin+less, xmlLess)
		}
		if err := x.references(begin + n); err != nil {
			return nil, err
		}
		if x.at == len(x.text) {
			return nil, x.fail(x.at, xmlEarly)
		}
		a.value = x.text[begin:x.at]
		x.at++
		if list = append(list, a); len(list) > maxXMLAttributes {
			e := x.fail(a.at, fmt.Sprintf("an element has more than %d attributes", maxXMLAttributes))
			e.Limit = true
			return nil, e
		}
	}
	return list, nil
}
