package funcs

import (
	"cmp"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"
)

// whole gives a value as a whole number, exactly.
func whole(name string, value any) (int64, error) {
	switch v := reflect.ValueOf(value); {
	case v.Kind() == reflect.String:
		n, err := strconv.ParseInt(strings.TrimSpace(v.String()), 10, 64)
		if err != nil {
			return 0, failf("%s: this text is not a whole number of 64 bits", name)
		}
		return n, nil
	case v.CanInt():
		return v.Int(), nil
	case v.CanUint() && v.Uint() <= math.MaxInt64:
		return int64(v.Uint()), nil
	case v.CanFloat() && v.Float() == math.Trunc(v.Float()) && math.Abs(v.Float()) < 1<<63:
		return int64(v.Float()), nil
	case v.CanFloat() || v.CanUint():
		return 0, failf("%s: this is not a whole number of 64 bits", name)
	}
	return 0, failf("%s: this is %s, not a number", name, TypeName(value))
}

// real gives a value as a floating-point number.
func real(name string, value any) (float64, error) {
	switch v := reflect.ValueOf(value); {
	case v.Kind() == reflect.String:
		f, err := strconv.ParseFloat(strings.TrimSpace(v.String()), 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return 0, failf("%s: this text is not a number", name)
		}
		return f, nil
	case v.CanFloat():
		return v.Float(), nil
	}
	n, err := whole(name, value)
	return float64(n), err
}

func toInt64(value any) (int64, error)     { return whole("int64", value) }
func toFloat64(value any) (float64, error) { return real("float64", value) }

func toInt(value any) (int, error) {
	n, err := whole("int", value)
	return int(n), err
}

// toDecimal reads octal digits, as those of a file's mode.
func toDecimal(value any) (int64, error) {
	text, err := printf("%v", value)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 8, 64)
	if err != nil {
		return 0, Error("toDecimal: these are not octal digits")
	}
	return n, nil
}

// integers makes a function that folds its arguments, and does not overflow unnoticed.
func integers(name string, op func(z, a, b *big.Int) *big.Int) func(first any, rest ...any) (int64, error) {
	return func(first any, rest ...any) (int64, error) {
		n, err := whole(name, first)
		if err != nil {
			return 0, err
		}
		result := big.NewInt(n)
		for _, r := range rest {
			if n, err = whole(name, r); err != nil {
				return 0, err
			}
			op(result, result, big.NewInt(n))
		}
		if !result.IsInt64() {
			return 0, failf("%s: the result does not fit 64 bits", name)
		}
		return result.Int64(), nil
	}
}

func add(terms ...any) (int64, error) { return integers("add", (*big.Int).Add)(0, terms...) }
func add1(value any) (int64, error)   { return integers("add1", (*big.Int).Add)(value, 1) }
func sub(a, b any) (int64, error)     { return integers("sub", (*big.Int).Sub)(a, b) }
func div(a, b any) (int64, error)     { return divided("div", (*big.Int).Quo, a, b) }
func mod(a, b any) (int64, error)     { return divided("mod", (*big.Int).Rem, a, b) }

func divided(name string, op func(z, a, b *big.Int) *big.Int, a, b any) (int64, error) {
	if n, err := whole(name, b); err == nil && n == 0 {
		return 0, failf("%s: division by zero", name)
	}
	return integers(name, op)(a, b)
}

func until(count int) ([]int, error) {
	if count < 0 {
		return untilStep(0, count, -1)
	}
	return untilStep(0, count, 1)
}

func untilStep(start, stop, step int) ([]int, error) {
	if step == 0 {
		return nil, Error("untilStep: the step is zero")
	}
	list := []int{}
	for i := start; step > 0 && i < stop || step < 0 && i > stop; i += step {
		if len(list) == maxCount {
			return nil, failf("this list is longer than %d", maxCount)
		}
		list = append(list, i)
	}
	return list, nil
}

// seq is the program seq: LAST, FIRST LAST or FIRST STEP LAST, all of them included.
func seq(args ...int) (string, error) {
	if len(args) < 1 || len(args) > 3 {
		return "", Error("seq takes one to three numbers")
	}
	first, step, last := 1, 1, args[len(args)-1]
	if len(args) > 1 {
		first = args[0]
	}
	if len(args) == 3 {
		step = args[1]
	} else if last < first {
		step = -1
	}
	stop := last + cmp.Compare(step, 0)
	if last == math.MaxInt || last == math.MinInt {
		return "", failf("seq: this is more than %d elements", maxCount)
	}
	list, err := untilStep(first, stop, step)
	if err != nil {
		return "", err
	}
	return join(" ", list)
}
