package funcs

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// DecodeJSON decodes one JSON value: texts as string, true and false as bool, null as nil, objects as map[string]any, lists as
// []any. A number that is whole, written as an int64 would be and fits one is an int64; every other stays the json.Number that
// was written, digit for digit. The error says where, and not what.
func DecodeJSON(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var value any
	err := d.Decode(&value)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("more follows")
		}
	}
	if err != nil {
		at := d.InputOffset()
		if e, ok := errors.AsType[*json.SyntaxError](err); ok {
			at = e.Offset
		}
		head := data[:min(int(at), len(data))]
		line := 1 + bytes.Count(head, []byte("\n"))
		column := len(head) - bytes.LastIndexByte(head, '\n')
		return nil, failf("not JSON at line %d, column %d", line, column)
	}
	if err := Exact(data); err != nil {
		return nil, err
	}
	return settled(value), nil
}

// Exact reports what decoding the valid JSON would change or lose without a word: bytes that are no UTF-8, half of a character, which
// has none, and an object's key that stands there twice.
func Exact(data []byte) error {
	if !utf8.Valid(data) {
		return Error("the JSON holds bytes that are not UTF-8")
	}
	if halfCharacter(data) {
		return Error("the JSON holds half of a character (a surrogate without the other)")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return unique(d, nil)
}

// halfCharacter reports that valid JSON writes a surrogate that is not the first or the second of two.
func halfCharacter(data []byte) bool {
	for len(data) > 0 {
		at := bytes.IndexByte(data, '\\')
		if at < 0 {
			return false
		}
		code, rest := escape(data[at:])
		if utf16.IsSurrogate(code) {
			second, after := escape(rest)
			if utf16.DecodeRune(code, second) == utf8.RuneError {
				return true
			}
			rest = after
		}
		data = rest
	}
	return false
}

// escape reads \uXXXX from the head of the data, or any other escape, which is given as 0.
func escape(data []byte) (rune, []byte) {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return 0, data[min(2, len(data)):]
	}
	code, err := strconv.ParseUint(string(data[2:6]), 16, 16)
	if err != nil {
		return 0, data[2:]
	}
	return rune(code), data[6:]
}

// unique reads one value, which stands at the path of keys, and refuses keys that stand there twice.
func unique(d *json.Decoder, path []string) error {
	token, err := d.Token()
	if err != nil {
		return Error("not JSON")
	}
	switch token {
	case json.Delim('{'):
		seen := make(map[string]bool)
		for d.More() {
			token, _ := d.Token()
			key, _ := token.(string)
			at := append(path[:len(path):len(path)], key)
			if seen[key] {
				return &KeyError{keys: at, what: "the JSON has the key" + strings.Repeat(" %s", len(at)) + " twice"}
			}
			seen[key] = true
			if err := unique(d, at); err != nil {
				return err
			}
		}
	case json.Delim('['):
		for i := 0; d.More(); i++ {
			if err := unique(d, append(path[:len(path):len(path)], strconv.Itoa(i))); err != nil {
				return err
			}
		}
	default:
		return nil
	}
	_, err = d.Token() // the end of the object or list
	return err
}

// settled gives decoded JSON the types that templates work with.
func settled(value any) any {
	switch v := value.(type) {
	case json.Number:
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil && strconv.FormatInt(n, 10) == v.String() {
			return n
		}
	case map[string]any:
		for k := range v {
			v[k] = settled(v[k])
		}
	case []any:
		for i := range v {
			v[i] = settled(v[i])
		}
	}
	return value
}

func fromJSON(text string) (any, error) { return DecodeJSON([]byte(text)) }

func toJSON(value any) (string, error) { return encode("toJson", value, "") }

func toPrettyJSON(value any) (string, error) { return encode("toPrettyJson", value, "  ") }

// encode writes JSON without HTML escapes, keys in order, numbers as they came. encoding/json would write U+FFFD for a byte that is
// not UTF-8.
func encode(name string, value any, indent string) (string, error) {
	if err := encodable(name, value); err != nil {
		return "", err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(value); err != nil {
		return "", failf("%s: %s cannot be written as JSON", name, typeName(value))
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// encodable refuses texts and keys that are not UTF-8, wherever in the value they stand.
func encodable(name string, value any) error {
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.String:
		return textual(name, v.String())
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if err := encodable(name, v.Index(i).Interface()); err != nil {
				return err
			}
		}
	case reflect.Map:
		for at := v.MapRange(); at.Next(); {
			if err := encodable(name, at.Key().Interface()); err != nil {
				return err
			}
			if err := encodable(name, at.Value().Interface()); err != nil {
				return err
			}
		}
	}
	return nil
}

// textual refuses a text that is not UTF-8: who quotes or encodes characters would change its bytes.
func textual(name, text string) error {
	if utf8.ValidString(text) {
		return nil
	}
	return failf("%s: this holds bytes that are not UTF-8; b64enc writes bytes as base64", name)
}
