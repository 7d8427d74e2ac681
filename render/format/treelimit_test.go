package format

import (
	"strings"
	"testing"

	"github.com/rendered/rendered/internal/long"
)

// A tree is made of what takes some hundred megabytes at most.
func TestTreesAreBounded(t *testing.T) {
	for name, text := range map[string]string{"json": "1,", "toml": "1,", "yaml": "1,", "xml": "<a/>", "ini": "a=1\n", "dotenv": "A=1\n", "properties": "a=1\n"} {
		head, tail := "[", "1]"
		switch name {
		case "toml":
			head = "a=["
		case "xml":
			head, tail = "<r>", "</r>"
		case "ini", "dotenv", "properties":
			head, tail = "", ""
		}
		begun, before := worked(), peak()
		if _, err := (Format{name}).Tree([]byte(head + strings.Repeat(text, 16<<20/len(text)) + tail)); err == nil || !err.(*Error).Limit {
			t.Errorf("%s: a tree of 16 MiB: %v", name, err)
		}
		if _, err := (Format{name}).Tree([]byte(head + strings.Repeat(text, 1000) + tail)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if took, grown := worked()-begun, peak()-before; took > patience*mostTime || long.Asked() && grown > mostGrowth {
			t.Errorf("%s: %v, %d MiB", name, took, grown>>20)
		}
	}
}
