package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/rendered/rendered/render/funcs"
	"github.com/rendered/rendered/sources"
)

// A secret's JSON is followed in its raw form, so that numbers, the order of keys and everything else come out as stored.

// noKey is the cause of a lookup whose secret is there but has nothing at the path of keys.
type noKey struct{}

func (noKey) Error() string { return "no such key" }

// textAt gives the text at a path of keys of a secret: all of it without keys.
func (r *run) textAt(ref sources.Ref, value sources.Value, keys []any) (string, error) {
	if value.Bytes != nil {
		return "", &lookupError{
			what:  ref.String() + " holds bytes, not text",
			hints: []string{fmt.Sprintf("{{ secretBytes %q }} gives them as they are", ref.Text())},
		}
	}
	if len(keys) == 0 {
		return value.Text, nil
	}
	raw, err := r.rawAt(ref, value.Text, keys)
	if err != nil {
		return "", err
	}
	switch raw[0] {
	case '"':
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return "", &lookupError{what: ref.String() + ": " + notJSON}
		}
		return text, nil
	case '{', '[':
		var compact bytes.Buffer
		if err := json.Compact(&compact, raw); err != nil {
			return "", &lookupError{what: ref.String() + ": " + notJSON}
		}
		return compact.String(), nil
	}
	return string(raw), nil
}

// treeAt gives the decoded JSON at a path of keys of a secret.
func (r *run) treeAt(ref sources.Ref, value sources.Value, keys []any) (any, error) {
	if value.Bytes != nil {
		return nil, &lookupError{what: ref.String() + " holds bytes, not JSON"}
	}
	raw, err := r.rawAt(ref, value.Text, keys)
	if err != nil {
		return nil, err
	}
	tree, err := funcs.DecodeJSON(raw)
	if err != nil {
		return nil, &lookupError{what: ref.String() + ": " + err.Error()}
	}
	r.giveLeaves(ref, keys, tree)
	return tree, nil
}

// giveLeaves notes the texts of a tree.
func (r *run) giveLeaves(ref sources.Ref, keys []any, tree any) {
	switch t := tree.(type) {
	case map[string]any:
		for k, v := range t {
			r.known = append(r.known, k) // keys are names
			r.giveLeaves(ref, append(keys[:len(keys):len(keys)], k), v)
		}
	case []any:
		for i, v := range t {
			r.giveLeaves(ref, append(keys[:len(keys):len(keys)], i), v)
		}
	default:
		r.gave(ref, keys, fmt.Sprint(t))
	}
}

const notJSON = "its text is not JSON"

// rawAt follows the keys into the text of a secret. The text is whole JSON, checked once, so that every part of it is.
func (r *run) rawAt(ref sources.Ref, text string, keys []any) (json.RawMessage, error) {
	raw := json.RawMessage(strings.TrimSpace(text))
	if !json.Valid(raw) {
		what := ref.String() + ": " + notJSON
		if len(keys) > 0 {
			what += ", so it has no keys"
		}
		return nil, &lookupError{what: what, hints: []string{fmt.Sprintf("{{ secret %q }} gives the text as it is", ref.Text())}}
	}
	if err := funcs.Exact(raw); err != nil {
		return nil, &lookupError{what: ref.String() + ": " + err.Error()} // the keys of stored JSON are names
	}
	for i, key := range keys {
		next, err := r.step(raw, key)
		if err != nil {
			return nil, &lookupError{what: ref.String() + r.path(keys[:i]) + " " + err.Error(), cause: noKeyOf(err)}
		}
		raw = bytes.TrimSpace(next)
	}
	return raw, nil
}

// path shows the keys followed so far.
func (r *run) path(keys []any) string {
	var b strings.Builder
	for _, k := range keys {
		b.WriteString(" " + r.shownKey(k))
	}
	return b.String()
}

// shownKey shows a key: a text in quotes, a number as it is.
func (r *run) shownKey(key any) string {
	if text, ok := key.(string); ok {
		return r.shown(text)
	}
	if text := fmt.Sprint(key); r.showable(text) {
		return text
	}
	return hiddenName
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

// step follows one key: by name into an object, by number into a list.
func (r *run) step(raw json.RawMessage, key any) (json.RawMessage, error) {
	switch raw[0] {
	case '{':
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil {
			return nil, stepError{what: "is not JSON"}
		}
		name := fmt.Sprint(key)
		if next, ok := object[name]; ok {
			return next, nil
		}
		return nil, stepError{fmt.Sprintf("has no key %s (it has %s)", r.shown(name), count(len(object), "key")), true}
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			return nil, stepError{what: "is not JSON"}
		}
		i, err := strconv.Atoi(fmt.Sprint(key))
		if err != nil {
			return nil, stepError{what: fmt.Sprintf("is a list, which has numbers for keys, not %s", r.shown(fmt.Sprint(key)))}
		}
		if i < 0 || i >= len(list) {
			return nil, stepError{fmt.Sprintf("has no element %s (it has %s; the first is 0)", r.shownKey(key), count(len(list), "element")), true}
		}
		return list[i], nil
	case '"':
		return nil, stepError{what: fmt.Sprintf("is text, which has no key %s", r.shown(fmt.Sprint(key)))}
	}
	return nil, stepError{what: fmt.Sprintf("is no object, so it has no key %s", r.shown(fmt.Sprint(key)))}
}

// count gives "1 key", "5 keys".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
