package redact

import (
	"bytes"
	"html"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// unescape reads t with what begins with a mark decoded; nil where nothing does. Decode gives the
// bytes for what text begins with, and how much of it they stand for; 0: it is no escape.
func unescape(t *reading, mark byte, decode func(text []byte) (data []byte, n int)) *reading {
	at := bytes.IndexByte(t.data, mark)
	if at < 0 {
		return nil
	}
	r := newReading(len(t.data))
	found := false
	for i := 0; i < len(t.data); {
		if t.data[i] == mark {
			if data, n := decode(t.data[i:]); n > 0 {
				found = true
				for _, b := range data {
					r.add(b, t.from[i], t.to[i+n-1])
				}
				i += n
				continue
			}
		}
		r.addFrom(t, i)
		i++
	}
	if !found {
		return nil
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
	switch c := text[1]; c {
	case 'x', 'u', 'U':
		most := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
		value, n := number(text[2:], 16, most)
		switch {
		case n == 0:
			return text[1:2], 2
		case c == 'x' && text[2] != '{':
			return []byte{byte(value)}, 2 + n
		}
		n += 2
		if utf16.IsSurrogate(rune(value)) && bytes.HasPrefix(text[n:], []byte(`\u`)) {
			low, more := number(text[n+2:], 16, 4)
			if r := utf16.DecodeRune(rune(value), rune(low)); more > 0 && r != utf8.RuneError {
				return utf8.AppendRune(nil, r), n + 2 + more
			}
		}
		return utf8.AppendRune(nil, rune(value)), n
	case '0', '1', '2', '3', '4', '5', '6', '7':
		value, n := number(text[1:], 8, 3)
		if c == '0' && n == 3 && len(text) > 4 { // printf %b and echo take four digits where the first is 0
			if more, m := number(text[1:], 8, 4); m == 4 && more < 256 {
				value, n = more, m
			}
		}
		return []byte{byte(value)}, 1 + n
	default:
		if control, ok := controls[c]; ok {
			return []byte{control}, 2
		}
		return text[1:2], 2
	}
}

// number reads up to most digits of a base, which may stand in braces, and how many bytes that are.
func number(text []byte, base, most int) (value, n int) {
	braces := len(text) > 0 && text[0] == '{'
	if braces {
		text, most = text[1:], 8
	}
	for n < len(text) && n < most && digit(text[n]) < base {
		value = value*base + digit(text[n])
		n++
	}
	switch {
	case n == 0 || value > utf8.MaxRune && n > 3:
		return 0, 0
	case !braces:
		return value, n
	case n == len(text) || text[n] != '}':
		return 0, 0
	}
	return value, n + 2
}

func digit(b byte) int {
	switch {
	case b >= '0' && b <= '9':
		return int(b - '0')
	case b >= 'a' && b <= 'f':
		return int(b-'a') + 10
	case b >= 'A' && b <= 'F':
		return int(b-'A') + 10
	}
	return 16
}

// percent reads the escapes of URLs.
func percent(t *reading) *reading {
	return unescape(t, '%', func(text []byte) ([]byte, int) { return pair(text, 1) })
}

// quotedPrintable reads what mail is written in (RFC 2045, 6.7).
func quotedPrintable(t *reading) *reading {
	return unescape(t, '=', func(text []byte) ([]byte, int) {
		switch {
		case bytes.HasPrefix(text, []byte("=\n")):
			return nil, 2
		case bytes.HasPrefix(text, []byte("=\r\n")):
			return nil, 3
		}
		return pair(text, 1)
	})
}

// pair reads two hexadecimal digits after a mark.
func pair(text []byte, mark int) ([]byte, int) {
	value, n := 0, 0
	if len(text) > mark && text[mark] != '{' {
		value, n = number(text[mark:], 16, 2)
	}
	if n != 2 {
		return nil, 0
	}
	return []byte{byte(value)}, mark + n
}

// longestEntity bounds what is taken for one of HTML's.
const longestEntity = 32

// entities reads those of HTML and XML.
func entities(t *reading) *reading {
	return unescape(t, '&', func(text []byte) ([]byte, int) {
		end := bytes.IndexByte(text[:min(len(text), longestEntity)], ';')
		if end < 2 {
			return nil, 0
		}
		entity := string(text[:end+1])
		if digits, ok := strings.CutPrefix(strings.ToLower(entity), "&#"); ok { // html reads control characters as others
			base := 10
			if rest, ok := strings.CutPrefix(digits, "x"); ok {
				digits, base = rest, 16
			}
			value, err := strconv.ParseUint(strings.TrimSuffix(digits, ";"), base, 21)
			if err != nil {
				return nil, 0
			}
			return utf8.AppendRune(nil, rune(value)), end + 1
		}
		read := html.UnescapeString(entity)
		if read == entity {
			return nil, 0
		}
		return []byte(read), end + 1
	})
}
