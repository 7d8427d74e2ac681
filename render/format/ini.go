package format

import (
	"bytes"
	"strings"
)

// checkINI wants sections, names with or without values, and comments.
func checkINI(data []byte) *Error {
	if bytes.HasPrefix(data, bom) {
		return at(data, 0, "it begins with a byte order mark, which Python's configparser and others take for a part of the first line")
	}
	if n := bytes.IndexByte(data, 0); n >= 0 {
		return at(data, n, "a zero byte")
	}
	line := 0
	for text := range bytes.Lines(data) {
		line++
		t := strings.TrimSpace(string(text))
		switch {
		case t == "" || t[0] == ';' || t[0] == '#':
		case t[0] == '[':
			name, rest, closed := strings.Cut(t[1:], "]")
			rest = strings.TrimSpace(rest)
			if !closed || strings.TrimSpace(name) == "" || rest != "" && rest[0] != ';' && rest[0] != '#' {
				return atPlace(data, line, 0, "a section is a name in brackets")
			}
		case t[0] == '=' || t[0] == ':':
			return atPlace(data, line, 0, "a value without a name")
		}
	}
	return nil
}
