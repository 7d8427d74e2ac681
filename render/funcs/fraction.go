package funcs

import (
	"math"
	"math/big"
)

// What is computed with fractions is computed as it is written, by tens, and not by twos: 0.1 and
// 0.2 are 0.3.

// fraction gives a number as the fraction that its shortest notation is.
func fraction(name string, value any) (*big.Rat, error) {
	f, err := real(name, value)
	if err != nil {
		return nil, err
	}
	return fractionOf(f), nil
}

func fractionOf(f float64) *big.Rat {
	text, err := decimal("", f)
	if err != nil {
		return new(big.Rat)
	}
	r, _ := new(big.Rat).SetString(text)
	return r
}

// maxFraction bounds the bits of a fraction. A larger one is rounded to the nearest float64 before
// it is computed with.
const maxFraction = 1 << 11

// fractions makes a function that folds its arguments.
func fractions(name string, op func(z, a, b *big.Rat) *big.Rat) func(first any, rest ...any) (float64, error) {
	return func(first any, rest ...any) (float64, error) {
		result, err := fraction(name, first)
		if err != nil {
			return 0, err
		}
		for _, r := range rest {
			f, err := fraction(name, r)
			if err != nil {
				return 0, err
			}
			if name == "divf" && f.Sign() == 0 {
				return 0, Error("divf: division by zero")
			}
			if result, err = shortened(name, op(result, result, f)); err != nil {
				return 0, err
			}
		}
		return nearest(name, result)
	}
}

// shortened gives a fraction as it may be computed with.
func shortened(name string, r *big.Rat) (*big.Rat, error) {
	if r.Num().BitLen()+r.Denom().BitLen() <= maxFraction {
		return r, nil
	}
	f, err := nearest(name, r)
	return fractionOf(f), err
}

func nearest(name string, r *big.Rat) (float64, error) {
	f, _ := r.Float64()
	if math.IsInf(f, 0) {
		return 0, failf("%s: the result is too large", name)
	}
	return f, nil
}

// quotient divides with sixteen places after the point, as sprig does, and with all that a float64
// has where these would say little.
func quotient(z, a, b *big.Rat) *big.Rat {
	z.Quo(a, b)
	if new(big.Rat).Abs(z).Cmp(big.NewRat(1, 1000)) < 0 {
		return z
	}
	rounded, _ := new(big.Rat).SetString(z.FloatString(16))
	return z.Set(rounded)
}

// A number is one of math/big's.
type number[T any] interface {
	Cmp(T) int
	Set(T) T
}

func larger[T number[T]](z, a, b T) T {
	if a.Cmp(b) < 0 {
		a = b
	}
	return z.Set(a)
}

func smaller[T number[T]](z, a, b T) T {
	if a.Cmp(b) > 0 {
		a = b
	}
	return z.Set(a)
}

func add1f(value any) (float64, error) { return fractions("add1f", (*big.Rat).Add)(value, 1) }

func ceil(value any) (float64, error) {
	f, err := real("ceil", value)
	return math.Ceil(f), err
}

func floor(value any) (float64, error) {
	f, err := real("floor", value)
	return math.Floor(f), err
}

// round gives a number with so many digits after the point. on is the part of the last digit from
// which it is rounded away from zero; 0.5 without it.
func round(value any, digits int, on ...any) (float64, error) {
	f, err := real("round", value)
	if err != nil || digits < 0 || digits > 15 || len(on) > 1 {
		return 0, Error("round: want a number, 0 to 15 digits and, at most, from which part of a digit on to round up")
	}
	from := 0.5
	for _, o := range on {
		if from, err = real("round", o); err != nil || from < 0 || from > 1 {
			return 0, Error("round: the part of a digit from which on to round up is a number from 0 to 1")
		}
	}
	return rounded(f, math.Pow(10, float64(digits)), from)
}

// rounded rounds to parts of which scale are one.
func rounded(f, scale, from float64) (float64, error) {
	kept, part := math.Modf(math.Abs(f) * scale)
	if part >= from && part > 0 {
		kept++
	}
	if f = math.Copysign(kept/scale, f); math.IsInf(f, 0) || math.IsNaN(f) {
		return 0, Error("round: the number is too large for so many digits")
	}
	return f, nil
}
