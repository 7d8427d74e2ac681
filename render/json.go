package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/fault/jsontext"
	"github.com/rendered/rendered/render/funcs"
)

// A secret's JSON is followed in its raw form, so that numbers, the order of keys and everything
// else come out as stored.

// noKey is the cause of a lookup whose secret is there but has nothing at the path of keys, or
// null.
type noKey struct{}

func (noKey) Error() string { return "no such key" }

// textAt gives the text at a path of keys of a secret: all of it without keys.
func (f *lookupResult) textAt(keys []any) (string, error) {
	if f.value.Bytes != nil {
		return "", &lookupError{what: f.String() + " holds bytes, not text", hints: f.hint("{{ secretBytes %q }} gives them as they are")}
	}
	if len(keys) == 0 {
		return f.value.Text, nil
	}
	raw, err := f.rawAt(keys)
	if err != nil {
		return "", err
	}
	if raw[0] == 'n' {
		return "", &lookupError{what: f.String() + f.path(keys) + " is null", hints: f.fallback(keys), cause: noKey{}}
	}
	text, err := printed(raw)
	if err != nil {
		return "", &lookupError{what: f.String() + ": " + notJSON}
	}
	return text, nil
}

// printed gives JSON as a template prints it: a text as it is, an object or a list without blanks.
func printed(raw json.RawMessage) (text string, err error) {
	switch raw[0] {
	case '"':
		err = json.Unmarshal(raw, &text)
		return text, err
	case '{', '[':
		var compact bytes.Buffer
		err = json.Compact(&compact, raw)
		return compact.String(), err
	}
	return string(raw), nil
}

// secretMap gives the decoded JSON at the keys of a secret.
func (f *lookupResult) secretMap() (any, error) {
	if f.value.Bytes != nil {
		return nil, &lookupError{what: f.String() + " holds bytes, not JSON"}
	}
	raw, err := f.rawAt(f.keys)
	if err != nil {
		return nil, err
	}
	tree, err := funcs.DecodeJSON(raw)
	if err != nil {
		return nil, &lookupError{what: f.String() + ": " + err.Error()}
	}
	f.recordLeaves(f.path(f.keys), tree)
	return tree, nil
}

// recordLeaves notes the texts of a tree, as many as are kept.
func (f *lookupResult) recordLeaves(path string, tree any) {
	if f.run.full() {
		return
	}
	switch t := tree.(type) {
	case map[string]any:
		for k, v := range t {
			f.run.keys = append(f.run.keys, lookupText{"a key of " + f.String() + path, k})
			f.recordLeaves(path+" "+strconv.Quote(k), v) // keys are names
		}
	case []any:
		for i, v := range t {
			f.recordLeaves(path+" "+strconv.Itoa(i), v)
		}
	default:
		if text, err := funcs.Print(t); err == nil {
			f.recordText(path, text)
		}
	}
}

const notJSON = "its text is not JSON"

// checkJSON is funcs.CheckJSON but in tests that count.
var checkJSON = funcs.CheckJSON

// rawAt follows the keys into the text of a secret. The text is whole JSON, so that every part of
// it is: it is checked when the first lookup of a pass follows keys into it.
func (f *lookupResult) rawAt(keys []any) (json.RawMessage, error) {
	text, err := f.run.snapshot.JSON(f.ref, checkJSON)
	raw := json.RawMessage(text)
	if err != nil {
		return nil, f.notJSON(raw, len(keys), err)
	}
	for i, key := range keys {
		if kind := funcs.TypeName(key); !slices.Contains([]string{"text", "a number"}, kind) {
			return nil, &lookupError{what: fmt.Sprintf("%s: a key is text or a number, not %s", f, kind)}
		}
		next, failed := step(raw, key, f.key(i, key))
		if failed != nil {
			failed.what = f.String() + f.path(keys[:i]) + " " + failed.what
			if failed.cause == (noKey{}) && !f.hidden {
				failed.hints = f.defaults([]string{fmt.Sprintf("where it may be missing  {{ secretOr \"VALUE\" %q }}", f.ref.Text())})
			}
			return nil, failed
		}
		raw = bytes.TrimSpace(next)
	}
	return raw, nil
}

// notJSON says that a text into which keys were to lead is no JSON, or none that can be taken.
func (f *lookupResult) notJSON(text []byte, keys int, err error) error {
	syntax, ok := errors.AsType[*funcs.SyntaxError](err)
	if !ok {
		// The keys of stored JSON are names, and may be shown.
		return &lookupError{what: f.String() + ": " + err.Error()}
	}
	what := f.String() + ": " + notJSON
	if keys > 0 {
		what += ", so it has no keys"
	}
	return &lookupError{what: what + almost(text, syntax), hints: f.hint("{{ secret %q }} gives the text as it is")}
}

// almost says where a text that was meant to be JSON stops being it; "" where it was not.
func almost(text []byte, err *funcs.SyntaxError) string {
	switch {
	case err.What == jsontext.Mark:
		return "; " + err.What + " (U+FEFF), which editors of Windows write; store it without"
	case len(text) > 0 && (text[0] == '{' || text[0] == '['):
		return fmt.Sprintf("; at line %d, column %d: %s", err.Line, err.Column, err.What)
	}
	return ""
}

// maxNear is how many keys are held against one that is not there.
const maxNear = 1000

// step follows one key, of which errors hold what is shown: by name into an object, by number into
// a list. The cause is noKey where what it leads into could have had it.
func step(raw json.RawMessage, key any, shown string) (json.RawMessage, *lookupError) {
	switch raw[0] {
	case '{':
		return member(raw, fmt.Sprint(key), shown)
	case '[':
		return listElement(raw, fmt.Sprint(key), shown)
	case '"':
		return nil, &lookupError{what: "is text, which has no key " + shown}
	case 'n':
		return nil, &lookupError{what: "is null, so it has no key " + shown, cause: noKey{}}
	}
	return nil, &lookupError{what: "is no object, so it has no key " + shown}
}

func member(raw json.RawMessage, key, shown string) (json.RawMessage, *lookupError) {
	size := 0
	var names []string
	for name, value := range jsontext.Members(raw) {
		if name == key {
			return value, nil
		}
		if size++; size <= maxNear {
			names = append(names, name)
		}
	}
	what := fmt.Sprintf("has no key %s (it has %s)", shown, count(size, "key"))
	slices.Sort(names)
	if near := fault.Near(key, names); near != "" && shown != hiddenName {
		what += fmt.Sprintf("; did you mean %q?", near)
	}
	return nil, &lookupError{what: what, cause: noKey{}}
}

func listElement(raw json.RawMessage, key, shown string) (json.RawMessage, *lookupError) {
	i, err := strconv.Atoi(key)
	if err != nil {
		return nil, &lookupError{what: "is a list, which has numbers for keys, not " + shown}
	}
	size := 0
	for element := range jsontext.Elements(raw) {
		if size == i {
			return element, nil
		}
		size++
	}
	what := fmt.Sprintf("has no element %s (it has %s; the first is 0)", shown, count(size, "element"))
	return nil, &lookupError{what: what, cause: noKey{}}
}
