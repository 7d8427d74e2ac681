package format

import (
	"bytes"
	"fmt"
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
		// Their characters beyond ASCII differ, but not what is markup. So Latin-1 stands for all of them.
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

// characters reads text up to the next <.
func (x *xmlChecker) characters() *Error {
	begin := x.at
	if end := bytes.IndexByte(x.text[x.at:], '<'); end >= 0 {
		end += x.at
		return x.within(begin, end)
	}
	return x.within(begin, len(x.text))
}

// within wants the text from a byte to another to be character data.
func (x *xmlChecker) within(begin, end int) *Error {
	if len(x.open) == 0 {
		if x.blank(); x.at < end {
			return x.fail(x.at, xmlText)
		}
		return nil
	}
	if n := bytes.Index(x.text[begin:end], []byte("]]>")); n >= 0 {
		return x.fail(begin+n, xmlCDATAEnd)
	}
	return x.references(end)
}

// references reads characters and references up to a byte.
func (x *xmlChecker) references(end int) *Error {
	for x.at < end {
		if x.text[x.at] == '&' {
			if err := x.reference(end); err != nil {
				return err
			}
			continue
		}
		if err := x.char(); err != nil {
			return err
		}
	}
	return nil
}

// char goes past a character that XML allows (section 2.2).
func (x *xmlChecker) char() *Error {
	c := x.text[x.at]
	if c < utf8.RuneSelf {
		if c < ' ' && !isXMLBlank(c) {
			return x.fail(x.at, xmlChar)
		}
		x.at++
		return nil
	}
	r, size := utf8.DecodeRune(x.text[x.at:])
	if r == 0xfffe || r == 0xffff {
		return x.fail(x.at, xmlChar)
	}
	x.at += size
	return nil
}

// until goes past characters up to the end of what they are in, and past that.
func (x *xmlChecker) until(end string) *Error {
	n := bytes.Index(x.text[x.at:], []byte(end))
	stop := x.at + n
	if n < 0 {
		stop = len(x.text)
	}
	for x.at < stop {
		if err := x.char(); err != nil {
			return err
		}
	}
	if n < 0 {
		return x.fail(stop, xmlEarly)
	}
	x.at += len(end)
	return nil
}

func (x *xmlChecker) comment() *Error {
	if n := bytes.Index(x.text[x.at:], []byte("--")); n >= 0 && !bytes.HasPrefix(x.text[x.at+n:], []byte("-->")) {
		return x.fail(x.at+n, xmlHyphens)
	}
	return x.until("-->")
}

// reference reads what begins with an &, up to a byte at most.
func (x *xmlChecker) reference(end int) *Error {
	begin := x.at
	const longest = len("&#x0000000010ffff;")
	text := x.text[x.at:min(end, x.at+longest)]
	if bytes.HasPrefix(text, []byte("&#")) {
		// Zeros may stand before the digits, as many as one likes.
		text = x.text[x.at:end]
	}
	n := bytes.IndexByte(text, ';')
	if n < 0 {
		return x.fail(begin, xmlEntity)
	}
	name := text[1:n]
	x.at += n + 1
	if len(name) == 0 || name[0] != '#' {
		switch string(name) {
		case "amp", "lt", "gt", "apos", "quot":
			return nil
		}
		return x.fail(begin, xmlEntity)
	}
	digits, base, code := name[1:], 10, 0
	if len(digits) > 0 && digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	for _, c := range digits {
		digit := strings.IndexByte("0123456789abcdef"[:base], lower(c))
		if digit < 0 {
			return x.fail(begin, xmlEntity)
		}
		code = min(code*base+digit, utf8.MaxRune+1)
	}
	if len(digits) == 0 {
		return x.fail(begin, xmlEntity)
	}
	if !isXMLChar(rune(code)) {
		return x.fail(begin, xmlChar)
	}
	return nil
}

func isXMLChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= ' ' && utf8.ValidRune(r) && r != 0xfffe && r != 0xffff
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

// endTag reads what follows </.
func (x *xmlChecker) endTag(begin int) *Error {
	name := x.name()
	x.blank()
	switch {
	case !x.comes(">"):
		return x.expected("the > of an end tag is expected")
	case len(x.open) == 0:
		return x.fail(begin, xmlNoStart)
	}
	e := x.open[len(x.open)-1]
	if !bytes.Equal(e.name, name) {
		return x.fail(begin, xmlEndTag)
	}
	x.spaces.close(e.spaces)
	x.open = x.open[:len(x.open)-1]
	return nil
}

// startTag reads what follows the < of an element.
func (x *xmlChecker) startTag(begin int) *Error {
	name := x.name()
	switch {
	case len(name) == 0:
		return x.expected(xmlMarkup)
	case len(x.open) == 0 && x.roots > 0:
		return x.fail(begin, xmlRoots)
	case len(x.open) == maxDepth:
		e := x.fail(begin, fmt.Sprintf("elements nest deeper than %d", maxDepth))
		e.Limit = true
		return e
	}
	attributes, err := x.attributes()
	if err != nil {
		return err
	}
	empty := x.comes("/>")
	if !empty && !x.comes(">") {
		return x.expected(xmlTag)
	}
	spaces, err := x.resolve(begin, name, attributes)
	if err != nil {
		return err
	}
	if len(x.open) == 0 {
		x.roots++
	}
	if empty {
		x.spaces.close(spaces)
	} else {
		x.open = append(x.open, xmlElement{name, spaces})
	}
	return nil
}

// An xmlAttribute is where an attribute stands in the text.
type xmlAttribute struct {
	at          int
	name, value []byte
}

// attributes reads the attributes of a tag, each with the blank before it.
func (x *xmlChecker) attributes() ([]xmlAttribute, *Error) {
	var list []xmlAttribute
	for x.blank() && x.peek() != '>' && x.peek() != '/' {
		a := xmlAttribute{at: x.at}
		a.name = x.name()
		if len(a.name) == 0 {
			return nil, x.expected(xmlTag)
		}
		x.blank()
		if !x.comes("=") {
			return nil, x.expected(xmlNoValue)
		}
		x.blank()
		quote := x.peek()
		if quote != '"' && quote != '\'' {
			return nil, x.expected(xmlUnquoted)
		}
		x.at++
		begin := x.at
		n := bytes.IndexByte(x.text[begin:], quote)
		if n < 0 {
			n = len(x.text) - begin
		}
		if less := bytes.IndexByte(x.text[begin:begin+n], '<'); less >= 0 {
			return nil, x.fail(begin+less, xmlLess)
		}
		if err := x.references(begin + n); err != nil {
			return nil, err
		}
		if x.at == len(x.text) {
			return nil, x.fail(x.at, xmlEarly)
		}
		a.value = x.text[begin:x.at]
		x.at++
		if list = append(list, a); len(list) > maxXMLAttributes {
			e := x.fail(a.at, fmt.Sprintf("an element has more than %d attributes", maxXMLAttributes))
			e.Limit = true
			return nil, e
		}
	}
	return list, nil
}
