package verify

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/testpki"
)

var longWord = regexp.MustCompile(`[A-Za-z]{5,}`)

// vocabulary gives the words that the sources of this package and of the formats are made of.
func vocabulary(f *testing.F) map[string]bool {
	words := make(map[string]bool)
	for _, path := range []string{"tls.go", "chain.go", "key.go", "../format/format.go", "../format/pem.go"} {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, word := range longWord.FindAllString(string(text), -1) {
			words[word] = true
		}
	}
	return words
}

// Whatever the bytes, Check returns; what it says is made of its own words; what it lets pass Go's
// own TLS accepts.
func FuzzTLS(f *testing.F) {
	secret := testpki.New(testpki.Leaf(old, soon, "qwhostqz.example"), nil, intermediate)
	for _, cert := range []string{
		certs(secret), certs(secret, intermediate, root), certs(intermediate, secret), certs(secret, secret), certs(secret, stranger),
		certs(secret) + secret.KeyPEM(), certs(leaf), encryptedSEC1, "",
	} {
		for _, key := range []string{secret.KeyPEM(), leaf.KeyPEM(), encryptedSEC1, ""} {
			f.Add([]byte(cert), []byte(key), "qwhostqz.example", uint16(24))
			f.Add([]byte(cert), []byte(key), "other.example", uint16(100))
		}
	}
	known := vocabulary(f)
	f.Fuzz(func(t *testing.T, cert, key []byte, host string, hours uint16) {
		rule := TLS{Cert: "/cert", ValidFor: time.Duration(hours) * time.Hour}
		if len(key) > 0 {
			rule.Key = "/key"
		} else {
			key = cert
		}
		if host != "" {
			rule.Hosts = []string{host}
		}
		list := rule.Check(files(string(cert), string(key)), now)
		for _, fault := range list {
			for _, word := range longWord.FindAllString(fault.Text(), -1) {
				if !known[word] && !strings.Contains(host, word) {
					t.Errorf("%q holds %q", fault.Text(), word)
				}
			}
		}
		if len(list) > 0 {
			return
		}
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			t.Fatalf("not for Go: %v", err)
		}
		agrees(t, pair.Leaf, host, now.Add(time.Duration(hours)*time.Hour))
	})
}

// agrees wants a leaf to cover the host and to be valid from now until a time.
func agrees(t *testing.T, leaf *x509.Certificate, host string, until time.Time) {
	if host != "" && leaf.VerifyHostname(host) != nil {
		t.Errorf("%q is not covered", host)
	}
	if leaf.NotBefore.After(now) || leaf.NotAfter.Before(until) {
		t.Errorf("valid from %v to %v", leaf.NotBefore, leaf.NotAfter)
	}
}
