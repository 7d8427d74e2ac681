package funcs

import (
	"strings"

	"github.com/rendered/rendered/internal/lazyregexp"
)

// INI files have no rules that their readers share. What is written here was read back by PHP 8.2,
// git 2.39 and MariaDB 10.11.

// constant is what PHP takes for true, false or null, as no, or replaces by the value of a
// constant, as E_ALL. PHP's own constants begin with a capital, and have a _ or are short and in
// capitals.
var constant = lazyregexp.New(`^((?i:true|false|null|yes|no|on|off|none)|[A-Z]\w*_\w*|_\w*|[A-Z][A-Z0-9]{0,11})$`)

// numeral is a text that PHP's typed scanner takes for a number, which may come out otherwise than
// it went in.
var numeral = lazyregexp.New(`^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$`)

// short is a number that comes out of that as it went in.
var short = lazyregexp.New(`^(0|[1-9][0-9]{0,17})$`)

// maxOption is how long a value of an option file may be. MariaDB reads lines of 4,095 bytes, name
// and quotes included, and goes on with the rest as a line of its own (mysys/my_default.c).
const maxOption = 4000

// iniQuote writes one value of an INI file so that PHP's parse_ini_file, git config and MariaDB's
// option files read the same: in double quotes with backslashes, or as it is where it has no
// meaning for any of them. What one of them has no way to read that way is refused.
func iniQuote(value any) (string, error) {
	text, err := without("iniQuote", value, "\n\r\x00", "a value of an INI file holds no line break and no zero byte")
	switch {
	case err != nil:
		return "", err
	case strings.Contains(text, "${"):
		return "", Error("iniQuote: PHP takes ${ for a variable, and what hides it from PHP the others do not know; phpIniQuote, mycnfQuote and gitQuote write for one reader")
	case isSafe(text) && !constant.MatchString(text) && (!numeral.MatchString(text) || short.MatchString(text)):
		return option("iniQuote", text)
	}
	return option("iniQuote", doubleQuoted(text))
}

// phpIniQuote writes one value for PHP's parse_ini_file, with the normal or the typed scanner;
// php.ini is read by the first. The scanner takes a \" before a line break for the end
// (Zend/zend_ini_scanner.l); two texts side by side are one.
func phpIniQuote(value any) (string, error) {
	text, err := without("phpIniQuote", value, "\x00", "PHP reads no further than a zero byte")
	return doubleQuoted(text, "$", `\$`, "\"\n", `\"""`+"\n", "\"\r", `\"""`+"\r"), err
}

// mycnfQuote writes one value of an option file of MariaDB or MySQL ("Using Option Files").
func mycnfQuote(value any) (string, error) {
	text, err := without("mycnfQuote", value, "\x00", "an option file holds no zero byte")
	if err != nil {
		return "", err
	}
	return option("mycnfQuote", doubleQuoted(text, "\n", `\n`, "\r", `\r`))
}

// gitQuote writes one value of a git config (git-config(1), "Syntax").
func gitQuote(value any) (string, error) {
	text, err := without("gitQuote", value, "\r\x00", "git has no way to write a carriage return, and reads no zero byte")
	return doubleQuoted(text, "\n", `\n`, "\t", `\t`), err
}

func option(name, quoted string) (string, error) {
	if len(quoted) > maxOption {
		return "", failf("%s: this is longer than %d bytes, and MariaDB cuts a line at 4,095", name, maxOption)
	}
	return quoted, nil
}

// doubleQuoted puts a text between double quotes, and \ before what would end them; more are pairs
// of what else is written otherwise.
func doubleQuoted(text string, more ...string) string {
	return `"` + strings.NewReplacer(append(more, `"`, `\"`, `\`, `\\`)...).Replace(text) + `"`
}
