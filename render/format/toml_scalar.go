package format

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

const tomlTime = `(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?`

// Numbers, dates and times, as TOML 1.0 writes them.
var (
	tomlDateTime = regexp.MustCompile(`^([0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01]))(?:[Tt ]` + tomlTime + `(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?)?`)
	tomlClock    = regexp.MustCompile(`^` + tomlTime)
)

// scalar reads a number, a date or a time.
func (t *tomlChecker) scalar() *Error {
	// A number goes on with neither after so many digits.
	rest := t.data[t.at:]
	if len(rest) > 4 && rest[4] == '-' && tomlDateTime.Match(rest[:min(len(rest), len(time.DateOnly))]) {
		return t.date()
	}
	if len(rest) > 2 && rest[2] == ':' && tomlClock.Match(rest[:min(len(rest), len(time.TimeOnly))]) {
		return t.date()
	}
	return t.number()
}

func (t *tomlChecker) date() *Error {
	line := t.data[t.at:]
	for i, c := range line {
		if !isBare(c) && !strings.ContainsRune(":.+ ", rune(c)) {
			line = line[:i]
			break
		}
	}
	if m := tomlDateTime.FindSubmatch(line); m != nil {
		if _, err := time.Parse(time.DateOnly, string(m[1])); err != nil || string(m[1][:4]) == "0000" {
			return t.fail(tomlDate)
		}
		t.at += len(m[0])
		return nil
	}
	t.at += len(tomlClock.Find(line))
	return nil
}

// number reads an integer or a float. It goes as far as one can, and what is left over is the next
// one's to refuse.
func (t *tomlChecker) number() *Error {
	begin := t.at
	if t.peek() == '0' && t.at+2 < len(t.data) {
		digits, base := "", 0
		switch t.data[t.at+1] {
		case 'x':
			digits, base = "0123456789abcdefABCDEF", 16
		case 'o':
			digits, base = "01234567", 8
		case 'b':
			digits, base = "01", 2
		}
		if base > 0 && strings.IndexByte(digits, t.data[t.at+2]) >= 0 {
			t.at += 2
			t.run(digits)
			return t.fits(begin, t.at-begin, base)
		}
	}
	if c := t.peek(); c == '+' || c == '-' {
		t.at++
	}
	if t.comes("inf") || t.comes("nan") {
		return nil
	}
	const decimal = "0123456789"
	switch c := t.peek(); {
	case c == '0':
		t.at++
	case isDigit(c):
		t.run(decimal)
	default:
		t.at = begin
		return t.fail(tomlUnquoted)
	}
	whole := t.at
	if t.peek() == '.' && t.at+1 < len(t.data) && isDigit(t.data[t.at+1]) {
		t.at++
		t.run(decimal)
	}
	if lower(t.peek()) == 'e' {
		at := t.at
		t.at++
		if c := t.peek(); c == '+' || c == '-' {
			t.at++
		}
		if !isDigit(t.peek()) {
			t.at = at
			return t.fail(tomlRest)
		}
		t.run(decimal)
	}
	if t.at > whole {
		return nil
	}
	return t.fits(begin, t.at-begin, 10)
}

// run goes past digits, between which a _ may stand.
func (t *tomlChecker) run(digits string) {
	for t.at < len(t.data) {
		switch c := t.data[t.at]; {
		case strings.IndexByte(digits, c) >= 0:
			t.at++
		case c == '_' && t.at+1 < len(t.data) && strings.IndexByte(digits, t.data[t.at+1]) >= 0:
			t.at += 2
		default:
			return
		}
	}
}

// fits wants an integer to be one of 64 bits.
func (t *tomlChecker) fits(begin, length, base int) *Error {
	text := strings.ReplaceAll(string(t.data[begin:begin+length]), "_", "")
	if base != 10 {
		text = text[2:]
	}
	if _, err := strconv.ParseInt(text, base, 64); err != nil {
		t.at = begin
		return t.fail(tomlInteger)
	}
	return nil
}
