package lint

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/lazyregexp"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/sources"
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
			l.note(s, config.Unquoted, warning(value.Place, value.Line,
				fmt.Sprintf("%s stands in %s without quotes; a value with %s breaks the file", value.Of, in.title, in.breaks), hints...))
		}
	}
}

// quoted reports that a quote stands before an action.
func quoted(in render.Insertion) bool {
	before := []rune(in.Line)
	before = before[:min(max(in.Place.Column-1, 0), len(before))]
	text := strings.TrimRight(string(before), " -")
	text = strings.TrimRight(text, "{[<%")
	return strings.HasSuffix(text, `"`) || strings.HasSuffix(text, `'`)
}

func warning(at fault.Place, line, what string, hints ...string) *fault.Fault {
	return &fault.Fault{Place: at, Line: line, What: what, Hints: hints}
}

// noNewline finds templates whose last line has no end.
func (l *linter) noNewline(s Service) {
	for i, t := range s.Templates {
		if at, ok := t.Unended(); ok {
			l.note(s, config.NoNewline, warning(at.Place, at.Line, s.Files[i].Path+" gets no newline at its end; some programs do not read its last line",
				"end the template's last line; in the config content: | keeps it"))
		}
	}
}

var jinja = lazyregexp.New(`\{%[-+]?\s*(if|for|set|else|elif|endif|endfor|include|block|macro|raw)\b.*?%\}`)

// jinja finds statements of Jinja.
func (l *linter) jinja(s Service) {
	for i, t := range s.Templates {
		for _, at := range t.Literal(jinja) {
			l.note(s, config.Jinja, warning(at.Place, at.Line, "this is Jinja's, and goes into "+s.Files[i].Path+" as it stands",
				"{{ if .name }}…{{ end }} and {{ range .list }}…{{ end }} are the statements of a template here"))
		}
	}
}

// toDo is what migrate writes before what it leaves to do.
var toDo = lazyregexp.New(`TODO\(migrate\):`)

// unfinished finds what migrate has left to do. In the config it is about the service that stands
// above it, or about all.
func (l *linter) unfinished(services []Service) {
	const what, hint = "migrate has left something to do here", "see to it, and take the comment out"
	of := func(at fault.Place) (last Service) {
		last.Service = &config.Service{}
		for _, s := range services {
			if s.Place.File == at.File && s.Place.Line <= at.Line && s.Place.Line >= last.Place.Line {
				last = s
			}
		}
		return last
	}
	for _, f := range l.config.Mentions(toDo) {
		found := warning(f.Place, f.Line, what, hint)
		if s := of(f.Place); s.Name != "" {
			l.note(s, config.Unfinished, found)
		} else {
			found.Rule = string(config.Unfinished)
			l.found = append(l.found, found)
		}
	}
	for _, s := range services {
		for i, t := range s.Templates {
			if s.Files[i].Template.Path == "" {
				continue // it stands in the config
			}
			for _, at := range t.Mentions(toDo) {
				l.note(s, config.Unfinished, warning(at.Place, at.Line, what, hint))
			}
		}
	}
}

// vaultPaths finds secrets that are named as in Vault.
func (l *linter) vaultPaths(s Service) {
	for _, t := range s.Templates {
		for _, lookup := range t.Lookups() {
			if lookup.Ref.Kind == sources.Secret && render.VaultPath(lookup.Ref.Name) {
				l.note(s, config.VaultPath, warning(lookup.Place, lookup.Line,
					lookup.Ref.Name+" looks like a path of Vault's", "here it is the name that a secret has in Secrets Manager: aws secretsmanager list-secrets"))
			}
		}
	}
}

// elses finds those of a range that are never reached.
func (l *linter) elses(s Service) {
	for _, t := range s.Templates {
		for _, f := range t.DeadElses() {
			l.note(s, config.DeadElse, warning(f.Place, f.Line, f.What, f.Hints...))
		}
	}
}

// truths finds conditions that take a looked-up text for true or false.
func (l *linter) truths(s Service) {
	for _, t := range s.Templates {
		for _, f := range t.TextConditions() {
			l.note(s, config.TextCondition, warning(f.Place, f.Line, f.What, f.Hints...))
		}
	}
}
