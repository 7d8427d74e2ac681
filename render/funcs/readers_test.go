package funcs

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/render/funcs/quotetest"
)

// program gives the path of a foreign reader. Where it is not installed the test is skipped, in CI
// it fails.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") != "":
		t.Fatal(err)
	}
	t.Skip(err)
	return ""
}

// A reader gives what a foreign program reads in each of the quoted texts.
type reader func(t *testing.T, quoted []string) []string

// roundTrip has a foreign reader read what a function makes of 600 random texts, half of them of a
// fixed seed and half of a new one; with -long of 2,000 of each.
func roundTrip(t *testing.T, name string, quote func(any) (string, error), read reader) {
	t.Helper()
	fresh := uint64(time.Now().UnixNano())
	n := long.Or(300, 2000)
	runs := [][]string{quotetest.Random(1, n), quotetest.Random(fresh, n)}
	if !long.Asked() { // one process of the reader does
		runs = [][]string{slices.Concat(runs...)}
	}
	for run, all := range runs {
		var texts, quotes []string
		for _, text := range all {
			if q, err := quote(text); err == nil {
				texts, quotes = append(texts, text), append(quotes, q)
			}
		}
		got := read(t, quotes)
		if len(got) != len(texts) {
			t.Fatalf("%s, run %d, seed %d: %d texts are read, want %d", name, run, fresh, len(got), len(texts))
		}
		wrong := 0
		for i := range texts {
			if got[i] != texts[i] {
				if wrong++; wrong < 5 {
					t.Errorf("%s, run %d, seed %d: %q, written %s, is read as %q", name, run, fresh, texts[i], quotes[i], got[i])
				}
			}
		}
		t.Logf("%s, run %d, seed %d: %d of %d texts accepted and read back, %d refused, %d wrong", name, run, fresh, len(texts)-wrong, len(all), len(all)-len(texts), wrong)
		if len(texts) < len(all)/3 {
			t.Errorf("%s refuses too much", name)
		}
	}
}

// split gives what stands before each zero byte.
func split(out []byte) []string {
	parts := strings.Split(string(out), "\x00")
	return parts[:len(parts)-1]
}

// file writes a text into a file of the test.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func output(t *testing.T, cmd *exec.Cmd) []byte {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%.500s", cmd.Args[0], err, stderr.Bytes())
	}
	return out
}

func TestShellsReadBack(t *testing.T) {
	for _, shell := range []string{"dash", "bash"} {
		t.Run(shell, func(t *testing.T) {
			path := program(t, shell)
			run := func(line string) reader {
				return func(t *testing.T, quoted []string) []string {
					var b strings.Builder
					for _, q := range quoted {
						fmt.Fprintf(&b, line, q)
					}
					return split(output(t, exec.Command(path, file(t, "script", b.String()))))
				}
			}
			roundTrip(t, "shellQuote by "+shell, shellQuote, run("printf '%%s\\0' %s\n"))
			roundTrip(t, "envQuote by "+shell, envQuote, run("A=%s\nprintf '%%s\\0' \"$A\"\n"))
		})
	}
}

// systemd's own reader of EnvironmentFile is also what reads environment.d(5), where it then
// expands variables, and prints each with what a shell needs escaped. In environment.d $$ is a $.
func TestSystemdReadsBack(t *testing.T) {
	const generator = "/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator"
	program(t, generator)
	roundTrip(t, "envQuote by systemd", envQuote, func(t *testing.T, quoted []string) []string {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "environment.d"), 0o755); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for i, q := range quoted {
			fmt.Fprintf(&b, "K%d=%s\n", i, strings.ReplaceAll(q, `\$`, `\$\$`))
		}
		if err := os.WriteFile(filepath.Join(dir, "environment.d", "a.conf"), []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(generator)
		cmd.Env = []string{"XDG_CONFIG_HOME=" + dir, "HOME=/nonexistent"}
		found := make(map[string]string)
		for line := range strings.Lines(string(output(t, cmd))) {
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			found[name] = shellUnquoted(value)
		}
		read := make([]string, len(quoted))
		for i := range read {
			read[i] = found[fmt.Sprint("K", i)] // one that is empty is not printed
		}
		return read
	})
}

// shellUnquoted undoes shell_maybe_quote of src/basic/escape.c.
func shellUnquoted(text string) string {
	text, quoted := strings.CutPrefix(text, `"`)
	if !quoted {
		return text
	}
	text = strings.TrimSuffix(text, `"`)
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		if n := strings.IndexByte("abfnrtvs", text[i]); n >= 0 {
			b.WriteByte("\a\b\f\n\r\t\v "[n])
		} else if text[i] == 'x' {
			n, _ := strconv.ParseUint(text[i+1:i+3], 16, 8)
			b.WriteByte(byte(n))
			i += 2
		} else if text[i] >= '0' && text[i] <= '7' {
			n, _ := strconv.ParseUint(text[i:i+3], 8, 8)
			b.WriteByte(byte(n))
			i += 2
		} else {
			b.WriteByte(text[i])
		}
	}
	return b.String()
}

func ini(quoted []string) string {
	b := strings.Builder{}
	b.WriteString("[s]\n")
	for i, q := range quoted {
		fmt.Fprintf(&b, "k%d = %s\n", i, q)
	}
	return b.String()
}

func readByPHP(mode string) reader {
	return func(t *testing.T, quoted []string) []string {
		code := `$v = parse_ini_file($argv[1], false, ` + mode + `); if ($v === false) exit(1); foreach ($v as $x) echo $x, "\0";`
		cmd := exec.Command(program(t, "php"), "-d", "display_errors=stderr", "-r", code, file(t, "a.ini", ini(quoted)))
		cmd.Env = []string{"HOME=canary", "x=canary"}
		return split(output(t, cmd))
	}
}

func readByGit(t *testing.T, quoted []string) []string {
	var read []string
	for _, entry := range split(output(t, exec.Command(program(t, "git"), "config", "-f", file(t, "a.ini", ini(quoted)), "--list", "-z"))) {
		_, value, _ := strings.Cut(entry, "\n")
		read = append(read, value)
	}
	return read
}

func readByMariaDB(t *testing.T, quoted []string) []string {
	var read []string
	out := strings.TrimSuffix(string(output(t, exec.Command(program(t, "my_print_defaults"), "--defaults-file="+file(t, "a.cnf", ini(quoted)), "s"))), "\n")
	for i := range quoted {
		rest, ok := strings.CutPrefix(out, fmt.Sprintf("--k%d=", i))
		if !ok {
			return read
		}
		value := rest
		if next := strings.Index(rest, fmt.Sprintf("\n--k%d=", i+1)); next >= 0 {
			value, out = rest[:next], rest[next+1:]
		}
		read = append(read, value)
	}
	return read
}

func TestINIReadersReadBack(t *testing.T) {
	t.Run("PHP", func(t *testing.T) {
		for _, mode := range []string{"INI_SCANNER_NORMAL", "INI_SCANNER_TYPED"} {
			roundTrip(t, "iniQuote by PHP, "+mode, iniQuote, readByPHP(mode))
			roundTrip(t, "phpIniQuote by PHP, "+mode, phpIniQuote, readByPHP(mode))
		}
	})
	t.Run("git", func(t *testing.T) {
		roundTrip(t, "iniQuote by git", iniQuote, readByGit)
		roundTrip(t, "gitQuote by git", gitQuote, readByGit)
	})
	t.Run("MariaDB", func(t *testing.T) {
		roundTrip(t, "iniQuote by MariaDB", iniQuote, readByMariaDB)
		roundTrip(t, "mycnfQuote by MariaDB", mycnfQuote, readByMariaDB)
	})
}

// numbered writes each text on a line of its own, behind its number.
func numbered(line string, quoted []string) string {
	var b strings.Builder
	for i, q := range quoted {
		fmt.Fprintf(&b, line, i, q)
	}
	return b.String()
}

// hexLines gives the texts that lines have in hexadecimal.
func hexLines(t *testing.T, out []byte) (read []string) {
	t.Helper()
	for line := range strings.Lines(string(out)) {
		text, err := hex.DecodeString(strings.TrimSuffix(line, "\n"))
		if err != nil {
			t.Fatal(err)
		}
		read = append(read, string(text))
	}
	return read
}

// python runs a script that reads a file and calls w with each text.
func python(script, head, line string) reader { return pythonWith("sys", script, head, line) }

// pythonWith runs such a script by a python3 that has a module; Debian's may have others than one
// that stands before it in the PATH.
func pythonWith(module, script, head, line string) reader {
	return func(t *testing.T, quoted []string) []string {
		path := program(t, "python3")
		if exec.Command(path, "-c", "import "+module).Run() != nil {
			path = program(t, "/usr/bin/python3")
		}
		if out, err := exec.Command(path, "-c", "import "+module).CombinedOutput(); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("%s", out)
			}
			t.Skipf("python3 has no %s", module)
		}
		cmd := exec.Command(path, "-c", "import sys\nw = lambda t: print(t.encode('utf-8', 'surrogatepass').hex())\n"+script, file(t, "text", head+numbered(line, quoted)))
		return hexLines(t, output(t, cmd))
	}
}

func TestPythonReadsBack(t *testing.T) {
	program(t, "python3")
	roundTrip(t, "tomlQuote by tomllib", tomlQuote, python("import tomllib\nfor v in tomllib.load(open(sys.argv[1], 'rb')).values(): w(v)", "", "k%d = %s\n"))
	each := func(f func(any) (string, error)) func(any) (string, error) {
		return func(v any) (string, error) { q, err := f(v); return q + "\n", err }
	}
	roundTrip(t, "toJson by json", each(toJSON), python("import json\nfor l in open(sys.argv[1], newline='\\n'): w(json.loads(l.split('=', 1)[1]))", "", "%d=%s"))
	roundTrip(t, "toPrettyJson by json", each(toPrettyJSON), python("import json\nfor l in open(sys.argv[1], newline='\\n'): w(json.loads(l.split('=', 1)[1]))", "", "%d=%s"))
	roundTrip(t, "yamlQuote by PyYAML", yamlQuote, python("import yaml\nfor v in yaml.load(open(sys.argv[1], 'rb'), yaml.SafeLoader).values(): w(v)", "", "k%d: %s\n"))
	roundTrip(t, "yamlQuote by libyaml", yamlQuote, python("import yaml\nfor v in yaml.load(open(sys.argv[1], 'rb'), yaml.CSafeLoader).values(): w(v)", "", "k%d: %s\n"))
	roundTrip(t, "yamlQuote by yaml.v3", yamlQuote, func(t *testing.T, quoted []string) []string {
		var b strings.Builder
		for _, q := range quoted {
			b.WriteString("- " + q + "\n")
		}
		var read []string
		if err := yaml.Unmarshal([]byte(b.String()), &read); err != nil {
			t.Fatal(err)
		}
		return read
	})
	roundTrip(t, "yamlQuote by json", each(yamlQuote), func(t *testing.T, quoted []string) []string {
		read := make([]string, len(quoted))
		for i, q := range quoted {
			if err := json.Unmarshal([]byte(q), &read[i]); err != nil {
				t.Fatal(err)
			}
		}
		return read
	})
}

func TestXMLReadersReadBack(t *testing.T) {
	roundTrip(t, "xmlQuote of an attribute by ElementTree", xmlQuote, python("import xml.etree.ElementTree as e\nfor c in e.fromstring(open(sys.argv[1], 'rb').read() + b'</r>'): w(c.get('v'))", "<r>", "<k i='%d' v=\"%s\"/>\n"))
	t.Run("xmllint", func(t *testing.T) {
		path := program(t, "xmllint")
		var b strings.Builder
		for _, text := range quotetest.Random(2, 2000) {
			if q, err := xmlQuote(text); err == nil {
				fmt.Fprintf(&b, "<k v=\"%s\">%[1]s</k>\n", q)
			}
		}
		output(t, exec.Command(path, "--noout", file(t, "a.xml", "<r>"+b.String()+"</r>")))
	})
	closed := func(v any) (string, error) { q, err := xmlQuote(v); return q + "</k>", err }
	roundTrip(t, "xmlQuote of a text by ElementTree", closed, python("import xml.etree.ElementTree as e\nfor c in e.fromstring(open(sys.argv[1], 'rb').read() + b'</r>'): w(c.text or '')", "<r>", "<k i='%d'>%s"))
}
