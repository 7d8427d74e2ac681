package funcs

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/rendered/rendered/render/funcs/quotetest"
)

func TestINIQuote(t *testing.T) {
	for text, want := range map[string]string{
		"no": `"no"`, "E_ALL": `"E_ALL"`, "none": `"none"`, "STDIN": `"STDIN"`, "Off": `"Off"`, "hunter2": "hunter2", "root": "root", "my_app": "my_app", "AKIAIOSFODNNSEXAMPLE": "AKIAIOSFODNNSEXAMPLE", "": `""`, "a b": `"a b"`, `a"b\`: `"a\"b\\"`, "$x": `"$x"`, "{x}": `"{x}"`, "007": `"007"`, "1.50": `"1.50"`,
		"5432": "5432", "10.0.0.1": "10.0.0.1", "db.example.com": "db.example.com", "/var/lib/x": "/var/lib/x", "0": "0",
	} {
		if got := quoted(t, iniQuote, text); got != want {
			t.Errorf("%s is written %s, want %s", text, got, want)
		}
	}
	const hostile = "pa${HOME}ss"
	if _, err := iniQuote(hostile); err == nil || !strings.Contains(err.Error(), "phpIniQuote, mycnfQuote and gitQuote") {
		t.Errorf("a variable of PHP: %v", err)
	}
	for name, f := range map[string]func(any) (string, error){"phpIniQuote": phpIniQuote, "mycnfQuote": mycnfQuote, "gitQuote": gitQuote} {
		want := `"pa${HOME}ss"`
		if name == "phpIniQuote" {
			want = `"pa\${HOME}ss"`
		}
		if got := quoted(t, f, hostile); got != want {
			t.Errorf("%s writes %s", name, got)
		}
	}
}

// Every constant that PHP has is read as its name.
func TestConstantsOfPHP(t *testing.T) {
	names := split(output(t, exec.Command(program(t, "php"), "-r", `foreach (array_keys(get_defined_constants()) as $c) echo $c, "\0";`)))
	quotes := make([]string, len(names))
	for i, name := range names {
		quotes[i] = quoted(t, iniQuote, name)
	}
	if got := readByPHP("INI_SCANNER_NORMAL")(t, quotes); !slices.Equal(got, names) {
		t.Errorf("read as %q", got)
	}
	t.Logf("%d constants", len(names))
}

// MariaDB reads a line of 4,095 bytes; what is longer is refused, and what is not is read whole.
func TestLongOptions(t *testing.T) {
	longest := strings.Repeat("x ", maxOption/2-1)
	for _, f := range []func(any) (string, error){iniQuote, mycnfQuote} {
		if q := quoted(t, f, longest); readByMariaDB(t, []string{q})[0] != longest {
			t.Error("the longest value is not read back")
		}
		for _, text := range []string{longest + "x", strings.Repeat("x", maxOption+1)} {
			if _, err := f(text); err == nil {
				t.Error("a longer one is taken")
			}
		}
	}
	if read := readByMariaDB(t, []string{fmt.Sprintf("%q", strings.Repeat("x", 4200))}); len(read) == 1 && len(read[0]) == 4200 {
		t.Error("MariaDB reads longer lines by now")
	}
}

// Python's configparser knows no quotes: what iniQuote leaves without them it reads, too.
func TestConfigparser(t *testing.T) {
	var texts, quotes []string
	for _, text := range quotetest.Random(3, 2000) {
		if q, err := iniQuote(text); err == nil && q == text {
			texts, quotes = append(texts, text), append(quotes, q)
		}
	}
	read := python("import configparser\nc = configparser.RawConfigParser()\nc.read(sys.argv[1])\nfor v in c['s'].values(): w(v)", "[s]\n", "k%d = %s\n")(t, quotes)
	for i, text := range texts {
		if read[i] != text {
			t.Errorf("%q is read as %q", text, read[i])
		}
	}
	t.Logf("%d of 2000 texts stand without quotes", len(texts))
}

func TestDotenvNames(t *testing.T) {
	for key, want := range map[string]string{
		"username": "USERNAME", "db/host": "DB_HOST", "app-key.x": "APP_KEY_X", "DB_HOST": "DB_HOST", "DB-HOST": "DB_HOST", "a1": "A1", "_x": "_X", "_": "_",
		"TF_VAR_x": "TF_VAR_x", "dbInstanceIdentifier": "dbInstanceIdentifier", "TF-VAR/x": "TF_VAR_x", "npm_config_Registry": "npm_config_Registry",
		"http_proxy": "http_proxy", "https_proxy": "https_proxy", "no_proxy": "no_proxy", "all_proxy": "all_proxy", "ftp_proxy": "ftp_proxy", "HTTP_PROXY": "HTTP_PROXY",
		"http-proxy": "http_proxy", "1a": "", "a b": "", "": "", "caf\u00e9": "", "a=b": "", "tok\u0131n": "", "\u017fecret": "", "\u212aey": "",
	} {
		out, err := dotenv(map[string]any{key: "v"})
		if want == "" && err == nil || want != "" && out != want+"=v\n" {
			t.Errorf("dotenv of %q: %q, %v", key, out, err)
		}
		out, err = dotenvAsIs(map[string]any{key: "v"})
		if isName(key) != (err == nil) || err == nil && out != key+"=v\n" {
			t.Errorf("dotenvAsIs of %q: %q, %v", key, out, err)
		}
	}
	if _, err := dotenv(map[string]any{"a": 1, "A": 2}); err == nil || !strings.Contains(err.Error(), "both become one name, \"A\"") {
		t.Error(err)
	}
	if out, err := dotenvAsIs(map[string]any{"a": 1, "A": 2}); out != "A=2\na=1\n" || err != nil {
		t.Error(out, err)
	}
	if _, err := dotenv(map[string]any{"a": nil}); err == nil || !strings.Contains(err.Error(), `"a" is null`) {
		t.Error(err)
	}
}
