package config

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/fault"
)

// CasesSuffix ends the name of a file of test cases. One in conf.d is no part of the config.
const CasesSuffix = ".test.yaml"

// Cases are the test cases of one template, as a file has them.
type Cases struct {
	Path     string
	Config   string // path of the config that it is of; "" where the file does not say
	Written  string // path of a file of the config, as the config writes it or absolute; "": that is not said
	Template Template
	// At is where the path or the template is named, or the file.
	At   fault.Place
	List []Case
}

// A Case is what a template is given, and what is expected of it. What the file says for all its
// cases is in each, where the case does not say it.
type Case struct {
	Name     string
	Place    fault.Place
	Vars     map[string]any
	Env      map[string]string
	Files    map[string]string // texts of local files, by absolute path
	Hostname string            // "" is not set
	Key      string            // of the file that is meant, where there is one for each; "" is not said
	// Values are mappings as a values file has them, or texts that are paths of values files, of
	// which a later one goes before.
	Values []*yaml.Node

	// One of them is set.
	Want    *string
	Golden  string         // path of the file that holds what is expected
	Error   string         // a part of the fault that is expected
	Matches *regexp.Regexp // likewise
}

// given are the keys that a file of cases has for all of them, and each case for itself.
type given struct {
	vars       map[string]any
	env, files map[string]string
	hostname   string
	values     *yaml.Node
}

// ReadCases reads a file of test cases, and gives everything that is wrong with it.
func ReadCases(path string) (*Cases, fault.List) {
	var faults fault.List
	c := &Cases{Path: path, At: fault.Place{File: path}}
	r, root := open(Machine, make(links), path, &faults, func(_ string, err error) []string { return permissionHint(err) })
	if root == nil {
		return c, faults
	}
	r.tags(root, root) // those of values are theirs
	var all given
	var cases, template, written *yaml.Node
	known := all.fields(r)
	known["config"] = kept(&c.Config, r.filePathOf)
	known["path"] = func(n *yaml.Node, where string) { written = n; kept(&c.Written, r.writtenPathOf)(n, where) }
	known["template"] = func(n *yaml.Node, where string) {
		template = n
		if path, ok := r.filePathOf(n, where); ok {
			c.Template = Template{Path: path, Written: n.Value, Dir: dirOf(path), Place: r.place(n)}
		}
	}
	known["cases"] = func(n *yaml.Node, _ string) { cases = n }
	good := r.mapping(root, "", &ofCases, known)
	switch {
	case template != nil && written != nil:
		r.fault(template, "", "template: or path:, not both", "path: is that of a file of the config, whose template it is then")
	case written != nil:
		c.At = r.place(written)
	case template != nil:
		c.At = r.place(template)
	default:
		c.Template = besideCases(path)
	}
	if cases != nil {
		c.read(r, cases, all)
	} else if good {
		r.fault(root, "", "there are no cases", `cases: [{name: as it is, want: "a line\n"}]`)
	}
	return c, faults
}

// writtenPathOf reads a path, or one with actions as it is written.
func (r *reader) writtenPathOf(n *yaml.Node, where string) (string, bool) {
	if text, ok := r.pathText(n, where); !ok || isTemplate(text) {
		return text, ok
	}
	return r.filePathOf(n, where)
}

// besideCases gives the template that a file of cases is called after.
func besideCases(path string) Template {
	path = strings.TrimSuffix(path, CasesSuffix) + ".tmpl"
	return Template{Path: path, Written: filepath.Base(path), Dir: dirOf(path)}
}

// The keys of a file of cases, and of a case. They are not of the config.
var (
	ofCases = Section{Title: "cases", Keys: keysCalled("cases", "config", "env", "files", "hostname", "path", "template", "values", "vars")}
	ofCase  = Section{Title: "cases[]", Keys: keysCalled("env", "error", "error_matches", "files", "golden", "hostname", "key", "name", "values", "vars", "want")}
)

func keysCalled(names ...string) (keys []Key) {
	for _, name := range names {
		keys = append(keys, Key{Name: name})
	}
	return keys
}

// kept gives a field that keeps what is read, where it can be.
func kept[T any](to *T, read func(*yaml.Node, string) (T, bool)) field {
	return func(n *yaml.Node, where string) {
		if v, ok := read(n, where); ok {
			*to = v
		}
	}
}

func (g *given) fields(r *reader) fields {
	return fields{
		"vars":     kept(&g.vars, r.varsOf),
		"env":      kept(&g.env, r.textsOf),
		"hostname": kept(&g.hostname, r.textOf),
		"values":   func(n *yaml.Node, _ string) { g.values = n },
		"files": func(n *yaml.Node, where string) {
			g.files = make(map[string]string)
			texts, _ := r.textsOf(n, where)
			for path, text := range texts {
				g.files[r.absolute(path)] = text
			}
		},
	}
}

// textsOf reads a mapping of names to texts, which may be empty.
func (r *reader) textsOf(n *yaml.Node, where string) (map[string]string, bool) {
	texts := make(map[string]string)
	r.pairs(n, where, "names to texts", func(key, value *yaml.Node) {
		if text, ok := r.anyTextOf(value, join(where, key.Value)); ok {
			texts[key.Value] = text
		}
	})
	return texts, true
}

// anyTextOf is textOf of a text that may be empty, or hold anything.
func (r *reader) anyTextOf(n *yaml.Node, where string) (string, bool) {
	if n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
		return n.Value, true
	}
	r.fault(n, where, "here must be a text, not "+kindOf(n), r.quoteHint(n)...)
	return "", false
}

func (c *Cases) read(r *reader, n *yaml.Node, all given) {
	lines := make(map[string]int) // by name
	r.list(n, "cases", func(n *yaml.Node, where string) {
		one := Case{Place: r.place(n)}
		var own given
		var name *yaml.Node
		known := own.fields(r)
		known["name"] = func(n *yaml.Node, where string) { name = n; kept(&one.Name, r.textOf)(n, where) }
		known["key"] = kept(&one.Key, r.textOf)
		good := one.expectations(r, n, where, known)
		switch {
		case name == nil && good:
			r.fault(n, where, "a case has a name", "name: what it shows")
		case one.Name != "" && lines[one.Name] > 0:
			r.fault(name, where, fmt.Sprintf("two cases are called %q; the other is in line %d", short(one.Name), lines[one.Name]))
		case name != nil:
			lines[one.Name] = name.Line
		}
		one.take(all)
		one.take(own)
		c.List = append(c.List, one)
	})
	if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		r.fault(n, "", "there are no cases")
	}
}

// take takes what is given, before what was taken.
func (c *Case) take(g given) {
	c.Vars = merged(c.Vars, g.vars, nil)
	c.Env, c.Files = over(c.Env, g.env), over(c.Files, g.files)
	if g.hostname != "" {
		c.Hostname = g.hostname
	}
	if g.values != nil {
		c.Values = append(c.Values, g.values)
	}
}

func over(all, own map[string]string) map[string]string {
	texts := make(map[string]string)
	for _, from := range []map[string]string{all, own} {
		for name, text := range from {
			texts[name] = text
		}
	}
	return texts
}

// expectations reads a case, of which one thing is expected.
func (c *Case) expectations(r *reader, n *yaml.Node, where string, known fields) bool {
	expects := 0
	expect := func(read field) field {
		return func(n *yaml.Node, where string) {
			expects++
			read(n, where)
		}
	}
	known["want"] = expect(func(n *yaml.Node, where string) {
		if text, ok := r.anyTextOf(n, where); ok {
			c.Want = &text
		}
	})
	known["golden"] = expect(func(n *yaml.Node, where string) {
		path, ok := r.filePathOf(n, where)
		if ok && !filepath.IsLocal(n.Value) {
			r.fault(n, where, "a golden file stands beside the cases, or below them", "--update writes it")
		}
		c.Golden = path
	})
	known["error"] = expect(kept(&c.Error, r.textOf))
	known["error_matches"] = expect(kept(&c.Matches, parsed(r, func(text string) (*regexp.Regexp, *refusal) {
		matches, err := regexp.Compile(text)
		if err != nil {
			return nil, refuse("not a regular expression: "+err.Error(), "https://pkg.go.dev/regexp/syntax")
		}
		return matches, nil
	})))
	good := r.mapping(n, where, &ofCase, known)
	if good && expects != 1 {
		r.fault(n, where, "a case expects one thing", "want: a text, golden: a file, error: a part of what is said, or error_matches: a regular expression")
	}
	return good
}

// VarsOfAll gives the vars that hold for all services.
func (c *Config) VarsOfAll() map[string]any { return c.vars }
