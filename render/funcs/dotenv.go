package funcs

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/rendered/rendered/internal/lazyregexp"
)

// lowerNames are the variables that programs know in lower case (curl(1), "ENVIRONMENT"; wget(1)).
var lowerNames = []string{"all_proxy", "ftp_proxy", "gopher_proxy", "http_proxy", "https_proxy", "no_proxy", "rsync_proxy", "socks_proxy"}

// dotenv writes a whole map as NAME=value lines, sorted, for the readers that envQuote writes for.
// Names have _ for / - and ., and are in upper case, but for those that have capitals beside small
// letters and those that programs know in lower case. Two that become the same are an error.
func dotenv(m any) (string, error) { return lines("dotenv", m, envQuote, asVariable) }

// dotenvAsIs is dotenv with the keys as they are.
func dotenvAsIs(m any) (string, error) { return lines("dotenvAsIs", m, envQuote, asItIs) }

func asItIs(key string) string { return key }

// asVariable makes of a key the name of a variable.
func asVariable(key string) string {
	name := strings.NewReplacer("/", "_", "-", "_", ".", "_").Replace(key)
	// Some letters have a capital that is one of ASCII, and are none of a name.
	if !isName(name) {
		return name
	}
	if mixed := strings.ToUpper(name) != name && strings.ToLower(name) != name; mixed || slices.Contains(lowerNames, name) {
		return name
	}
	return strings.ToUpper(name)
}

// lines writes NAME=value lines, sorted.
func lines(function string, m any, quote func(any) (string, error), rename func(key string) string) (string, error) {
	if _, _, err := entry(function, m, ""); err != nil {
		return "", err
	}
	lines, from := make(map[string]string), make(map[string]string)
	for _, key := range sortedKeys(reflect.ValueOf(m)) {
		name := rename(key)
		if other, taken := from[name]; taken && isName(name) {
			return "", &KeyError{keys: []string{other, key}, what: function + ": the keys %s and %s both become one name", name: name}
		}
		value, _, _ := entry(function, m, key)
		text, wrong := assigned(name, value, quote)
		if wrong != "" {
			return "", &KeyError{keys: []string{key}, what: function + ": " + wrong}
		}
		from[name], lines[name] = key, name+"="+text+"\n"
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		b.WriteString(lines[name])
	}
	return b.String(), nil
}

// assigned gives a value as it stands behind its name, or says what is wrong with the key %s.
func assigned(name string, value any, quote func(any) (string, error)) (text, wrong string) {
	text, err := quote(value)
	switch {
	case !isName(name):
		return "", "the key %s does not become the name of a variable"
	case value == nil:
		return "", "the value of %s is null; omit MAP KEY leaves it out"
	case err != nil:
		return "", "the value of %s cannot be written on a line: " + strings.ReplaceAll(err.Error(), "%", "%%")
	}
	return text, ""
}

func sortedKeys(m reflect.Value) []string {
	names := make([]string, 0, m.Len())
	for _, k := range m.MapKeys() {
		names = append(names, k.String())
	}
	slices.Sort(names)
	return names
}

// isName reports what POSIX takes for the name of a variable (Base Definitions, 3.216).
func isName(name string) bool { return variableName.MatchString(name) }

var variableName = lazyregexp.New(`^[A-Za-z_][A-Za-z0-9_]*$`)
