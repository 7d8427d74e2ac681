package pages

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	_ "github.com/rendered/rendered/internal/long"
)

// project is its directory.
const project = "../.."

// Every block of every page is run or compared by a test, which -v lists.
func TestEveryBlockHasATest(t *testing.T) {
	all, err := Blocks(project)
	if err != nil {
		t.Fatal(err)
	}
	without, err := Unclaimed(project)
	if err != nil || len(without) > 0 {
		t.Fatalf("%v\n%s", err, strings.Join(without, "\n"))
	}
	used := make(map[claim]bool)
	var list strings.Builder
	for _, b := range all {
		c := claimOf(b)
		used[*c] = true
		fmt.Fprintf(&list, "%v %s: %s %s\n", b, b.Kind, c.test, c.how)
	}
	if len(all) < 100 {
		t.Errorf("there are %d blocks, is the pattern wrong?", len(all))
	}
	for _, c := range claims {
		if !used[c] {
			t.Errorf("no block of %s is %q: the line in claims.go is not needed any more", c.pages, c.kind)
		}
	}
	if !t.Failed() {
		t.Logf("%d blocks\n%s", len(all), &list)
	}
}

// A test that claims blocks is there, and gets them.
func TestClaimsAreTrue(t *testing.T) {
	for _, c := range claims {
		if c.test == seen {
			continue
		}
		pkg, test, _ := strings.Cut(c.test, ".")
		calls := callsOf(t, filepath.Join(project, pkg))
		if calls[test] == nil {
			t.Errorf("there is no %s in %s", test, pkg)
		} else if !asks(calls, test) {
			t.Errorf("%s in %s does not ask pages.Claimed for its blocks", test, pkg)
		}
	}
}

// callsOf gives the names that each function in the tests of a package uses.
func callsOf(t *testing.T, dir string) map[string][]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	calls := make(map[string][]string)
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			name := "" // of what stands outside of functions, as a table of them
			if f, ok := d.(*ast.FuncDecl); ok {
				name = f.Name.Name
			}
			uses := []string{""}
			ast.Inspect(d, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.Ident:
					uses = append(uses, n.Name)
				case *ast.CallExpr:
					uses = append(uses, flagOf(n)...)
				}
				return true
			})
			calls[name] = append(calls[name], uses...)
		}
	}
	return calls
}

// flagOf gives "-NAME" where a call makes a flag of that name.
func flagOf(call *ast.CallExpr) []string {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) == 0 {
		return nil
	}
	of, isName := sel.X.(*ast.Ident)
	name, isText := call.Args[0].(*ast.BasicLit)
	if !isName || of.Name != "flag" || !isText {
		return nil
	}
	return []string{"-" + strings.Trim(name.Value, `"`)}
}

// asks tells whether a function, or one that it uses, asks for the blocks of its test.
func asks(calls map[string][]string, from string) bool {
	seen := map[string]bool{}
	var visit func(name string) bool
	visit = func(name string) bool {
		if seen[name] {
			return false
		}
		seen[name] = true
		return slices.Contains(calls[name], "Claimed") || slices.ContainsFunc(calls[name], visit)
	}
	return visit(from)
}

var (
	// goOther is what else is done with packages, and files of the project.
	goOther  = regexp.MustCompile(`^(?:[A-Z_]+=\S+ )*go (?:run|vet)((?: \S+)+)$`)
	goTest   = regexp.MustCompile(`^(?:[A-Z_]+=\S+ )*go test((?: (?:-[a-z]+(?: [^-.\s][^\s]*)?|\./[a-z0-9/.]+))+)\s*(?:#.*)?$`)
	flagged  = regexp.MustCompile(`-([a-z]+)(?: ('?[^-.\s]\S*))?`)
	packaged = regexp.MustCompile(` \./(\S+)`)
	// ofGo are the flags of go test that the pages use.
	ofGo = []string{"run", "v", "timeout", "count", "bench", "benchtime"}
)

// A line with go test names tests that there are, in packages that there are, and flags that those
// packages, or all, know; one with go run or go vet packages and files that there are.
func TestGoCommands(t *testing.T) {
	for _, b := range Claimed(t) {
		for line := range strings.Lines(b.Text) {
			line = strings.TrimSpace(line)
			if m := goOther.FindStringSubmatch(line); m != nil {
				for arg := range strings.FieldsSeq(m[1]) {
					if _, err := os.Stat(filepath.Join(project, strings.TrimSuffix(arg, "..."))); err != nil && strings.Contains(arg, "/") {
						t.Errorf("%v: %s: %v", b, line, err)
					}
				}
				continue
			}
			m, pkg := goTest.FindStringSubmatch(line), packaged.FindStringSubmatch(line)
			if m == nil || pkg == nil {
				t.Errorf("%v: %s is not understood", b, line)
				continue
			}
			if pkg[1] == "..." {
				pkg[1] = "internal/pages"
			}
			calls := callsOf(t, filepath.Join(project, pkg[1]))
			for _, f := range flagged.FindAllStringSubmatch(packaged.ReplaceAllString(m[1], ""), -1) {
				switch {
				case f[1] == "run" && f[2] == "'^$'": // benchmarks alone
				case f[1] == "run" || f[1] == "bench":
					pattern, err := regexp.Compile(strings.Trim(f[2], "'"))
					if err != nil || !slices.ContainsFunc(slices.Collect(maps.Keys(calls)), pattern.MatchString) {
						t.Errorf("%v: %s runs no test of %s: %v", b, line, pkg[1], err)
					}
				case f[1] != "long" && !slices.Contains(ofGo, f[1]) && !slices.Contains(calls[""], "-"+f[1]):
					t.Errorf("%v: %s: %s has no flag -%s", b, line, pkg[1], f[1])
				}
			}
		}
	}
}

// What stands between fences is a block, and nothing else is.
func TestRead(t *testing.T) {
	for text, want := range map[string][]Block{
		"a\n\n```sh aws\nb\n\n    c\n```\n":              {{"p", 3, "sh aws", "b\n\n    c\n"}},
		"- a\n\n  ```\n  b\n    c\n  ```\n\n```x\n```\n": {{"p", 3, "", "b\n  c\n"}, {"p", 8, "x", ""}},
		"````md\n```sh\nb\n```\n````\n":                  {{"p", 1, "md", "```sh\nb\n```\n"}},
		"a `b` c\n    d\n":                               nil,
	} {
		if got, err := read("p", text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
	for text, want := range map[string]string{"```sh\nb\n": "p:1: this block does not end", "a\n\n    b\n": "p:3: this block is made by indentation"} {
		if _, err := read("p", text); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
