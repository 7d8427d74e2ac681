package funcs

import (
	"reflect"
	"slices"
	"strings"
	"text/template"
	"unicode/utf8"
)

// A template may pass what one function gave to the next, so a function that makes a little more of what it gets is enough to exhaust
// the memory of the daemon, and with it every service. So each is bounded, by construction: what goes in and what comes out is weighed.

// A load is what arguments weigh together.
type load struct {
	bytes, elements int
	replaced        int  // U+FFFD in the texts, which decoding puts in the place of what is not UTF-8
	binary          bool // a text is not UTF-8
}

// add weighs a value with all that is in it, and stops when it is too much.
func (l *load) add(v reflect.Value) {
	if l.tooMuch() {
		return
	}
	l.elements++
	for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.String:
		l.bytes += v.Len()
		l.replaced += strings.Count(v.String(), "\ufffd")
		l.binary = l.binary || !utf8.ValidString(v.String())
	case reflect.Slice, reflect.Array:
		if k := v.Type().Elem().Kind(); k == reflect.Uint8 {
			l.bytes += v.Len()
			return
		}
		for i := 0; i < v.Len() && !l.tooMuch(); i++ {
			l.add(v.Index(i))
		}
	case reflect.Map:
		for at := v.MapRange(); at.Next() && !l.tooMuch(); {
			l.add(at.Key())
			l.add(at.Value())
		}
	}
}

func (l *load) tooMuch() bool { return l.bytes > maxText || l.elements > maxCount }

// decoders are the functions that make bytes of a text.
var decoders = []string{"b64dec", "b32dec"}

// spoilt says what a function did to characters without a word: of arguments of one weight it made
// a result of another.
func spoilt(name string, args, result load) error {
	switch {
	case result.binary && !args.binary && !slices.Contains(decoders, name):
		return failf("%s: this would cut a character into its bytes", name)
	case args.binary && result.replaced > args.replaced:
		return textual(name, "\xff")
	}
	return nil
}

var errorType = reflect.TypeFor[error]()

// bounds makes of a function one that refuses to work with too much, and whose last result is an error.
func bounds(name string, f any) any {
	fn := reflect.ValueOf(f)
	t := fn.Type()
	var in, out []reflect.Type
	for i := range t.NumIn() {
		in = append(in, t.In(i))
	}
	for i := range t.NumOut() {
		out = append(out, t.Out(i))
	}
	fails := len(out) > 1
	if !fails {
		out = append(out, errorType)
	}
	refuse := func(err error) []reflect.Value {
		return []reflect.Value{reflect.Zero(out[0]), reflect.ValueOf(&err).Elem()}
	}
	tooMuch := failf("%s: this is more than %d MiB of text or %d elements", name, maxText>>20, maxCount)
	return reflect.MakeFunc(reflect.FuncOf(in, out, t.IsVariadic()), func(args []reflect.Value) []reflect.Value {
		var weight load
		for _, a := range args {
			weight.add(a)
		}
		if weight.tooMuch() {
			return refuse(tooMuch)
		}
		var results []reflect.Value
		if t.IsVariadic() {
			results = fn.CallSlice(args)
		} else {
			results = fn.Call(args)
		}
		if !fails {
			results = append(results, reflect.Zero(errorType))
		}
		results[0] = empty(results[0])
		var made load
		if made.add(results[0]); made.tooMuch() {
			return refuse(tooMuch)
		}
		if err := spoilt(name, weight, made); err != nil {
			return refuse(err)
		}
		return results
	}).Interface()
}

// empty gives an empty list where a function gave Go's nil for one, of which JSON would make null.
func empty(result reflect.Value) reflect.Value {
	list := result
	if list.Kind() == reflect.Interface {
		list = list.Elem()
	}
	if list.Kind() == reflect.Slice && list.IsNil() {
		return reflect.MakeSlice(list.Type(), 0, 0).Convert(result.Type())
	}
	return result
}

// boundAll gives every function with its bounds.
func boundAll(m template.FuncMap) template.FuncMap {
	for name, f := range m {
		m[name] = bounds(name, f)
	}
	return m
}
