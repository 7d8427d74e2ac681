package e2e

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/rendered/rendered/internal/awsfake"
)

var updateMigrations = flag.Bool("update-migrations", false, "write what the other programs, or their stand-ins, make of the cases of migrate")

// A migration is a case: a config of another program with the data that it had, and what it wrote.
//
//	migrate WORDS      what rendered migrate is called with; its directory is the case's
//	param NAME TEXT    a parameter
//	secret NAME TEXT   a secret
//	env NAME TEXT      a variable of the environment
//	vault PATH NAME JSON
//	                   what Vault keeps at a path, and Secrets Manager under a name
//	consul KEY TEXT    what Consul keeps at a key, and Parameter Store with a / before it
//	left N             so many things are left to do
//
// The files below want are what the other program wrote. In the others $DIR is the directory of
// the case, $DEST what stands before a destination where the other program is run, and $RUN before a
// command.
type migration struct {
	path    string
	archive *txtar.Archive
	dir     string
	words   []string
	data    map[string][][2]string // by kind: names and texts
	left    string
}

// migrations gives the cases of a program, each in a directory of its own.
func migrations(t *testing.T, name string) (list []*migration) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata/migrate", name, "*.txtar"))
	if err != nil || len(paths) == 0 {
		t.Fatal("there are no cases", err)
	}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		m := &migration{path: path, archive: archive, dir: t.TempDir(), data: map[string][][2]string{}}
		for line := range strings.Lines(string(archive.Comment)) {
			kind, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
			first, text, _ := strings.Cut(rest, " ")
			switch kind {
			case "migrate":
				m.words = strings.Fields(rest)
			case "left":
				m.left = rest
			case "param", "secret", "env", "vault", "consul":
				m.data[kind] = append(m.data[kind], [2]string{first, unescape(text)})
			}
		}
		for _, f := range archive.Files {
			if !strings.HasPrefix(f.Name, "want/") {
				writeFile(t, filepath.Join(m.dir, f.Name), strings.NewReplacer("$DIR", m.dir, "$DEST", "", "$RUN ", "").Replace(string(f.Data)))
			}
		}
		list = append(list, m)
	}
	return list
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// wants gives what the other program wrote, by the paths of the files.
func (m *migration) wants() map[string]string {
	wants := map[string]string{}
	for _, f := range m.archive.Files {
		if path, ok := strings.CutPrefix(f.Name, "want"); ok {
			wants[path] = string(f.Data)
		}
	}
	return wants
}

// compare holds what the other program, or its stand-in, wrote now against the case; with
// -update-migrations it is what the case is from now on.
func (m *migration) compare(t *testing.T, got map[string]string) {
	t.Helper()
	if *updateMigrations {
		m.archive.Files = slices.DeleteFunc(m.archive.Files, func(f txtar.File) bool { return strings.HasPrefix(f.Name, "want/") })
		for _, path := range sortedKeys(got) {
			m.archive.Files = append(m.archive.Files, txtar.File{Name: "want" + path, Data: []byte(got[path])})
		}
		if err := os.WriteFile(m.path, txtar.Format(m.archive), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(got, m.wants()); diff != "" {
		t.Errorf("what it writes (-) is not what stands in the case (+):\n%s", diff)
	}
}

func sortedKeys(m map[string]string) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// environment gives the variables of the case beside others.
func (m *migration) environment(more ...string) []string {
	list := append(os.Environ(), more...)
	for _, v := range m.data["env"] {
		list = append(list, v[0]+"="+v[1])
	}
	return list
}

// run executes the program in the directory of the case.
func (m *migration) run(t *testing.T, env []string, words ...string) (string, int) {
	t.Helper()
	cmd := exec.Command(program(t), words...)
	cmd.Dir, cmd.Env = m.dir, env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if _, ended := err.(*exec.ExitError); err != nil && !ended {
		t.Fatal(err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// check migrates, and holds what rendered then writes against what the other program wrote.
func (m *migration) check(t *testing.T) {
	t.Helper()
	aws := awsfake.Start(t)
	for _, p := range m.data["param"] {
		aws.PutParameter(p[0], "String", p[1])
	}
	for _, s := range m.data["secret"] {
		aws.PutSecret(s[0], s[1])
	}
	for _, s := range m.data["vault"] {
		name, text, _ := strings.Cut(s[1], " ")
		aws.PutSecret(name, text)
	}
	for _, k := range m.data["consul"] {
		aws.PutParameter("/"+k[0], "String", k[1])
	}
	env := m.environment(aws.Env()...)
	out, code := m.run(t, env, append([]string{"migrate", "-o", "new"}, m.words...)...)
	if want := map[bool]int{true: 0, false: exitFailed}[m.left == ""]; code != want || m.left != "" && !strings.Contains(out, "a person has "+m.left+" thing") {
		t.Errorf("migrate: exit code %d, want %d and %q left:\n%s", code, want, m.left, out)
	}
	if m.left != "" {
		return
	}
	if out, code := m.run(t, env, "check", "-c", "new/rendered.yaml"); code != 0 {
		t.Errorf("check: exit code %d:\n%s", code, out)
	}
	if out, code := m.run(t, env, "once", "-c", "new/rendered.yaml", "--root", "out"); code != 0 {
		t.Errorf("once: exit code %d:\n%s", code, out)
	}
	for path, want := range m.wants() {
		got, err := os.ReadFile(filepath.Join(m.dir, "out", path))
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s: what it was (-) and what it is (+):\n%s", path, diff)
		}
	}
	if t.Failed() {
		t.Log(readAll(filepath.Join(m.dir, "new")))
	}
}

// readAll gives the files of a directory, for a person to read.
func readAll(dir string) string {
	var b strings.Builder
	paths, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, path := range paths {
		text, _ := os.ReadFile(path)
		b.WriteString("-- " + filepath.Base(path) + " --\n" + string(text))
	}
	return b.String()
}

// What confd wrote rendered writes, after its config is migrated.
func TestMigrateConfd(t *testing.T) {
	t.Parallel()
	for _, m := range migrations(t, "confd") {
		t.Run(filepath.Base(m.path), func(t *testing.T) {
			m.compare(t, confdWrites(t, m))
			m.check(t)
		})
	}
}
