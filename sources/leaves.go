package sources

import (
	"encoding/json"
	"strings"
)

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
