package yamltext

import (
	"slices"

	"gopkg.in/yaml.v3"
)

var scalars = []string{"!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!!binary", "!!merge"}

// OwnTag reports that a node has no tag, or one that YAML itself gives to nodes of its kind. Every
// other (!vault, !env) asks for something that a reader which leaves it out does not do.
func OwnTag(n *yaml.Node) bool {
	switch n.Kind {
	case yaml.MappingNode:
		return n.ShortTag() == "!!map"
	case yaml.SequenceNode:
		return n.ShortTag() == "!!seq"
	case yaml.ScalarNode:
		return slices.Contains(scalars, n.ShortTag())
	}
	return true
}
