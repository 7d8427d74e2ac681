package sources

import (
	"encoding/json"
	"strings"
)

// Verbatim reports whether some value holds text as it stands.
func (s *Snapshot) Verbatim(text string) bool {
	found := false
	s.each(func(v Value) {
		v.parts(func(part string) { found = found || strings.Contains(part, text) })
	})
	return found
}

// parts calls f with the value's texts and the leaves of their JSON.
func (v Value) parts(f func(string)) {
	texts := append([]string{v.Text, string(v.Bytes)}, v.List...)
	for _, t := range v.Params {
		texts = append(texts, t)
	}
	for _, t := range texts {
		leaves(t, f)
	}
}

func leaves(text string, f func(string)) {
	f(text)
	if t := strings.TrimSpace(text); t == "" || t[0] != '{' && t[0] != '[' {
		return
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var tree any
	if d.Decode(&tree) == nil {
		walk(tree, f)
	}
}

func walk(tree any, f func(string)) {
	switch t := tree.(type) {
	case map[string]any:
		for _, v := range t {
			walk(v, f)
		}
	case []any:
		for _, v := range t {
			walk(v, f)
		}
	case string:
		leaves(t, f)
	case json.Number:
		f(t.String())
	}
}
