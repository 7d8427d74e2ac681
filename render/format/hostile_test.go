package format

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/long"
)

// What a hostile value may cost at most. A slow machine is allowed five times as long.
const (
	mostTime   = 2 * time.Second
	mostGrowth = 200 << 20 // bytes of resident memory
	patience   = 5
)

// TestMain is also the child that checks one document: a stack that overflows, or memory without
// end, must not be the end of the tests.
func TestMain(m *testing.M) {
	if name := os.Getenv("FORMAT_TEST_CHILD"); name != "" {
		child(name)
		return
	}
	os.Exit(m.Run())
}

// An answer is what a child says.
type answer struct {
	Error string
	// Took is CPU time, the garbage collector's included, so that a busy machine changes nothing.
	Took   time.Duration
	Growth int64 // bytes of resident memory
}

func child(name string) {
	data, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	before, begun := peak(), worked()
	var a answer
	if err := (Format{name}).Check(data); err != nil {
		a.Error = err.Error()
	}
	a.Took, a.Growth = worked()-begun, peak()-before
	_ = json.NewEncoder(os.Stdout).Encode(a)
}

// worked gives the CPU time of this process.
func worked() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peak gives how much memory this process had at most, in bytes (proc_pid_status(5), VmHWM).
func peak() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		panic(err)
	}
	return kib << 10
}

// inChild has another process check a document.
func inChild(t *testing.T, name, data string) (answer, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = []string{"FORMAT_TEST_CHILD=" + name, "GORACE=atexit_sleep_ms=0"}
	cmd.Stdin = strings.NewReader(data)
	out, err := cmd.Output()
	var a answer
	if err == nil {
		err = json.Unmarshal(out, &a)
	}
	return a, err
}

// fill repeats a text up to a size.
func fill(size int, text string) string { return strings.Repeat(text, max(size/len(text), 1)) }

// count repeats a text with another number each time up to a size.
func count(size int, format string) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// A hostile is a document of a size that costs a careless parser more than it should, and what must
// be said of it: "" where it passes.
type hostile struct {
	name string
	make func(size int) string
	want string
}

var hostiles = map[string][]hostile{
	"json": {
		{"lists in lists", func(n int) string { return fill(n, "[") }, "nest deeper than 1000"},
		{"objects in objects", func(n int) string { return fill(n, `{"a":`) }, "nest deeper than 1000"},
		{"lists and objects", func(n int) string { return fill(n, `[{"a":`) }, "nest deeper than 1000"},
		{"many lists", func(n int) string { return "[" + fill(n, "[],") + "0]" }, ""},
		{"many numbers", func(n int) string { return "[" + fill(n, "1,") + "0]" }, ""},
		{"many objects", func(n int) string { return "[" + fill(n, `{"a":1},`) + "0]" }, ""},
		{"many keys", func(n int) string { return "{" + count(n, `"%d":1,`) + `"a":1}` }, ""},
		{"a key twice", func(n int) string { return "{" + count(n, `"%d":1,`) + `"0":1}` }, "a key stands twice"},
		{"one key", func(n int) string { return "{" + fill(n, `"a":1,`) + `"a":1}` }, "a key stands twice"},
		{"keys at the bottom", func(n int) string {
			return fill(900*5, `{"a":`) + "{" + count(n, `"%d":1,`) + `"0":1}` + fill(900, "}")
		}, "a key stands twice"},
		{"escaped keys", func(n int) string { return "{" + count(n, `"\u0061%d":1,`) + `"a":1}` }, ""},
		{"a long number", func(n int) string { return fill(n, "1") }, ""},
		{"a long fraction", func(n int) string { return "0." + fill(n, "1") + "e" + fill(n, "9") }, ""},
		{"a long text", func(n int) string { return `"` + fill(n, `\u00e9`) + `"` }, ""},
		{"an open text", func(n int) string { return `"` + fill(n, "a") }, "it ends too early"},
		{"blanks", func(n int) string { return fill(n, " ") }, "it is empty"},
		{"commas", func(n int) string { return "[" + fill(n, ",") }, "a value is expected"},
		{"backslashes", func(n int) string { return `"` + fill(n, `\\`) }, "it ends too early"},
	},
	"yaml": {
		{"flow lists in lists", func(n int) string { return fill(n, "[") }, "cannot be checked as YAML at line 1: "},
		{"flow maps in maps", func(n int) string { return fill(n, "{") }, "cannot be checked as YAML at line 1: "},
		{"flow maps with keys", func(n int) string { return fill(n, "{a: ") }, "cannot be checked as YAML at line 1: "},
		{"lists in a line", func(n int) string { return fill(n, "- ") }, "cannot be checked as YAML at line 1: "},
		{"keys in a line", func(n int) string { return fill(n, "? ") }, "cannot be checked as YAML at line 1: "},
		{"keys and lists in a line", func(n int) string { return fill(n, "? - ") }, "cannot be checked as YAML at line 1: "},
		{"keys and flow", func(n int) string { return fill(n, "? [") }, "cannot be checked as YAML at line 1: "},
		{"indentation", func(n int) string {
			var b strings.Builder
			for i := 0; b.Len() < n && i < 3000; i++ {
				b.WriteString(strings.Repeat(" ", i) + "a:\n")
			}
			return b.String()
		}, "*"},
		{"many keys", func(n int) string { return count(min(n, 1<<20), "k%d: v\n") }, ""},
		{"more keys", func(n int) string { return count(n, "k%d: v\n") }, "*"},
		{"30,000 keys", func(int) string { return count(300_000, "k%d: v\n") }, ""},
		{"a key twice", func(n int) string { return count(min(n, 1<<20), "k%d: v\n") + "k0: v\n" }, "a key stands twice"},
		{"many flow keys", func(n int) string { return "{" + count(min(n, 1<<20), "k%d,") + "}" }, ""},
		{"many elements", func(n int) string { return fill(n, "- a\n") }, "*"},
		{"many flow elements", func(n int) string { return "[" + fill(n, "a,") + "]" }, "*"},
		{"many maps", func(n int) string { return "[" + fill(n, "{a: b},") + "]" }, "*"},
		{"implicit maps", func(n int) string { return "[" + fill(n, "a: b,") + "]" }, "*"},
		{"aliases of aliases", func(int) string {
			var b strings.Builder
			b.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x]\n")
			for i := 1; i < 30; i++ {
				fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9))
			}
			return b.String()
		}, "aliases of aliases make more than"},
		{"many aliases", func(n int) string { return "- &a b\n" + fill(n, "- *a\n") }, "*"},
		{"many aliases of much", func(n int) string {
			return "- &a [" + fill(n/4, "b,") + "]\n" + fill(min(n/2, 600_000), "- *a\n")
		}, "*"},
		{"many anchors", func(n int) string { return count(n, "- &a%d b\n") }, "*"},
		{"unknown alias at the end", func(n int) string { return fill(n/2, "- a\n") + "- *b\n" }, "*"},
		{"merges", func(n int) string { return count(n, "k%d: {<<: {a: 1}}\n") }, "*"},
		{"exclamation marks", func(n int) string { return fill(n, "!") }, "*"},
		{"tags", func(n int) string { return fill(n, "- !!str a\n") }, "*"},
		{"percent signs", func(n int) string { return fill(n, "%a b\n") }, "*"},
		{"TAG directives", func(n int) string { return count(n, "%%TAG !a%d! b\n") + "---\n" }, "more than 1000 lines begin with %"},
		{"comments", func(n int) string { return fill(n, "# a\n") }, "*"},
		{"comments between", func(n int) string { return fill(n, "- a # b\n# c\n") }, "*"},
		{"comments at feet", func(n int) string { return fill(n, "-\n#\n\n") }, "*"},
		{"comments in flow", func(n int) string { return "[" + fill(n, "a, #\n") + "]" }, "*"},
		{"empty lines", func(n int) string { return fill(n, "\n") }, "*"},
		{"lines of old Macs", func(n int) string { return fill(n, "a: b\r") }, "*"},
		{"documents", func(n int) string { return fill(n, "---\n") }, "*"},
		{"documents of a word", func(n int) string { return fill(n, "a\n---\n") }, "*"},
		{"folded", func(n int) string { return "a: >\n" + fill(n, "  b\n") }, "*"},
		{"literal", func(n int) string { return "a: |\n" + fill(n, "  bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n") }, ""},
		{"empty lines in a literal", func(n int) string { return "a: |\n" + fill(n, "\n") + "  b\n" }, "*"},
		{"plain lines", func(n int) string { return "a: b\n" + fill(n, "  c\n") }, "*"},
		{"double quotes", func(n int) string { return `a: "` + fill(n, `\n`) + `"` }, ""},
		{"slashes in double quotes", func(n int) string { return `a: "` + fill(n, `\/`) + `"` }, "*"},
		{"open double quotes", func(n int) string { return `a: "` + fill(n, `b`) }, "a quote begins here"},
		{"single quotes", func(n int) string { return `a: '` + fill(n, `''`) + `'` }, ""},
		{"a long number", func(n int) string { return "a: " + fill(n, "1") }, ""},
		{"a long fraction", func(n int) string { return "a: 0." + fill(n, "1") }, ""},
		{"base 60", func(n int) string { return "a: 1" + fill(n, ".59") }, ""},
		{"underscores", func(n int) string { return "a: 1" + fill(n, "_0") }, ""},
		{"tabs", func(n int) string { return "a:" + fill(n, "\t") + "b" }, ""},
		{"blanks", func(n int) string { return fill(n, " ") + "a" }, ""},
		{"a long key", func(n int) string { return fill(n, "a") + ": b" }, "*"},
		{"a long binary", func(n int) string { return "a: !!binary " + fill(n, "AAAA") }, ""},
		{"colons", func(n int) string { return fill(n, ":") }, "*"},
		{"question marks", func(n int) string { return "[" + fill(n, "?,") + "]" }, "*"},
		{"stars", func(n int) string { return fill(n, "*") }, "*"},
		{"ampersands", func(n int) string { return fill(n, "&a ") }, "*"},
	},
	"toml": {
		{"arrays in arrays", func(n int) string { return "a = " + fill(n, "[") }, "nest deeper than 1000"},
		{"inline tables in tables", func(n int) string { return "a = " + fill(n, "{a = ") }, "nest deeper than 1000"},
		{"arrays and inline tables", func(n int) string { return "a = " + fill(n, "[{a = ") }, "nest deeper than 1000"},
		{"a key of many parts", func(n int) string { return fill(n, "a.") + "b = 1" }, "a key has more than 1000 parts"},
		{"a table of many parts", func(n int) string { return "[" + fill(n, "a.") + "b]" }, "a key has more than 1000 parts"},
		{"keys of many parts", func(n int) string { return fill(n, "'"+fill(10, "b")+"'."+fill(998, "a.")+"b = 1\n") }, "*"},
		{"many keys", func(n int) string { return count(n, "k%d=1\n") }, ""},
		{"many dotted keys", func(n int) string { return count(n, "a.b.k%d=1\n") }, ""},
		{"a key twice", func(n int) string { return count(n, "k%d=1\n") + "k0=1\n" }, "a key stands twice"},
		{"many tables", func(n int) string { return count(n, "[t%d]\n") }, ""},
		{"many tables in tables", func(n int) string { return count(n, "[a.b.c.d.t%d]\n") }, ""},
		{"many elements of an array of tables", func(n int) string { return fill(n, "[[a]]\nb=1\n") }, ""},
		{"many inline tables", func(n int) string { return "a=[" + fill(n, "{a=1},") + "]" }, ""},
		{"a wide inline table", func(n int) string { return "a={" + count(n, "k%d=1,") + "b=1}" }, ""},
		{"many numbers", func(n int) string { return "a=[" + fill(n, "1,") + "]" }, ""},
		{"a long number", func(n int) string { return "a = " + fill(n, "1") }, "an integer that 64 bits do not hold"},
		{"a long fraction", func(n int) string { return "a = 0." + fill(n, "1") }, ""},
		{"underscores", func(n int) string { return "a = 0x0" + fill(n, "_0") }, ""},
		{"a long second", func(n int) string { return "a = 07:00:00." + fill(n, "1") }, ""},
		{"dates", func(n int) string { return "a = [" + fill(n, "2020-01-01 ,") + "]" }, ""},
		{"a date and blanks", func(n int) string { return "a = 2020-01-01" + fill(n, " ") }, ""},
		{"a long text", func(n int) string { return `a = "` + fill(n, `\n`) + `"` }, ""},
		{"an open text", func(n int) string { return `a = "` + fill(n, `a`) }, "a quote that begins here"},
		{"quotes", func(n int) string { return `a = ` + fill(n, `"`) }, "*"},
		{"lines", func(n int) string { return "a = '''" + fill(n, "\n") + "'''" }, ""},
		{"trimmed lines", func(n int) string { return `a = """\` + fill(n, "\n") + `"""` }, ""},
		{"comments", func(n int) string { return fill(n, "#\n") }, ""},
		{"comments in an array", func(n int) string { return "a = [" + fill(n, "#\n") + "]" }, ""},
		{"brackets", func(n int) string { return fill(n, "[[") }, "*"},
		{"closed brackets", func(n int) string { return "a = " + fill(n, "[]") }, "the end of the line is expected"},
	},
	"ini": {
		{"sections", func(n int) string { return count(n, "[s%d]\n") }, ""},
		{"keys", func(n int) string { return count(n, "k%d=1\n") }, ""},
		{"brackets", func(n int) string { return fill(n, "[") }, "a section is a name in brackets"},
		{"one line", func(n int) string { return "a=" + fill(n, "=") }, ""},
		{"empty lines", func(n int) string { return fill(n, "\n") }, ""},
		{"comments", func(n int) string { return fill(n, ";\n") }, ""},
	},
	"dotenv": {
		{"keys", func(n int) string { return count(n, "K%d=1\n") }, ""},
		{"a long value", func(n int) string { return "A=" + fill(n, "a") }, ""},
		{"a long name", func(n int) string { return fill(n, "A") + "=1" }, ""},
		{"escapes", func(n int) string { return `A="` + fill(n, `\$`) + `"` }, ""},
		{"quotes", func(n int) string { return fill(n, `A=""`+"\n") }, ""},
		{"an open quote", func(n int) string { return `A="` + fill(n, "a\n") }, "a quote that begins here is not closed"},
		{"comments", func(n int) string { return fill(n, "#\n") }, ""},
		{"a long line without =", func(n int) string { return fill(n, "A") }, "a line without ="},
	},
	"properties": {
		{"keys", func(n int) string { return count(n, "k%d=1\n") }, ""},
		{"keys in other spellings", func(n int) string { return count(n, "\\u006b%d=1\n") }, ""},
		{"a key twice", func(n int) string { return count(n, "k%d=1\n") + "\\u006b0=1\n" }, "a key stands twice"},
		{"one key", func(n int) string { return fill(n, "k\n") }, "a key stands twice"},
		{"a long value", func(n int) string { return "a=" + fill(n, "b") }, ""},
		{"a long key", func(n int) string { return fill(n, "a") }, ""},
		{"a long key twice", func(n int) string { return fill(n/2, "a") + "\n" + fill(n/2, "a") }, "a key stands twice"},
		{"a long key of escapes", func(n int) string { return fill(n, `\:`) }, ""},
		{"codes", func(n int) string { return "a=" + fill(n, `\u0041`) }, ""},
		{"joined lines", func(n int) string { return "a=" + fill(n, "b\\\n") + "c" }, ""},
		{"joined lines of a key", func(n int) string { return fill(n, "b\\\n") + "c" }, ""},
		{"joined blanks", func(n int) string { return "a " + fill(n, "\\\n ") + "c" }, ""},
		{"joined with many blanks", func(n int) string { return "a=b\\\n" + fill(n, " ") + "c" }, ""},
		{"an open join", func(n int) string { return "a=" + fill(n, "b\\\n") }, "joins the next one"},
		{"backslashes", func(n int) string { return "a=" + fill(n, `\`) + `\\` }, ""},
		{"blanks", func(n int) string { return fill(n, " ") + "a" + fill(n, " ") }, ""},
		{"lines", func(n int) string { return fill(n, "\r\n") }, ""},
		{"comments", func(n int) string { return fill(n, "#\\\n") }, ""},
		{"separators", func(n int) string { return fill(n, "=") }, ""},
	},
	"xml": {
		{"elements in elements", func(n int) string { return fill(n, "<a>") }, "elements nest deeper than 1000"},
		{"elements in the root", func(n int) string { return "<r>" + fill(n, "<a/>") + "</r>" }, ""},
		{"elements with texts", func(n int) string { return "<r>" + fill(n, "<a>b</a>") + "</r>" }, ""},
		{"many attributes", func(n int) string { return "<a " + count(min(n, 80_000), "b%d='' ") + "/>" }, ""},
		{"more attributes", func(n int) string { return "<a " + count(max(n, 1<<20), "b%d='' ") + "/>" }, "more than 10000 attributes"},
		{"one attribute", func(n int) string { return "<a " + fill(min(n, 50_000), "b='' ") + "/>" }, "an attribute stands twice"},
		{"namespaces", func(n int) string { return "<a " + count(min(n, 90_000), "xmlns:b%d='c' ") + "/>" }, ""},
		{"namespaces around", func(n int) string {
			return "<r>" + fill(max(n, 1<<20), "<a "+count(100_000, "xmlns:b%d='c' ")+">")
		}, "more than 10000 namespaces"},
		{"one namespace in all", func(n int) string { return "<r>" + fill(n, "<a xmlns='b'/>") + "</r>" }, ""},
		{"entities of entities", func(int) string {
			var b strings.Builder
			b.WriteString("<!DOCTYPE a [<!ENTITY e0 'x'>")
			for i := 1; i < 30; i++ {
				fmt.Fprintf(&b, "<!ENTITY e%d '%s'>", i, strings.Repeat(fmt.Sprintf("&e%d;", i-1), 10))
			}
			return b.String() + "]><a>&e29;</a>"
		}, "an & that begins no known entity"},
		{"declared entities", func(n int) string { return "<!DOCTYPE a [" + count(n, "<!ENTITY e%d 'x'>") + "]><a/>" }, ""},
		{"brackets of a type", func(n int) string { return "<!DOCTYPE a " + fill(n, "[") }, "it ends too early"},
		{"references", func(n int) string { return "<a>" + fill(n, "&#65;") + "</a>" }, ""},
		{"a long reference", func(n int) string { return "<a>&#" + fill(n, "0") + "65;</a>" }, ""},
		{"an open reference", func(n int) string { return "<a>&#" + fill(n, "1") }, "an & that begins no known entity"},
		{"ampersands", func(n int) string { return "<a>" + fill(n, "&") }, "an & that begins no known entity"},
		{"an open comment", func(n int) string { return "<a><!--" + fill(n, "- ") }, "it ends too early"},
		{"comments", func(n int) string { return fill(n, "<!---->") + "<a/>" }, ""},
		{"open comments", func(n int) string { return "<a>" + fill(n, "<!--") }, "-- inside a comment"},
		{"instructions", func(n int) string { return fill(n, "<?a?>") + "<a/>" }, ""},
		{"CDATA", func(n int) string { return "<a>" + fill(n, "<![CDATA[]]>") + "</a>" }, ""},
		{"open CDATA", func(n int) string { return "<a>" + fill(n, "<![CDATA[") }, "it ends too early"},
		{"a long name", func(n int) string { return "<" + fill(n, "é") + "/>" }, ""},
		{"a long value", func(n int) string { return "<a b='" + fill(n, "c") + "'/>" }, ""},
		{"an open value", func(n int) string { return "<a b='" + fill(n, "c") }, "it ends too early"},
		{"Latin-1", func(n int) string { return "<?xml version='1.0' encoding='latin1'?><a>" + fill(n, "\xe9") + "</a>" }, ""},
		{"end tags", func(n int) string { return "<a/>" + fill(n, "</a>") }, "an end tag without a start tag"},
		{"less-thans", func(n int) string { return "<a>" + fill(n, "<") }, "a < that begins no element"},
	},
	"pem": {
		{"beginnings", func(n int) string { return fill(n, "-----BEGIN A-----\n") }, "a block that begins here is not whole"},
		{"half beginnings", func(n int) string { return fill(n, "-----BEGIN ") }, "a block that begins here is not whole"},
		{"hyphens", func(n int) string { return fill(n, "-") }, "there is no block"},
		{"blocks", func(n int) string { return fill(n, "-----BEGIN A-----\nAAAA\n-----END A-----\n") }, ""},
		{"other ends", func(n int) string { return fill(n, "-----BEGIN A-----\nAAAA\n-----END B-----\n") }, "a block"},
		{"headers", func(n int) string {
			return "-----BEGIN A-----\n" + count(max(n, 1<<20), "a%d: b\n") + "\nAAAA\n-----END A-----\n"
		}, "a block has more than 100 headers"},
		{"one long block", func(n int) string { return "-----BEGIN A-----\n" + fill(n, "AAAA\n") + "-----END A-----\n" }, ""},
		{"a long line", func(n int) string { return "-----BEGIN A-----\n" + fill(n, "AAAA") + "\n-----END A-----\n" }, ""},
		{"no certificates", func(n int) string {
			return fill(n, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
		}, "the block is no certificate"},
		{"certificates", func(n int) string { return fill(n, testCertificate()) }, ""},
		{"a certificate of many extensions", extended, "*"},
		{"a key of many bits", func(n int) string { return wideKey(n / 2) }, "*"},
		{"a key of as many bits as may be", func(int) string { return wideKey(10 << 10) }, "*"},
		{"keys", func(n int) string { return fill(n, testKey()) }, "*"},
	},
}

// Whatever a value holds, a format answers soon, in little memory, and rightly or with an error
// that names what is too much.
func TestHostile(t *testing.T) {
	computes(t)
	sizes := []int{64 << 10}
	if long.Asked() {
		sizes = append(sizes, 16<<20)
	}
	var slowest, largest answer
	cases, larger := 0, 0
	for _, name := range Known() {
		for _, h := range hostiles[name] {
			for _, size := range sizes {
				if size > sizes[0] && long.Moderate() && (cases-larger)%3 > 0 {
					continue
				}
				cases++
				if size > sizes[0] {
					larger++
				}
				data := h.make(size)
				a, err := inChild(t, name, data)
				what := fmt.Sprintf("%s, %s, %d KiB", name, h.name, size>>10)
				if err != nil {
					t.Errorf("%s: %v", what, err)
					continue
				}
				if h.want != "*" && (h.want == "") != (a.Error == "") || h.want != "*" && !strings.Contains(a.Error, h.want) {
					t.Errorf("%s: %q, want %q", what, a.Error, h.want)
				}
				if a.Took > patience*mostTime || long.Asked() && a.Growth > mostGrowth {
					t.Errorf("%s: %v, %d MiB: %s", what, a.Took, a.Growth>>20, a.Error)
				}
				if len(a.Error) > 500 {
					t.Errorf("%s: an error of %d bytes", what, len(a.Error))
				}
				t.Logf("%s: %v, %d MiB: %s", what, a.Took.Round(time.Millisecond), a.Growth>>20, a.Error)
				if a.Took > slowest.Took {
					slowest = a
				}
				if a.Growth > largest.Growth {
					largest = a
				}
			}
		}
	}
	t.Logf("%d documents, the slowest in %v, the largest in %d MiB", cases, slowest.Took, largest.Growth>>20)
}

// Plain data of 1 MiB passes; without -long one document of each format.
func TestPlain(t *testing.T) {
	computes(t)
	const size = 1 << 20
	for name, documents := range map[string][]string{
		"json": {
			"[" + count(size, `{"name": "service %d", "port": 8080, "tags": ["a", "b"], "on": true},`+"\n") + "{}]", "{" + count(size, `"key%d": "value",`) + `"a": 1}`, "[" + fill(size, "1,") + "1]",
		},
		"yaml": {
			count(size, "key%d: value\n"), "services:\n" + count(size, "  - name: service %d\n    port: 8080\n    tags: [a, b]\n    # a comment\n    on: true\n"), fill(size, "- 1\n"), "[" + fill(size, "1,") + "1]",
			"a: |\n" + fill(size, "  a line of text: [with, some] {marks} - and # more\n"), "[" + count(size, `{"name": "service %d", "port": 8080},`+"\n") + "{}]", fill(size, "a: 1\n---\n"),
		},
		"toml": {
			count(size, "key%d = \"value\"\n"), count(size, "[service.s%d]\nport = 8080\ntags = [\"a\", \"b\"]\n"), "a = [\n" + fill(size, "  1,\n") + "]\n", count(size, "[[service]]\nname = \"%d\"\nwith.dots = 1\n"),
		},
		"ini":        {"[a]\n" + count(size, "key%d = value\n"), count(size, "[section%d]\na = 1\n")},
		"dotenv":     {count(size, "KEY%d=\"value\"\n"), "A=\"" + fill(size, "a line\n") + "\"\n"},
		"properties": {"# all\n" + count(size, "app.key%d = value\n"), "a = \\\n" + count(size, "  part%d,\\\n") + "  end\n"},
		"xml": {
			"<?xml version=\"1.0\"?>\n<r>" + count(size, "<service name='%d' port=\"8080\"><tag>a</tag></service>\n") + "</r>", "<r>" + fill(size, "text &amp; text ") + "</r>",
		},
		"pem": {fill(size, testCertificate()), fill(size, testKey())},
	} {
		for i, data := range documents {
			if i > 0 && !long.Asked() {
				break
			}
			a, err := inChild(t, name, data)
			if err != nil || a.Error != "" || a.Took > patience*mostTime || long.Asked() && a.Growth > mostGrowth {
				t.Errorf("%s %d: %v, %v, %d MiB: %s", name, i, err, a.Took, a.Growth>>20, a.Error)
			}
			t.Logf("%s %d: %v, %d MiB", name, i, a.Took.Round(time.Millisecond), a.Growth>>20)
		}
	}
}
