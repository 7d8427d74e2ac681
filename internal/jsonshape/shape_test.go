package jsonshape

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	_ "github.com/rendered/rendered/internal/long"
)

type document struct {
	At    time.Time `json:"at"`
	Parts []*part   `json:"parts"`
	Only  *part     `json:"only,omitempty"`
}

type part struct {
	Kind string  `json:"kind"`
	N    float64 `json:"n,omitempty"`
	Is   bool    `json:"is"`
}

const known = `at                                   time
parts[].kind                         text: a b
parts[].n                            optional number
parts[].is                           bool
only                                 optional object
only.kind                            text
only.n                               optional number
only.is                              bool
`

func TestShape(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shape")
	if err := os.WriteFile(path, []byte(known), 0o600); err != nil {
		t.Fatal(err)
	}
	Hold(t, path, reflect.TypeFor[document](), Words{"parts[].kind": {"a", "b"}})
	if err := Fits(path, []byte(`{"at": "2026-11-20T03:00:00Z", "parts": [{"kind": "a", "is": true}], "only": {"kind": "x", "is": false}}`)); err != nil {
		t.Error(err)
	}
	if Fits(path, []byte(`{"at": "2026-11-20T03:00:00Z"}`)) == nil || Fits(path, []byte(`{`)) == nil {
		t.Error("it fits though it does not")
	}
}

func TestMisfits(t *testing.T) {
	shape := map[string]string{"at": "time", "parts[].kind": "text: a b", "parts[].is": "bool", "parts[].n": "optional number"}
	good := map[string]any{"at": "2026-11-20T03:00:00Z", "parts": []any{map[string]any{"kind": "a", "is": true}}}
	if list := misfits(shape, "", good); list != nil {
		t.Error(list)
	}
	for name, bad := range map[string]map[string]any{
		"a word": {"at": good["at"], "parts": []any{map[string]any{"kind": "c", "is": true}}},
		"a kind": {"at": good["at"], "parts": []any{map[string]any{"kind": "a", "is": "true"}}},
		"a time": {"at": "yesterday", "parts": []any{}},
		"absent": {"at": good["at"], "parts": []any{map[string]any{"is": true}}},
		"a list": {"at": good["at"]},
		"null":   {"at": good["at"], "parts": nil},
		"more":   {"at": good["at"], "parts": []any{}, "more": 1.0},
	} {
		if list := misfits(shape, "", bad); len(list) != 1 {
			t.Errorf("%s: %q", name, list)
		}
	}
}
