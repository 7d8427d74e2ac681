package format

import (
	"bytes"
	"cmp"
	"html"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rendered/rendered/internal/lazyregexp"
)

// Characters that a name may begin with, and those that it may go on with (XML 1.0, fifth edition,
// section 2.3).
var (
	xmlNameStart = &unicode.RangeTable{
		R16: []unicode.Range16{
			{':', ':', 1}, {'A', 'Z', 1}, {'_', '_', 1}, {'a', 'z', 1}, {0xc0, 0xd6, 1}, {0xd8, 0xf6, 1}, {0xf8, 0x2ff, 1}, {0x370, 0x37d, 1}, {0x37f, 0x1fff, 1},
			{0x200c, 0x200d, 1}, {0x2070, 0x218f, 1}, {0x2c00, 0x2fef, 1}, {0x3001, 0xd7ff, 1}, {0xf900, 0xfdcf, 1}, {0xfdf0, 0xfffd, 1},
		},
		R32: []unicode.Range32{{0x10000, 0xeffff, 1}},
	}
	xmlNameRest = &unicode.RangeTable{R16: []unicode.Range16{{'-', '.', 1}, {'0', '9', 1}, {0xb7, 0xb7, 1}, {0x300, 0x36f, 1}, {0x203f, 0x2040, 1}}}
)

// name reads a name; none where there is none.
func (x *xmlChecker) name() []byte {
	begin := x.at
	for x.at < len(x.text) {
		r, size := utf8.DecodeRune(x.text[x.at:])
		if !unicode.Is(xmlNameStart, r) && (x.at == begin || !unicode.Is(xmlNameRest, r)) {
			break
		}
		x.at += size
	}
	return x.text[begin:x.at]
}

// The namespaces that are known everywhere (Namespaces in XML 1.0, section 3).
const (
	xmlNamespace1 = "http://www.w3.org/XML/1998/namespace"
	xmlNamespace2 = "http://www.w3.org/2000/xmlns/"
)

// xmlNamespaces know what prefixes mean in the innermost element.
type xmlNamespaces struct {
	bound map[string]string
	// outer has for each declaration around what its prefix meant before.
	outer []xmlBinding
}

type xmlBinding struct{ prefix, name string }

func newXMLNamespaces() xmlNamespaces {
	return xmlNamespaces{bound: map[string]string{"xml": xmlNamespace1, "xmlns": xmlNamespace2}}
}

func (s *xmlNamespaces) declare(prefix, name string) {
	s.outer = append(s.outer, xmlBinding{prefix, s.bound[prefix]})
	s.bound[prefix] = name
}

// close forgets all declarations but the first.
func (s *xmlNamespaces) close(first int) {
	for _, b := range slices.Backward(s.outer[first:]) {
		if s.bound[b.prefix] = b.name; b.name == "" {
			delete(s.bound, b.prefix)
		}
	}
	s.outer = s.outer[:first]
}

// resolve declares the namespaces of an element, and wants its names and those of its attributes to
// have one, and no attribute to stand there twice.
func (x *xmlChecker) resolve(begin int, name []byte, attributes []xmlAttribute) *Error {
	for _, a := range attributes {
		if err := x.declare(a); err != nil {
			return err
		}
	}
	if _, err := x.expand(begin, name); err != nil {
		return err
	}
	if bytes.HasPrefix(name, []byte("xmlns:")) && !x.doctype {
		return x.fail(begin, xmlPrefix)
	}
	return x.unique(attributes)
}

// unique wants no attribute to stand twice in an element.
func (x *xmlChecker) unique(attributes []xmlAttribute) *Error {
	var seen map[string]bool
	for i, a := range attributes {
		full, err := x.expand(a.at, a.name)
		switch {
		case err != nil:
			return err
		case seen[full]:
			return x.fail(a.at, "an attribute stands twice in one element")
		case i == 0:
			seen = make(map[string]bool, len(attributes))
		}
		seen[full] = true
	}
	return nil
}

// declare binds the prefix that an attribute gives a namespace, if it gives one.
func (x *xmlChecker) declare(a xmlAttribute) *Error {
	prefix, ok := a.declares()
	name := html.UnescapeString(string(a.value))
	switch {
	case !ok:
		return nil
	case !mayDeclare(prefix, name):
		return x.fail(a.at, "xmlns gives a namespace that is none, or that may not be given")
	case len(x.spaces.outer) == maxXMLNamespaces:
		return x.limit(a.at, "more than %d namespaces are declared around here", maxXMLNamespaces)
	}
	x.spaces.declare(prefix, name)
	return nil
}

// expand gives a name, which stands at a byte, with its namespace in the place of its prefix. Where
// a document type may bind the prefix it stays.
func (x *xmlChecker) expand(at int, name []byte) (string, *Error) {
	prefix, local, colon := strings.Cut(string(name), ":")
	if !colon {
		return prefix, nil
	}
	// What follows the colon is a name, and has none.
	rest := xmlChecker{cursor: cursor{text: []byte(local)}}
	if prefix == "" || local == "" || strings.Contains(local, ":") || len(rest.name()) < len(local) {
		return "", x.fail(at, xmlColon)
	}
	space := x.spaces.bound[prefix]
	if space == "" && !x.doctype {
		return "", x.fail(at, xmlPrefix)
	}
	return cmp.Or(space, prefix) + " " + local, nil
}

// mayDeclare reports that a prefix, which may be none, may mean a namespace.
func mayDeclare(prefix, name string) bool {
	switch {
	case prefix == "xml" || name == xmlNamespace1:
		return prefix == "xml" && name == xmlNamespace1
	case prefix == "xmlns" || name == xmlNamespace2:
		return false
	case name == "":
		return prefix == ""
	}
	return uri.MatchString(name)
}

// uri is a URI or a relative one (RFC 3986, appendix A), as far as its characters and its first
// colon go.
var uri = func() *lazyregexp.Regexp {
	char := `[A-Za-z0-9._~@!$&'()*+,;=-]|%[0-9A-Fa-f]{2}`
	rest := `(?:[:/?]|` + char + `)*`
	return lazyregexp.New(`^(?:[A-Za-z][A-Za-z0-9+.-]*:` + rest + `|(?:` + char + `)*(?:[/?]` + rest + `)?)(?:#` + rest + `)?$`)
}()
