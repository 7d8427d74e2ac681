package render_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/format"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/local"
)

var update = flag.Bool("update", false, "write what the golden cases give into their files")

// Each case of testdata is an archive. Its head sets what the template works with, a line each:
// "var NAME=TEXT", "delims L R", "env NAME=TEXT", "format NAME". Of its files the first is the
// template, those that begin with _ are partials, values.yaml answers the lookups, others are there
// for the function file; at the end stand what it gives: "refs", and "output" or "faults". A second
// time it gives the same.
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
			first, second := execute(t, archive), execute(t, archive)
			if diff := cmp.Diff(first, second); diff != "" {
				t.Errorf("the second time differs:\n%s", diff)
			}
			got := &txtar.Archive{Comment: archive.Comment, Files: append(given(archive.Files), first...)}
			if *update {
				if err := os.WriteFile(path, txtar.Format(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(txtar.Format(archive)), string(txtar.Format(got))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if faults := file(got, "faults"); strings.Contains(faults, "canary") {
				t.Errorf("a value stands in a fault:\n%s", faults)
			}
		})
	}
}

// given leaves out what a case gives.
func given(files []txtar.File) []txtar.File {
	return slices.DeleteFunc(slices.Clone(files), func(f txtar.File) bool {
		return f.Name == "refs" || f.Name == "output" || f.Name == "faults"
	})
}

func file(a *txtar.Archive, name string) string {
	for _, f := range a.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

// execute runs the case and gives the files that come of it.
func execute(t *testing.T, archive *txtar.Archive) []txtar.File {
	t.Helper()
	dir := t.TempDir()
	files := given(archive.Files)
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := options(t, archive, files)
	o.Dir = dir
	tmpl, faults := render.Parse(o)
	if len(faults) > 0 {
		return []txtar.File{{Name: "faults", Data: text(faults, dir)}}
	}
	result := []txtar.File{{Name: "refs", Data: refs(tmpl, dir)}}
	snapshot := sources.NewSnapshot(source(dir), 0)
	snapshot.Want(t.Context(), tmpl.Refs())
	f := render.File{Target: swap.Target{Path: filepath.Join(dir, "out")}, Template: tmpl, Format: formatOf(t, archive)}
	out, _, failed := f.Render(t.Context(), snapshot)
	if failed == nil {
		failed = out.Judge()
	}
	if failed != nil {
		return append(result, txtar.File{Name: "faults", Data: text(fault.List{failed}, dir)})
	}
	return append(result, txtar.File{Name: "output", Data: out.Content})
}

func formatOf(t *testing.T, archive *txtar.Archive) (f format.Format) {
	t.Helper()
	for line := range strings.Lines(string(archive.Comment)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "format "); ok {
			var err error
			if f, err = format.Parse(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	return f
}

func options(t *testing.T, archive *txtar.Archive, files []txtar.File) render.Options {
	t.Helper()
	o := render.Options{
		Main:        render.Text{Name: files[0].Name, Body: string(files[0].Data)},
		Vars:        make(map[string]any),
		Hostname:    "web-1",
		TrackValues: true,
	}
	env := make(map[string]string)
	o.Env = func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	for line := range strings.Lines(string(archive.Comment)) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, value, _ := strings.Cut(rest, "=")
		switch word {
		case "var":
			o.Vars[name] = value
			if list, ok := strings.CutPrefix(value, "list:"); ok {
				var parts []any
				for p := range strings.SplitSeq(list, ",") {
					parts = append(parts, p)
				}
				o.Vars[name] = parts
			}
		case "env":
			env[name] = value
		case "delims":
			o.Left, o.Right, _ = strings.Cut(rest, " ")
		}
	}
	for _, f := range files[1:] {
		if f.Name[0] == '_' {
			o.Partials = append(o.Partials, render.Text{Name: f.Name, Body: string(f.Data)})
		}
	}
	return o
}

// source answers from the case's values.yaml and files.
func source(dir string) sources.Source {
	values := local.NewValues(filepath.Join(dir, "values.yaml"))
	files := []sources.Kind{sources.File}
	return sources.Mux{{Source: new(local.Files), Kinds: files}, {Source: values, Kinds: sources.Kinds(func(t sources.Traits) bool { return t.Section != "" })}}
}

func text(faults fault.List, dir string) []byte {
	var b bytes.Buffer
	for _, f := range faults {
		b.WriteString(f.Text())
	}
	return bytes.ReplaceAll(b.Bytes(), []byte(dir), []byte("DIR"))
}

func refs(tmpl *render.Template, dir string) []byte {
	var b bytes.Buffer
	for _, l := range tmpl.Lookups() {
		ref := "known at the render"
		if l.Ref != (sources.Ref{}) {
			ref = l.Ref.String()
		}
		b.WriteString(l.Place.String() + ": " + l.Function + ": " + strings.ReplaceAll(ref, dir, "DIR") + "\n")
	}
	return b.Bytes()
}
