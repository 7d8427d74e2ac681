package lint

import (
	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/lazyregexp"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/sources"
)

// again says something of the place of a fault.
func again(at *fault.Fault, what string, hints ...string) *fault.Fault {
	return &fault.Fault{Place: at.Place, Line: at.Line, Cut: at.Cut, What: what, Hints: hints}
}

// noNewline finds templates whose last line has no end.
func (l *linter) noNewline(s Service) {
	for i, t := range s.Templates {
		if at, ok := t.Unended(); ok {
			l.note(s, config.NoNewline, at.Fault(s.Files[i].Path+" gets no newline at its end; some programs do not read its last line",
				"end the template's last line; in the config content: | keeps it"))
		}
	}
}

var jinja = lazyregexp.New(`\{%[-+]?\s*(if|for|set|else|elif|endif|endfor|include|block|macro|raw)\b.*?%\}`)

// jinja finds statements of Jinja.
func (l *linter) jinja(s Service) {
	for i, t := range s.Templates {
		for _, at := range t.Literal(jinja) {
			l.note(s, config.Jinja, at.Fault("this is Jinja's, and goes into "+s.Files[i].Path+" as it stands",
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
		found := again(f, what, hint)
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
				l.note(s, config.Unfinished, at.Fault(what, hint))
			}
		}
	}
}

// vaultPaths finds secrets that are named as in Vault.
func (l *linter) vaultPaths(s Service) {
	for _, t := range s.Templates {
		for _, lookup := range t.Lookups() {
			if lookup.Ref.Kind == sources.Secret && render.VaultPath(lookup.Ref.Name) {
				l.note(s, config.VaultPath, lookup.Fault(lookup.Ref.Name+" looks like a path of Vault's", "here it is the name that a secret has in Secrets Manager: aws secretsmanager list-secrets"))
			}
		}
	}
}

// elses finds those of a range that are never reached.
func (l *linter) elses(s Service) {
	for _, t := range s.Templates {
		for _, f := range t.DeadElses() {
			l.note(s, config.DeadElse, again(f, f.What, f.Hints...))
		}
	}
}

// truths finds conditions that take a looked-up text for true or false.
func (l *linter) truths(s Service) {
	for _, t := range s.Templates {
		for _, f := range t.TextConditions() {
			l.note(s, config.TextCondition, again(f, f.What, f.Hints...))
		}
	}
}
