package format

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"math/big"
	"slices"
)

// blockTypes are the types of blocks whose content is checked.
var blockTypes = map[string]func(*pem.Block) error{
	"CERTIFICATE":     content(anyCertificate),
	"PRIVATE KEY":     content(anyPKCS8),
	"RSA PRIVATE KEY": unlessEncrypted(content(x509.ParsePKCS1PrivateKey)),
	"EC PRIVATE KEY":  unlessEncrypted(content(anyEC)),
	openSSH:           openSSHKey,
}

func content[T any](parse func([]byte) (T, error)) func(*pem.Block) error {
	return func(b *pem.Block) error {
		_, err := parse(b.Bytes)
		return err
	}
}

// unlessEncrypted passes a block that is encrypted, which cannot be looked into.
func unlessEncrypted(check func(*pem.Block) error) func(*pem.Block) error {
	return func(b *pem.Block) error {
		if b.Headers["DEK-Info"] != "" {
			return nil
		}
		return check(b)
	}
}

// Go's own parser knows fewer algorithms and curves than the programs that read the file, and takes
// certificates to more rules. What it does not know is held against the outline of its type (RFC
// 5280, 4.1; RFC 5208, 5; RFC 5915, 3).

type outlineOfCertificate struct {
	TBS struct {
		Version    int `asn1:"optional,explicit,default:0,tag:0"`
		Serial     *big.Int
		Signature  pkix.AlgorithmIdentifier
		Issuer     asn1.RawValue
		Validity   asn1.RawValue
		Subject    asn1.RawValue
		PublicKey  outlineOfPublicKey
		IssuerID   asn1.BitString `asn1:"optional,tag:1"`
		SubjectID  asn1.BitString `asn1:"optional,tag:2"`
		Extensions asn1.RawValue  `asn1:"optional,explicit,tag:3"`
	}
	Algorithm pkix.AlgorithmIdentifier
	Signature asn1.BitString
}

type outlineOfPublicKey struct {
	Algorithm pkix.AlgorithmIdentifier
	Key       asn1.BitString
}

type outlineOfPKCS8 struct {
	Version    int
	Algorithm  pkix.AlgorithmIdentifier
	Key        []byte
	Attributes asn1.RawValue `asn1:"optional,tag:0"`
	PublicKey  asn1.RawValue `asn1:"optional,tag:1"`
}

type outlineOfEC struct {
	Version   int
	Key       []byte
	Curve     asn1.RawValue  `asn1:"optional,explicit,tag:0"`
	PublicKey asn1.BitString `asn1:"optional,explicit,tag:1"`
}

var (
	ecKey = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	// goKeys are what keys are for that Go knows: RSA, X25519, Ed25519.
	goKeys = []asn1.ObjectIdentifier{{1, 2, 840, 113549, 1, 1, 1}, {1, 3, 101, 110}, {1, 3, 101, 112}}
	// goCurves are those that Go knows: P-224, P-256, P-384, P-521.
	goCurves = []asn1.ObjectIdentifier{{1, 3, 132, 0, 33}, {1, 2, 840, 10045, 3, 1, 7}, {1, 3, 132, 0, 34}, {1, 3, 132, 0, 35}}
)

// outline holds DER against a type.
func outline[T any](der []byte) (T, error) {
	var t T
	rest, err := asn1.Unmarshal(der, &t)
	if err == nil && len(rest) > 0 {
		err = errors.New("more behind it")
	}
	return t, err
}

func anyCertificate(der []byte) (any, error) {
	c, err := x509.ParseCertificate(der)
	if err == nil {
		return c, nil
	}
	return outline[outlineOfCertificate](der)
}

func anyPKCS8(der []byte) (any, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err == nil {
		return key, nil
	}
	k, wrong := outline[outlineOfPKCS8](der)
	if wrong == nil && !isGos(k.Algorithm) {
		return k, nil
	}
	return nil, err
}

func anyEC(der []byte) (any, error) {
	key, err := x509.ParseECPrivateKey(der)
	if err == nil {
		return key, nil
	}
	k, wrong := outline[outlineOfEC](der)
	if wrong == nil && k.Version == 1 && !isGosCurve(k.Curve.FullBytes) {
		return k, nil
	}
	return nil, err
}

// isGos reports that Go knows an algorithm, so that it is right about a key of it.
func isGos(a pkix.AlgorithmIdentifier) bool {
	return slices.ContainsFunc(goKeys, a.Algorithm.Equal) || a.Algorithm.Equal(ecKey) && isGosCurve(a.Parameters.FullBytes)
}

func isGosCurve(der []byte) bool {
	if len(der) == 0 { // it is not named
		return true
	}
	curve, err := outline[asn1.ObjectIdentifier](der)
	return err == nil && slices.ContainsFunc(goCurves, curve.Equal)
}

var errOpenSSH = errors.New("not OpenSSH's form")

// openSSHKey wants a block to be whole, as far as one sees that of an encrypted key (OpenSSH,
// PROTOCOL.key).
func openSSHKey(b *pem.Block) error {
	rest, ok := bytes.CutPrefix(b.Bytes, []byte("openssh-key-v1\x00"))
	if !ok || len(b.Headers) > 0 {
		return errOpenSSH
	}
	k := openSSHReader{rest: rest}
	cipher := k.text()
	k.text() // how the key for the cipher is made
	k.text()
	keys := k.number()
	public, private := k.text(), k.text()
	tag := 0
	if slices.Contains(authenticated, string(cipher)) {
		tag = 16
	}
	if keys != 1 || len(public) == 0 || len(private) == 0 || len(k.rest) != tag {
		return errOpenSSH
	}
	return nil
}

// authenticated are the ciphers behind whose text a tag stands.
var authenticated = []string{"aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com"}

// An openSSHReader reads what is written as SSH writes it (RFC 4251, section 5). Past its end it
// gives nothing.
type openSSHReader struct{ rest []byte }

func (r *openSSHReader) number() uint32 {
	if len(r.rest) < 4 {
		r.rest = nil
		return 0
	}
	n := binary.BigEndian.Uint32(r.rest)
	r.rest = r.rest[4:]
	return n
}

func (r *openSSHReader) text() []byte {
	n := r.number()
	if uint64(n) > uint64(len(r.rest)) {
		r.rest = nil
		return nil
	}
	t := r.rest[:n]
	r.rest = r.rest[n:]
	return t
}
