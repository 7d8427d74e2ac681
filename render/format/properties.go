package format

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"strconv"
	"strings"
	"unicode/utf8"
)

// What a .properties file must not hold: for what Java refuses it, and what it reads in one of two
// ways or takes away without a word (java.util.Properties, load).
const (
	propertyASCII = `a character that is not ASCII, which Java reads as Latin-1 or as UTF-8, by who asks; write \uXXXX (propertiesQuote does)`
	propertyHex   = `a \u that no four hexadecimal digits follow, for which Java reads nothing of the file (propertiesQuote writes \\)`
	propertyCut   = `the digits of a \u go on in the next line; write them on one`
	propertyJoins = `a \ at the end of a line joins the next one to it, and there is nothing (propertiesQuote writes \\)`
	propertyLost  = `a \ before a letter that gets no meaning by it, which Java leaves out without a word; write \\ (propertiesQuote does)`
	propertyTwice = "a key stands twice"
)

// A property is a key and its value, as they are written, with the lines that a \ joins.
type property struct {
	key, value string
	alone      bool // there is nothing behind the key, no blank either
}

func checkProperties(data []byte) *Error {
	seed, seen := maphash.MakeSeed(), newSums[int]()
	var twice *Error
	err := readProperties(data, func(text []byte, offset int) {
		key := spelledKey(text[:keyEnd(text)])
		first, fresh := seen.value(max(maphash.Bytes(seed, key), 1))
		switch {
		case fresh:
			*first = offset
		case twice == nil && bytes.Equal(spelledKey(data[*first:*first+keyEnd(data[*first:])]), key):
			twice = at(data, offset, propertyTwice)
		}
	})
	if err == nil {
		err = twice
	}
	return err
}

func propertiesTree(data []byte) (Node, *Error) {
	root := Node{Kind: Map}
	err := readProperties(data, func(text []byte, _ int) {
		p := divided(text)
		if p.alone {
			root.Nodes = append(root.Nodes, entry(p.key, Plain))
			return
		}
		root.Nodes = append(root.Nodes, entry(p.key, Plain, Node{Text: p.value}))
	})
	return root, err
}

// readProperties calls each with every key and value as they are written, and where they begin.
func readProperties(data []byte, each func(text []byte, offset int)) *Error {
	err := without(data, forbidden{byteOrderMark, "it begins with a byte order mark, which Java takes for a part of the first line"}, forbidden{zeroByte, "a zero byte"})
	if err != nil {
		return err
	}
	for start := 0; ; {
		start = len(data) - len(bytes.TrimLeft(data[start:], " \t\f\r\n"))
		if start == len(data) {
			return nil
		}
		if data[start] == '#' || data[start] == '!' {
			start = lineBreak(data, start)
			continue
		}
		end, what := propertyEnd(data, start)
		if what != "" {
			return at(data, end, what)
		}
		each(data[start:end], start)
		start = end
	}
}

// lineBreak gives where a line ends.
func lineBreak(data []byte, start int) int {
	if n := bytes.IndexAny(data[start:], "\r\n"); n >= 0 {
		return start + n
	}
	return len(data)
}

// propertyEnd gives where the lines of a property end; or the byte that is wrong, and why.
func propertyEnd(data []byte, start int) (end int, what string) {
	for i := start; i < len(data); {
		n := 1
		switch c := data[i]; {
		case c == '\n' || c == '\r':
			return i, ""
		case c >= utf8.RuneSelf:
			return i, propertyASCII
		case c == '\\' && i == start && joint(data[i:]) > 0: // Java begins anew behind it
			return i, propertyJoins
		case c == '\\':
			if n, what = propertyEscape(data[i:]); what != "" {
				return i, what
			}
		}
		i += n
	}
	return len(data), ""
}

// propertyEscape gives how many bytes belong to the \ with which text begins, or what is wrong with
// it.
func propertyEscape(text []byte) (n int, what string) {
	switch n = joint(text); {
	case n > 0 && (n == len(text) || text[n] == '\n' || text[n] == '\r'):
		return 0, propertyJoins
	case n > 0:
		return n, ""
	case len(text) < 2:
		return 0, propertyJoins
	case text[1] >= utf8.RuneSelf:
		return 0, propertyASCII
	case strings.IndexByte("tnrf", text[1]) < 0 && text[1] != 'u' && isAlphanumeric(text[1]):
		return 0, propertyLost
	case text[1] != 'u':
		return 2, ""
	}
	n = 2
	for n < min(6, len(text)) && strings.IndexByte("0123456789abcdefABCDEF", text[n]) >= 0 {
		n++
	}
	switch {
	case n == 6:
		return n, ""
	case joint(text[n:]) > 0:
		return 0, propertyCut
	}
	return 0, propertyHex
}

func isAlphanumeric(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' }

// joint gives how many bytes join two lines at the beginning of a text: a \, the line's end and the
// blanks behind it; 0: none do.
func joint(text []byte) int {
	rest := text
	for _, end := range []string{"\\\r\n", "\\\n", "\\\r"} {
		if bytes.HasPrefix(text, []byte(end)) {
			rest = bytes.TrimLeft(text[len(end):], " \t\f")
			break
		}
	}
	return len(text) - len(rest)
}

// divided divides a property where Java does.
func divided(text []byte) property {
	end := keyEnd(text)
	p := property{key: string(text[:end]), alone: end == len(text)}
	i := pastBlanks(text, end)
	if i < len(text) && (text[i] == '=' || text[i] == ':') {
		i = pastBlanks(text, i+1)
	}
	p.value = string(text[i:])
	return p
}

// keyEnd gives where the key ends with which a text begins.
func keyEnd(text []byte) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case ' ', '\t', '\f', '=', ':', '\n', '\r':
			return i
		case '\\':
			i += max(joint(text[i:])-1, 1)
		}
	}
	return len(text)
}

// pastBlanks gives the first byte from one on that is no blank, and joins no lines.
func pastBlanks(text []byte, i int) int {
	for i < len(text) {
		n := joint(text[i:])
		if n == 0 && strings.IndexByte(" \t\f", text[i]) < 0 {
			break
		}
		i += max(n, 1)
	}
	return i
}

// spelledKey gives one spelling for all in which a key can be written.
func spelledKey(key []byte) []byte {
	if bytes.IndexByte(key, '\\') < 0 {
		return key
	}
	spelled := make([]byte, 0, len(key))
	for i := 0; i < len(key); {
		n := joint(key[i:])
		switch {
		case n > 0:
			i += n
			continue
		case key[i] != '\\' || i+1 == len(key):
			spelled = appendUnit(spelled, uint64(key[i]))
			i++
			continue
		}
		unit := uint64(key[i+1])
		if escaped := strings.IndexByte("ntrf", key[i+1]); escaped >= 0 {
			unit = uint64("\n\t\r\f"[escaped])
		}
		if i += 2; key[i-1] == 'u' {
			unit, _ = strconv.ParseUint(string(key[i:min(i+4, len(key))]), 16, 16)
			i = min(i+4, len(key))
		}
		spelled = appendUnit(spelled, unit)
	}
	return spelled
}

// appendUnit writes a unit of UTF-16: as it is, but for what is not ASCII, and for a \.
func appendUnit(b []byte, unit uint64) []byte {
	if unit < 0x80 && unit != '\\' {
		return append(b, byte(unit))
	}
	return fmt.Appendf(b, `\u%04x`, unit)
}
