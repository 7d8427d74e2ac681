package structure

import "strings"

// A token is a word that stands for a value: letters that have no meaning, in any format, and stand
// nowhere in the file.

const (
	letters = "bcdfghjkmnpqrstv" // of the number
	width   = 5
)

// maxValues is how many there are words for.
const maxValues = 1 << (4 * width)

func (d *document) token(i int) string {
	var b [width]byte
	for n := range b {
		b[width-1-n] = letters[i&15]
		i >>= 4
	}
	return d.prefix + string(b[:])
}

// word gives the value whose token a text begins with, and whether the text is that token alone.
func (d *document) word(text string) (i int, only bool) {
	rest, ok := strings.CutPrefix(text, d.prefix)
	if !ok || len(rest) < width {
		return 0, false
	}
	for _, c := range rest[:width] {
		n := strings.IndexRune(letters, c)
		if n < 0 {
			return 0, false
		}
		i = i<<4 | n
	}
	return i, len(rest) == width && i < len(d.values)
}

// next finds the first token in a text: its value, and the text before and behind it. ok is false
// where there is none.
func (d *document) next(text string) (before string, i int, behind string, ok bool) {
	for from := 0; ; {
		at := strings.Index(text[from:], d.prefix)
		if at < 0 {
			return text, 0, "", false
		}
		from += at
		end := from + len(d.prefix) + width
		if end <= len(text) {
			if i, only := d.word(text[from:end]); only {
				return text[:from], i, text[end:], true
			}
		}
		from += len(d.prefix)
	}
}

// words gives the values whose tokens stand in a text.
func (d *document) words(text string) []int {
	var found []int
	for {
		_, i, behind, ok := d.next(text)
		if !ok {
			return found
		}
		found, text = append(found, i), behind
	}
}

// printed puts the values back into a text.
func (d *document) printed(text string) string {
	var b strings.Builder
	for {
		before, i, behind, ok := d.next(text)
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		b.Write(d.text(i))
		text = behind
	}
}
