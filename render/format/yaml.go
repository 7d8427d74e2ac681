package format

import (
	"fmt"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/fault/yamltext"
)

// checkYAML parses all documents, and looks for what a parser lets pass and a reader does not: keys
// that stand twice, aliases inside what they name, aliases of aliases that make much of little,
// values that are not what their tag says.
func checkYAML(data []byte) *Error {
	documents, err := yamltext.Documents(data)
	if err != nil {
		e := atPlace(data, err.Line, err.Column, err.What)
		e.Limit = err.Limit
		return e
	}
	for _, d := range documents {
		c := yamlChecker{sizes: make(map[*yaml.Node]int)}
		if c.node(d); c.wrong != nil {
			e := atPlace(data, c.wrong.Line, 0, c.what)
			e.Limit = c.limit
			return e
		}
	}
	return nil
}

// maxExpanded is how many nodes a document may be to a reader who puts in the place of each alias
// what it names.
const maxExpanded = 2 << 20

// A yamlChecker looks at the nodes of a document until something is wrong.
type yamlChecker struct {
	sizes map[*yaml.Node]int // how many nodes there are in what an alias may name, with all that its aliases stand for; 0: being counted

	wrong *yaml.Node
	what  string
	limit bool
}

func (c *yamlChecker) refuse(n *yaml.Node, what string) {
	if c.wrong == nil {
		c.wrong, c.what = n, what
	}
}

// node gives how many nodes a reader makes of this one.
func (c *yamlChecker) node(n *yaml.Node) (size int) {
	if n.Kind == yaml.AliasNode {
		size, known := c.sizes[n.Alias]
		if known && size == 0 {
			c.refuse(n, "an alias stands inside what it names")
		}
		return size
	}
	if n.Anchor != "" {
		c.sizes[n] = 0
	}
	if n.Kind == yaml.ScalarNode && n.Style&yaml.TaggedStyle != 0 {
		c.tagged(n)
	}
	if n.Kind == yaml.MappingNode {
		c.keys(n)
	}
	size = 1
	for _, part := range n.Content {
		if c.wrong != nil {
			return 1
		}
		if size += c.node(part); size > maxExpanded && c.wrong == nil {
			c.refuse(part, fmt.Sprintf("aliases of aliases make more than %d nodes of it", maxExpanded))
			c.limit = true
		}
	}
	if n.Anchor != "" {
		c.sizes[n] = size
	}
	return size
}

// keys wants no text to be a key twice, and << to merge maps.
func (c *yamlChecker) keys(n *yaml.Node) {
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			continue
		}
		if seen[key.Value] {
			c.refuse(n.Content[i], "a key stands twice in one map")
			return
		}
		seen[key.Value] = true
		if key.ShortTag() == "!!merge" && !merges(n.Content[i+1], true) {
			c.refuse(key, "<< merges what is no map")
			return
		}
	}
}

// merges reports that a value is a map, or a list of maps.
func merges(n *yaml.Node, list bool) bool {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch n.Kind {
	case yaml.MappingNode:
		return true
	case yaml.SequenceNode:
		for _, part := range n.Content {
			if !list || !merges(part, false) {
				return false
			}
		}
		return list
	}
	return false
}

// tagged wants a scalar to be what its tag says.
func (c *yamlChecker) tagged(n *yaml.Node) {
	var value any
	switch {
	case !yamltext.OwnTag(n) || n.Decode(&value) == nil:
	case n.ShortTag() == "!!binary":
		c.refuse(n, "a !!binary is not base64")
	default:
		c.refuse(n, "a value is not what its tag "+n.ShortTag()+" says")
	}
}
