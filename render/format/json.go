package format

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/rendered/rendered/internal/fault/jsontext"
)

// checkJSON wants exactly one value in UTF-8 (RFC 8259, section 8.1), without keys that stand twice
// in an object.
func checkJSON(data []byte) *Error {
	_, err := jsontext.Check(data)
	if err == nil {
		return nil
	}
	what := err.Cause
	switch err.Cause {
	case jsontext.TooDeep:
		return limit(data, err.Offset, what)
	case jsontext.Control, jsontext.Escape:
		what += " (toJson writes them)"
	}
	return at(data, err.Offset, what)
}

func jsonTree(data []byte) (Node, *Error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	root := Node{Kind: List}
	for {
		t, err := d.Token()
		if err == io.EOF {
			return root, nil
		}
		var n Node
		if err == nil {
			n, err = jsonNode(d, t, 0)
		}
		if err != nil {
			return Node{}, at(data, int(d.InputOffset()), "")
		}
		root.Nodes = append(root.Nodes, n)
	}
}

// jsonNode gives the value that begins with a token.
func jsonNode(d *json.Decoder, t json.Token, depth int) (Node, error) {
	switch t := t.(type) {
	case json.Delim:
		return jsonNodes(d, t, depth+1)
	case string:
		return Node{Tag: "text", Text: t, Style: Quoted}, nil
	case json.Number:
		return Node{Tag: "number", Text: t.String()}, nil
	case bool:
		return Node{Tag: "bool", Text: fmt.Sprint(t)}, nil
	}
	return Node{Tag: "null"}, nil
}

// jsonNodes gives the list or map whose bracket has been read.
func jsonNodes(d *json.Decoder, bracket json.Delim, depth int) (Node, error) {
	n := Node{Kind: map[json.Delim]Kind{'[': List, '{': Map}[bracket], Flow: true}
	for d.More() {
		around := &n
		t, err := d.Token()
		if key, ok := t.(string); ok && n.Kind == Map {
			n.Nodes = append(n.Nodes, entry(key, Quoted))
			around = &n.Nodes[len(n.Nodes)-1]
			t, err = d.Token()
		}
		if err != nil || depth > maxDepth {
			return n, cmp.Or(err, errors.New("too deep"))
		}
		value, err := jsonNode(d, t, depth)
		if err != nil {
			return n, err
		}
		around.Nodes = append(around.Nodes, value)
	}
	_, err := d.Token()
	return n, err
}
