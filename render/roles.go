package render

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// A kind is what a value is, as far as the template alone tells: one of these, or any of several.
type kind int

const (
	isInt kind = 1 << iota
	isFloat
	isText
	isBool
	isList
	isMap

	isNumber  = isInt | isFloat | isText // what a function makes a number of
	isPrinted = isInt | isFloat | isText | isBool
	isAny     = isInt | isFloat | isText | isBool | isList | isMap
)

// kindOf gives the kind of a value that is known, or that is known to be made by some function.
func kindOf(value any) kind {
	switch v := value.(type) {
	case unknown:
		if v.piece != nil {
			return map[shape]kind{anyValue: isAny, oneText: isText, textList: isList, textMap: isMap, trueOrFalse: isBool, pairList: isList, onePair: isMap, versionMap: isMap, textOrNothing: isText}[v.piece.shape]
		}
		return kindOfType(v.made)
	case nil:
		return isAny
	}
	return kindOfType(reflect.TypeOf(value))
}

// kindOfType gives the kind of the values of a type of Go. nil is any.
func kindOfType(t reflect.Type) kind {
	if t == nil {
		return isAny
	}
	return cmp.Or(kindsOfGo[t.Kind()], isAny)
}

var kindsOfGo = map[reflect.Kind]kind{
	reflect.String: isText, reflect.Bool: isBool, reflect.Slice: isList, reflect.Map: isMap, reflect.Float64: isFloat, reflect.Int: isInt, reflect.Int64: isInt,
}

// A role is what an argument is to its function.
type role struct {
	words string // in a sentence
	takes kind
	use   use
}

// A use is what a function does with an argument, as far as that shows in a call.
type use int

const (
	plain     use = iota
	subject       // what it works on: as a rule a value, where the others are written down
	shorter       // a part of the subject, or what stands between its parts
	contained     // what may stand in the subject, or be one of the words that it lists
	matches       // what is looked for in the subject
	replaced      // what is put something in the place of
	fills         // what is put there
	fallback      // what stands for a subject that is empty
	formats       // a text with verbs for the other arguments
	bounds        // a range of versions, which the subject may be in
	names         // a kind, which the subject may be of
	layouts       // how a time is written, which the subject is not
	spans         // a duration
	zones         // a time zone
)

var roleNamed = map[string]role{
	"text": {"the text", isText, subject}, "value": {"the value", isAny, subject}, "version": {"the version", isText, subject},
	"prefix": {"the prefix", isText, shorter}, "suffix": {"the suffix", isText, shorter}, "separator": {"the separator", isText, shorter},
	"part": {"what to look for", isText, contained}, "characters": {"the characters", isText, matches}, "pattern": {"the pattern", isText, matches},
	"old": {"the old part", isText, replaced}, "new": {"the new part", isText, fills}, "replacement": {"the replacement", isText, fills},
	"default": {"the default", isAny, fallback}, "message": {"the message", isAny, fallback}, "format": {"the format", isText, formats},
	"constraint": {"the constraint", isText, bounds}, "kind": {"the kind", isText, names}, "type": {"the type", isText, names},
	"count": {"the count", isInt, plain}, "width": {"the width", isInt, plain}, "offset": {"the offset", isInt, plain}, "size": {"the size", isInt, plain},
	"start": {"the start", isNumber, plain}, "end": {"the end", isNumber, plain}, "first": {"the start", isInt, plain}, "behind": {"the end", isInt, plain},
	"number": {"the number", isNumber, plain}, "digits": {"the digits", isInt, plain}, "from": {"from where to round up", isNumber, plain},
	"list": {"the list", isList, plain}, "map": {"the map", isMap, plain}, "key": {"the key", isText, plain}, "key…": {"the keys", isText, plain}, "map…": {"the maps", isMap, plain},
	"place…": {"the keys", isNumber, plain}, "collection": {"the map or the list", isMap | isList, plain}, "sequence": {"the text or the list", isText | isList, plain},
	"element": {"the element", isAny, plain}, "element…": {"the elements", isAny, plain}, "value…": {"the values", isAny, plain},
	"yes": {"the value for true", isAny, plain}, "no": {"the one for false", isAny, plain}, "condition": {"true or false", isBool, plain},
	"time": {"the time", isNumber, subject}, "layout": {"the layout", isText, layouts}, "duration": {"the duration", isText, spans}, "zone": {"the time zone", isText, zones},
	"partial": {"the name of the template", isText, plain}, "data": {"what it is given", isAny, plain}, "setting": {"the value", isAny, plain}, "inner": {"the separator within a pair", isText, shorter}, "variable": {"the name of the variable", isText, plain}, "defaults": {"the default map", isMap, plain},
	"one": {"the text for one", isText, plain}, "many": {"the one for many", isText, plain}, "name": {"the name", isAny, plain},
}

// orderOf has for each function whose arguments have several roles their order, and behind it those
// of other programs: of Go, of consul-template, gomplate and confd, of Jinja, of Python. Of two
// arguments the only other order is the turned one. A role with … stands for any number of
// arguments; one with ? may be left out.
var orderOf = map[string]string{
	"trimPrefix": "prefix text", "trimSuffix": "suffix text", "trimAll": "characters text", "hasPrefix": "prefix text", "hasSuffix": "suffix text", "contains": "part text",
	"split": "separator text", "splitList": "separator text", "splitn": "separator count text | text separator count | separator text count",
	"regexMatch": "pattern text", "regexFind": "pattern text",
	"regexFindAll":           "pattern text count | text pattern count | pattern count text",
	"regexSplit":             "pattern text count | text pattern count | pattern count text",
	"replace":                "old new text | text old new | old text new",
	"regexReplaceAll":        "pattern text replacement | pattern replacement text | text pattern replacement",
	"regexReplaceAllLiteral": "pattern text replacement | pattern replacement text | text pattern replacement",
	"trunc":                  "count text", "repeat": "count text", "indent": "count text", "nindent": "count text", "abbrev": "width text", "wrap": "width text",
	"substr": "first behind text | text first behind", "abbrevboth": "offset width text | text offset width", "wrapWith": "width separator text | text width separator | width text separator",
	"join": "separator list", "has": "element list", "append": "list element", "push": "list element", "prepend": "list element", "chunk": "size list",
	"without": "list element… | element… list", "index": "collection place… | place… collection", "slice": "sequence start? end? | start end sequence",
	"hasKey": "map key", "get": "map key default? | key map default | key default map", "pick": "map key… | key… map", "omit": "map key… | key… map", "pluck": "key map… | map… key",
	"dig": "key… default map | map key… default", "default": "default value", "required": "message value", "ternary": "yes no condition | condition yes no",
	"plural": "one many count | count one many", "round": "number digits from? | digits number from", "printf": "format value… | value… format",
	"semverCompare": "constraint version", "set": "map key setting | key map setting | key setting map", "unset": "map key",
	"splitToMap": "separator inner text | text separator inner", "date": "layout time", "toDate": "layout text", "dateModify": "duration time",
	"dateInZone": "layout time zone | time layout zone", "htmlDateInZone": "time zone",
	"kindIs": "kind value", "typeIs": "type value", "typeIsLike": "type value",
	"secretOr": "default name key… | name default key…", "paramOr": "default name", "fileOr": "default name", "paramsOr": "defaults name",
	"envOr": "default variable", "include": "partial data",
}

// An order is in which order a function takes its arguments.
type order struct {
	ours    []string
	least   int // how many of them may not be left out
	foreign [][]string
}

var orders = sync.OnceValue(func() map[string]order {
	m := make(map[string]order, len(orderOf))
	for name, text := range orderOf {
		ours, others, _ := strings.Cut(text, " | ")
		o := order{ours: strings.Fields(strings.ReplaceAll(ours, "?", ""))}
		o.least = len(o.ours) - strings.Count(ours, "?")
		if others == "" {
			others = o.ours[1] + " " + o.ours[0]
		}
		for other := range strings.SplitSeq(others, " | ") {
			o.foreign = append(o.foreign, strings.Fields(other))
		}
		m[name] = o
	}
	return m
})

// orderNamed gives the order of a function; one with must is that of the function without it, and
// trimall is trimAll.
func orderNamed(name string) (order, bool) {
	if name == "trimall" {
		name = "trimAll"
	}
	if plain, ok := strings.CutPrefix(name, "must"); ok && plain != "" {
		name = strings.ToLower(plain[:1]) + plain[1:]
	}
	o, ok := orders()[name]
	return o, ok
}

// describe says what a function takes.
func (o order) describe(name string) string {
	words := make([]string, len(o.ours))
	for i, r := range o.ours {
		words[i] = roleNamed[r].words
	}
	last := len(words) - 1
	if last == 1 {
		return name + " takes " + words[0] + " first, then " + words[1]
	}
	return name + " takes " + strings.Join(words[:last], ", ") + ", then " + words[last]
}

// spread gives an order for so many arguments: the role with … as often as needed, those at the end
// of ours that may be left out as far as they are. It gives nil where the arguments are too few or
// too many.
func (o order) spread(of []string, n int) []string {
	if slices.ContainsFunc(o.ours, isMany) {
		return o.repeat(of, n-len(o.ours)+1)
	}
	if n < o.least || n > len(o.ours) {
		return nil
	}
	used := o.ours[:n]
	return slices.DeleteFunc(slices.Clone(of), func(r string) bool { return !slices.Contains(used, r) })
}

// repeat gives an order with the role with … so many times, nil where that is none.
func (o order) repeat(of []string, times int) (list []string) {
	if times < 1 {
		return nil
	}
	for _, r := range of {
		if isMany(r) {
			list = append(list, slices.Repeat([]string{r}, times)...)
		} else {
			list = append(list, r)
		}
	}
	return list
}

func isMany(role string) bool { return strings.HasSuffix(role, "…") }
