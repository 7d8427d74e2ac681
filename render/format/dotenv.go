package format

import (
	"bytes"
	"strings"
	"unicode"

	"github.com/rendered/rendered/internal/lazyregexp"
)

// What a dotenv file must not hold, since sh and systemd's EnvironmentFile (systemd.exec(5)) would
// not read the same.
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

// checkDotenv wants what sh and systemd's EnvironmentFile read alike, without sh doing anything but
// setting variables: lines of NAME=value and comments, a value plain or in one pair of quotes,
// which may go over several lines.
func checkDotenv(data []byte) *Error { return readDotenv(data, func(string, string) {}) }

func dotenvTree(data []byte) (Node, *Error) {
	root := Node{Kind: Map}
	err := readDotenv(data, func(name, value string) {
		style := Plain
		if strings.HasPrefix(value, `"`) || strings.HasPrefix(value, "'") {
			style = Quoted
		}
		root.Nodes = append(root.Nodes, entry(name, Plain, Node{Text: value, Style: style}))
	})
	return root, err
}

// readDotenv calls each with every variable and its value, which has its quotes yet.
func readDotenv(data []byte, each func(name, value string)) *Error {
	err := without(data,
		forbidden{byteOrderMark, "it begins with a byte order mark"},
		forbidden{zeroByte, "a zero byte"},
		forbidden{invalidUTF8, "a byte that is not UTF-8, which systemd wants"},
		forbidden{noncharacter, "a noncharacter of Unicode, as U+FFFE; systemd takes no line of a file that holds one"})
	if err != nil {
		return err
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
// Standard, section 23.7). systemd 252 and 257 refuse the whole file for it (unichar_is_valid in
// src/basic/utf8.c).
func noncharacter(data []byte) int {
	return bytes.IndexFunc(data, func(r rune) bool { return unicode.Is(unicode.Noncharacter_Code_Point, r) })
}

// assignment reads the line at a byte, or several where quotes go on. It gives the name that is set
// there, "" for none, and the byte after it; or the one that is wrong, and why.
func assignment(data []byte, offset int) (name string, next int, what string) {
	offset = skipBlanks(data, offset)
	line, _, _ := bytes.Cut(data[offset:], []byte("\n"))
	if len(line) == 0 || line[0] == '#' {
		next, what = envComments(line, offset)
		return "", next, what
	}
	if name, what = variable(string(line)); what != "" {
		return "", offset, what
	}
	next, what = envValue(data, offset+len(name)+1)
	return name, next, what
}

var variableName = lazyregexp.New(`^[A-Za-z_][A-Za-z0-9_]*$`)

// variable gives the name that a line sets, or says why there is none.
func variable(line string) (name, what string) {
	name, _, assigned := strings.Cut(line, "=")
	switch {
	case line[0] == ';':
		return "", envComment
	case line[0] == '\r':
		return "", envReturn
	case !assigned:
		return "", envNoValue
	case strings.HasPrefix(name, "export "):
		return "", envExport
	case !variableName.MatchString(name):
		return "", envName
	}
	return name, ""
}

// envComments reads a line that is a comment, or nothing.
func envComments(line []byte, offset int) (next int, what string) {
	if n := bytes.IndexByte(line, '\r'); n >= 0 {
		return offset + n, envReturn
	}
	end := offset + len(line)
	if bytes.HasSuffix(line, []byte(`\`)) {
		return end - 1, envGoesOn
	}
	return end + 1, ""
}

// envValue reads a value to the end of its line. Both readers leave blanks at the end out.
func envValue(data []byte, offset int) (next int, what string) {
	if bytes.ContainsAny(data[offset:min(offset+1, len(data))], `"'`) {
		return quoted(data, offset)
	}
	end := len(data)
	if n := bytes.IndexAny(data[offset:], "\n\r \t&;|<>()$`\\\"'"); n >= 0 {
		end = offset + n
	}
	if tilde := home.FindIndex(data[offset:end]); tilde != nil {
		return offset + tilde[1] - 1, envBare
	}
	if end == len(data) || strings.IndexByte("\n\r \t", data[end]) >= 0 {
		return lineEnd(data, end, envBlank)
	}
	return end, envBare
}

// home is a ~ for which sh puts a directory (POSIX, Shell Command Language 2.6.1).
var home = lazyregexp.New(`(?:^|:)~`)

// quoted reads a value that begins with a quote. Between double quotes both readers take \ alike:
// away before " \ ` $ and the end of a line, for itself before all else.
func quoted(data []byte, offset int) (next int, what string) {
	quote := data[offset]
	ends := map[byte]string{'"': "\"\\$`", '\'': "'"}[quote]
	for n := offset + 1; n < len(data); n++ {
		found := bytes.IndexAny(data[n:], ends)
		if found < 0 {
			break
		}
		switch n += found; data[n] {
		case quote:
			return lineEnd(data, n+1, envAfter)
		case '\\':
			if n++; n < len(data) && data[n] == 0x7f {
				return n, envDelete
			}
		default:
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

// skipBlanks gives the first byte from an offset on that is no blank.
func skipBlanks(data []byte, offset int) int {
	for offset < len(data) && (data[offset] == ' ' || data[offset] == '\t') {
		offset++
	}
	return offset
}
