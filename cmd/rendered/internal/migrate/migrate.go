package migrate

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/migrate/rewrite"
	"github.com/rendered/rendered/cmd/rendered/internal/newdir"
	"github.com/rendered/rendered/internal/fault"
)

// Options say what is migrated, and where to.
type Options struct {
	Program string   // one of Programs
	Paths   []string // of its configs
	Output  string   // the directory that is written
	Names   string   // a table of names of secrets; "" is none
	Backend string   // of confd; "": as its config says
	Prefix  string   // likewise
	// Templates are templates of consul-template as its flag -template has them, SOURCE:DESTINATION
	// and perhaps :COMMAND.
	Templates []string
	Interval  time.Duration
	Quote     bool // quote values for the notation of their file
	JSON      bool
}

// Programs are the names of programs that Run knows.
var Programs = []string{"confd", "consul-template", "vault-agent"}

// A Document is what programs read of it.
type Document struct {
	Directory string          `json:"directory"`
	Created   []string        `json:"created"`
	Services  []Service       `json:"services"`
	Secrets   []Secret        `json:"secrets"`
	Todo      []RemarkOfPlace `json:"todo"`
	Notes     []RemarkOfPlace `json:"notes"`
}

// A Service is one that was written.
type Service struct {
	Name  string `json:"name"`
	Files []File `json:"files"`
}

// A File is one of its files.
type File struct {
	Path     string `json:"path"`
	Template string `json:"template"`
	From     string `json:"from"` // what it was
}

// A Secret is what a path is called here.
type Secret struct {
	Path string `json:"path"`
	Name string `json:"name"`
}

// A RemarkOfPlace is what is to be done or to be known.
type RemarkOfPlace struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	What   string `json:"what"`
}

// Run writes a config for one of another program, and reports what it wrote and what is left to do.
// It reports false where something is left to do. The error is a fault.List.
func Run(o Options, stdout, stderr io.Writer) (bool, error) {
	paths, failed := readNames(o.Names)
	if failed != nil {
		return false, fault.List{failed}
	}
	s := &setup{paths: paths}
	read := map[string]func(Options, *setup) error{"confd": readConfd, "consul-template": readConsulTemplate, "vault-agent": readVaultAgent}[o.Program]
	if err := read(o, s); err != nil {
		return false, err
	}
	templates, of := s.rewriteAll(o.Quote)
	groups := s.groups()
	files := maps.Clone(templates)
	files[configFile] = s.config(o.Program+" of "+strings.Join(slices.Concat(o.Paths, o.Templates), " "), groups, of)
	if table := s.paths.table(o.Program); table != "" {
		files[namesFile] = table
	}
	if failed := newdir.Write(o.Output, files, "", "name another directory: --output DIR"); failed != nil {
		return false, fault.List{failed}
	}
	d := s.document(o, newdir.Names(files), groups, of)
	if o.JSON {
		console.JSON(stdout, d)
	} else {
		d.print(stdout, stderr)
	}
	return len(d.Todo) == 0, nil
}

// document makes the report.
func (s *setup) document(o Options, created []string, groups []*group, of map[*file]string) Document {
	d := Document{Directory: o.Output, Created: []string{}, Services: []Service{}, Secrets: []Secret{}, Todo: []RemarkOfPlace{}, Notes: []RemarkOfPlace{}}
	for _, name := range created {
		d.Created = append(d.Created, filepath.Join(o.Output, name))
	}
	for _, path := range slices.Sorted(maps.Keys(s.paths.found)) {
		d.Secrets = append(d.Secrets, Secret{path, s.paths.found[path]})
	}
	remarks := append(slices.Clone(s.remarks), s.inTemplates...)
	for _, g := range groups {
		service := Service{Name: g.name}
		for _, f := range g.files {
			remarks = append(remarks, f.todo...)
			service.Files = append(service.Files, File{f.path, of[f], f.at})
		}
		d.Services = append(d.Services, service)
	}
	slices.SortStableFunc(remarks, func(a, b rewrite.Remark) int { return strings.Compare(a.Place.File, b.Place.File) })
	for _, r := range remarks {
		said := RemarkOfPlace{r.Place.File, r.Place.Line, r.Place.Column, r.What}
		if r.Todo {
			d.Todo = append(d.Todo, said)
		} else {
			d.Notes = append(d.Notes, said)
		}
	}
	return d
}

// print writes the report for people: what there is on standard output, remarks on standard error.
func (d Document) print(stdout, stderr io.Writer) {
	files := 0
	for _, name := range d.Created {
		fmt.Fprintf(stdout, "created   %s\n", name)
	}
	for _, s := range d.Services {
		files += len(s.Files)
	}
	for _, r := range d.Notes {
		console.Say(stderr, "note: "+r.String())
	}
	for _, r := range d.Todo {
		console.Say(stderr, "TODO: "+r.String())
	}
	fmt.Fprintf(stdout, "migrated  %s in %s", console.Count(files, "file"), console.Count(len(d.Services), "service"))
	if len(d.Todo) > 0 {
		fmt.Fprintf(stdout, "; a person has %s to do, each with a comment TODO(migrate)", console.Count(len(d.Todo), "thing"))
	}
	next := "cd " + newdir.Quoted(d.Directory) + " && rendered check && rendered diff"
	if len(d.Todo) > 0 {
		next = "grep -rn -A1 'TODO(migrate)' " + newdir.Quoted(d.Directory)
	}
	fmt.Fprintf(stdout, "\nnext      %s\n", next)
}

func (r RemarkOfPlace) String() string {
	return fault.Place{File: r.File, Line: r.Line, Column: r.Column}.String() + ": " + r.What
}
