package format

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
)

func xmlTree(data []byte) (Node, *Error) {
	if err := checkXML(data); err != nil {
		return Node{}, err
	}
	c, failed := newXMLChecker(data)
	if failed != nil {
		return Node{}, failed
	}
	x := xml.NewDecoder(bytes.NewReader(c.text))
	x.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // it is UTF-8 by now
	root := Node{Kind: List}
	open := []*Node{&root} // the elements around
	joined := false        // nothing but comments since the text before
	for {
		t, err := x.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return Node{}, at(data, int(x.InputOffset()), "")
		}
		around := open[len(open)-1]
		switch t := t.(type) {
		case xml.Comment:
			continue
		case xml.CharData:
			if last := len(around.Nodes) - 1; joined {
				around.Nodes[last].Text += string(t)
			} else {
				around.Nodes = append(around.Nodes, Node{Text: string(t), Style: Markup})
			}
			joined = true
			continue
		case xml.StartElement:
			trim(around)
			around.Nodes = append(around.Nodes, xmlStart(t))
			open = append(open, &around.Nodes[len(around.Nodes)-1])
		case xml.EndElement:
			trim(around)
			open = open[:len(open)-1]
		case xml.ProcInst:
			trim(around)
			around.Nodes = append(around.Nodes, Node{Tag: "?" + t.Target, Text: string(t.Inst), Style: Markup})
		case xml.Directive:
			trim(around)
			around.Nodes = append(around.Nodes, Node{Tag: "!", Text: string(t), Style: Markup})
		}
		joined = false
	}
	trim(&root)
	return root, nil
}

// trim takes the blanks off a text that has come to its end, and the text out where nothing is
// left.
func trim(around *Node) {
	last := len(around.Nodes) - 1
	if last < 0 || around.Nodes[last].Kind != Leaf || around.Nodes[last].Tag != "" {
		return
	}
	text := &around.Nodes[last].Text
	if *text = strings.TrimSpace(*text); *text == "" {
		around.Nodes = around.Nodes[:last]
	}
}

func xmlStart(t xml.StartElement) Node {
	n := Node{Kind: Element, Tag: t.Name.Space + " " + t.Name.Local}
	for _, a := range t.Attr {
		n.Nodes = append(n.Nodes, entry(a.Name.Space+" "+a.Name.Local, Markup, Node{Text: a.Value, Style: Quoted}))
	}
	return n
}
