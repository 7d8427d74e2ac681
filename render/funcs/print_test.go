package funcs

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// What Go prints of a map, a list or nothing comes out of no function, whichever argument it is.
func TestNotationOfGoComesOutOfNoFunction(t *testing.T) {
	type point struct{ X, Y int }
	bad := []any{
		nil, map[string]any{"h": "a"}, []any{"x", []any{"y"}}, []any{map[string]any{"h": "a"}}, []any{nil, "a"}, map[string]string{"h": "a"},
		&point{1, 2}, point{1, 2}, 2i, []any{&point{1, 2}},
	}
	good := []any{"a", 1, int64(2), true, []any{"a"}, map[string]any{"a": "b"}, ",", 0.5}
	calls, refused := 0, 0
	for name, f := range Map() {
		fn := reflect.ValueOf(f)
		in := fn.Type()
		for _, length := range []int{in.NumIn(), in.NumIn() + 1} {
			if length > in.NumIn() && !in.IsVariadic() {
				continue
			}
			want := func(i int) reflect.Type {
				if in.IsVariadic() && i >= in.NumIn()-1 {
					return in.In(in.NumIn() - 1).Elem()
				}
				return in.In(i)
			}
			for place := range length {
				if want(place).Kind() != reflect.Interface {
					continue
				}
				for _, b := range bad {
					for _, g := range good {
						args := make([]reflect.Value, length)
						for i := range args {
							args[i] = reflect.New(want(i)).Elem()
							v := reflect.ValueOf(g)
							if i == place {
								v = reflect.ValueOf(b)
							}
							for _, other := range append([]any{nil}, good...) {
								if v.IsValid() && v.Type().AssignableTo(want(i)) {
									args[i].Set(v)
									break
								}
								v = reflect.ValueOf(other)
							}
							if i == place && b == nil {
								args[i].SetZero()
							}
						}
						calls++
						if text, ok := called(fn, args); !ok {
							refused++
						} else if strings.Contains(text, "map[") || strings.Contains(text, "interface") || strings.Contains(text, "nil>") || strings.Contains(text, "[y") || strings.Contains(text, "{1 2") || strings.Contains(text, "0x") || strings.Contains(text, "2i)") {
							t.Errorf("%s of %#v as argument %d, the others %v: %s", name, b, place, g, text)
						}
					}
				}
			}
		}
	}
	t.Logf("%d calls, %d of them refused", calls, refused)
}

// called gives the texts that come of a call, and false where there are none.
func called(fn reflect.Value, args []reflect.Value) (text string, ok bool) {
	defer func() {
		if recover() != nil { // text/template makes an error of it
			text, ok = "", false
		}
	}()
	out := fn.Call(args)
	if len(out) == 2 && !out[1].IsNil() {
		return "", false
	}
	switch v := out[0].Interface().(type) {
	case string:
		return v, true
	case []string:
		return strings.Join(v, " "), true
	case []any, map[string]any: // a value still; each text in it is looked at
		var b strings.Builder
		leaves(&b, v)
		return b.String(), true
	}
	return "", true
}

func leaves(b *strings.Builder, value any) {
	switch v := value.(type) {
	case string:
		b.WriteString(v + " ")
	case []any:
		for _, e := range v {
			leaves(b, e)
		}
	case map[string]any:
		for _, e := range v {
			leaves(b, e)
		}
	}
}

// A single value comes out as a text of its own, the same by every way.
func TestSingleValues(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{"a", "a"}, {"", ""}, {true, "true"}, {5432, "5432"}, {int64(-9223372036854775808), "-9223372036854775808"}, {uint64(1 << 63), "9223372036854775808"},
		{1.0, "1"}, {0.5, "0.5"}, {1000000.0, "1000000"}, {1234567.891, "1234567.891"}, {123456789012345680.0, "123456789012345680"}, {1e20, "100000000000000000000"},
		{1e21, "1e+21"}, {0.00001, "0.00001"}, {0.000001, "0.000001"}, {1e-7, "1e-7"}, {-2.5e-10, "-2.5e-10"},
		{json.Number("1.10"), "1.10"}, {json.Number("1e400"), "1e400"}, {json.Number("-0"), "-0"}, {json.Number("12345678901234567890"), "12345678901234567890"},
	} {
		for _, call := range []string{
			`toString .`, `print .`, `printf "%v" .`, `cat .`, `join "," (list .)`, `index (toStrings (list .)) 0`, `index (sortAlpha (list .)) 0`, `trimSuffix "\n" (println .)`,
			`html .`, `xmlQuote .`, `shellQuote . | trimAll "'"`, `squote . | trimAll "'"`, `quote . | trimAll "\""`, `yamlQuote . | trimAll "\""`,
		} {
			out, err := execute("{{ "+call+" }}", c.value)
			if strings.HasPrefix(call, "html") {
				out = strings.ReplaceAll(out, "&#43;", "+")
			}
			if err != nil || out != c.want {
				t.Errorf("%s of %#v: %q, %v; want %q", call, c.value, out, err, c.want)
			}
		}
	}
}

func TestPrintfTakesNumbersOfJSON(t *testing.T) {
	data := map[string]any{"ratio": json.Number("1.10"), "huge": json.Number("1e400"), "float": 1234567.5, "int": int64(7)}
	for call, want := range map[string]string{
		`printf "%v %s" .ratio .ratio`: "1.10 1.10", `printf "%.3f" .ratio`: "1.100", `printf "%6.1f|" .ratio`: "   1.1|", `printf "%v" .huge`: "1e400",
		`printf "%v %.1f %e" .float .float .float`: "1234567.5 1234567.5 1.234568e+06", `printf "%03d %x" .int .int`: "007 7", `printf "%8v|%-8v|" .float "a"`: "1234567.5|a       |",
		`printf "%d" .ratio`: "", `printf "%f" .huge`: "", `printf "%d" .float`: "", `printf "%T" .int`: "", `printf "%#v" "a"`: "", `printf "%q" .ratio`: "",
	} {
		out, err := execute("{{ "+call+" }}", data)
		if (err != nil) != (want == "") || out != want {
			t.Errorf("%s: %q, %v; want %q", call, out, err, want)
		}
	}
}

// A list that is printed is refused with what prints it, and what is said does.
func TestHintsOfAListWork(t *testing.T) {
	for _, c := range []struct {
		list any
		join bool
	}{{[]any{"a", 1, true}, true}, {[]string{"a"}, true}, {[]any{map[string]any{"h": "a"}}, false}, {[]any{"a", nil}, false}, {[]any{[]any{"a"}}, false}} {
		_, err := Print(c.list)
		if err == nil || strings.Contains(err.Error(), "join") != c.join {
			t.Errorf("%v: %v", c.list, err)
		}
		if _, err := execute(`{{ join ", " . }}`, c.list); (err == nil) != c.join {
			t.Errorf("join of %v: %v", c.list, err)
		}
		if _, err := execute(`{{ toJson . }}`, c.list); err != nil {
			t.Errorf("toJson of %v: %v", c.list, err)
		}
	}
}

// No function changes bytes that are not UTF-8, or cuts a character, without a word.
func TestBytesAreKeptOrRefused(t *testing.T) {
	const bytes = "caf\xe9\xfe\xed\x00"
	for _, name := range strings.Fields(`toJson toPrettyJson toRawJson mustToJson envQuote iniQuote nginxQuote pgpassQuote pgbouncerQuote shellQuote tomlQuote xmlQuote
		yamlQuote phpQuote hclQuote propertiesQuote dotenvQuote dockerEnvQuote quote squote html js urlquery upper lower title camelcase`) {
		out, err := execute("{{ "+name+" . }}", bytes)
		if err == nil {
			t.Errorf("%s gives %q", name, out)
		} else if !strings.Contains(err.Error(), "b64enc") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, call := range []string{`toJson (list .)`, `toJson (dict "a" (list .))`, `toJson (dict . 1)`, `dotenv (dict "A" .)`, `printf "%q" .`} {
		if out, err := execute("{{ "+call+" }}", bytes); err == nil {
			t.Errorf("%s gives %q", call, out)
		}
	}
	for call, want := range map[string]string{
		`print .`: bytes, `b64enc .`: "Y2Fm6f7tAA==", `b64enc . | b64dec`: bytes, `b32enc . | b32dec`: bytes, `trunc 5 .`: bytes[:5], `printf "%s" .`: bytes, `cat . .`: bytes + " " + bytes,
		`nospace .`: bytes, `replace "caf" "" .`: bytes[3:],
	} {
		if out, err := execute("{{ "+call+" }}", bytes); err != nil || out != want {
			t.Errorf("%s: %q, %v; want %q", call, out, err, want)
		}
	}
	for _, call := range []string{`trunc 4 .`, `trunc -1 .`, `substr 0 4 .`, `substr 4 5 .`, `abbrev 7 (print . . .)`} {
		if out, err := execute("{{ "+call+" }}", "café"); err == nil {
			t.Errorf("%s gives %q", call, out)
		}
	}
	for _, call := range []string{`trunc 3 .`, `trunc 99 .`, `trunc -2 .`, `trunc -99 .`, `substr 0 3 .`, `substr 3 5 .`, `substr -1 3 .`, `substr 3 -1 .`, `substr 3 99 .`, `toJson .`, `upper .`} {
		if out, err := execute("{{ "+call+" }}", "café"); err != nil || strings.ContainsRune(out, 0xfffd) || out == "" {
			t.Errorf("%s: %q, %v", call, out, err)
		}
	}
	if out, err := execute(`{{ toJson . }} {{ xmlQuote . }} {{ envQuote . }}`, "a\ufffdb"); err != nil || out != "\"a\ufffdb\" a\ufffdb \"a\ufffdb\"" {
		t.Errorf("the character U+FFFD itself: %q, %v", out, err)
	}
}

func TestNoncharacters(t *testing.T) {
	for r := rune(0); r <= 0x10ffff; r++ {
		want := r >= 0xfdd0 && r <= 0xfdef || r%0x10000 == 0xfffe || r%0x10000 == 0xffff
		if r >= 0xd800 && r < 0xe000 {
			continue
		}
		if want || r%251 == 0 {
			if _, err := envQuote(fmt.Sprintf("x%cy", r)); (err != nil) != (want || r == 0) {
				t.Fatalf("U+%04X: %v", r, err)
			}
			if _, err := dotenv(map[string]any{"a": string(r)}); (err != nil) != (want || r == 0) {
				t.Fatalf("U+%04X in dotenv: %v", r, err)
			}
		}
	}
}
