package funcs

import (
	"encoding/base32"
	"encoding/base64"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/Masterminds/sprig/v3"
)

func bounded(name, text string) (string, error) { return text, fits(name, len(text)) }

// fits says that so many bytes are too many.
func fits(name string, size int) error {
	if size < 0 || size > maxText {
		return failf("%s: the result is larger than %d MiB", name, maxText>>20)
	}
	return nil
}

func repeat(count int, text string) (string, error) {
	if count < 0 {
		return "", Error("repeat: the count is negative")
	}
	if len(text) > 0 && count > maxText/len(text) {
		return "", fits("repeat", maxText+1)
	}
	return strings.Repeat(text, count), nil
}

func indent(spaces int, text string) (string, error) {
	if spaces < 0 {
		return "", Error("indent: the count is negative")
	}
	if spaces > maxText/(strings.Count(text, "\n")+1) {
		return "", fits("indent", maxText+1)
	}
	pad := strings.Repeat(" ", spaces)
	return pad + strings.ReplaceAll(text, "\n", "\n"+pad), nil
}

func nindent(spaces int, text string) (string, error) {
	text, err := indent(spaces, text)
	return "\n" + text, err
}

func replace(old, new, text string) (string, error) {
	if err := fits("replace", len(text)+strings.Count(text, old)*len(new)); err != nil {
		return "", err
	}
	return strings.ReplaceAll(text, old, new), nil
}

func join(sep string, list any) (string, error) {
	v := reflect.ValueOf(list)
	if !isList(v) {
		return "", failf("join: this is %s, not a list", typeName(list))
	}
	parts, err := elements("join", list)
	if err != nil {
		return "", err
	}
	size := 0
	for _, p := range parts {
		size += len(p) + len(sep)
	}
	if err := fits("join", size); err != nil {
		return "", err
	}
	return strings.Join(parts, sep), nil
}

// sortAlpha sorts texts by their bytes.
func sortAlpha(list any) ([]string, error) {
	sorted, err := elements("sortAlpha", list)
	slices.Sort(sorted)
	return sorted, err
}

// substr gives the bytes from start to end; an end that is negative or too large is that of the
// text, a start that is negative the beginning.
func substr(start, end int, text string) (string, error) {
	switch {
	case start < 0:
		start = 0
	case end < 0 || end > len(text):
		end = len(text)
	}
	if start > end || end > len(text) {
		return "", failf("substr: the text has %d bytes", len(text))
	}
	return text[start:end], nil
}

// trunc gives the first bytes, or the last where the count is negative.
func trunc(count int, text string) (string, error) {
	start, end := 0, min(count, len(text))
	if count < 0 {
		start, end = max(0, len(text)+count), len(text)
	}
	return text[start:end], nil
}

// sprig does these four byte by byte, and makes other characters of those that are several.

func nospace(text string) string { return strings.Join(strings.Fields(text), "") }

func initials(text string) string {
	var b strings.Builder
	for _, word := range strings.Fields(text) {
		first, _ := utf8.DecodeRuneInString(word)
		b.WriteRune(first)
	}
	return b.String()
}

// swapcase makes capitals small; small letters become title case at the beginning of a word, and
// capitals elsewhere.
func swapcase(text string) string {
	begins := true
	return strings.Map(func(r rune) rune {
		first := begins
		begins = unicode.IsSpace(r)
		switch {
		case unicode.IsUpper(r) || unicode.IsTitle(r):
			return unicode.ToLower(r)
		case unicode.IsLower(r) && first:
			return unicode.ToTitle(r)
		case unicode.IsLower(r):
			return unicode.ToUpper(r)
		}
		return r
	}, text)
}

// untitle makes the first letter of each word small.
func untitle(text string) string {
	begins := true
	return strings.Map(func(r rune) rune {
		first := begins
		begins = unicode.IsSpace(r)
		if first {
			return unicode.ToLower(r)
		}
		return r
	}, text)
}

func wrap(width int, text string) (string, error) { return wrapWith(width, "\n", text) }

var sprigWrap = sprig.TxtFuncMap()["wrapWith"].(func(int, string, string) string)

func wrapWith(width int, sep, text string) (string, error) {
	if err := fits("wrap", len(text)+len(text)/max(width, 1)*len(sep)); err != nil {
		return "", err
	}
	return sprigWrap(width, sep, text), nil
}

func b64dec(text string) (string, error) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", Error("b64dec: this is not base64")
	}
	return string(data), nil
}

func b32dec(text string) (string, error) {
	data, err := base32.StdEncoding.DecodeString(text)
	if err != nil {
		return "", Error("b32dec: this is not base32")
	}
	return string(data), nil
}

func pattern(text string) (*regexp.Regexp, error) {
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, Error("the regular expression is not understood")
	}
	return re, nil
}

// A regular expression that is wrong is an error with every name; sprig's without "must" panic, or give nothing.
func regexMatch(expr, text string) (bool, error) {
	re, err := pattern(expr)
	return err == nil && re.MatchString(text), err
}

func regexFind(expr, text string) (string, error) {
	re, err := pattern(expr)
	if err != nil {
		return "", err
	}
	return re.FindString(text), nil
}

func regexFindAll(expr, text string, n int) ([]string, error) {
	re, err := pattern(expr)
	if err != nil {
		return nil, err
	}
	return re.FindAllString(text, n), nil
}

func regexSplit(expr, text string, n int) ([]string, error) {
	re, err := pattern(expr)
	if err != nil {
		return nil, err
	}
	return re.Split(text, n), nil
}

func regexReplaceAll(expr, text, by string) (string, error) {
	re, err := pattern(expr)
	if err != nil {
		return "", err
	}
	if err := groups(re, by); err != nil {
		return "", err
	}
	if err := fits("regexReplaceAll", len(text)+(len(text)+1)*len(by)); err != nil {
		return "", err
	}
	return re.ReplaceAllString(text, by), nil
}

// group is what stands for a group of a pattern in a replacement (regexp, "Regexp.Expand").
var group = regexp.MustCompile(`\$(?:\$|([\pL\p{Nd}_]+)|\{([^}]*)\})`)

// groups refuses a replacement with a group that the pattern does not have. regexp puts nothing in
// its place: $1x is the group 1x.
func groups(re *regexp.Regexp, by string) error {
	for _, m := range group.FindAllStringSubmatch(by, -1) {
		name := m[1] + m[2]
		number, err := strconv.Atoi(name)
		if m[0] == "$$" || err == nil && number >= 0 && number <= re.NumSubexp() || slices.Contains(re.SubexpNames()[1:], name) && name != "" {
			continue
		}
		return Error("regexReplaceAll: the replacement has a $ for a group that the pattern does not have; ${1} ends its name, $$ is a $, regexReplaceAllLiteral takes $ as it is")
	}
	return nil
}

func regexReplaceAllLiteral(expr, text, by string) (string, error) {
	re, err := pattern(expr)
	if err != nil {
		return "", err
	}
	if err := fits("regexReplaceAllLiteral", len(text)+(len(text)+1)*len(by)); err != nil {
		return "", err
	}
	return re.ReplaceAllLiteralString(text, by), nil
}
