package main

import (
	gobuild "go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// forTests are the rooms of which nothing is in the program.
var forTests = []string{"internal/awsfake", "internal/disk/faulty", "internal/disk/memory", "internal/e2e", "internal/fleettest", "internal/jsonshape", "internal/long", "internal/pages", "internal/testenv", "internal/testpki", "packaging", "render/funcs/quotetest", "watch/sim"}

// mostImports bounds how many rooms those may import that bring others together.
var mostImports = map[string]int{"cmd/rendered": 12, "watch": 6}

// Imports run down the floors, and each room imports no more than ARCHITECTURE.md has for it.
func TestRooms(t *testing.T) {
	text, err := os.ReadFile("../../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	may := make(map[string]string)
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|.*\\|(.*)\\|$").FindAllStringSubmatch(string(text), -1) {
		may[row[1]] = row[2]
	}
	floors := []string{"internal", "sources", "render", "watch", "cmd"}
	floor := func(room string) int { return slices.Index(floors, strings.SplitN(room, "/", 2)[0]) }
	const module = "github.com/rendered/rendered/"
	found := make(map[string]map[string]bool) // what each room imports
	err = filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		room, err := filepath.Rel("../..", filepath.Dir(path))
		if err != nil || strings.HasPrefix(room, ".") || strings.Contains(room, "testdata") || slices.ContainsFunc(forTests, func(r string) bool { return room == r || strings.HasPrefix(room, r+"/") }) {
			return err
		}
		if match, err := gobuild.Default.MatchFile(filepath.Dir(path), d.Name()); err != nil || !match {
			return err // it is in no program but that of a test
		}
		if found[room] == nil {
			found[room] = make(map[string]bool)
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			imported, ours := strings.CutPrefix(name, module)
			if !ours {
				continue
			}
			found[room][imported] = true
			switch {
			case floor(imported) > floor(room):
				t.Errorf("%s imports %s, which is on a floor above it", path, imported)
			case slices.ContainsFunc(forTests, func(r string) bool { return imported == r || strings.HasPrefix(imported, r+"/") }):
				t.Errorf("%s imports %s, which is for tests", path, imported)
			case !strings.Contains(may[room], "`"+imported+"`"):
				t.Errorf("%s imports %s; ARCHITECTURE.md lets %s import%s", path, imported, room, may[room])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for room, imports := range found {
		if _, known := may[room]; !known {
			t.Errorf("ARCHITECTURE.md does not say what %s is", room)
		}
		if most, bounded := mostImports[room]; bounded && len(imports) > most {
			t.Errorf("%s imports %d rooms, and may import %d", room, len(imports), most)
		}
	}
	for room := range may {
		if strings.Contains(room, "/") && floor(room) >= 0 && found[room] == nil {
			t.Errorf("ARCHITECTURE.md has a room %s, which is not there", room)
		}
	}
	if len(found) < 25 {
		t.Errorf("only %d rooms", len(found))
	}
}

// go test ./... -long reaches every test: those of a package that does not know the flag would
// fail.
func TestLongIsKnownEverywhere(t *testing.T) {
	knows := make(map[string]bool)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		knows[filepath.Dir(path)] = knows[filepath.Dir(path)] || strings.Contains(string(text), "rendered/internal/long\"")
		return err
	})
	if err != nil || len(knows) < 30 {
		t.Fatalf("%d packages, %v", len(knows), err)
	}
	for dir, does := range knows {
		if !does {
			t.Errorf("the tests of %s do not import internal/long", dir)
		}
	}
}
