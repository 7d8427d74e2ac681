package lint

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/internal/lazyregexp"
	"github.com/rendered/rendered/render"
)

// A syntax is what a file is written in where a value must be quoted.
type syntax struct {
	quote  string // the function
	title  string // as people call the file
	breaks string // what of a value does not stand for itself there
}

const blankOrQuote = "a blank, a quote or a newline"

// syntaxes are those of formats, and of files that have none.
var syntaxes = map[string]syntax{
	"dotenv":     {"envQuote", "a file of environment variables", blankOrQuote},
	"json":       {"toJson", "JSON", blankOrQuote},
	"ini":        {"iniQuote", "an INI file", blankOrQuote},
	"properties": {"propertiesQuote", "a .properties file", `a \, a newline or a letter beyond ASCII`},
	"php":        {"phpQuote", "PHP", blankOrQuote},
	"hcl":        {"hclQuote", "HCL", blankOrQuote},
}

// formats are those of files that name none, by the end of their name.
var formats = map[string]string{
	".env": "dotenv", ".json": "json", ".ini": "ini", ".properties": "properties", ".php": "php", ".hcl": "hcl", ".tf": "hcl", ".tfvars": "hcl",
	".yaml": "yaml", ".yml": "yaml", ".toml": "toml", ".sh": "sh", ".cnf": "ini",
}

// formatOf gives the format that a file has, or has by the end of its name; "" where neither says.
func formatOf(f *config.File) string {
	return cmp.Or(f.Format.String(), formats[filepath.Ext(f.Path)])
}

// numberKey is the name of what is a number, or true or false, as a rule.
var numberKey = lazyregexp.New(`(?i)(^|[._-])(ports?|timeout|ttl|size|count|limit|number|max|min|seconds|interval|weight|enabled|disabled|debug)$`)

// unquoted finds values that no function quotes, in files where one would have to.
func (l *linter) unquoted(s Service) {
	for i := range s.Files {
		f, t := &s.Files[i], s.Templates[i]
		name := formatOf(f)
		in, known := syntaxes[name]
		if !known {
			continue
		}
		for _, value := range t.Bare() {
			if value.Alone || f.Format.String() == "json" && numberKey.MatchString(value.Key) && !quoted(value) {
				continue // the value is the file; or a number, and what is none does not parse
			}
			hint := fmt.Sprintf("{{ %s | %s }}", value.Call, in.quote)
			if quoted(value) {
				hint += ", without the quotes around it"
			}
			hints := []string{hint}
			if number, ok := strings.CutPrefix(value.Call, "secret "); ok && name == "json" && value.Key != "" {
				hints = append(hints, fmt.Sprintf("or, where the secret has a number, {{ secretMap %s | toJson }}", number))
			}
			l.note(s, config.Unquoted, value.Fault(fmt.Sprintf("%s stands in %s without quotes; a value with %s breaks the file", value.Of, in.title, in.breaks), hints...))
		}
	}
}

// quoted reports that a quote stands before an action.
func quoted(in render.Insertion) bool {
	before := []rune(in.Line) // an excerpt, where the line is long
	before = before[:min(max(in.Place.Column-1-in.Cut, 0), len(before))]
	text := strings.TrimRight(string(before), " -")
	text = strings.TrimRight(text, "{[<%")
	return strings.HasSuffix(text, `"`) || strings.HasSuffix(text, `'`)
}

// readers are the formats whose texts a function writes.
var readers = map[string][]string{
	"yamlQuote": {"yaml"}, "tomlQuote": {"toml"}, "hclQuote": {"hcl"}, "phpQuote": {"php"},
	"envQuote": {"dotenv", "sh"}, "shellQuote": {"dotenv", "sh"}, "dotenvQuote": {"dotenv"},
	"iniQuote": {"ini"}, "phpIniQuote": {"ini"}, "mycnfQuote": {"ini"}, "gitQuote": {"ini"},
}

// quotedTwice finds functions that write quotes and stand between some. Where those are of the
// other kind, a text of one format may be meant to stand in a text of another.
func (l *linter) quotedTwice(s Service) {
	for i, t := range s.Templates {
		format := formatOf(&s.Files[i])
		for _, found := range t.Requoted() {
			if !found.Ends && !slices.Contains(readers[found.Function], format) {
				continue
			}
			what := found.Function + " writes quotes of its own, and here it stands between quotes; the value gets quotes, or ends too early"
			l.note(s, config.QuotedTwice, found.Fault(what, fmt.Sprintf("{{ %s }}, without the quotes around it", found.Call)))
		}
	}
}
