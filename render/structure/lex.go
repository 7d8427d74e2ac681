package structure

import "bytes"

// A stretch is a part of a file between two marks, in which no other begins: a comment, a text, a
// CDATA section. For the letter that stands in the place of a value its rules do not hold.
type stretch struct {
	begin, end string
	escapes    bool // a \ takes the byte behind it
}

const endOfSection = "]]>"

// stretches are those of the formats that have them, the longest mark first.
var stretches = map[string][]stretch{
	"json": {{`"`, `"`, true}},
	"toml": {{`"""`, `"""`, true}, {`'''`, `'''`, false}, {`"`, `"`, true}, {`'`, `'`, false}, {"#", "\n", false}},
	"xml":  {{"<!--", "-->", false}, {"<![CDATA[", endOfSection, false}},
}

// lex says for each value what it stands in. The values themselves are left out, as if a word stood
// there.
func (d *document) lex() {
	known, ok := stretches[d.format.String()]
	if !ok {
		return
	}
	var in *stretch
	for i := range d.values {
		in = through(d.before(i), in, known)
		v := &d.values[i]
		v.sectioned = in != nil && in.end == endOfSection
		v.quoted = in == nil && d.format.String() != "xml" && !d.inWord(i)
	}
}

// through gives the stretch in which a text ends that begins in one; nil: it is in none.
func through(text []byte, in *stretch, known []stretch) *stretch {
	for len(text) > 0 {
		n := 1
		switch {
		case in == nil:
			if in = begun(text, known); in != nil {
				n = len(in.begin)
			}
		case bytes.HasPrefix(text, []byte(in.end)):
			n, in = len(in.end), nil
		case in.escapes && text[0] == '\\':
			n = 2
		}
		text = text[min(n, len(text)):]
	}
	return in
}

// begun gives the stretch that begins with a text.
func begun(text []byte, known []stretch) *stretch {
	for i, s := range known {
		if bytes.HasPrefix(text, []byte(s.begin)) {
			return &known[i]
		}
	}
	return nil
}

// inWord reports that a value is a part of a word without quotes.
func (d *document) inWord(i int) bool {
	before, after := d.before(i), d.before(i+1)
	const word = alphanumeric + "-."
	return bytes.ContainsAny(before[max(len(before)-1, 0):], word) || bytes.ContainsAny(after[:min(1, len(after))], word)
}
