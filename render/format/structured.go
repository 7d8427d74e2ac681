package format

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strconv"

	"github.com/BurntSushi/toml"
	"gopkg.in/yaml.v3"
)

// checkJSON wants exactly one value, without keys that stand twice in an object.
func checkJSON(data []byte) *Error {
	var whole json.RawMessage
	if err := json.Unmarshal(data, &whole); err != nil {
		offset := len(data)
		if e, ok := errors.AsType[*json.SyntaxError](err); ok {
			offset = int(e.Offset) - 1 // it counts the byte that is wrong
		}
		return at(data, offset, "")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var open []map[string]bool // keys of the objects around; nil for a list
	key := false               // whether a key comes next
	for {
		t, err := d.Token()
		if err != nil {
			return nil // the end: the whole was parsed above
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
					return at(data, int(d.InputOffset()), "a key stands twice in one object")
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

var yamlLine = regexp.MustCompile(`line (\d+)`)

// checkYAML parses all documents. Of the parser's errors, which quote, only the line is used.
func checkYAML(data []byte) *Error {
	d := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var value any
		err := d.Decode(&value)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
				line, _ := strconv.Atoi(m[1])
				return atLine(data, line, "")
			}
			return &Error{}
		}
	}
}

func checkTOML(data []byte) *Error {
	var value map[string]any
	_, err := toml.Decode(string(data), &value)
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[toml.ParseError](err); ok {
		return at(data, e.Position.Start, "")
	}
	return &Error{}
}

// checkXML wants one root element and nothing but blanks, comments and the like around it.
func checkXML(data []byte) *Error {
	d := xml.NewDecoder(bytes.NewReader(data))
	depth, roots := 0, 0
	for {
		t, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return at(data, int(d.InputOffset()), "")
		}
		switch t := t.(type) {
		case xml.StartElement:
			if depth++; depth == 1 {
				roots++
			}
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth == 0 && len(bytes.TrimSpace(t)) > 0 {
				return at(data, int(d.InputOffset()), "text outside the root element")
			}
		}
		if roots > 1 {
			return at(data, int(d.InputOffset()), "a second root element")
		}
	}
	if roots == 0 {
		return at(data, len(data), "there is no element")
	}
	return nil
}
