package render

import (
	"fmt"
	"text/template/parse"

	"github.com/rendered/rendered/internal/fault"
)

// kindWords has a user's words for the kinds that a role takes and that a value has.
var kindWords = map[kind]string{
	isWhole: "a whole number", isFraction: "a number", isNumber: "a number", isText: "a text", isBool: "true or false", isList: "a list", isMap: "a map",
	isMap | isList: "a map or a list", isText | isList: "a text or a list",
}

// converters are the calls that make of a value of one kind one of another, before it.
var converters = map[[2]kind]string{
	{isText, isBool}: `eq "true"`, {isText, isList}: `splitList ","`, {isText, isWhole}: "int", {isFraction, isWhole}: "int",
	{isWhole, isText}: "toString", {isFraction, isText}: "toString", {isBool, isText}: "toString",
}

// unfit notes an argument of a kind that its function does not take, where no other order of the
// arguments is meant.
func (f *finder) unfit(c, before *parse.CommandNode, args []operand, s scope) {
	id := c.Args[0].(*parse.IdentifierNode)
	o, ok := orderNamed(id.Ident)
	if f.noted[id] || f.told > 0 || !ok {
		return
	}
	roles := o.spread(o.ours, len(args))
	for i, role := range roles {
		takes, a := roleNamed[role].takes, args[i]
		if takes&a.kind != 0 || f.maybe > 0 && !a.literal && !computed(a) { // of vars: this may not be reached
			continue
		}
		f.noted[id] = true
		f.faults = append(f.faults, f.unfitted(c, before, a, i, takes, s))
		return
	}
}

// unfitted says what is wrong with argument i of a call, and what makes of it what the call takes.
func (f *finder) unfitted(c, before *parse.CommandNode, a operand, i int, takes kind, s scope) *fault.Fault {
	id, maker := c.Args[0].(*parse.IdentifierNode), makerOf(c, before, i)
	this := "this is " + kindWords[a.kind]
	v, _ := a.value.(unknown)
	switch {
	case v.piece != nil:
		this = v.piece.gives()
	case maker != nil:
		this = maker.Ident + " gives " + kindWords[a.kind]
	}
	what := fmt.Sprintf("%s takes %s here, and %s", id.Ident, kindWords[takes], this)
	converter := converters[[2]kind{a.kind, takes}]
	switch {
	case maker != nil && maker.Ident == "split" && takes == isList:
		f.t.rewritten.replace(maker, "splitList")
	case converter != "" && (!a.literal || takes == isText):
		f.t.rewritten.convert(c, i, converter)
	case v.piece != nil && takes&(isMap|isList) != 0:
		return s.text.fault(int(id.Pos), what, v.piece.decoded()...)
	default:
		return s.text.fault(int(id.Pos), what)
	}
	return f.t.rewritten.fault(s.text, id, what)
}

// makerOf gives the function whose call is argument i of another, the last of which may be piped
// into it; nil where it is no call.
func makerOf(c, before *parse.CommandNode, i int) *parse.IdentifierNode {
	if i+1 < len(c.Args) {
		p, ok := c.Args[i+1].(*parse.PipeNode)
		if !ok {
			return nil
		}
		before = p.Cmds[len(p.Cmds)-1]
	}
	id, _ := before.Args[0].(*parse.IdentifierNode)
	return id
}
