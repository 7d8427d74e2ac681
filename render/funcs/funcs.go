// Package funcs is the functions that a template may call and that look nothing up. Each gives the
// same for the same arguments, always: what depends on time, chance or the order of a map would
// change a file on every pass. Each either gives what was asked for or fails; none gives zero,
// nothing or the text of an error in its place. No error holds an argument's value.
package funcs

import (
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

// An Error is why a function failed. Its text names functions, types and sizes, and never holds a
// value.
type Error string

// Error gives the text.
func (e Error) Error() string { return string(e) }

// Nothing is why a function failed that was given nothing: JSON's null, or what a template never
// set. It holds no value.
type Nothing string

// Error gives the text.
func (n Nothing) Error() string { return string(n) }

// A KeyError is a failure that is about the keys of a map. Keys are names, unless a template made
// them of values: whoever shows the error decides about each.
type KeyError struct {
	keys []string
	what string // with %s for each key
	name string // what is made of the keys; may be ""
	near string // a key of the map that may have been meant; may be ""
}

// Error gives the text with the keys in it.
func (e *KeyError) Error() string {
	return e.Show(func(string) bool { return true }, "")
}

// Show gives the text, with hidden in the place of each key that may not be shown.
func (e *KeyError) Show(may func(key string) bool, hidden string) string {
	shown, all := make([]any, len(e.keys)), true
	for i, k := range e.keys {
		if shown[i] = strconv.Quote(k); !may(k) {
			shown[i], all = hidden, false
		}
	}
	text := fmt.Sprintf(e.what, shown...)
	if !all {
		return text
	}
	if e.name != "" {
		text += ", " + strconv.Quote(e.name)
	}
	if e.near != "" && may(e.near) {
		text += fmt.Sprintf("; did you mean %q?", e.near)
	}
	return text
}

func failf(format string, args ...any) error { return Error(fmt.Sprintf(format, args...)) }

const (
	maxText  = 16 << 20 // bytes of a text that a function makes
	maxCount = 1 << 20  // elements of a list that a function makes
)

// taken are the functions of sprig that are good as they are. What they fail with is reworded by
// whoever executes templates.
var taken = []string{
	"abbrev", "abbrevboth", "adler32sum", "all", "any", "append", "b32enc", "b64enc", "base",
	"camelcase", "clean", "compact", "concat", "contains", "deepCopy", "default", "dir", "empty",
	"ext", "hasPrefix", "hasSuffix", "initial", "isAbs", "kebabcase", "list", "lower", "mustAppend",
	"mustCompact", "mustDeepCopy", "mustInitial", "mustPrepend", "mustPush", "mustRest",
	"mustReverse", "omit", "pick", "plural", "pluck", "prepend", "push", "regexQuoteMeta", "rest",
	"reverse", "semverCompare", "sha1sum", "sha256sum", "sha512sum", "snakecase", "split",
	"splitList", "splitn", "title", "trim", "trimAll", "trimPrefix", "trimSuffix", "tuple", "upper",
}

// aliases are other names that sprig has for functions.
var aliases = map[string]string{
	"trimall": "trimAll", "osBase": "base", "osDir": "dir", "osClean": "clean", "osExt": "ext", "osIsAbs": "isAbs",
}

// own are the functions that are ours, and those that stand in for sprig's of the same name.
var own = template.FuncMap{
	"envQuote": envQuote, "iniQuote": iniQuote, "nginxQuote": nginxQuote, "pgpassQuote": pgpassQuote, "pgbouncerQuote": pgbouncerQuote,
	"shellQuote": shellQuote, "tomlQuote": tomlQuote, "xmlQuote": xmlQuote, "yamlQuote": yamlQuote,
	"phpIniQuote": phpIniQuote, "mycnfQuote": mycnfQuote, "gitQuote": gitQuote,
	"phpQuote": phpQuote, "hclQuote": hclQuote, "propertiesQuote": propertiesQuote, "dotenvQuote": dotenvQuote, "dockerEnvQuote": dockerEnvQuote,
	"quote": quote, "squote": squote, "dotenv": dotenv, "dotenvAsIs": dotenvAsIs, "dockerEnv": dockerEnv, "dockerEnvAsIs": dockerEnvAsIs,

	"toJson": toJSON, "mustToJson": toJSON, "toRawJson": toJSON, "mustToRawJson": toJSON, "toPrettyJson": toPrettyJSON, "mustToPrettyJson": toPrettyJSON,
	"fromJson": fromJSON, "mustFromJson": fromJSON, "fromJsonArray": listOfAny("fromJsonArray", fromJSON),
	"toYaml": toYAML, "fromYaml": fromYAML, "fromYamlArray": listOfAny("fromYamlArray", fromYAML), "toToml": toTOML, "fromToml": fromTOML,
	"urlQuote": urlQuote, "urlParse": urlParse, "urlJoin": urlJoin, "b64urlenc": b64urlenc, "b64urldec": b64urldec, "md5sum": md5sum, "hmacSHA256": hmacSHA256,

	"date": date, "dateInZone": dateInZone, "htmlDate": htmlDate, "htmlDateInZone": htmlDateInZone, "toDate": toDate, "mustToDate": toDate,
	"dateModify": dateModify, "mustDateModify": dateModify, "unixEpoch": unixEpoch, "duration": duration, "durationRound": durationRound,
	"semver": version, "parseBool": parseBool, "splitToMap": splitToMap, "set": set, "unset": unset,

	"get": get, "hasKey": hasKey, "index": index, "keys": keys, "values": values, "dig": dig, "chunk": chunk, "mustChunk": chunk, "first": first, "mustFirst": first, "last": last, "mustLast": last,
	"merge": merge(sprigMerge), "mustMerge": merge(sprigMerge), "mergeOverwrite": merge(sprigOverwrite), "mustMergeOverwrite": merge(sprigOverwrite),
	"coalesce": coalesce, "ternary": ternary,

	"kindOf": kindOf, "kindIs": kindIs, "typeOf": typeOf, "typeIs": typeIs, "typeIsLike": typeIs, "len": length,
	"deepEqual": alike, "has": has, "mustHas": has, "uniq": uniq, "mustUniq": uniq, "without": except, "mustWithout": except,

	"int": toInt, "int64": toInt64, "atoi": toInt, "float64": toFloat64, "toDecimal": toDecimal,
	"add": add, "add1": add1, "sub": sub, "mul": integers("mul", (*big.Int).Mul), "div": div, "mod": mod,
	"max": integers("max", larger[*big.Int]), "biggest": integers("max", larger[*big.Int]), "min": integers("min", smaller[*big.Int]),
	"addf": fractions("addf", (*big.Rat).Add), "subf": fractions("subf", (*big.Rat).Sub), "mulf": fractions("mulf", (*big.Rat).Mul),
	"divf": fractions("divf", quotient), "add1f": add1f, "maxf": fractions("maxf", larger[*big.Rat]), "minf": fractions("minf", smaller[*big.Rat]),
	"eq": equal, "ne": unequal, "lt": compares("lt", func(order int) bool { return order < 0 }), "le": compares("le", func(order int) bool { return order <= 0 }),
	"gt": compares("gt", func(order int) bool { return order > 0 }), "ge": compares("ge", func(order int) bool { return order >= 0 }), "slice": slice, "mustSlice": slice,
	"ceil": ceil, "floor": floor, "round": round,
	"until": until, "untilStep": untilStep, "seq": seq,

	"html": markup("html", template.HTMLEscaper), "js": markup("js", template.JSEscaper), "urlquery": markup("urlquery", template.URLQueryEscaper),
	"dict": dict,

	"printf": printf, "print": printing("print", fmt.Sprint), "println": printing("println", fmt.Sprintln),
	"toString": toString, "toStrings": toStrings, "cat": cat, "sortAlpha": sortAlpha,
	"repeat": repeat, "indent": indent, "nindent": nindent, "replace": replace, "join": join, "wrap": wrap, "wrapWith": wrapWith,
	"substr": substr, "trunc": trunc, "nospace": nospace, "initials": initials, "swapcase": swapcase, "untitle": untitle,
	"b64dec": b64dec, "b32dec": b32dec,
	"regexMatch": regexMatch, "mustRegexMatch": regexMatch, "regexFind": regexFind, "mustRegexFind": regexFind,
	"regexFindAll": regexFindAll, "mustRegexFindAll": regexFindAll, "regexSplit": regexSplit, "mustRegexSplit": regexSplit,
	"regexReplaceAll": regexReplaceAll, "mustRegexReplaceAll": regexReplaceAll,
	"regexReplaceAllLiteral": regexReplaceAllLiteral, "mustRegexReplaceAllLiteral": regexReplaceAllLiteral,
	"fail": fail, "required": required,
}

// everything is every function with its bounds, made once.
var everything = sync.OnceValue(func() template.FuncMap {
	sprigs := sprig.TxtFuncMap()
	m := maps.Clone(own)
	for _, name := range taken {
		m[name] = sprigs[name]
	}
	for name, of := range aliases {
		m[name] = m[of]
	}
	for name, f := range m {
		m[name] = bounds(name, f)
	}
	return m
})

// Map gives the functions by name. The map is the caller's.
func Map() template.FuncMap { return maps.Clone(everything()) }

// Names gives the names of the functions, sorted.
func Names() []string { return slices.Sorted(maps.Keys(everything())) }

// fail ends the render. Its message is withheld, as it may be made of values.
func fail(any) (string, error) { return "", Error("the template called fail") }

// required gives a value that is not empty; the message is withheld like that of fail.
func required(_, value any) (any, error) {
	if isEmpty(value) {
		return nil, Error("the template requires a value here, and it is empty")
	}
	return value, nil
}

// isEmpty is text/template's notion of what is false.
func isEmpty(value any) bool {
	truth, ok := template.IsTrue(value)
	return !ok || !truth
}

func coalesce(values ...any) (any, error) {
	for _, v := range values {
		if !isEmpty(v) {
			return v, nil
		}
	}
	return nil, Error("coalesce: every argument is empty")
}

// ternary gives one of two values. Null is no.
func ternary(yes, no, which any) (any, error) {
	switch truth, ok := which.(bool); {
	case !ok && which != nil:
		return nil, failf("ternary takes two values, then true or false, which is %s here", TypeName(which))
	case truth:
		return yes, nil
	}
	return no, nil
}

// TypeName says in a user's words what a value is, without the value.
func TypeName(value any) string {
	switch value.(type) {
	case nil:
		return "nothing"
	case string:
		return "text"
	case bool:
		return "true or false"
	}
	switch reflect.ValueOf(value).Kind() {
	case reflect.Map:
		return "a map"
	case reflect.Slice, reflect.Array:
		return "a list"
	}
	return "a number"
}
