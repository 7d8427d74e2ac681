package sources

import (
	"encoding/json"
	"slices"
	"strings"
)

// Absent gives those of the texts that no value holds as they stand, in their order. Each value is
// gone through once, however many texts there are.
func (s *Snapshot) Absent(texts []string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	absent := slices.Clone(texts)
	for r := range s.answers {
		if result, ok := s.result(r); ok && result.Err == nil && len(absent) > 0 {
			result.Value.parts(func(part string) {
				absent = slices.DeleteFunc(absent, func(text string) bool { return strings.Contains(part, text) })
			})
		}
	}
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
	found, _ := Leaves(text)
	for _, leaf := range found {
		leaves(leaf.Text, f)
	}
}

// A Leaf is a text or a number in JSON, and the name of the member that it is, or is in.
type Leaf struct{ Name, Text string }

// Leaves gives the leaves of the JSON object or list that a text begins with, in no particular
// order, and what follows it. Of another text the rest is all of it.
func Leaves(text string) (list []Leaf, rest string) {
	if t := strings.TrimSpace(text); t == "" || t[0] != '{' && t[0] != '[' {
		return nil, text
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var tree any
	if d.Decode(&tree) != nil {
		return nil, text
	}
	return appendLeaves(nil, "", tree), text[d.InputOffset():]
}

func appendLeaves(list []Leaf, name string, tree any) []Leaf {
	switch t := tree.(type) {
	case map[string]any:
		for name, v := range t {
			list = appendLeaves(list, name, v)
		}
	case []any:
		for _, v := range t {
			list = appendLeaves(list, name, v)
		}
	case string:
		list = append(list, Leaf{name, t})
	case json.Number:
		list = append(list, Leaf{name, t.String()})
	}
	return list
}
