package render

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/long"
)

// The keys and texts of JSON are those that a decoder finds.
func TestDecodedAsADecoder(t *testing.T) {
	for _, text := range []string{
		`{}`, `[]`, `[""]`, `["\\"]`, `["\""]`, `["a\\\"b", "c"]`, `{"a": {"b\u00e9": [1, "x: y", null, true, -0, 1e400]}, "": ""}`,
		`["\ud83d\ude00", "\ud800", "😀", "\u0000\n\/"]`, "[\"\xff\", \"a\\n\xfe\"]", ` { "k" : 1 } `,
	} {
		if !json.Valid([]byte(text)) {
			t.Fatalf("%s is no JSON", text)
		}
		var got, want []string
		decoded(text, func(leaf string, _ bool) { got = append(got, leaf) })
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		for {
			token, err := d.Token()
			if err != nil {
				break
			}
			if leaf, ok := token.(string); ok {
				want = append(want, leaf)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// Texts in JSON that are JSON again are decoded, too.
func TestDecodedAgain(t *testing.T) {
	for text, want := range map[string][]string{
		`"a\nb"`:                           {"a\nb"},
		` [ "{\"a\": [\"b\\n\"]}", "c" ] `: {`{"a": ["b\n"]}`, "a", "b\n", "c"},
		`"{\"a\":1}"`:                      {`{"a":1}`, "a"},
		`{"k": "[1, 2"}`:                   {"k", "[1, 2"},
		`["a"`:                             nil,
		`a "b"`:                            nil,
		"":                                 nil,
	} {
		var got []string
		decoded(text, func(leaf string, _ bool) { got = append(got, leaf) })
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// Millions of elements are passed over in less time than a file may take.
func TestDecodedIsLinear(t *testing.T) {
	Computes(t)
	for name, element := range map[string]string{"numbers": "0,", "texts": `"",`, "lists": "[],", "escapes": `"\n",`} {
		text, count := "["+strings.Repeat(element, long.Or(4, 15)<<20/len(element))+"0]", 0
		before := time.Now()
		decoded(text, func(string, bool) { count++ })
		took := time.Since(before)
		t.Logf("%s: %d texts in %v", name, count, took)
		if took > 10*time.Second {
			t.Errorf("%s: %v", name, took)
		}
	}
}
