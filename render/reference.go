package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/rendered/rendered/internal/fault"
)

// A Function is what is said of a function of templates. All of it is plain text on one line, but
// for what an example prints.
type Function struct {
	Group   string // what it is for, as "Quotes"
	Name    string
	Args    string // in capitals; … stands for more, and what is in brackets may be left out; "" is none
	Gives   string // what it gives
	Fails   string // when it fails, beyond an argument of another kind; "" is never
	Example string // a template
	Prints  string // what the example prints, with the values of ExampleData
	Like    string // the function that it is by another name; "" is none
}

// ExampleData is what the examples work with: the config's vars, the file of values, the
// environment, and files beside the template, one of which is a partial.
var ExampleData = struct {
	Vars   map[string]any
	Values string
	Env    map[string]string
	Files  map[string]string
}{
	Vars: map[string]any{"list": []any{"x", "y", "z"}, "map": map[string]any{"a": 1, "b": 2}},
	Values: `secrets:
  prod/db: {username: app, password: hunter2, limits: {max: 20, min: 5}}
  prod/db:AWSPREVIOUS: {username: app, password: hunter1}
  prod/keystore: !!binary /u3+7Q==
params:
  /app/host: db.example.com
  /app/zones: [a, b]
  /app/servers/web-1: 10.0.0.1
  /app/servers/web-2: 10.0.0.2
  /app/servers/eu/b: 10.1.0.2
imds: {placement/region: eu-west-1}
aws: {region: eu-west-1, account: "111111111111"}
`,
	Env:   map[string]string{"STAGE": "prod"},
	Files: map[string]string{"motd": "welcome\n", "_part.tmpl": "a is {{ .a }}"},
}

// Functions gives every function that a template may call, group by group, and behind each those
// that are it by another name. The list is the caller's.
func Functions() []Function { return slices.Clone(reference()) }

var reference = sync.OnceValue(func() (list []Function) {
	for _, g := range referenceGroups {
		for _, e := range g.functions {
			f := Function{g.title, e.name, e.args, e.gives, e.fails, e.example, e.prints, ""}
			list = append(list, f)
			for _, name := range functionNames() {
				if likeOf(name) == e.name {
					like := f
					like.Name, like.Like = name, e.name
					like.Example = strings.ReplaceAll(f.Example, e.name+" ", name+" ")
					list = append(list, like)
				}
			}
		}
	}
	return list
})

// likeOf gives the function that one is by another name; "" where it is none.
func likeOf(name string) string {
	plain, must := strings.CutPrefix(name, "must")
	if must && plain != "" {
		plain = strings.ToLower(plain[:1]) + plain[1:]
		return cmp.Or(also[plain], plain)
	}
	return also[name]
}

// FunctionNamed gives a function by its name. What other programs know by it is said in the fault,
// and which of ours may be meant.
func FunctionNamed(name string) (Function, *fault.Fault) {
	if i := slices.IndexFunc(reference(), func(f Function) bool { return f.Name == name }); i >= 0 {
		return reference()[i], nil
	}
	failed := &fault.Fault{What: fmt.Sprintf("there is no function %q", name)}
	if failed.Hints = new(Template).foreignHint(foreignCall{name: name}); failed.Hints != nil {
		return Function{}, failed
	}
	if near := fault.Near(name, functionNames()); near != "" {
		failed.What += "; did you mean " + near + "?"
	}
	return Function{}, failed
}

// Signature writes a call of the function.
func (f Function) Signature() string { return strings.TrimSpace(f.Name + " " + f.Args) }
