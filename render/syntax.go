package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rendered/rendered/internal/lazyregexp"
)

// A misplaced is an action that stands where it cannot.
var misplaced = []struct{ word, what, says, hint string }{
	{"end", "unexpected {{end}}", "this %s ends nothing", "if, range, with, define and block have one each; one of them stands here too many, or what it ended is gone"},
	{"else", "unexpected {{else}}", "this %s belongs to no if, range or with", ""},
	{"else", "expected end; found", "a second %s, where its block has had one", "in between may stand {{ else if .name }}"},
}

// explain says what a parse error means, where it is, and what to do.
func (m *mender) explain(a action, what string) (at int, words string, hints []string) {
	for _, p := range misplaced {
		if a.word == p.word && strings.HasPrefix(what, p.what) {
			return a.at, fmt.Sprintf(p.says, m.left+a.word+m.right), slices.DeleteFunc([]string{p.hint}, func(hint string) bool { return hint == "" })
		}
	}
	switch {
	case (a.word == "define" || a.word == "block") && strings.HasPrefix(what, "unexpected <"+a.word):
		words = a.word + " cannot stand inside another block"
		if b := m.around(a); b != nil {
			words += fmt.Sprintf("; the %s of line %d has no %send%s before it", b.word, m.text.fault(b.at, "").Place.Line, m.left, m.right)
		}
		return a.at, words, nil
	case strings.HasPrefix(what, "undefined variable"):
		variable := quotedName.FindString(what)
		return a.at, "variable " + variable + " is not declared here", []string{fmt.Sprintf("{{ %s := .name }} declares it, up to the end of the block that this stands in", variable)}
	}
	return a.at, what, syntaxHints(what, m.source(a))
}

// around gives the innermost block that an action stands in.
func (m *mender) around(a action) (in *block) {
	for _, b := range m.nest() {
		if b.at < a.at && (b.end == nil || b.end.at > a.at) {
			in = b
		}
	}
	return in
}

// Help is what to do about an action that does not parse, for those who write as another program
// has it.
var help = []struct {
	what, source *lazyregexp.Regexp // the parser's words, the action
	hint         string
}{
	{lazyregexp.New(``), lazyregexp.New(`\blookup\s*\(?\s*'`), `Ansible's lookup is {{ secret "prod/db" "password" }} or {{ param "/app/key" }} here`},
	{lazyregexp.New(``), lazyregexp.New(`^\{\{%|%\}\}$`), `Jinja's {% if %} is {{ if .name }}…{{ end }} here`},
	{lazyregexp.New(``), lazyregexp.New(`^\{\{-[^ \t\r\n]|[^ \t\r\n]-\}\}$`), `a - that trims has a blank beside it, within the braces: {{- .name -}}`},
	{lazyregexp.New(`^unexpected "\{"`), lazyregexp.New(``), `an action stands between two braces on each side, as {{ .name }}`},
	{lazyregexp.New(`^unexpected "="`), lazyregexp.New(`\b(if|with)\b`), `a comparison is {{ if eq .name "text" }}…{{ end }}`},
	{lazyregexp.New(`^unexpected "!"`), lazyregexp.New(``), `not is a function: {{ if not .name }}…{{ end }}, and so is ne: {{ if ne .name "text" }}…{{ end }}`},
	{lazyregexp.New(`^unexpected "[&]"`), lazyregexp.New(``), `and is a function: {{ if and .name .other }}…{{ end }}`},
	{lazyregexp.New(`^unexpected "?[|]"?`), lazyregexp.New(`\|\|`), `or is a function: {{ if or .name .other }}…{{ end }}`},
	{lazyregexp.New(`^missing value for command`), lazyregexp.New(`\|\|`), `or is a function: {{ if or .name .other }}…{{ end }}`},
	{lazyregexp.New(`^unexpected "[<>]"`), lazyregexp.New(``), `lt, le, gt and ge are functions: {{ if gt .count 1 }}…{{ end }}`},
	{lazyregexp.New(`^unexpected "[*/%]"|^(bad|illegal) number syntax: "[+-]`), lazyregexp.New(``), `arithmetic is done by functions: {{ add .count 1 }}, and so are sub, mul, div and mod`},
	{lazyregexp.New(`^unexpected "\("`), lazyregexp.New(`\w\(`), `arguments stand behind a function after a blank, without parentheses: {{ .name | default "text" }}`},
	{lazyregexp.New(`^unexpected "\["|U\+005B`), lazyregexp.New(`\[`), `an element is {{ index .list 0 }}, or {{ index .map "key" }}`},
	{lazyregexp.New(`^unexpected <(if|else)>`), lazyregexp.New(`\bif\b.*\belse\b`), `Jinja's x if y else z is {{ ternary "x" "z" .y }} here, where .y is true or false`},
	{lazyregexp.New(`^non executable command`), lazyregexp.New(``), `behind | stands a function: {{ .name | upper }}`},
	{lazyregexp.New(`bad character|character constant|bad number syntax|has no second '|U\+(?:201[89ACDE]|00[AB]B|00B4)`), lazyregexp.New(``), `a name stands in double quotes, as in {{ secret "prod/db" "password" }}`},
}

// syntaxHints says what to do about an action that does not parse: the first that fits.
func syntaxHints(what, source string) []string {
	for _, h := range help {
		if h.what.MatchString(what) && h.source.MatchString(source) {
			return []string{h.hint}
		}
	}
	return nil
}
