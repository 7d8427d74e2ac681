package funcs

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // PostgreSQL's and pgbouncer's files have it
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// md5sum gives the MD5 of a text in hexadecimal. It protects nothing: it is what old files want.
func md5sum(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// hmacSHA256 gives the HMAC of a text in hexadecimal (RFC 2104).
func hmacSHA256(key, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// b64urlenc writes base64 for URLs and names of files, with = at its end (RFC 4648, section 5).
func b64urlenc(text string) string { return base64.URLEncoding.EncodeToString([]byte(text)) }

// b64urldec reads it, with or without = at its end.
func b64urldec(text string) (string, error) {
	decode := base64.URLEncoding.DecodeString
	if !strings.HasSuffix(text, "=") {
		decode = base64.RawURLEncoding.DecodeString
	}
	return decoded(text, decode, "b64urldec: this is not base64 for URLs")
}
