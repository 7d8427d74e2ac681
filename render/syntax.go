package render

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// explain says what a parse error means, where it is, and what to do.
func (m *mender) explain(a action, what string) (at int, words string, hints []string) {
	name := m.left + a.word + m.right
	switch {
	case a.word == "end" && strings.HasPrefix(what, "unexpected {{end}}"):
		return a.at, "this " + name + " ends nothing", []string{"if, range, with, define and block have one each; one of them stands here too many, or what it ended is gone"}
	case a.word == "else" && strings.HasPrefix(what, "unexpected {{else}}"):
		return a.at, "this " + name + " belongs to no if, range or with", nil
	case a.word == "else" && strings.HasPrefix(what, "expected end; found"):
		return a.at, "a second " + name + ", where its block has had one", []string{"in between may stand {{ else if .name }}"}
	case (a.word == "define" || a.word == "block") && strings.HasPrefix(what, "unexpected <"+a.word):
		words = a.word + " cannot stand inside another block"
		if b := m.around(a); b != nil {
			words += fmt.Sprintf("; the %s of line %d has no %send%s before it", b.word, m.text.place(b.at).Line, m.left, m.right)
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
	list, _ := nest(m.current())
	for _, b := range list {
		if b.at < a.at && (b.end == nil || b.end.at > a.at) {
			in = b
		}
	}
	return in
}

// Help is what to do about an action that does not parse, for those who write as another program
// has it.
var help = []struct {
	what, source string // regular expressions: the parser's words, the action
	hint         string
}{
	{``, `\blookup\s*\(?\s*'`, `Ansible's lookup is {{ secret "prod/db" "password" }} or {{ param "/app/key" }} here`},
	{``, `^\{\{%|%\}\}$`, `Jinja's {% if %} is {{ if .name }}…{{ end }} here`},
	{`^unexpected "\{"`, ``, `an action stands between two braces on each side, as {{ .name }}`},
	{`^unexpected "="`, `\b(if|with)\b`, `a comparison is {{ if eq .name "text" }}…{{ end }}`},
	{`^unexpected "!"`, ``, `not is a function: {{ if not .name }}…{{ end }}, and so is ne: {{ if ne .name "text" }}…{{ end }}`},
	{`^unexpected "[&]"`, ``, `and is a function: {{ if and .name .other }}…{{ end }}`},
	{`^unexpected "?[|]"?`, `\|\|`, `or is a function: {{ if or .name .other }}…{{ end }}`},
	{`^missing value for command`, `\|\|`, `or is a function: {{ if or .name .other }}…{{ end }}`},
	{`^unexpected "[<>]"`, ``, `lt, le, gt and ge are functions: {{ if gt .count 1 }}…{{ end }}`},
	{`^unexpected "[*/%]"|^(bad|illegal) number syntax: "[+-]`, ``, `arithmetic is done by functions: {{ add .count 1 }}, and so are sub, mul, div and mod`},
	{`^unexpected "\("`, `\w\(`, `arguments stand behind a function after a blank, without parentheses: {{ .name | default "text" }}`},
	{`^unexpected "\["|U\+005B`, `\[`, `an element is {{ index .list 0 }}, or {{ index .map "key" }}`},
	{`^unexpected <(if|else)>`, `\bif\b.*\belse\b`, `Jinja's x if y else z is {{ ternary "x" "z" .y }} here, where .y is true or false`},
	{`^non executable command`, ``, `behind | stands a function: {{ .name | upper }}`},
	{`bad character|character constant|bad number syntax|has no second '`, ``, `a name stands in double quotes, as in {{ secret "prod/db" "password" }}`},
}

// helpFor has the regular expressions of help. Only who has something to explain compiles them.
var helpFor = sync.OnceValue(func() (list [][2]*regexp.Regexp) {
	for _, h := range help {
		list = append(list, [2]*regexp.Regexp{regexp.MustCompile(h.what), regexp.MustCompile(h.source)})
	}
	return list
})

// syntaxHints says what to do about an action that does not parse: the first that fits.
func syntaxHints(what, source string) []string {
	for i, h := range helpFor() {
		if h[0].MatchString(what) && h[1].MatchString(source) {
			return []string{help[i].hint}
		}
	}
	return nil
}
