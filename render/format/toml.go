package format

import "bytes"

// What a TOML file must not hold.
const (
	tomlUnquoted  = "a text must be quoted (tomlQuote writes it), or a value is missing"
	tomlTwice     = "a key stands twice"
	tomlTable     = "a table stands twice, or is in the place of a value"
	tomlInto      = "a key leads into what is no table, or a table that is complete"
	tomlKey       = "a key is expected"
	tomlEquals    = "a = is expected after the key"
	tomlHeader    = "the ] of a table is expected"
	tomlRest      = "the end of the line is expected"
	tomlEscape    = `a \ that means nothing (tomlQuote writes them)`
	tomlCodePoint = `a \u that is no character`
	tomlControl   = "a control character (tomlQuote writes them)"
	tomlNewline   = "a line break between single-line quotes (tomlQuote writes them)"
	tomlElement   = "a comma or ] is expected"
	tomlMember    = "a comma or } is expected (TOML 1.0 has no line break and no last comma here)"
	tomlDate      = "there is no such date"
	tomlInteger   = "an integer that 64 bits do not hold"
	tomlEarly     = "it ends too early"
)

// checkTOML wants TOML 1.0 (https://toml.io/en/v1.0.0), as Python's tomllib reads it, and integers
// that 64 bits hold. It takes the stack of as many values as nest, and some 30 bytes a key.
func checkTOML(data []byte) *Error { return readTOML(data, nil) }

// readTOML checks a file, and adds what stands in it to a tree.
func readTOML(data []byte, tree *treeBuilder) *Error {
	if bytes.HasPrefix(data, bom) {
		return at(data, 0, "it begins with a byte order mark")
	}
	if n := invalidUTF8(data); n >= 0 {
		return at(data, n, "a byte that is not UTF-8")
	}
	t := tomlChecker{data: data, tables: newTOMLTables(), tree: tree}
	for t.at < len(data) {
		if err := t.statement(); err != nil {
			return err
		}
	}
	return nil
}

// A tomlChecker reads a file.
type tomlChecker struct {
	data   []byte
	at     int
	depth  int // of arrays and inline tables
	tables *tomlTables
	tree   *treeBuilder // may be nil
	parts  []Node       // of the last key, where there is a tree
}

func (t *tomlChecker) fail(what string) *Error {
	if t.at >= len(t.data) {
		what = tomlEarly
	}
	return at(t.data, t.at, what)
}

// peek gives the next byte; 0 at the end, and for a zero byte, which may stand nowhere.
func (t *tomlChecker) peek() byte {
	if t.at < len(t.data) {
		return t.data[t.at]
	}
	return 0
}

// comes reports that a text comes next, and goes past it.
func (t *tomlChecker) comes(text string) bool {
	if bytes.HasPrefix(t.data[t.at:], []byte(text)) {
		t.at += len(text)
		return true
	}
	return false
}

func (t *tomlChecker) blanks() { t.at = skipBlanks(t.data, t.at) }

// newline goes past the end of a line.
func (t *tomlChecker) newline() bool { return t.comes("\n") || t.comes("\r\n") }

// comment goes past a comment, up to the end of its line.
func (t *tomlChecker) comment() *Error {
	if t.peek() != '#' {
		return nil
	}
	for ; t.at < len(t.data); t.at++ {
		switch c := t.data[t.at]; {
		case c == '\n', c == '\r' && bytes.HasPrefix(t.data[t.at:], []byte("\r\n")):
			return nil
		case isControl(c):
			return at(t.data, t.at, "a control character in a comment")
		}
	}
	return nil
}

// isControl reports that a byte may stand in no text; a tab may.
func isControl(c byte) bool { return c < ' ' && c != '\t' || c == 0x7f }

// statement reads a line, or several where a value goes on.
func (t *tomlChecker) statement() *Error {
	t.blanks()
	var err *Error
	switch c := t.peek(); {
	case t.at == len(t.data) || c == '\n' || c == '\r' || c == '#':
	case c == '[':
		err = t.header()
	default:
		err = t.pair()
	}
	if err != nil {
		return err
	}
	t.blanks()
	if err := t.comment(); err != nil {
		return err
	}
	if t.at < len(t.data) && !t.newline() {
		return t.fail(tomlRest)
	}
	return nil
}

// header reads [table] or [[element]].
func (t *tomlChecker) header() *Error {
	begin, end := t.at, "]"
	if t.comes("[[") {
		end = "]]"
	} else {
		t.at++
	}
	t.blanks()
	t.tables.root()
	err := t.key(func(part string, last bool) *Error {
		var ok bool
		switch {
		case !last:
			ok = t.tables.into(part)
		case end == "]":
			ok = t.tables.define(part)
		default:
			ok = t.tables.append(part)
		}
		if !ok {
			return at(t.data, begin, tomlTable)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !t.comes(end) {
		return t.fail(tomlHeader)
	}
	t.tables.section()
	t.tree.leaf(Node{Kind: Section, Tag: end, Nodes: t.parts})
	return nil
}

// pair reads key = value into the present table.
func (t *tomlChecker) pair() *Error {
	begin, outer := t.at, t.tables.at
	var twice, into bool
	err := t.key(func(part string, last bool) *Error {
		switch {
		case twice || into:
		case last:
			twice = !t.tables.set(part)
		default:
			into = !t.tables.dotted(part)
		}
		return nil
	})
	if err != nil {
		return err
	}
	t.tables.at = outer
	switch {
	case !t.comes("="):
		return t.fail(tomlEquals)
	case twice:
		return at(t.data, begin, tomlTwice)
	case into:
		return at(t.data, begin, tomlInto)
	}
	if t.tree != nil {
		t.tree.into(Node{Kind: Entry, Nodes: []Node{tomlName(t.parts)}})
		defer t.tree.out()
	}
	t.blanks()
	return t.value()
}
