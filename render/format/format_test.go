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
		{"json", `{"canary": 1, "canary": 2}`, "line 1, column 15: a key stands twice in one object"},
		{"json", `{"a": {"x": 1}, "b": {"x": 1}}`, ""},
		{"json", `{"a": 1} canary`, "not JSON at line 1, column 10"},
		{"json", ` `, "line 1, column 1: it is empty"},
		{"json", `{"a": "canary`, "column 14: it ends too early"},
		{"json", "[1,\n 2", "line 2, column 3: it ends too early"},
		{"json", `{"é": "x"canary"}`, "column 10: a comma or } is expected"},
		{"json", `["x"canary"]`, "column 5: a comma or ] is expected"},
		{"json", "{\"a\": \"canary\n\"}", "column 14: a control character"},
		{"json", `{"a": "canary\d"}`, "column 15: a \\ that means"},
		{"json", `{"a": canary}`, "column 7: a value is expected"},
		{"json", `{canary: 1}`, "column 2: a key in double quotes"},
		{"json", `{"canary" 1}`, "column 11: a colon"},
		{"json", `[1,]`, "column 4: a value is expected"},
		{"json", `{} canary`, "column 4: something stands after"},
		{"json", "\ufeff{}", "column 1: it begins with a byte order mark"},
		{"json", "{\"a\": \"canary\xff\"}", "column 14: a byte that is not UTF-8"},
		{"yaml", "a: 1\n---\nb: [x, y]\n", ""},
		{"yaml", "a: 1\nb: [canary\n", "not YAML at line 2: a list begins here"},
		{"yaml", "a: [canary\n", "not YAML at line 1: a list begins here"},
		{"yaml", "a: 1\n---\nb:\n\tcanary: 1\n", "not YAML at line 4, column 1: a tab"},
		{"yaml", "a:\n  b: 1\n canary: 1\n", "not YAML at line 3: this is no part"},
		{"yaml", "a: 1\na: canary\n", "not YAML at line 2: a key stands twice"},
		{"yaml", "a: 1\n---\nb: 1\n---\nb: 1\nb: canary\n", "not YAML at line 6: a key stands twice"},
		{"yaml", "canary: *canary\n", "not YAML at line 1, column 9: no anchor"},
		{"yaml", "canary: &canary [*canary]\n", "not YAML at line 1: an alias stands inside"},
		{"yaml", "%YAML 1.2\n---\na: 1\n...\n%YAML 1.2 # c\n---\nb: 1\n", ""},
		{"yaml", "%YAML 1.3\n---\ncanary: 1\n", "not YAML at line 1: this is not YAML 1.1"},
		{"yaml", "%YAML 1.2\n%YAML 1.2\n---\ncanary: 1\n", "not YAML at line 2: the same directive"},
		{"yaml", `{"a": "http:\/\/x\/", 'b\/': c\/d, "e\\/": "\\\/"}`, ""},
		{"yaml", "a: \"\\/\"\n\nb: \"\n  canary\\q\"\n", "not YAML at line 3: a \\ in the text"},
		{"yaml", "? [a, b]\n: 1\n? {a: b}\n: {[c]: d, {e: f}: g}\n? [a, c]\n: 2\n", ""},
		{"yaml", "a: {canary: 1, &x b: 2, *x : 3}\n", "not YAML at line 1: a key stands twice"},
		{"yaml", "a: !!binary canary-\n", "line 1: a !!binary is not base64"},
		{"yaml", "a: !!int canary\n", "line 1: a value is not what its tag !!int says"},
		{"yaml", "a: {<<: canary}\n", "line 1: << merges what is no map"},
		{"yaml", "x: &x {b: 1}\na: {<<: [*x, {c: 1}], d: &l [*x]}\n", ""},
		{"yaml", "x: &x {b: 1}\na: {<<: [*x, canary]}\n", "line 2: << merges what is no map"},
		{"yaml", "a: &a {b: 1}\nc: {<<: *a}\nd: !vault canary\n", ""},
		{"yaml", "a: 1\n\ufeffcanary: 2\n", "not YAML at line 2, column 1: a byte order mark"},
		{"yaml", "\ufeff\ufeffcanary: 1\n", "not YAML at line 1, column 1: a byte order mark"},
		{"yaml", "\ufeffa: x\ufeffy\nb: \"\ufeff\"\n", ""},
		{"yaml", "a: \"\\/\"\nb:\n  - \"canary\\'s\"\n", `not YAML at line 3: a \' in the text`},
		{"yaml", "a: &x\n  \"canary\\\\\\'\": 1\n", `not YAML at line 2: a \' in the text`},
		{"yaml", "a: 'C:\\'\nb: it\\'s\nc: |\n  \\' \"\\'\"\nd: \"\\\\'\" # \"\\'\"\ne: '\"\\'''\n", ""},
		{"toml", "[a]\nb = 1\n", ""},
		{"toml", "a = canary\n", "not TOML at line 1, column 5: a text must be quoted"},
		{"toml", "a = 1\ncanary = 2\ncanary = 3\n", "not TOML at line 3, column 1: a key stands twice"},
		{"toml", "a = \"canary\\d\"\n", "a \\ that means nothing"},
		{"ini", "; c\n[a]\nb = 1\nflag\n[ b ] # c\n", ""},
		{"ini", "[a\x00canary]\n", "line 1, column 3: a zero byte"},
		{"ini", "\ufeff[canary]\n", "not INI at line 1, column 1: a line begins with a byte order mark"},
		{"ini", "[a]\nb = 1\n\ufeffcanary = 2\n", "not INI at line 3, column 1: a line begins with a byte order mark"},
		{"ini", "[a]\nb = \ufeff1\n", ""},
		{"ini", "[canary\n", "not INI at line 1"},
		{"ini", "[a]\n= canary\n", "not INI at line 2"},
		{"properties", "# c \u00e9\n! d\na = 1\nb : x\\\n  y\nc\\ d \\u00e9\\uD83D\\uDE00\\t\\:\nflag\r\ne=", ""},
		{"properties", "a=1\ncanary=2\n\\u0063anary=3\n", "not Java properties at line 3, column 1: " + propertyTwice},
		{"properties", "a\\\n b=1\nc=2\nab=3\n", "not Java properties at line 4, column 1: " + propertyTwice},
		{"properties", "a=canary\\u12\n", "not Java properties at line 1, column 9: " + propertyHex},
		{"properties", "a=canary\\u", "column 9: " + propertyHex},
		{"properties", "a=\\u00\\\n  41\n", "column 3: " + propertyCut},
		{"properties", "a=C:\\canary\n", "column 5: " + propertyLost},
		{"properties", "a=canary\\", "column 9: " + propertyJoins},
		{"properties", "a=canary\\\n", "column 9: " + propertyJoins},
		{"properties", "a=canary\\\r\n \r\nb=1", "column 9: " + propertyJoins},
		{"properties", "\\\na=canary\n", "column 1: " + propertyJoins},
		{"properties", "a=canary\u00e9\n", "column 9: " + propertyASCII},
		{"properties", "a=canary\xe9\n", "column 9: " + propertyASCII},
		{"properties", "a=canary\\\xe9\n", "column 9: " + propertyASCII},
		{"properties", "\ufeffa=canary\n", "column 1: it begins with a byte order mark"},
		{"properties", "a=canary\x00\n", "column 9: a zero byte"},
		{"xml", "<?xml version=\"1.0\"?>\n<a><b x=\"1\">t</b></a>\n<!-- c -->\n", ""},
		{"xml", "<?xml version='1.0\" encoding=\"UTF-8\"?><canary/>", "line 1, column 6: an XML declaration says"},
		{"xml", "<?xml version=\"1.1'?><canary/>", "line 1, column 6: an XML declaration says"},
		{"xml", "<?xml version='1.1'?><canary/>", "only XML 1.0 can be checked"},
		{"xml", "<a><canary></a>", "not XML at line 1"},
		{"xml", "<a/><b/>", "a second root element"},
		{"xml", "canary", "outside the root element"},
		{"xml", "<a>\n<b canary='1' x='2' canary='3'/></a>", "not XML at line 2, column 21: an attribute stands twice"},
		{"xml", "<a xmlns:p='u' xmlns:q='u' p:canary='1' q:canary='2'/>", "an attribute stands twice"},
		{"xml", "<a xmlns:p='u' x='1' p:x='2'><b x='3'/></a>", ""},
		{"xml", "<?xml version='1.0' encoding=\"ISO-8859-1\"?>\n<a \xe9='1' \xe8='2'>\xe9</a>", ""},
		{"xml", "<?xml version='1.0' encoding=\"iso-8859-15\"?><a>\xa4 caf\xc3\xa9</a>", ""},
		{"xml", "<?xml version='1.0' encoding='windows-1252'?><a>\x80</a>", ""},
		{"xml", "<?xml version='1.0' encoding='ISO-8859-1'?>\n<a>\xe9\xe9<b></canary></a>", "line 2, column 9: the end tag is that of another"},
		{"xml", "<?xml version='1.0' encoding='US-ASCII'?><a>x</a>", ""},
		{"xml", "<?xml version='1.0' encoding='US-ASCII'?><a>canary \u00e9</a>", "not in the file's encoding"},
		{"xml", "<?xml version='1.0' encoding='utf-8'?><a>canary \xe9</a>", "not in the file's encoding"},
		{"xml", "<?xml version='1.0' encoding='canary'?><a/>", "an encoding that cannot be checked"},
		{"xml", "\ufeff<?xml version='1.0' encoding='UTF-8'?><a/>", ""},
		{"xml", "\n<?xml version='1.0'?><a/>", "not XML at line 2, column 1: the XML declaration"},
		{"xml", "<a>canary & co</a>", "an & that begins no known entity"},
		{"xml", "<a b=\"<canary\"/>", "a < in the value of an attribute"},
		{"xml", "<a b=canary/>", "must be quoted"},
		{"xml", "<a>canary", "it ends too early"},
		{"xml", " ", "there is no element"},
		{"pem", "text\n" + block + block, ""},
		{"pem", "canary", "there is no block"},
		{"pem", strings.ReplaceAll(block, "\n", `\n`), `line 1, column 1: the block that begins here has \n`},
		{"pem", "a:\n  " + block, "line 2, column 3: a block begins at the beginning of a line"},
		{"pem", strings.ReplaceAll(block, "\n", "\r\n"), ""},
		{"pem", block + strings.Replace(block, "-----END", "-----ENDE", 1), "not whole"},
		{"pem", strings.Replace(block, "-----END", "", 1) + block, "not whole"},
		{"pem", strings.TrimSpace(block) + block, "line 1, column 1: after a block that begins here there is no line break before the next one"},
		{"pem", strings.TrimSpace(block) + block + block, "line 1, column 1: after a block that begins here there is no line break before the next one"},
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
