package funcs

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// What is written here is a literal of a language: the text of a program, or of what is read as
// one.

// phpQuote writes a string literal of PHP. Between single quotes everything stands for itself but
// ' and \ (PHP manual, "Strings").
func phpQuote(value any) (string, error) {
	text, err := single("phpQuote", value)
	return `'` + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + `'`, err
}

// hclQuote writes a string of HCL 2, as Terraform reads it: a quoted template in which nothing is
// put (HCL Native Syntax Specification, "Template Expressions"). HCL composes characters, as e and
// an accent, when it reads a text (Unicode Standard Annex 15, form C).
func hclQuote(value any) (string, error) {
	text, err := single("hclQuote", value)
	if err == nil && !norm.NFC.IsNormalString(text) {
		err = Error("hclQuote: HCL reads a character of this as another one, since it composes characters (Unicode's form NFC)")
	}
	return `"` + strings.NewReplacer(append([]string{"${", "$${", "%{", "%%{"}, escapePairs...)...).Replace(text) + `"`, err
}

// propertiesQuote writes a key or a value of a .properties file of Java. \uXXXX stands for what is
// not ASCII, as java.util.Properties takes the bytes for Latin-1 or for UTF-8, by who calls it
// (java.util.Properties, load and store). A blank at the end is no such one, lest an editor or a
// template takes it away, and leaves a \ at the end of the line.
func propertiesQuote(value any) (string, error) {
	text, err := single("propertiesQuote", value)
	var b strings.Builder
	for i, r := range text {
		switch {
		case strings.ContainsRune(`\=:#!`, r), r == ' ' && i+1 < len(text):
			b.WriteString(`\` + string(r))
		case strings.ContainsRune("\n\r\t\f", r):
			b.WriteString(map[rune]string{'\n': `\n`, '\r': `\r`, '\t': `\t`, '\f': `\f`}[r])
		case r <= ' ' || r >= utf8.RuneSelf || r == 0x7f:
			for _, unit := range utf16.AppendRune(nil, r) {
				fmt.Fprintf(&b, `\u%04X`, unit)
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String(), err
}
