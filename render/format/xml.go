package format

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"
)

// What an XML file must not hold.
const (
	xmlNoElement   = "there is no element"
	xmlText        = "text outside the root element"
	xmlRoots       = "a second root element"
	xmlDeclaration = "the XML declaration is not at the very beginning"
	xmlDeclared    = `an XML declaration says version, encoding and standalone, in this order`
	xmlVersion     = "only XML 1.0 can be checked"
	xmlEncoding    = "an encoding that cannot be checked; there are UTF-8, US-ASCII and those of one byte a character"
	xmlEncoded     = "a byte that is not in the file's encoding"
	xmlChar        = "a character that XML does not allow"
	xmlEntity      = "an & that begins no known entity (xmlQuote writes &amp;)"
	xmlLess        = "a < in the value of an attribute (xmlQuote writes &lt;)"
	xmlCDATAEnd    = "a ]]> outside CDATA (xmlQuote writes ]]&gt;)"
	xmlHyphens     = "-- inside a comment"
	xmlMarkup      = "a < that begins no element, comment or the like (xmlQuote writes &lt;)"
	xmlEndTag      = "the end tag is that of another element"
	xmlNoStart     = "an end tag without a start tag"
	xmlTag         = "a tag has attributes, with a blank before each, and then its >"
	xmlNoValue     = "an attribute without a value"
	xmlUnquoted    = "the value of an attribute must be quoted"
	xmlTwice       = "an attribute stands twice in one element"
	xmlPI          = "a processing instruction has a name, which is not xml, and then a blank"
	xmlDoctype     = "a document type declaration that is not whole, or not before the root element"
	xmlColon       = "a name with a colon at an end, or with two"
	xmlPrefix      = "a prefix without a namespace; xmlns:PREFIX gives it one"
	xmlNamespace   = "xmlns gives a namespace that is none, or that may not be given"
	xmlEarly       = "it ends too early"
)

const (
	maxXMLAttributes = 10_000 // of one element
	maxXMLNamespaces = 10_000 // that are declared around a place
)

// checkXML wants a well-formed document of XML 1.0, fifth edition, with Namespaces in XML 1.0, as
// libxml2 reads it. A document type declaration is only looked through: what it declares is not
// known.
func checkXML(data []byte) *Error {
	x, err := newXMLChecker(data)
	if err != nil {
		return err
	}
	for x.at < len(x.text) {
		if err := x.next(); err != nil {
			return x.place(err)
		}
	}
	switch {
	case len(x.open) > 0:
		return x.place(x.fail(len(x.text), xmlEarly))
	case x.roots == 0:
		return x.place(x.fail(len(x.text), xmlNoElement))
	}
	return nil
}

// An xmlChecker reads a document.
type xmlChecker struct {
	data  []byte
	text  []byte // data as UTF-8
	wider bool   // a byte of data may be more than one of text

	at      int
	open    []xmlElement
	roots   int
	doctype bool // there is a document type declaration, which may bind prefixes
	spaces  xmlNamespaces
}

// An xmlElement is an element around the place where the checker is.
type xmlElement struct {
	name   []byte
	spaces int // namespaces that it declares
}

var (
	declared = regexp.MustCompile(`^<\?xml[ \t\r\n][^>]*?[ \t\r\n]encoding[ \t\r\n]*=[ \t\r\n]*["']([^"'<>]*)["']`)
	ascii    = regexp.MustCompile(`(?i)^((us-)?ascii|ansi_x3\.4-1968)$`)
	unicode8 = regexp.MustCompile(`(?i)^utf-?8$`)
	oneByte  = regexp.MustCompile(`(?i)^(iso-8859-\d{1,2}|latin-?[1-9]|l1|(windows|cp)-?125\d|koi8-[ru])$`)
)

func newXMLChecker(data []byte) (*xmlChecker, *Error) {
	x := &xmlChecker{data: data, text: bytes.TrimPrefix(data, bom)}
	x.spaces.bound = map[string][]string{"xml": {xmlNamespace1}}
	encoding := "utf-8"
	if m := declared.FindSubmatch(x.text[:min(len(x.text), 1<<10)]); m != nil {
		encoding = string(m[1])
	}
	switch {
	case unicode8.MatchString(encoding):
	case ascii.MatchString(encoding):
		for i, b := range x.text {
			if b >= utf8.RuneSelf {
				return nil, x.place(x.fail(i, xmlEncoded))
			}
		}
	case oneByte.MatchString(encoding) && len(x.text) == len(data):
		// Their characters beyond ASCII differ, but not what is markup. So Latin-1 stands for all
		// of them.
		x.wider = true
		x.text = make([]byte, 0, len(data)+len(data)/8)
		for _, b := range data {
			x.text = utf8.AppendRune(x.text, rune(b))
		}
		return x, nil
	default:
		return nil, x.place(x.fail(bytes.Index(x.text, []byte("encoding")), xmlEncoding))
	}
	if n := invalidUTF8(x.text); n >= 0 {
		return nil, x.place(x.fail(n, xmlEncoded))
	}
	return x, nil
}

// fail is the error at a byte of the text.
func (x *xmlChecker) fail(offset int, what string) *Error { return &Error{Offset: offset, What: what} }

// expected is the error where something else is expected.
func (x *xmlChecker) expected(what string) *Error {
	if x.at >= len(x.text) {
		return x.fail(len(x.text), xmlEarly)
	}
	return x.fail(x.at, what)
}

// place gives an error its place in the file.
func (x *xmlChecker) place(e *Error) *Error {
	offset := e.Offset + len(x.data) - len(x.text)
	if x.wider {
		offset = utf8.RuneCount(x.text[:e.Offset])
	}
	placed := at(x.data, offset, e.What)
	placed.Limit = e.Limit
	return placed
}

func (x *xmlChecker) peek() byte {
	if x.at < len(x.text) {
		return x.text[x.at]
	}
	return 0
}

// comes reports that some text comes next, and goes past it.
func (x *xmlChecker) comes(text string) bool {
	if bytes.HasPrefix(x.text[x.at:], []byte(text)) {
		x.at += len(text)
		return true
	}
	return false
}

// blank goes past white space, and reports whether there was any.
func (x *xmlChecker) blank() bool {
	begin := x.at
	for x.at < len(x.text) && isXMLBlank(x.text[x.at]) {
		x.at++
	}
	return x.at > begin
}

func isXMLBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// next reads a piece of markup, or the text up to one.
func (x *xmlChecker) next() *Error {
	begin := x.at
	if x.text[x.at] != '<' {
		return x.characters()
	}
	switch {
	case x.comes("<!--"):
		return x.comment()
	case x.comes("<?"):
		return x.instruction(begin)
	case x.comes("<![CDATA["):
		if len(x.open) == 0 {
			return x.fail(begin, xmlText)
		}
		return x.until("]]>")
	case x.comes("<!DOCTYPE"):
		return x.documentType(begin)
	case x.comes("</"):
		return x.endTag(begin)
	}
	x.at++
	return x.startTag(begin)
}

// instruction reads what follows <?.
func (x *xmlChecker) instruction(begin int) *Error {
	name := x.name()
	switch {
	case len(name) == 0:
		return x.expected(xmlPI)
	case string(name) == "xml" && begin == 0:
		return x.declaration()
	case string(name) == "xml":
		return x.fail(begin, xmlDeclaration)
	case strings.EqualFold(string(name), "xml"):
		return x.fail(begin, xmlPI)
	case bytes.IndexByte(name, ':') >= 0:
		return x.fail(begin, xmlColon)
	}
	if x.comes("?>") {
		return nil
	}
	if !x.blank() {
		return x.expected(xmlPI)
	}
	return x.until("?>")
}

// declaration reads what follows <?xml.
func (x *xmlChecker) declaration() *Error {
	begin := x.at
	m := xmlDecl.FindSubmatch(x.text[x.at:min(len(x.text), x.at+1<<10)])
	if m == nil {
		return x.fail(begin, xmlDeclared)
	}
	if string(m[1]) != "1.0" {
		return x.fail(begin, xmlVersion)
	}
	x.at += len(m[0])
	return nil
}

var xmlDecl = func() *regexp.Regexp {
	attribute := func(name, value string) string {
		return `[ \t\r\n]+` + name + `[ \t\r\n]*=[ \t\r\n]*(?:"` + value + `"|'` + value + `')`
	}
	version := `[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*["'](1\.[0-9]+)["']`
	return regexp.MustCompile(`^` + version + `(?:` + attribute("encoding", `[A-Za-z][A-Za-z0-9._-]*`) + `)?(?:` + attribute("standalone", `(?:yes|no)`) + `)?[ \t\r\n]*\?>`)
}()

// documentType looks through what follows <!DOCTYPE: an external subset is not read, and of an
// internal one the end is looked for.
func (x *xmlChecker) documentType(begin int) *Error {
	if x.doctype || x.roots > 0 || !x.blank() || len(x.name()) == 0 {
		return x.fail(begin, xmlDoctype)
	}
	x.doctype = true
	inside := false
	for x.at < len(x.text) {
		var err *Error
		switch c := x.text[x.at]; {
		case c == '"' || c == '\'':
			x.at++
			err = x.until(string(c))
		case x.comes("<!--"):
			err = x.comment()
		case inside && x.comes("<?"):
			err = x.instruction(x.at - len("<?"))
		case c == '[' && !inside:
			inside = true
			x.at++
		case c == ']' && inside:
			inside = false
			x.at++
		case c == '>' && !inside:
			x.at++
			return nil
		case c == '<' && !inside:
			return x.fail(x.at, xmlDoctype)
		default:
			err = x.char()
		}
		if err != nil {
			return err
		}
	}
	return x.fail(len(x.text), xmlEarly)
}
