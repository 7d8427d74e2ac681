package format

import (
	"bytes"
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

func TestXMLAsLibxmlReadsIt(t *testing.T) {
	seeds := []string{
		"<?xml version=\"1.0\" encoding=\"UTF-8\" standalone='no'?>\n<!-- c -->\n<a b='1' c=\"&lt;&#65;\">t &amp; <b/><![CDATA[<x>]]]]><?p q?></a>\n<!-- d --><?e?>\n",
		"<p:a xmlns:p='u' xmlns='v' p:b='1' b='2'><c xmlns:q='u' q:d=''/><p:e></p:e ></p:a>", "<a b='1'c='2'/>", "<a>&#xD800;</a>", "<a/><b/>", "<a/>x", "x<a/>", "<p:a/>", "<a p:b='1'/>", "<a><?xml version='1.0'?></a>",
		" <?xml version='1.0'?><a/>", "<a/><?xml version='1.0'?>", "<a b='1' b='2'/>", "<a xmlns:p='u' xmlns:q='u' p:c='1' q:c='2'/>", "<a xmlns:p='u' xmlns:p='u'/>", "<a>]]></a>", "<a>]]&gt;</a>", "<a><!-- -- --></a>", "<a><!----></a>",
		"<a><!--a---></a>", "<1a/>", "<a.b-c_1/>", "<-a/>", "<a b='<'/>", "<a b='>'/>", "<a>&foo;</a>", "<a>&amp</a>", "<a>& b</a>", "<a>&#38</a>", "<a>&#x;</a>", "<a>&#0;</a>", "<a>&#x110000;</a>", "<a>&#9;&#xFFFD;</a>", "<a>&#xFFFE;</a>",
		"<a xmlns:p=''/>", "<a xmlns=''/>", "<a xmlns:xml='u'/>", "<a xmlns:xml='http://www.w3.org/XML/1998/namespace'/>", "<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>", "<a xmlns:xmlns='u'/>", "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>",
		"<a xmlns='http://www.w3.org/2000/xmlns/'/>", "<xmlns:a/>", "<xml:a xml:lang='x'/>", "<a:b:c xmlns:a='u'/>", "<:a/>", "<a:/>", "<a:1 xmlns:a='u'/>", "<a b:='1'/>", "<a :b='1'/>", "<?a:b c?><a/>", "<?XML x?><a/>", "<?xml-stylesheet x?><a/>", "<? p?><a/>",
		"<?p?x?><a/>", "<?xml version='1.0' standalone='yes' encoding='utf-8'?><a/>", "<?xml encoding='utf-8'?><a/>", "<?xml version='1.0' encoding=''?><a/>", "<?xml version='1.0'encoding='utf-8'?><a/>", "<?xml version='1.0' standalone='maybe'?><a/>",
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
		"--- a\n--- b\n...\n", "- - a\n  - b\n- {c, d: }\n", "a: !!str 1\nb: ! x\nc: !l y\n", "a:\n- b\n- c\n", "\"a\\q\"", "a: [b\n", "a: b: c", "\ta: b", "a: @b", "# c\n", "",
	}
	pieces := []string{"a", ":", ": ", "- ", "? ", "[", "]", "{", "}", ",", "\"", "'", "\\", "\\/", "#", " #", "\n", "\n  ", " ", "|", ">", "&a", "*a", "!", "!!str ", "%", "---", "...", "1", "x: y\n"}
	documents := slices.DeleteFunc(mutants(seeds, 6000, pieces), yamlCorner.MatchString)
	const code = `
import yaml
def read(b):
    for _ in yaml.compose_all(b.decode(), Loader=yaml.CLoader): pass`
	agrees(t, "yaml", documents, python(t, code, documents), "a key stands twice", "merges what is no map", "is not what its tag", "is not base64")
}
