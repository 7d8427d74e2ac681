package format

import (
	"bytes"
	"strings"
)

// checkINI wants sections, names with or without values, and comments.
func checkINI(data []byte) *Error { return readINI(data, func(Node) {}) }

func iniTree(data []byte) (Node, *Error) {
	root := Node{Kind: Map}
	err := readINI(data, func(n Node) { root.Nodes = append(root.Nodes, n) })
	return root, err
}

// readINI calls each with every section, and with every line of a name and its value.
func readINI(data []byte, each func(Node)) *Error {
	err := without(data,
		forbidden{markedLine, "a line begins with a byte order mark, which Python's configparser and others take for a part of it"},
		forbidden{zeroByte, "a zero byte"})
	if err != nil {
		return err
	}
	line := 0
	for text := range bytes.Lines(data) {
		line++
		for part := range bytes.SplitSeq(text, []byte("\r")) { // which ends a line for some readers
			if what := iniLine(string(bytes.TrimSpace(part)), each); what != "" {
				return atLine(data, line, 0, what)
			}
		}
	}
	return nil
}

// iniLine reads one line, and says what is wrong with it.
func iniLine(t string, each func(Node)) (what string) {
	switch {
	case isComment(t):
	case t[0] == '[':
		name, rest, closed := strings.Cut(t[1:], "]")
		if !closed || strings.TrimSpace(name) == "" || !isComment(strings.TrimSpace(rest)) {
			return "a section is a name in brackets"
		}
		each(Node{Kind: Section, Nodes: []Node{{Text: t}}}) // readers differ in which ] ends it
	case strings.IndexByte("=:", t[0]) >= 0:
		return "a value without a name"
	default:
		each(entry(t, Plain)) // readers differ in where its name ends
	}
	return ""
}

// isComment reports that a text is a comment of an INI file, or nothing.
func isComment(t string) bool { return t == "" || t[0] == ';' || t[0] == '#' }
