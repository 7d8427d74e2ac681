package funcs

import (
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
		return nil, false, failf("%s: this is %s, not a map", name, typeName(m))
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

// index follows keys into maps and numbers into lists, as text/template's does, but fails where there is nothing.
func index(value any, keys ...any) (any, error) {
	for _, key := range keys {
		v := reflect.ValueOf(value)
		for v.IsValid() && (v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer) {
			v = v.Elem()
		}
		switch {
		case !v.IsValid():
			return nil, Error("index: there is nothing to index")
		case v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String:
			name, ok := key.(string)
			if !ok {
				return nil, failf("index: the key of a map is text, not %s", typeName(key))
			}
			found, ok, err := entry("index", v.Interface(), name)
			if err != nil || !ok {
				return nil, noKey("index", v.Interface(), name)
			}
			value = found
		case typeName(v.Interface()) == "text":
			return nil, Error("index: this is text; slice TEXT 0 1 gives a part of it")
		case isList(v):
			i, err := whole("index", key)
			if err != nil {
				return nil, err
			}
			if i < 0 || i >= int64(v.Len()) {
				return nil, failf("index: out of range (there are %d, the first is 0)", v.Len())
			}
			value = v.Index(int(i)).Interface()
		default:
			return nil, failf("index: this is %s, which has no elements", typeName(value))
		}
	}
	return value, nil
}

// dig follows keys into maps, and gives the default where one is missing or leads to null.
func dig(args ...any) (any, error) {
	if len(args) < 3 {
		return nil, Error("dig takes keys, a default and a map")
	}
	value, fallback := args[len(args)-1], args[len(args)-2]
	for _, key := range args[:len(args)-2] {
		name, ok := key.(string)
		if !ok {
			return nil, failf("dig: the key of a map is text, not %s", typeName(key))
		}
		found, _, err := entry("dig", value, name)
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
			return nil, failf("dict: a key is text, not %s", typeName(pairs[i]))
		}
		m[key] = pairs[i+1]
	}
	return m, nil
}

// keys gives the keys of maps, sorted.
func keys(list ...map[string]any) []string {
	names := []string{}
	for _, m := range list {
		for name := range m {
			names = append(names, name)
		}
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

func first(list any) (any, error) { return at("first", list, func(int) int { return 0 }) }
func last(list any) (any, error)  { return at("last", list, func(n int) int { return n - 1 }) }

func at(name string, list any, place func(length int) int) (any, error) {
	v := reflect.ValueOf(list)
	if !isList(v) {
		return nil, failf("%s: this is %s, not a list", name, typeName(list))
	}
	if v.Len() == 0 {
		return nil, failf("%s: the list is empty", name)
	}
	return v.Index(place(v.Len())).Interface(), nil
}

// chunk gives the elements of a list in lists of a size, the last of which may be shorter.
func chunk(size int, list any) ([][]any, error) {
	if size < 1 {
		return nil, Error("chunk: the size is less than 1")
	}
	v := reflect.ValueOf(list)
	if !isList(v) {
		return nil, failf("chunk: this is %s, not a list", typeName(list))
	}
	chunks := make([][]any, 0, v.Len()/size+1)
	for i := range v.Len() {
		if i%size == 0 {
			chunks = append(chunks, nil)
		}
		chunks[len(chunks)-1] = append(chunks[len(chunks)-1], v.Index(i).Interface())
	}
	return chunks, nil
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
				return nil, failf("merge: this is %s, not a map", typeName(c))
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
