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
	c, _ := newXMLChecker(data)
	d := xml.NewDecoder(bytes.NewReader(c.text))
	// The text is UTF-8 by now.
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	nodes, err := xmlNodes(d)
	if err != nil {
		return Node{}, at(data, int(d.InputOffset()), "")
	}
	return Node{Kind: List, Nodes: nodes}, nil
}

// xmlNodes gives what stands up to the end of an element, or of the file. Comments part no text.
func xmlNodes(d *xml.Decoder) (nodes []Node, _ error) {
	var text strings.Builder
	for {
		t, err := d.Token()
		switch t := t.(type) {
		case xml.CharData:
			text.Write(t)
			continue
		case xml.Comment:
			continue
		}
		if trimmed := strings.TrimSpace(text.String()); trimmed != "" {
			nodes = append(nodes, Node{Text: trimmed, Style: Markup})
		}
		text.Reset()
		if _, end := t.(xml.EndElement); end || err == io.EOF {
			return nodes, nil
		}
		var n Node
		if err == nil {
			n, err = xmlNode(d, t)
		}
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
}

// xmlNode gives what a token begins or is.
func xmlNode(d *xml.Decoder, t xml.Token) (Node, error) {
	switch t := t.(type) {
	case xml.ProcInst:
		return Node{Tag: "?" + t.Target, Text: string(t.Inst), Style: Markup}, nil
	case xml.Directive:
		return Node{Tag: "!", Text: string(t), Style: Markup}, nil
	case xml.StartElement:
		return xmlElementNode(d, t)
	}
	return Node{}, nil
}

func xmlElementNode(d *xml.Decoder, t xml.StartElement) (Node, error) {
	n := Node{Kind: Element, Tag: t.Name.Space + " " + t.Name.Local}
	for _, a := range t.Attr {
		n.Nodes = append(n.Nodes, entry(a.Name.Space+" "+a.Name.Local, Markup, Node{Text: a.Value, Style: Quoted}))
	}
	below, err := xmlNodes(d)
	n.Nodes = append(n.Nodes, below...)
	return n, err
}
