package structure

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A token is a word that stands for a value: letters and digits that have no meaning, in any
// format, and stand nowhere in the file.

const (
	width     = 5                // hexadecimal digits of a value's number
	maxValues = 1 << (4 * width) // there are words for so many
)

// newTokens chooses what the tokens of a content begin with.
func (d *document) newTokens() {
	d.prefix = "qz"
	for bytes.Contains(d.content, []byte(d.prefix)) {
		d.prefix += "qz"
	}
	d.tokens = regexp.MustCompile(fmt.Sprintf(`%s[0-9a-f]{%d}`, d.prefix, width))
}

func (d *document) token(i int) string { return fmt.Sprintf("%s%0*x", d.prefix, width, i) }

// word gives the value whose token a text is.
func (d *document) word(text string) (i int, ok bool) {
	digits, ok := strings.CutPrefix(text, d.prefix)
	if !ok || len(digits) != width {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 16, 0)
	return int(n), err == nil && int(n) < len(d.values)
}

// words gives the values whose tokens stand in a text.
func (d *document) words(text string) (found []int) {
	d.printed(text, func(i int) { found = append(found, i) })
	return found
}

// printed puts the values back into a text, and calls each with the number of each.
func (d *document) printed(text string, each func(i int)) string {
	if !strings.Contains(text, d.prefix) {
		return text
	}
	return d.tokens.ReplaceAllStringFunc(text, func(token string) string {
		i, ok := d.word(token)
		if !ok {
			return token
		}
		each(i)
		return string(d.text(i))
	})
}
