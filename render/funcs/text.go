package funcs

import (
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/Masterminds/sprig/v3"
)

// mishap is what fmt prints where a verb and its value do not fit (fmt, "Format errors").
var mishap = regexp.MustCompile(`%!([A-Za-z%]\(|\(NOVERB|\(EXTRA|\(BADWIDTH|\(BADPREC|\(BADINDEX)`)

// wide finds a width or precision that would make much of little.
var wide = regexp.MustCompile(`%[-+# 0\[\]]*(\d{5,}|\d*\.\d{5,}|\*|\d*\.\*)`)

// pointer finds the verb that prints an address.
var pointer = regexp.MustCompile(`%[-+# 0\[\]\d.]*p`)

// printf is fmt.Sprintf, but fails where that would print a mishap.
func printf(format string, args ...any) (string, error) {
	if wide.MatchString(format) {
		return "", Error("printf: a width or precision has at most four digits, and no *")
	}
	if pointer.MatchString(format) {
		return "", Error("printf: %p differs from run to run")
	}
	if err := printable("printf", args); err != nil {
		return "", err
	}
	text := fmt.Sprintf(format, args...)
	if found := mishap.FindString(text); found != "" && len(mishap.FindAllString(text, -1)) > countMishaps(args) {
		if verb := found[2:3]; verb != "(" {
			return "", failf("printf: a value does not fit the verb %%%s, or there is none for it", verb)
		}
		return "", Error("printf: the verbs and the arguments do not match")
	}
	return bounded("printf", text)
}

// countMishaps counts those that stand in the arguments themselves.
func countMishaps(args []any) int {
	n := 0
	for _, a := range args {
		n += len(mishap.FindAllString(fmt.Sprint(a), -1))
	}
	return n
}

func sprint(args ...any) (string, error) {
	if err := printable("print", args); err != nil {
		return "", err
	}
	return bounded("print", fmt.Sprint(args...))
}

func sprintln(args ...any) (string, error) {
	if err := printable("println", args); err != nil {
		return "", err
	}
	return bounded("println", fmt.Sprintln(args...))
}

// Print gives what a template prints where it stands for itself: texts, numbers, true and false. Go's notation of a map or a list is
// no format that anything reads, and the address of a pointer differs from run to run.
func Print(value any) (any, error) { return value, printable("", []any{value}) }

// printable says which of the values cannot be printed.
func printable(name string, values []any) error {
	if name != "" {
		name += ": "
	}
	for _, value := range values {
		if _, ok := value.(fmt.Stringer); ok {
			continue
		}
		v := reflect.ValueOf(value)
		switch v.Kind() {
		case reflect.Invalid:
			return failf("%sthere is nothing to print", name)
		case reflect.Map:
			return failf("%sthis is a map; print what is in it, or {{ toJson MAP }}, or {{ dotenv MAP }}", name)
		case reflect.Slice, reflect.Array:
			if v.Type().Elem().Kind() == reflect.Uint8 {
				continue
			}
			return failf("%sthis is a list; {{ join \", \" LIST }}, {{ toJson LIST }} and {{ range LIST }} print it", name)
		case reflect.Func, reflect.Chan, reflect.Pointer, reflect.UnsafePointer, reflect.Struct:
			return failf("%sthis cannot be printed", name)
		}
	}
	return nil
}

// markup makes of an escaper of text/template one that takes what can be printed.
func markup(escape func(...any) string) func(...any) (string, error) {
	return func(args ...any) (string, error) {
		if err := printable("", args); err != nil {
			return "", err
		}
		return escape(args...), nil
	}
}

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
	if list == nil || v.Kind() != reflect.Slice && v.Kind() != reflect.Array {
		return "", failf("join: this is %s, not a list", typeName(list))
	}
	parts := make([]string, v.Len())
	size := 0
	for i := range parts {
		parts[i] = fmt.Sprint(v.Index(i).Interface())
		size += len(parts[i]) + len(sep)
	}
	if err := fits("join", size); err != nil {
		return "", err
	}
	return strings.Join(parts, sep), nil
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
	if err := fits("regexReplaceAll", len(text)+(len(text)+1)*len(by)); err != nil {
		return "", err
	}
	return re.ReplaceAllString(text, by), nil
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
