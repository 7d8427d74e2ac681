package funcs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// foreignReaders builds the program of testdata/readers from the modules that are there, and gives
// its path. Where they are not there the test is skipped; in CI they are.
func foreignReaders(t *testing.T) string {
	t.Helper()
	path, err := built()
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") != "":
		t.Fatal(err)
	}
	t.Skip(err)
	return ""
}

var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "readers")
	if err != nil {
		return "", err
	}
	cleanups = append(cleanups, func() { os.RemoveAll(dir) })
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(dir, "readers"), ".")
	cmd.Dir, cmd.Env = filepath.Join("testdata", "readers"), append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=readonly")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", failf("testdata/readers: %v: %.300s", err, out)
	}
	return filepath.Join(dir, "readers"), nil
})

var cleanups []func()

func TestMain(m *testing.M) {
	code := m.Run()
	for _, f := range cleanups {
		f()
	}
	os.Exit(code)
}

// readByGo has the code of a program of others read assignments to k0, k1 and so on.
func readByGo(name string) reader {
	return func(t *testing.T, quoted []string) []string {
		return hexLines(t, output(t, exec.Command(foreignReaders(t), name, file(t, "env", numbered("k%d=%s\n", quoted)))))
	}
}

func readByNode(t *testing.T, quoted []string) []string {
	const script = `for (let i = 0; i < process.argv[1]; i++) console.log(Buffer.from(process.env["k" + i]).toString("hex"))`
	cmd := exec.Command(program(t, "node"), "--env-file="+file(t, "env", numbered("k%d=%s\n", quoted)), "-e", script, "--", fmt.Sprint(len(quoted)))
	cmd.Env = []string{"PATH=/usr/bin:/bin"}
	return hexLines(t, output(t, cmd))
}

func TestDotenvReadersReadBack(t *testing.T) {
	t.Run("python-dotenv", func(t *testing.T) {
		read := pythonWith("dotenv", "import dotenv\nfor v in dotenv.dotenv_values(sys.argv[1]).values(): w(v)", "", "k%d=%s\n")
		roundTrip(t, "dotenvQuote by python-dotenv", dotenvQuote, read)
	})
	t.Run("node", func(t *testing.T) { roundTrip(t, "dotenvQuote by node", dotenvQuote, readByNode) })
	t.Run("compose", func(t *testing.T) { roundTrip(t, "dotenvQuote by Docker Compose", dotenvQuote, readByGo("compose")) })
	t.Run("docker", func(t *testing.T) {
		roundTrip(t, "dockerEnvQuote by docker", dockerEnvQuote, readByGo("docker"))
		long := strings.Repeat("x", maxDockerValue)
		if got := readByGo("docker")(t, []string{quoted(t, dockerEnvQuote, long)}); got[0] != long {
			t.Error("the longest value is not read back")
		}
		if _, err := dockerEnvQuote(long + "x"); err == nil {
			t.Error("a longer one is taken")
		}
	})
}

func TestDotenvQuote(t *testing.T) {
	for text, want := range map[string]string{
		"a": "a", "": "''", "a b": "'a b'", "$x#": "'$x#'", `a\b`: `'a\b'`, "it's": `"it's"`, "a\nb": "'a\nb'", "it's\n": "\"it's\n\"", `it's "x"`: `it's "x"`, "`a`": "'`a`'",
		`C:\\x`: "", `a\`: "", "a\rb": "", "${x}": "", "it's $x": "", `it's a\b`: "", "it's \"x\"\n": "", `'a"`: "", `it's "x" #1`: "", `it's "x" `: "", "a\x00": "", "\xff": "",
	} {
		got, err := dotenvQuote(text)
		if want != "" && got != want || (want == "") != (err != nil) {
			t.Errorf("%q is written %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestDockerEnv(t *testing.T) {
	m := map[string]any{"user": "a b", "db/host": "\"x\" #y ", "http_proxy": "", "n": int64(5)}
	if out, err := execute("{{ dockerEnv . }}", m); err != nil || out != "DB_HOST=\"x\" #y \nN=5\nUSER=a b\nhttp_proxy=\n" {
		t.Errorf("%q, %v", out, err)
	}
	if out, err := execute("{{ dockerEnvAsIs . }}", map[string]any{"a": "x y", "B": true}); err != nil || out != "B=true\na=x y\n" {
		t.Errorf("%q, %v", out, err)
	}
	for _, m := range []map[string]any{{"a": "x\ny"}, {"a": "x\r"}, {"a": nil}, {"a b": 1}, {"a": []any{1}}, {"A": 1, "a": 2}} {
		if out, err := dockerEnv(m); err == nil {
			t.Errorf("%v: %q", m, out)
		}
	}
	if _, err := dockerEnv(map[string]any{"key": "canary\n"}); err == nil || !strings.Contains(err.Error(), `the value of "key"`) || strings.Contains(err.Error(), "canary") {
		t.Error(err)
	}
}
