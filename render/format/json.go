package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// checkJSON wants exactly one value in UTF-8 (RFC 8259, section 8.1), without keys that stand twice in an object.
func checkJSON(data []byte) *Error {
	if bytes.HasPrefix(data, bom) {
		return at(data, 0, "it begins with a byte order mark")
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return at(data, 0, "it is empty")
	}
	var whole json.RawMessage
	if err := json.Unmarshal(data, &whole); err != nil {
		e, ok := errors.AsType[*json.SyntaxError](err)
		if !ok || strings.HasPrefix(err.Error(), "unexpected end") {
			return at(data, len(data), "it ends too early")
		}
		return at(data, int(e.Offset)-1, jsonCause(err.Error())) // it counts the byte that is wrong
	}
	if n := invalidUTF8(data); n >= 0 {
		return at(data, n, "a byte that is not UTF-8")
	}
	return uniqueKeys(data)
}

// jsonCause says what an error of encoding/json means. They quote a character, and end with where it stands.
func jsonCause(text string) string {
	for _, c := range []struct{ end, what string }{
		{"in string literal", "a control character in a text (toJson writes them)"},
		{"in string escape code", `a \ that means nothing (toJson writes them)`},
		{"in \\u hexadecimal character escape", `a \u that is not whole`},
		{"looking for beginning of object key string", "a key in double quotes is expected"},
		{"looking for beginning of value", "a value is expected"},
		{"after object key", "a colon is expected"},
		{"after object key:value pair", "a comma or } is expected"},
		{"after array element", "a comma or ] is expected"},
		{"after top-level value", "something stands after the value"},
	} {
		if strings.HasSuffix(text, c.end) {
			return c.what
		}
	}
	return ""
}

// uniqueKeys wants what was parsed already to have no object with two keys of one name.
func uniqueKeys(data []byte) *Error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var open []map[string]bool // keys of the objects around; nil for a list
	key := false               // whether a key comes next
	for {
		before := int(d.InputOffset())
		t, err := d.Token()
		if err != nil {
			return nil // the end
		}
		switch t := t.(type) {
		case json.Delim:
			switch t {
			case '{':
				open, key = append(open, make(map[string]bool)), true
				continue
			case '[':
				open, key = append(open, nil), false
				continue
			}
			open = open[:len(open)-1]
		case string:
			if keys := last(open); key && keys != nil {
				if keys[t] {
					blank := len(data[before:]) - len(bytes.TrimLeft(data[before:], ", \t\r\n"))
					return at(data, before+blank, "a key stands twice in one object")
				}
				keys[t], key = true, false
				continue
			}
		}
		key = last(open) != nil
	}
}

// last gives the keys of the innermost object, nil in a list and outside.
func last(open []map[string]bool) map[string]bool {
	if len(open) == 0 {
		return nil
	}
	return open[len(open)-1]
}
