package yamltext

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rendered/rendered/internal/lazyregexp"
)

// A cause is what an error of yaml.v3 comes from, in our words.
type cause struct {
	problem string // begins the error's text
	what    string
	hint    string
	line    origin
}

// An origin says what the line in an error of yaml.v3 is. That of its scanner is right.
type origin uint8

const (
	fromZero origin = 1 << iota // of the parser (parserc.go), which begins at 0, and decode.go does not add one
	sought                      // that where the list or map around it begins, or none: the place is searched for
)

const (
	tabHint    = "YAML is indented with spaces"
	quoteHint  = "put quotes around a text that holds a colon and a blank, or begins with one of * & ! % @ ` [ {"
	indentHint = "the indentation is off here or above, or a quote or bracket ends too early"
	escapeHint = `between double quotes write \\ for a backslash; between single quotes it stands for itself`
)

// causes are in the order in which they are tried.
var causes = []cause{
	{"found a tab character", "a tab stands in the indentation", tabHint, 0},
	{"found character that cannot start any token", "a text cannot begin like this", quoteHint, 0},
	{"did not find expected alphabetic or numeric character", "a text that begins with * or & must be quoted", "", 0},
	{"unknown anchor", "no anchor has the name of this alias", "put quotes around a text that begins with *", sought},
	{"mapping values are not allowed", "a colon stands where no key can be", "put quotes around a text that holds a colon and a blank, or mend the indentation here or above", 0},
	{"could not find expected ':'", "a key without a colon", "write KEY: VALUE, with a blank after the colon; a text of several lines stands after |, indented further than its key", 0},
	{"did not find expected ',' or ']'", "a list begins here with [ and lacks a comma or its ]", "", fromZero},
	{"did not find expected ',' or '}'", "a map begins here with { and lacks a comma or its }", "put quotes around a text that begins with {", fromZero},
	{"did not find expected '-' indicator", "an element of the list above, or its end, is expected here", "an element begins with - ; or " + indentHint, fromZero | sought},
	{"did not find expected key", "this is no part of what stands above", indentHint, fromZero | sought},
	{"did not find expected node content", "a value is missing here, or a bracket or comma is too many", quoteHint, fromZero},
	{"found unexpected end of stream", "a quote begins here and is not closed", "", 0},
	{"found unexpected document indicator", "a quote begins here and is not closed before --- or ...", "", 0},
	{"found unknown escape character", `a \ in the text that is quoted here means nothing`, escapeHint, 0},
	{"did not find expected hexdecimal number", `a \x or \u in the text that is quoted here is not whole`, escapeHint, 0},
	{"found invalid Unicode character escape code", `a \u in the text that is quoted here is no character`, escapeHint, 0},
	{"block sequence entries are not allowed", "a list cannot begin here", "begin it on a line of its own, or put quotes around a text that begins with -", 0},
	{"mapping keys are not allowed", "a text that begins with ? and a blank must be quoted", "", 0},
	{"did not find expected comment or line break", "after | or > the text begins on the next line", "", 0},
	{"found an indentation indicator equal to 0", "the number after | or > is 1 to 9", "", 0},
	{"exceeded max depth", tooDeep, "", 0},
	{"did not find expected <document start>", "a document ended above; the next begins with ---", "", fromZero},
	{"found undefined tag handle", "an unknown tag", "put quotes around a text that begins with !", fromZero},
	{"found incompatible YAML document", "this is not YAML 1.1", "leave the line with % out", fromZero},
	{"found duplicate", "the same directive stands above", "", fromZero},
	{"found unknown directive name", "a line that begins with % is a directive", quoteHint, 0},
	{"did not find", "a tag or directive is not whole", "put quotes around a text that begins with ! or %", 0},
	{"", "", "", 0},
}

var message = lazyregexp.New(`(?s)^yaml: (?:line (\d+): )?(.*)$`)

// parts gives the line of an error of yaml.v3, 0 where it has none, and its problem.
func parts(err error) (line int, problem string) {
	m := message.FindStringSubmatch(err.Error())
	if m == nil {
		return 0, ""
	}
	line, _ = strconv.Atoi(m[1])
	return line, m[2]
}

// explain rebuilds an error of decode.
func (p *parser) explain(text []byte, err error) *Error {
	if p.spent {
		return &Error{What: fmt.Sprintf("it takes longer than %v to parse", maxTime), Limit: true}
	}
	_, problem := parts(err)
	// decode.go names no line where it would be line 0, and then takes another place's. Below a
	// blank line there is no line 0.
	below := append([]byte("\n"), text...)
	_, err = p.modern(below)
	if err == nil {
		return &Error{}
	}
	line, again := parts(err)
	if again != problem {
		return &Error{}
	}
	c := causes[slices.IndexFunc(causes, func(c cause) bool { return strings.HasPrefix(problem, c.problem) })]
	if c.line&fromZero == 0 {
		line--
	}
	if c.line&sought != 0 {
		line = max(line, p.first(below, err)-1)
	}
	e := &Error{Line: max(line, 1), What: c.what, Hint: c.hint, Limit: c.what == tooDeep}
	e.look(text, problem)
	return e
}

// searched is the size in bytes up to which a place is searched for. It takes as many parses as the
// number of lines has bits.
const searched = 128 << 10

// first gives the first line up to which text has the same error; 0 where it is too large to say.
func (p *parser) first(text []byte, err error) int {
	if len(text) > searched {
		return 0
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	ends := make([]int, len(lines))
	for i, end := 0, 0; i < len(lines); i++ {
		end += len(lines[i])
		ends[i] = end
	}
	return 1 + sort.Search(len(ends)-1, func(i int) bool {
		_, e := p.modern(text[:ends[i]])
		return e != nil && e.Error() == err.Error()
	})
}

var (
	indented = lazyregexp.New(`^ *(?:- *)*\t`)
	braces   = lazyregexp.New(`(?:^|[:,\[-])\s+(\{\{)`)
	opening  = lazyregexp.New("(?:^|[\\s\\[{,])([@`%|>])")
	// The quote ends within an action.
	nested  = lazyregexp.New(`(?:^|[:,\[{-])\s*(")[^"\\]*\{\{[^"}]*"`)
	starred = lazyregexp.New(`(?:^|[\s\[{,])([*&])`)
)

// looked is how many bytes of a line are searched for what a person meant.
const looked = 4 << 10

// look reads the lines of the text from the error's on, for the column and for what a person meant.
func (e *Error) look(text []byte, problem string) {
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	e.Line = min(e.Line, len(lines)) // the end of the text counts as a line of its own
	line := lines[e.Line-1]
	line = line[:min(len(line), looked)]
	switch {
	case strings.HasPrefix(problem, "found a tab character"):
		e.tab(lines)
	case indented.MatchString(line):
		e.What, e.Hint = causes[0].what, tabHint
		e.tab(lines)
	case strings.HasPrefix(problem, "found character that cannot start any token"):
		e.at(line, opening)
	case strings.HasPrefix(problem, "did not find expected alphabetic"):
		e.at(line, starred)
	case strings.HasPrefix(problem, "unknown anchor"):
		name := strings.TrimSuffix(strings.TrimPrefix(problem, "unknown anchor '"), "' referenced")
		e.at(line, lazyregexp.New(`(?:^|[\s\[{,])(\*)`+regexp.QuoteMeta(name)))
	case nested.MatchString(line):
		e.at(line, nested)
		e.What = "a text between double quotes ends within {{"
		e.Hint = `put single quotes around it, write \" for a " in it, or begin it on the next line after |`
	case braces.MatchString(line):
		e.at(line, braces)
		e.Hint = "put quotes around a text that begins with {{, or begin it on the next line after |"
	}
}

// tab goes on to the line whose indentation holds the tab: the parser names the one where the text
// begins.
func (e *Error) tab(lines []string) {
	for i := e.Line - 1; i < len(lines); i++ {
		if at := indented.FindString(lines[i]); at != "" {
			e.Line, e.Column = i+1, len(at)
			return
		}
	}
}

// at sets the column to that of the first group of where.
func (e *Error) at(line string, where *lazyregexp.Regexp) {
	if m := where.FindStringSubmatchIndex(line); m != nil {
		e.Column = utf8.RuneCountInString(line[:m[2]]) + 1
	}
}

// encoded finds what is no text at all: yaml.v3 says nothing of where that is.
func encoded(text []byte) *Error {
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return &Error{Line: 1, What: "this is UTF-16", Hint: "save the file as UTF-8"}
	}
	line, column := 1, 0
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		text = text[size:]
		column++
		switch {
		case r == '\n':
			line, column = line+1, 0
		case r == utf8.RuneError && size == 1:
			return &Error{Line: line, Column: column, What: "a byte that is not UTF-8", Hint: "save the file as UTF-8"}
		case !printable(r):
			return &Error{Line: line, Column: column, What: "a control character", Hint: `take it out, or write it as \x07 is, between double quotes`}
		}
	}
	return nil
}

// printable reports that YAML 1.1 allows a character as it is (section 4.1, c-printable). A byte
// order mark is allowed too.
func printable(r rune) bool {
	return (!unicode.IsControl(r) || strings.ContainsRune("\t\n\r\u0085", r)) && r != 0xfffe && r != 0xffff
}
