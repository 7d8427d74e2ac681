package format

import (
	"bytes"
	"strings"
	"unicode"
)

// What a dotenv file must not hold, since sh and systemd's EnvironmentFile (systemd.exec(5)) would not read the same.
const (
	envBare    = "a character outside quotes that sh acts on (envQuote writes them)"
	envBlank   = "a blank outside quotes, which ends the value for sh (envQuote writes them)"
	envReturn  = "a carriage return outside quotes, which sh keeps and systemd does not"
	envExpand  = "a $ or ` between double quotes, which sh acts on (envQuote writes them)"
	envDelete  = "a DEL behind a \\ between double quotes, which bash leaves out (envQuote writes them)"
	envAfter   = "text after a closing quote; one pair of quotes holds the whole value (envQuote writes it)"
	envOpen    = "a quote that begins here is not closed"
	envComment = "; does not begin a comment for sh; write #"
	envGoesOn  = `a comment that ends with \ goes on in the next line for some versions of systemd`
	envExport  = "systemd does not know export; write NAME=value alone"
	envName    = "what stands before = is not the name of a variable"
	envNoValue = "a line without ="
)

// checkDotenv wants what sh and systemd's EnvironmentFile read alike, without sh doing anything but setting variables: lines of
// NAME=value and comments, a value plain or in one pair of quotes, which may go over several lines.
func checkDotenv(data []byte) *Error { return readDotenv(data, func(string, string) {}) }

func dotenvTree(data []byte) (Node, *Error) {
	root := Node{Kind: Map}
	err := readDotenv(data, func(name, value string) {
		style := Plain
		if value != "" && (value[0] == '"' || value[0] == '\'') {
			style = Quoted
		}
		root.Nodes = append(root.Nodes, entry(name, Plain, Node{Text: value, Style: style}))
	})
	return root, err
}

// readDotenv calls each with every variable and its value, which has its quotes yet.
func readDotenv(data []byte, each func(name, value string)) *Error {
	if bytes.HasPrefix(data, bom) {
		return at(data, 0, "it begins with a byte order mark")
	}
	if n := bytes.IndexByte(data, 0); n >= 0 {
		return at(data, n, "a zero byte")
	}
	if n := invalidUTF8(data); n >= 0 {
		return at(data, n, "a byte that is not UTF-8, which systemd wants")
	}
	if n := noncharacter(data); n >= 0 {
		return at(data, n, "a noncharacter of Unicode, as U+FFFE; systemd takes no line of a file that holds one")
	}
	for offset := 0; offset < len(data); {
		name, next, what := assignment(data, offset)
		if what != "" {
			return at(data, next, what)
		}
		if name != "" {
			_, value, _ := bytes.Cut(data[offset:min(next, len(data))], []byte("="))
			each(name, string(bytes.TrimSpace(value)))
		}
		offset = next
	}
	return nil
}

// noncharacter gives the first code point that Unicode will never make a character of (The Unicode
// Standard, section 23.7), -1 where there is none. systemd 252 and 257 refuse the whole file for it
// (unichar_is_valid in src/basic/utf8.c).
func noncharacter(data []byte) int {
	return bytes.IndexFunc(data, func(r rune) bool { return unicode.Is(unicode.Noncharacter_Code_Point, r) })
}

// assignment reads the line at a byte, or several where quotes go on. It gives the name that is set
// there, "" for none, and the byte after it; or the one that is wrong, and why.
func assignment(data []byte, offset int) (name string, next int, what string) {
	offset = skipBlanks(data, offset)
	line, _, _ := bytes.Cut(data[offset:], []byte("\n"))
	end := offset + len(line)
	if len(line) == 0 {
		return "", end + 1, ""
	}
	switch line[0] {
	case '#':
		if n := bytes.IndexByte(line, '\r'); n >= 0 {
			return "", offset + n, envReturn
		}
		if line[len(line)-1] == '\\' {
			return "", end - 1, envGoesOn
		}
		return "", end + 1, ""
	case ';':
		return "", offset, envComment
	case '\r':
		return "", offset, envReturn
	}
	name, _, assigned := strings.Cut(string(line), "=")
	switch first, _, _ := strings.Cut(name, " "); {
	case !assigned:
		return "", offset, envNoValue
	case first == "export" && name != first:
		return "", offset, envExport
	case !isName(name):
		return "", offset, envName
	}
	value := offset + len(name) + 1
	if value < len(data) && (data[value] == '"' || data[value] == '\'') {
		next, what = quoted(data, value)
	} else {
		next, what = bare(data, value)
	}
	return name, next, what
}

// bare reads a value without quotes to the end of its line. Both readers leave blanks at the end out.
func bare(data []byte, offset int) (next int, what string) {
	for n := offset; n < len(data); n++ {
		switch c := data[n]; {
		case c == '\n':
			return n + 1, ""
		case c == '\r':
			return n, envReturn
		case c == ' ' || c == '\t':
			return lineEnd(data, n, envBlank)
		case strings.IndexByte("&;|<>()$`\\\"'", c) >= 0:
			return n, envBare
		case c == '~' && (n == offset || data[n-1] == ':'): // POSIX, Shell Command Language 2.6.1
			return n, envBare
		}
	}
	return len(data), ""
}

// quoted reads a value that begins with a quote. Between double quotes both readers take \ alike: away before " \ ` $ and the end
// of a line, for itself before all else.
func quoted(data []byte, offset int) (next int, what string) {
	quote := data[offset]
	for n := offset + 1; n < len(data); n++ {
		switch c := data[n]; {
		case c == quote:
			return lineEnd(data, n+1, envAfter)
		case quote == '\'':
		case c == '\\':
			if n++; n < len(data) && data[n] == 0x7f {
				return n, envDelete
			}
		case c == '$' || c == '`':
			return n, envExpand
		}
	}
	return offset, envOpen
}

// lineEnd wants nothing but blanks up to the end of the line.
func lineEnd(data []byte, offset int, otherwise string) (next int, what string) {
	n := skipBlanks(data, offset)
	switch {
	case n == len(data):
		return n, ""
	case data[n] == '\n':
		return n + 1, ""
	case data[n] == '\r':
		return n, envReturn
	}
	return offset, otherwise
}

func skipBlanks(data []byte, offset int) int {
	for offset < len(data) && (data[offset] == ' ' || data[offset] == '\t') {
		offset++
	}
	return offset
}

func isName(name string) bool {
	return name != "" && (name[0] < '0' || name[0] > '9') &&
		strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == ""
}
