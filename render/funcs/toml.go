package funcs

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/rendered/rendered/internal/lazyregexp"
	"github.com/rendered/rendered/render/format"
)

// toTOML writes a map as TOML 1.0: keys in order, first those with single values, then the tables.
// It ends without a line break.
func toTOML(value any) (string, error) {
	if _, _, err := entry("toToml", value, ""); err != nil {
		return "", err
	}
	w := tomlWriter{yamlWriter{name: "toToml"}}
	w.table("", value, 1)
	if w.err != nil {
		return "", w.err
	}
	return strings.Trim(w.String(), "\n"), nil
}

type tomlWriter struct{ yamlWriter }

var bareTOML = lazyregexp.New(`^[A-Za-z0-9_-]+$`)

func tomlKey(key string) string {
	if bareTOML.MatchString(key) {
		return key
	}
	return `"` + escapes.Replace(key) + `"`
}

// tables gives the tables that a key is written as: those of a map, or of a list of maps.
func tables(value any) (list []any, head string) {
	v := reflect.ValueOf(value)
	switch {
	case v.Kind() == reflect.Map:
		return []any{value}, "[%]"
	case !isList(v) || v.Len() == 0:
		return nil, ""
	}
	for i := range v.Len() {
		element := v.Index(i).Interface()
		if reflect.ValueOf(element).Kind() != reflect.Map {
			return nil, ""
		}
		list = append(list, element)
	}
	return list, "[[%]]"
}

// table writes what is in a map, the way to which is a text that ends in a point.
func (w *tomlWriter) table(way string, m any, depth int) {
	if w.tooDeep(depth) {
		return
	}
	keys := sortedKeys(reflect.ValueOf(m))
	for _, key := range keys {
		value, _, _ := entry(w.name, m, key)
		if list, _ := tables(value); list == nil {
			w.WriteString(tomlKey(key) + " = ")
			w.inline(key, value, depth)
			w.WriteString("\n")
		}
	}
	for _, key := range keys {
		value, _, _ := entry(w.name, m, key)
		list, head := tables(value)
		for _, inner := range list {
			if w.err != nil {
				return
			}
			w.WriteString("\n" + strings.Replace(head, "%", way+tomlKey(key), 1) + "\n")
			w.table(way+tomlKey(key)+".", inner, depth+1)
		}
	}
}

// inline writes the value of a key on its line.
func (w *tomlWriter) inline(key string, value any, depth int) {
	if w.tooDeep(depth) {
		return
	}
	v := reflect.ValueOf(value)
	switch {
	case value == nil:
		w.fail(&KeyError{keys: []string{key}, what: w.name + ": the value of %s is null, which TOML has not; omit MAP KEY leaves it out"})
	case isList(v):
		w.WriteString("[")
		for i := range v.Len() {
			w.WriteString(strings.Repeat(", ", min(i, 1)))
			w.inline(key, v.Index(i).Interface(), depth+1)
		}
		w.WriteString("]")
	case v.Kind() == reflect.Map:
		w.WriteString("{")
		for i, inner := range w.keys(value) {
			element, _, _ := entry(w.name, value, inner)
			w.WriteString(strings.Repeat(", ", min(i, 1)) + tomlKey(inner) + " = ")
			w.inline(inner, element, depth+1)
		}
		w.WriteString("}")
	default:
		w.WriteString(w.word(value))
	}
}

// word writes a single value. A whole number has 64 bits in TOML.
func (w *tomlWriter) word(value any) string {
	if number, ok := numberText(value); ok {
		_, err := strconv.ParseInt(number, 10, 64)
		if strings.ContainsAny(number, ".eE") {
			_, err = finite(w.name, number)
		}
		if err != nil {
			w.fail(failf("%s: a number is too large for TOML", w.name))
		}
		return number
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
	return `"` + escapes.Replace(printed) + `"`
}

// maxTOML is how many bytes of TOML are read.
const maxTOML = 1 << 20

var tomlFormat = func() format.Format {
	f, err := format.Parse("toml")
	if err != nil {
		panic(err)
	}
	return f
}()

// fromTOML reads TOML. Fractions are of 64 bits, dates and times the texts of RFC 3339.
func fromTOML(text string) (any, error) {
	if len(text) > maxTOML {
		return nil, failf("fromToml: this is more than %d MiB", maxTOML>>20)
	}
	if err := tomlFormat.Check([]byte(text)); err != nil {
		return nil, Error("fromToml: " + err.Error())
	}
	var m map[string]any
	if _, err := toml.Decode(text, &m); err != nil {
		return nil, Error("fromToml: this cannot be read as TOML")
	}
	return fromTOMLValue(m)
}

// timeLayouts are how TOML's dates and times are written, by the names of their locations
// (BurntSushi/toml, "Local times").
var timeLayouts = map[string]string{"datetime-local": "2006-01-02T15:04:05.999999999", "date-local": time.DateOnly, "time-local": "15:04:05.999999999"}

// fromTOMLValue gives decoded TOML the types that templates work with.
func fromTOMLValue(value any) (any, error) {
	switch v := value.(type) {
	case float64:
		if _, err := decimal("fromToml", v); err != nil {
			return nil, err
		}
	case time.Time:
		if layout, local := timeLayouts[v.Location().String()]; local {
			return v.Format(layout), nil
		}
		return v.Format(time.RFC3339Nano), nil
	case map[string]any:
		for _, key := range keys(v) {
			if key == "" { // in a list the decoder loses what stands beside it
				return nil, Error("fromToml: a key is empty")
			}
			element, err := fromTOMLValue(v[key])
			if err != nil {
				return nil, err
			}
			v[key] = element
		}
	case []map[string]any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = v[i]
		}
		return fromTOMLValue(list)
	case []any:
		list := slices.Clone(v)
		for i := range list {
			element, err := fromTOMLValue(list[i])
			if err != nil {
				return nil, err
			}
			list[i] = element
		}
		return list, nil
	}
	return value, nil
}
