package funcs

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// lowerNames are the variables that programs know in lower case (curl(1), "ENVIRONMENT"; wget(1)).
var lowerNames = []string{"all_proxy", "ftp_proxy", "gopher_proxy", "http_proxy", "https_proxy", "no_proxy", "rsync_proxy", "socks_proxy"}

// dotenv writes a whole map as NAME=value lines, sorted, for the readers that envQuote writes for.
// Names have _ for / - and ., and are in upper case, but for those that have capitals beside small
// letters and those that programs know in lower case. Two that become the same are an error.
func dotenv(m any) (string, error) {
	return lines("dotenv", m, func(key string) string {
		name := strings.NewReplacer("/", "_", "-", "_", ".", "_").Replace(key)
		if mixed := strings.ToUpper(name) != name && strings.ToLower(name) != name; mixed || slices.Contains(lowerNames, name) {
			return name
		}
		return strings.ToUpper(name)
	})
}

// dotenvAsIs is dotenv with the keys as they are.
func dotenvAsIs(m any) (string, error) {
	return lines("dotenvAsIs", m, func(key string) string { return key })
}

func lines(function string, m any, rename func(key string) string) (string, error) {
	v := reflect.ValueOf(m)
	if !v.IsValid() || v.Kind() != reflect.Map || v.Type().Key().Kind() != reflect.String {
		return "", failf("%s: this is %s, not a map", function, typeName(m))
	}
	lines := make(map[string]string, v.Len())
	from := make(map[string]string, v.Len())
	for _, key := range sortedKeys(v) {
		name := rename(key)
		if !isName(name) {
			return "", &KeyError{keys: []string{key}, what: function + ": the key %s does not become the name of a variable"}
		}
		if other, taken := from[name]; taken {
			return "", &KeyError{keys: []string{other, key, name}, what: function + ": the keys %s and %s both become %s"}
		}
		value := v.MapIndex(reflect.ValueOf(key).Convert(v.Type().Key())).Interface()
		if value == nil {
			return "", &KeyError{keys: []string{key}, what: function + ": the value of %s is null; omit MAP KEY leaves it out"}
		}
		text, err := envQuote(value)
		if err != nil {
			return "", &KeyError{keys: []string{key}, what: function + ": the value of %s cannot be written on a line: " + strings.ReplaceAll(err.Error(), "%", "%%")}
		}
		from[name], lines[name] = key, name+"="+text+"\n"
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		b.WriteString(lines[name])
	}
	return b.String(), nil
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
func isName(name string) bool {
	return name != "" && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == "" && (name[0] < '0' || name[0] > '9')
}
