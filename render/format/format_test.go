package format

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	block := string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
	for _, c := range []struct{ format, data, want string }{
		{"json", `{"a": [1, {"a": "x"}], "b": null}` + "\n", ""},
		{"json", `1e400`, ""},
		{"json", "{\n\"a\": canary\n}", "not JSON at line 2, column 6"},
		{"json", `{"canary": 1, "canary": 2}`, "a key stands twice in one object"},
		{"json", `{"a": {"x": 1}, "b": {"x": 1}}`, ""},
		{"json", `{"a": 1} canary`, "not JSON at line 1, column 10"},
		{"json", ``, "not JSON"},
		{"json", `{"a": "canary`, "not JSON"},
		{"json", `[1, 2`, "not JSON"},
		{"yaml", "a: 1\n---\nb: [x, y]\n", ""},
		{"yaml", "a: 1\nb: [canary\n", "not YAML at line"},
		{"yaml", "a: 1\na: canary\n", "not YAML at line"},
		{"yaml", "canary: *canary\n", "not YAML"},
		{"toml", "[a]\nb = 1\n", ""},
		{"toml", "a = canary\n", "not TOML at line 1"},
		{"toml", "a = 1\na = 2\n", "not TOML at line 2"},
		{"ini", "; c\n[a]\nb = 1\nflag\n[ b ] # c\n", ""},
		{"ini", "[canary\n", "not INI at line 1"},
		{"ini", "[a]\n= canary\n", "not INI at line 2"},
		{"dotenv", "# c\nA=1\nB=\"x\\\"\ny\"\nexport C='z'\n\nD=\n", ""},
		{"dotenv", "A=1\ncanary\n", "not dotenv at line 2, column 1: a line without ="},
		{"dotenv", "1A=canary\n", "not the name of a variable"},
		{"dotenv", "A=\"canary\n", "a quote is not closed"},
		{"xml", "<?xml version=\"1.0\"?>\n<a><b x=\"1\">t</b></a>\n<!-- c -->\n", ""},
		{"xml", "<a><canary></a>", "not XML at line 1"},
		{"xml", "<a/><b/>", "a second root element"},
		{"xml", "canary", "outside the root element"},
		{"xml", " ", "there is no element"},
		{"pem", "text\n" + block + block, ""},
		{"pem", "canary", "there is no block"},
		{"pem", block + strings.Replace(block, "-----END", "-----ENDE", 1), "not whole"},
		{"pem", strings.Replace(block, "-----END", "", 1) + block, "not whole"},
		{"pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("canary")})), "the block is no certificate"},
		{"pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("canary")})), "the block is no private key"},
	} {
		f, err := Parse(c.format)
		if err != nil {
			t.Fatal(err)
		}
		err = f.Check([]byte(c.data))
		switch {
		case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s %q: %v, want %q", c.format, c.data, err, c.want)
		case err != nil && strings.Contains(err.Error(), "canary"):
			t.Errorf("%s: the error quotes: %v", c.format, err)
		}
	}
}

func TestUnknown(t *testing.T) {
	if _, err := Parse("jsn"); err == nil {
		t.Error("jsn is known")
	}
	if err := (Format{}).Check([]byte("anything")); err != nil || !(Format{}).IsZero() {
		t.Errorf("no format: %v", err)
	}
}

// Whatever the bytes, Check returns, and quotes no run of them.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{`{"a":[1]}`, "a: &x [*x]\n", "[a]\nb=1", "A=\"x\ny\"", "<a b='c'/>", "-----BEGIN A-----\nAAAA\n-----END A-----\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range Known() {
			format, _ := Parse(name)
			err := format.Check(data)
			if err == nil {
				continue
			}
			text := err.Error()
			for i := 0; i+12 <= len(data); i++ {
				if strings.Contains(text, string(data[i:i+12])) {
					t.Fatalf("%s: %q quotes %q", name, text, data)
				}
			}
		}
	})
}
