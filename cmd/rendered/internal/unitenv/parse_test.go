package unitenv

import (
	"maps"
	"slices"
	"testing"

	"github.com/rendered/rendered/render/format"
	"github.com/rendered/rendered/render/funcs"
	"github.com/rendered/rendered/render/funcs/quotetest"
)

// An environment file means what systemd makes of it.
func TestEnvironmentFile(t *testing.T) {
	for _, f := range quotetest.EnvironmentFiles {
		settings, refused := parse(f.Text)
		if got := assignments(settings); !slices.Equal(got, f.Sets) || (refused != nil) != f.Refused {
			t.Errorf("%q: %q, %v; want %q, refused: %v", f.Text, got, refused, f.Sets, f.Refused)
		}
	}
}

// assignments gives what processes have of settings: NAME=value, sorted, the last of a name.
func assignments(settings []setting) []string {
	values := make(map[string]string)
	for _, s := range settings {
		values[s.name] = s.value
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		list = append(list, name+"="+values[name])
	}
	return list
}

// FuzzEnvironmentFile wants every file to be read without a panic, every text that envQuote writes
// to come back, and every name that format: dotenv lets pass to be found.
func FuzzEnvironmentFile(f *testing.F) {
	for _, file := range quotetest.EnvironmentFiles {
		f.Add(file.Text)
	}
	envQuote := funcs.Map()["envQuote"].(func(any) (string, error))
	dotenv, err := format.Parse("dotenv")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, refused := parse(text)
		for _, v := range list {
			if !validName.MatchString(v.name) || len(v.value) > len(text) {
				t.Errorf("%q: %q", text, v)
			}
		}
		if tree, failed := dotenv.Tree([]byte(text)); failed == nil {
			var names, want []string
			for _, v := range list {
				names = append(names, v.name)
			}
			for _, entry := range tree.Nodes {
				want = append(want, entry.Nodes[0].Text)
			}
			if refused != nil || !slices.Equal(names, want) {
				t.Errorf("%q: %q, %v; format: dotenv finds %q", text, names, refused, want)
			}
		}
		if quoted, failed := envQuote(text); failed == nil {
			list, refused := parse("A=" + quoted + "\nB=1\n")
			if want := []setting{{"A", text}, {"B", "1"}}; refused != nil || !slices.Equal(list, want) {
				t.Errorf("%q, written %s, is read as %q, %v", text, quoted, list, refused)
			}
		}
	})
}
