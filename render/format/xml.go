package format

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// checkXML wants one root element and nothing but blanks, comments and the like around it.
func checkXML(data []byte) *Error {
	x := newXMLReader(data)
	if n := bytes.Index(data, []byte("<?xml ")); n > 0 && !bytes.Equal(data[:n], bom) && len(bytes.TrimSpace(data[:n])) == 0 {
		return at(data, n, "the XML declaration is not at the very beginning")
	}
	depth, roots := 0, 0
	for {
		t, err := x.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return x.fault(xmlCause(err))
		}
		switch t := t.(type) {
		case xml.StartElement:
			if depth++; depth == 1 {
				roots++
			}
			if twice(t.Attr) {
				return x.fault("an attribute stands twice in one element")
			}
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth == 0 && len(bytes.TrimSpace(t)) > 0 {
				return x.fault("text outside the root element")
			}
		}
		if roots > 1 {
			return x.fault("a second root element")
		}
	}
	if roots == 0 {
		return at(data, len(data), "there is no element")
	}
	return nil
}

// twice reports that two attributes have one name, prefixes resolved (Namespaces in XML 1.0, section 6.3).
func twice(attributes []xml.Attr) bool {
	seen := make(map[xml.Name]bool, len(attributes))
	for _, a := range attributes {
		if seen[a.Name] {
			return true
		}
		seen[a.Name] = true
	}
	return false
}

var errEncoding = errors.New("an encoding that cannot be checked; there are UTF-8, US-ASCII and those of one byte a character")

// xmlCause says what an error of encoding/xml means, as far as it can be said without its words, which quote.
func xmlCause(err error) string {
	text := err.Error()
	for _, c := range []struct{ part, what string }{
		{errEncoding.Error(), errEncoding.Error()},
		{"unsupported version", "only XML 1.0 can be checked"},
		{"invalid UTF-8", "a byte that is not in the file's encoding"},
		{"illegal character code", "a character that XML does not allow"},
		{"invalid character entity", "an & that begins no known entity (xmlQuote writes &amp;)"},
		{"unescaped < inside quoted string", "a < in the value of an attribute (xmlQuote writes &lt;)"},
		{"unescaped ]]> not in CDATA section", "a ]]> outside CDATA (xmlQuote writes ]]&gt;)"},
		{"closed by", "the end tag is that of another element"},
		{"unexpected end element", "an end tag without a start tag"},
		{"unexpected EOF", "it ends too early"},
		{"attribute name without =", "an attribute without a value"},
		{"unquoted or missing attribute value", "the value of an attribute must be quoted"},
		{`invalid sequence "--"`, "-- inside a comment"},
	} {
		if strings.Contains(text, c.part) {
			return c.what
		}
	}
	return ""
}

// An xmlReader reads a document that may be in an encoding of one byte a character.
type xmlReader struct {
	*xml.Decoder
	data  []byte
	utf8  []byte // data as UTF-8
	wider bool   // a byte of data may be more than one of utf8
}

var (
	declared = regexp.MustCompile(`^<\?xml\s[^>]*?\sencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']`)
	ascii    = regexp.MustCompile(`(?i)^(us-)?ascii$`)
	oneByte  = regexp.MustCompile(`(?i)^(iso-8859-\d{1,2}|latin-?[1-9]|l1|(windows|cp)-?125\d|koi8-[ru])$`)
)

func newXMLReader(data []byte) *xmlReader {
	x := &xmlReader{data: data, utf8: bytes.TrimPrefix(data, bom)}
	if m := declared.FindSubmatch(data); m != nil && oneByte.Match(m[1]) {
		// Their characters beyond ASCII differ, but not what is markup. So Latin-1 stands for all of them.
		runes := make([]rune, len(data))
		for i, b := range data {
			runes[i] = rune(b)
		}
		x.utf8, x.wider = []byte(string(runes)), true
	}
	x.Decoder = xml.NewDecoder(bytes.NewReader(x.utf8))
	x.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		switch {
		case x.wider:
			return in, nil
		case ascii.MatchString(label):
			return asciiReader{in}, nil
		}
		return nil, errEncoding
	}
	return x
}

// An asciiReader makes of bytes that are not ASCII such as are not UTF-8 either.
type asciiReader struct{ in io.Reader }

func (a asciiReader) Read(p []byte) (int, error) {
	n, err := a.in.Read(p)
	for i, b := range p[:n] {
		if b >= utf8.RuneSelf {
			p[i] = 0xff
		}
	}
	return n, err
}

// fault gives the error where the decoder stands.
func (x *xmlReader) fault(what string) *Error {
	offset := int(x.InputOffset())
	if x.wider {
		return at(x.data, utf8.RuneCount(x.utf8[:min(offset, len(x.utf8))]), what)
	}
	return at(x.data, offset+len(x.data)-len(x.utf8), what)
}
