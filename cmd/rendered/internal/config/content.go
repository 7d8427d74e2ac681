package config

import (
	"path/filepath"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/lazyregexp"
)

// beneath is the File of a place in a text of the config that the config does not show as it is:
// the place where that text begins, and its key.
var beneath = lazyregexp.New(`^(.*):(\d+):(\d+): (?:content|each|path|cert|key)$`)

// Locate gives where on the disk a place is: messages call templates as the config writes their
// paths, and what is in a text that the config does not show as it is counts from that text.
func (c *Config) Locate(p fault.Place) fault.Place {
	if m := beneath.FindStringSubmatch(p.File); m != nil {
		line, _ := strconv.Atoi(m[2])
		column, _ := strconv.Atoi(m[3])
		return fault.Place{File: m[1], Line: line, Column: column}
	}
	if p.File != "" && !filepath.IsAbs(p.File) {
		p.File = c.templateCalled(p.File)
	}
	return p
}

// templateCalled gives the path of a template, or of a partial beside one, that messages call so.
func (c *Config) templateCalled(name string) string {
	prefix := func(written string) string { return strings.TrimSuffix(written, filepath.Base(written)) }
	for _, s := range c.Services {
		for _, f := range s.Files {
			if t := f.Template; t.Path != "" && prefix(t.Written) == prefix(name) {
				return filepath.Join(t.Dir, filepath.Base(name))
			}
		}
	}
	return name
}

// readContent reads a template that stands in the config, and how its places map to those of the
// config.
func (r *reader) readContent(n *yaml.Node, where string, t *Template) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		r.fault(n, where, "here must be a text, not "+kindOf(n), r.quoteHint(n)...)
		return
	}
	t.Content, t.Place, t.Dir = n.Value, r.place(n), dirOf(r.path)
	line, column, exact := r.mapped(n)
	if !exact {
		// A place in the content is then one beneath the place where the content begins.
		t.Place.File, t.Place.Line, t.Place.Column = t.Place.String()+": "+where[strings.LastIndexByte(where, '.')+1:], 0, 0
		return
	}
	t.Line, t.Column = line, column
}

// mapped gives what to add to a line and a column of a text to find it in the file. It is exact
// where the file shows every line of the text as it is: after |, and on one line without escapes.
func (r *reader) mapped(n *yaml.Node) (line, column int, exact bool) {
	if n.Style&yaml.LiteralStyle != 0 {
		column, exact = r.block(n)
		return n.Line, column, exact
	}
	column = n.Column - 1
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		column++
	}
	runes := []rune(r.text(n.Line))
	exact = !strings.Contains(n.Value, "\n") && column <= len(runes) && strings.HasPrefix(string(runes[column:]), n.Value)
	return n.Line - 1, column, exact
}

// block gives the indentation of a text after |, and whether the lines below its own are the
// text's.
func (r *reader) block(n *yaml.Node) (indent int, exact bool) {
	first := true
	for i, line := range strings.Split(strings.TrimRight(n.Value, "\n"), "\n") {
		text := r.text(n.Line + 1 + i)
		switch {
		case line == "":
			if strings.Trim(text, " ") != "" {
				return 0, false
			}
			continue
		case first:
			indent, first = len(text)-len(line), false
		}
		if indent < 0 || text != strings.Repeat(" ", indent)+line {
			return 0, false
		}
	}
	return indent, true
}

// quoteHint says how to write a text that YAML takes for a map or a list because of what it begins
// with.
func (r *reader) quoteHint(n *yaml.Node) []string {
	runes := []rune(r.text(n.Line))
	if n.Column < 1 || n.Column > len(runes) {
		return nil
	}
	for _, left := range []string{"{{", "[["} {
		if strings.HasPrefix(string(runes[n.Column-1:]), left) {
			return []string{"put quotes around a text that begins with " + left + ", or begin it on the next line after |"}
		}
	}
	return nil
}
