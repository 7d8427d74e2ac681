package jsontext

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCheck(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for text, want := range map[string]string{
		`{"a": [1, {"a": -0.5e+10}, "x", true, false, null, {}, []]}`: "", " 0 ": "", `"\u00e9\ud83d\ude00"`: "", `{"a":{"x":1},"b":{"x":1}}`: "", deep(MaxDepth): "",
		"": Empty, " \n": Empty, "[1,2": EndsEarly, "[1,": EndsEarly, `{"a"`: EndsEarly, `{"a":`: EndsEarly, `"a`: EndsEarly, `"\`: EndsEarly, `"\u12`: EndsEarly, "-": EndsEarly, "1.": EndsEarly,
		"tru": EndsEarly, "{": EndsEarly, "1e": EndsEarly, "\ufeff{}": Mark, "1 2": After, "{}}": After, "01": After, "truex": After, "x": WantValue, "[1,]": WantValue, "-x": WantValue, ".5": WantValue,
		"1.x": WantValue, "trux": WantValue, "\x00": WantValue, "{1:2}": WantKey, `{"a":1,}`: WantKey, `{"a" 1}`: WantColon, `{"a":1 "b":2}`: WantMember, `[1 2]`: WantElement, "[1}": WantElement,
		"\"\n\"": Control, `"\q"`: Escape, `"\u12g4"`: EscapeShort, "\"\\u12\x104\"": EscapeShort, "\"\xff\"": NotUTF8, "[\xff]": NotUTF8, "\"\xed\xa0\x80\"": NotUTF8,
		`{"a":1,"b":2,"a":3}`: KeyTwice, `{"a":1,"\u0061":3}`: KeyTwice, `[{"x":{"a":1,"a":2},"y":1,"y":2}]`: KeyTwice, deep(MaxDepth + 1): TooDeep,
	} {
		_, err := Check([]byte(text))
		if got := cause(err); got != want {
			t.Errorf("%.40q: %q, want %q", text, got, want)
		}
	}
	for text, offset := range map[string]int{"[1,2": 4, "[1, x]": 4, `{"a":1,"b":{},"a":3}`: 14, `{"k":[0,{"x":1,"x":2}]}`: 15, deep(MaxDepth + 1): MaxDepth, "\"\xc3\xa9\\q\"": 4} {
		if _, err := Check([]byte(text)); err == nil || err.Offset != offset {
			t.Errorf("%.40q: %v, want byte %d", text, err, offset)
		}
	}
	_, err := Check([]byte(`{"k":[0,{"x":1,"x":2}]}`))
	if len(err.Key) != 3 || err.Key[0].Key != "k" || err.Key[1].Index != 1 || err.Key[2].Key != "x" {
		t.Errorf("the key is %v", err.Key)
	}
	if found, err := Check([]byte(`[{"a":{}},"\ud83d\ud83d\ude00"]`)); err != nil || found != (Text{Values: 4, Objects: 2, Half: 11}) {
		t.Errorf("%+v, %v", found, err)
	}
}

func cause(err *Error) string {
	if err == nil {
		return ""
	}
	return err.Cause
}

// Check agrees with encoding/json but where it says so, and Members and Elements give what
// encoding/json does.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{`{"a":[1,{"b":null}],"c":"\u00e9\\"}`, `[ -1.5e3 , true, "x" ]`, `{"a":1,"a":2}`, "\"\xff\"", `"\ud800"`, "[[[]]]"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := Check(data)
		switch c := cause(err); {
		case c == KeyTwice, c == TooDeep, c == NotUTF8 && !utf8.Valid(data), c == Mark:
			return
		case json.Valid(data) != (err == nil):
			t.Fatalf("%q: %v", data, err)
		case err != nil:
			if err.Offset < 0 || err.Offset > len(data) {
				t.Fatalf("%q: byte %d", data, err.Offset)
			}
			return
		}
		var whole any
		if json.Unmarshal(data, &whole) != nil {
			return // a number that no float64 holds
		}
		if n := same(t, bytes.TrimSpace(data), whole); n != found.Values {
			t.Errorf("%q: %d values, want %d", data, found.Values, n)
		}
	})
}

// same wants the parts of a text to be those of the value, and counts them.
func same(t *testing.T, text []byte, want any) int {
	n := 1
	switch want := want.(type) {
	case map[string]any:
		left := len(want)
		for key, part := range Members(text) {
			value, ok := want[key]
			if !ok {
				t.Fatalf("%q: key %q", text, key)
			}
			left--
			n += same(t, part, value)
		}
		if left != 0 {
			t.Fatalf("%q: %d keys are left out", text, left)
		}
	case []any:
		i := 0
		for part := range Elements(text) {
			n += same(t, part, want[i])
			i++
		}
		if i != len(want) {
			t.Fatalf("%q: %d elements, want %d", text, i, len(want))
		}
	default:
		var got any
		if err := json.Unmarshal(text, &got); err != nil || got != want {
			t.Fatalf("%q gives %v, want %v", text, got, want)
		}
	}
	return n
}
