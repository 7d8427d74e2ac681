package verify

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"

	"github.com/rendered/rendered/internal/fault"
)

// publicKey gives the public half of the one private key among the blocks.
func (t TLS) publicKey(blocks []*pem.Block) (crypto.PublicKey, *fault.Fault) {
	var keys []*pem.Block
	for _, b := range blocks {
		switch b.Type {
		case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY":
			keys = append(keys, b)
		case "OPENSSH PRIVATE KEY", "DSA PRIVATE KEY":
			return nil, wrong(t.keyPath(), ruleKey, "the private key is of a kind that servers do not read", "openssl genpkey makes one that they do")
		}
	}
	if len(keys) == 0 {
		hint := "a block that begins with -----BEGIN PRIVATE KEY----- is one"
		if t.keyPath() == t.Cert {
			hint = "where it is in a file of its own, name that with key:"
		}
		return nil, wrong(t.keyPath(), ruleKey, "there is no private key in it", hint)
	}
	public := parse(keys[0])
	switch {
	case len(keys) > 1:
		return nil, wrong(t.keyPath(), ruleKey, fmt.Sprintf("there are %d private keys in it", len(keys)), "leave the one that belongs to the certificate")
	case encrypted(keys[0]):
		return nil, wrong(t.keyPath(), ruleKey, "the private key is encrypted, so that it cannot be compared", "store it without a passphrase, as openssl pkey -in FILE writes it")
	case public == nil:
		return nil, wrong(t.keyPath(), ruleKey, "the private key cannot be read", "RSA, ECDSA and Ed25519 keys can")
	}
	return public, nil
}

// encrypted tells whether a key is, as PKCS #8 or OpenSSL's older form has it.
func encrypted(b *pem.Block) bool {
	return b.Type == "ENCRYPTED PRIVATE KEY" || b.Headers["DEK-Info"] != ""
}

// parse gives the public half of a private key; nil where it is none. What the parsers say quotes
// the key.
func parse(b *pem.Block) crypto.PublicKey {
	var key any
	var err error
	switch b.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(b.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(b.Bytes)
	default:
		key, err = x509.ParsePKCS8PrivateKey(b.Bytes)
	}
	private, ok := key.(interface{ Public() crypto.PublicKey })
	if err != nil || !ok {
		return nil
	}
	return private.Public()
}

// matches wants the private key to be the leaf's.
func (t TLS) matches(chain []*x509.Certificate, public crypto.PublicKey) *fault.Fault {
	for i, c := range chain {
		own, ok := c.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
		switch {
		case !ok && i == 0:
			return wrong(t.Cert, ruleKey, "the certificate is for a key of a kind that cannot be compared", "RSA, ECDSA and Ed25519 keys can")
		case !ok || !own.Equal(public):
		case i == 0:
			return nil
		default:
			return wrong(t.keyPath(), ruleKey, fmt.Sprintf("the private key is that of %s in %s, not of the first", position(i, chain), t.Cert), orderHint)
		}
	}
	return wrong(t.keyPath(), ruleKey, "the private key is not that of the certificate in "+t.Cert, "store the two together: as keys of one secret they change together")
}
