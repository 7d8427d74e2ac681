package format

import (
	"bytes"
	"fmt"
	"html"
	"regexp"
	"unicode"
	"unicode/utf8"
)

// Characters that a name may begin with, beyond ASCII, and those that it may go on with (XML 1.0,
// fifth edition, section 2.3).
var (
	xmlNameStart = &unicode.RangeTable{
		R16: []unicode.Range16{
			{0xc0, 0xd6, 1}, {0xd8, 0xf6, 1}, {0xf8, 0x2ff, 1}, {0x370, 0x37d, 1}, {0x37f, 0x1fff, 1}, {0x200c, 0x200d, 1},
			{0x2070, 0x218f, 1}, {0x2c00, 0x2fef, 1}, {0x3001, 0xd7ff, 1}, {0xf900, 0xfdcf, 1}, {0xfdf0, 0xfffd, 1},
		},
		R32: []unicode.Range32{{0x10000, 0xeffff, 1}},
	}
	xmlNameRest = &unicode.RangeTable{R16: []unicode.Range16{{0xb7, 0xb7, 1}, {0x300, 0x36f, 1}, {0x203f, 0x2040, 1}}}
)

// name reads a name; none where there is none.
func (x *xmlChecker) name() []byte {
	begin := x.at
	for x.at < len(x.text) {
		r, size := rune(x.text[x.at]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(x.text[x.at:])
		}
		switch {
		case r == ':' || r == '_' || r < utf8.RuneSelf && r|0x20 >= 'a' && r|0x20 <= 'z':
		case r >= utf8.RuneSelf && unicode.Is(xmlNameStart, r):
		case x.at > begin && (r == '-' || r == '.' || r >= '0' && r <= '9' || r >= utf8.RuneSelf && unicode.Is(xmlNameRest, r)):
		default:
			return x.text[begin:x.at]
		}
		x.at += size
	}
	return x.text[begin:]
}

// split gives the prefix of a name and what follows its colon. Neither may be nothing, nor begin as
// no name does.
func (x *xmlChecker) split(name []byte) (prefix, local []byte, ok bool) {
	prefix, local, colon := bytes.Cut(name, []byte(":"))
	if !colon {
		return nil, name, true
	}
	rest := xmlChecker{text: local}
	return prefix, local, len(prefix) > 0 && len(local) > 0 && bytes.IndexByte(local, ':') < 0 && len(rest.name()) == len(local)
}

// The namespaces that are known everywhere (Namespaces in XML 1.0, section 3).
const (
	xmlNamespace1 = "http://www.w3.org/XML/1998/namespace"
	xmlNamespace2 = "http://www.w3.org/2000/xmlns/"
)

// xmlNamespaces know what prefixes mean at a place.
type xmlNamespaces struct {
	bound map[string][]string // by prefix, the innermost last
	order []string            // the prefixes in the order in which they were declared
}

func (s *xmlNamespaces) declare(prefix, name string) {
	s.bound[prefix] = append(s.bound[prefix], name)
	s.order = append(s.order, prefix)
}

// close forgets what was declared last.
func (s *xmlNamespaces) close(n int) {
	for range n {
		prefix := s.order[len(s.order)-1]
		s.order = s.order[:len(s.order)-1]
		if left := s.bound[prefix][:len(s.bound[prefix])-1]; len(left) > 0 {
			s.bound[prefix] = left
		} else {
			delete(s.bound, prefix)
		}
	}
}

// name gives the namespace of a prefix.
func (s *xmlNamespaces) name(prefix []byte) (name string, bound bool) {
	if list := s.bound[string(prefix)]; len(list) > 0 {
		return list[len(list)-1], true
	}
	return "", false
}

// resolve declares the namespaces of an element, gives how many they are, and wants its names and
// those of its attributes to have one, and no attribute to stand there twice.
func (x *xmlChecker) resolve(begin int, name []byte, attributes []xmlAttribute) (spaces int, _ *Error) {
	var seen map[string]bool
	if len(attributes) > 0 {
		seen = make(map[string]bool, len(attributes))
	}
	for _, a := range attributes {
		if seen[string(a.name)] {
			return 0, x.fail(a.at, xmlTwice)
		}
		seen[string(a.name)] = true
		prefix, local, ok := x.split(a.name)
		switch {
		case !ok:
			return 0, x.fail(a.at, xmlColon)
		case string(prefix) == "xmlns":
		case prefix == nil && string(local) == "xmlns":
			local = nil
		default:
			continue
		}
		if !mayDeclare(string(local), html.UnescapeString(string(a.value))) {
			return 0, x.fail(a.at, xmlNamespace)
		}
		if len(x.spaces.order) == maxXMLNamespaces {
			e := x.fail(a.at, fmt.Sprintf("more than %d namespaces are declared around here", maxXMLNamespaces))
			e.Limit = true
			return 0, e
		}
		x.spaces.declare(string(local), html.UnescapeString(string(a.value)))
		spaces++
	}
	clear(seen)
	prefix, _, ok := x.split(name)
	if !ok {
		return 0, x.fail(begin, xmlColon)
	}
	if _, bound := x.spaces.name(prefix); prefix != nil && !bound && !x.doctype {
		return 0, x.fail(begin, xmlPrefix)
	}
	for _, a := range attributes {
		prefix, local, _ := x.split(a.name)
		if prefix == nil || string(prefix) == "xmlns" {
			continue
		}
		space, bound := x.spaces.name(prefix)
		if !bound {
			if x.doctype {
				continue
			}
			return 0, x.fail(a.at, xmlPrefix)
		}
		full := space + " " + string(local)
		if seen[full] {
			return 0, x.fail(a.at, xmlTwice)
		}
		seen[full] = true
	}
	return spaces, nil
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
var uri = func() *regexp.Regexp {
	char := `[A-Za-z0-9._~@!$&'()*+,;=-]|%[0-9A-Fa-f]{2}`
	rest := `(?:[:/?]|` + char + `)*`
	return regexp.MustCompile(`^(?:[A-Za-z][A-Za-z0-9+.-]*:` + rest + `|(?:` + char + `)*(?:[/?]` + rest + `)?)(?:#` + rest + `)?$`)
}()
