package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A printable writes text for people. Much of it is by others: what commands print, AWS's messages,
// names of files. Characters that direct a terminal, or change the order in which it shows others,
// are written as their escapes; lines and tabs stay.
type printable struct{ io.Writer }

// Write writes the text escaped. Each text ends with a whole character.
func (p printable) Write(text []byte) (int, error) {
	if _, err := io.WriteString(p.Writer, escaped(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}

// Unwrap gives what it writes to, for what a terminal is meant to obey.
func (p printable) Unwrap() io.Writer { return p.Writer }

// unwrapped gives the writer behind a printable.
func unwrapped(w io.Writer) io.Writer {
	if p, ok := w.(printable); ok {
		return p.Writer
	}
	return w
}

func escaped(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case unicode.IsControl(r) && r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == '\u2028', r == '\u2029':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		text = text[size:]
	}
	return b.String()
}
