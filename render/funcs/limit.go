package funcs

import (
	"reflect"
	"text/template"
)

// A template may pass what one function gave to the next, so a function that makes a little more of what it gets is enough to exhaust
// the memory of the daemon, and with it every service. So each is bounded, by construction: what goes in and what comes out is weighed.

// A load is what arguments weigh together.
type load struct{ bytes, elements int }

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
	refuse := func() []reflect.Value {
		err := failf("%s: this is more than %d MiB of text or %d elements", name, maxText>>20, maxCount)
		return []reflect.Value{reflect.Zero(out[0]), reflect.ValueOf(&err).Elem()}
	}
	return reflect.MakeFunc(reflect.FuncOf(in, out, t.IsVariadic()), func(args []reflect.Value) []reflect.Value {
		var weight load
		for _, a := range args {
			weight.add(a)
		}
		if weight.tooMuch() {
			return refuse()
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
		weight = load{}
		if weight.add(results[0]); weight.tooMuch() {
			return refuse()
		}
		return results
	}).Interface()
}

// boundAll gives every function with its bounds.
func boundAll(m template.FuncMap) template.FuncMap {
	for name, f := range m {
		m[name] = bounds(name, f)
	}
	return m
}
