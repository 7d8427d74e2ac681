package funcs

import (
	"reflect"
	"slices"
)

// sprig compares by reflect.DeepEqual, for which an int64 of a config is no int of a template, nor
// 1.50 of JSON the number 1.5.

// alike reports that two values are the same, however they are held: numbers as eq compares them,
// lists and maps by what is in them.
func alike(a, b any) bool {
	if k, ok := keyOf(a); ok {
		other, single := keyOf(b)
		return single && k == other
	}
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	switch {
	case isList(x) && isList(y):
		if x.Len() != y.Len() {
			return false
		}
		for i := range x.Len() {
			if !alike(x.Index(i).Interface(), y.Index(i).Interface()) {
				return false
			}
		}
		return true
	case x.Kind() == reflect.Map && y.Kind() == reflect.Map && x.Type().Key() == y.Type().Key():
		if x.Len() != y.Len() {
			return false
		}
		for at := x.MapRange(); at.Next(); {
			other := y.MapIndex(at.Key())
			if !other.IsValid() || !alike(at.Value().Interface(), other.Interface()) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a, b)
}

func isList(v reflect.Value) bool { return v.Kind() == reflect.Slice || v.Kind() == reflect.Array }

// listOf gives the elements of a list.
func listOf(name string, list any) ([]any, error) {
	v := reflect.ValueOf(list)
	if !isList(v) {
		return nil, failf("%s: this is %s, not a list", name, typeName(list))
	}
	elements := make([]any, v.Len())
	for i := range elements {
		elements[i] = v.Index(i).Interface()
	}
	return elements, nil
}

// keyOf gives what two single values that are the same have in common.
func keyOf(value any) (any, bool) {
	if text, ok := numberText(value); ok {
		return digitsOf(text), true
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Invalid:
		return nil, true
	case reflect.String:
		return v.String(), true
	case reflect.Bool:
		return v.Bool(), true
	}
	return nil, false
}

// A set holds values, of those that are alike one.
type set struct {
	single   map[any]bool // by their keys
	composed []any
}

// add reports that the set did not hold the value, and now does.
func (s *set) add(value any) bool {
	if s.has(value) {
		return false
	}
	k, single := keyOf(value)
	switch {
	case !single:
		s.composed = append(s.composed, value)
	case s.single == nil:
		s.single = map[any]bool{k: true}
	default:
		s.single[k] = true
	}
	return true
}

func (s *set) has(value any) bool {
	if k, single := keyOf(value); single {
		return s.single[k]
	}
	return slices.ContainsFunc(s.composed, func(e any) bool { return alike(e, value) })
}

// has reports that a list holds an element. Nothing holds none.
func has(element, list any) (bool, error) {
	if list == nil {
		return false, nil
	}
	elements, err := listOf("has", list)
	return err == nil && slices.ContainsFunc(elements, func(e any) bool { return alike(e, element) }), err
}

// uniq gives the elements of a list, each once.
func uniq(list any) ([]any, error) {
	elements, err := listOf("uniq", list)
	var seen set
	return slices.DeleteFunc(elements, func(e any) bool { return !seen.add(e) }), err
}

// except gives the elements of a list that are none of the others.
func except(list any, others ...any) ([]any, error) {
	elements, err := listOf("without", list)
	var left set
	for _, o := range others {
		left.add(o)
	}
	return slices.DeleteFunc(elements, left.has), err
}
