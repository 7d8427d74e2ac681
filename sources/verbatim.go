package sources

import (
	"encoding/json"
	"slices"
	"strings"
)

// Absent gives those of the texts that no value holds as they stand, in their order. Each value is
// gone through once, however many texts there are.
func (s *Snapshot) Absent(texts []string) []string {
	absent := slices.Clone(texts)
	s.each(func(v Value) {
		if len(absent) == 0 {
			return
		}
		v.parts(func(part string) {
			absent = slices.DeleteFunc(absent, func(text string) bool { return strings.Contains(part, text) })
		})
	})
	return absent
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
