// Package jsontext reads JSON texts within bounds, and says where a text stops being JSON, and why.
// What it says holds nothing of the text, which encoding/json's own errors quote. It takes a few
// bytes of memory for each key, and no stack for what nests.
package jsontext

import (
	"bytes"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxDepth is how deep objects and lists may nest.
const MaxDepth = 1000

// An Error is the place where a text is no JSON, or none that everybody reads alike.
type Error struct {
	Offset int    // bytes from the start
	Cause  string // one of those below
	Key    []Step // where Cause is KeyTwice: the way to the key
}

// What may be wrong.
const (
	Empty       = "it is empty"
	EndsEarly   = "it ends too early"
	Mark        = "it begins with a byte order mark"
	After       = "something stands after the value"
	WantValue   = "a value is expected"
	WantKey     = "a key in double quotes is expected"
	WantColon   = "a colon is expected"
	WantMember  = "a comma or } is expected"
	WantElement = "a comma or ] is expected"
	Control     = "a control character in a text"
	Escape      = `a \ that means nothing`
	EscapeShort = `a \u that is not whole`
	NotUTF8     = "a byte that is not UTF-8"
	KeyTwice    = "a key stands twice in one object"
)

// TooDeep is a cause as well: the text may be JSON, and is more than is read.
var TooDeep = fmt.Sprintf("objects and lists nest deeper than %d", MaxDepth)

// A Step leads into an object by a key, or into a list by a number.
type Step struct {
	Key   string
	Index int // -1 where it is a key
}

// A Text is what there is in a text.
type Text struct {
	Values  int // all of them, objects and lists included
	Objects int
	Half    int // offset of the first half of a character, a surrogate without the other, which Unicode does not know; -1: there is none
}

// bom marks UTF-8 at the beginning of a file.
var bom = []byte("\xef\xbb\xbf")

// Check wants exactly one value in UTF-8 (RFC 8259), without keys that stand twice in an object:
// what readers make of these differs. It gives the first that is wrong; a key that stands twice
// counts where its object ends.
func Check(data []byte) (Text, *Error) {
	s := scanner{data: data, found: Text{Half: -1}}
	err := s.text()
	return s.found, err
}

// A scanner reads a text.
type scanner struct {
	data []byte
	at   int
	open []level
	keys keyStack

	found Text
}

// A level is an object or a list around the place where the scanner is.
type level struct {
	object bool
	keys   int // of the objects around: where in the stack those of this one begin
	index  int // of the element
	key    int // offset of the member's key
}

func (s *scanner) fail(offset int, cause string) *Error { return &Error{Offset: offset, Cause: cause} }

// unexpected is the error where something else is expected.
func (s *scanner) unexpected(cause string) *Error {
	if s.at >= len(s.data) {
		cause = EndsEarly
	} else if r, size := utf8.DecodeRune(s.data[s.at:]); r == utf8.RuneError && size == 1 {
		cause = NotUTF8
	}
	return s.fail(min(s.at, len(s.data)), cause)
}

// blank goes to the next byte that is no white space, and gives it; 0 at the end.
func (s *scanner) blank() byte {
	for s.at < len(s.data) {
		switch c := s.data[s.at]; c {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) text() *Error {
	if bytes.HasPrefix(s.data, bom) {
		return s.fail(0, Mark)
	}
	if s.blank() == 0 && s.at == len(s.data) {
		return s.fail(0, Empty)
	}
	for {
		opened, err := s.value()
		if err != nil {
			return err
		}
		if opened {
			continue
		}
		if more, err := s.next(); err != nil {
			return err
		} else if !more {
			break
		}
	}
	if s.blank(); s.at < len(s.data) {
		return s.unexpected(After)
	}
	return nil
}

// value reads a value, or the beginning of an object or list that is not empty: then a value comes
// next.
func (s *scanner) value() (opened bool, err *Error) {
	s.found.Values++
	switch c := s.blank(); c {
	case '{':
		s.found.Objects++
		if err := s.push(true); err != nil {
			return false, err
		}
		if s.blank() == '}' {
			return false, nil // next closes it
		}
		return true, s.member()
	case '[':
		if err := s.push(false); err != nil {
			return false, err
		}
		return s.blank() != ']', nil
	case '"':
		return false, s.string()
	case 't':
		return false, s.word("true")
	case 'f':
		return false, s.word("false")
	case 'n':
		return false, s.word("null")
	default:
		if c == '-' || c >= '0' && c <= '9' {
			return false, s.number()
		}
	}
	return false, s.unexpected(WantValue)
}

func (s *scanner) push(object bool) *Error {
	if len(s.open) == MaxDepth {
		return s.fail(s.at, TooDeep)
	}
	s.open = append(s.open, level{object: object, keys: s.keys.len()})
	s.at++
	return nil
}

// next goes on after a value, and closes what ends there. It reports whether a value comes next.
func (s *scanner) next() (more bool, _ *Error) {
	for len(s.open) > 0 {
		l := &s.open[len(s.open)-1]
		c := s.blank()
		switch {
		case l.object && c == '}', !l.object && c == ']':
			if err := s.twice(l); err != nil {
				return false, err
			}
			s.at++
			s.open = s.open[:len(s.open)-1]
			continue
		case c == ',' && l.object:
			s.at++
			return true, s.member()
		case c == ',':
			s.at++
			l.index++
			return true, nil
		case l.object:
			return false, s.unexpected(WantMember)
		}
		return false, s.unexpected(WantElement)
	}
	return false, nil
}

// member reads a key and its colon.
func (s *scanner) member() *Error {
	if s.blank() != '"' {
		return s.unexpected(WantKey)
	}
	begin := s.at
	if err := s.string(); err != nil {
		return err
	}
	s.open[len(s.open)-1].key = begin
	s.keys.push(s.data[begin:s.at], begin)
	if s.blank() != ':' {
		return s.unexpected(WantColon)
	}
	s.at++
	return nil
}

func (s *scanner) word(word string) *Error {
	for i := range len(word) {
		if s.at >= len(s.data) || s.data[s.at] != word[i] {
			return s.unexpected(WantValue)
		}
		s.at++
	}
	return nil
}

// number reads a number, RFC 8259, section 6.
func (s *scanner) number() *Error {
	if s.peek() == '-' {
		s.at++
	}
	if s.peek() == '0' {
		s.at++
	} else if err := s.digits(); err != nil {
		return err
	}
	if s.peek() == '.' {
		s.at++
		if err := s.digits(); err != nil {
			return err
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.at++
		if c := s.peek(); c == '+' || c == '-' {
			s.at++
		}
		return s.digits()
	}
	return nil
}

func (s *scanner) peek() byte {
	if s.at < len(s.data) {
		return s.data[s.at]
	}
	return 0
}

func (s *scanner) digits() *Error {
	if c := s.peek(); c < '0' || c > '9' {
		return s.unexpected(WantValue)
	}
	for c := s.peek(); c >= '0' && c <= '9'; c = s.peek() {
		s.at++
	}
	return nil
}

// string reads a text with its quotes.
func (s *scanner) string() *Error {
	for s.at++; s.at < len(s.data); {
		switch c := s.data[s.at]; {
		case c == '"':
			s.at++
			return nil
		case c == '\\':
			if err := s.escape(); err != nil {
				return err
			}
		case c < ' ':
			return s.fail(s.at, Control)
		case c < utf8.RuneSelf:
			s.at++
		default:
			r, size := utf8.DecodeRune(s.data[s.at:])
			if r == utf8.RuneError && size == 1 {
				return s.fail(s.at, NotUTF8)
			}
			s.at += size
		}
	}
	return s.fail(len(s.data), EndsEarly)
}

func (s *scanner) escape() *Error {
	begin := s.at
	s.at++
	switch c := s.peek(); c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.at++
		return nil
	case 'u':
	default:
		if s.at == len(s.data) {
			return s.fail(s.at, EndsEarly)
		}
		return s.fail(s.at, Escape)
	}
	s.at++
	code, err := s.hex()
	if err != nil || !utf16.IsSurrogate(code) {
		return err
	}
	if after := s.at; s.peek() == '\\' && s.at+1 < len(s.data) && s.data[s.at+1] == 'u' {
		s.at += 2
		second, err := s.hex()
		if err != nil {
			return err
		}
		if utf16.DecodeRune(code, second) != utf8.RuneError {
			return nil
		}
		s.at = after
	}
	if s.found.Half < 0 {
		s.found.Half = begin
	}
	return nil
}

func (s *scanner) hex() (code rune, _ *Error) {
	for range 4 {
		digit := bytes.IndexByte([]byte("0123456789abcdef"), s.peek()|0x20)
		switch {
		case s.at >= len(s.data):
			return 0, s.fail(s.at, EndsEarly)
		case digit < 0 || digit < 10 && s.peek() != "0123456789"[digit]:
			return 0, s.fail(s.at, EscapeShort)
		}
		code = code<<4 | rune(digit)
		s.at++
	}
	return code, nil
}
