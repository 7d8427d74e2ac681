// Package manual writes a command tree and the functions of templates as manual pages, and says
// what the functions are. cobra has a generator of its own, which takes what a verb says of itself
// for Markdown: of the configs shown there it makes running text, and it wants a Markdown parser
// for that.
package manual

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
)

// A Book is what all pages have in common.
type Book struct {
	Version string
	Date    string   // of the version, as 2026-11-24; "" is none
	SeeAlso []string // pages of others that belong to each, as "app.conf(5)"
}

// Write makes a page for the program and one for each of its verbs, in section 1, and one for the
// functions of templates, in section 7, in a directory that is there. The same tree gives the same
// bytes.
func (b Book) Write(root *cobra.Command, dir string) error {
	for _, cmd := range all(root) {
		path := filepath.Join(dir, name(cmd)+".1")
		if err := os.WriteFile(path, []byte(b.page(cmd)), 0o644); err != nil {
			return err
		}
	}
	return b.writeFunctions(root.Name(), dir)
}

// all gives the commands that have a page: the program, its verbs, and those of each verb.
// completion's are about shells, and stand on its own page.
func all(root *cobra.Command) []*cobra.Command {
	list := []*cobra.Command{root}
	for _, v := range verbs(root) {
		if list = append(list, v); v.Name() != "completion" {
			list = append(list, verbs(v)...)
		}
	}
	return list
}

// verbs gives those that a user is shown. help has nothing to say that the pages do not.
func verbs(cmd *cobra.Command) (list []*cobra.Command) {
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" {
			list = append(list, c)
		}
	}
	return list
}

// name gives the name of a command's page.
func name(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// page gives one page in the language of man(7).
func (b Book) page(cmd *cobra.Command) string {
	var p page
	root := cmd.Root().Name()
	p.line(fmt.Sprintf(`.TH "%s" "1" "%s" "%s" "User Commands"`, escape(strings.ToUpper(name(cmd))), b.Date, escape(root+" "+b.Version)))
	p.macro("SH", "NAME")
	p.line(escape(name(cmd)) + ` \- ` + escape(cmd.Short))
	p.macro("SH", "SYNOPSIS")
	p.synopsis(cmd)
	if cmd.Long != "" {
		p.macro("SH", "DESCRIPTION")
		p.text(cmd.Long)
	}
	p.commands(cmd)
	p.flags("OPTIONS", cmd.NonInheritedFlags())
	p.flags("OPTIONS OF EVERY COMMAND", cmd.InheritedFlags())
	if cmd.Example != "" {
		p.macro("SH", "EXAMPLES")
		p.verbatim(fitted(strings.Split(cmd.Example, "\n")))
	}
	p.seeAlso(cmd, b.SeeAlso)
	return p.String()
}

// A page is written from top to bottom.
type page struct{ strings.Builder }

func (p *page) line(text string) { fmt.Fprintln(p, text) }

func (p *page) macro(name string, args ...string) {
	p.WriteString("." + name)
	for _, a := range args {
		p.WriteString(` "` + escape(a) + `"`)
	}
	p.line("")
}

// synopsis shows how a command is called. The first words are its path, the rest stands for
// arguments.
func (p *page) synopsis(cmd *cobra.Command) {
	arguments := strings.TrimSpace(strings.TrimPrefix(cmd.UseLine(), cmd.CommandPath()))
	if len(verbs(cmd)) > 0 {
		arguments = strings.TrimSpace("COMMAND " + arguments)
	}
	p.macro("B", cmd.CommandPath())
	if arguments != "" {
		p.line(escape(arguments))
	}
}

func (p *page) commands(cmd *cobra.Command) {
	if len(verbs(cmd)) == 0 {
		return
	}
	p.macro("SH", "COMMANDS")
	for _, c := range verbs(cmd) {
		p.macro("TP")
		p.macro("B", c.Name())
		p.line(escape(c.Short))
	}
}

func (p *page) flags(title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	p.macro("SH", title)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		argument, usage := pflag.UnquoteUsage(f)
		p.macro("TP")
		names := `\fB\-\-` + escape(f.Name) + `\fR`
		if f.Shorthand != "" {
			names = `\fB\-` + escape(f.Shorthand) + `\fR, ` + names
		}
		if argument != "" {
			names += ` \fI` + escape(argument) + `\fR`
		}
		p.line(names)
		if value := f.DefValue; value != "" && value != "false" && value != "[]" {
			usage += "; default: " + value
		}
		p.line(escape(usage))
	})
	p.macro("TP")
	p.line(`\fB\-h\fR, \fB\-\-help\fR`)
	p.line("show what the command does and its options")
}

func (p *page) seeAlso(cmd *cobra.Command, others []string) {
	p.macro("SH", "SEE ALSO")
	var pages []string
	for _, c := range all(cmd.Root()) {
		isNear := c.Parent() == nil || c.Parent() == cmd.Root() || c.Parent() == cmd || c.Parent() == cmd.Parent()
		if c != cmd && isNear {
			pages = append(pages, name(c)+"(1)")
		}
	}
	for i, page := range append(pages, others...) {
		name, section, _ := strings.Cut(page, "(")
		comma := ","
		if i == len(pages)+len(others)-1 {
			comma = ""
		}
		p.line(`.BR ` + escape(name) + ` (` + escape(section) + comma)
	}
}

// besideMargins is how wide an indented line may be, its indent included, on a page of 80 columns.
const besideMargins = 72

// isListed tells whether a line is of a list whose words are explained on their right.
func isListed(line string) bool {
	_, text, is := strings.Cut(strings.TrimLeft(line, " "), "  ")
	return is && !strings.HasPrefix(strings.TrimLeft(text, " "), "#")
}

// fitted breaks lines of lists that are too wide, and leaves what is to be typed as it is.
func fitted(block []string) (lines []string) {
	for _, line := range block {
		if isListed(line) {
			line = console.Fitted(line, besideMargins)
		}
		lines = append(lines, strings.Split(line, "\n")...)
	}
	return lines
}

// text writes paragraphs. What is indented stays as it is, but for lists that are too wide.
func (p *page) text(text string) {
	var block []string
	flush := func() {
		p.verbatim(fitted(block))
		block = nil
	}
	for line := range strings.Lines(strings.TrimSpace(text)) {
		line = strings.TrimRight(line, " \t\n")
		switch {
		case strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "\t") || line == "" && block != nil:
			block = append(block, line)
		case line == "":
			p.macro("PP")
		default:
			if block != nil {
				flush()
				p.macro("PP")
			}
			p.line(escape(line))
		}
	}
	flush()
}

// verbatim shows lines as they are.
func (p *page) verbatim(lines []string) {
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	if len(lines) == 0 {
		return
	}
	p.macro("RS", "2")
	p.macro("nf")
	for _, line := range lines {
		p.line(escape(strings.TrimPrefix(line, "  ")))
	}
	p.macro("fi")
	p.macro("RE")
}

var escapes = strings.NewReplacer(`\`, `\e`, `-`, `\-`, `'`, `\(aq`, "`", `\(ga`, `^`, `\(ha`, `~`, `\(ti`, `"`, `\(dq`, "\t", "    ")

// escape makes text stand for itself, in a line and in the argument of a macro, also where nobody
// says how it is encoded.
func escape(text string) string {
	var b strings.Builder
	for _, r := range escapes.Replace(text) {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\[u%04X]`, r)
		}
	}
	text = b.String()
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}
