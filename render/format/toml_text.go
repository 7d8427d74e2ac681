package format

import (
	"bytes"
	"unicode/utf8"
)

// basic reads what follows a double quote, or three, and adds the text to what is not nil.
func (t *tomlChecker) basic(lines bool, text *[]byte) *Error {
	begin := t.at
	for t.at < len(t.data) {
		c := t.data[t.at]
		switch {
		case c == '"' && !lines:
			t.at++
			return nil
		case c == '"' && t.comes(`"""`):
			t.more('"')
			return nil
		case c == '\\':
			if err := t.escape(lines, text); err != nil {
				return err
			}
			continue
		case lines && t.newline():
			continue
		case isControl(c):
			return t.control(c)
		}
		if text != nil {
			*text = append(*text, c)
		}
		t.at++
	}
	return at(t.data, begin, "a quote that begins here is not closed")
}

// literal reads what follows a single quote, or three.
func (t *tomlChecker) literal(lines bool) *Error {
	begin := t.at
	for t.at < len(t.data) {
		c := t.data[t.at]
		switch {
		case c == '\'' && !lines:
			t.at++
			return nil
		case c == '\'' && t.comes(`'''`):
			t.more('\'')
			return nil
		case lines && t.newline():
			continue
		case isControl(c):
			return t.control(c)
		}
		t.at++
	}
	return at(t.data, begin, "a quote that begins here is not closed")
}

// more goes past the quotes before the three that end a text: they belong to it.
func (t *tomlChecker) more(quote byte) {
	for range 2 {
		if t.peek() == quote {
			t.at++
		}
	}
}

func (t *tomlChecker) control(c byte) *Error {
	if c == '\n' || c == '\r' {
		return t.fail(tomlNewline)
	}
	return t.fail(tomlControl)
}

// escape reads what begins with a \.
func (t *tomlChecker) escape(lines bool, text *[]byte) *Error {
	begin := t.at
	t.at++
	c := t.peek()
	var code rune
	switch c {
	case 'b':
		code = '\b'
	case 't':
		code = '\t'
	case 'n':
		code = '\n'
	case 'f':
		code = '\f'
	case 'r':
		code = '\r'
	case '"', '\\':
		code = rune(c)
	case 'u', 'U':
		size := 4
		if c == 'U' {
			size = 8
		}
		for range size {
			t.at++
			digit := bytes.IndexByte([]byte("0123456789abcdef"), lower(t.peek()))
			if digit < 0 {
				return at(t.data, begin, tomlCodePoint)
			}
			code = code<<4 | rune(digit)
			if code > utf8.MaxRune {
				return at(t.data, begin, tomlCodePoint)
			}
		}
		if !utf8.ValidRune(code) {
			return at(t.data, begin, tomlCodePoint)
		}
	default:
		if lines {
			if t.blanks(); t.newline() {
				for t.blanks(); t.newline(); t.blanks() {
				}
				return nil
			}
		}
		return at(t.data, begin, tomlEscape)
	}
	t.at++
	if text != nil {
		*text = utf8.AppendRune(*text, code)
	}
	return nil
}

// lower gives a letter in lower case, and every other byte as it is.
func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c | 0x20
	}
	return c
}
