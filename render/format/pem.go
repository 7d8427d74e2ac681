package format

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"strings"
)

// checkPEM wants at least one block, and every certificate and private key in it to be one. Text between blocks is allowed, as
// openssl writes it.
func checkPEM(data []byte) *Error {
	rest := data
	for n := 0; ; n++ {
		block, after := pem.Decode(rest)
		if block == nil {
			if at0 := bytes.Index(rest, []byte("-----BEGIN")); at0 >= 0 {
				return at(data, len(data)-len(rest)+at0, broken(rest, at0))
			}
			if n == 0 {
				return at(data, 0, "there is no block")
			}
			return nil
		}
		taken := rest[:len(rest)-len(after)]
		if bytes.Count(taken, []byte("-----BEGIN")) > 1 {
			begin := bytes.Index(taken, []byte("-----BEGIN"))
			return at(data, len(data)-len(rest)+begin, broken(taken, begin))
		}
		if what := inside(block); what != "" {
			return at(data, len(data)-len(after)-len(bytes.TrimLeft(taken, "\r\n\t ")), what)
		}
		rest = after
	}
}

// broken says what a block that begins at a byte lacks.
func broken(data []byte, begin int) string {
	line := data[:begin]
	line = line[bytes.LastIndexByte(line, '\n')+1:]
	text, _, _ := bytes.Cut(data[begin:], []byte("\n"))
	switch {
	case bytes.Contains(text, []byte(`\n`)):
		return `the block that begins here has \n in place of line breaks`
	case len(line) > 0:
		return "a block begins at the beginning of a line"
	case bytes.Contains(data[begin:], []byte("----------BEGIN")):
		return "after a block that begins here there is no line break before the next one"
	}
	return "a block that begins here is not whole"
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
