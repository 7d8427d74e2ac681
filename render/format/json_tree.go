package format

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

func jsonTree(data []byte) (Node, *Error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	root := Node{Kind: List}
	open := []*Node{&root} // the lists and maps around
	for {
		t, err := d.Token()
		if err == io.EOF && len(open) == 1 {
			return root, nil
		}
		if err != nil {
			return Node{}, at(data, int(d.InputOffset()), "")
		}
		if t == json.Delim('}') || t == json.Delim(']') {
			open = open[:len(open)-1]
			continue
		}
		around := open[len(open)-1]
		text, isText := t.(string)
		if around.Kind == Map && !waits(around) && isText {
			around.Nodes = append(around.Nodes, entry(text, Quoted))
			continue
		}
		if around.Kind == Map {
			around = &around.Nodes[len(around.Nodes)-1]
		}
		around.Nodes = append(around.Nodes, jsonNode(t))
		switch added := &around.Nodes[len(around.Nodes)-1]; added.Kind {
		case List, Map:
			open = append(open, added)
		}
	}
}

// waits reports that the last entry of a map has no value yet.
func waits(m *Node) bool {
	return len(m.Nodes) > 0 && len(m.Nodes[len(m.Nodes)-1].Nodes) == 1
}

func jsonNode(t json.Token) Node {
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			return Node{Kind: Map, Flow: true}
		}
		return Node{Kind: List, Flow: true}
	case string:
		return Node{Tag: "text", Text: t, Style: Quoted}
	case json.Number:
		return Node{Tag: "number", Text: t.String()}
	case bool:
		return Node{Tag: "bool", Text: fmt.Sprint(t)}
	}
	return Node{Tag: "null"}
}
