// Package recipes writes the recipes of the cookbook to directories, as something to begin with.
package recipes

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/rendered/rendered/docs/cookbook"
	"github.com/rendered/rendered/internal/fault"
)

// Names of what each recipe has.
const (
	page       = "README.md"
	configFile = "rendered.yaml"
	valuesFile = "values.yaml"
)

// A recipe is a config with its templates and values, and a page that explains it.
type recipe struct {
	name  string
	files map[string]string // by name
}

// Names gives the names of all recipes, sorted.
func Names() (list []string) {
	entries, _ := fs.ReadDir(cookbook.Recipes, ".") // what is compiled in can be read
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// List prints the recipes, a line each.
func List(w io.Writer) error {
	widest := 0
	for _, name := range Names() {
		widest = max(widest, len(name))
	}
	for _, name := range Names() {
		r, err := find(name)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%-*s  %s\n", widest, name, r.title()); err != nil {
			return err
		}
	}
	return nil
}

// find gives the recipe of a name. The error says what may be meant.
func find(name string) (recipe, error) {
	r := recipe{name: name, files: make(map[string]string)}
	entries, err := fs.ReadDir(cookbook.Recipes, name)
	if err != nil || path.Base(name) != name || name == "." {
		if near := fault.Near(name, Names()); near != "" {
			return r, fmt.Errorf("there is no recipe %q; did you mean %q?", name, near)
		}
		return r, fmt.Errorf("there is no recipe %q, but %s", name, strings.Join(Names(), ", "))
	}
	for _, e := range entries {
		text, err := fs.ReadFile(cookbook.Recipes, name+"/"+e.Name())
		if err != nil {
			return r, err
		}
		r.files[e.Name()] = string(text)
	}
	return r, nil
}

// title says in a line what the recipe is for.
func (r recipe) title() string {
	first, _, _ := strings.Cut(r.files[page], "\n")
	return strings.TrimPrefix(first, "# ")
}
