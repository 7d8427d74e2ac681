package render

import (
	"fmt"
	"regexp"
	"text/template/parse"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
)

// A lookup gives text, of which if takes each but the empty one for true: false and 0, too. To ask
// whether a text is empty is right. Where that is never so, or where the template says by a name or
// a default that it asks for true or false, it is a trap.

// Truths gives the conditions that take a looked-up text for true or false, in the order in which
// the main template reaches them. They render, and are no faults.
func (t *Template) Truths() fault.List { return t.truths }

// flagName is the name of what is true or false, as a rule.
var flagName = regexp.MustCompile(`(?i:(?:^|[._/-])(?:(?:is|has|use|allow|enable|disable|with|without)(?:[._-]|$)|(?:enabled?|disabled?|debug|verbose|active|flag|toggle|switch)$))|(?:^|[._/-])(?:is|has|use|allow|enable|disable|with|without)[A-Z]`)

// flagWord is a default that speaks of true or false.
var flagWord = regexp.MustCompile(`(?i)^(?:true|false|0|1|yes|no|on|off)$`)

// decides notes that a pipeline is a condition, with those of which and, or and not make it.
func (f *finder) decides(p *parse.PipeNode) {
	f.noteCondition(p)
	c, id := last(p)
	if id == nil || id.Ident != "and" && id.Ident != "or" && id.Ident != "not" {
		return
	}
	for _, a := range c.Args[1:] {
		if inner, ok := a.(*parse.PipeNode); ok {
			f.decides(inner)
		} else {
			f.noteCondition(a)
		}
	}
}

// noteCondition notes a node that decides, once: it may be walked with several dots.
func (f *finder) noteCondition(n parse.Node) {
	if _, known := f.conditions[n]; !known {
		f.conditions[n] = true
	}
}

// judges notes the value of a condition that is a text.
func (f *finder) judges(n parse.Node, value any, s scope) {
	v, ok := value.(unknown)
	if !f.conditions[n] || !ok || v.piece == nil || v.piece.shape != oneText {
		return
	}
	why, hints := v.piece.asFlag()
	if why == "" {
		return
	}
	f.conditions[n] = false
	switch n := n.(type) {
	case *parse.PipeNode:
		if len(n.Decl) > 0 {
			return
		}
		c := n.Cmds[len(n.Cmds)-1]
		switch {
		case len(n.Cmds) > 1:
			f.t.rewritten.replace(c, c.String()+` | eq "true"`)
		case len(c.Args) > 1:
			f.t.rewritten.replace(c, "eq ("+c.String()+`) "true"`)
		default:
			f.t.rewritten.replace(c, "eq "+c.String()+` "true"`)
		}
	default:
		f.t.rewritten.replace(n, "(eq "+n.String()+` "true")`)
	}
	failed := f.t.rewritten.fault(s.text, n, v.piece.String()+" is a text here, "+why)
	failed.Hints = hints
	f.t.truths = append(f.t.truths, failed)
}

// asFlag says why a text is no condition, and how else it is asked for; "" where it may be one.
func (p *piece) asFlag() (why string, hints []string) {
	const anyText = `and every text is true but the empty one, "false" and "0", too`
	or := p.function == "secretOr" || p.function == "paramOr"
	switch {
	case p.ref.Kind != sources.Secret && p.ref.Kind != sources.Param && p.ref.Kind != sources.Params:
		return "", nil
	case or && flagWord.MatchString(p.fallback):
		return anyText, nil
	case p.function == "param" || p.function == "params" || p.function == "secret" && len(p.keys) == 0:
		if p.name() != "" && p.function != "params" {
			hints = []string{fmt.Sprintf("%sOr \"\" %s is empty where it does not exist", p.function, p.name())}
		}
		return "and none is empty in AWS, so that this is always true", hints
	case flagName.MatchString(p.last()) || p.last() == "" && flagName.MatchString(p.ref.Name):
		if p.function == "secret" && p.name() != "" {
			hints = []string{p.call("secretMap") + " is true or false where JSON says so"}
		}
		return anyText, hints
	}
	return "", nil
}
