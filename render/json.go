package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/fault/jsontext"
	"github.com/rendered/rendered/render/funcs"
)

// A secret's JSON is followed in its raw form, so that numbers, the order of keys and everything else come out as stored.

// noKey is the cause of a lookup whose secret is there but has nothing at the path of keys, or
// null.
type noKey struct{}

func (noKey) Error() string { return "no such key" }

// textAt gives the text at a path of keys of a secret: all of it without keys.
func (f *found) textAt(keys []any) (string, error) {
	f.keys = keys
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
	switch raw[0] {
	case 'n':
		return "", &lookupError{what: f.String() + f.path(keys) + " is null", hints: f.fallback(keys), cause: noKey{}}
	case '"':
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return "", &lookupError{what: f.String() + ": " + notJSON}
		}
		return text, nil
	case '{', '[':
		var compact bytes.Buffer
		if err := json.Compact(&compact, raw); err != nil {
			return "", &lookupError{what: f.String() + ": " + notJSON}
		}
		return compact.String(), nil
	}
	return string(raw), nil
}

// treeAt gives the decoded JSON at a path of keys of a secret.
func (f *found) treeAt(keys []any) (any, error) {
	f.keys = keys
	if f.value.Bytes != nil {
		return nil, &lookupError{what: f.String() + " holds bytes, not JSON"}
	}
	raw, err := f.rawAt(keys)
	if err != nil {
		return nil, err
	}
	tree, err := funcs.DecodeJSON(raw)
	if err != nil {
		return nil, &lookupError{what: f.String() + ": " + err.Error()}
	}
	f.giveLeaves(f.path(keys), tree)
	return tree, nil
}

// giveLeaves notes the texts of a tree, as many as are kept.
func (f *found) giveLeaves(path string, tree any) {
	if f.run.full() {
		return
	}
	switch t := tree.(type) {
	case map[string]any:
		for k, v := range t {
			f.run.names = append(f.run.names, given{"a key of " + f.String() + path, k})
			f.giveLeaves(path+" "+strconv.Quote(k), v) // keys are names
		}
	case []any:
		for i, v := range t {
			f.giveLeaves(path+" "+strconv.Itoa(i), v)
		}
	default:
		if text, err := funcs.Print(t); err == nil {
			f.gave(path, text)
		}
	}
}

const notJSON = "its text is not JSON"

// rawAt follows the keys into the text of a secret. The text is whole JSON, checked once, so that every part of it is.
func (f *found) rawAt(keys []any) (json.RawMessage, error) {
	raw := json.RawMessage(strings.TrimSpace(f.value.Text))
	if err := funcs.CheckJSON(raw); err != nil {
		syntax, ok := errors.AsType[*funcs.SyntaxError](err)
		if !ok {
			return nil, &lookupError{what: f.String() + ": " + err.Error()} // the keys of stored JSON are names
		}
		what := f.String() + ": " + notJSON
		if len(keys) > 0 {
			what += ", so it has no keys"
		}
		return nil, &lookupError{what: what + almost(raw, syntax), hints: f.hint("{{ secret %q }} gives the text as it is")}
	}
	for i, key := range keys {
		if kind := typeName(key); kind != "text" && kind != "a number" {
			return nil, &lookupError{what: fmt.Sprintf("%s: a key is text or a number, not %s", f, kind)}
		}
		next, err := step(raw, key, f.key(i, key))
		if err != nil {
			failed := &lookupError{what: f.String() + f.path(keys[:i]) + " " + err.Error(), cause: noKeyOf(err)}
			if failed.cause == (noKey{}) && !f.private() {
				failed.hints = f.defaults([]string{fmt.Sprintf("where it may be missing  {{ secretOr \"VALUE\" %q }}", f.ref.Text())})
			}
			return nil, failed
		}
		raw = bytes.TrimSpace(next)
	}
	return raw, nil
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

// A stepError is why one key leads nowhere; absent where what it leads into could have had it.
type stepError struct {
	what   string
	absent bool
}

func (e stepError) Error() string { return e.what }

func noKeyOf(err error) error {
	if e, ok := err.(stepError); ok && e.absent {
		return noKey{}
	}
	return err
}

// maxNear is how many keys are held against one that is not there.
const maxNear = 1000

// step follows one key, of which errors hold what is shown: by name into an object, by number into a list.
func step(raw json.RawMessage, key any, shown string) (json.RawMessage, error) {
	switch raw[0] {
	case '{':
		name, size := fmt.Sprint(key), 0
		var names []string
		for key, value := range jsontext.Members(raw) {
			if key == name {
				return value, nil
			}
			if size++; size <= maxNear {
				names = append(names, key)
			}
		}
		what := fmt.Sprintf("has no key %s (it has %s)", shown, count(size, "key"))
		slices.Sort(names)
		if near := fault.Near(name, names); near != "" && shown != hiddenName {
			what += fmt.Sprintf("; did you mean %q?", near)
		}
		return nil, stepError{what, true}
	case '[':
		i, err := strconv.Atoi(fmt.Sprint(key))
		if err != nil {
			return nil, stepError{what: "is a list, which has numbers for keys, not " + shown}
		}
		size := 0
		for element := range jsontext.Elements(raw) {
			if size == i {
				return element, nil
			}
			size++
		}
		return nil, stepError{fmt.Sprintf("has no element %s (it has %s; the first is 0)", shown, count(size, "element")), true}
	case '"':
		return nil, stepError{what: "is text, which has no key " + shown}
	}
	if raw[0] == 'n' {
		return nil, stepError{"is null, so it has no key " + shown, true}
	}
	return nil, stepError{what: "is no object, so it has no key " + shown}
}

// count gives "1 key", "5 keys".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
