package config

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/rendered/rendered/render/fault"
)

var update = flag.Bool("update", false, "write what the golden cases give into their files")

// Each case of testdata is an archive: rendered.yaml and what stands beside it; at the end "faults", or "config" with the values
// that were read. "var NAME=TEXT", "values FILE" and "root DIR" at its head are set from outside.
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
			got := &txtar.Archive{Comment: archive.Comment}
			for _, f := range archive.Files {
				if f.Name == "faults" || f.Name == "config" {
					continue
				}
				got.Files = append(got.Files, f)
				if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, f.Name)), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cfg, faults := Load(filepath.Join(dir, "rendered.yaml"), outside(archive))
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

func outside(archive *txtar.Archive) Options {
	o := Options{Vars: make(map[string]string)}
	for line := range strings.Lines(string(archive.Comment)) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "var":
			name, value, _ := strings.Cut(rest, "=")
			o.Vars[name] = value
		case "values":
			o.Values = rest
		case "root":
			o.Root = rest
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
	fmt.Fprintf(&b, "aws=%+v\n", c.AWS)
	for _, s := range c.Services {
		fmt.Fprintf(&b, "%s: schedule=%q vars=%#v min_interval=%v\n", s.Name, s.Schedule, s.Vars, s.MinInterval)
		for _, f := range s.Files {
			fmt.Fprintf(&b, "  file %s from %q %q (+%d:%d) in %s\n", f.Path, f.Template.Path, f.Template.Content, f.Template.Line, f.Template.Column, f.Template.Dir)
			fmt.Fprintf(&b, "    owner=%d:%d mode=%v keep=%v dir_mode=%v format=%q check=%q delims=%q %q\n", f.UID, f.GID, f.Mode, f.KeepMode, f.DirMode, f.Format, f.Check, f.Left, f.Right)
		}
		for _, n := range s.Notify {
			fmt.Fprintf(&b, "  notify %s %+v\n", n.Name(), n)
		}
	}
	return b.Bytes()
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
		_, faults := Load(path, Options{})
		if len(faults) != 1 || !strings.Contains(faults[0].Error(), want) {
			t.Errorf("%s: %v, want %q", path, faults, want)
		}
	}
}

// Whatever the bytes, Load returns, and each fault has a place.
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
		cfg, faults := Load(path, Options{})
		for _, fault := range faults {
			if fault.Place.File != path {
				t.Errorf("%v has no place", fault)
			}
			_ = fault.Text()
		}
		if len(faults) == 0 && len(cfg.Services) == 0 {
			t.Error("no faults and no services")
		}
	})
}
