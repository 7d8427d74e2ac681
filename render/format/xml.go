package format

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/rendered/rendered/internal/lazyregexp"
)

// What an XML file must not hold.
const (
	xmlText     = "text outside the root element"
	xmlVersion  = "only XML 1.0 can be checked"
	xmlEncoding = "an encoding that cannot be checked; there are UTF-8, US-ASCII and those of one byte a character"
	xmlChar     = "a character that XML does not allow"
	xmlTag      = "a tag has attributes, with a blank before each, and then its >"
	xmlPI       = "a processing instruction has a name, which is not xml, and then a blank"
	xmlDoctype  = "a document type declaration that is not whole, or not before the root element"
	xmlColon    = "a name with a colon at an end, or with two"
	xmlPrefix   = "a prefix without a namespace; xmlns:PREFIX gives it one"
	xmlEarly    = "it ends too early"
)

const (
	maxXMLAttributes = 10_000 // of one element
	maxXMLNamespaces = 10_000 // that are declared around an element
)

// checkXML wants a well-formed document of XML 1.0, fifth edition, with Namespaces in XML 1.0, as
// libxml2 reads it. A document type declaration is only looked through: what it declares is not
// known.
func checkXML(data []byte) *Error {
	x, err := newXMLChecker(data)
	for err == nil && x.at < len(x.text) {
		err = x.next()
	}
	switch {
	case err != nil:
	case len(x.open) > 0:
		err = x.fail(len(x.text), xmlEarly)
	case !x.rooted:
		err = x.fail(len(x.text), "there is no element")
	}
	return x.position(err)
}

// An xmlChecker reads a document.
type xmlChecker struct {
	cursor // over data as UTF-8
	data   []byte
	wider  bool // a byte of data may be more than one of the text

	open    []xmlElement
	rooted  bool // the root element has begun
	doctype bool // there is a document type declaration, which may bind prefixes
	spaces  xmlNamespaces
}

// An xmlElement is an element around the byte where the checker is.
type xmlElement struct {
	name   []byte
	spaces int // namespaces that were declared before it
}

var (
	encoded  = lazyregexp.New(`^<\?xml[ \t\r\n][^>]*?[ \t\r\n]encoding[ \t\r\n]*=[ \t\r\n]*["']([^"'<>]*)["']`)
	ascii    = lazyregexp.New(`(?i)^((us-)?ascii|ansi_x3\.4-1968)$`)
	unicode8 = lazyregexp.New(`(?i)^utf-?8$`)
	oneByte  = lazyregexp.New(`(?i)^(iso-8859-\d{1,2}|latin-?[1-9]|l1|(windows|cp)-?125\d|koi8-[ru])$`)
)

// newXMLChecker decodes a document. The checker is there with an error, too.
func newXMLChecker(data []byte) (*xmlChecker, *Error) {
	x := &xmlChecker{data: data, cursor: cursor{text: bytes.TrimPrefix(data, bom)}, spaces: newXMLNamespaces()}
	encoding := []byte("utf-8")
	if m := encoded.FindSubmatch(x.text[:min(len(x.text), 1<<10)]); m != nil {
		encoding = m[1]
	}
	wrong := -1
	switch {
	case unicode8.Match(encoding):
		wrong = invalidUTF8(x.text)
	case ascii.Match(encoding):
		wrong = bytes.IndexFunc(x.text, func(r rune) bool { return r >= utf8.RuneSelf })
	case oneByte.Match(encoding) && len(x.text) == len(data):
		// Their characters beyond ASCII differ, but not what is markup. So Latin-1 stands for all
		// of them.
		x.wider, x.text = true, fromLatin1(data)
	default:
		return x, x.fail(bytes.Index(x.text, []byte("encoding")), xmlEncoding)
	}
	if wrong >= 0 {
		return x, x.fail(wrong, "a byte that is not in the file's encoding")
	}
	return x, nil
}

func fromLatin1(data []byte) []byte {
	text := make([]byte, 0, len(data)+len(data)/8)
	for _, b := range data {
		text = utf8.AppendRune(text, rune(b))
	}
	return text
}

// fail is the error at a byte of the text.
func (x *xmlChecker) fail(offset int, what string) *Error { return &Error{Offset: offset, What: what} }

// limit is the error at a byte of the text up to which there is too much.
func (x *xmlChecker) limit(offset int, what string, most int) *Error {
	return &Error{Offset: offset, What: fmt.Sprintf(what, most), Limit: true}
}

// expected is the error where something else is expected.
func (x *xmlChecker) expected(what string) *Error {
	if x.at >= len(x.text) {
		return x.fail(len(x.text), xmlEarly)
	}
	return x.fail(x.at, what)
}

// position gives an error its line and column in the file.
func (x *xmlChecker) position(e *Error) *Error {
	if e == nil {
		return nil
	}
	offset := e.Offset + len(x.data) - len(x.text)
	if x.wider {
		offset = utf8.RuneCount(x.text[:e.Offset])
	}
	placed := at(x.data, offset, e.What)
	placed.Limit = e.Limit
	return placed
}

const xmlBlanks = " \t\n\r"

// blank goes past white space, and reports whether there was any.
func (x *xmlChecker) blank() bool {
	begin := x.at
	x.at = len(x.text) - len(bytes.TrimLeft(x.text[x.at:], xmlBlanks))
	return x.at > begin
}

// next reads a piece of markup, or the text up to one.
func (x *xmlChecker) next() *Error {
	begin := x.at
	switch {
	case !x.ahead("<"):
		return x.characters()
	case x.comes("<!--"):
		return x.comment()
	case x.comes("<?"):
		return x.instruction(begin)
	case x.comes("<![CDATA["):
		return x.section(begin)
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
		return x.fail(begin, "the XML declaration is not at the very beginning")
	case strings.EqualFold(string(name), "xml"):
		return x.fail(begin, xmlPI)
	case bytes.IndexByte(name, ':') >= 0:
		return x.fail(begin, xmlColon)
	}
	if !x.ahead("?>") && !x.blank() {
		return x.expected(xmlPI)
	}
	return x.until("?>")
}

// declaration reads what follows <?xml.
func (x *xmlChecker) declaration() *Error {
	begin := x.at
	m := xmlDecl.FindSubmatch(x.text[x.at:min(len(x.text), x.at+1<<10)])
	if m == nil {
		return x.fail(begin, `an XML declaration says version, encoding and standalone, in this order`)
	}
	if version := string(m[1]) + string(m[2]); version != "1.0" {
		return x.fail(begin, xmlVersion)
	}
	x.at += len(m[0])
	return nil
}

var xmlDecl = func() *lazyregexp.Regexp {
	attribute := func(name, value string) string {
		return `[ \t\r\n]+` + name + `[ \t\r\n]*=[ \t\r\n]*(?:"` + value + `"|'` + value + `')`
	}
	return lazyregexp.New(`^` + attribute("version", `(1\.[0-9]+)`) + `(?:` + attribute("encoding", `[A-Za-z][A-Za-z0-9._-]*`) + `)?(?:` + attribute("standalone", `(?:yes|no)`) + `)?[ \t\r\n]*\?>`)
}()

// documentType looks through what follows <!DOCTYPE: an external subset is not read, and of an
// internal one the end is looked for.
func (x *xmlChecker) documentType(begin int) (err *Error) {
	if x.doctype || x.rooted || !x.blank() || len(x.name()) == 0 {
		return x.fail(begin, xmlDoctype)
	}
	x.doctype = true
	for err == nil && !x.comes(">") {
		err = x.outside()
	}
	return err
}

// outside goes past something that stands outside the internal subset.
func (x *xmlChecker) outside() *Error {
	switch {
	case x.comes("["):
		return x.internalSubset()
	case x.ahead("<") && !x.ahead("<!--"):
		return x.fail(x.at, xmlDoctype)
	}
	return x.declared()
}

// internalSubset looks through what follows the [ of a document type declaration.
func (x *xmlChecker) internalSubset() (err *Error) {
	for err == nil && !x.comes("]") {
		if begin := x.at; x.comes("<?") {
			err = x.instruction(begin)
		} else {
			err = x.declared()
		}
	}
	return err
}

// declared goes past a comment, a literal or a character of a document type declaration.
func (x *xmlChecker) declared() *Error {
	switch c := x.peek(); {
	case x.at == len(x.text):
		return x.fail(x.at, xmlEarly)
	case x.comes("<!--"):
		return x.comment()
	case x.comes(`"`, "'"):
		return x.until(string(c))
	}
	return x.char()
}
