package verify

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/testpki"
)

// wide gives a certificate, signed by root, for an RSA key of so many bits.
func wide(t *testing.T, bits uint) string {
	t.Helper()
	n := new(big.Int).Lsh(big.NewInt(1), bits)
	n.Sub(n, big.NewInt(1))
	template := testpki.CA("wide", old, far)
	der, err := x509.CreateCertificate(rand.Reader, &template, root.Certificate, &rsa.PublicKey{N: n, E: 1<<31 - 1}, root.Key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// Whatever the files hold, a rule answers soon.
func TestHostileChains(t *testing.T) {
	for name, tt := range map[string]struct{ cert, want string }{
		"a wide key":        {certs(leaf) + wide(t, 400_000), "has more than 16384 bits"},
		"a wide leaf":       {wide(t, 16385), "has more than 16384 bits"},
		"many certificates": {strings.Repeat(certs(leaf, intermediate), 5000), "more than 100 certificates"},
		"many that differ":  {certs(leaf) + strings.Repeat(certs(root), 99), "certificate 3 is the same as certificate 2"},
		"no certificates":   {strings.Repeat("-----BEGIN A-----\nAAAA\n-----END A-----\n", 300_000), "there is no certificate in it"},
		"hyphens":           {strings.Repeat("-", 16<<20), "there is no block"},
	} {
		begun := time.Now()
		got := said(TLS{Cert: "/cert", Key: "/key"}.Check(files(tt.cert, leaf.KeyPEM()), now))
		if len(got) != 1 || !strings.Contains(got[0], tt.want) {
			t.Errorf("%s: %.300q, want %q", name, got, tt.want)
		}
		took := time.Since(begun)
		if took > 10*time.Second {
			t.Errorf("%s takes %v", name, took)
		}
		t.Logf("%s: %v", name, took.Round(time.Millisecond))
	}
}
