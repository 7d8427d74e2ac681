package format

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"sync"
	"time"

	"github.com/rendered/rendered/internal/testpki"
)

// testCertificate gives one certificate as PEM.
var testCertificate = sync.OnceValue(func() string {
	now := time.Now()
	return testpki.New(testpki.Leaf(now, now.AddDate(1, 0, 0), "www.example.com"), nil, nil).CertPEM()
})

// testKey gives a private key as PEM, of a kind whose check is dear.
var testKey = sync.OnceValue(func() string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
})

// wideKey gives what looks like an RSA key whose numbers take so many bytes together.
func wideKey(size int) string {
	bits := uint(size) * 8 / 8 // N and D take a quarter each, the five others an eighth
	odd := func(bits uint, less int64) *big.Int {
		n := new(big.Int).Lsh(big.NewInt(1), bits)
		return n.Sub(n, big.NewInt(less))
	}
	p, q := odd(bits, 59), odd(bits, 159)
	der, err := asn1.Marshal(struct {
		Version          int
		N                *big.Int
		E                int
		D, P, Q, X, Y, Z *big.Int
	}{0, new(big.Int).Mul(p, q), 65537, odd(2*bits, 12345), p, q, odd(bits, 61), odd(bits, 63), odd(bits, 65)})
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: der}))
}

// extended gives what looks like a certificate of so many bytes, with many extensions.
func extended(size int) string {
	der := func(tag int, parts ...[]byte) []byte {
		class := asn1.ClassUniversal
		if tag > 0x80 {
			class, tag = asn1.ClassContextSpecific, tag-0x80
		}
		b, err := asn1.Marshal(asn1.RawValue{Class: class, Tag: tag, IsCompound: tag != asn1.TagInteger && tag != asn1.TagBitString && tag != asn1.TagOID && tag != asn1.TagOctetString || class > 0, Bytes: bytes.Join(parts, nil)})
		if err != nil {
			panic(err)
		}
		return b
	}
	const sequence = asn1.TagSequence
	extension := der(sequence, der(asn1.TagOID, []byte{42, 3}), der(asn1.TagOctetString))
	algorithm := der(sequence, der(asn1.TagOID, []byte{42, 3}))
	signature := der(asn1.TagBitString, []byte{0, 1})
	all := der(0x83, der(sequence, bytes.Repeat(extension, size*3/4/len(extension))))
	empty := der(sequence)
	certificate := der(sequence, der(sequence, der(asn1.TagInteger, []byte{1}), algorithm, empty, empty, empty, der(sequence, algorithm, signature), all), algorithm, signature)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}))
}
