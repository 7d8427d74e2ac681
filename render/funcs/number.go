package funcs

import (
	"encoding/json"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"
)

// whole gives a value as a whole number, exactly.
func whole(name string, value any) (int64, error) {
	switch v := value.(type) {
	case string:
		return wholeText(name, v)
	case json.Number:
		return wholeText(name, v.String())
	case bool, nil:
		return 0, failf("%s: this is %s, not a number", name, typeName(value))
	}
	switch v := reflect.ValueOf(value); {
	case v.CanInt():
		return v.Int(), nil
	case v.CanUint() && v.Uint() <= math.MaxInt64:
		return int64(v.Uint()), nil
	case v.CanFloat() && v.Float() == math.Trunc(v.Float()) && math.Abs(v.Float()) < 1<<63:
		return int64(v.Float()), nil
	case v.CanFloat() || v.CanUint():
		return 0, failf("%s: this is not a whole number of 64 bits", name)
	}
	return 0, failf("%s: this is %s, not a number", name, typeName(value))
}

func wholeText(name, text string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0, failf("%s: this text is not a whole number of 64 bits", name)
	}
	return n, nil
}

// real gives a value as a floating-point number.
func real(name string, value any) (float64, error) {
	text, ok := value.(string)
	if n, number := value.(json.Number); number {
		text, ok = n.String(), true
	}
	if ok {
		f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return 0, failf("%s: this text is not a number", name)
		}
		return f, nil
	}
	if v := reflect.ValueOf(value); v.IsValid() && v.CanFloat() {
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

// exact does arithmetic that cannot overflow unnoticed.
func exact(name string, op func(z, a, b *big.Int) *big.Int, first any, rest ...any) (int64, error) {
	n, err := whole(name, first)
	if err != nil {
		return 0, err
	}
	sum := big.NewInt(n)
	for _, r := range rest {
		n, err := whole(name, r)
		if err != nil {
			return 0, err
		}
		op(sum, sum, big.NewInt(n))
	}
	if !sum.IsInt64() {
		return 0, failf("%s: the result does not fit 64 bits", name)
	}
	return sum.Int64(), nil
}

func add(terms ...any) (int64, error)          { return exact("add", (*big.Int).Add, 0, terms...) }
func add1(value any) (int64, error)            { return exact("add1", (*big.Int).Add, value, 1) }
func sub(a, b any) (int64, error)              { return exact("sub", (*big.Int).Sub, a, b) }
func mul(a any, factors ...any) (int64, error) { return exact("mul", (*big.Int).Mul, a, factors...) }

func div(a, b any) (int64, error) { return divided("div", (*big.Int).Quo, a, b) }
func mod(a, b any) (int64, error) { return divided("mod", (*big.Int).Rem, a, b) }

func divided(name string, op func(z, a, b *big.Int) *big.Int, a, b any) (int64, error) {
	if n, err := whole(name, b); err == nil && n == 0 {
		return 0, failf("%s: division by zero", name)
	}
	return exact(name, op, a, b)
}

func largest(a any, rest ...any) (int64, error) {
	return exact("max", func(z, a, b *big.Int) *big.Int {
		if a.Cmp(b) < 0 {
			return z.Set(b)
		}
		return z.Set(a)
	}, a, rest...)
}

func smallest(a any, rest ...any) (int64, error) {
	return exact("min", func(z, a, b *big.Int) *big.Int {
		if a.Cmp(b) > 0 {
			return z.Set(b)
		}
		return z.Set(a)
	}, a, rest...)
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
	first, step, last := 1, 1, 0
	switch len(args) {
	case 1:
		last = args[0]
	case 2:
		first, last = args[0], args[1]
	case 3:
		first, step, last = args[0], args[1], args[2]
	default:
		return "", Error("seq takes one to three numbers")
	}
	if len(args) < 3 && last < first {
		step = -1
	}
	if last == math.MaxInt || last == math.MinInt {
		return "", failf("seq: this is more than %d elements", maxCount)
	}
	stop := last + 1
	if step < 0 {
		stop = last - 1
	}
	list, err := untilStep(first, stop, step)
	if err != nil {
		return "", err
	}
	return join(" ", list)
}
