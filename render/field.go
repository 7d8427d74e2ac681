package render

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"

	"github.com/rendered/rendered/render/funcs"
	"github.com/rendered/rendered/sources"
)

// What is said about a field or a key that is not there names the lookup that the map or the text
// came from, where the template alone tells that.

// recordPiece notes the piece that a node stands for, or whose fields it follows. A node that is
// walked with several stands for none.
func (f *finder) recordPiece(n parse.Node, value any) {
	p := pieceOf(value)
	if before, walked := f.t.pieces[n]; walked && before != p && !reflect.DeepEqual(before, p) {
		p = nil
	}
	f.t.pieces[n] = p
}

// pieceAt gives the piece that a node stands for; nil where that is not known.
func (t *Template) pieceAt(n parse.Node) *piece {
	if pipe, ok := n.(*parse.PipeNode); ok {
		n = pipe.Cmds[len(pipe.Cmds)-1]
	}
	p := t.pieces[n]
	for _, name := range fieldsOf(n) {
		p = p.at(name).piece
	}
	return p
}

// lookup gives what a piece is a part of, with the keys that lead to it. It gives nil where that
// was not looked up.
func (r *run) lookup(p *piece) *lookupResult {
	if p == nil || p.ref == (sources.Ref{}) || !slices.Contains(r.Asked, p.ref) {
		return nil
	}
	value, err := r.snapshot.Get(r.ctx, p.ref)
	if err != nil {
		return nil
	}
	f := &lookupResult{run: r, ref: p.ref, value: value}
	for _, key := range slices.Concat(p.keys, p.path) {
		f.keys = append(f.keys, key)
	}
	return f
}

// explainField says that a value has no such field.
func (r *run) explainField(path []parse.Node, message string) (string, []string) {
	node := lastFields(path)
	name, fields := "this field", fieldsOf(node)
	i := slices.IndexFunc(fields, func(f string) bool { return isAbout(message, f) })
	if i >= 0 {
		name = fields[i]
	}
	p, ofMap := r.t.pieces[node], strings.HasPrefix(message, "map has no entry")
	what, hints := r.missingPart(r.t.pieceAt(node))
	switch {
	case what != "":
		return what, hints
	case ofMap && p != nil && p.function != "secretMap":
		return fmt.Sprintf("%s has no %s", p, name), nil
	case ofMap && p == nil && i >= 0:
		return noSuchName(name, r.t.Vars, upTo(node, i), fields[i+1:])
	}
	return "this value has no field " + name, nil
}

// isAbout reports that a message of text/template's names a field.
func isAbout(message, field string) bool {
	return strings.Contains(message, strconv.Quote(field)) || strings.Contains(message, " "+field+" ") || strings.HasSuffix(message, "."+field)
}

func lastFields(path []parse.Node) parse.Node {
	for _, n := range slices.Backward(path) {
		if fieldsOf(n) != nil {
			return n
		}
	}
	return nil
}

// missingPart says which part of the names that lead to a piece of a secret is not there; "" where
// that is not known.
func (r *run) missingPart(p *piece) (string, []string) {
	f := r.lookup(p)
	switch {
	case f == nil || p.function != "secretMap":
		return "", nil
	case slices.Contains(p.path, anyName):
		return p.String() + ": an element has no " + strconv.Quote(p.path[len(p.path)-1]), nil
	}
	_, err := f.rawAt(f.keys)
	if e, ok := unwrap(err); ok {
		return e.what, e.hints
	}
	return "", nil
}

// explainKeys says what an error about keys means, and what the map comes from.
func (r *run) explainKeys(path []parse.Node, err *funcs.KeyError) string {
	c := lastCommand(path)
	var p *piece
	if operands := operandNodes(path, c); len(operands) > 0 {
		p = r.t.pieceAt(operands[0])
	}
	what := err.Show(func(key string) bool {
		return !r.readSecret || r.t.knowsKey(c, key) || r.lookup(p).holds(key)
	}, hiddenName)
	if p != nil && p.shape != oneText {
		what = p.String() + ": " + what
	}
	return what
}

// knowsKey reports that the template alone gives some argument of a call.
func (t *Template) knowsKey(c *parse.CommandNode, key string) bool {
	if c == nil {
		return false
	}
	for index := range len(c.Args) { // one more than are written: what is piped
		if t.isKnown(c, index, key) {
			return true
		}
	}
	return false
}

// holds reports that a key is one of the map that was looked up, as it is stored.
func (f *lookupResult) holds(key string) bool {
	if f == nil {
		return false
	}
	for name := range f.value.Params {
		if name == key || slices.Contains(strings.Split(name, "/"), key) {
			return true
		}
	}
	_, err := f.rawAt(append(f.keys, key))
	return f.value.Params == nil && err == nil
}

// explainNull says which null of a secret's JSON it is that a function was given, or was to be
// printed, where that is known.
func (r *run) explainNull(path []parse.Node, err funcs.Nothing) (string, []string) {
	c := lastCommand(path)
	if c == nil {
		return err.Error(), nil
	}
	path = append(path, c.Args[0]) // of names in front the path may end with the command
	for _, n := range append([]parse.Node{lastFields(path), c}, operandNodes(path, c)...) {
		p := r.t.pieceAt(n)
		if what, hints := r.noVersion(p); what != "" {
			return what, hints
		}
		if p == nil || p.function != "secretMap" {
			continue
		}
		f := r.lookup(p)
		if keys := f.null(); keys != nil {
			return f.String() + f.path(keys) + " is null: " + err.Error(), f.fallback(keys)
		}
	}
	return err.Error(), nil
}

// null gives the keys of the null that was looked up; the last of those that lead to it may be any.
// It gives nil where there is none.
func (f *lookupResult) null() []any {
	if f == nil {
		return nil
	}
	keys, last := f.keys, len(f.keys)-1
	if last >= 0 && keys[last] == anyName {
		return f.anyNull(keys[:last])
	}
	if raw, err := f.rawAt(keys); err != nil || raw[0] != 'n' {
		return nil
	}
	return keys
}

// anyNull gives the keys of the first null in what is at the keys.
func (f *lookupResult) anyNull(keys []any) []any {
	raw, err := f.rawAt(keys)
	if err != nil {
		return nil
	}
	tree, _ := funcs.DecodeJSON(raw)
	switch t := tree.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(t)) {
			if t[key] == nil {
				return append(keys, key)
			}
		}
	case []any:
		if i := slices.Index(t, nil); i >= 0 {
			return append(keys, i)
		}
	}
	return nil
}

// operandNodes gives the arguments of a command, which is on a path; the last is the command that
// is piped into it.
func operandNodes(path []parse.Node, c *parse.CommandNode) []parse.Node {
	if c == nil {
		return nil
	}
	nodes := slices.Clone(c.Args[1:])
	for _, n := range path {
		if p, ok := n.(*parse.PipeNode); ok {
			if i := slices.Index(p.Cmds, c); i > 0 {
				nodes = append(nodes, p.Cmds[i-1])
			}
		}
	}
	return nodes
}
