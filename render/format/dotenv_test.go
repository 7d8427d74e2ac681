package format

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rendered/rendered/render/funcs/quotetest"
)

func TestDotenv(t *testing.T) {
	for data, want := range map[string]string{
		"# c\n\n \t\n  A=1\n":        "",
		"A=\nB=":                     "",
		"A=1  \t\nB=\"x\" \n":        "",
		"A=a,b/c:d@e%f+g=h#i*j?k[l]": "",
		"A=\"x\\\"\ny\\\\ \\$ \\`\"\nB='$(z) \"; \\'\n": "",
		"A=http://h:1/?x=1":                             "",
		"A=é\n":                                         "",

		"A=1\ncanary\n":        "line 2, column 1: " + envNoValue,
		"canary 1=2":           "line 1, column 1: " + envName,
		"A=1\n 1A=canary\n":    "line 2, column 2: " + envName,
		"A =canary":            "line 1, column 1: " + envName,
		"A.B=canary":           "line 1, column 1: " + envName,
		"export A=canary":      "line 1, column 1: " + envExport,
		"export =canary":       "line 1, column 1: " + envExport,
		"; canary":             "line 1, column 1: " + envComment,
		"# canary \\\nA=1":     "line 1, column 10: " + envGoesOn,
		"A=p&w x;y$z canary":   "line 1, column 4: " + envBare,
		"A=canary x":           "line 1, column 9: " + envBlank,
		"A= canary":            "line 1, column 3: " + envBlank,
		"A=1 # canary":         "line 1, column 4: " + envBlank,
		"A=é;canary":           "line 1, column 4: " + envBare,
		"A=a|canary":           "line 1, column 4: " + envBare,
		"A=a<canary":           "line 1, column 4: " + envBare,
		"A=a>canary":           "line 1, column 4: " + envBare,
		"A=(canary)":           "line 1, column 3: " + envBare,
		"A=a$canary":           "line 1, column 4: " + envBare,
		"A=a`canary`":          "line 1, column 4: " + envBare,
		"A=a\\canary":          "line 1, column 4: " + envBare,
		"A=a\\\ncanary":        "line 1, column 4: " + envBare,
		"A=it's canary":        "line 1, column 5: " + envBare,
		"A=a\"canary\"":        "line 1, column 4: " + envBare,
		"A=~/canary":           "line 1, column 3: " + envBare,
		"A=/bin:~canary":       "line 1, column 8: " + envBare,
		"A=1\r\nB=canary\r\n":  "line 1, column 4: " + envReturn,
		"A='1'\r\n":            "line 1, column 6: " + envReturn,
		"A=1\n\r\n":            "line 2, column 1: " + envReturn,
		"# c\r\n":              "line 1, column 4: " + envReturn,
		"A=\"x $canary\"":      "line 1, column 6: " + envExpand,
		"A=\"`canary`\"":       "line 1, column 4: " + envExpand,
		"A=\"\\\x7fcanary\"":   "line 1, column 5: " + envDelete,
		"A=\"a\" canary":       "line 1, column 6: " + envAfter,
		"A=\"a\"canary":        "line 1, column 6: " + envAfter,
		"A='it'\\''s canary'":  "line 1, column 7: " + envAfter,
		"A=1\nB=\"canary\n":    "line 2, column 3: " + envOpen,
		"A='canary":            "line 1, column 3: " + envOpen,
		"A=\"canary\\\"":       "line 1, column 3: " + envOpen,
		"A=canary\x00":         "line 1, column 9: a zero byte",
		"A=canary\xff":         "line 1, column 9: a byte that is not UTF-8, which systemd wants",
		"A=canary\uffff":       "line 1, column 9: a noncharacter of Unicode, as U+FFFE; systemd takes no line of a file that holds one",
		"# \ufdd0\nA=canary":   "line 1, column 3: a noncharacter of Unicode, as U+FFFE; systemd takes no line of a file that holds one",
		"A='\U0010fffe'":       "line 1, column 4: a noncharacter of Unicode, as U+FFFE; systemd takes no line of a file that holds one",
		"A=\ufdcf\ufdf0\ufffd": "",
		"\ufeffA=canary":       "line 1, column 1: it begins with a byte order mark",
	} {
		err := Format{"dotenv"}.Check([]byte(data))
		switch {
		case want == "" && err != nil, want != "" && (err == nil || err.Error() != "not dotenv at "+want):
			t.Errorf("%q: %v, want %q", data, err, want)
		case err != nil && strings.Contains(err.Error(), "canary"):
			t.Errorf("%q: the error quotes: %v", data, err)
		case err == nil:
			sourced(t, "sh", data)
		}
	}
}

// What passes systemd and the shells read alike, whole and without a warning.
func TestDotenvAsSystemdReadsIt(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Log(err)
	}
	passed := 0
	for _, f := range quotetest.EnvironmentFiles {
		tree, err := Format{"dotenv"}.Tree([]byte(f.Text))
		if err != nil {
			continue
		}
		passed++
		if f.Refused || f.Ignores || f.Since254 != nil {
			t.Errorf("%q passes", f.Text)
		}
		names := make(map[string]bool)
		for _, entry := range tree.Nodes {
			names[entry.Nodes[0].Text] = true
		}
		if len(names) != len(f.Sets) {
			t.Errorf("%q: %d names are found, systemd finds %q", f.Text, len(names), f.Sets)
		}
		for _, shell := range []string{"sh", bash} {
			if shell == "" {
				continue
			}
			if got := sourced(t, shell, f.Text); !slices.Equal(got, f.Sets) {
				t.Errorf("%q: %s reads %q, systemd %q", f.Text, shell, got, f.Sets)
			}
		}
	}
	t.Logf("%d of %d spellings pass", passed, len(quotetest.EnvironmentFiles))
	if passed < len(quotetest.EnvironmentFiles)/4 {
		t.Error("too much is refused")
	}
}

// sourced wants a shell to read the file without a word, though it finds no command, and gives the
// variables that it then has of it: NAME=value, sorted.
func sourced(t *testing.T, shell, data string) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), shell, "-euc", `set -a; . "$0"; exec /usr/bin/env -0`, path)
	cmd.Env = []string{"PATH=/nowhere"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%q: %s: %v: %s", data, shell, err, out)
	}
	var variables []string
	for assignment := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		name, _, set := strings.Cut(assignment, "=")
		switch {
		case !set:
			t.Errorf("%q: %s says %q", data, shell, assignment)
		case !slices.Contains([]string{"PATH", "PWD", "OLDPWD", "SHLVL"}, name) && assignment != "_=/usr/bin/env":
			variables = append(variables, assignment)
		}
	}
	slices.Sort(variables)
	return variables
}
