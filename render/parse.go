package render

import (
	"fmt"
	"strconv"
	"text/template/parse"

	"github.com/rendered/rendered/internal/fault"
)

// parse reads text i into t.trees, as far as it parses. Its parse name is its number: the names
// that come back in text/template's messages are then ours, whatever a file is called.
func (t *Template) parse(i int) fault.List {
	text := &t.texts[i]
	name := strconv.Itoa(i)
	set, err := t.parseText(name, text.Body)
	var faults fault.List
	if err != nil {
		m := &mender{t: t, text: text, name: name, scanner: t.scanner(text.Body)}
		set, faults = m.mend()
		t.mended = t.mended.and(m.state)
	}
	for name, tree := range set {
		if name == strconv.Itoa(i) {
			name = text.Name
			tree.Name = name
		}
		if old := t.trees[name]; old != nil && !parse.IsEmptyTree(old.Root) {
			if parse.IsEmptyTree(tree.Root) {
				continue
			}
			faults = append(faults, text.fault(int(tree.Root.Pos), fmt.Sprintf("template %q is defined a second time; the first is in %s", name, t.text(old).shown())))
			continue
		}
		t.trees[name] = tree
	}
	return faults
}

func (t *Template) parseText(name, body string) (map[string]*parse.Tree, error) {
	left, right := t.delims()
	set := make(map[string]*parse.Tree)
	tree := parse.New(name)
	tree.Mode = parse.SkipFuncCheck // we look for all unknown functions ourselves, with their columns
	_, err := tree.Parse(body, left, right, set)
	return set, err
}

// text gives the text that a tree was parsed from.
func (t *Template) text(tree *parse.Tree) *Text {
	i, err := strconv.Atoi(tree.ParseName)
	if err != nil || i >= len(t.texts) {
		return &t.texts[0]
	}
	return &t.texts[i]
}
