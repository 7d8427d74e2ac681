package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/long"
)

// foresaid is what diff says with --json, as far as the tests ask.
type foresaid struct {
	Services []struct {
		Service string
		Files   []struct {
			Path, State string
			Foreign     bool
		}
		Failures []string
	}
}

// A rehearsed config is one that was generated, and what its machine looks like.
type rehearsed struct {
	*rand.Rand
	dir string
}

func (r rehearsed) one(of ...string) string { return of[r.IntN(len(of))] }

func (r rehearsed) path(name string) string { return filepath.Join(r.dir, "out", name) }

// values writes other ones.
func (r rehearsed) values(t *testing.T) {
	list := map[string]any{"secrets": map[string]any{
		"text":  r.one("plain", "other", "line one\nline two\nline three", ""),
		"doc":   map[string]any{"user": "api", "password": fmt.Sprint("pw-", r.IntN(3)), "port": r.IntN(3)},
		"quote": r.one(`a"b`, "a'b\\c", "ab"),
	}}
	data, err := yaml.Marshal(list)
	if err == nil {
		err = os.WriteFile(filepath.Join(r.dir, "values.yaml"), data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// config gives services whose files are of every kind.
func (r rehearsed) config() (text string, paths []string) {
	var b strings.Builder
	b.WriteString("state_dir: state\nvalues: values.yaml\nservices:\n")
	n := 0
	for s := range 1 + r.IntN(3) {
		fmt.Fprintf(&b, "  s%d:\n    vars: {name: value, port: 80}\n    files:\n", s)
		for range 1 + r.IntN(4) {
			n++
			path := r.path(r.one("", "", "", "", "", "", "", "", "", "", "", "", "made/", "made/below/", "missing/") + fmt.Sprint("f", n))
			body := r.one("a\nb\nc\n", "{{ .name }}\n", "") + r.one(`{{ secret "text" }}`, "x\n{{ secret \"text\" }}\ny\nz\n", `{{ secret "doc" "password" | b64enc }}`, "{{ .port }} literal\n", `{{ secret "quote" | toJson }}`, "{{ range untilStep 1 9 1 }}{{ . }}\n{{ end }}")
			if r.IntN(12) == 0 {
				body = `{{ secret "doc" "none" }}`
			}
			fmt.Fprintf(&b, "      - path: %s\n        content: %q\n", path, body)
			for _, option := range []string{"mode: 0644", "mode: 0600", "format: json", "write: in-place", "allow_empty: true"} {
				if r.IntN(map[bool]int{true: 30, false: 5}[option == "format: json"]) == 0 && !strings.Contains(option, "mode") || option == "mode: 0644" && n%2 == 0 {
					fmt.Fprintf(&b, "        %s\n", option)
				}
			}
			if strings.Contains(path, "made/") {
				b.WriteString("        dir_mode: 0755\n")
			}
			if os.Geteuid() == 0 && r.IntN(5) == 0 {
				fmt.Fprintf(&b, "        owner: %d:%d\n", r.IntN(2)*12, r.IntN(2)*12)
			}
			paths = append(paths, path)
		}
	}
	return b.String(), paths
}

// disturb does something to what stands at a path.
func (r rehearsed) disturb(t *testing.T, path string) {
	var err error
	switch r.IntN(10) {
	case 0, 1:
		err = os.WriteFile(path, []byte(r.one("other\n", "", "a\nb\nc\nother", "\x00\xff\r\n")), 0o640)
	case 2:
		err = os.Remove(path)
	case 3:
		err = os.Chmod(path, 0o666)
	case 4:
		target := path + ".real"
		if r.IntN(3) > 0 {
			err = os.WriteFile(target, []byte("what a link leads to\n"), 0o600)
		}
		_ = os.Remove(path)
		if err == nil {
			err = os.Symlink(r.one(target, filepath.Base(target)), path)
		}
	case 5:
		if _, there := os.Lstat(path); there != nil && r.IntN(3) == 0 {
			err = os.Mkdir(path, 0o700)
		}
	case 6:
		if os.Geteuid() == 0 {
			err = os.Lchown(path, r.IntN(2)*12, 12)
		}
	}
	if err != nil && !os.IsNotExist(err) && !strings.Contains(err.Error(), "is a directory") {
		t.Fatal(err)
	}
}

// tree gives all that there is below a directory.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		var content []byte
		if info.Mode().IsRegular() {
			content, err = os.ReadFile(path)
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return err
		}
		// Without the time of the last access, which is no change.
		fmt.Fprintf(&b, "%s %v %v %v %d %d %d %q\n", path, info.Mode(), st.Mtim, st.Ctim, st.Uid, st.Gid, st.Ino, content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What diff says is what once does, whatever the config and the disk are like; and it changes
// nothing itself.
func TestDiffSaysWhatOnceDoes(t *testing.T) {
	configs := long.Or(20, 120)
	changed, failed, idle, preserved := 0, 0, 0, 0
	for seed := range configs {
		r := rehearsed{rand.New(rand.NewPCG(uint64(seed), 15)), t.TempDir()}
		text, paths := r.config()
		config := filepath.Join(r.dir, "rendered.yaml")
		if err := os.MkdirAll(r.path(""), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r.values(t)
		for round := range 3 {
			if round == 2 {
				r.values(t)
			}
			for _, path := range paths {
				r.disturb(t, path)
			}
			before := tree(t, r.dir)
			var said, trouble bytes.Buffer
			code := run([]string{"diff", "--json", "-c", config}, &said, &trouble)
			if after := tree(t, r.dir); after != before {
				t.Fatalf("seed %d: diff changed\n%s\nto\n%s", seed, before, after)
			}
			var d foresaid
			if err := json.Unmarshal(said.Bytes(), &d); err != nil {
				t.Fatalf("seed %d: %v: %s%s", seed, err, &said, &trouble)
			}
			want := make(map[string]string)
			failures, saved := 0, 0
			for _, s := range d.Services {
				failures += len(s.Failures)
				for _, f := range s.Files {
					if want[f.Path] = f.State; f.Foreign {
						saved++
					}
				}
			}
			var done, errors bytes.Buffer
			onceCode := run([]string{"once", "-c", config}, &done, &errors)
			got := make(map[string]string)
			for line := range strings.Lines(done.String()) {
				if state, path, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " "); ok && state != "" && !strings.HasPrefix(line, "nothing changed") {
					got[strings.TrimSpace(path)] = state
				}
			}
			if n := strings.Count(done.String(), " the file that was there is backed up as "); n != saved {
				t.Fatalf("seed %d: diff says that %d files are backed up, once backs up %d:\n%s\n%s\n%s", seed, saved, n, &said, &done, text)
			}
			preserved += saved
			if !maps.Equal(want, got) || strings.Count(errors.String(), "error: ") != failures {
				t.Fatalf("seed %d, round %d: diff says\n%v, once does\n%v\n%s\n%s\n%s", seed, round, want, got, &said, &errors, text)
			}
			if wanted := map[bool]int{true: 2, false: min(len(want), 1)}[failures > 0]; code != wanted || onceCode != min(failures, 1) {
				t.Errorf("seed %d: diff exits with %d, once with %d", seed, code, onceCode)
			}
			said.Reset()
			code = run([]string{"diff", "-c", config}, &said, &trouble)
			if failures == 0 && code != 0 || said.Len() > 0 {
				t.Fatalf("seed %d: once was not enough: %d %s", seed, code, &said)
			}
			changed, failed = changed+len(want), failed+failures
			if len(want)+failures == 0 {
				idle++
			}
		}
	}
	t.Logf("%d files would change, %d are backed up, %d failures, %d times nothing to do", changed, preserved, failed, idle)
	if changed < configs || preserved < configs/4 || failed < configs/10 || idle == 0 {
		t.Error("too little of each")
	}
}

// awkward are values that are hard to hide, by what makes them so. None has eight bytes in common
// with a template.
var awkward = map[string]string{
	"key":      "-----BEGIN X-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoIB\n-----END X-----\n",
	"json":     `{"user":"jo\u00e4nne","pass":"Wq\"9\\zK/4vTn2"}`,
	"quotes":   `p'q"r\s$t` + "`u#v&w%x",
	"spaces":   "two  words and\ttabs and  more",
	"lines":    "first-Of-many\r\nsecond-Of-many\nthird-Of-many",
	"unicode":  "пароль-сорока-密码-ключ",
	"url":      "amqp://us%40r:p%2Fw0rdx@h0st.example:5671/vh",
	"control":  "esc\x1b[31mred\x07bell\x00nul",
	"long":     strings.Repeat("Zq8-", 400),
	"digits":   "739153820461",
	"trailing": "ends-with-newline-Jk3\n\n",
}

// spellings are templates that print a value in every way, also beside public text.
var spellings = []string{
	`{{ secret "v" }}`, "user = me\npassword = {{ secret \"v\" }} # end\nlast\n", `{{ secret "v" | b64enc }}`, `{{ secret "v" | toJson }}`,
	`{{ secret "v" | urlquery }}`, `{{ secret "v" | quote }}`, `{{ secret "v" | upper }}`, `{{ $x := secret "v" }}{{ with $x }}{{ . }}{{ end }}`,
	`{{ define "t" }}<{{ . }}>{{ end }}{{ template "t" "public" }}{{ template "t" (secret "v") }}`,
	`{{ range splitList "\n" (secret "v") }}item {{ . }}` + "\n{{ end }}", `{{ printf "%s-%s" (secret "v") "x" | indent 2 }}`, `{{ secret "v" | sha256sum }}`,
	`{{ range $i, $c := secret "v" | splitList "" }}{{ $c }}` + "\n{{ end }}", `{{ dict "k" (secret "v") | toJson }}`,
	// Digit by digit, by the template's own text.
	`{{ range splitList "" (secret "v") }}{{ if eq . "0" }}0{{ else if eq . "1" }}1{{ else if eq . "2" }}2{{ else if eq . "3" }}3{{ else if eq . "4" }}4` +
		`{{ else if eq . "5" }}5{{ else if eq . "6" }}6{{ else if eq . "7" }}7{{ else if eq . "8" }}8{{ else if eq . "9" }}9{{ end }}{{ end }}`,
}

// Whatever a value is, was, or is on disk in the place of: no eight bytes of it are shown, in any
// notation.
func TestDiffShowsNoValue(t *testing.T) {
	for name, value := range awkward {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			old := strings.NewReplacer("a", "b", "e", "o", "1", "2", "9", "8", "Z", "Y").Replace(value)
			const stranger = "DB_PASSWORD=sTranger-9f8e7d\nuser = me\nAPI=l33t-Foreign-k3y"
			write := func(name, text string) {
				t.Helper()
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			values := func(value string) {
				data, err := yaml.Marshal(map[string]any{"secrets": map[string]any{"v": value}})
				if err != nil {
					t.Fatal(err)
				}
				write("values.yaml", string(data))
			}
			var config strings.Builder
			config.WriteString("state_dir: state\nvalues: values.yaml\nservices:\n")
			for i, body := range spellings {
				write(fmt.Sprintf("%d.tmpl", i), body)
				fmt.Fprintf(&config, "  s%d: {files: [{template: %d.tmpl, path: f%d}, {template: %d.tmpl, path: g%d}], notify: [{run: 'echo'}]}\n", i, i, i, i, i)
				write(fmt.Sprintf("g%d", i), stranger)
			}
			write("rendered.yaml", config.String())
			var out bytes.Buffer
			diff := func() {
				for _, as := range []string{"--json=false", "--json"} {
					if code := run([]string{"diff", as, "-c", filepath.Join(dir, "rendered.yaml")}, &out, &out); code == 0 {
						t.Errorf("nothing would change\n%s", &out)
					}
				}
			}
			values(old)
			diff()
			run([]string{"once", "--no-notify", "-c", filepath.Join(dir, "rendered.yaml")}, io.Discard, io.Discard)
			for i := range spellings {
				write(fmt.Sprintf("g%d", i), stranger)
			}
			values(value)
			diff()
			if !strings.Contains(out.String(), "‹secret v") || !strings.Contains(out.String(), "‹on disk, ") {
				t.Errorf("little is shown:\n%s", &out)
			}
			shown := make(map[string]int) // where eight bytes stand
			said := out.String()
			for i := range len(said) - 7 {
				shown[said[i:i+8]] = i
			}
			for what, hidden := range map[string]string{"value": value, "old value": old, "file of others": strings.ReplaceAll(stranger, "user = me\n", "")} {
				for notation, text := range notations(hidden) {
					for i := 0; i+8 <= len(text); i++ {
						part := text[i : i+8]
						if at, is := shown[part]; is && !slices.ContainsFunc(spellings, func(s string) bool { return strings.Contains(s, part) }) {
							t.Fatalf("%q of the %s (%s) is shown: %s", part, what, notation, said[max(at-200, 0):min(at+200, len(said))])
						}
					}
				}
			}
		})
	}
}

// notations gives a text as it may be written.
func notations(text string) map[string]string {
	quoted, _ := json.Marshal(text)
	return map[string]string{
		"as it is": text, "base64": base64.StdEncoding.EncodeToString([]byte(text)), "json": strings.Trim(string(quoted), `"`), "url": url.QueryEscape(text),
		"upper case": strings.ToUpper(text), "a character a line": strings.Join(strings.Split(text, ""), "\n"), "go": fmt.Sprintf("%q", text),
	}
}
