package funcs

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// single gives a value as the text to quote: texts, numbers, true and false as they print. No file
// that is quoted for holds bytes that are not UTF-8: what reads it either refuses them or takes
// them for other characters.
func single(name string, value any) (string, error) {
	if value == nil {
		return "", Nothing(name + ": there is nothing to quote")
	}
	text, err := text(name, value)
	if err != nil {
		return "", failf("%s: this is %s; only a single value can be quoted", name, TypeName(value))
	}
	return text, textual(name, text)
}

// without reads the text and refuses characters that the reader of the file has no way to write.
func without(name string, value any, chars, why string) (string, error) {
	text, err := single(name, value)
	if err == nil && strings.ContainsAny(text, chars) {
		err = failf("%s: %s", name, why)
	}
	return text, err
}

// safe are the characters that no reader gives a meaning to.
const safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.,:/@%+"

func isSafe(text string) bool { return text != "" && strings.Trim(text, safe) == "" }

// envQuote writes one value for sh and for systemd's EnvironmentFile. Between double quotes both
// take every character for itself, line breaks too, but for " \ ` and $ after a backslash (POSIX,
// Shell Command Language 2.2.3; systemd.exec(5), EnvironmentFile=). systemd reads no line of a file
// with a noncharacter in it (unichar_is_valid in src/basic/utf8.c).
func envQuote(value any) (string, error) {
	text, err := without("envQuote", value, "\x00", "a value of the environment holds no zero byte")
	if err != nil || isSafe(text) {
		return text, err
	}
	if strings.ContainsFunc(text, isNoncharacter) {
		return "", Error("envQuote: systemd takes no character that Unicode calls a noncharacter, as U+FFFE")
	}
	return doubleQuoted(text, "`", "\\`", `$`, `\$`), nil
}

// isNoncharacter reports what Unicode will never make a character of (The Unicode Standard, section
// 23.7).
func isNoncharacter(r rune) bool { return unicode.Is(unicode.Noncharacter_Code_Point, r) }

// shellQuote writes one word for sh. Between single quotes everything stands for itself.
func shellQuote(value any) (string, error) {
	text, err := without("shellQuote", value, "\x00", "a word of the shell holds no zero byte")
	if err != nil || isSafe(text) {
		return text, err
	}
	return `'` + strings.ReplaceAll(text, `'`, `'\''`) + `'`, nil
}

// nginxQuote writes one parameter of an nginx directive. In quotes nginx reads \" \' \\ \n \r and
// \t (ngx_conf_read_token), but has no way to write a $ where a directive takes variables.
func nginxQuote(value any) (string, error) {
	_, err := without("nginxQuote", value, "$", "nginx takes $ for a variable and has no way to quote it")
	if err != nil {
		return "", err
	}
	text, err := without("nginxQuote", value, "\x00", "nginx takes no zero byte")
	return doubleQuoted(text, "\n", `\n`, "\r", `\r`, "\t", `\t`), err
}

// pgpassQuote writes one field of a .pgpass file, in which : and \ stand after a backslash
// (PostgreSQL, "The Password File"). So do a * that is the whole field, which else means any, and a
// # that begins one, which else makes the line a comment.
func pgpassQuote(value any) (string, error) {
	text, err := without("pgpassQuote", value, "\n\r\x00", "a field of .pgpass holds no line break and no zero byte")
	quoted := strings.NewReplacer(`\`, `\\`, `:`, `\:`).Replace(text)
	if text == "*" || strings.HasPrefix(text, "#") {
		quoted = `\` + quoted
	}
	return quoted, err
}

// pgbouncerQuote writes one word of pgbouncer's userlist.txt, in which " is doubled (pgbouncer,
// "Authentication file format").
func pgbouncerQuote(value any) (string, error) {
	text, err := without("pgbouncerQuote", value, "\n\r\x00", "a word of userlist.txt holds no line break and no zero byte")
	return `"` + strings.ReplaceAll(text, `"`, `""`) + `"`, err
}

// tomlQuote writes a basic string of TOML.
func tomlQuote(value any) (string, error) { return escaped("tomlQuote", value) }

// yamlQuote writes a double-quoted scalar of YAML.
func yamlQuote(value any) (string, error) { return escaped("yamlQuote", value) }

// escaped writes a double-quoted string of the kind that JSON, YAML and TOML have in common.
func escaped(name string, value any) (string, error) {
	text, err := single(name, value)
	return `"` + escapes.Replace(text) + `"`, err
}

var escapes = strings.NewReplacer(escapePairs...)

// escapePairs have \u for what one of them does not take as it is.
var escapePairs = func() []string {
	pairs := []string{`"`, `\"`, `\`, `\\`, "\n", `\n`, "\t", `\t`, "\r", `\r`}
	unicodes := []rune("\u2028\u2029\ufeff\ufffe\uffff")
	for r := range rune(unicode.MaxLatin1) {
		if unicode.IsControl(r) {
			unicodes = append(unicodes, r)
		}
	}
	for _, r := range unicodes {
		pairs = append(pairs, string(r), fmt.Sprintf(`\u%04x`, r))
	}
	return pairs
}()

// noXML are the characters below U+FFFF, no halves of others, that XML has no way to write (XML
// 1.0, section 2.2).
const noXML = "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\ufffe\uffff"

// xmlQuote writes character data or the value of an attribute.
func xmlQuote(value any) (string, error) {
	text, err := without("xmlQuote", value, noXML, "XML has no way to write one of the characters")
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes whatever it gets
	return b.String(), err
}

// quote writes each value in double quotes as Go's own source has them, with spaces between. Of
// what other programs read, YAML, TOML and JSON take them for plain text; the functions that are
// named for a reader know its rules.
func quote(values ...any) (string, error) {
	return each("quote", values, func(text string) (string, error) { return strconv.Quote(text), nil })
}

// squote writes each value between single quotes, with spaces between.
func squote(values ...any) (string, error) {
	return each("squote", values, func(text string) (string, error) {
		if strings.Contains(text, "'") {
			return "", Error("squote: a ' in the text would end the quotes; shellQuote and yamlQuote write it")
		}
		return "'" + text + "'", nil
	})
}

func each(name string, values []any, quote func(string) (string, error)) (string, error) {
	list := make([]string, len(values))
	for i, v := range values {
		text, err := single(name, v)
		if err != nil {
			return "", err
		}
		if list[i], err = quote(text); err != nil {
			return "", err
		}
	}
	return strings.Join(list, " "), nil
}
