package format

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rendered/rendered/internal/lazyregexp"
)

// value reads a value.
func (t *tomlChecker) value() *Error {
	switch {
	case t.comes("["):
		return t.nested(List, t.array)
	case t.comes("{"):
		return t.nested(Map, t.inline)
	}
	begin := t.at
	if err := t.single(); err != nil {
		return err
	}
	if t.tree != nil {
		t.tree.leaf(tomlLeaf(t.text[begin:t.at]))
	}
	return nil
}

// nested reads what follows an opening bracket.
func (t *tomlChecker) nested(kind Kind, read func() *Error) *Error {
	if t.depth++; t.depth > maxDepth {
		return limit(t.text, t.at-1, fmt.Sprintf("arrays and inline tables nest deeper than %d", maxDepth))
	}
	t.tree.into(Node{Kind: kind, Flow: true})
	err := read()
	t.tree.out()
	t.depth--
	return err
}

// array reads what follows a [.
func (t *tomlChecker) array() *Error {
	err := t.space()
	for err == nil && !t.comes("]") {
		err = t.element()
	}
	return err
}

// element reads an element of an array, and goes on to the next or to the end.
func (t *tomlChecker) element() *Error {
	if err := t.value(); err != nil {
		return err
	}
	if err := t.space(); err != nil {
		return err
	}
	if !t.comes(",") && !t.ahead("]") {
		return t.fail("a comma or ] is expected")
	}
	return t.space()
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
		switch {
		case t.comes("}"):
			return nil
		case !t.comes(","):
			return t.fail("a comma or } is expected (TOML 1.0 has no line break and no last comma here)")
		}
	}
}

// single reads a text, true or false, a number, a date or a time.
func (t *tomlChecker) single() *Error {
	for _, quote := range []string{`"""`, `"`, `'''`, `'`} {
		if t.comes(quote) {
			return t.quoted(quote)
		}
	}
	if t.comes("true", "false") {
		return nil
	}
	if t.dated() {
		return t.date()
	}
	return t.number()
}

// dated reports that a date or a time comes next: a number goes on neither with - nor with : after
// so many digits.
func (t *tomlChecker) dated() bool {
	day, clock := t.next(len(time.DateOnly)), t.next(len(time.TimeOnly))
	return len(day) > 4 && day[4] == '-' && tomlDateTime.Match(day) || len(clock) > 2 && clock[2] == ':' && tomlClock.Match(clock)
}

const tomlTime = `(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?`

// Dates and times, as TOML 1.0 writes them.
var (
	tomlDateTime = lazyregexp.New(`^([0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01]))(?:[Tt ]` + tomlTime + `(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?)?`)
	tomlClock    = lazyregexp.New(`^` + tomlTime)
)

func (t *tomlChecker) date() *Error {
	line := t.text[t.at:]
	if n := bytes.IndexAny(line, ",]}#\n"); n >= 0 {
		line = line[:n]
	}
	m := tomlDateTime.FindSubmatch(line)
	if m == nil {
		t.at += len(tomlClock.Find(line))
		return nil
	}
	if _, err := time.Parse(time.DateOnly, string(m[1])); err != nil || string(m[1][:4]) == "0000" {
		return t.fail("there is no such date")
	}
	t.at += len(m[0])
	return nil
}

const decimal = "0123456789"

// tomlBases are the integers that are not decimal.
var tomlBases = []struct{ prefix, digits string }{{"0x", decimal + "abcdefABCDEF"}, {"0o", "01234567"}, {"0b", "01"}}

// number reads an integer or a float. It goes as far as one can, and what is left over is the next
// one's to refuse.
func (t *tomlChecker) number() *Error {
	begin := t.at
	if t.based() {
		return t.fits(begin)
	}
	t.sign()
	if t.comes("inf", "nan") {
		return nil
	}
	if !t.comes("0") && !t.digits(decimal) {
		t.at = begin
		return t.fail("a text must be quoted (tomlQuote writes it), or a value is missing")
	}
	whole := t.at
	t.fraction()
	if err := t.exponent(); err != nil || t.at > whole {
		return err
	}
	return t.fits(begin)
}

// based goes past an integer that is not decimal.
func (t *tomlChecker) based() bool {
	begin := t.at
	for _, base := range tomlBases {
		if t.comes(base.prefix) && t.digits(base.digits) {
			return true
		}
		t.at = begin
	}
	return false
}

func (t *tomlChecker) sign() { t.comes("+", "-") }

// digits goes past digits, between which a _ may stand. It reports whether there are any.
func (t *tomlChecker) digits(digits string) bool {
	begin := t.at
	for strings.IndexByte(digits, t.peek()) >= 0 {
		t.at++
		if next := t.at + 1; t.peek() == '_' && next < len(t.text) && strings.IndexByte(digits, t.text[next]) >= 0 {
			t.at++
		}
	}
	return t.at > begin
}

// fraction goes past the digits behind a point.
func (t *tomlChecker) fraction() {
	if point := t.at; t.comes(".") && !t.digits(decimal) {
		t.at = point
	}
}

// exponent goes past the exponent of a float.
func (t *tomlChecker) exponent() *Error {
	begin := t.at
	if !t.comes("e", "E") {
		return nil
	}
	t.sign()
	if !t.digits(decimal) {
		t.at = begin
		return t.fail(tomlRest)
	}
	return nil
}

// fits wants the integer that begins at a byte to be one of 64 bits.
func (t *tomlChecker) fits(begin int) *Error {
	if _, err := strconv.ParseInt(string(t.text[begin:t.at]), 0, 64); err != nil {
		t.at = begin
		return t.fail(tomlInteger)
	}
	return nil
}
