package format

import (
	"strconv"
	"strings"
)

// quoted reads what follows a quote, or three, up to those that end the text.
func (t *tomlChecker) quoted(quote string) *Error {
	begin := t.at
	for t.at < len(t.text) {
		if t.comes(quote) {
			for range len(quote) - 1 { // quotes before the three that end a text belong to it
				t.comes(quote[:1])
			}
			return nil
		}
		if err := t.char(quote); err != nil {
			return err
		}
	}
	return at(t.text, begin, "a quote that begins here is not closed")
}

// char reads a character of a text between quotes, or a byte of one.
func (t *tomlChecker) char(quote string) *Error {
	lines := len(quote) > 1
	switch c := t.peek(); {
	case c == '\\' && quote[0] == '"':
		return t.escape(lines)
	case lines && t.newline():
	case c == '\n', c == '\r':
		return t.fail("a line break between single-line quotes (tomlQuote writes them)")
	case isControl(c):
		return t.fail("a control character (tomlQuote writes them)")
	default:
		t.at++
	}
	return nil
}

// escape reads what begins with a \, which may stand before the end of a line.
func (t *tomlChecker) escape(lines bool) *Error {
	begin := t.at
	t.at++
	broken := false
	for t.blanks(); lines && t.newline(); t.blanks() {
		broken = true
	}
	if broken {
		return nil
	}
	const longest = len(`\U0010ffff`)
	t.at = begin
	text := string(t.next(longest))
	_, _, rest, err := strconv.UnquoteChar(text, '"')
	switch {
	case len(text) < 2 || strings.IndexByte(`btnfr"\uU`, text[1]) < 0:
		return at(t.text, begin, `a \ that means nothing (tomlQuote writes them)`)
	case err != nil:
		return at(t.text, begin, `a \u that is no character`)
	}
	t.at += len(text) - len(rest)
	return nil
}
