package funcs

import (
	"maps"
	"reflect"
	"slices"
	"strconv"

	"github.com/Masterminds/sprig/v3"

	"github.com/rendered/rendered/internal/fault"
)

// get gives the value of a key, or the default where the key is missing or leads to null; without a
// default the key must be there.
func get(m any, key string, fallback ...any) (any, error) {
	value, ok, err := entry("get", m, key)
	switch {
	case err != nil:
		return nil, err
	case value != nil || ok && len(fallback) == 0:
		return value, nil
	case len(fallback) == 1:
		return fallback[0], nil
	case len(fallback) > 1:
		return nil, Error("get takes a map, a key and at most one default")
	}
	return nil, noKey("get", m, key)
}

func hasKey(m any, key string) (bool, error) {
	_, ok, err := entry("hasKey", m, key)
	return ok, err
}

func entry(name string, m any, key string) (any, bool, error) {
	v := reflect.ValueOf(m)
	if !v.IsValid() || v.Kind() != reflect.Map || v.Type().Key().Kind() != reflect.String {
		return nil, false, failf("%s: this is %s, not a map", name, TypeName(m))
	}
	found := v.MapIndex(reflect.ValueOf(key).Convert(v.Type().Key()))
	if !found.IsValid() {
		return nil, false, nil
	}
	return found.Interface(), true, nil
}

func noKey(name string, m any, key string) error {
	names := sortedKeys(reflect.ValueOf(m))
	has := strconv.Itoa(len(names)) + " keys"
	if len(names) == 1 {
		has = "1 key"
	}
	return &KeyError{keys: []string{key}, what: name + ": the map has no key %s (it has " + has + ")", near: fault.Near(key, names)}
}

// index follows keys into maps and numbers into lists, as text/template's does, but fails where
// there is nothing.
func index(value any, keys ...any) (_ any, err error) {
	for _, key := range keys {
		if value, err = element(value, key); err != nil {
			return nil, err
		}
	}
	return value, nil
}

// element follows one key or number.
func element(value, key any) (any, error) {
	switch v := reflect.ValueOf(value); {
	case value == nil:
		return nil, Error("index: there is nothing to index")
	case v.Kind() == reflect.Map:
		found, ok, err := keyed("index", value, key)
		if err == nil && !ok {
			err = noKey("index", value, key.(string))
		}
		return found, err
	case TypeName(value) == "text":
		return nil, Error("index: this is text; slice TEXT 0 1 gives a part of it")
	case isList(v):
		i, err := upTo("index", key, v.Len()-1, failf("index: out of range (there are %d, the first is 0)", v.Len()))
		if err != nil {
			return nil, err
		}
		return v.Index(i).Interface(), nil
	}
	return nil, failf("index: this is %s, which has no elements", TypeName(value))
}

// upTo gives a number from 0 to the most.
func upTo(name string, value any, most int, otherwise error) (int, error) {
	n, err := whole(name, value)
	if err == nil && (n < 0 || n > int64(most)) {
		err = otherwise
	}
	return int(n), err
}

// keyed is entry with a key that is to be text.
func keyed(function string, m, key any) (any, bool, error) {
	name, ok := key.(string)
	if !ok {
		return nil, false, failf("%s: the key of a map is text, not %s", function, TypeName(key))
	}
	return entry(function, m, name)
}

// dig follows keys into maps, and gives the default where one is missing or leads to null.
func dig(args ...any) (any, error) {
	if len(args) < 3 {
		return nil, Error("dig takes keys, a default and a map")
	}
	value, fallback := args[len(args)-1], args[len(args)-2]
	for _, key := range args[:len(args)-2] {
		found, _, err := keyed("dig", value, key)
		switch {
		case err != nil:
			return nil, err
		case found == nil:
			return fallback, nil
		}
		value = found
	}
	return value, nil
}

// dict makes a map of keys and values in turn.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, Error("dict: the last key has no value")
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return nil, failf("dict: a key is text, not %s", TypeName(pairs[i]))
		}
		m[key] = pairs[i+1]
	}
	return m, nil
}

// keys gives the keys of maps, sorted.
func keys(list ...map[string]any) []string {
	names := []string{}
	for _, m := range list {
		names = slices.AppendSeq(names, maps.Keys(m))
	}
	slices.Sort(names)
	return names
}

// values gives the values of a map in the order of its keys.
func values(m map[string]any) []any {
	list := make([]any, 0, len(m))
	for _, name := range keys(m) {
		list = append(list, m[name])
	}
	return list
}

func first(list any) (any, error) { return at("first", list, 0) }
func last(list any) (any, error)  { return at("last", list, -1) }

// at gives an element by its number, from the end where that is negative.
func at(name string, list any, i int) (any, error) {
	elements, err := listOf(name, list)
	if err == nil && len(elements) == 0 {
		err = failf("%s: the list is empty", name)
	}
	if err != nil {
		return nil, err
	}
	return elements[(i+len(elements))%len(elements)], nil
}

// chunk gives the elements of a list in lists of a size, the last of which may be shorter.
func chunk(size int, list any) ([][]any, error) {
	if size < 1 {
		return nil, Error("chunk: the size is less than 1")
	}
	elements, err := listOf("chunk", list)
	return slices.Collect(slices.Chunk(elements, size)), err
}

type merging = func(map[string]any, ...map[string]any) (any, error)

var (
	sprigMerge     = sprig.TxtFuncMap()["mustMerge"].(merging)
	sprigOverwrite = sprig.TxtFuncMap()["mustMergeOverwrite"].(merging)
	deepCopy       = sprig.TxtFuncMap()["mustDeepCopy"].(func(any) (any, error))
)

// merge makes of sprig's function, which changes its first argument, one that changes nothing.
func merge(f merging) func(map[string]any, ...map[string]any) (any, error) {
	return func(to map[string]any, from ...map[string]any) (any, error) {
		all := make([]map[string]any, 0, len(from)+1)
		for _, m := range append([]map[string]any{to}, from...) {
			c, err := deepCopy(m)
			if err != nil {
				return nil, Error("merge: a map cannot be copied")
			}
			m, ok := c.(map[string]any)
			if !ok {
				return nil, failf("merge: this is %s, not a map", TypeName(c))
			}
			all = append(all, m)
		}
		merged, err := f(all[0], all[1:]...)
		if err != nil {
			return nil, Error("merge: the maps cannot be merged")
		}
		return merged, nil
	}
}

// TextMap gives a map of texts of what a template gives for one: each value as it prints. name is
// the function that wants it.
func TextMap(name string, m any) (map[string]any, error) {
	if _, _, err := entry(name, m, ""); err != nil {
		return nil, failf("%s: the default is %s, not a map; {{ dict }} is an empty one", name, TypeName(m))
	}
	texts := make(map[string]any)
	for _, key := range sortedKeys(reflect.ValueOf(m)) {
		value, _, _ := entry(name, m, key)
		printed, err := text(name, value)
		if err != nil {
			return nil, &KeyError{keys: []string{key}, what: name + ": the value of %s in the default is " + TypeName(value) + ", not a text"}
		}
		texts[key] = printed
	}
	return texts, nil
}
