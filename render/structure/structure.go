// Package structure finds out whether a value that stands in a file has changed the structure of
// the file around it: whether a text that was put in the place of one password is now a password
// and two more keys.
//
// It knows a format, bytes and where the values lie in them, and nothing of templates. In the place
// of each value it puts a word that means nothing, and compares what the file then is with what it
// is. Where that says nothing, the value passes: what is refused is known to be wrong.
package structure

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/render/format"
)

// A Span is where a value lies: from its first byte to the one after its last.
type Span struct{ Start, End int }

// A Breach is a value that changed what stands around it.
type Breach struct {
	Span   int    // the number of the value among the spans
	Within Within // what it stands in
	Part   bool   // it is not all of the text in which it stands
	Indent int    // blanks before it, where it begins its line
}

// Within is what a value stands in.
type Within int

const (
	Bare    Within = iota // nothing of these
	Quotes                // quotes that the file has around it
	Block                 // a text of several lines after | or >
	List                  // a list between brackets
	Section               // a CDATA section of XML
	Armour                // PEM
)

// Check gives the first value that breaks out of its place, nil where none does as far as is known.
// The spans are in order and do not overlap; the content has the format. It ends soon after until.
func Check(f format.Format, content []byte, spans []Span, until time.Time) *Breach {
	d := newDocument(f, content, spans, until)
	if len(d.values) == 0 {
		return nil
	}
	if f.String() == "pem" {
		return d.armour()
	}
	ends := func(v value) bool { return v.sectioned && bytes.Contains(content[v.Start:v.End], []byte(endOfSection)) }
	if i := slices.IndexFunc(d.values, ends); i >= 0 {
		return d.breach(i, newSight())
	}
	if d.open() == nil {
		return nil
	}
	actual, err := f.Tree(content)
	if err != nil {
		return nil
	}
	d.actual = actual
	return d.judge()
}

// A document is a file and the values in it. Values between which nothing stands are one.
type document struct {
	format  format.Format
	content []byte
	values  []value
	prefix  string         // of every token; it stands nowhere in the content
	tokens  *regexp.Regexp // each of them
	actual  format.Node    // what the content is
	shown   *sight         // where the words for all values came out
	until   time.Time
	tries   int
}

// A value is a text that was put into the file.
type value struct {
	Span
	number    int  // of the first span that it is made of
	begins    bool // its line: nothing but blanks stands before it
	ends      bool // its line: nothing but blanks stands behind it
	indent    int  // blanks before it, where it begins its line
	quoted    bool // its place takes a text between quotes, by JSON's rules or TOML's
	sectioned bool // it stands in a CDATA section
	clear     bool // it changes nothing, as far as is known
}

// Harmless reports that a text changes nothing, whatever stands around it, in any of the formats:
// letters, digits and some marks, and numbers.
func Harmless(text string) bool {
	if strings.HasPrefix(text, "-") && json.Valid([]byte(text)) && strings.TrimSpace(text) == text {
		return true
	}
	return text == "" || strings.IndexByte(alphanumeric, text[0]) >= 0 && strings.Trim(text, alphanumeric+".+/@%~-") == ""
}

const alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

func newDocument(f format.Format, content []byte, spans []Span, until time.Time) *document {
	d := &document{format: f, content: content, until: until}
	for i, s := range spans {
		d.add(i, s)
	}
	if d.whole() || len(d.values) > maxValues {
		d.values = nil
	}
	for i := range d.values {
		d.locate(i)
	}
	d.newTokens()
	d.lex()
	return d
}

// add adds the value of a span, unless it is an empty text or goes on with the value before.
func (d *document) add(i int, s Span) {
	if s.Start >= s.End || s.Start < 0 || s.End > len(d.content) {
		return
	}
	if last := len(d.values) - 1; last >= 0 && d.together(d.values[last].End, s.Start) {
		d.values[last].End = s.End
		return
	}
	d.values = append(d.values, value{Span: s, number: i})
}

// together reports that two values are parts of one: a chain of certificates may be stored in
// pieces.
func (d *document) together(end, start int) bool {
	between := d.content[end:start]
	return len(between) == 0 || d.format.String() == "pem" && len(bytes.TrimSpace(between)) == 0
}

// whole reports that the file is nothing but values, so that there is nothing around them.
func (d *document) whole() bool {
	for i := 0; i <= len(d.values); i++ {
		if len(bytes.TrimSpace(d.before(i))) > 0 {
			return false
		}
	}
	return true
}

// before gives what stands between value i and the one before, or the end of the file after the
// last.
func (d *document) before(i int) []byte {
	start, end := 0, len(d.content)
	if i > 0 {
		start = d.values[i-1].End
	}
	if i < len(d.values) {
		end = d.values[i].Start
	}
	return d.content[start:end]
}

// locate notes what stands beside a value on its line.
func (d *document) locate(i int) {
	v := &d.values[i]
	head := d.before(i)
	line := bytes.LastIndexByte(head, '\n') + 1
	v.begins = (line > 0 || i == 0) && len(bytes.Trim(head[line:], " \t")) == 0
	if v.begins {
		v.indent = len(head) - line
	}
	tail, _, ended := bytes.Cut(d.before(i+1), []byte("\n"))
	ended = ended || i == len(d.values)-1
	v.ends = ended && len(bytes.TrimSpace(tail)) == 0 || bytes.HasSuffix(d.text(i), []byte("\n"))
}

// open gives the numbers of the values that are looked at.
func (d *document) open() []int {
	var open []int
	for i := range d.values {
		blank := d.format.String() == "xml" && len(bytes.TrimSpace(d.text(i))) == 0
		if !blank && !Harmless(string(d.text(i))) {
			open = append(open, i)
		}
	}
	return open
}

func (d *document) text(i int) []byte { return d.content[d.values[i].Start:d.values[i].End] }

// over reports that nothing more may be tried.
func (d *document) over() bool {
	return d.tries >= maxTries || !d.until.IsZero() && time.Now().After(d.until)
}

// breach gives what is known of a value that broke out.
func (d *document) breach(i int, seen *sight) *Breach {
	v := d.values[i]
	b := &Breach{Span: v.number, Within: seen.out[i].within, Part: seen.out[i].part, Indent: v.indent}
	switch {
	case v.sectioned:
		b.Within = Section
	case d.format.String() == "pem":
		b.Within = Armour
	}
	return b
}
