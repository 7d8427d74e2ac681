package manual

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render"
)

// widest is how many columns a call may have beside what it gives.
const widest = 24

// Functions prints what templates may call, a line each.
func Functions(out io.Writer) error {
	var b strings.Builder
	group := ""
	for _, f := range render.Functions() {
		if f.Group != group {
			group = f.Group
			b.WriteString("\n" + group + "\n")
		}
		if f.Like == "" {
			fmt.Fprintf(&b, "  %-*s  %s\n", widest, f.Signature(), f.Gives)
		}
	}
	b.WriteString("\nrendered functions NAME says when one fails, and shows an example. What begins with must is\nthe function without it.\n")
	_, err := io.WriteString(out, strings.TrimPrefix(console.Fitted(b.String(), console.Width(out)), "\n"))
	return err
}

// A Document is what programs read of functions.
type Document struct {
	Functions []FunctionEntry `json:"functions"`
}

// A FunctionEntry is what is said of one.
type FunctionEntry struct {
	Name      string `json:"name"`
	Group     string `json:"group"`
	Arguments string `json:"arguments,omitempty"`
	Gives     string `json:"gives"`
	Fails     string `json:"fails,omitempty"`
	Example   string `json:"example"`
	Prints    string `json:"prints"`
	As        string `json:"as,omitempty"` // the function that it is by another name
}

// JSON prints what is said of one function, or of all where there is no name, as a Document. That
// there is none of the name is a fault.List.
func JSON(out io.Writer, name string) error {
	list := render.Functions()
	if name != "" {
		f, failed := render.FunctionNamed(name)
		if failed != nil {
			return fault.List{failed}
		}
		list = []render.Function{f}
	}
	var d Document
	for _, f := range list {
		d.Functions = append(d.Functions, FunctionEntry{f.Name, f.Group, f.Args, f.Gives, f.Fails, f.Example, f.Prints, f.Like})
	}
	console.JSON(out, d)
	return nil
}

// FunctionNames gives the names that Functions and Function know.
func FunctionNames() (names []string) {
	for _, f := range render.Functions() {
		names = append(names, f.Name+"\t"+f.Signature())
	}
	return names
}

// Function prints what is said of one. That there is none is a fault.List.
func Function(out io.Writer, name string) error {
	f, failed := render.FunctionNamed(name)
	if failed != nil {
		return fault.List{failed}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n  gives    %s\n", f.Signature(), f.Gives)
	if f.Like != "" {
		fmt.Fprintf(&b, "  as       %s\n", f.Like)
	}
	if f.Fails != "" {
		fmt.Fprintf(&b, "  fails    %s\n", f.Fails)
	}
	text := console.Fitted(b.String(), console.Width(out))
	_, err := io.WriteString(out, text+"  example  "+f.Example+"\n"+under("  prints   ", f.Prints))
	return err
}

// under writes the lines of a text below one another behind a head.
func under(head, text string) string {
	pad := "\n" + strings.Repeat(" ", len(head))
	return strings.TrimRight(head+strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", pad), " ") + "\n"
}

// writeFunctions makes the page of the functions, in section 7.
func (b Book) writeFunctions(root, dir string) error {
	var p page
	name := root + "-functions"
	p.line(fmt.Sprintf(`.TH "%s" "7" "%s" "%s" "Templates"`, escape(strings.ToUpper(name)), b.Date, escape(root+" "+b.Version)))
	p.macro("SH", "NAME")
	p.line(escape(name) + ` \- functions of templates`)
	p.macro("SH", "DESCRIPTION")
	p.text("A template is one of Go's text/template, and may call these functions. Each gives what is said here or fails with its place; none gives zero, nothing or the notation of Go in its place. An argument of another kind is always an error. A function whose name begins with must is the one without it.")
	group := ""
	for _, f := range render.Functions() {
		if f.Group != group {
			group = f.Group
			p.macro("SH", strings.ToUpper(group))
		}
		if f.Like == "" {
			p.function(f)
		}
	}
	p.macro("SH", "VALUES OF THE EXAMPLES")
	p.text("The examples print what is shown where .list is x, y and z, .map has the keys a and b with 1 and 2, and a file of values answers:\n\n" + indented(render.ExampleData.Values))
	p.macro("SH", "SEE ALSO")
	p.line(`.BR ` + escape(root) + ` (1),`)
	p.line(`.BR ` + escape(root+"-functions") + ` (1)`)
	return os.WriteFile(filepath.Join(dir, name+".7"), []byte(p.String()), 0o644)
}

// function writes one of them.
func (p *page) function(f render.Function) {
	p.macro("TP")
	p.line(strings.TrimSpace(`\fB` + escape(f.Name) + `\fR ` + escape(f.Args)))
	p.line(escape(upperFirst(f.Gives) + "."))
	if f.Fails != "" {
		p.line(escape("It fails " + f.Fails + "."))
	}
	if names := others(f.Name); len(names) > 0 {
		p.line(escape("The same: " + strings.Join(names, ", ") + "."))
	}
	p.macro("RS")
	p.verbatim(strings.Split(indented(f.Example+"\n"+f.Prints), "\n"))
	p.macro("RE")
}

// others gives the names by which a function is there, too.
func others(name string) (names []string) {
	for _, f := range render.Functions() {
		if f.Like == name {
			names = append(names, f.Name)
		}
	}
	return names
}

func upperFirst(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

func indented(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n  ")
}

// FunctionTable gives the functions as a table of Markdown for each group.
func FunctionTable() string {
	var b strings.Builder
	group := ""
	for _, f := range render.Functions() {
		if f.Group != group {
			group = f.Group
			fmt.Fprintf(&b, "\n### %s\n\n| function | gives | fails | example | prints |\n|---|---|---|---|---|\n", group)
		}
		if f.Like != "" {
			continue
		}
		call := code(f.Signature())
		if names := others(f.Name); len(names) > 0 {
			call += ", also " + code(strings.Join(names, "`, `"))
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", call, cell(f.Gives), cell(f.Fails), code(f.Example), code(strings.ReplaceAll(f.Prints, "\n", "⏎")))
	}
	return strings.TrimPrefix(b.String(), "\n")
}

// code writes a text as Markdown has it between backquotes in a table.
func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(text, "|", `\|`) + "`"
}

var cells = strings.NewReplacer("|", `\|`, "<", "&lt;", "_", `\_`, "*", `\*`)

func cell(text string) string { return cells.Replace(text) }
