package render

import (
	"cmp"
	"fmt"
	"slices"
	"text/template/parse"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/lazyregexp"
	"github.com/rendered/rendered/sources"
)

// A lookup gives text, of which if takes each but the empty one for true: false and 0, too. To ask
// whether a text is empty is right. Where that is never so, or where the template says by a name or
// a default that it asks for true or false, it is a trap.

// TextConditions gives the conditions that take a looked-up text for true or false, in the order in
// which the main template reaches them. They render, and are no faults.
func (t *Template) TextConditions() fault.List { return t.textConditions }

// flagName is the name of what is true or false, as a rule.
var flagName = lazyregexp.New(`(?i:(?:^|[._/-])(?:(?:is|has|use|allow|enable|disable|with|without)(?:[._-]|$)|(?:enabled?|disabled?|debug|verbose|active|flag|toggle|switch)$))|(?:^|[._/-])(?:is|has|use|allow|enable|disable|with|without)[A-Z]`)

// flagWord is a default that speaks of true or false.
var flagWord = lazyregexp.New(`(?i)^(?:true|false|0|1|yes|no|on|off)$`)

// markConditions notes that a pipeline is a condition, with those of which and, or and not make it.
func (f *finder) markConditions(p *parse.PipeNode) {
	f.markCondition(p)
	c := last(p)
	switch calledBy(c) {
	case "and", "or", "not":
		for _, a := range c.Args[1:] {
			if inner, ok := a.(*parse.PipeNode); ok {
				f.markConditions(inner)
			} else {
				f.markCondition(a)
			}
		}
	}
}

// markCondition notes a node that decides, once: it may be walked with several dots.
func (f *finder) markCondition(n parse.Node) {
	if _, known := f.conditions[n]; !known {
		f.conditions[n] = true
	}
}

// checkCondition notes the value of a condition that is a text.
func (f *finder) checkCondition(n parse.Node, value any, s *scope) {
	p := pieceOf(value)
	if !f.conditions[n] || !p.isText() {
		return
	}
	why, hints := p.asFlag()
	if why == "" {
		return
	}
	f.conditions[n] = false
	if pipe, ok := n.(*parse.PipeNode); !ok {
		f.t.rewritten.replacements[n] = "(eq " + n.String() + ` "true")`
	} else if len(pipe.Decl) == 0 {
		f.t.rewritten.replacements[last(pipe)] = comparison(pipe)
	} else {
		return
	}
	failed := f.t.rewritten.fault(s.text, n, p.String()+" is a text here, "+why)
	failed.Hints = hints
	f.t.textConditions = append(f.t.textConditions, failed)
}

// comparison writes the last command of a pipeline so that it asks for true.
func comparison(p *parse.PipeNode) string {
	c := last(p)
	switch {
	case len(p.Cmds) > 1:
		return c.String() + ` | eq "true"`
	case len(c.Args) > 1:
		return "eq (" + c.String() + `) "true"`
	}
	return "eq " + c.String() + ` "true"`
}

// asFlag says why a text is no condition, and how else it is asked for; "" where it may be one.
func (p *piece) asFlag() (why string, hints []string) {
	const anyText = `and every text is true but the empty one, "false" and "0", too`
	switch {
	case flagWord.MatchString(p.fallback):
		return anyText, nil
	case p.neverEmpty():
		if slices.Contains([]string{"secret", "param"}, p.function) {
			hints = p.ifNamed(fmt.Sprintf("%sOr \"\" %s is empty where it does not exist", p.function, p.quotedName()))
		}
		return "and none is empty in AWS, so that this is always true", hints
	case p.ofAWS() && flagName.MatchString(cmp.Or(p.last(), p.ref.Name)):
		if p.function == "secret" {
			hints = p.ifNamed(p.call("secretMap") + " is true or false where JSON says so")
		}
		return anyText, hints
	}
	return "", nil
}

// ifNamed gives a hint that has the name of the lookup, where that is known.
func (p *piece) ifNamed(hint string) []string {
	if p.quotedName() == "" {
		return nil
	}
	return []string{hint}
}

// ofAWS reports that it was looked up in AWS, under a name that is known.
func (p *piece) ofAWS() bool {
	return p.ref.Kind == sources.Secret || p.ref.Kind == sources.Param || p.ref.Kind == sources.Params
}

// neverEmpty reports that AWS keeps no such text that is empty.
func (p *piece) neverEmpty() bool {
	whole := p.function == "secret" && len(p.keys) == 0
	return p.ofAWS() && (whole || slices.Contains([]string{"param", "params", "paramChildren"}, p.function))
}
