package funcs

import (
	"cmp"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// text/template compares numbers of JSON as texts, so that 10.5 is less than 9.5, and no whole
// number with one that has a fraction.

func equal(a any, others ...any) (bool, error) {
	if len(others) == 0 {
		return false, Error("eq takes at least two values")
	}
	for _, b := range others {
		same, err := same("eq", a, b)
		if same || err != nil {
			return same, err
		}
	}
	return false, nil
}

func unequal(a, b any) (bool, error) {
	same, err := same("ne", a, b)
	return !same && err == nil, err
}

func same(name string, a, b any) (bool, error) {
	if a == nil || b == nil {
		return a == b, nil
	}
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	if x.Kind() == reflect.Bool && y.Kind() == reflect.Bool {
		return x.Bool() == y.Bool(), nil
	}
	order, err := compare(name, a, b)
	return order == 0 && err == nil, err
}

// compares makes a function that compares two texts or two numbers.
func compares(name string, holds func(order int) bool) func(a, b any) (bool, error) {
	return func(a, b any) (bool, error) {
		order, err := compare(name, a, b)
		return err == nil && holds(order), err
	}
}

// compare compares two texts or two numbers.
func compare(name string, a, b any) (int, error) {
	order, ok := ordered(a, b)
	switch {
	case ok:
		return order, nil
	case a == nil || b == nil || TypeName(a) == TypeName(b):
		return 0, failf("%s cannot compare such values", name)
	}
	return 0, failf("%s compares values of one type only, and these differ", name)
}

// ordered compares two texts by their bytes, or two numbers.
func ordered(a, b any) (order int, ok bool) {
	x, numberA := numberText(a)
	y, numberB := numberText(b)
	if numberA && numberB {
		return compareNumbers(x, y), true
	}
	v, w := reflect.ValueOf(a), reflect.ValueOf(b)
	if numberA || numberB || v.Kind() != reflect.String || w.Kind() != reflect.String {
		return 0, false
	}
	return strings.Compare(v.String(), w.String()), true
}

// numberText gives the digits of a number.
func numberText(value any) (string, bool) {
	v := reflect.ValueOf(value)
	if _, ok := value.(json.Number); !ok && !v.CanInt() && !v.CanUint() && !v.CanFloat() {
		return "", false
	}
	text, err := text("", value)
	return text, err == nil
}

// compareNumbers compares what JSON can write, exactly, whatever the exponents.
func compareNumbers(a, b string) int {
	x, y := digitsOf(a), digitsOf(b)
	if x.sign != y.sign || x.sign == 0 {
		return cmp.Compare(x.sign, y.sign)
	}
	return x.sign * cmp.Or(cmp.Compare(x.point, y.point), strings.Compare(x.digits, y.digits))
}

// A digits is a number as sign × 0.digits × 10^point; its digits begin and end with none that is 0.
type digits struct {
	sign   int
	digits string
	point  int
}

func digitsOf(text string) digits {
	d := digits{sign: 1}
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		d.sign, text = -1, rest
	}
	mantissa, exponent := text, ""
	if at := strings.IndexAny(text, "eE"); at >= 0 {
		mantissa, exponent = text[:at], text[at+1:]
	}
	before, after, _ := strings.Cut(mantissa, ".")
	d.digits = strings.TrimLeft(before+after, "0")
	d.point = len(d.digits) - len(after)
	d.digits = strings.TrimRight(d.digits, "0")
	if d.digits == "" {
		return digits{}
	}
	d.point += exponentOf(exponent)
	return d
}

// exponentOf gives an exponent, which may be none, as far as numbers differ in anything else.
func exponentOf(text string) int {
	const farthest = 1 << 40
	e, err := strconv.Atoi(text)
	switch {
	case text == "":
		return 0
	case err != nil && text[0] == '-':
		return -farthest
	case err != nil:
		return farthest
	}
	return min(max(e, -farthest), farthest)
}

// slice gives a part of a text or a list, from the first index up to the second.
func slice(value any, indexes ...any) (any, error) {
	v := reflect.ValueOf(value)
	if TypeName(value) != "text" && v.Kind() != reflect.Slice {
		return nil, failf("slice: this is %s, which has no parts", TypeName(value))
	}
	if len(indexes) > 2 {
		return nil, Error("slice takes a text or a list and at most two indexes")
	}
	bounds := [2]int{0, v.Len()}
	for i, index := range indexes {
		var err error
		if bounds[i], err = upTo("slice", index, v.Len(), failf("slice: out of range (there are %d)", v.Len())); err != nil {
			return nil, err
		}
	}
	if bounds[0] > bounds[1] {
		return nil, Error("slice: the first index is behind the second")
	}
	return v.Slice(bounds[0], bounds[1]).Interface(), nil
}
