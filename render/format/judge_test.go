package format

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rendered/rendered/internal/long"
)

// Programs of others judge what a format lets pass, over documents written by hand and thousands
// made of them.

// judge finds a program, without which the test is skipped, but not where CI runs.
func judge(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return path
}

// python gives for each document whether Python's reader takes it. The code defines read, which
// raises an exception where it does not.
func python(t *testing.T, code string, documents []string) []bool {
	t.Helper()
	const script = `
import sys, json, base64
sys.setrecursionlimit(5000)
%s
def takes(text):
    try:
        read(base64.b64decode(text))
        return True
    except NotImplementedError:
        raise
    except Exception:
        return False
print(json.dumps([takes(text) for text in json.load(sys.stdin)]))
`
	raw := make([][]byte, len(documents))
	for i, d := range documents {
		raw[i] = []byte(d)
	}
	in, err := json.Marshal(raw)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), judge(t, "python3"), "-c", fmt.Sprintf(script, code))
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var takes []bool
	if err := json.Unmarshal(out, &takes); err != nil {
		t.Fatal(err)
	}
	return takes
}

// mutants gives the seeds, and n documents that come of them by a few random edits with the pieces.
func mutants(seeds []string, n int, pieces []string) []string {
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	all := append([]string(nil), seeds...)
	for range n {
		text := pick(seeds)
		for range 1 + r.IntN(3) {
			from := r.IntN(len(text) + 1)
			to := min(len(text), from+r.IntN(4))
			switch r.IntN(6) {
			case 0:
				text = text[:from] + text[to:]
			case 1, 2:
				text = text[:from] + pick(pieces) + text[from:]
			case 3:
				text = text[:from] + pick(pieces) + text[to:]
			case 4:
				text = text[:to] + text[from:]
			case 5:
				other := pick(seeds)
				text = text[:from] + other[r.IntN(len(other)+1):]
			}
		}
		all = append(all, text)
	}
	return all
}

// agrees holds what a format says of documents against what a judge does. Where the format is
// stricter on purpose, it must say so.
func agrees(t *testing.T, name string, documents []string, takes []bool, stricter ...string) {
	t.Helper()
	taken, purpose, wrong := 0, 0, 0
	for i, d := range documents {
		err := Format{name}.Check([]byte(d))
		if takes[i] {
			taken++
		}
		switch {
		case takes[i] == (err == nil):
		case takes[i] && containsAny(err.Error(), stricter):
			purpose++
		default:
			if wrong++; wrong <= 20 {
				t.Errorf("%q: %v, but the judge takes it: %v", d, err, takes[i])
			}
		}
	}
	t.Logf("%d documents, of which the judge takes %d; %d are refused on purpose, %d wrong", len(documents), taken, purpose, wrong)
}

func containsAny(text string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
}

func TestTOMLAsPythonReadsIt(t *testing.T) {
	seeds := []string{
		"a = 1\nb.c = \"x\" # c\n[t]\nd = [1, 2.5, 'x', {e = true, f.g = 1979-05-27}]\n[[l]]\nn = 07:32:00.5\n[[l]]\n",
		"[a.b.c]\nx = 1\n[a]\ny = 2\n[a.b]\nz = 3\n", "[a]\nb.c = 1\nb.d = 2\n[a.b.e]\nf = 1\n", "[[a.b]]\nc = 1\n[a.b.d]\ne = 1\n[[a.b]]\n[a.b.d]\n",
		"a = {b = 1, c = {d = 2}}\n", "a.b = 1\n[a]\nc = 1\n", "a = [{b = 1}]\n[[a]]\n", "[a]\n[a]\n", "[a]\n[[a]]\n", "[[a]]\n[a]\n", "a = 1\n[a.b]\n", "a = {}\n[a.b]\n",
		"[a.b]\n[a]\nb.c = 1\n", "[[a.b]]\n[a]\nb.y = 2\n", "[a.b.c]\nz = 9\n[a]\nb.c.t = 1\n", "[a.b.c.d]\nz = 9\n[a]\nb.c.d.k.t = 1\n", "a.b.c = 1\na.b = 2\n", "a = {b.c = 1, b = 2}\n",
		"a = {b = {c = 1}, b.d = 1}\n", "[t]\na = {x = 1}\na.y = 2\n", "\"a\" = 1\na = 2\n", "\"\\u0061\" = 1\na = 2\n", "'a.b' = 1\na.b = 2\n", "\"\" = 1\n'' = 2\n", "a . b = 1\na.\"b\" = 2\n",
		"d = 1979-05-27T07:32:00Z\ne = 1979-05-27 07:32:00.999999-07:00\nf = 1979-05-27t07:32:00+12:60\n", "d = 2023-02-29\n", "d = 2024-02-29\n", "d = 1979-05-27T24:00:00\n", "t = 07:32\n", "t = 23:59:60\n",
		"d = 0000-01-01\n", "d = 1979-05-27 # c\n", "d = 1979-05-27T07:32Z\n", "n = [0x1F, 0o17, 0b1_0, 1_000, +1, -0, 1e6, 6.02_3e-2_3, inf, -nan, +inf]\n", "n = 0xg\n", "n = 01\n", "n = 1__0\n", "n = _1\n", "n = 1.\n",
		"n = .5\n", "n = 1.e5\n", "n = +0x1\n", "n = 0X1\n", "n = 9223372036854775807\n", "s = \"\"\"\na\\\n   b \\\"\"\"\"\"\nt = '''\n'x'''''\n", "s = \"\"\"a\"\"\"\"\"\"\n", "s = \"\\e\"\n", "s = \"\\x41\"\n",
		"s = \"\\ud800\"\n", "s = \"\\U00110000\"\n", "s = \"a\tb\x7f\"\n", "s = \"a\nb\"\n", "s = 'a\\'\n", "s = \"\"\"a\\  \n b\"\"\"\n", "s = \"\"\"a\\ b\"\"\"\n", "a = {b = 1,}\n", "a = {b = 1\n}\n", "a = [1,\n# c\n2,\n]\n", "a = [1,,2]\n",
		"a = 1 b = 2\n", "a =\n", "= 1\n", "a\n", "[a\n", "[]\n", "[a.]\n", "[[a]\n", "[ a . 'b' ]\n", "[ [a] ]\n", "a = 1\r\nb = 2\r", "a = 1\r\n# c\x01\n", "\ufeffa = 1\n", "a = tru\n", "a = True\n", "é = 1\n", "a = 1 # é\xff\n", "a.b.c = 1\na.b.d = 2\n[a.b.e]\n",
		"x = 1", "", "# c", "a = [ { b = [ { c = 1 } ] } ]\n[b]\n", "[a]\nb = 1\n[a.c]\n[d]\n[a.b]\n", "[[a]]\nb.c = 1\n[[a]]\nb.c = 1\n", "[a]\nb.c = 1\n[a.b]\n", "[a.b.c]\n[a]\nb.d = 1\n",
	}
	pieces := []string{"a", "b", ".", " ", "\n", "\r\n", "\r", "=", " = ", "[", "]", "[[", "]]", "{", "}", ",", "\"", "'", "\"\"\"", "'''", "#", "\\", "\\u00e9", "1", "0", "_", "-", "+", "e", "T", "Z", ":", "x", "\t", "true", "inf", "[a]\n", "[a.b]\n", "[[a]]\n", "a.b = 1\n", "b.c = 1\n", "\x00", "é", "07:32:00", "1979-05-27"}
	documents := mutants(seeds, 6000, pieces)
	agrees(t, "toml", documents, python(t, "import tomllib\ndef read(b): tomllib.loads(b.decode())", documents), tomlInteger)
}

func TestJSONAsPythonReadsIt(t *testing.T) {
	seeds := []string{
		`{"a": [1, -2.5e+3, true, false, null, "x\n\u00e9\ud83d\ude00"], "b": {"c": {}}, "": []}`, `"x"`, ` 0 `, `[[[]]]`, "{\"a\":\r\n\t1}", `["a", "b"]`, `-0.0e-0`,
	}
	pieces := []string{"{", "}", "[", "]", ",", ":", "\"", "\\", "\\u12", "0", "1", "-", "+", ".", "e", "E", "true", "nul", "null", " ", "\n", "\t", "\x00", "\x1f", "\x7f", "é", "\xff", "\ufeff", "'", "/", "a", "\u2028"}
	documents := mutants(seeds, 6000, pieces)
	const code = `
def pairs(list):
    if len(dict(list)) < len(list): raise ValueError
    return dict(list)
def constant(c): raise ValueError
def read(b): json.loads(b.decode('utf-8'), object_pairs_hook=pairs, parse_constant=constant)`
	agrees(t, "json", documents, python(t, code, documents))
}

// libxml gives for each document whether xmllint finds nothing wrong, of namespaces either.
func libxml(t *testing.T, documents []string) []bool {
	t.Helper()
	dir := t.TempDir()
	args := []string{"--noout", "--nonet"}
	for i, d := range documents {
		name := fmt.Sprintf("%d.xml", i)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(d), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, name)
	}
	cmd := exec.CommandContext(t.Context(), judge(t, "xmllint"), args...)
	cmd.Dir = dir
	out, _ := cmd.CombinedOutput()
	takes := make([]bool, len(documents))
	for i := range takes {
		takes[i] = true
	}
	for line := range strings.Lines(string(out)) {
		name, rest, _ := strings.Cut(line, ".xml:")
		n, err := strconv.Atoi(name)
		if err == nil && n < len(takes) && strings.Contains(rest, " error :") {
			takes[n] = false
		}
	}
	return takes
}

// propertySeeds are documents by the table of java.util.Properties, and what goes wrong in such.
var propertySeeds = []string{
	"a=1\nb : 2\nc 3\nd\n", "# c\n! d\na=1\n", "a=b,\\\n   c,\\\n\td\ne=f\n", "a\\ b\\=\\:=c\\ d\n", "\\u0061=\\u00e9\\uD83D\\uDE00\n", "a=\\t\\n\\r\\f\\q\\\"\\\\\n", "a=1\r\nb=2\rc=3\n", "  a\t=\f1  \n\n \t\nb==2\n",
	"a=1\na=2\n", "a=1\n\\u0061=2\n", "a\\\n b=1\nab=2\n", "a=\\u12\n", "a=\\u12g4\n", "a=\\\\u12\n", "a=b\\", "a=b\\\n", "a=b\\\n\nc=d\n", "\\\na=b\n", "a=\\\n# c\nb=1\n", "# c \\\na=1\n", "=a\n:b\n", "a=\n", "a \\\n  =b\n", "\\#a=1\n#b=2\n",
	"a=\u00e9\n", "# \u00e9 \xff\na=1\n", "\ufeffa=1\n", "a=\x00\n", "a=\x01\x7f\n", "", "\n", "a", "a\\", "\\u", "a\fb\n", "a=1\\\r\n  b\n", "a=1\\\r  b\n",
}

var propertyPieces = []string{"a", "b", "=", ":", " ", "\t", "\f", "\n", "\r\n", "\r", "\\", "\\\\", "\\\n", "\\\r\n ", "\\u0061", "\\u00", "\\uD83D", "\\n", "\\ ", "\\=", "#", "!", "# c\n", "a=1\n", "\u00e9", "\x00", "u", "1"}

// What passes javaproperties takes, and finds the same keys and values in; java.util.Properties,
// too, where there is a JDK, with -long.
func TestPropertiesAsOthersReadThem(t *testing.T) {
	documents := mutants(propertySeeds, 6000, propertyPieces)
	const imports = "import sys, io\nsys.path.append('/usr/lib/python3/dist-packages')\nimport javaproperties\n"
	if out, err := exec.Command(judge(t, "python3"), "-c", imports).CombinedOutput(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s", out)
		}
		t.Skip("python3-javaproperties is missing")
	}
	stricter := []string{propertyASCII, propertyJoins, propertyCut, propertyLost, "byte order mark", "a zero byte"}
	agrees(t, "properties", documents, python(t, imports+`
def read(b):
    pairs = []
    javaproperties.load(io.BytesIO(b), object_pairs_hook=pairs.extend)
    if len(dict(pairs)) < len(pairs): raise ValueError`, documents), stricter...)
	samePairs(t, documents, imports)
	t.Run("Java", func(t *testing.T) {
		long.Test(t)
		agrees(t, "properties", documents, java(t, documents), stricter...)
	})
}

// samePairs wants javaproperties to find the keys and values that the tree of each document has.
func samePairs(t *testing.T, documents []string, imports string) {
	t.Helper()
	type found struct {
		Document []byte
		Pairs    []string
	}
	var all []found
	for _, d := range documents {
		tree, err := Format{"properties"}.Tree([]byte(d))
		if err != nil {
			continue
		}
		f := found{[]byte(d), []string{}}
		for _, n := range tree.Nodes {
			value := ""
			if len(n.Nodes) > 1 {
				value = n.Nodes[1].Text
			}
			f.Pairs = append(f.Pairs, string(spelledKey([]byte(n.Nodes[0].Text))), string(spelledKey([]byte(value))))
		}
		all = append(all, f)
	}
	in, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), judge(t, "python3"), "-c", imports+`
import json, base64
def spelled(key):
    units = memoryview(key.encode("utf-16-le", "surrogatepass")).cast("H")
    return "".join(chr(u) if u < 0x80 and u != 0x5c else "\\u%04x" % u for u in units)
for found in json.load(sys.stdin):
    pairs = []
    javaproperties.load(io.BytesIO(base64.b64decode(found["Document"])), object_pairs_hook=pairs.extend)
    if [spelled(t) for pair in pairs for t in pair] != found["Pairs"]: print(base64.b64decode(found["Document"]), pairs, found["Pairs"])
`)
	cmd.Stdin = bytes.NewReader(in)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v: %.2000s", err, out)
	}
	t.Logf("the keys and values of %d documents are the same", len(all))
}

// java gives for each document whether java.util.Properties takes it, as bytes of Latin-1, and no
// key twice.
func java(t *testing.T, documents []string) []bool {
	t.Helper()
	if exec.Command("javac", "-version").Run() != nil {
		t.Skip("there is no JDK; it is too large to be wanted everywhere")
	}
	const program = `
import java.io.*;
import java.util.*;

class Read {
	public static void main(String[] args) throws Exception {
		var in = new BufferedReader(new InputStreamReader(System.in));
		for (String line; (line = in.readLine()) != null; ) {
			var p = new Properties() {
				public synchronized Object put(Object key, Object value) {
					if (super.put(key, value) != null) throw new IllegalArgumentException();
					return null;
				}
			};
			String said = "true";
			try {
				p.load(new ByteArrayInputStream(Base64.getDecoder().decode(line)));
			} catch (IllegalArgumentException e) {
				said = "false";
			}
			System.out.println(said);
		}
	}
}
`
	path := filepath.Join(t.TempDir(), "Read.java")
	if err := os.WriteFile(path, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	var in bytes.Buffer
	for _, d := range documents {
		in.WriteString(base64.StdEncoding.EncodeToString([]byte(d)) + "\n")
	}
	cmd := exec.CommandContext(t.Context(), judge(t, "java"), path)
	cmd.Stdin, cmd.Stderr = &in, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var takes []bool
	for said := range strings.FieldsSeq(string(out)) {
		takes = append(takes, said == "true")
	}
	if len(takes) != len(documents) {
		t.Fatalf("%d documents are read", len(takes))
	}
	return takes
}

func TestXMLAsLibxmlReadsIt(t *testing.T) {
	seeds := []string{
		"<?xml version=\"1.0\" encoding=\"UTF-8\" standalone='no'?>\n<!-- c -->\n<a b='1' c=\"&lt;&#65;\">t &amp; <b/><![CDATA[<x>]]]]><?p q?></a>\n<!-- d --><?e?>\n",
		"<p:a xmlns:p='u' xmlns='v' p:b='1' b='2'><c xmlns:q='u' q:d=''/><p:e></p:e ></p:a>", "<a b='1'c='2'/>", "<a>&#xD800;</a>", "<a/><b/>", "<a/>x", "x<a/>", "<p:a/>", "<a p:b='1'/>", "<a><?xml version='1.0'?></a>",
		" <?xml version='1.0'?><a/>", "<a/><?xml version='1.0'?>", "<a b='1' b='2'/>", "<a xmlns:p='u' xmlns:q='u' p:c='1' q:c='2'/>", "<a xmlns:p='u' xmlns:p='u'/>", "<a>]]></a>", "<a>]]&gt;</a>", "<a><!-- -- --></a>", "<a><!----></a>",
		"<a><!--a---></a>", "<1a/>", "<a.b-c_1/>", "<-a/>", "<a b='<'/>", "<a b='>'/>", "<a>&foo;</a>", "<a>&amp</a>", "<a>& b</a>", "<a>&#38</a>", "<a>&#x;</a>", "<a>&#0;</a>", "<a>&#x110000;</a>", "<a>&#9;&#xFFFD;</a>", "<a>&#xFFFE;</a>",
		"<a xmlns:p=''/>", "<a xmlns=''/>", "<a xmlns:xml='u'/>", "<a xmlns:xml='http://www.w3.org/XML/1998/namespace'/>", "<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>", "<a xmlns:xmlns='u'/>", "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>",
		"<a xmlns='http://www.w3.org/2000/xmlns/'/>", "<xmlns:a/>", "<xml:a xml:lang='x'/>", "<a:b:c xmlns:a='u'/>", "<:a/>", "<a:/>", "<a:1 xmlns:a='u'/>", "<a b:='1'/>", "<a :b='1'/>", "<?a:b c?><a/>", "<?XML x?><a/>", "<?xml-stylesheet x?><a/>", "<? p?><a/>",
		"<?p?x?><a/>", "<?xml version='1.0' standalone='yes' encoding='utf-8'?><a/>", "<?xml encoding='utf-8'?><a/>", "<?xml version='1.0' encoding=''?><a/>", "<?xml version='1.0'encoding='utf-8'?><a/>", "<?xml version='1.0' standalone='maybe'?><a/>",
		"<?xml version='1.0\"?><a/>", "<?xml version=\"1.0' encoding='utf-8'?><a/>", "<?xml version='1.0' encoding='utf-8\"?><a/>",
		"<?xml version='1.0' foo='bar'?><a/>", "<?xml?><a/>", "<?xml version='2.0'?><a/>", "<?xml version='1.0' encoding='1abc'?><a/>", "<?xml\nversion = '1.0' ?><a/>", "<a\x01/>", "<a>\x01</a>", "<a b='\x02'/>", "<a><!-- \x03 --></a>", "<a><?p \x04?></a>", "<a><![CDATA[\x05]]></a>",
		"<a>\uffff</a>", "<a>\ufdd0</a>", "<a>\xff</a>", "<a>\xed\xa0\x80</a>", "\ufeff<a/>", "<a>\ufeff</a>", "<a/ >", "< a/>", "<a></a >", "<a></ a>", "<![CDATA[x]]><a/>", "<a/>&#32;", "<a b/>", "<a b=1/>", "<a b = '1'\n/>", "<a b='1' /b>", "<a\u00b7/>", "<\u00b7a/>", "<é é='é'/>",
		"<\ufff0/>", "<a><b></a></b>", "<a>", "</a>", "<a></a></a>", "", " ", "<!-- x -->", "<a><![cdata[x]]></a>", "<a><!></a>", "<a xmlns:p='x y'/>", "<a xmlns:p=':b'/>", "<a xmlns:p='1:b'/>", "<a xmlns:p='%zz'/>", "<a xmlns:p='a?b#c'/>", "<a xmlns:p='#a#b'/>", "<a xmlns:p='é'/>",
		"<a xmlns:p='a&#32;b'/>", "<a xmlns:p='u'/><p:b/>", "<a>&lt;b>&quot;&apos;</a>", "<a>&LT;</a>", "<a b='&x;'/>", "<a b=''c=''/>", "<a b=''>", "<p:a xmlns:p='u'><q:b xmlns:q='v'/><q:c/></p:a>", "<p:a xmlns:p='u'></p:b>", "<a xmlns:p='u'><b xmlns:p='v' p:c=''/></a>",
	}
	pieces := []string{"<", ">", "/", "</", "/>", "<!--", "-->", "--", "<?", "?>", "<![CDATA[", "]]>", "&", ";", "&amp;", "&#x41;", "&#", "'", "\"", "=", " ", "\n", "a", "b", "p:", ":", "xml", "xmlns", " xmlns:p='u'", " p:c='1'", " b='1'", "x", "1", "-", ".", "\x01", "é", "\u00b7", "\ufffe", "<b>", "</b>", "<a/>", "<?xml version='1.0'?>"}
	documents := mutants(seeds, 3000, pieces)
	agrees(t, "xml", documents, libxml(t, documents), xmlVersion, xmlEncoding)
}

// yamlCorner is where yaml.v3 and libyaml 0.2.5 part: a colon at the end of a word in brackets,
// brackets in a tag, a question mark at the end of a word in brackets.
var yamlCorner = regexp.MustCompile(`:[,}\]]|![^ \n]*[\[\]{},]|[^ \n]\?[ \n]`)

func TestYAMLAsLibyamlReadsIt(t *testing.T) {
	seeds := []string{
		"a: 1\nb: [x, \"y\", {c: d}]\ne:\n  - f\n  - g: h # c\n", "%YAML 1.2\n---\na: 1\n", "%YAML 1.1\n---\na\n...\n%YAML 1.2 # c\n---\nb\n", "%YAML 1.3\n---\na\n", "%TAG !e! tag:e.com,2000:\n---\n!e!x a\n",
		"{\"a\\/b\": \"\\/\", 'c\\/': d\\/e}", "? [a, b]\n: c\n? {d: e}\n: f\n", "{[a]: b, {c: d}: e}", "- &a [b]\n- *a\n- ? *a\n  : c\n", "a: |\n  x\n   y\nb: >-\n  z\n", "a: 'it''s'\nb: \"\\u00e9\\x41\\n\"\n",
		"--- a\n--- b\n...\n", "- - a\n  - b\n- {c, d: }\n", "a: \"it\\'s\"\nb: 'C:\\'\n", "a: !!str 1\nb: ! x\nc: !l y\n", "a:\n- b\n- c\n", "\"a\\q\"", "a: [b\n", "a: b: c", "\ta: b", "a: @b", "# c\n", "",
	}
	pieces := []string{"a", ":", ": ", "- ", "? ", "[", "]", "{", "}", ",", "\"", "'", "\\", "\\/", "#", " #", "\n", "\n  ", " ", "|", ">", "&a", "*a", "!", "!!str ", "%", "---", "...", "1", "x: y\n"}
	documents := slices.DeleteFunc(mutants(seeds, 6000, pieces), yamlCorner.MatchString)
	const code = `
import yaml
def read(b):
    for _ in yaml.compose_all(b.decode(), Loader=yaml.CLoader): pass`
	agrees(t, "yaml", documents, python(t, code, documents), "a key stands twice", "merges what is no map", "is not what its tag", "is not base64")
}
