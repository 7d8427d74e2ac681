package format

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// characters reads text up to the next <.
func (x *xmlChecker) characters() *Error {
	begin := x.at
	if end := bytes.IndexByte(x.text[x.at:], '<'); end >= 0 {
		end += x.at
		return x.within(begin, end)
	}
	return x.within(begin, len(x.text))
}

// within wants the text from a byte to another to be character data.
func (x *xmlChecker) within(begin, end int) *Error {
	if len(x.open) == 0 {
		if x.blank(); x.at < end {
			return x.fail(x.at, xmlText)
		}
		return nil
	}
	if n := bytes.Index(x.text[begin:end], []byte("]]>")); n >= 0 {
		return x.fail(begin+n, xmlCDATAEnd)
	}
	return x.references(end)
}

// references reads characters and references up to a byte.
func (x *xmlChecker) references(end int) *Error {
	for x.at < end {
		if x.text[x.at] == '&' {
			if err := x.reference(end); err != nil {
				return err
			}
			continue
		}
		if err := x.char(); err != nil {
			return err
		}
	}
	return nil
}

// char goes past a character that XML allows (section 2.2).
func (x *xmlChecker) char() *Error {
	c := x.text[x.at]
	if c < utf8.RuneSelf {
		if c < ' ' && !isXMLBlank(c) {
			return x.fail(x.at, xmlChar)
		}
		x.at++
		return nil
	}
	r, size := utf8.DecodeRune(x.text[x.at:])
	if r == 0xfffe || r == 0xffff {
		return x.fail(x.at, xmlChar)
	}
	x.at += size
	return nil
}

// until goes past characters up to the end of what they are in, and past that.
func (x *xmlChecker) until(end string) *Error {
	n := bytes.Index(x.text[x.at:], []byte(end))
	stop := x.at + n
	if n < 0 {
		stop = len(x.text)
	}
	for x.at < stop {
		if err := x.char(); err != nil {
			return err
		}
	}
	if n < 0 {
		return x.fail(stop, xmlEarly)
	}
	x.at += len(end)
	return nil
}

func (x *xmlChecker) comment() *Error {
	if n := bytes.Index(x.text[x.at:], []byte("--")); n >= 0 && !bytes.HasPrefix(x.text[x.at+n:], []byte("-->")) {
		return x.fail(x.at+n, xmlHyphens)
	}
	return x.until("-->")
}

// reference reads what begins with an &, up to a byte at most.
func (x *xmlChecker) reference(end int) *Error {
	begin := x.at
	const longest = len("&#x0000000010ffff;")
	text := x.text[x.at:min(end, x.at+longest)]
	if bytes.HasPrefix(text, []byte("&#")) {
		// Zeros may stand before the digits, as many as one likes.
		text = x.text[x.at:end]
	}
	n := bytes.IndexByte(text, ';')
	if n < 0 {
		return x.fail(begin, xmlEntity)
	}
	name := text[1:n]
	x.at += n + 1
	if len(name) == 0 || name[0] != '#' {
		switch string(name) {
		case "amp", "lt", "gt", "apos", "quot":
			return nil
		}
		return x.fail(begin, xmlEntity)
	}
	digits, base, code := name[1:], 10, 0
	if len(digits) > 0 && digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	for _, c := range digits {
		digit := strings.IndexByte("0123456789abcdef"[:base], lower(c))
		if digit < 0 {
			return x.fail(begin, xmlEntity)
		}
		code = min(code*base+digit, utf8.MaxRune+1)
	}
	if len(digits) == 0 {
		return x.fail(begin, xmlEntity)
	}
	if !isXMLChar(rune(code)) {
		return x.fail(begin, xmlChar)
	}
	return nil
}

func isXMLChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= ' ' && utf8.ValidRune(r) && r != 0xfffe && r != 0xffff
}
