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
	if order, ok := ordered(a, b); ok {
		return order == 0
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

func contained(element any, list []any) bool {
	return slices.ContainsFunc(list, func(e any) bool { return alike(e, element) })
}

// has reports that a list holds an element. Nothing holds none.
func has(element, list any) (bool, error) {
	if list == nil {
		return false, nil
	}
	elements, err := listOf("has", list)
	return err == nil && contained(element, elements), err
}

// uniq gives the elements of a list, each once.
func uniq(list any) ([]any, error) {
	elements, err := listOf("uniq", list)
	kept := []any{}
	for _, e := range elements {
		if !contained(e, kept) {
			kept = append(kept, e)
		}
	}
	return kept, err
}

// except gives the elements of a list that are none of the others.
func except(list any, others ...any) ([]any, error) {
	elements, err := listOf("without", list)
	return slices.DeleteFunc(elements, func(e any) bool { return contained(e, others) }), err
}
