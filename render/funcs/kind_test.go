package funcs

import (
	"encoding/json"
	"strings"
	"testing"
)

func kinds() map[string]any {
	return map[string]any{
		"ports": []any{int64(5432), uint8(6)}, "ratio": json.Number("1.50"), "huge": json.Number("12345678901234567890"), "zero": json.Number("0.0"),
		"whole": int64(5432), "count": 3, "text": "a", "yes": true, "list": []any{"a", "b"}, "texts": []string{"a", "b"}, "map": map[string]any{"a": 1.5}, "null": nil,
	}
}

// What a kind or a type is called is what a template asks for, and no word of Go's.
func TestKinds(t *testing.T) {
	for _, c := range []struct{ value, kind, refused string }{
		{".text", "string", ""}, {".yes", "bool", ""}, {".count", "int", ""}, {"1.5", "float64", ""}, {".whole", "int64", ""}, {".ratio", "float64", ""}, {".huge", "float64", ""},
		{".list", "slice", `this is a list, whose type has a name of Go's; kindOf gives "slice"`}, {".texts", "slice", "this is a list"},
		{".map", "map", `this is a map, whose type has a name of Go's; kindOf gives "map"`}, {".null", "invalid", `this is nothing, whose type has a name of Go's; kindOf gives "invalid"`},
	} {
		for call, want := range map[string]string{"kindOf " + c.value: c.kind, `kindIs "` + c.kind + `" ` + c.value: "true", `kindIs "uint" ` + c.value: "false"} {
			if got, err := execute("{{ "+call+" }}", kinds()); got != want || err != nil {
				t.Errorf("%s: %q, %v; want %q", call, got, err, want)
			}
		}
		got, err := execute("{{ typeOf "+c.value+" }}", kinds())
		switch {
		case c.refused == "" && (got != c.kind || err != nil):
			t.Errorf("typeOf %s: %q, %v; want %q", c.value, got, err, c.kind)
		case c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)):
			t.Errorf("typeOf %s: %q, %v", c.value, got, err)
		}
	}
	for call, want := range map[string]string{
		`kindIs "string" .ratio`: "false", `typeIs "float64" .ratio`: "true", `typeIs "json.Number" .ratio`: "false", `typeIs "string" .text`: "true", `typeIsLike "int64" .whole`: "true",
		`typeIs "map[string]interface {}" .map`: "true", `typeIs "[]interface {}" .list`: "true", `typeIs "string" .list`: "false", `typeIs "string" .null`: "false",
	} {
		if got, err := execute("{{ "+call+" }}", kinds()); got != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", call, got, err, want)
		}
	}
}

// A number has digits, and is no text: it has no length, no parts and no elements.
func TestLength(t *testing.T) {
	for call, want := range map[string]string{
		`len .text`: "1", `len "é"`: "2", `len ""`: "0", `len .list`: "2", `len .texts`: "2", `len list`: "0", `len .map`: "1", `.list | len`: "2",
		`len .ratio`: "len: this is a number, which has no length", `len .whole`: "a number", `len 1.5`: "a number", `len .yes`: "len: this is true or false", `len .null`: "len: there is nothing here",
		`slice .ratio 0 1`: "slice: this is a number, which has no parts", `index .ratio 0`: "index: this is a number, which has no elements", `slice "abc" 0 1`: "a", `index "abc" 0`: "index: this is text",
		`len (toString .ratio)`: "4",
	} {
		got, err := execute("{{ "+call+" }}", kinds())
		if got != want && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %q, %v; want %q", call, got, err, want)
		}
	}
}

// What eq takes for the same number is the same in a list, too, and comes out as it went in.
func TestAlike(t *testing.T) {
	for call, want := range map[string]string{
		`has 5432 .ports`: "true", `has 6 .ports`: "true", `has 7 .ports`: "false", `has 1.5 (list .ratio)`: "true", `has .zero (list 0)`: "true", `has "5432" .ports`: "false",
		`has "a" .null`: "false", `has nil (list nil)`: "true", `has nil (list 0 "")`: "false", `has "x" "xyz"`: "", `mustHas "a" .texts`: "true",
		`without .ports 6 | toJson`: "[5432]", `without (list .ratio 2) 1.5 | toJson`: "[2]", `without .texts "a" | toJson`: `["b"]`, `without .list "a" "b" | toJson`: "[]", `without "a" "a"`: "",
		`uniq (list 5432 (index .ports 0)) | toJson`: "[5432]", `uniq (list .ratio 1.5 "1.5") | toJson`: `[1.50,"1.5"]`, `uniq list | toJson`: "[]", `uniq .null`: "", `mustUniq (list nil nil) | toJson`: "[null]",
		`uniq (list (list .ratio) (list 1.5) .map (dict "a" 1.50) true "true" true) | toJson`: `[[1.50],{"a":1.5},true,"true"]`, `without (list .map .list "a") (dict "a" .ratio) | toJson`: `[["a","b"],"a"]`,
		// The two together take the time of one.
		`uniq (until 200000) | len`: "200000", `without (until 200000) 7 | len`: "199999",
		`deepEqual .ports (list 5432 6)`: "true", `deepEqual (fromJson "{\"a\":1}") (dict "a" 1)`: "true", `deepEqual (dict "a" .ratio) .map`: "true", `deepEqual (dict "a" 1) (dict "b" 1)`: "false",
		`deepEqual (dict "a" 1) (dict "a" 1 "b" 2)`: "false", `deepEqual .list .texts`: "true", `deepEqual .list (list "a")`: "false", `deepEqual .ratio "1.50"`: "false", `deepEqual .null nil`: "true", `deepEqual .null 0`: "false",
	} {
		got, err := execute("{{ "+call+" }}", kinds())
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%s: %q, %v; want %q", call, got, err, want)
		}
	}
}
