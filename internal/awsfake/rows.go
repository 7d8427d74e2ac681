package awsfake

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Rows gives the items of a table as JSON, a line each, by their keys.
func (at *Place) Rows(name string) string {
	at.server.mu.Lock()
	defer at.server.mu.Unlock()
	t := at.tables[name]
	if t == nil {
		return ""
	}
	keys := slices.SortedFunc(maps.Keys(t.items), func(a, b [2]string) int { return strings.Compare(a[0]+a[1], b[0]+b[1]) })
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for _, key := range keys {
		if item := t.items[key].now; item != nil {
			_ = e.Encode(item) // texts, which can be written
		}
	}
	return b.String()
}
