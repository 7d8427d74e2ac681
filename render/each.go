package render

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"
	"unicode"
	"unicode/utf8"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render/funcs"
	"github.com/rendered/rendered/sources"
)

// An Each is the pipeline of a File that stands for a file for each element of a map or a list. It
// is executed as the head of a range, whose body notes the elements.
type Each struct {
	Template *Template
	// Path gives the path of the file for a key, or says why there can be none.
	Path func(key string) (string, *fault.Fault)
	// Remove: a file whose key is gone is removed; else it stays.
	Remove bool

	elem   any  // what the template alone tells of an element
	public bool // it is made of vars alone
}

// An item is one element.
type item struct {
	key     string
	value   any
	number  bool         // the key is that of an element of a list
	secret  bool         // a secret was read for it
	lookups []lookupText // the texts in the value, with the lookups that they come from
	keys    []lookupText // likewise of keys
}

const (
	eachHead = "{{ range $key, $value := "
	eachTail = " }}{{ end }}"
	// itemFunction notes an element.
	itemFunction = "_item"
	// MostItems is how many files an Each may stand for.
	MostItems = 1000
	// mostKey bounds a key that is shown, in bytes; a longer one is no name of a file.
	mostKey = 255
)

// ParseEach reads a pipeline that gives a map or a list, as `params "/tls/sites"`: the body of
// o.Main. It is Parse, and what is no pipeline is a fault.
func ParseEach(o Options) (*Each, fault.List) {
	o.Main.Body, o.Main.before = eachHead+o.Main.Body+eachTail, len(eachHead)
	o.Left, o.Right, o.Each = "", "", nil
	t, faults := Parse(o)
	for _, f := range faults {
		unranged(f)
	}
	if len(faults) > 0 {
		return nil, faults
	}
	x := t.texts[0]
	n, _ := x.trees[t.Main.Name].Root.Nodes[0].(*parse.RangeNode)
	if len(x.trees) != 1 || len(x.trees[t.Main.Name].Root.Nodes) != 1 || n == nil || len(n.Pipe.Decl) != 2 || n.ElseList != nil {
		return nil, fault.List{o.Main.fault(0, "each: takes one pipeline that gives a map or a list, without braces", `each: 'params "/tls/sites"', or each: .sites`)}
	}
	t.notesItems = true
	if t.ranged == nil {
		t.ranged = unknown{}
	}
	return &Each{Template: t, elem: t.ranged, public: len(t.lookups) == 0 && !slices.Contains(x.called, "env") && !slices.Contains(x.called, "envOr")}, nil
}

// unranged has a fault speak of the pipeline alone.
func unranged(f *fault.Fault) {
	f.Hints = slices.Clone(f.Hints)
	for i, h := range f.Hints {
		f.Hints[i] = strings.ReplaceAll(strings.ReplaceAll(h, eachHead, "{{ "), eachTail, " }}")
	}
}

// noteItem makes a call of itemFunction with what the range of an Each declares.
func noteItem(pos parse.Pos) parse.Node {
	variable := func(name string) parse.Node {
		return &parse.VariableNode{NodeType: parse.NodeVariable, Pos: pos, Ident: []string{name}}
	}
	return silently(commandNode(pos, itemFunction, variable("$key"), variable("$value")))
}

// item notes an element, for ParseEach.
func (r *run) item(key, value any) (string, error) {
	if len(r.items) == MostItems {
		return "", &lookupError{what: fmt.Sprintf("each: gives more than %d elements", MostItems), hints: []string{"each would be a file of its own"}}
	}
	one := item{value: value, secret: r.readSecret}
	switch k := key.(type) {
	case string:
		one.key = k
	case int:
		one.key, one.number = strconv.Itoa(k), true
	default:
		return "", &lookupError{what: "each: gives keys that are no texts"}
	}
	r.items = append(r.items, one)
	return "", nil
}

// items gives the elements, by key.
func (e *Each) items(ctx context.Context, snapshot *sources.Snapshot) ([]item, []sources.Ref, *fault.Fault) {
	out, failed := e.Template.Execute(ctx, snapshot)
	if failed != nil {
		unranged(failed)
		return nil, out.Asked, failed
	}
	names := make(map[string]string, len(out.lookedUp)) // of lookups, by what they gave
	for _, l := range out.lookedUp {
		names[l.text] = l.lookup
	}
	for i := range out.items {
		it := &out.items[i]
		if it.secret && !it.number && !e.isName(it.key, out) {
			what := "made of a secret"
			if names[it.key] != "" {
				what = "the value of " + names[it.key]
			}
			return nil, out.Asked, e.fault("each: gives a key that is "+what, "a key becomes a path, which everybody may see")
		}
		it.trace(names)
	}
	return out.items, out.Asked, nil
}

// isName reports that a key is no part of a secret's value: it is one of a secret's JSON, or stands
// in the pipeline, in the vars or in the name of what was looked up.
func (e *Each) isName(key string, out Output) bool {
	is := func(t lookupText) bool { return t.text == key }
	if slices.ContainsFunc(out.keys, is) {
		return true
	}
	of := func(t lookupText) bool { return strings.Contains(t.lookup, key) }
	return !slices.ContainsFunc(out.lookedUp, is) && (slices.ContainsFunc(out.lookedUp, of) ||
		strings.Contains(e.Template.Main.Body, key) || strings.Contains(fmt.Sprint(e.Template.Vars), key))
}

// trace notes which texts are in the value, and which lookups they come from.
func (it *item) trace(names map[string]string) {
	it.keys = append(it.keys, lookupText{"a key of each:", it.key})
	var walk func(value any)
	walk = func(value any) {
		switch v := value.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				it.keys = append(it.keys, lookupText{"a key of each:", key})
				walk(v[key])
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		default:
			if text, err := funcs.Print(v); err == nil && names[text] != "" {
				it.lookups = append(it.lookups, lookupText{names[text], text})
			}
		}
	}
	walk(it.value)
}

// data gives what a template knows by names.
func (t *Template) data(it *item) map[string]any {
	if it == nil {
		return t.Vars
	}
	data := maps.Clone(t.Vars)
	if data == nil {
		data = make(map[string]any)
	}
	data["key"], data["value"] = it.key, it.value
	return data
}

// dot gives what the template alone tells of that.
func (t *Template) dot() any {
	if t.Each == nil && !t.Keyed {
		return t.Vars
	}
	dot := maps.Clone(t.Vars)
	if dot == nil {
		dot = make(map[string]any)
	}
	dot["key"] = unknown{}
	if t.Each != nil {
		dot["value"] = t.Each.elem
	}
	if t.item != nil { // a key is a name, which the path has, too
		if dot["key"] = t.item.key; t.Each != nil && t.Each.public {
			dot["value"] = t.item.value
		}
	}
	return dot
}

// IsEach tells whether the file stands for a file for each element.
func (f *File) IsEach() bool { return f.Each != nil }

// Lookups gives the lookups of the file: of its Each, and of its template.
func (f *File) Lookups() []Lookup {
	if f.Each == nil {
		return f.Template.Lookups()
	}
	return slices.Concat(f.Each.Template.Lookups(), f.Template.Lookups())
}

// Refs gives the refs that are known before any render, each once. The caller does not change them.
func (f *File) Refs() []sources.Ref {
	if f.Each == nil {
		return f.Template.Refs()
	}
	return sources.Unique(slices.Concat(f.Each.Template.Refs(), f.Template.Refs()))
}

// Expand gives the files that a file stands for, by key; one that has no Each is itself. What was
// asked for is given whether or not it succeeds.
func (f *File) Expand(ctx context.Context, snapshot *sources.Snapshot) (list []*File, asked []sources.Ref, _ fault.List) {
	if f.Each == nil {
		return []*File{f}, nil, nil
	}
	items, asked, failed := f.Each.items(ctx, snapshot)
	if failed != nil {
		return nil, asked, fault.List{failed}
	}
	var faults fault.List
	keys := make(map[string]string, len(items)) // by path
	for i := range items {
		one, refused := f.of(&items[i])
		switch {
		case refused == nil && keys[one.Path] != "":
			refused = f.Each.fault(fmt.Sprintf("the keys %q and %q make one path, %s", keys[one.Path], items[i].key, one.Path))
			fallthrough
		case refused != nil:
			if faults = append(faults, refused); len(faults) == mostRefused {
				return nil, asked, faults
			}
		default:
			keys[one.Path] = items[i].key
			list = append(list, one)
		}
	}
	return list, asked, faults
}

// mostRefused is of how many keys it is said why they cannot be.
const mostRefused = 10

// of gives the file for an element.
func (f *File) of(it *item) (*File, *fault.Fault) {
	if what, hint := refuseKey(it.key); what != "" {
		return nil, f.Each.fault(fmt.Sprintf("the key %s %s", ShownKey(it.key), what), hint...)
	}
	path, failed := f.Each.Path(it.key)
	if failed != nil {
		failed.What = fmt.Sprintf("for the key %s: %s", ShownKey(it.key), failed.What)
		return nil, failed
	}
	one := *f
	one.Path, one.Each, one.Of, one.item = path, nil, f, it
	return &one, nil
}

// fault says what is wrong with what it gives.
func (e *Each) fault(what string, hints ...string) *fault.Fault {
	f := e.Template.Main.fault(0, what, hints...)
	e.Template.delimit(f)
	return f
}

// refuseKey says why a key is no name of a file.
func refuseKey(key string) (what string, hints []string) {
	const name = "the path takes .key as the name of a file"
	switch {
	case key == "":
		return "is empty", []string{name}
	case key == "." || key == "..":
		return "is a directory's name", []string{name}
	case strings.Contains(key, "/"):
		return "has a / in it", []string{name + "; of parameters, paramsTree gives one level"}
	case len(key) > mostKey:
		return fmt.Sprintf("is longer than %d bytes", mostKey), []string{name}
	case !utf8.ValidString(key) || strings.ContainsFunc(key, unicode.IsControl):
		return "holds a control character, or is no text", []string{name}
	case strings.Contains(key, "*"):
		return "has a * in it", []string{"a path names one file, not a pattern"}
	}
	return "", nil
}

// ShownKey gives a key as it is shown.
func ShownKey(key string) string {
	if len(key) > mostKey {
		key = strings.ToValidUTF8(key[:mostKey], "") + "…"
	}
	return strconv.Quote(key)
}

// Key gives the key that the file is for; "" where it is of no Each.
func (f *File) Key() string {
	if f.item == nil {
		return ""
	}
	return f.item.key
}

// AnyKey stands in the path of a File with an Each for the keys.
const AnyKey = "*"

// Makes tells whether a path may be that of a file that one with this path stands for; where that
// has no AnyKey, whether it is the same.
func Makes(of, path string) bool {
	head, rest, keyed := strings.Cut(of, AnyKey)
	if !keyed {
		return of == path
	}
	tail, _, _ := strings.Cut(rest, AnyKey)
	key, found := strings.CutPrefix(path, head)
	if key == "" || !found {
		return false
	}
	for end := len(key); end > 0; end-- { // what follows the key may be in it, too
		if strings.HasPrefix(key[end:], tail) && !strings.Contains(key[:end], "/") && strings.ReplaceAll(of, AnyKey, key[:end]) == path {
			return true
		}
	}
	return false
}
