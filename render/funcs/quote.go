package funcs

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// textOf gives a value as the text to quote: texts, numbers, true and false as they print.
func textOf(name string, value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case nil, Null:
		return "", failf("%s: there is nothing to quote", name)
	case bool, json.Number:
		return fmt.Sprint(v), nil
	}
	switch v := reflect.ValueOf(value); {
	case v.CanInt(), v.CanUint(), v.CanFloat():
		return fmt.Sprint(value), nil
	case v.Kind() == reflect.String:
		return v.String(), nil
	}
	return "", failf("%s: this is %s; only a single value can be quoted", name, typeName(value))
}

// without reads the text and refuses characters that the reader of the file has no way to write.
func without(name string, value any, chars, why string) (string, error) {
	text, err := textOf(name, value)
	if err == nil && strings.ContainsAny(text, chars) {
		err = failf("%s: %s", name, why)
	}
	return text, err
}

// safe are the characters that no reader gives a meaning to.
const safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.,:/@%+"

func isSafe(text string) bool { return text != "" && strings.Trim(text, safe) == "" }

// envQuote writes one value for sh and for systemd's EnvironmentFile. Between double quotes both take every character for
// itself, line breaks too, but for " \ ` and $ after a backslash (POSIX, Shell Command Language 2.2.3; systemd.exec(5),
// EnvironmentFile=).
func envQuote(value any) (string, error) {
	text, err := without("envQuote", value, "\x00", "a value of the environment holds no zero byte")
	if err != nil || isSafe(text) {
		return text, err
	}
	if !utf8.ValidString(text) {
		return "", Error("envQuote: systemd takes only UTF-8")
	}
	return `"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`, "`", "\\`", `$`, `\$`).Replace(text) + `"`, nil
}

// shellQuote writes one word for sh. Between single quotes everything stands for itself.
func shellQuote(value any) (string, error) {
	text, err := without("shellQuote", value, "\x00", "a word of the shell holds no zero byte")
	if err != nil || isSafe(text) {
		return text, err
	}
	return `'` + strings.ReplaceAll(text, `'`, `'\''`) + `'`, nil
}

// nginxQuote writes one parameter of an nginx directive. In quotes nginx reads \" \' \\ \n \r and \t
// (ngx_conf_read_token), but has no way to write a $ where a directive takes variables.
func nginxQuote(value any) (string, error) {
	text, err := without("nginxQuote", value, "$", "nginx takes $ for a variable and has no way to quote it")
	if err == nil && strings.ContainsRune(text, 0) {
		err = Error("nginxQuote: nginx takes no zero byte")
	}
	if err != nil {
		return "", err
	}
	return `"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(text) + `"`, nil
}

// pgpassQuote writes one field of a .pgpass file, in which : and \ stand after a backslash (PostgreSQL, "The Password File").
func pgpassQuote(value any) (string, error) {
	text, err := without("pgpassQuote", value, "\n\r\x00", "a field of .pgpass holds no line break and no zero byte")
	return strings.NewReplacer(`\`, `\\`, `:`, `\:`).Replace(text), err
}

// pgbouncerQuote writes one word of pgbouncer's userlist.txt, in which " is doubled (pgbouncer, "Authentication file format").
func pgbouncerQuote(value any) (string, error) {
	text, err := without("pgbouncerQuote", value, "\n\r\x00", "a word of userlist.txt holds no line break and no zero byte")
	return `"` + strings.ReplaceAll(text, `"`, `""`) + `"`, err
}

// iniQuote writes one value of an INI file, for readers that know quotes (MySQL's, git's, PHP's): in double quotes with
// backslashes where it holds anything of meaning, else as it is.
func iniQuote(value any) (string, error) {
	text, err := without("iniQuote", value, "\n\r\x00", "a value of an INI file holds no line break and no zero byte")
	if err != nil || isSafe(text) {
		return text, err
	}
	return `"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(text) + `"`, nil
}

// tomlQuote writes a basic string of TOML.
func tomlQuote(value any) (string, error) { return escaped("tomlQuote", value) }

// yamlQuote writes a double-quoted scalar of YAML.
func yamlQuote(value any) (string, error) { return escaped("yamlQuote", value) }

// escaped writes a double-quoted string of the kind that JSON, YAML and TOML have in common; what one of them does not take as it is
// stands as \u.
func escaped(name string, value any) (string, error) {
	text, err := textOf(name, value)
	if err != nil {
		return "", err
	}
	if !utf8.ValidString(text) {
		return "", failf("%s: this is not UTF-8", name)
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff || r == 0xfffe || r == 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String(), nil
}

// xmlQuote writes character data or the value of an attribute.
func xmlQuote(value any) (string, error) {
	text, err := textOf("xmlQuote", value)
	if err != nil {
		return "", err
	}
	for _, r := range text {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff || r == utf8.RuneError {
			return "", Error("xmlQuote: XML has no way to write one of the characters")
		}
	}
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(text)); err != nil {
		return "", Error("xmlQuote: this cannot be written")
	}
	return b.String(), nil
}

// dotenv writes a whole map as NAME=value lines, sorted, for the readers that envQuote writes for. Names are in upper case, with _ for
// / - and .; two that become the same are an error.
func dotenv(m any) (string, error) {
	v := reflect.ValueOf(m)
	if !v.IsValid() || v.Kind() != reflect.Map || v.Type().Key().Kind() != reflect.String {
		return "", failf("dotenv: this is %s, not a map", typeName(m))
	}
	lines := make(map[string]string, v.Len())
	from := make(map[string]string, v.Len())
	for _, key := range sortedKeys(v) {
		name := strings.ToUpper(strings.NewReplacer("/", "_", "-", "_", ".", "_").Replace(key))
		if !isName(name) {
			return "", &KeyError{keys: []string{key}, what: "dotenv: the key %s does not become the name of a variable"}
		}
		if other, taken := from[name]; taken {
			return "", &KeyError{keys: []string{other, key, name}, what: "dotenv: the keys %s and %s both become %s"}
		}
		value, err := envQuote(v.MapIndex(reflect.ValueOf(key).Convert(v.Type().Key())).Interface())
		if err != nil {
			return "", &KeyError{keys: []string{key}, what: "dotenv: the value of %s cannot be written on a line: " + strings.ReplaceAll(err.Error(), "%", "%%")}
		}
		from[name], lines[name] = key, name+"="+value+"\n"
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

func isName(name string) bool {
	return name != "" && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == "" && (name[0] < '0' || name[0] > '9')
}
