package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/internal/fault"
)

// A Finding is a fault, or what works and would be regretted. It holds no value.
type Finding struct {
	Severity Severity `json:"severity"`
	// Rule is that of a warning which a service can allow, else what was looked at.
	Rule string `json:"rule"`
	What string `json:"what"`
	File string `json:"file,omitempty"` // path; "": it is of no file
	Line int    `json:"line,omitempty"`
	// Column is where it begins, EndColumn what is behind its word; 1-based, in characters.
	Column    int      `json:"column,omitempty"`
	EndColumn int      `json:"end_column,omitempty"`
	Hints     []string `json:"hints"`
}

// A Severity is how bad a finding is.
type Severity string

const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// What findings are of that have no rule of config.Rules.
const (
	ofConfig    = "config"    // the config and its templates
	ofExposure  = "exposure"  // what other users of the machine can change
	ofLookups   = "lookup"    // what does not render with what AWS answers
	ofIdentity  = "identity"  // who asks AWS
	ofQueue     = "queue"     // of change notices
	ofMachine   = "machine"   // on which checks are to see new files
	ofDependent = "dependent" // who is to be told
)

// areas are what findings are of that have no rule of config.Rules.
var areas = []string{ofConfig, ofExposure, ofLookups, ofIdentity, ofQueue, ofMachine, ofDependent}

// find notes what was found, and says it.
func (c *checker) find(severity Severity, area string, faults ...*fault.Fault) {
	for _, f := range faults {
		found := Finding{Severity: severity, Rule: cmp.Or(f.Rule, area), Hints: append([]string{}, f.Hints...)}
		found.locate(f, c.cfg.Locate(f.Place))
		c.report.Findings = append(c.report.Findings, found)
		switch {
		case c.Format == GitHub:
			fmt.Fprintln(c.notes, found.annotation())
		case severity == Error:
			console.Faults(c.err, fault.List{f})
		default:
			console.Warnings(c.err, fault.List{f})
		}
	}
}

// locate says where a fault is. Of a text that the config does not show as it is, it is the text's
// beginning, and what is said has the place in the text.
func (f *Finding) locate(of *fault.Fault, at fault.Place) {
	f.What, f.File, f.Line, f.Column = of.What, at.File, at.Line, at.Column
	if at.Line == of.Place.Line && at.Column == of.Place.Column {
		if end := endOf(of.Line, at.Column-of.Cut); end > 0 {
			f.EndColumn = end + of.Cut
		}
	} else {
		f.What = strings.TrimPrefix(of.Error(), at.String()+": ")
	}
}

// endOf gives the column behind the word at a column of a line: an action, a quoted text, or what
// has no blank in it; 0 where the line is not known.
func endOf(line string, column int) int {
	runes := []rune(line)
	if column < 1 || column > len(runes) {
		return 0
	}
	rest := runes[column-1:]
	for _, closed := range [][2]string{{"{{", "}}"}, {"[[", "]]"}, {`"`, `"`}, {"'", "'"}, {"`", "`"}} {
		if text, begins := strings.CutPrefix(string(rest), closed[0]); begins {
			if inside, _, ends := strings.Cut(text, closed[1]); ends {
				return column + len([]rune(closed[0]+inside+closed[1]))
			}
		}
	}
	n := slices.IndexFunc(rest, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("(){}[]|,\"'`", r) })
	switch {
	case n < 0:
		n = len(rest)
	case n == 0:
		n = 1
	}
	return column + n
}

// annotation gives the finding as a workflow command of GitHub's, on one line.
func (f Finding) annotation() string {
	return console.Annotation{
		Severity: string(f.Severity), File: f.File, Line: f.Line, Column: f.Column, EndColumn: f.EndColumn,
		Title: "rendered check: " + f.Rule, Text: strings.Join(append([]string{f.What}, f.Hints...), "\n"),
	}.String()
}
