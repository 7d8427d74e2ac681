package funcs

import (
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// A template may pass what one function gave to the next, so a function that makes a little more of
// what it gets is enough to exhaust the memory of the daemon, and with it every service. So each is
// bounded, by construction: what goes in and what comes out is weighed.

// A load is what arguments weigh together.
type load struct {
	bytes, elements int
	// replaced counts U+FFFD in the texts, which decoding puts in the place of what is not UTF-8.
	replaced int
	binary   bool // a text is not UTF-8
}

// weigh weighs values with all that is in them, and stops when it is too much.
func weigh(values ...reflect.Value) (l load) {
	for _, v := range values {
		l.add(v)
	}
	return l
}

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
		for i := range v.Len() {
			l.add(v.Index(i))
		}
	case reflect.Map:
		for at := v.MapRange(); at.Next(); {
			l.add(at.Key())
			l.add(at.Value())
		}
	}
}

func (l *load) tooMuch() bool { return l.bytes > maxText || l.elements > maxCount }

// decoders are the functions that make bytes of a text.
var decoders = []string{"b64dec", "b32dec", "b64urldec"}

// spoilt says what a function did to characters without a word: of arguments of one weight it made
// a result of another.
func spoilt(name string, args, result load) error {
	switch {
	case result.binary && !args.binary && !slices.Contains(decoders, name):
		return failf("%s: this would cut a character into its bytes", name)
	case args.binary && result.replaced > args.replaced:
		return notUTF8(name)
	}
	return nil
}

var errorType = reflect.TypeFor[error]()

// bounds makes of a function one that refuses to work with too much, and whose last result is an
// error.
func bounds(name string, f any) any {
	fn := reflect.ValueOf(f)
	t := fn.Type()
	out := slices.Collect(t.Outs())
	if len(out) == 1 {
		out = append(out, errorType)
	}
	return reflect.MakeFunc(reflect.FuncOf(slices.Collect(t.Ins()), out, t.IsVariadic()), func(args []reflect.Value) []reflect.Value {
		results, err := within(name, fn, args)
		if err != nil {
			return []reflect.Value{reflect.Zero(out[0]), reflect.ValueOf(&err).Elem()}
		}
		return results
	}).Interface()
}

// within calls a function within bounds. The results are a value and an error.
func within(name string, fn reflect.Value, args []reflect.Value) ([]reflect.Value, error) {
	given := weigh(args...)
	if given.tooMuch() {
		return nil, tooMuch(name)
	}
	call := fn.Call
	if fn.Type().IsVariadic() {
		call = fn.CallSlice
	}
	results := call(args)
	if len(results) == 1 {
		results = append(results, reflect.Zero(errorType))
	}
	results[0] = empty(results[0])
	made := weigh(results[0])
	if made.tooMuch() {
		return nil, tooMuch(name)
	}
	return results, spoilt(name, given, made)
}

func tooMuch(name string) error {
	return failf("%s: this is more than %d MiB of text or %d elements", name, maxText>>20, maxCount)
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
