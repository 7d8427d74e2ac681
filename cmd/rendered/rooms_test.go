package main

import (
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
var forTests = []string{"internal/awsfake", "internal/disk/faulty", "internal/disk/memory", "internal/testpki", "packaging", "render/funcs/quotetest", "watch/sim"}

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
	found := make(map[string]bool)
	err = filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		room, err := filepath.Rel("../..", filepath.Dir(path))
		if err != nil || strings.HasPrefix(room, ".") || strings.Contains(room, "testdata") || slices.ContainsFunc(forTests, func(r string) bool { return room == r || strings.HasPrefix(room, r+"/") }) {
			return err
		}
		found[room] = true
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			imported, ours := strings.CutPrefix(name, module)
			switch {
			case !ours:
			case floor(imported) > floor(room):
				t.Errorf("%s imports %s, which is on a floor above it", path, imported)
			case slices.ContainsFunc(forTests, func(r string) bool { return imported == r || strings.HasPrefix(imported, r+"/") }):
				t.Errorf("%s imports %s, which is for tests", path, imported)
			case room != "cmd/rendered" && !strings.Contains(may[room], "`"+imported+"`"):
				t.Errorf("%s imports %s; ARCHITECTURE.md lets %s import%s", path, imported, room, may[room])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for room := range found {
		if _, known := may[room]; !known {
			t.Errorf("ARCHITECTURE.md does not say what %s is", room)
		}
	}
	for room := range may {
		if strings.Contains(room, "/") && floor(room) >= 0 && !found[room] {
			t.Errorf("ARCHITECTURE.md has a room %s, which is not there", room)
		}
	}
	if len(found) < 25 {
		t.Errorf("only %d rooms", len(found))
	}
}
