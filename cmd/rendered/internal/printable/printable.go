// Package printable writes text for people. Much of it is by others: what commands print, AWS's
// messages, names of files. Characters that direct a terminal, or change the order in which it
// shows others, are written as their escapes; lines and tabs stay.
package printable

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// A Writer writes text escaped. Each text that is written to it ends with a whole character.
type Writer struct{ io.Writer }

// Write writes the text escaped.
func (p Writer) Write(text []byte) (int, error) {
	if _, err := io.WriteString(p.Writer, Escape(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}

// Unwrap gives what it writes to, for what a terminal is meant to obey.
func (p Writer) Unwrap() io.Writer { return p.Writer }

// Unwrap gives the writer behind a Writer, and any other as it is.
func Unwrap(w io.Writer) io.Writer {
	if p, ok := w.(Writer); ok {
		return p.Writer
	}
	return w
}

// Escape gives a text with its escapes. JSON leaves DEL and what is beyond ASCII as it is, so that
// their escapes are those of JSON.
func Escape(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case unicode.IsControl(r) && r < ' ':
			fmt.Fprintf(&b, `\x%02x`, r)
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == '\u2028', r == '\u2029':
			for _, unit := range utf16.AppendRune(nil, r) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		default:
			b.WriteRune(r)
		}
		text = text[size:]
	}
	return b.String()
}
