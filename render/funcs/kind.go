package funcs

import (
	"encoding/json"
	"fmt"
	"reflect"
)

// kindOf names the kind of a value, as sprig does: string, bool, slice, map, int, int64, float64,
// and invalid for nothing. A number of JSON that is no int64 is a float64 there.
func kindOf(value any) string {
	if _, ok := value.(json.Number); ok {
		return reflect.Float64.String()
	}
	return reflect.ValueOf(value).Kind().String()
}

func kindIs(kind string, value any) bool { return kind == kindOf(value) }

// typeOf names the type of a single value, which is its kind. The types of lists, maps and nothing
// have names that Go alone reads.
func typeOf(value any) (string, error) {
	if _, err := text("typeOf", value); err != nil {
		return "", failf("typeOf: this is %s, whose type has a name of Go's; kindOf gives %q", TypeName(value), kindOf(value))
	}
	return kindOf(value), nil
}

// typeIs compares the type of a value with the name that Go has for it.
func typeIs(name string, value any) bool {
	if _, ok := value.(json.Number); ok {
		return name == kindOf(value)
	}
	return name == fmt.Sprintf("%T", value)
}

// length gives the bytes of a text, the elements of a list or the keys of a map.
func length(value any) (int, error) {
	switch v := reflect.ValueOf(value); {
	case value == nil:
		return 0, Nothing("len: there is nothing here, and it must be a text, a list or a map")
	case TypeName(value) == "a number" || v.Kind() == reflect.Bool:
		return 0, failf("len: this is %s, which has no length", TypeName(value))
	default:
		return v.Len(), nil
	}
}
