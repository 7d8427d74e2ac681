package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rendered/rendered/internal/pages"
)

// A documentTree is a directory of files in which links lead to one another.
type documentTree struct{ dir string }

// hasPlace wants a file, and an anchor in it where there is one.
func (f *documentTree) hasPlace(t *testing.T, from, file, anchor string) {
	t.Helper()
	file = filepath.Clean(file)
	rel, err := filepath.Rel(f.dir, file)
	if err != nil || strings.HasPrefix(rel, "..") {
		t.Errorf("%s: %s is outside of what is there", from, file)
		return
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Errorf("%s: %v", from, err)
		return
	}
	if anchor == "" || strings.HasPrefix(anchor, "L") && filepath.Ext(file) == ".go" {
		return
	}
	text, err := os.ReadFile(file)
	if info.IsDir() || err != nil || !slices.Contains(pages.Anchors(string(text)), anchor) {
		t.Errorf("%s: %s has no heading for #%s", from, rel, anchor)
	}
}

// ofProject are addresses of the project's own files.
var ofProject = regexp.MustCompile(`^https://github\.com/rendered/rendered/(?:blob|tree|raw)/main/([^#?]*)(?:#(.*))?$`)

// follow wants each link of the pages below a directory to lead somewhere. Those to the web are to
// be of https, or show a form of address; those to the project's own files are followed there.
func (f *documentTree) follow(t *testing.T) (found int) {
	t.Helper()
	own := documentTree{root}
	err := filepath.WalkDir(f.dir, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != f.dir) {
			return filepath.SkipDir
		}
		if err != nil || filepath.Ext(path) != ".md" {
			return err
		}
		text, err := os.ReadFile(path)
		for _, l := range pages.Links(string(text)) {
			found++
			from := pages.Block{Page: strings.TrimPrefix(path, f.dir+"/"), Line: l.Line}.String()
			if m := ofProject.FindStringSubmatch(l.To); m != nil {
				own.hasPlace(t, from, filepath.Join(root, m[1]), m[2])
				continue
			}
			if strings.Contains(l.To, ":") {
				if !strings.HasPrefix(l.To, "https://") && !strings.HasPrefix(l.To, "mailto:") {
					t.Errorf("%s: %s is not of https", from, l.To)
				}
				continue
			}
			file, anchor, _ := strings.Cut(l.To, "#")
			to := path
			if file != "" {
				to = filepath.Join(filepath.Dir(path), file)
			}
			f.hasPlace(t, from, to, anchor)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Each link of each page leads to a file of the project, and to a heading in it.
func TestLinks(t *testing.T) {
	f := documentTree{root}
	if found := f.follow(t); found < 100 {
		t.Errorf("%d links were found, is the pattern wrong?", found)
	}
}

// installedDocuments lays out what the packages have below /usr/share/doc/rendered.
func installedDocuments(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"git", "bash"} {
		if _, err := exec.LookPath(program); err != nil && os.Getenv("CI") == "" {
			t.Skip(err)
		}
	}
	dir := filepath.Join(t.TempDir(), "rendered")
	out, err := exec.CommandContext(t.Context(), filepath.Join(root, "packaging/documents"), dir).CombinedOutput()
	if _, missing := os.Stat(filepath.Join(root, ".git")); err != nil && missing != nil && os.Getenv("CI") == "" {
		t.Skipf("this is no checkout: %s", out)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dir
}

// Each link of each page leads somewhere as the packages have it installed, too.
func TestLinksOfThePackages(t *testing.T) {
	f := documentTree{installedDocuments(t)}
	if found := f.follow(t); found < 100 {
		t.Errorf("%d links were found, is the pattern wrong?", found)
	}
}

var (
	namedPage = regexp.MustCompile(`(?:^|[^\w/.-])(?:https://github\.com/rendered/rendered/blob/main/)?((?:docs|packaging)/[\w/.-]*\.md)(?:#([\w-]+))?`)
	installed = regexp.MustCompile(`/usr/share/doc/rendered/([\w/.-]*\w)`)
)

// A page that a message, a comment, an example or a manual page names is there, with the heading
// that is named; and so is a file of the installed documents.
func TestNamedPagesAreThere(t *testing.T) {
	out := installedDocuments(t)
	found := 0
	for _, dir := range []string{"cmd", "docs", "internal", "packaging", "render", "sources", "watch"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if d != nil && d.IsDir() && (d.Name() == "testdata" || path == filepath.Join(root, "internal/pages")) {
				return filepath.SkipDir
			}
			if path == filepath.Join(root, "docs/comparison.md") {
				return nil // it names pages of consul-template
			}
			if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") || slices.Contains([]string{".png", ".svg", ".sum"}, filepath.Ext(path)) {
				return err
			}
			text, err := os.ReadFile(path)
			from := strings.TrimPrefix(path, root+"/")
			own, doc := documentTree{root}, documentTree{out}
			for _, m := range namedPage.FindAllStringSubmatch(string(text), -1) {
				found++
				own.hasPlace(t, from, filepath.Join(root, m[1]), m[2])
			}
			for _, m := range installed.FindAllStringSubmatch(string(text), -1) {
				if ofBuild := regexp.MustCompile(`^(changelog|copyright|licenses|rendered\.cdx\.json)`); !ofBuild.MatchString(m[1]) {
					found++
					doc.hasPlace(t, from, filepath.Join(out, m[1]), "")
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found < 20 {
		t.Errorf("%d were found, is the pattern wrong?", found)
	}
}
