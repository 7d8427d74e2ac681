package funcs

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/fault/yamltext"
	"github.com/rendered/rendered/internal/lazyregexp"
)

// What YAML 1.1 and 1.2 read differently is written and read as neither can mistake it: a text that
// one of them takes for something else stands in quotes, and a number that is none of JSON's is
// refused.

// toYAML writes a value as Helm does: in blocks, keys in order, lists not indented, no line break
// at the end.
func toYAML(value any) (string, error) {
	w := yamlWriter{name: "toYaml"}
	if isComposite(value) {
		w.block(value, 0, 1)
	} else {
		w.WriteString(w.single(value))
	}
	if w.err != nil {
		return "", w.err
	}
	return strings.TrimSuffix(w.String(), "\n"), nil
}

// A yamlWriter writes blocks until something cannot be written.
type yamlWriter struct {
	strings.Builder
	name string
	err  error
}

func (w *yamlWriter) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// isComposite reports a list or a map with something in it.
func isComposite(value any) bool {
	v := reflect.ValueOf(value)
	return (isList(v) || v.Kind() == reflect.Map) && v.Len() > 0
}

// block writes a list or a map that begins where the writer stands, at an indentation.
func (w *yamlWriter) block(value any, indent, depth int) {
	if w.tooDeep(depth) {
		return
	}
	v := reflect.ValueOf(value)
	if isList(v) {
		for i := range v.Len() {
			w.pad(i, indent)
			w.WriteString("- ")
			w.item(v.Index(i).Interface(), indent+2, depth)
		}
		return
	}
	for i, key := range w.keys(value) {
		w.pad(i, indent)
		element, _, _ := entry(w.name, value, key)
		w.WriteString(yamlText(key) + ":")
		switch deeper := indent + 2; {
		case !isComposite(element):
			w.WriteString(" ")
		case isList(reflect.ValueOf(element)):
			deeper = indent
			fallthrough
		default:
			w.WriteString("\n")
			w.pad(1, deeper)
			w.block(element, deeper, depth+1)
			continue
		}
		w.item(element, indent, depth)
	}
}

// item writes what stands behind a dash or a colon.
func (w *yamlWriter) item(value any, indent, depth int) {
	if isComposite(value) {
		w.block(value, indent, depth+1)
		return
	}
	w.WriteString(w.single(value) + "\n")
}

// pad indents every line of a block but its first.
func (w *yamlWriter) pad(line, indent int) {
	if line > 0 {
		w.WriteString(strings.Repeat(" ", indent))
	}
}

// maxYAMLKey is how many bytes a key may have that stands on a line with its value (YAML 1.2,
// 7.4.3).
const maxYAMLKey = 1000

// keys gives the keys of a map, sorted.
func (w *yamlWriter) keys(value any) []string {
	if _, _, err := entry(w.name, value, ""); err != nil {
		w.fail(err)
		return nil
	}
	keys := sortedKeys(reflect.ValueOf(value))
	if slices.ContainsFunc(keys, func(k string) bool { return len(yamlText(k)) > maxYAMLKey }) {
		w.fail(failf("%s: a key is longer than %d bytes", w.name, maxYAMLKey))
	}
	return keys
}

// maxNested is how deep lists and maps may nest in what is written.
const maxNested = yamltext.MaxDepth

// tooDeep reports that nothing more is to be written.
func (w *yamlWriter) tooDeep(depth int) bool {
	if depth > maxNested {
		w.fail(failf("%s: lists and maps nest deeper than %d", w.name, maxNested))
	}
	if err := fits(w.name, w.Len()); err != nil {
		w.fail(err)
	}
	return w.err != nil
}

// single writes a value that stands on one line.
func (w *yamlWriter) single(value any) string {
	switch v := reflect.ValueOf(value); {
	case value == nil:
		return "null"
	case isList(v):
		return "[]"
	case v.Kind() == reflect.Map:
		return "{}"
	}
	if number, ok := numberText(value); ok {
		written, err := finite(w.name, number)
		if err != nil {
			w.fail(err)
		}
		return exponent.ReplaceAllStringFunc(written, withSign)
	}
	printed, err := text(w.name, value)
	if err == nil {
		err = textual(w.name, printed)
	}
	if err != nil {
		w.fail(err)
	}
	if _, is := value.(bool); is {
		return printed
	}
	return yamlText(printed)
}

// finite gives the text of a number that readers have as one: a float of 64 bits holds it.
func finite(name, number string) (string, error) {
	if _, err := strconv.ParseFloat(number, 64); err != nil {
		return "", failf("%s: a number is too large for its readers", name)
	}
	return number, nil
}

var exponent = lazyregexp.New(`^(-?\d+)(\.\d+)?[eE]([+-]?)(\d+)$`)

// withSign writes a number with an exponent as YAML 1.1 takes it for one: with a point before and a
// sign.
func withSign(number string) string {
	m := exponent.FindStringSubmatch(number)
	if m[2] == "" {
		m[2] = ".0"
	}
	if m[3] == "" {
		m[3] = "+"
	}
	return m[1] + m[2] + "e" + m[3] + m[4]
}

var (
	plainYAML = lazyregexp.New(`^[A-Za-z_/][A-Za-z0-9_./@-]*$`)
	yamlWords = strings.Fields("y n yes no on off true false null")
)

// yamlText writes a text: as it is where every reader takes it for one, else in quotes.
func yamlText(text string) string {
	if plainYAML.MatchString(text) && !slices.Contains(yamlWords, strings.ToLower(text)) {
		return text
	}
	return `"` + escapes.Replace(text) + `"`
}

// fromYAML reads one document. Texts, lists and maps come as fromJson gives them, and numbers,
// which are to be written as JSON's are.
func fromYAML(text string) (any, error) {
	documents, wrong := yamltext.Documents([]byte(text))
	switch {
	case wrong != nil:
		return nil, Error("fromYaml: " + wrong.Error())
	case len(documents) == 0:
		return nil, Error("fromYaml: it is empty")
	}
	for _, more := range documents[1:] {
		if more.Content[0].ShortTag() != "!!null" { // --- at the end
			return nil, Error("fromYaml: there is more than one document")
		}
	}
	r := yamlReader{values: maxCount, bytes: maxText}
	return r.value(documents[0].Content[0], 1)
}

// A yamlReader makes values of nodes. Aliases of aliases could otherwise fill the memory.
type yamlReader struct{ values, bytes int }

func (r *yamlReader) value(n *yaml.Node, depth int) (any, error) {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
		depth++
	}
	r.values--
	r.bytes -= len(n.Value)
	switch {
	case depth > maxNested:
		return nil, failf("fromYaml: maps and lists nest deeper than %d", maxNested)
	case r.values < 0 || r.bytes < 0:
		return nil, tooMuch("fromYaml")
	case !yamltext.OwnTag(n):
		return nil, failf("fromYaml: line %d: a tag, which asks for something that is not done here", n.Line)
	}
	switch n.Kind {
	case yaml.MappingNode:
		r.values -= 4
		return r.mapping(n, depth)
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, c := range n.Content {
			element, err := r.value(c, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, element)
		}
		return list, nil
	}
	return yamlScalar(n)
}

// mapping reads a map. What it merges (<<) stands behind its own keys.
func (r *yamlReader) mapping(n *yaml.Node, depth int) (map[string]any, error) {
	m := make(map[string]any, len(n.Content)/2)
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		for key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		switch _, twice := m[key.Value]; {
		case key.Kind != yaml.ScalarNode || key.ShortTag() == "!!null":
			return nil, failf("fromYaml: line %d: a key is no text", key.Line)
		case key.ShortTag() == "!!merge":
			merged = append(merged, value)
			continue
		case twice:
			return nil, &KeyError{keys: []string{key.Value}, what: "fromYaml: the YAML has the key %s twice"}
		}
		r.bytes -= len(key.Value)
		element, err := r.value(value, depth+1)
		if err != nil {
			return nil, err
		}
		m[key.Value] = element
	}
	for _, more := range merged {
		if err := r.merge(m, more, depth+1); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// merge adds to a map what it has not of another, or of each of a list of maps.
func (r *yamlReader) merge(m map[string]any, n *yaml.Node, depth int) error {
	value, err := r.value(n, depth)
	if err != nil {
		return err
	}
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	for _, from := range list {
		more, ok := from.(map[string]any)
		if !ok {
			return failf("fromYaml: line %d: << takes a map, or a list of maps", n.Line)
		}
		for key, element := range more {
			if _, has := m[key]; !has {
				m[key] = element
			}
		}
	}
	return nil
}

// jsonNumber is how JSON writes a number (RFC 8259, section 6).
var jsonNumber = lazyregexp.New(`^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$`)

func yamlScalar(n *yaml.Node) (any, error) {
	switch n.ShortTag() {
	case "!!null":
		return nil, nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true"), nil
	case "!!int", "!!float":
		if !jsonNumber.MatchString(n.Value) {
			return nil, failf("fromYaml: line %d: a number that readers of YAML do not agree about; write it in decimal, or in quotes where it is a text", n.Line)
		}
		return settled(json.Number(n.Value)), nil
	case "!!binary":
		return nil, failf("fromYaml: line %d: bytes, which no value is made of here", n.Line)
	}
	return n.Value, nil
}

// listOfAny makes of a reader of any value one that wants a list.
func listOfAny(name string, read func(string) (any, error)) func(string) ([]any, error) {
	return func(text string) ([]any, error) {
		value, err := read(text)
		if err != nil {
			return nil, err
		}
		list, ok := value.([]any)
		if !ok {
			return nil, failf("%s: this is %s, not a list", name, TypeName(value))
		}
		return list, nil
	}
}
