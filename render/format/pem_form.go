package format

import (
	"bytes"
	"slices"
	"strings"

	"github.com/rendered/rendered/internal/lazyregexp"
)

// Programs read PEM by OpenSSL, which is stricter than Go's decoder about what stands between the
// first and the last line of a block (crypto/pem/pem_lib.c, get_header_and_data and
// PEM_get_EVP_CIPHER_INFO; OpenSSL 1.1.1 to 3).

const (
	pemEmpty   = "an empty line in a block, with which OpenSSL does not read it"
	pemHeaders = "headers of a block, of which OpenSSL reads those of an encrypted key alone: Proc-Type: 4,ENCRYPTED, then DEK-Info, then an empty line"
	pemWidth   = "a line of a block with headers, or an empty first line, is not 64 characters long, with which OpenSSL does not read it"
)

// readByOpenSSL are the types of blocks that OpenSSL reads, beside private keys and parameters.
var readByOpenSSL = strings.Fields(`CERTIFICATE X509_CERTIFICATE TRUSTED_CERTIFICATE CERTIFICATE_REQUEST NEW_CERTIFICATE_REQUEST X509_CRL PUBLIC_KEY RSA_PUBLIC_KEY DSA_PUBLIC_KEY PKCS7 CMS`)

// isOpenSSLs reports that OpenSSL reads the blocks of a type.
func isOpenSSLs(kind string) bool {
	return kind != openSSH && strings.HasSuffix(kind, "PRIVATE KEY") || strings.HasSuffix(kind, " PARAMETERS") || slices.Contains(readByOpenSSL, strings.ReplaceAll(kind, " ", "_"))
}

// encryptedKey are the headers that OpenSSL reads.
var encryptedKey = lazyregexp.New(`^Proc-Type:[ \t]*4,[ \t]*ENCRYPTED[ \t\r]*\nDEK-Info:[ \t]*[A-Za-z0-9-]+(?:,[0-9A-Fa-f]+)?[ \t\r]*\n`)

// openSSLForm wants what OpenSSL reads of the block with which a text ends, which begins at a byte
// of the data.
func openSSLForm(data []byte, offset int, text []byte) *Error {
	first := bytes.Index(text, pemBegin)
	first += bytes.IndexByte(text[first:], '\n') + 1
	var f pemForm
	place := first
	for line := range bytes.Lines(text[first:]) {
		t := bytes.TrimRightFunc(line, func(r rune) bool { return r <= ' ' })
		if bytes.HasPrefix(t, []byte("-----END ")) {
			break
		}
		if what := f.line(t); what != "" {
			return at(data, offset+place, what)
		}
		place += len(line)
		if !f.body {
			f.head = text[first:place]
		}
	}
	if f.headed && !f.encrypted() {
		return at(data, offset+first, pemHeaders)
	}
	return nil
}

// A pemForm is how far a block is read.
type pemForm struct {
	lines  int
	head   []byte // what stands before the first empty line
	headed bool   // there is a line with a colon
	body   bool   // there was an empty line
	short  bool   // a line behind it was shorter than 64 characters: it is the last
}

// line takes a line without the blanks at its end, and says what is wrong with it.
func (f *pemForm) line(t []byte) (what string) {
	if len(t) == 0 {
		return f.empty()
	}
	f.lines++
	if f.body {
		return f.wide(len(t))
	}
	f.headed = f.headed || bytes.IndexByte(t, ':') >= 0
	return ""
}

// empty takes an empty line, which ends the headers, or where the first one would stand.
func (f *pemForm) empty() (what string) {
	if f.body || f.lines > 0 && !f.headed {
		return pemEmpty
	}
	f.body = true
	return ""
}

// wide takes a line behind an empty one, of so many characters.
func (f *pemForm) wide(width int) (what string) {
	if f.short || width > 64 {
		return pemWidth
	}
	f.short = width < 64
	return ""
}

func (f *pemForm) encrypted() bool { return f.body && encryptedKey.Match(f.head) }
