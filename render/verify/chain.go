package verify

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	"github.com/rendered/rendered/internal/fault"
)

const orderHint = "the certificate stands first, then the one that signed it, and so on; the root may be left out"

// A signature costs its verifier what the key's length makes it, and each certificate is held
// against others.
const (
	maxChain = 100 // certificates; browsers and libraries take ten
	// maxRSA is how many bits a key has at most: OpenSSL refuses to verify with more
	// (OPENSSL_RSA_MAX_MODULUS_BITS).
	maxRSA = 16384
)

// chain gives the certificates, the leaf first, each signed by the next, and none beside them.
func (t TLS) chain(blocks []*pem.Block) ([]*x509.Certificate, *fault.Fault) {
	chain, failed := t.certificates(blocks)
	if failed != nil {
		return nil, failed
	}
	if len(chain) > maxChain {
		return nil, wrong(t.Cert, ruleCert, fmt.Sprintf("there are more than %d certificates in it", maxChain), "a server's certificate with its chain stands in it, and no collection of CAs")
	}
	for i, c := range chain {
		if key, ok := c.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() > maxRSA {
			return nil, wrong(t.Cert, ruleCert, fmt.Sprintf("the key of %s has more than %d bits", position(i, chain), maxRSA), "readers refuse such keys, as they take too long")
		}
	}
	if what, hint := disorder(chain); what != "" {
		return nil, wrong(t.Cert, ruleCert, what, hint)
	}
	return chain, nil
}

// certificates gives those among the blocks. There is one at least.
func (t TLS) certificates(blocks []*pem.Block) (list []*x509.Certificate, _ *fault.Fault) {
	for _, b := range blocks {
		switch b.Type {
		case "CERTIFICATE":
			c, err := x509.ParseCertificate(b.Bytes)
			if err != nil { // its text quotes the certificate
				return nil, wrong(t.Cert, ruleCert, fmt.Sprintf("certificate %d cannot be read", len(list)+1), "one with a key of RSA, ECDSA or Ed25519 can")
			}
			list = append(list, c)
		case "TRUSTED CERTIFICATE", "X509 CERTIFICATE":
			return nil, wrong(t.Cert, ruleCert, "a certificate stands in it in OpenSSL's own form, which not every server reads", "openssl x509 -in FILE makes a plain one of it")
		}
	}
	if len(list) == 0 {
		return nil, wrong(t.Cert, ruleCert, "there is no certificate in it", "a block that begins with -----BEGIN CERTIFICATE----- is one")
	}
	return list, nil
}

// position names one certificate of a chain.
func position(at int, chain []*x509.Certificate) string {
	if len(chain) == 1 {
		return "the certificate"
	}
	return fmt.Sprintf("certificate %d of %d", at+1, len(chain))
}

// disorder says what is wrong with the order of certificates, and what to do; "" where nothing is.
func disorder(chain []*x509.Certificate) (what, hint string) {
	for i, c := range chain {
		if first := slices.IndexFunc(chain, c.Equal); first < i {
			return fmt.Sprintf("certificate %d is the same as certificate %d", i+1, first+1), "each certificate stands there once"
		}
	}
	leaf := chain[0]
	for i, c := range chain[1:] {
		switch {
		case signed(c, leaf) == nil:
			return fmt.Sprintf("certificate 1 signed certificate %d, so it is not the leaf", i+2), orderHint
		case mayIssue(c):
		case mayIssue(leaf):
			return fmt.Sprintf("certificate 1 is that of a CA, and certificate %d a leaf", i+2), orderHint
		default:
			return fmt.Sprintf("certificate %d is a second leaf", i+2), "one certificate with its chain stands in a file, and no other"
		}
	}
	for i := range chain[1:] {
		if what, hint := link(chain, i); what != "" {
			return what, hint
		}
	}
	return "", ""
}

// link says why a certificate is not signed by the next; "" where it is.
func link(chain []*x509.Certificate, at int) (what, hint string) {
	child := chain[at]
	err := signed(child, chain[at+1])
	if err == nil {
		return "", ""
	}
	for i, c := range chain {
		if i != at && signed(child, c) == nil {
			return fmt.Sprintf("certificate %d is signed by certificate %d, which must be the next", at+1, i+1), orderHint
		}
	}
	return unsigned(err, fmt.Sprintf("certificate %d", at+1), fmt.Sprintf("certificate %d", at+2))
}

// unsigned says why one certificate is not signed by the next.
func unsigned(err error, this, next string) (what, hint string) {
	_, insecure := errors.AsType[x509.InsecureAlgorithmError](err)
	switch {
	case errors.Is(err, errOther):
		return next + " did not sign " + this, "either one between them is missing, or it is of another chain and does not belong here"
	case insecure:
		return this + " is signed in a way that is not secure, such as MD5", "have it issued anew"
	case errors.Is(err, x509.ErrUnsupportedAlgorithm):
		return this + " is signed in a way that cannot be verified here", "RSA, ECDSA and Ed25519 can"
	}
	return next + " has the name of the one that signed " + this + ", but another key", "it is an older or a newer one of the same CA; take the chain that came with the certificate"
}

var errOther = errors.New("the issuer has another name")

// signed gives nil where the issuer signed the certificate.
func signed(c, issuer *x509.Certificate) error {
	if !bytes.Equal(c.RawIssuer, issuer.RawSubject) {
		return errOther
	}
	return issuer.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature)
}

// mayIssue tells whether a certificate is that of a CA (RFC 5280, 4.2.1.3 and 4.2.1.9). Those of
// version 1 do not say.
func mayIssue(c *x509.Certificate) bool {
	if c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0 {
		return false
	}
	return c.Version < 3 || c.BasicConstraintsValid && c.IsCA
}
