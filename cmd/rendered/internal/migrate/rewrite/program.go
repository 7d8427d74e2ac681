package rewrite

import (
	"fmt"
	"slices"
	"strings"
	"text/template/parse"
)

// A Verdict says what becomes of a function of another program.
type Verdict string

// The verdicts.
const (
	Kept      Verdict = "kept"
	Renamed   Verdict = "renamed"
	Turned    Verdict = "turned round" // its arguments stand in another order
	Rewritten Verdict = "rewritten"    // it becomes another expression
	Refused   Verdict = "refused"
)

// A Rule says what becomes of a function.
type Rule struct {
	Verdict Verdict
	// forms has for one argument, for two, … what stands for the call; the last also for more. $1
	// stands for the first argument there, $* for all; "" refuses so many.
	forms []string
	gives kind
	// make writes the call where forms do not tell.
	make func(r *rewriter, c *call) value
	// becomes is what the call becomes, for people, where forms do not tell.
	becomes string
	Why     string // why it is refused, or what else there is to know
}

// A call is a function of another program with its arguments, rewritten.
type call struct {
	name   string
	args   []value
	piped  bool // the last of args is piped into it
	tested bool // what it gives is only tested
	pos    parse.Pos
	scope  scope
}

// A Program is another program's language of templates.
type Program struct {
	Name  string
	Rules map[string]Rule
	// exists are the functions that ask whether a value is there, and reads those that read it.
	exists, reads string
	slash         bool // its paths begin with /
	sprig         bool // it has sprig's functions, with sprig_ before their names
}

// builtins are the functions of text/template itself, which are the same here.
var builtins = []string{"and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "len", "index", "slice", "print", "printf", "println", "html", "js", "urlquery"}

// same makes rules of functions that are the same here.
func same(rules map[string]Rule, names string, gives kind) {
	for name := range strings.FieldsSeq(names) {
		rules[name] = Rule{Verdict: Kept, forms: []string{name + " $*"}, gives: gives}
	}
}

// renamed makes rules of functions that have another name here: THEIRS=OURS.
func renamed(rules map[string]Rule, names string, gives kind) {
	for pair := range strings.FieldsSeq(names) {
		theirs, ours, _ := strings.Cut(pair, "=")
		rules[theirs] = Rule{Verdict: Renamed, forms: []string{ours + " $*"}, gives: gives}
	}
}

// refused makes rules of functions that are not here.
func refused(rules map[string]Rule, names, why string) {
	for name := range strings.FieldsSeq(names) {
		rules[name] = Rule{Verdict: Refused, Why: why}
	}
}

// A Row is what people read of a rule.
type Row struct {
	Name    string
	Verdict Verdict
	Becomes string // "" where it is refused
	Why     string
}

// Table gives the rules by name.
func (p *Program) Table() (rows []Row) {
	for name, rule := range p.Rules {
		becomes := rule.becomes
		if becomes == "" && rule.Verdict != Refused {
			becomes = sample(name, rule)
		}
		rows = append(rows, Row{name, rule.Verdict, becomes, rule.Why})
	}
	slices.SortFunc(rows, func(a, b Row) int { return strings.Compare(a.Name, b.Name) })
	return rows
}

// sample writes a rule as calls with letters for their arguments; "" where it is kept.
func sample(name string, rule Rule) string {
	letters := strings.NewReplacer("$1", "A", "$2", "B", "$3", "C", "$4", "D")
	var calls []string
	for i, form := range rule.forms {
		if strings.Contains(form, "$*") {
			if rule.Verdict == Kept {
				return ""
			}
			return fmt.Sprintf("`%s`", strings.Fields(form)[0])
		}
		if form != "" {
			theirs := name + letters.Replace([]string{" $1", " $1 $2", " $1 $2 $3"}[i])
			calls = append(calls, fmt.Sprintf("`%s` → `%s`", theirs, letters.Replace(form)))
		}
	}
	return strings.Join(calls, ", ")
}
