package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rendered/rendered/sources"
)

// root is the project's directory.
const root = "../.."

// documents gives the texts that people read, by their paths in the project.
func documents(t *testing.T) map[string]string {
	t.Helper()
	texts := make(map[string]string)
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/cookbook/*.md", "docs/cookbook/*/*.md", "packaging/*.md"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			texts[path] = string(data)
		}
	}
	return texts
}

var (
	namedTest   = regexp.MustCompile("`([a-z/]+)\\.((?:Test|Fuzz|Benchmark)\\w+)`")
	namedScript = regexp.MustCompile("`(\\w+\\.txtar)`")
	namedVerb   = regexp.MustCompile("(?m)(?:`|^ *)rendered ([a-z][a-z-]*)")
	tableRow    = regexp.MustCompile(`(?m)^\| \d+ \|.*$`)
)

// A test that a document names is there.
func TestDocumentsNameTests(t *testing.T) {
	for path, text := range documents(t) {
		for _, m := range namedTest.FindAllStringSubmatch(text, -1) {
			if !hasTest(t, m[1], m[2]) {
				t.Errorf("%s: there is no %s in %s", path, m[2], m[1])
			}
		}
		for _, m := range namedScript.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(root, "internal/e2e/testdata/script", m[1])); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
}

// README.md is one page.
func TestReadmeIsOnePage(t *testing.T) {
	lines := strings.Split(documents(t)[filepath.Join(root, "README.md")], "\n")
	if len(lines) > 121 {
		t.Errorf("it has %d lines, want at most 120", len(lines)-1)
	}
	for i, line := range lines {
		if n := utf8.RuneCountInString(line); n > 100 {
			t.Errorf("line %d has %d columns, want at most 100", i+1, n)
		}
	}
}

// A verb that a document or a stack names is there.
func TestDocumentsNameVerbs(t *testing.T) {
	texts := documents(t)
	for _, path := range []string{"packaging/cloudformation/push.yaml", "packaging/terraform/main.tf", "packaging/rendered.yaml"} {
		data, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		texts[path] = string(data)
	}
	named := 0
	for path, text := range texts {
		for _, m := range namedVerb.FindAllStringSubmatch(text, -1) {
			named++
			if cmd, _, err := newRoot().Find(m[1:]); err != nil || !cmd.HasParent() {
				t.Errorf("%s: there is no verb %q", path, m[1])
			}
		}
	}
	if named < 20 {
		t.Errorf("%d verbs were found, is the pattern wrong?", named)
	}
}

func hasTest(t *testing.T, pkg, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}

// Each behaviour of the comparison names a test, and says how the other column was found.
func TestComparisonIsShown(t *testing.T) {
	text := documents(t)[filepath.Join(root, "docs/comparison.md")]
	rows := tableRow.FindAllString(text, -1)
	if len(rows) != 14 {
		t.Errorf("%d behaviours, want 14", len(rows))
	}
	for i, row := range rows {
		if !namedTest.MatchString(row) && !namedScript.MatchString(row) {
			t.Errorf("names no test: %s", row)
		}
		if behaviour := strings.TrimSpace(strings.Split(row, "|")[2]); !strings.Contains(text, fmt.Sprintf("\n**%d, %s.**", i+1, behaviour)) {
			t.Errorf("it does not say how %q was seen", behaviour)
		}
	}
}

// manualPage is one of ours that is named: as rendered-run(1), and as man's macros have it.
var manualPage = regexp.MustCompile(`\b(rendered(?:\.yaml|\\?-[a-z\\-]+)?)(?:\\fP|\\fR)? ?\((\d)\)`)

// A manual page that a document, the program or another manual page names is there.
func TestNamedManualPagesAreThere(t *testing.T) {
	there := map[string]bool{"rendered.yaml(5)": true, "rendered-functions(7)": true, "rendered(1)": true, "rendered-completion(1)": true}
	for _, cmd := range newRoot().Commands() {
		if cmd.IsAvailableCommand() {
			there["rendered-"+cmd.Name()+"(1)"] = true
			for _, sub := range cmd.Commands() {
				there["rendered-"+cmd.Name()+"-"+sub.Name()+"(1)"] = true
			}
		}
	}
	texts := documents(t)
	dir := t.TempDir()
	var out bytes.Buffer
	if code := run([]string{"manual", dir}, &out, &out); code != exitOK {
		t.Fatal(&out)
	}
	made, err := filepath.Glob(dir + "/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(made, filepath.Join(root, "packaging/man/rendered.yaml.5"), filepath.Join(root, "packaging/systemd/rendered.catalog")) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[path] = string(text)
	}
	found := 0
	for path, text := range texts {
		for _, m := range manualPage.FindAllStringSubmatch(text, -1) {
			found++
			if name := strings.ReplaceAll(m[1], `\`, "") + "(" + m[2] + ")"; !there[name] {
				t.Errorf("%s: there is no %s", path, name)
			}
		}
	}
	for _, path := range made {
		name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)) + "(" + filepath.Ext(path)[1:] + ")"
		if !there[name] {
			t.Errorf("%s is made, and is no verb's", name)
		}
	}
	if found < 30 {
		t.Errorf("%d are named, is the pattern wrong?", found)
	}
}

var (
	filesOfSource = regexp.MustCompile("(?m)^\\| `([a-z/]+\\.go|docs/functions\\.md)` \\|(.*)\\|$")
	identifier    = regexp.MustCompile("`(?:(sources(?:/aws)?)\\.)?(\\w+)`")
	ofMetadata    = regexp.MustCompile(`\bIMDS\b|InstanceMetadata|parseMetadata|aws\.(New)?Metadata\b|"imds"`)
)

// declares tells whether a package has something of that name at its top, in a type or in a list.
func declares(t *testing.T, pkg, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, pkg, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^(func|type|var|const|\t) *` + name + `\b`)
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		return err == nil && declared.Match(text)
	})
}

// The page on contributing a source names all files of the program that know of its example, no
// more than five, and every column.
func TestSourceTakesFiveFiles(t *testing.T) {
	page := documents(t)[filepath.Join(root, "docs/contributing-a-source.md")]
	named := []string{}
	for _, m := range filesOfSource.FindAllStringSubmatch(page, -1) {
		named = append(named, m[1])
		for _, word := range identifier.FindAllStringSubmatch(m[2], -1) {
			if !declares(t, cmp.Or(word[1], filepath.Dir(m[1])), word[2]) && word[2] != "imds" {
				t.Errorf("%s: there is no %s", m[1], word[2])
			}
		}
	}
	found := []string{"docs/functions.md"}
	for _, dir := range []string{"cmd", "render", "sources", "watch", "internal"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "internal/awsfake") {
				return err
			}
			text, err := os.ReadFile(path)
			if ofMetadata.Match(text) {
				found = append(found, strings.TrimPrefix(path, root+"/"))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(named)
	slices.Sort(found)
	if !slices.Equal(named, found) || len(found) > 5 {
		t.Errorf("the page names %v, and %v know of it", named, found)
	}
	for _, word := range identifier.FindAllStringSubmatch(page, -1) {
		if word[1] != "" && !declares(t, word[1], word[2]) {
			t.Errorf("there is no %s in %s", word[2], word[1])
		}
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[sources.Traits]()) {
		if f.IsExported() && f.Name != "Kind" && !strings.Contains(page, "\n| `"+f.Name+"` |") {
			t.Errorf("the page does not say who reads %s", f.Name)
		}
	}
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
