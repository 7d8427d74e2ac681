package format

import "fmt"

// value reads a value.
func (t *tomlChecker) value() *Error {
	begin, c := t.at, t.peek()
	switch {
	case t.tree == nil:
		return t.anyValue()
	case c == '[':
		t.tree.into(Node{Kind: List, Flow: true})
		defer t.tree.out()
		return t.anyValue()
	case c == '{':
		t.tree.into(Node{Kind: Map, Flow: true})
		defer t.tree.out()
		return t.anyValue()
	}
	if err := t.anyValue(); err != nil {
		return err
	}
	t.tree.leaf(tomlLeaf(t.data[begin:t.at]))
	return nil
}

func (t *tomlChecker) anyValue() *Error {
	switch c := t.peek(); {
	case t.comes(`"""`):
		return t.basic(true, nil)
	case t.comes(`"`):
		return t.basic(false, nil)
	case t.comes(`'''`):
		return t.literal(true)
	case t.comes(`'`):
		return t.literal(false)
	case c == '[' || c == '{':
		if t.depth++; t.depth > maxDepth {
			return limit(t.data, t.at, fmt.Sprintf("arrays and inline tables nest deeper than %d", maxDepth))
		}
		defer func() { t.depth-- }()
		t.at++
		if c == '[' {
			return t.array()
		}
		return t.inline()
	case t.comes("true"), t.comes("false"):
		return nil
	}
	return t.scalar()
}

// array reads what follows a [.
func (t *tomlChecker) array() *Error {
	for {
		if err := t.space(); err != nil {
			return err
		}
		if t.comes("]") {
			return nil
		}
		if err := t.value(); err != nil {
			return err
		}
		if err := t.space(); err != nil {
			return err
		}
		if !t.comes(",") {
			if t.comes("]") {
				return nil
			}
			return t.fail(tomlElement)
		}
	}
}

// space goes past blanks, line breaks and comments.
func (t *tomlChecker) space() *Error {
	for {
		t.blanks()
		if err := t.comment(); err != nil {
			return err
		}
		if !t.newline() {
			return nil
		}
	}
}

// inline reads what follows a {.
func (t *tomlChecker) inline() *Error {
	defer t.tables.inline()()
	t.blanks()
	if t.comes("}") {
		return nil
	}
	for {
		t.blanks()
		if err := t.pair(); err != nil {
			return err
		}
		t.blanks()
		if !t.comes(",") {
			if t.comes("}") {
				return nil
			}
			return t.fail(tomlMember)
		}
	}
}
