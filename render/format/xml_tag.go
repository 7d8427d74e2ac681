package format

import (
	"bytes"
	"strings"
)

// endTag reads what follows </.
func (x *xmlChecker) endTag(begin int) *Error {
	name := x.name()
	x.blank()
	switch {
	case !x.comes(">"):
		return x.expected("the > of an end tag is expected")
	case len(x.open) == 0:
		return x.fail(begin, "an end tag without a start tag")
	}
	if !bytes.Equal(x.open[len(x.open)-1].name, name) {
		return x.fail(begin, "the end tag is that of another element")
	}
	x.close()
	return nil
}

// close ends the innermost element.
func (x *xmlChecker) close() {
	last := len(x.open) - 1
	x.spaces.close(x.open[last].spaces)
	x.open = x.open[:last]
}

// startTag reads what follows the < of an element.
func (x *xmlChecker) startTag(begin int) *Error {
	name := x.name()
	switch {
	case len(name) == 0:
		return x.expected("a < that begins no element, comment or the like (xmlQuote writes &lt;)")
	case len(x.open) == maxDepth:
		return x.limit(begin, "elements nest deeper than %d", maxDepth)
	case len(x.open) == 0 && x.rooted:
		return x.fail(begin, "a second root element")
	}
	x.rooted = true
	attributes, err := x.attributes()
	if err != nil {
		return err
	}
	x.open = append(x.open, xmlElement{name, len(x.spaces.outer)})
	empty := x.comes("/>")
	if !empty && !x.comes(">") {
		return x.expected(xmlTag)
	}
	if err := x.resolve(begin, name, attributes); err != nil {
		return err
	}
	if empty {
		x.close()
	}
	return nil
}

// An xmlAttribute is where an attribute stands in the text.
type xmlAttribute struct {
	at          int
	name, value []byte
}

// declares gives the prefix, which may be none, that an attribute binds.
func (a xmlAttribute) declares() (prefix string, ok bool) {
	if string(a.name) == "xmlns" {
		return "", true
	}
	return strings.CutPrefix(string(a.name), "xmlns:")
}

// attributes reads the attributes of a tag, each with the blank before it.
func (x *xmlChecker) attributes() (list []xmlAttribute, err *Error) {
	for err == nil && x.blank() && !x.ahead(">") && !x.ahead("/") {
		begin := x.at
		if len(list) == maxXMLAttributes {
			return nil, x.limit(begin, "an element has more than %d attributes", maxXMLAttributes)
		}
		var a xmlAttribute
		a, err = x.attribute()
		list = append(list, a)
	}
	return list, err
}

// attribute reads an attribute: a name, = and a value.
func (x *xmlChecker) attribute() (a xmlAttribute, err *Error) {
	a.at = x.at
	if a.name = x.name(); len(a.name) == 0 {
		return a, x.expected(xmlTag)
	}
	if x.blank(); !x.comes("=") {
		return a, x.expected("an attribute without a value")
	}
	x.blank()
	a.value, err = x.quoted()
	return a, err
}

// quoted reads the value of an attribute.
func (x *xmlChecker) quoted() ([]byte, *Error) {
	quote := x.peek()
	if !x.comes(`"`, "'") {
		return nil, x.expected("the value of an attribute must be quoted")
	}
	value, _, _ := bytes.Cut(x.text[x.at:], []byte{quote})
	if less := bytes.IndexByte(value, '<'); less >= 0 {
		return nil, x.fail(x.at+less, "a < in the value of an attribute (xmlQuote writes &lt;)")
	}
	if err := x.references(x.at + len(value)); err != nil {
		return nil, err
	}
	if x.at == len(x.text) {
		return nil, x.fail(x.at, xmlEarly)
	}
	x.at++
	return value, nil
}
