package funcs

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
)

// TakesWhole makes of a function that takes numbers of Go's type int one that takes whole numbers
// of any type, as add and fromJson give them: text/template converts none. Any other function is
// given as it is.
func TakesWhole(name string, f any) any {
	fn := reflect.ValueOf(f)
	t := fn.Type()
	ins := slices.Collect(t.Ins())
	converted := slices.Clone(ins)
	for i, in := range ins {
		switch in {
		case reflect.TypeFor[int]():
			converted[i] = reflect.TypeFor[any]()
		case reflect.TypeFor[[]int]():
			converted[i] = reflect.TypeFor[[]any]()
		}
	}
	outs := slices.Collect(t.Outs())
	if slices.Equal(ins, converted) || len(outs) != 2 {
		return f
	}
	return reflect.MakeFunc(reflect.FuncOf(converted, outs, t.IsVariadic()), func(args []reflect.Value) []reflect.Value {
		for i := range args {
			if ins[i] == converted[i] {
				continue
			}
			var err error
			if args[i], err = inInts(name, args[i], ins[i]); err != nil {
				return []reflect.Value{reflect.Zero(outs[0]), reflect.ValueOf(&err).Elem()}
			}
		}
		if t.IsVariadic() {
			return fn.CallSlice(args)
		}
		return fn.Call(args)
	}).Interface()
}

// inInts gives a value as an int, or a list as one of ints.
func inInts(name string, v reflect.Value, as reflect.Type) (reflect.Value, error) {
	if as.Kind() != reflect.Slice {
		n, err := inInt(name, v.Interface())
		return reflect.ValueOf(n), err
	}
	list := make([]int, v.Len())
	for i := range list {
		var err error
		if list[i], err = inInt(name, v.Index(i).Interface()); err != nil {
			return reflect.Value{}, err
		}
	}
	return reflect.ValueOf(list), nil
}

// inInt gives a number as an int. A text is none, whatever it says.
func inInt(name string, value any) (int, error) {
	if value == nil {
		return 0, Nothing(name + ": there is nothing here, and it must be a number")
	}
	if _, number := value.(json.Number); !number && reflect.ValueOf(value).Kind() == reflect.String {
		return 0, failf("%s: this must be a number here, and it is text", name)
	}
	v := reflect.ValueOf(value)
	if !v.CanInt() && !v.CanUint() && !v.CanFloat() && v.Kind() != reflect.String {
		return 0, failf("%s: this must be a number here, and it is %s", name, TypeName(value))
	}
	n, err := whole(name, value)
	if err == nil && strconv.IntSize < 64 && int64(int(n)) != n {
		err = failf("%s: this is not a whole number of %d bits", name, strconv.IntSize)
	}
	return int(n), err
}
