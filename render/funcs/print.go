package funcs

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rendered/rendered/internal/lazyregexp"
)

// What a template prints, or a function makes text of, is a single value: a text, a number, true or
// false. Go's notation of a map, a list or nothing is no format that anything reads, and the
// address of a pointer differs from run to run.

// Print gives what a template prints where a value stands for itself.
func Print(value any) (string, error) { return text("", value) }

// text gives a single value as text: numbers of JSON digit for digit, others as JSON writes them.
// name is the function, "" where a value stands for itself.
func text(name string, value any) (string, error) {
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.Invalid:
		return "", Nothing(prefix(name) + "there is nothing to print")
	case reflect.String:
		return v.String(), nil
	case reflect.Bool:
		return strconv.FormatBool(v.Bool()), nil
	case reflect.Float32, reflect.Float64:
		return decimal(name, v.Float())
	case reflect.Map:
		return "", failf("%sthis is a map; print what is in it, or {{ toJson MAP }}, or {{ dotenv MAP }}", prefix(name))
	case reflect.Slice, reflect.Array:
		if singles(v) {
			return "", failf("%sthis is a list; {{ join \", \" LIST }}, {{ toJson LIST }} and {{ range LIST }} print it", prefix(name))
		}
		return "", failf("%sthis is a list; {{ toJson LIST }} and {{ range LIST }} print it", prefix(name))
	}
	if v.CanInt() || v.CanUint() {
		return fmt.Sprint(value), nil
	}
	return "", failf("%sthis cannot be printed", prefix(name))
}

func prefix(name string) string {
	if name == "" {
		return ""
	}
	return name + ": "
}

// singles reports that every element has a text of its own.
func singles(list reflect.Value) bool {
	for i := range list.Len() {
		if _, err := text("", list.Index(i).Interface()); err != nil {
			return false
		}
	}
	return true
}

// decimal writes a floating-point number as JSON does: with an exponent only where it is 1e21 or
// more, or less than 1e-6. Go would write a million as 1e+06, which sh takes for no number.
func decimal(name string, f float64) (string, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "", failf("%sthis is no number", prefix(name))
	}
	data, err := json.Marshal(f)
	return string(data), err
}

// A float is a number with a fraction for fmt, which writes it in decimal.
type float struct {
	value float64
	text  string
}

// Format writes the number for a verb of printf. One that is not made for it is a format error.
func (f float) Format(s fmt.State, verb rune) {
	switch verb {
	case 'v', 's':
		fmt.Fprintf(s, fmt.FormatString(s, 's'), f.text)
	case 'e', 'E', 'f', 'F', 'g', 'G':
		fmt.Fprintf(s, fmt.FormatString(s, verb), f.value)
	default:
		fmt.Fprintf(s, "%%!%c(number)", verb)
	}
}

// printables gives the values as fmt is to print them.
func printables(name string, values []any) ([]any, error) {
	ready := make([]any, len(values))
	for i, value := range values {
		text, err := text(name, value)
		if err != nil {
			return nil, err
		}
		ready[i] = value
		if number, ok := value.(json.Number); ok {
			f, err := number.Float64()
			if err != nil {
				f = math.NaN() // it has a text, and no verb of a float fits
			}
			ready[i] = float{f, text}
		} else if v := reflect.ValueOf(value); v.CanFloat() {
			ready[i] = float{v.Float(), text}
		}
	}
	return ready, nil
}

// formatError is what fmt prints where a verb and its value do not fit (fmt, "Format errors"). Any
// character behind a % is a verb, as the comma of "100%, ".
var formatError = lazyregexp.New(`(?s)%!(.\(|\(NOVERB|\(EXTRA|\(BADWIDTH|\(BADPREC|\(BADINDEX)`)

// wide finds a width or precision that would make much of little.
var wide = lazyregexp.New(`%[-+# 0\[\]]*(\d{5,}|\d*\.\d{5,}|\*|\d*\.\*)`)

// goes finds the verbs that print an address, a type of Go or a value in the notation of Go.
var goes = lazyregexp.New(`%[-+# 0\[\]\d.]*[pT]|%[-+ 0]*#[-+# 0\[\]\d.]*v`)

// printf is fmt.Sprintf, but fails where that would print a format error.
func printf(format string, args ...any) (string, error) {
	switch {
	case wide.MatchString(format):
		return "", Error("printf: a width or precision has at most four digits, and no *")
	case goes.MatchString(format):
		return "", Error("printf: %p, %T and %#v print what only Go reads")
	}
	ready, err := printables("printf", args)
	if err != nil {
		return "", err
	}
	if strings.Contains(format, "q") && weigh(reflect.ValueOf(args)).binary {
		return "", notUTF8("printf")
	}
	text := fmt.Sprintf(format, ready...)
	if err := misprinted(format, args, ready, text); err != nil {
		return "", err
	}
	return bounded("printf", text)
}

// misprinted says what format error is in what fmt printed, but for those that the arguments, or
// two of them together, bring along.
func misprinted(format string, args, ready []any, text string) error {
	if formatError.MatchString(text) {
		if found := formatError.FindString(fmt.Sprintf(strings.ReplaceAll(format, "%%", "__"), withoutPercent(ready)...)); found != "" {
			if verb, _ := utf8.DecodeRuneInString(found[2:]); unicode.IsLetter(verb) {
				return failf("printf: a value does not fit the verb %%%c, or there is none for it", verb)
			} else if verb != '(' {
				return Error("printf: a % that is no verb is written %%")
			}
			return Error("printf: the verbs and the arguments do not match")
		}
	}
	if strings.Contains(text, "NaN") && !strings.Contains(fmt.Sprint(args...)+format, "NaN") {
		return Error("printf: a number is too large for its verb")
	}
	return nil
}

// withoutPercent gives the arguments with texts in which no format error can begin.
func withoutPercent(args []any) []any {
	plain := slices.Clone(args)
	for i, a := range plain {
		if v := reflect.ValueOf(a); v.Kind() == reflect.String {
			plain[i] = strings.ReplaceAll(v.String(), "%", "_")
		}
	}
	return plain
}

// printing makes of a function of fmt one that prints what has a text of its own.
func printing(name string, print func(...any) string) func(...any) (string, error) {
	return func(args ...any) (string, error) {
		ready, err := separate(name, args)
		if err != nil {
			return "", err
		}
		return bounded(name, print(ready...))
	}
}

// separate gives the values as fmt.Sprint is to print them, which puts a space between two that are
// no texts. A number of JSON counts as a text there.
func separate(name string, args []any) ([]any, error) {
	ready, err := printables(name, args)
	for i, a := range args {
		if number, ok := a.(json.Number); ok && err == nil {
			ready[i] = number
		}
	}
	return ready, err
}

// texts gives each value as text.
func texts(name string, values []any) ([]string, error) {
	list := make([]string, len(values))
	for i, v := range values {
		var err error
		if list[i], err = text(name, v); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// elements gives the texts of a list, or of a single value as a list of one.
func elements(name string, list any) ([]string, error) {
	v := reflect.ValueOf(list)
	if !isList(v) {
		return texts(name, []any{list})
	}
	found := make([]string, v.Len())
	for i := range found {
		t, err := text(name, v.Index(i).Interface())
		if err != nil {
			return nil, failf("%s: element %d is %s; only a text, a number, true or false can be taken", name, i, TypeName(v.Index(i).Interface()))
		}
		found[i] = t
	}
	return found, nil
}

func toString(value any) (string, error)   { return text("toString", value) }
func toStrings(list any) ([]string, error) { return elements("toStrings", list) }

// cat puts spaces between the values.
func cat(values ...any) (string, error) {
	list, err := texts("cat", values)
	return strings.TrimSpace(strings.Join(list, " ")), err
}

// markup makes of an escaper of text/template one that takes what can be printed. They would write
// U+FFFD for bytes that are not UTF-8, and html for a zero byte.
func markup(name string, escape func(...any) string) func(...any) (string, error) {
	prints := printing(name, fmt.Sprint)
	return func(args ...any) (string, error) {
		text, err := prints(args...)
		if err == nil {
			err = textual(name, text)
		}
		if err == nil && name == "html" && strings.ContainsRune(text, 0) {
			err = Error("html: HTML has no way to write a zero byte")
		}
		if err != nil {
			return "", err
		}
		return escape(text), nil
	}
}
