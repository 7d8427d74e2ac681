package console

import (
	"unicode"

	"golang.org/x/text/width"
)

// Columns gives how many columns of a terminal a text takes: two for a letter that is wide (Unicode
// Standard Annex #11), none for a mark on another.
func Columns(text string) (n int) {
	for _, c := range text {
		n += columnsOf(c)
	}
	return n
}

// within gives how many bytes of a text fit so many columns.
func within(text string, most int) int {
	for i, c := range text {
		if most -= columnsOf(c); most < 0 {
			return i
		}
	}
	return len(text)
}

func columnsOf(c rune) int {
	if c < unicode.MaxLatin1 {
		return 1
	}
	if unicode.In(c, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(c).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}
