package format

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"strings"
)

// checkINI wants sections, names with or without values, and comments.
func checkINI(data []byte) *Error {
	line := 0
	for text := range bytes.Lines(data) {
		line++
		t := strings.TrimSpace(string(text))
		switch {
		case t == "" || t[0] == ';' || t[0] == '#':
		case t[0] == '[':
			name, rest, closed := strings.Cut(t[1:], "]")
			rest = strings.TrimSpace(rest)
			if !closed || strings.TrimSpace(name) == "" || rest != "" && rest[0] != ';' && rest[0] != '#' {
				return atLine(data, line, "a section is a name in brackets")
			}
		case t[0] == '=' || t[0] == ':':
			return atLine(data, line, "a value without a name")
		case strings.ContainsRune(t, 0):
			return atLine(data, line, "a zero byte")
		}
	}
	return nil
}

// checkDotenv wants what sh and systemd's EnvironmentFile both read: NAME=value lines and comments, values plain or in quotes,
// which may go over several lines.
func checkDotenv(data []byte) *Error {
	for offset := 0; offset < len(data); {
		next, what := assignment(data, offset)
		if what != "" {
			return at(data, next, what)
		}
		offset = next
	}
	return nil
}

// assignment reads one line, or several where quotes go on, and gives the byte after it; or the byte where it is wrong.
func assignment(data []byte, offset int) (next int, what string) {
	end := len(data)
	if n := bytes.IndexByte(data[offset:], '\n'); n >= 0 {
		end = offset + n
	}
	line := bytes.TrimSpace(data[offset:end])
	if len(line) == 0 || line[0] == '#' || line[0] == ';' {
		return end + 1, ""
	}
	name, _, assigned := bytes.Cut(line, []byte("="))
	switch {
	case !assigned:
		return offset, "a line without ="
	case !isName(string(bytes.TrimPrefix(name, []byte("export ")))):
		return offset, "what stands before = is not the name of a variable"
	}
	at := offset + bytes.IndexByte(data[offset:], '=') + 1
	var quote byte
	for ; at < len(data); at++ {
		c := data[at]
		switch {
		case c == 0:
			return at, "a zero byte"
		case quote == 0 && c == '\n':
			return at + 1, ""
		case c == '\\' && quote != '\'':
			at++
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case c == quote:
			quote = 0
		}
	}
	if quote != 0 {
		return len(data), "a quote is not closed"
	}
	return len(data), ""
}

func isName(name string) bool {
	return name != "" && (name[0] < '0' || name[0] > '9') &&
		strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// checkPEM wants at least one block, and every certificate and private key in it to be one. Text between blocks is allowed, as
// openssl writes it.
func checkPEM(data []byte) *Error {
	rest := data
	for n := 0; ; n++ {
		block, after := pem.Decode(rest)
		if block == nil {
			if at0 := bytes.Index(rest, []byte("-----BEGIN")); at0 >= 0 {
				return at(data, len(data)-len(rest)+at0, "a block that begins here is not whole")
			}
			if n == 0 {
				return at(data, 0, "there is no block")
			}
			return nil
		}
		taken := rest[:len(rest)-len(after)]
		if bytes.Count(taken, []byte("-----BEGIN")) > 1 {
			return at(data, len(data)-len(rest)+bytes.Index(taken, []byte("-----BEGIN")), "a block that begins here is not whole")
		}
		if what := inside(block); what != "" {
			return at(data, len(data)-len(after)-len(bytes.TrimLeft(taken, "\r\n\t ")), what)
		}
		rest = after
	}
}

// inside says what is wrong with a block's content.
func inside(block *pem.Block) string {
	var err error
	switch block.Type {
	case "CERTIFICATE":
		_, err = x509.ParseCertificate(block.Bytes)
	case "PRIVATE KEY":
		_, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		if block.Headers["DEK-Info"] == "" { // an encrypted one cannot be looked into
			_, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		}
	case "EC PRIVATE KEY":
		if block.Headers["DEK-Info"] == "" {
			_, err = x509.ParseECPrivateKey(block.Bytes)
		}
	}
	if err != nil {
		return "the block is no " + strings.ToLower(block.Type)
	}
	return ""
}
