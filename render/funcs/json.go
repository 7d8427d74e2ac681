package funcs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rendered/rendered/internal/fault/jsontext"
)

// DecodeJSON decodes one JSON value: texts as string, true and false as bool, null as nil, objects
// as map[string]any, lists as []any. A number that is whole, written as an int64 would be and fits
// one is an int64; every other stays the json.Number that was written, digit for digit. What
// CheckJSON refuses it does not decode, nor more values than a list may have elements, where an
// object counts as five.
func DecodeJSON(data []byte) (any, error) {
	found, err := checkJSON(data)
	if syntax, ok := err.(*SyntaxError); ok {
		return nil, Error(syntax.Error())
	}
	if err != nil {
		return nil, err
	}
	if found.Values+4*found.Objects > maxCount {
		return nil, failf("the JSON holds more than %d values (an object counts as five)", maxCount)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, Error("not JSON")
	}
	return settled(value), nil
}

// A SyntaxError is the place where a text is no JSON.
type SyntaxError struct {
	Line, Column int // 1-based; columns are counted in characters
	What         string
}

// Error gives "not JSON at line 6, column 3: what".
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("not JSON at line %d, column %d: %s", e.Line, e.Column, e.What)
}

// CheckJSON reports what decoding the data would refuse, change or lose without a word: what is no
// JSON, which is a *SyntaxError; what nests too deeply; bytes that are no UTF-8, half of a
// character, which has none, and an object's key that stands there twice. The error says where, and
// not what.
func CheckJSON(data []byte) error {
	_, err := checkJSON(data)
	return err
}

func checkJSON(data []byte) (jsontext.Text, error) {
	found, wrong := jsontext.Check(data)
	switch {
	case wrong == nil && found.Half >= 0:
		return found, Error("the JSON holds half of a character (a surrogate without the other)")
	case wrong == nil:
		return found, nil
	case wrong.Cause == jsontext.NotUTF8:
		return found, Error("the JSON holds bytes that are not UTF-8")
	case wrong.Cause == jsontext.TooDeep:
		return found, Error("the JSON cannot be read: " + wrong.Cause)
	case wrong.Cause == jsontext.KeyTwice:
		return found, keyTwice(wrong.Key)
	}
	head := data[:min(wrong.Offset, len(data))]
	return found, &SyntaxError{
		Line:   1 + bytes.Count(head, []byte("\n")),
		Column: 1 + utf8.RuneCount(head[bytes.LastIndexByte(head, '\n')+1:]),
		What:   wrong.Cause,
	}
}

// maxSteps is how much of the way to a key an error shows, from the end.
const maxSteps = 8

func keyTwice(way []jsontext.Step) error {
	what := "the JSON has the key"
	if len(way) > maxSteps {
		way, what = way[len(way)-maxSteps:], what+" …"
	}
	var keys []string
	for _, s := range way {
		if s.Index >= 0 {
			s.Key = strconv.Itoa(s.Index)
		}
		keys = append(keys, s.Key)
	}
	return &KeyError{keys: keys, what: what + strings.Repeat(" %s", len(keys)) + " twice"}
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

// encode writes JSON without HTML escapes, keys in order, numbers as they came. encoding/json would
// write U+FFFD for a byte that is not UTF-8.
func encode(name string, value any, indent string) (string, error) {
	if weigh(reflect.ValueOf(value)).binary {
		return "", notUTF8(name)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(value); err != nil {
		return "", failf("%s: %s cannot be written as JSON", name, TypeName(value))
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// textual refuses a text that is not UTF-8: who quotes or encodes characters would change its
// bytes.
func textual(name, text string) error {
	if utf8.ValidString(text) {
		return nil
	}
	return notUTF8(name)
}

func notUTF8(name string) error {
	return failf("%s: this holds bytes that are not UTF-8; b64enc writes bytes as base64", name)
}
