// Package jsontext reads JSON texts within bounds, and says where a text stops being JSON, and why.
// What it says holds nothing of the text, which encoding/json's own errors quote. Beside a copy of
// the text it takes a few bytes of memory for each key, and no stack for what nests.
package jsontext

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
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
	// Half is the offset of the first half of a character, a surrogate without the other, which
	// Unicode does not know; -1: there is none.
	Half int
}

const blanks = " \t\r\n"

// bom marks UTF-8 at the beginning of a file.
var bom = []byte("\xef\xbb\xbf")

// Check wants exactly one value in UTF-8 (RFC 8259), without keys that stand twice in an object:
// what readers make of these differs. It gives the first that is wrong; a key that stands twice
// counts where its object ends.
func Check(data []byte) (Text, *Error) {
	wrong := syntax(data)
	if at := notUTF8(data); at < len(data) && (wrong == nil || at <= wrong.Offset) {
		wrong = &Error{Offset: at, Cause: NotUTF8}
	}
	s := scanner{data: data, open: make([]level, 1), found: Text{Half: -1}}
	if wrong != nil {
		s.data = data[:wrong.Offset]
	}
	if err := s.tokens(); err != nil {
		wrong = err
	}
	return s.found, wrong
}

// notUTF8 gives the offset of the first byte that is no UTF-8, the length where there is none.
func notUTF8(data []byte) int {
	if utf8.Valid(data) {
		return len(data)
	}
	at := 0
	for at < len(data) {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return at
}

// contexts are what encoding/json's errors say of the place, in the order in which they are tried.
var contexts = []struct{ text, cause string }{
	{"beginning of object key", WantKey},
	{"after object key:value pair", WantMember},
	{"after object key", WantColon},
	{"after array element", WantElement},
	{"in string literal", Control},
	{"in string escape code", Escape},
	{"hexadecimal character escape", EscapeShort},
	{"", WantValue},
}

// syntax gives the first place where encoding/json would not go on; nil where there is none.
func syntax(data []byte) *Error {
	switch {
	case bytes.HasPrefix(data, bom):
		return &Error{Cause: Mark}
	case len(bytes.Trim(data, blanks)) == 0:
		return &Error{Cause: Empty}
	}
	d := json.NewDecoder(bytes.NewReader(data))
	err := d.Decode(new(anything))
	if err == nil {
		after := bytes.TrimLeft(data[d.InputOffset():], blanks)
		if len(after) == 0 {
			return nil
		}
		return &Error{Offset: len(data) - len(after), Cause: After}
	}
	if wrong, ok := errors.AsType[*json.SyntaxError](err); ok {
		i := slices.IndexFunc(contexts, func(c struct{ text, cause string }) bool { return strings.Contains(err.Error(), c.text) })
		return &Error{Offset: int(wrong.Offset) - 1, Cause: contexts[i].cause}
	}
	return &Error{Offset: len(data), Cause: EndsEarly}
}

// anything is what every value can be read into.
type anything struct{}

func (*anything) UnmarshalJSON([]byte) error { return nil }

// A scanner goes through the tokens of a text that is JSON, or the beginning of one.
type scanner struct {
	data []byte
	at   int
	open []level // the first is around the text
	keys keyStack

	found Text
}

// A level is an object or a list around the place where the scanner is.
type level struct {
	object bool
	valued bool // the colon of a member stands before the place
	keys   int  // of the objects around: where in the stack those of this one begin
	index  int  // of the element of a list
	key    int  // offset of the member's key
}

// tokens goes through all of them, and refuses what nests too deeply and keys that stand twice.
func (s *scanner) tokens() (err *Error) {
	for s.at < len(s.data) && err == nil {
		top := &s.open[len(s.open)-1]
		switch c := s.data[s.at]; c {
		case '{', '[':
			err = s.enter(c == '{')
		case '}', ']':
			err = s.twice(top)
			s.open = s.open[:len(s.open)-1]
		case ':', ',':
			top.valued = c == ':'
			top.index++
		case ' ', '\t', '\r', '\n':
		default:
			s.scalar(top)
			continue
		}
		s.at++
	}
	return err
}

func (s *scanner) enter(object bool) *Error {
	if len(s.open) > MaxDepth {
		return &Error{Offset: s.at, Cause: TooDeep}
	}
	s.open = append(s.open, level{object: object, keys: len(s.keys.keys)})
	s.found.Values++
	if object {
		s.found.Objects++
	}
	return nil
}

// scalar goes over a text, a number or a word.
func (s *scanner) scalar(top *level) {
	begin := s.at
	if s.data[begin] != '"' {
		s.found.Values++
		for s.at < len(s.data) && strings.IndexByte(delimiters, s.data[s.at]) < 0 {
			s.at++
		}
		return
	}
	whole := s.string()
	switch {
	case !top.object || top.valued:
		s.found.Values++
	case whole:
		top.key = begin
		s.keys.push(s.data[begin:s.at], begin)
	}
}

// delimiters end a number or a word.
const delimiters = blanks + ",]}"

// string goes over a text with its quotes. It reports whether it ends.
func (s *scanner) string() (whole bool) {
	for s.at++; s.at < len(s.data); {
		switch s.data[s.at] {
		case '"':
			s.at++
			return true
		case '\\':
			s.escape()
		default:
			s.at++
		}
	}
	return false
}

// escape goes over an escape, over both where they are the halves of one character.
func (s *scanner) escape() {
	begin := s.at
	first := s.unit()
	if !utf16.IsSurrogate(first) {
		return
	}
	after := s.at
	if utf16.DecodeRune(first, s.unit()) != utf8.RuneError {
		return
	}
	s.at = after
	if s.found.Half < 0 {
		s.found.Half = begin
	}
}

// unit goes over \uXXXX and gives its number, or over another escape.
func (s *scanner) unit() rune {
	rest := s.data[s.at:]
	if len(rest) < len(`\uXXXX`) || !bytes.HasPrefix(rest, []byte(`\u`)) {
		s.at += min(len(rest), len(`\n`))
		return 0
	}
	s.at += len(`\uXXXX`)
	code, _ := strconv.ParseUint(string(rest[2:6]), 16, 16) // which were found to be digits
	return rune(code)
}
