package format

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/rendered/rendered/internal/lazyregexp"
)

// characters reads text up to the next <.
func (x *xmlChecker) characters() *Error {
	text, _, _ := bytes.Cut(x.text[x.at:], []byte("<"))
	end := x.at + len(text)
	if len(x.open) == 0 {
		if x.blank(); x.at < end {
			return x.fail(x.at, xmlText)
		}
		return nil
	}
	if n := bytes.Index(text, []byte("]]>")); n >= 0 {
		return x.fail(x.at+n, "a ]]> outside CDATA (xmlQuote writes ]]&gt;)")
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
	r, size := utf8.DecodeRune(x.text[x.at:])
	if !isXMLChar(r) {
		return x.fail(x.at, xmlChar)
	}
	x.at += size
	return nil
}

// until goes past characters up to the end of what they are in, and past that.
func (x *xmlChecker) until(end string) *Error {
	text, _, _ := bytes.Cut(x.text[x.at:], []byte(end))
	for stop := x.at + len(text); x.at < stop; {
		if err := x.char(); err != nil {
			return err
		}
	}
	if !x.comes(end) {
		return x.fail(x.at, xmlEarly)
	}
	return nil
}

// section reads what follows <![CDATA[.
func (x *xmlChecker) section(begin int) *Error {
	if len(x.open) == 0 {
		return x.fail(begin, xmlText)
	}
	return x.until("]]>")
}

func (x *xmlChecker) comment() *Error {
	if n := bytes.Index(x.text[x.at:], []byte("--")); n >= 0 && !bytes.HasPrefix(x.text[x.at+n:], []byte("-->")) {
		return x.fail(x.at+n, "-- inside a comment")
	}
	return x.until("-->")
}

// xmlReference is the name of a known entity, or the number of a character.
var xmlReference = lazyregexp.New(`^(?:amp|lt|gt|apos|quot|#([0-9]+)|#x([0-9A-Fa-f]+))$`)

// reference reads what begins with an &, up to a byte at most.
func (x *xmlChecker) reference(end int) *Error {
	begin := x.at
	name, _, _ := bytes.Cut(x.text[begin+1:end], []byte(";"))
	x.at += len("&") + len(name) + len(";")
	m := xmlReference.FindSubmatch(name)
	if m == nil || x.at > end {
		return x.fail(begin, "an & that begins no known entity (xmlQuote writes &amp;)")
	}
	code, err := strconv.ParseInt("0"+string(m[1]), 10, 32)
	if len(m[2]) > 0 {
		code, err = strconv.ParseInt(string(m[2]), 16, 32)
	}
	if number := name[0] == '#'; number && (err != nil || !isXMLChar(rune(code))) {
		return x.fail(begin, xmlChar)
	}
	return nil
}

func isXMLChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= ' ' && utf8.ValidRune(r) && r != 0xfffe && r != 0xffff
}
