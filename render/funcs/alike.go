package funcs

import (
	"fmt"
	"reflect"
	"slices"
)

// sprig compares by reflect.DeepEqual, for which an int64 of a config is no int of a template, nor
// 1.50 of JSON the number 1.5.

// alike reports that two values are the same, however they are held: numbers as eq compares them,
// lists and maps by what is in them.
func alike(a, b any) bool { return keyOf(a) == keyOf(b) }

// keyOf gives a text that only values which are alike have in common. fmt writes maps in the order
// of their keys.
func keyOf(value any) string { return fmt.Sprintf("%#v", plain(value)) }

// plain gives a value as it is held by all that are alike.
func plain(value any) any {
	if text, ok := numberText(value); ok {
		return digitsOf(text)
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Slice, reflect.Array:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = plain(v.Index(i).Interface())
		}
		return list
	case reflect.Map:
		m := make(map[any]any, v.Len())
		for at := v.MapRange(); at.Next(); {
			m[at.Key().Interface()] = plain(at.Value().Interface())
		}
		return m
	}
	return value
}

func isList(v reflect.Value) bool { return v.Kind() == reflect.Slice || v.Kind() == reflect.Array }

// listOf gives the elements of a list.
func listOf(name string, list any) ([]any, error) {
	v := reflect.ValueOf(list)
	if !isList(v) {
		return nil, failf("%s: this is %s, not a list", name, TypeName(list))
	}
	elements := make([]any, v.Len())
	for i := range elements {
		elements[i] = v.Index(i).Interface()
	}
	return elements, nil
}

// has reports that a list holds an element. Nothing holds none.
func has(element, list any) (bool, error) {
	if list == nil {
		return false, nil
	}
	elements, err := listOf("has", list)
	key := keyOf(element)
	return slices.ContainsFunc(elements, func(e any) bool { return keyOf(e) == key }), err
}

// uniq gives the elements of a list, each once.
func uniq(list any) ([]any, error) {
	elements, err := listOf("uniq", list)
	seen := make(map[string]bool)
	return slices.DeleteFunc(elements, func(e any) bool {
		key := keyOf(e)
		twice := seen[key]
		seen[key] = true
		return twice
	}), err
}

// except gives the elements of a list that are none of the others.
func except(list any, others ...any) ([]any, error) {
	elements, err := listOf("without", list)
	left := make(map[string]bool)
	for _, o := range others {
		left[keyOf(o)] = true
	}
	return slices.DeleteFunc(elements, func(e any) bool { return left[keyOf(e)] }), err
}
