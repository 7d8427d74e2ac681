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

	"github.com/rendered/rendered/internal/lazyregexp"
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
		return "", failf("join: this is %s, not a list", TypeName(list))
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
	return mapLetters(text, func(r rune, first bool) rune {
		switch {
		case unicode.IsUpper(r) || unicode.IsTitle(r):
			return unicode.ToLower(r)
		case unicode.IsLower(r) && first:
			return unicode.ToTitle(r)
		case unicode.IsLower(r):
			return unicode.ToUpper(r)
		}
		return r
	})
}

// untitle makes the first letter of each word small.
func untitle(text string) string {
	return mapLetters(text, func(r rune, first bool) rune {
		if first {
			return unicode.ToLower(r)
		}
		return r
	})
}

// mapLetters is strings.Map that says which characters are the first of their word.
func mapLetters(text string, change func(r rune, first bool) rune) string {
	blank := true
	return strings.Map(func(r rune) rune {
		first := blank
		blank = unicode.IsSpace(r)
		return change(r, first)
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
	return decoded(text, base64.StdEncoding.DecodeString, "b64dec: this is not base64")
}

func b32dec(text string) (string, error) {
	return decoded(text, base32.StdEncoding.DecodeString, "b32dec: this is not base32")
}

func decoded(text string, decode func(string) ([]byte, error), otherwise Error) (string, error) {
	data, err := decode(text)
	if err != nil {
		return "", otherwise
	}
	return string(data), nil
}

// matched gives what a function makes of a regular expression. One that is wrong is an error with
// every name; sprig's without "must" panic, or give nothing.
func matched[T any](expr string, f func(*regexp.Regexp) (T, error)) (T, error) {
	re, err := regexp.Compile(expr)
	if err != nil {
		var none T
		return none, Error("the regular expression is not understood")
	}
	return f(re)
}

func regexMatch(expr, text string) (bool, error) {
	return matched(expr, func(re *regexp.Regexp) (bool, error) { return re.MatchString(text), nil })
}

func regexFind(expr, text string) (string, error) {
	return matched(expr, func(re *regexp.Regexp) (string, error) { return re.FindString(text), nil })
}

func regexFindAll(expr, text string, n int) ([]string, error) {
	return matched(expr, func(re *regexp.Regexp) ([]string, error) { return re.FindAllString(text, n), nil })
}

func regexSplit(expr, text string, n int) ([]string, error) {
	return matched(expr, func(re *regexp.Regexp) ([]string, error) { return re.Split(text, n), nil })
}

func regexReplaceAll(expr, text, by string) (string, error) {
	return matched(expr, func(re *regexp.Regexp) (string, error) {
		if err := groups(re, by); err != nil {
			return "", err
		}
		return replaced("regexReplaceAll", re.ReplaceAllString, text, by)
	})
}

func regexReplaceAllLiteral(expr, text, by string) (string, error) {
	return matched(expr, func(re *regexp.Regexp) (string, error) {
		return replaced("regexReplaceAllLiteral", re.ReplaceAllLiteralString, text, by)
	})
}

// replaced replaces what may be at most as often there as a text has bytes, and once more.
func replaced(name string, replace func(text, by string) string, text, by string) (string, error) {
	if err := fits(name, len(text)+(len(text)+1)*len(by)); err != nil {
		return "", err
	}
	return replace(text, by), nil
}

// group is what stands for a group of a pattern in a replacement (regexp, "Regexp.Expand").
var group = lazyregexp.New(`\$(?:\$|([\pL\p{Nd}_]+)|\{([^}]*)\})`)

// groups refuses a replacement with a group that the pattern does not have. regexp puts nothing in
// its place: $1x is the group 1x.
func groups(re *regexp.Regexp, by string) error {
	for _, m := range group.FindAllStringSubmatch(by, -1) {
		name := m[1] + m[2]
		number, err := strconv.ParseUint(name, 10, 0)
		if m[0] == "$$" || err == nil && number <= uint64(re.NumSubexp()) || slices.Contains(re.SubexpNames()[1:], name) && name != "" {
			continue
		}
		return Error("regexReplaceAll: the replacement has a $ for a group that the pattern does not have; ${1} ends its name, $$ is a $, regexReplaceAllLiteral takes $ as it is")
	}
	return nil
}
