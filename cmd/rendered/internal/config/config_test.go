package config

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/internal/fault"
)

var update = flag.Bool("update", false, "write what the golden cases give into their files")

// Each case of testdata is an archive: rendered.yaml and what stands beside it; at the end
// "faults", or "config" with the values that were read. "var NAME=TEXT", "env NAME=TEXT", "hostname
// NAME", "values FILE" and "root DIR" at its head are set from outside.
func TestGolden(t *testing.T) {
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			got := &txtar.Archive{Comment: archive.Comment, Files: slices.DeleteFunc(slices.Clone(archive.Files), isResult)}
			if err := writeCase(dir, archive); err != nil {
				t.Fatal(err)
			}
			cfg, faults := load(filepath.Join(dir, "rendered.yaml"), outside(archive))
			result := txtar.File{Name: "config", Data: dump(cfg)}
			if len(faults) > 0 {
				result = txtar.File{Name: "faults", Data: text(faults)}
			}
			result.Data = bytes.ReplaceAll(result.Data, []byte(dir), []byte("DIR"))
			got.Files = append(got.Files, result)
			if *update {
				if err := os.WriteFile(path, txtar.Format(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(txtar.Format(archive)), string(txtar.Format(got))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// isResult tells whether a file of a case is what comes of it.
func isResult(f txtar.File) bool { return f.Name == "faults" || f.Name == "config" }

// writeCase writes the files of a case below a directory.
func writeCase(dir string, archive *txtar.Archive) error {
	for _, f := range archive.Files {
		path := filepath.Join(dir, f.Name)
		if isResult(f) {
			continue
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, f.Data, 0o600)); err != nil {
			return err
		}
	}
	return nil
}

// load reads a config, and gives all that is wrong with it at a start.
func load(path string, o Options) (*Config, fault.List) {
	c := Load(path, o)
	c.Resolve(nil)
	return c, c.All()
}

func outside(archive *txtar.Archive) Options {
	o := Options{Vars: make(map[string]string)}
	for line := range strings.Lines(string(archive.Comment)) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "var":
			name, value, _ := strings.Cut(rest, "=")
			o.Vars[name] = value
		case "env":
			o.Env = func(name string) (string, bool) {
				known, value, _ := strings.Cut(rest, "=")
				return value, name == known
			}
		case "hostname":
			o.Hostname = rest
		case "values":
			o.Values = rest
		case "root":
			o.Root = rest
		case "strangers":
			o.Strangers = true
		case "level":
			o.LogLevel = rest
		}
	}
	return o
}

func text(faults fault.List) []byte {
	var b bytes.Buffer
	for _, f := range faults {
		b.WriteString(f.Text())
	}
	return b.Bytes()
}

// dump writes what a config means, a line a value.
func dump(c *Config) []byte {
	var b bytes.Buffer
	splay := "default"
	if c.Splay != nil {
		splay = c.Splay.String()
	}
	fmt.Fprintf(&b, "splay=%s settle=%v values=%q state=%q log=%v/%s\n", splay, c.Settle, c.Values, c.StateDir, c.Log.Level, c.Log.Format)
	a := c.AWS
	fmt.Fprintf(&b, "aws={Region:%s Profile:%s RoleARN:%s ExternalID:%s SessionName:%s EndpointURL:%s MaxConcurrency:%d BatchSecrets:%v Timeout:%v Accounts:%+v} queue=%q\n",
		a.Region, a.Profile, a.RoleARN, a.ExternalID, a.SessionName, a.EndpointURL, a.MaxConcurrency, a.BatchSecrets, a.Timeout, a.Accounts, c.Queue)
	if c.Inventory != "" {
		fmt.Fprintf(&b, "inventory=%q\n", c.Inventory)
	}
	if m := c.Metrics; m.Listen != "" || m.Textfile != "" {
		fmt.Fprintf(&b, "metrics=%+v\n", m)
	}
	if c.Fleet.Name != "" {
		fmt.Fprintf(&b, "fleet=%+v\n", c.Fleet)
	}
	for _, s := range c.Services {
		fmt.Fprintf(&b, "%s: schedule=%q vars=%#v min_interval=%v check=%q\n", s.Name, s.Schedule, s.Vars, s.MinInterval, s.Check)
		for _, w := range s.Windows {
			fmt.Fprintf(&b, "  window %s hold=%v\n", w, s.Hold)
		}
		for _, f := range s.Files {
			fmt.Fprintf(&b, "  file %s from %q %q at %v (+%d:%d) in %s\n", f.Path, f.Template.Path, f.Template.Content, f.Template.Place, f.Template.Line, f.Template.Column, f.Template.Dir)
			fmt.Fprintf(&b, "    owner=%d:%d mode=%v keep=%v dir_mode=%v format=%q check=%q delims=%q %q max_size=%d in_place=%v allow_empty=%v", f.UID, f.GID, f.Mode, f.KeepMode, f.DirMode, f.Format, f.Check, f.Left, f.Right, f.MaxSize, f.InPlace, f.AllowEmpty)
			if f.Free {
				b.WriteString(" structure=free")
			}
			b.WriteString("\n")
		}
		for _, v := range s.Verify {
			fmt.Fprintf(&b, "  verify tls %+v\n", v)
		}
		for _, n := range s.Notify {
			fmt.Fprintf(&b, "  notify %s %+v\n", n.Name(), n)
		}
		for _, p := range s.Healthy {
			fmt.Fprintf(&b, "  healthy %s %+v\n", p.Name(), p)
		}
		if len(s.Healthy) > 0 {
			fmt.Fprintf(&b, "    for %v within %v rollback=%q\n", s.HealthyFor, s.HealthyWithin, s.Rollback)
		}
		if s.Rollout.Group != "" {
			fmt.Fprintf(&b, "  rollout %+v\n", s.Rollout)
		}
		if !s.OnFailure.IsZero() || s.Post != "" {
			fmt.Fprintf(&b, "  on failure %v timeout %v output %q post %q\n", s.OnFailure, s.OnFailure.Timeout, s.OnFailure.Output, s.Post)
		}
		if !s.Before.IsZero() {
			for _, c := range []command.Check{s.Gate, s.Before, s.After} {
				fmt.Fprintf(&b, "  around %v timeout %v output %q\n", c, c.Timeout, c.Output)
			}
		}
	}
	return b.Bytes()
}

// A link that others can put at a destination is the trouble of that destination, and makes no
// config unusable.
func TestLinksOfOthersAreNoFault(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has others to distrust")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "rendered.yaml")
	const text = "state_dir: state\nservices: {app: {files: [{content: x, path: etc/app}, {content: x, path: own/app}]}}\n"
	if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Mkdir(filepath.Join(dir, "etc"), 0o755), os.Mkdir(filepath.Join(dir, "own"), 0o755)); err != nil {
		t.Fatal(err)
	}
	for target, refused := range map[string]string{"../etc/app": "is written a second time", "../rendered.yaml": "is a file of the config", "../state/x": "lies in the state_dir"} {
		link := filepath.Join(dir, "own/app")
		if err := errors.Join(os.RemoveAll(link), os.Symlink(target, link), os.Chown(filepath.Join(dir, "own"), 0, 0)); err != nil {
			t.Fatal(err)
		}
		if _, faults := load(path, Options{}); len(faults) != 1 || !strings.Contains(faults[0].What, refused) {
			t.Errorf("root's link to %s: %v", target, faults)
		}
		if err := os.Chown(filepath.Join(dir, "own"), 12, 12); err != nil {
			t.Fatal(err)
		}
		if _, faults := load(path, Options{}); len(faults) > 0 {
			t.Errorf("a user's link to %s: %v", target, faults)
		}
	}
}

// A config is read to its last byte, or not at all.
func TestLargeConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rendered.yaml")
	const head, tail = "services: {app: {files: [{content: x, path: /etc/app}]}}\n", "settle: 7s\n"
	for size, want := range map[int]string{2 << 20: "", maxSize + 1: "it is larger than 16 MiB"} {
		text := head + "#" + strings.Repeat("x", size-len(head)-len(tail)-2) + "\n" + tail
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, faults := load(path, Options{})
		switch {
		case want == "" && (len(faults) > 0 || cfg.Settle != 7*time.Second):
			t.Errorf("%d bytes: %v, %v", size, faults, cfg.Settle)
		case want != "" && (len(faults) != 1 || faults[0].What != want):
			t.Errorf("%d bytes: %v", size, faults)
		}
	}
}

func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	big := filepath.Join(dir, "big.yaml")
	if err := os.WriteFile(big, bytes.Repeat([]byte("#"), maxSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none.yaml"): "no such file",
		dir:                             "not a regular file",
		"/dev/zero":                     "not a regular file",
		big:                             "larger than",
	} {
		_, faults := load(path, Options{})
		if len(faults) != 1 || !strings.Contains(faults[0].Error(), want) {
			t.Errorf("%s: %v, want %q", path, faults, want)
		}
	}
}

// Every line that the parser names is the one where a person looks. What it says in general is
// yamltext's to test.
func TestNotYAML(t *testing.T) {
	for text, want := range map[string]string{
		"services:\n  app:\n    files:\n      - content: x\n        path: [a, b\n    notify: []\n": "5: this is not YAML: a list begins here with [ and lacks",
		"services: {app: {files: [}\n":                           "1: this is not YAML: a value is missing",
		"services:\n  app:\n    files: []\n   notify: []\n":      "4: this is not YAML: this is no part of",
		"settle: 1s\nservices:\n  app:\n    a: b\n\tfiles: []\n": "5:1: this is not YAML: a tab",
		"\tsettle: 1s\n": "1:1: this is not YAML: a tab",
		"log: {level: info}\nsettle: \"1s\nsplay: x\n": "2: this is not YAML: a quote begins",
		"settle: 1s: 2\n":                         "1: this is not YAML: a colon",
		"schedule: * * * * *\n":                   `1:11: a value that begins with * must be quoted: schedule: "* * * * *"`,
		"services:\n  app:\n    - schedule: *x\n": `3:17: a value that begins with * must be quoted: schedule: "*x"`,
		"settle: 1s\nvars: {a: *x}\n":             "2:11: this is not YAML: no anchor",
		"settle: \x07\n":                          "1:9: this is not YAML: a control character",
		"settle: 1s\n# \xe9\n":                    "2:3: this is not YAML: a byte that is not UTF-8",
		"\xff\xfes\x00":                           "1: this is not YAML: this is UTF-16",
		"\ufeffsettle: 1s\r\nlog: @x\r\n":         "2:6: this is not YAML: a text cannot begin",
	} {
		path := filepath.Join(t.TempDir(), "rendered.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, faults := load(path, Options{})
		if len(faults) != 1 || !strings.HasPrefix(faults[0].Error(), path+":"+want) {
			t.Errorf("%q: %v, want %s", text, faults, want)
			continue
		}
		if shown := faults[0].Line; strings.ContainsAny(shown, "\x00\x07\r\ufeff") || !utf8.ValidString(shown) {
			t.Errorf("%q: a terminal is shown %q", text, shown)
		}
	}
}

const good = "services: {app: {files: [{content: x, path: /f}]}}\n"

// A byte order mark and the line ends of Windows change neither what is read nor where it stands.
func TestFromWindows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rendered.yaml")
	text := "\ufeffservices:\r\n  app:\r\n    files:\r\n      - content: |\r\n          é {{ x }}\r\n          b\r\n        path: /f\r\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, faults := load(path, Options{})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if f := cfg.Services[0].Files[0].Template; f.Content != "é {{ x }}\nb\n" || f.Line != 4 || f.Column != 10 {
		t.Errorf("got %+v", f)
	}
}

// Only a conf.d that is not there adds no services in silence.
func TestConfD(t *testing.T) {
	for name, c := range map[string]struct {
		make func(path string) error
		want string
	}{
		"none":     {func(string) error { return nil }, ""},
		"empty":    {func(path string) error { return os.Mkdir(path, 0o700) }, ""},
		"file":     {func(path string) error { return os.WriteFile(path, nil, 0o600) }, "not a directory"},
		"loop":     {func(path string) error { return os.Symlink(path, path) }, "too many levels of symbolic links"},
		"dangling": {func(path string) error { return os.Symlink("/nowhere", path) }, "no such file"},
		"denied":   {func(path string) error { return os.Mkdir(path, 0) }, "permission denied"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "denied" && os.Geteuid() == 0 {
				t.Skip("root may read it")
			}
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "rendered.yaml"), []byte(good), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := c.make(filepath.Join(dir, "conf.d")); err != nil {
				t.Fatal(err)
			}
			_, faults := load(filepath.Join(dir, "rendered.yaml"), Options{})
			switch {
			case c.want == "" && len(faults) > 0:
				t.Error(faults)
			case c.want != "" && (len(faults) != 1 || faults[0].Place.File != filepath.Join(dir, "conf.d") || !strings.Contains(faults[0].What, c.want)):
				t.Errorf("%v, want %s", faults, c.want)
			}
		})
	}
}

// Two names of one file are one, whatever links lead there.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"real", "real/templates"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("real/templates/a.tmpl", "")
	write("rendered.yaml", `services:
  app:
    files:
      - {template: template, path: link/templates/a.tmpl}
      - {content: x, path: real/new/f}
      - {content: x, path: link/new/f}
      - {content: x, path: link/templates/_p}
      - {template: real/templates/a.tmpl, path: template}
`)
	for link, to := range map[string]string{"link": "real", "template": "link/templates/a.tmpl"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	_, faults := load(filepath.Join(dir, "rendered.yaml"), Options{})
	var got []string
	for _, f := range faults {
		got = append(got, strings.ReplaceAll(f.Error(), dir+"/", ""))
	}
	want := []string{
		"rendered.yaml:4:36: services.app.files[0].path: link/templates/a.tmpl is the template at rendered.yaml:4:20; it would be overwritten",
		"rendered.yaml:4:36: services.app.files[0].path: link/templates/a.tmpl is the template at rendered.yaml:8:20; it would be overwritten",
		"rendered.yaml:6:28: services.app.files[2].path: link/new/f is written a second time; the first is at rendered.yaml:5:28",
		"rendered.yaml:7:28: services.app.files[3].path: link/templates/_p would be a partial of the templates beside it",
		"rendered.yaml:8:49: services.app.files[4].path: template is written a second time; the first is at rendered.yaml:4:36",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A config of the other ending is not passed over.
func TestOtherEnding(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rendered.yml"), []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	_, faults := load(filepath.Join(dir, "rendered.yaml"), Options{})
	if len(faults) != 1 || len(faults[0].Hints) != 1 || !strings.Contains(faults[0].Hints[0], "rendered.yml") {
		t.Errorf("got %s", text(faults))
	}
}

// A line that fills the terminal is not shown.
func TestLongLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rendered.yaml")
	if err := os.WriteFile(path, []byte("{"+strings.Repeat(" ", 1000)+good[:len(good)-1]+", x: 1}"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, faults := load(path, Options{})
	if len(faults) != 1 || faults[0].Line != "" || faults[0].Place.Column != 1054 {
		t.Errorf("got %s", text(faults))
	}
}

// Whatever the bytes, Load returns; each fault has a place in the file, and the places of contents
// lead to what stands there.
func FuzzLoad(f *testing.F) {
	cases, _ := filepath.Glob("testdata/*.txtar")
	for _, path := range cases {
		if archive, err := txtar.ParseFile(path); err == nil {
			f.Add(archive.Files[0].Data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "rendered.yaml")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, faults := load(path, Options{})
		lines := strings.Split(strings.TrimPrefix(string(data), "\ufeff"), "\n")
		for _, fault := range faults {
			if fault.Place.File != path {
				t.Errorf("%v has no place", fault)
			}
			if strings.ContainsAny(fault.Text(), "\x00\x07\x1b\r") {
				t.Errorf("a terminal is shown %q", fault.Text())
			}
		}
		for _, s := range cfg.Services {
			for _, f := range s.Files {
				if len(faults) == 0 && f.Template.Path == "" {
					leads(t, path, lines, f.Template)
				}
			}
		}
		if len(faults) == 0 && len(cfg.Services) == 0 && !bytes.Contains(data, []byte("services")) {
			t.Error("no faults and no services, and nothing says so")
		}
	})
}

// leads wants each line of a content to stand where its places say.
func leads(t *testing.T, path string, lines []string, c Template) {
	if c.Place.File != path {
		return // a place beneath the content's own
	}
	for i, text := range strings.Split(strings.TrimRight(c.Content, "\n"), "\n") {
		if text == "" {
			continue
		}
		if at := c.Line + i; at >= len(lines) || !strings.HasPrefix(string([]rune(lines[at])[min(c.Column, len([]rune(lines[at]))):]), text) {
			t.Errorf("%q is not at %d:%d", text, at+1, c.Column+1)
		}
	}
}

// What a link leads to is written, so it must be nobody else's.
func TestDestinationsBehindLinks(t *testing.T) {
	dir := t.TempDir()
	for name, target := range map[string]string{"to-template": "app.tmpl", "to-other": "out/f", "to-config": filepath.Join(dir, "rendered.yaml")} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "rendered.yaml")
	text := "services:\n  app:\n    files:\n      - {template: app.tmpl, path: out/f}\n" +
		"      - {content: x, path: to-template}\n      - {content: x, path: to-other}\n      - {content: x, path: to-config}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, faults := load(path, Options{})
	var got []string
	for _, f := range faults {
		got = append(got, strings.ReplaceAll(f.What, dir, "DIR"))
	}
	want := []string{
		"services.app.files[1].path: DIR/to-template is the template at DIR/rendered.yaml:4:20; it would be overwritten",
		"services.app.files[2].path: DIR/to-other is written a second time; the first is at DIR/rendered.yaml:4:36",
		"services.app.files[3].path: DIR/to-config is a file of the config; it would be overwritten",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want - got +\n%s", diff)
	}
}
