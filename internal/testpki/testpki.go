// Package testpki makes certificates and keys; for tests.
package testpki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"time"
)

// A Pair is a certificate and its private key.
type Pair struct {
	Certificate *x509.Certificate
	Key         crypto.Signer
}

// New makes a certificate as the template has it. Nil for the key makes one of ECDSA; nil for the
// issuer signs with the key itself. What can go wrong is a mistake of the test, and panics.
func New(template x509.Certificate, key crypto.Signer, issuer *Pair) *Pair {
	var err error
	if key == nil {
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		check(err)
	}
	p := &Pair{Certificate: &template, Key: key}
	if issuer == nil {
		issuer = p
	}
	template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	check(err)
	der, err := x509.CreateCertificate(rand.Reader, &template, issuer.Certificate, key.Public(), issuer.Key)
	check(err)
	p.Certificate, err = x509.ParseCertificate(der)
	check(err)
	return p
}

// CA is the template of an authority.
func CA(name string, begins, ends time.Time) x509.Certificate {
	return x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             begins,
		NotAfter:              ends,
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

// Leaf is the template of a server's certificate for names and IP addresses.
func Leaf(begins, ends time.Time, hosts ...string) x509.Certificate {
	t := x509.Certificate{
		Subject:     pkix.Name{CommonName: "leaf"},
		NotBefore:   begins,
		NotAfter:    ends,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, host)
		}
	}
	return t
}

// CertPEM gives the certificate as it stands in a file.
func (p *Pair) CertPEM() string { return block("CERTIFICATE", p.Certificate.Raw) }

// KeyPEM gives the private key as it stands in a file, in PKCS #8.
func (p *Pair) KeyPEM() string {
	der, err := x509.MarshalPKCS8PrivateKey(p.Key)
	check(err)
	return block("PRIVATE KEY", der)
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
