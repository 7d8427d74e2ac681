package verify

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/testpki"
)

func TestKey(t *testing.T) {
	keys := map[string]crypto.Signer{
		"RSA":     key(rsa.GenerateKey(rand.Reader, 2048)),
		"P-256":   key(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)),
		"P-521":   key(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)),
		"Ed25519": key(func() (ed25519.PrivateKey, error) { _, k, err := ed25519.GenerateKey(rand.Reader); return k, err }()),
	}
	forms := func(k crypto.Signer) map[string]string {
		pkcs8, err := x509.MarshalPKCS8PrivateKey(k)
		list := map[string]string{"PKCS #8": block("PRIVATE KEY", pkcs8, err)}
		switch k := k.(type) {
		case *rsa.PrivateKey:
			list["PKCS #1"] = block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(k), nil)
		case *ecdsa.PrivateKey:
			sec1, err := x509.MarshalECPrivateKey(k)
			list["SEC 1"] = block("EC PRIVATE KEY", sec1, err)
			list["SEC 1 after its parameters"] = block("EC PARAMETERS", []byte{6, 1, 1}, nil) + list["SEC 1"]
		}
		return list
	}
	for kind, k := range keys {
		own := testpki.New(testpki.Leaf(old, far, "a"), k, intermediate)
		for form, text := range forms(k) {
			t.Run(kind+" in "+form, func(t *testing.T) {
				for where, list := range map[string]fault.List{
					"own file":         TLS{Cert: "/cert", Key: "/key"}.Check(files(certs(own, intermediate), text), now),
					"bundle":           TLS{Cert: "/cert"}.Check(files(certs(own, intermediate)+text, ""), now),
					"bundle, named":    TLS{Cert: "/cert", Key: "/cert"}.Check(files(certs(own, intermediate)+text, ""), now),
					"bundle, in front": TLS{Cert: "/cert"}.Check(files(text+certs(own, intermediate), ""), now),
				} {
					if list != nil {
						t.Errorf("%s: %v", where, list)
					}
				}
				for other, k := range keys {
					wrong := testpki.New(testpki.Leaf(old, far, "a"), k, intermediate)
					if got := said(TLS{Cert: "/cert", Key: "/key"}.Check(files(certs(wrong), text), now)); other != kind &&
						(len(got) != 1 || got[0] != "/key key: the private key is not that of the certificate in /cert") {
						t.Errorf("beside a certificate for %s: %q", other, got)
					}
				}
			})
		}
	}
}

// encryptedSEC1 has the head of a key that OpenSSL encrypted in its older form.
var encryptedSEC1 = string(pem.EncodeToMemory(&pem.Block{
	Type:    "EC PRIVATE KEY",
	Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-128-CBC,6C70C0A8A2B1C6F4D7F7FCBF4E2A5B11"},
	Bytes:   []byte("canary"),
}))

func TestUnusableKey(t *testing.T) {
	for name, tt := range map[string]struct{ key, want string }{
		"of another certificate": {other.KeyPEM(), "/key key: the private key is not that of the certificate in /cert"},
		"of the intermediate":    {intermediate.KeyPEM(), "/key key: the private key is that of certificate 2 of 2 in /cert, not of the first"},
		"encrypted, SEC 1":       {encryptedSEC1, "/key key: the private key is encrypted"},
		"encrypted, PKCS #8":     {block("ENCRYPTED PRIVATE KEY", []byte("canary"), nil), "/key key: the private key is encrypted"},
		"two":                    {leaf.KeyPEM() + other.KeyPEM(), "/key key: there are 2 private keys in it"},
		"none":                   {certs(leaf), "/key key: there is no private key in it"},
		"public":                 {block("PUBLIC KEY", []byte{1}, nil), "/key key: there is no private key in it"},
		"OpenSSH's":              {block("OPENSSH PRIVATE KEY", []byte("openssh-key-v1\x00\x00\x00\x00\x04none\x00\x00\x00\x04none\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01p\x00\x00\x00\x01k"), nil), "/key key: the private key is of a kind that servers do not read"},
		"half":                   {leaf.KeyPEM()[:100], "/key key: not PEM at line 1, column 1"},
		"empty":                  {"", "/key key: not PEM at line 1, column 1"},
		"not a key":              {block("PRIVATE KEY", []byte("canary"), nil), "/key key: not PEM at line 1, column 1: the block is no private key"},
	} {
		t.Run(name, func(t *testing.T) {
			got := said(TLS{Cert: "/cert", Key: "/key"}.Check(files(certs(leaf, intermediate), tt.key), now))
			if len(got) != 1 || !strings.HasPrefix(got[0], tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
	got := said(TLS{Cert: "/cert"}.Check(files(certs(leaf), ""), now))
	if len(got) != 1 || got[0] != "/cert key: there is no private key in it" {
		t.Errorf("a bundle without a key: %q", got)
	}
}
