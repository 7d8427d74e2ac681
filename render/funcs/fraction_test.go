package funcs

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/Masterminds/sprig/v3"
)

func TestFractionsByTens(t *testing.T) {
	data := map[string]any{"json": json.Number("0.10"), "million": int64(1000000), "text": "0.2"}
	for call, want := range map[string]string{
		`addf 0.1 0.2`: "0.3", `subf 0.3 0.1`: "0.2", `mulf 1.1 1.1`: "1.21", `mulf 0.1 3`: "0.3", `divf 0.3 0.1`: "3", `divf 1 3`: "0.3333333333333333", `divf 2 3`: "0.6666666666666667",
		`divf 10 4`: "2.5", `divf 1 1e20`: "1e-20", `divf 1 4096 4096`: "5.960464477539063e-8", `add1f 0.1`: "1.1", `addf .json .text`: "0.3", `addf 0.1 0.1 0.1 0.1 0.1 0.1 0.1 0.1 0.1 0.1`: "1",
		`mulf .million .million`: "1000000000000", `mulf 1234567.1 10`: "12345671", `addf 1e20 1`: "100000000000000000000", `mulf 1e20 10`: "1e+21", `maxf 0.1 0.3 0.2`: "0.3", `minf 0.1 -0.3`: "-0.3",
		`round 123.555555 3`: "123.556", `round 123.555555 3 0.9`: "123.555", `round 123.555555 3 0.5`: "123.556", `round 123.5 0`: "124", `round -123.5 0`: "-124", `round -1.2 0`: "-1", `round 2.0 1 0`: "2",
		`round -123.555555 3 0.9`: "-123.555", `round 123.0 2`: "123", `round "2.345" 1`: "2.3", `round 1234567.891 1`: "1234567.9", `floor 1234567.9`: "1234567", `ceil 1234567.1`: "1234568", `floor -0.5`: "-1",
		`ceil 1e15`: "1000000000000000", `float64 "5000000"`: "5000000", `float64 "1e21"`: "1e+21", `float64 .json`: "0.1",
		`divf 1 0`: "", `divf 1 0.0`: "", `mulf 1e200 1e200`: "", `round 1.5 0 2`: "", `round 1.5 0 "x"`: "", `round 1.5 0 0.5 0.5`: "", `addf "x" 1`: "", `addf nil 1`: "", `addf true 1`: "",
	} {
		out, err := execute("{{ print ("+call+") }}", data)
		if (err != nil) != (want == "") || out != want {
			t.Errorf("%s: %q, %v; want %q", call, out, err, want)
		}
	}
}

// Where sprig loses nothing, the result is sprig's.
func TestFractionsAreThoseOfSprig(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	number := func() float64 { return float64(r.IntN(2_000_001)-1_000_000) / []float64{1, 10, 100, 1000}[r.IntN(4)] }
	sprigs := sprig.TxtFuncMap()
	for range 2000 {
		a, b := number(), number()
		for _, name := range []string{"addf", "subf", "mulf", "divf", "maxf", "minf"} {
			if name == "divf" && (b == 0 || a/b < 0.01 && a/b > -0.01) {
				continue
			}
			want := reflect.ValueOf(sprigs[name]).Call([]reflect.Value{reflect.ValueOf(a), reflect.ValueOf(b)})[0].Float()
			if got, err := Map()[name].(func(any, ...any) (float64, error))(a, b); err != nil || got != want {
				t.Errorf("%s %v %v: %v, %v; sprig gives %v", name, a, b, got, err, want)
			}
		}
		if digits := r.IntN(4); a > 0 {
			want := sprigs["round"].(func(any, int, ...float64) float64)(a, digits, 0.7)
			if got, err := round(a, digits, 0.7); err != nil || got != want {
				t.Errorf("round %v %d 0.7: %v, %v; sprig gives %v", a, digits, got, err, want)
			}
		}
	}
}

func TestFractionsAreBounded(t *testing.T) {
	computes(t)
	list := make([]any, 100_000)
	for i := range list {
		list[i] = 1.0000000000000002
	}
	if got, err := fractions("mulf", (*big.Rat).Mul)(1, list...); err != nil || got < 1 || got > 1.1 {
		t.Error(got, err)
	}
}

func TestComparing(t *testing.T) {
	data := map[string]any{
		"nine": json.Number("9.5"), "ten": json.Number("10.5"), "one": json.Number("1.0"), "huge": json.Number("1e400"), "huger": json.Number("1e999999999999"), "hugest": json.Number("1E99999999999999999999999"),
		"tiny": json.Number("1e-99999999999999999999"), "big": json.Number("12345678901234567891"), "bigger": json.Number("12345678901234567892"), "zero": json.Number("-0.0"), "minus": json.Number("-10.5"),
		"port": int64(5432), "list": []any{"a"}, "null": nil, "max": uint64(1<<64 - 1),
	}
	for call, want := range map[string]string{
		`lt .nine .ten`: "true", `gt .nine .ten`: "false", `lt .minus .nine`: "true", `lt .minus -9.5`: "true", `eq .one 1`: "true", `eq .one 1.0`: "true", `ne .one 1.0`: "false", `eq 1 1.0`: "true", `lt 1 1.5`: "true",
		`lt .huge .huger`: "true", `lt .huger .hugest`: "true", `gt .tiny 0`: "true", `lt .tiny 1e-300`: "true", `lt .big .bigger`: "true", `eq .big .bigger`: "false", `eq .zero 0`: "true", `ge .zero 0`: "true",
		`eq .port 5432`: "true", `eq .port 1 2 5432`: "true", `lt 5431 .port`: "true", `le .port 5432`: "true", `gt .max .port`: "true", `lt -1 .max`: "true", `eq "a" "a"`: "true", `lt "10" "9"`: "true", `ge "b" "a"`: "true", `eq true true`: "true",
		`ne true false`: "true", `eq .null nil`: "true", `eq .null "null"`: "false", `ne .null 0`: "true", `eq .ten 10.5`: "true", `eq 0.1 (fromJson "0.10")`: "true", `eq 100 (fromJson "1e2")`: "true",
		`eq 1 "1"`: "", `eq .list .list`: "", `lt .null 1`: "", `lt true false`: "", `eq "a"`: "", `lt "1" 2`: "", `eq true 1`: "",
		`slice "abcdef" 1 3`: "bc", `slice "abc" 1`: "bc", `slice "abc"`: "abc", `slice (list 1 2 3) 1 | join ","`: "2,3", `slice "abc" 2 1`: "", `slice "abc" 0 4`: "", `slice "abc" -1`: "", `slice "é" 0 1`: "", `slice 5 0`: "", `slice nil 0`: "",
	} {
		out, err := execute("{{ "+call+" }}", data)
		if (err != nil) != (want == "") || out != want {
			t.Errorf("%s: %q, %v; want %q", call, out, err, want)
		}
	}
	// Of numbers that a float64 holds exactly the order is that of Go.
	r := rand.New(rand.NewPCG(3, 4))
	for range 5000 {
		a, b := (r.Float64()-0.5)*float64(int64(1)<<r.IntN(60)), float64(r.IntN(9)-4)
		x, y := fmt.Sprintf("%.*e", 20, a), fmt.Sprint(b)
		if got := compareNumbers(x, y); (got < 0) != (a < b) || (got > 0) != (a > b) {
			t.Fatalf("%s and %s: %d", x, y, got)
		}
	}
	_, err := execute(`{{ lt "canary" 2 }}`, nil)
	if err == nil || !strings.Contains(err.Error(), "lt compares values of one type only") {
		t.Error(err)
	}
}
