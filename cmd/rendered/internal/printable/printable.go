// Package printable writes text for people. Much of it is by others: what commands print, AWS's
// messages, names of files. Characters that direct a terminal, or change the order in which it
// shows others, are written as their escapes; lines and tabs stay.
package printable

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// A Writer writes text escaped. Each text that is written to it ends with a whole character.
type Writer struct {
	io.Writer
	Colored func() bool // whether Print shows colors; nil: it does not
	Failed  func(error) // is told of each write that fails; nil: nobody is
}

// Write writes the text escaped.
func (p Writer) Write(text []byte) (int, error) {
	if err := p.write(Escape(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}

// Exact gives a writer to which the text is written as it is. Failed hears of that one, too.
func (p Writer) Exact() io.Writer { return exact{p} }

type exact struct{ printable Writer }

func (e exact) Write(text []byte) (int, error) {
	if err := e.printable.write(string(text)); err != nil {
		return 0, err
	}
	return len(text), nil
}

func (p Writer) write(text string) error {
	_, err := io.WriteString(p.Writer, text)
	if err != nil && p.Failed != nil {
		p.Failed(err)
	}
	return err
}

// A Color is one of a terminal's, a parameter of SGR (ECMA-48, 8.3.117); "" is none.
type Color string

// The colors of severities.
const (
	Plain  Color = ""
	Red    Color = "31"
	Green  Color = "32"
	Yellow Color = "33"
)

// A Span is text of one color.
type Span struct {
	Color Color
	Text  string
}

// Print writes spans at once. Where w is no Writer, or one without colors, they have none.
func Print(w io.Writer, spans ...Span) {
	p, escapes := w.(Writer)
	colored := escapes && p.Colored != nil && p.Colored()
	var b strings.Builder
	for _, s := range spans {
		text := s.Text
		if escapes {
			text = Escape(text)
		}
		if colored && s.Color != Plain {
			text = "\x1b[" + string(s.Color) + "m" + text + "\x1b[m"
		}
		b.WriteString(text)
	}
	if escapes {
		_ = p.write(b.String())
		return
	}
	_, _ = io.WriteString(w, b.String()) // a write that fails has nobody to tell
}

// File gives the file that is written to, by a Writer or at once; nil where it is none.
func File(w io.Writer) *os.File {
	if p, ok := w.(Writer); ok {
		w = p.Writer
	}
	f, _ := w.(*os.File)
	return f
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
