package redact

import (
	"bytes"
	"html"
	"unicode/utf16"
	"unicode/utf8"
)

// unescape reads t with what begins with a mark decoded; it gives t itself where nothing does.
// Decode gives the bytes for what text begins with, and how much of it they stand for; 0: it is no
// escape.
func unescape(t *reading, mark byte, decode func(text []byte) (data []byte, n int)) *reading {
	if bytes.IndexByte(t.data, mark) < 0 {
		return t
	}
	r := newReading(len(t.data))
	found := false
	for i := 0; i < len(t.data); {
		var data []byte
		n := 0
		if t.data[i] == mark {
			data, n = decode(t.data[i:])
		}
		if n == 0 {
			r.addFrom(t, i)
			i++
			continue
		}
		found = true
		for _, b := range data {
			r.add(b, t.from[i], t.to[i+n-1])
		}
		i += n
	}
	if !found {
		return t
	}
	return r
}

// backslash reads the escapes of C, JSON, shells and their like.
func backslash(t *reading) *reading { return unescape(t, '\\', unbackslash) }

var controls = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'a': 7, 'b': '\b', 'f': '\f', 'v': '\v', 'e': 0x1b, 'E': 0x1b, '0': 0}

func unbackslash(text []byte) (data []byte, n int) {
	if len(text) < 2 {
		return nil, 0
	}
	switch c := text[1]; {
	case hexDigits[c] > 0:
		return unhex(text)
	case digit(c) < 8:
		return unoctal(text)
	default:
		if control, ok := controls[c]; ok {
			return []byte{control}, 2
		}
		return text[1:2], 2
	}
}

func unoctal(text []byte) (data []byte, n int) {
	value, n := digits(text[1:], 8, 4)
	// printf %b and echo take four digits where the first is 0.
	if n == 4 && (text[1] != '0' || value > 0xff) {
		value, n = digits(text[1:], 8, 3)
	}
	return []byte{byte(value)}, 1 + n
}

// hexDigits are how many follow \x, \u and \U at most.
var hexDigits = map[byte]int{'x': 2, 'u': 4, 'U': 8}

// unhex reads \x, \u or \U with its digits, which may stand in braces, and two \u that are one
// character of UTF-16.
func unhex(text []byte) (data []byte, n int) {
	value, n := number(text[2:], 16, hexDigits[text[1]])
	switch {
	case n == 0:
		return text[1:2], 2
	case text[1] == 'x' && text[2] != '{':
		return []byte{byte(value)}, 2 + n
	}
	if rest, ok := bytes.CutPrefix(text[2+n:], []byte(`\u`)); ok && utf16.IsSurrogate(rune(value)) {
		low, more := number(rest, 16, 4)
		if r := utf16.DecodeRune(rune(value), rune(low)); r != utf8.RuneError {
			return utf8.AppendRune(nil, r), 2 + n + 2 + more
		}
	}
	return utf8.AppendRune(nil, rune(value)), 2 + n
}

// number reads up to most digits of a base, or up to eight in braces, and how many bytes that are.
func number(text []byte, base, most int) (value, n int) {
	inside, braces := bytes.CutPrefix(text, []byte("{"))
	if !braces {
		return digits(text, base, most)
	}
	if value, n = digits(inside, base, 8); n == 0 || !bytes.HasPrefix(inside[n:], []byte("}")) {
		return 0, 0
	}
	return value, n + 2
}

// digits reads up to most digits of a base, of what is no more than the greatest character.
func digits(text []byte, base, most int) (value, n int) {
	for n < min(len(text), most) && digit(text[n]) < base {
		if value = value*base + digit(text[n]); value > utf8.MaxRune {
			return 0, 0
		}
		n++
	}
	return value, n
}

// digit gives the value of a digit; 16: it is none.
func digit(b byte) int {
	switch {
	case '0' <= b && b <= '9':
		return int(b - '0')
	case 'a' <= b|0x20 && b|0x20 <= 'f':
		return int(b|0x20-'a') + 10
	}
	return 16
}

// percent reads the escapes of URLs, and %uXXXX, which JavaScript's escape writes.
func percent(t *reading) *reading {
	return unescape(t, '%', func(text []byte) ([]byte, int) {
		if len(text) > 1 && text[1] == 'u' {
			if value, n := digits(text[2:], 16, 4); n == 4 {
				return utf8.AppendRune(nil, rune(value)), 6
			}
		}
		return pair(text)
	})
}

// quotedPrintable reads what mail is written in (RFC 2045, 6.7).
func quotedPrintable(t *reading) *reading {
	return unescape(t, '=', func(text []byte) ([]byte, int) {
		for _, end := range []string{"=\n", "=\r\n"} {
			if bytes.HasPrefix(text, []byte(end)) {
				return nil, len(end)
			}
		}
		return pair(text)
	})
}

// templates reads what HCL writes for the ${ and %{ of a text, with the $ and the % twice.
func templates(t *reading) *reading {
	for _, mark := range []byte("$%") {
		twice := []byte{mark, mark, '{'}
		t = unescape(t, mark, func(text []byte) ([]byte, int) {
			if !bytes.HasPrefix(text, twice) {
				return nil, 0
			}
			return twice[1:], len(twice)
		})
	}
	return t
}

// pair reads two hexadecimal digits after a mark.
func pair(text []byte) ([]byte, int) {
	value, n := digits(text[1:], 16, 2)
	if n != 2 {
		return nil, 0
	}
	return []byte{byte(value)}, 3
}

// longestEntity bounds what is taken for one of HTML's.
const longestEntity = 32

// entities reads those of HTML and XML.
func entities(t *reading) *reading { return unescape(t, '&', entity) }

func entity(text []byte) ([]byte, int) {
	end := bytes.IndexByte(text[:min(len(text), longestEntity)], ';')
	if end < 2 {
		return nil, 0
	}
	// HTML reads control characters as others.
	if code, ok := bytes.CutPrefix(bytes.ToLower(text[:end]), []byte("&#")); ok {
		base := 10
		if rest, ok := bytes.CutPrefix(code, []byte("x")); ok {
			code, base = rest, 16
		}
		if value, n := digits(code, base, longestEntity); n > 0 && n == len(code) {
			return utf8.AppendRune(nil, rune(value)), end + 1
		}
		return nil, 0
	}
	written := string(text[:end+1])
	if read := html.UnescapeString(written); read != written {
		return []byte(read), end + 1
	}
	return nil, 0
}
