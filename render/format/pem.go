package format

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// A private key costs what its multiplications do: half a millisecond for one of RSA with 2048
// bits, and with the cube of its length.
const (
	maxPEMWork    = 1500 // of all private keys together; see keyWork
	maxPEMHeaders = 100  // of one block
)

// keyWork gives what a private key of so many bytes costs, about 1.5 for RSA with 2048 bits.
func keyWork(size int) float64 {
	kib := float64(size) / 1024
	return 0.1 + kib*kib*kib
}

// checkPEM wants at least one block, and every certificate and private key in it to be one. Text between blocks is allowed, as
// openssl writes it.
func checkPEM(data []byte) *Error {
	if n := manyHeaders(data); n >= 0 {
		return limit(data, n, fmt.Sprintf("a block has more than %d headers", maxPEMHeaders))
	}
	rest, work := data, 0.0
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
		begin := len(data) - len(after) - len(bytes.TrimLeft(taken, "\r\n\t "))
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			if work += keyWork(len(block.Bytes)); work > maxPEMWork {
				return limit(data, begin, "private keys up to here take too long to check, as 900 of RSA with 2048 bits do, or one with 20,000")
			}
		}
		if what := inside(block); what != "" {
			return at(data, begin, what)
		}
		if block.Type == openSSH {
			if offset, what := openSSHForm(data, taken); what != "" {
				return at(data, offset, what)
			}
		}
		rest = after
	}
}

const openSSH = "OPENSSH PRIVATE KEY"

// openSSHForm says what keeps OpenSSH from reading a key, whose block was taken from the data, and
// where. It wants the key's first line to be the first of the file, and the last one to have its
// line break, a lone line feed each (sshkey.c, private2_uudecode).
func openSSHForm(data, taken []byte) (offset int, what string) {
	const begin, end = "-----BEGIN " + openSSH + "-----\n", "\n-----END " + openSSH + "-----"
	first := bytes.Index(data, []byte(strings.TrimSuffix(begin, "\n")))
	after := bytes.Index(data, []byte(end)) + len(end)
	switch {
	case bytes.IndexByte(taken, '\r') >= 0:
		return first, "OpenSSH reads no key whose lines end as on Windows, with a carriage return"
	case first > 0:
		return first, "OpenSSH reads a key only where the file begins with it"
	case !bytes.HasPrefix(data, []byte(begin)):
		return first, "OpenSSH reads a key only where its first line holds nothing more"
	case after == len(data):
		return after, "OpenSSH reads a key only where its last line ends with a line break, which is missing here; the template can end with one"
	case after < len(end) || data[after] != '\n':
		return max(after, 0), "OpenSSH reads a key only where its last line holds nothing more"
	}
	return 0, ""
}

// manyHeaders gives the first block that has too many headers, -1 where none has. The decoder makes
// a map of them.
func manyHeaders(data []byte) int {
	begin, headers := -1, 0
	offset := 0
	for line := range bytes.Lines(data) {
		switch {
		case bytes.HasPrefix(line, []byte("-----BEGIN")):
			begin, headers = offset, 0
		case begin < 0:
		case bytes.IndexByte(line, ':') < 0:
			begin = -1
		default:
			if headers++; headers > maxPEMHeaders {
				return begin
			}
		}
		offset += len(line)
	}
	return -1
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
	case openSSH:
		if !bytes.HasPrefix(block.Bytes, []byte("openssh-key-v1\x00")) { // PROTOCOL.key of OpenSSH
			err = errors.New("another magic")
		}
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
