package lazyregexp

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	_ "github.com/rendered/rendered/internal/long"
)

func TestRegexp(t *testing.T) {
	r := New(`^(a+)(b?)`)
	for text, want := range map[string]string{"aab": "aa", "c": ""} {
		m := r.FindStringSubmatch(text)
		if r.MatchString(text) != (want != "") || want != "" && m[1] != want {
			t.Errorf("%q: %q", text, m)
		}
	}
}

// A mistake in a regular expression of the program is found here, and not when it is first used.
func TestEveryOneCompiles(t *testing.T) {
	n := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil // a test has it that it does not parse
		}
		ast.Inspect(file, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok || len(call.Args) != 1 {
				return true
			}
			if f, ok := call.Fun.(*ast.SelectorExpr); !ok || f.Sel.Name != "New" || named(f.X) != "lazyregexp" {
				return true
			}
			if text, whole := literal(call.Args[0]); whole {
				n++
				if _, err := regexp.Compile(text); err != nil {
					t.Errorf("%s: %v", path, err)
				}
			}
			return true
		})
		return nil
	})
	if err != nil || n < 100 {
		t.Errorf("%d are found, %v", n, err)
	}
}

// What ships compiles none before it needs it: each process would pay for all.
func TestNoneIsCompiledAtTheStart(t *testing.T) {
	n := 0
	for _, room := range []string{"cmd", "render", "sources", "watch"} {
		err := filepath.WalkDir(filepath.Join("../..", room), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return nil
			}
			n++
			for _, decl := range file.Decls {
				if vars, ok := decl.(*ast.GenDecl); !ok || vars.Tok != token.VAR {
					continue
				}
				ast.Inspect(decl, func(node ast.Node) bool {
					if f, ok := node.(*ast.SelectorExpr); ok && named(f.X) == "regexp" && strings.HasPrefix(f.Sel.Name, "MustCompile") {
						t.Errorf("%s: regexp.%s at the start; lazyregexp.New compiles it when it is first used", path, f.Sel.Name)
					}
					_, inner := node.(*ast.FuncLit)
					return !inner
				})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n < 300 {
		t.Errorf("%d files are looked at", n)
	}
}

func named(x ast.Expr) string {
	if id, ok := x.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}

// literal gives a text that is written in one or several pieces.
func literal(x ast.Expr) (text string, whole bool) {
	switch x := x.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(x.Value)
		return text, err == nil
	case *ast.BinaryExpr:
		left, a := literal(x.X)
		right, b := literal(x.Y)
		return left + right, a && b
	}
	return "", false
}
