package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A function fits on a screen, and one in ten at most has more than a few ways through it. Comments
// have a hundred columns.
func TestHouse(t *testing.T) {
	const mostLines, mostWays, mostColumns = 50, 7, 100
	var ways []int
	for _, path := range shipped(t) {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			ways = append(ways, waysThrough(f))
			if lines := set.Position(f.End()).Line - set.Position(f.Pos()).Line + 1; lines > mostLines {
				t.Errorf("%s: %s has %d lines", path, f.Name.Name, lines)
			}
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "//") && columns(line) > mostColumns {
				t.Errorf("%s:%d: a comment of %d columns", path, i+1, columns(line))
			}
		}
	}
	slices.Sort(ways)
	if at := ways[len(ways)*9/10]; at > mostWays {
		t.Errorf("one function in ten has %d ways through it or more", at)
	}
}

// shipped gives the files that are in the program.
func shipped(t *testing.T) (paths []string) {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{range .GoFiles}}{{$.ImportPath}} {{$.Dir}}/{{.}}\n{{end}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		name, path, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(name, "github.com/rendered/rendered/") {
			paths = append(paths, filepath.Clean(path))
		}
	}
	return paths
}

// waysThrough is the cyclomatic complexity of a function, as gocyclo counts it.
func waysThrough(f *ast.FuncDecl) int {
	n := 1
	ast.Inspect(f, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt:
			n++
		case *ast.CaseClause:
			n += min(len(node.List), 1)
		case *ast.CommClause:
			if node.Comm != nil {
				n++
			}
		case *ast.BinaryExpr:
			if node.Op == token.LAND || node.Op == token.LOR {
				n++
			}
		}
		return true
	})
	return n
}

// columns gives how wide a line is, with tabs of four.
func columns(line string) (n int) {
	for _, r := range line {
		if n++; r == '\t' {
			n += 3
		}
	}
	return n
}
