// Package pages reads the blocks of the pages that people read, README.md, docs/ and those for who
// works on the project or sets up queues, and knows by which test each is run or compared. It is
// for tests alone.
package pages

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A Block is what stands between two fences of a page.
type Block struct {
	Page string // its path in the project, with slashes
	Line int    // of the fence that opens it, 1-based
	Kind string // what stands behind that fence: a language, and perhaps a word more
	Text string // without the indentation of the fence
}

// String gives the place of the block, as docs/check.md:36.
func (b Block) String() string { return fmt.Sprintf("%s:%d", b.Page, b.Line) }

// Name gives the name of the page's own, as check of docs/check.md.
func (b Block) Name() string { return strings.TrimSuffix(path.Base(b.Page), ".md") }

var (
	fence    = regexp.MustCompile("^( *)(```+) *([^`]*?) *$")
	indented = regexp.MustCompile(`^(?: {4}|\t)\s*\S`)
)

// Blocks gives the blocks of the pages of a project, by page and line. A fence that is not closed
// and a block that is made by indentation alone are errors.
func Blocks(project string) (all []Block, err error) {
	found, err := Pages(project)
	if err != nil {
		return nil, err
	}
	for _, page := range found {
		text, err := os.ReadFile(filepath.Join(project, page))
		if err != nil {
			return nil, err
		}
		blocks, err := read(page, string(text))
		if err != nil {
			return nil, err
		}
		all = append(all, blocks...)
	}
	return all, nil
}

// Pages gives the paths of the pages in a project, sorted.
func Pages(project string) (found []string, err error) {
	for _, pattern := range []string{"README.md", "CONTRIBUTING.md", "packaging/README.md", "docs/*.md", "docs/*/*.md", "docs/*/*/*.md"} {
		matched, err := filepath.Glob(filepath.Join(project, pattern))
		if err != nil {
			return nil, err
		}
		for _, name := range matched {
			page, err := filepath.Rel(project, name)
			if err != nil {
				return nil, err
			}
			found = append(found, filepath.ToSlash(page))
		}
	}
	slices.Sort(found)
	return found, nil
}

// read gives the blocks of one page.
func read(page, text string) (blocks []Block, err error) {
	var open []string // the fence of the block that is read: its indentation, its ticks, its kind
	var block Block
	blank := true
	for i, line := range strings.Split(text, "\n") {
		m := fence.FindStringSubmatch(line)
		switch {
		case open == nil && m != nil:
			open, block = m, Block{Page: page, Line: i + 1, Kind: m[3]}
		case open == nil && blank && indented.MatchString(line):
			return nil, fmt.Errorf("%s:%d: this block is made by indentation; put it between fences, with its kind behind the first", page, i+1)
		case open != nil && m != nil && m[2] == open[2] && m[3] == "":
			blocks, open = append(blocks, block), nil
		case open != nil:
			block.Text += strings.TrimPrefix(line, open[1]) + "\n"
		}
		blank = strings.TrimSpace(line) == ""
	}
	if open != nil {
		return nil, fmt.Errorf("%s:%d: this block does not end", page, block.Line)
	}
	return blocks, nil
}

// here is the directory of the package whose tests run.
var here, _ = os.Getwd()

// Claimed gives the blocks that are the calling test's by the table, at least one. The test itself
// calls it, a part of it or a helper.
func Claimed(t testing.TB) []Block {
	t.Helper()
	project, dir := above(here)
	name, _, _ := strings.Cut(t.Name(), "/")
	test := dir + "." + name
	all, err := Blocks(project)
	if err != nil {
		t.Fatal(err)
	}
	mine := slices.DeleteFunc(all, func(b Block) bool { c := claimOf(b); return c == nil || c.test != test })
	if len(mine) == 0 {
		t.Fatalf("no block is for %s: the claim in internal/pages/claims.go is not needed any more, or its pattern is wrong", test)
	}
	return mine
}

// above gives the directory of the project that a directory is in, and the path from there.
func above(dir string) (project, path string) {
	for project = dir; ; project = filepath.Dir(project) {
		if _, err := os.Stat(filepath.Join(project, "go.mod")); err == nil || project == filepath.Dir(project) {
			path, _ = filepath.Rel(project, dir)
			return project, filepath.ToSlash(path)
		}
	}
}
