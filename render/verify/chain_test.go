package verify

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"strings"
	"testing"

	"github.com/rendered/rendered/internal/testpki"
)

func TestChain(t *testing.T) {
	selfSigned := testpki.New(testpki.CA("self", old, far), nil, nil)
	unable := testpki.CA("unable", old, far)
	unable.KeyUsage = x509.KeyUsageDigitalSignature
	notCA := testpki.New(unable, nil, root)
	below := testpki.New(testpki.Leaf(old, far, "www.example.com"), nil, notCA)
	for name, tt := range map[string]struct {
		cert string
		key  *testpki.Pair
		want string
	}{
		"leaf alone":               {certs(leaf), leaf, ""},
		"with the intermediate":    {certs(leaf, intermediate), leaf, ""},
		"with the root":            {certs(leaf, intermediate, root), leaf, ""},
		"text between":             {"subject=x\n" + certs(leaf) + "\nissuer=y\n" + certs(intermediate), leaf, ""},
		"line ends of Windows":     {strings.ReplaceAll(certs(leaf, intermediate), "\n", "\r\n"), leaf, ""},
		"self-signed, of a CA":     {certs(selfSigned), selfSigned, ""},
		"parameters beside":        {block("DH PARAMETERS", []byte{1}, nil) + certs(leaf), leaf, ""},
		"nothing":                  {"", leaf, "/cert cert: not PEM at line 1, column 1: there is no block"},
		"half":                     {certs(leaf)[:300], leaf, "/cert cert: not PEM at line 1, column 1: a block that begins here is not whole"},
		"half of the second":       {certs(leaf, intermediate)[:len(certs(leaf))+300], leaf, "a block that begins here is not whole"},
		"glued":                    {strings.TrimSpace(certs(leaf)) + certs(intermediate), leaf, "there is no line break before the next one"},
		"without line breaks":      {strings.ReplaceAll(certs(leaf), "\n", `\n`), leaf, `has \n in place of line breaks`},
		"no certificate":           {leaf.KeyPEM(), leaf, "/cert cert: there is no certificate in it"},
		"not a certificate":        {block("CERTIFICATE", []byte("canary"), nil), leaf, "the block is no certificate"},
		"of a curve of others":     {block("CERTIFICATE", bytes.Replace(leaf.Certificate.Raw, []byte("\x2a\x86\x48\xce\x3d\x03\x01\x07"), []byte("\x2a\x86\x48\xce\x3d\x03\x01\x01"), 1), nil), leaf, "certificate 1 cannot be read"},
		"of OpenSSL's own form":    {block("TRUSTED CERTIFICATE", leaf.Certificate.Raw, nil) + certs(intermediate), leaf, "OpenSSL's own form"},
		"intermediate first":       {certs(intermediate, leaf), leaf, "/cert cert: certificate 1 signed certificate 2, so it is not the leaf"},
		"root first":               {certs(root, intermediate, leaf), leaf, "certificate 1 signed certificate 2, so it is not the leaf"},
		"leaf last":                {certs(intermediate, root, leaf), leaf, "certificate 1 signed certificate 3, so it is not the leaf"},
		"root before intermediate": {certs(leaf, root, intermediate), leaf, "certificate 1 is signed by certificate 3, which must be the next"},
		"intermediate missing":     {certs(leaf, root), leaf, "certificate 2 did not sign certificate 1"},
		"another's root below":     {certs(leaf, intermediate, stranger), leaf, "certificate 3 did not sign certificate 2"},
		"below the root":           {certs(leaf, intermediate, root, stranger), leaf, "certificate 4 did not sign certificate 3"},
		"another's CA":             {certs(leaf, stranger, intermediate), leaf, "certificate 1 is signed by certificate 3"},
		"CA of another leaf":       {certs(stranger, leaf), leaf, "certificate 1 is that of a CA, and certificate 2 a leaf"},
		"renewed CA":               {certs(leaf, renewed, root), leaf, "certificate 2 has the name of the one that signed certificate 1, but another key"},
		"second leaf":              {certs(leaf, other, intermediate), leaf, "certificate 2 is a second leaf"},
		"second leaf last":         {certs(leaf, intermediate, other), leaf, "certificate 3 is a second leaf"},
		"leaf twice":               {certs(leaf, leaf, intermediate), leaf, "certificate 2 is the same as certificate 1"},
		"intermediate twice":       {certs(leaf, intermediate, root, intermediate), leaf, "certificate 4 is the same as certificate 2"},
		"issuer that may not sign": {certs(below, notCA, root), below, "certificate 2 is a second leaf"},
	} {
		t.Run(name, func(t *testing.T) {
			got := said(TLS{Cert: "/cert", Key: "/key"}.Check(files(tt.cert, tt.key.KeyPEM()), now))
			if tt.want == "" && got != nil || tt.want != "" && (len(got) != 1 || !strings.Contains(got[0], tt.want)) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// Of all that can be made of five certificates, a chain in its order is right and nothing else.
func TestEveryOrder(t *testing.T) {
	pool := []*testpki.Pair{leaf, intermediate, root, other, stranger}
	right := map[string]bool{"[0]": true, "[0 1]": true, "[0 1 2]": true}
	var try func(taken []int)
	try = func(taken []int) {
		if len(taken) > 0 {
			var list []*testpki.Pair
			for _, i := range taken {
				list = append(list, pool[i])
			}
			got := said(TLS{Cert: "/cert", Key: "/key"}.Check(files(certs(list...), leaf.KeyPEM()), now))
			if (got == nil) != right[fmt.Sprint(taken)] || len(got) > 1 {
				t.Errorf("%v: %q", taken, got)
			}
		}
		if len(taken) == 4 {
			return
		}
		for i := range pool {
			try(append(taken[:len(taken):len(taken)], i))
		}
	}
	try(nil)
}
