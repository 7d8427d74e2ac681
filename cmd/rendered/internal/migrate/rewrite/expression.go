package rewrite

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"

	"github.com/rendered/rendered/render"
)

// pipeline rewrites a pipeline, without the variables that it sets.
func (r *rewriter) pipeline(p *parse.PipeNode, s scope, tested bool) value {
	var v value
	for i, c := range p.Cmds {
		var before []value
		if i > 0 {
			before = []value{v}
		}
		if i == len(p.Cmds)-1 {
			v = r.command(c, before, s, tested)
			continue
		}
		testing, tests := r.testing, testsOnly(p.Cmds[i+1])
		r.testing = testing || tests
		v = r.command(c, before, s, tests)
		r.testing = testing
	}
	return v
}

// testsOnly tells whether a command only tests what is piped into it.
func testsOnly(c *parse.CommandNode) bool {
	id, ok := c.Args[0].(*parse.IdentifierNode)
	return ok && slices.Contains(onlyTested, id.Ident)
}

// command rewrites one command of a pipeline, into which the one before it may be piped.
func (r *rewriter) command(c *parse.CommandNode, before []value, s scope, tested bool) value {
	first := c.Args[0]
	if id, ok := first.(*parse.IdentifierNode); ok {
		return r.called(id, c.Args[1:], before, s, tested)
	}
	if len(c.Args) > 1 || len(before) > 0 {
		if name := nameOfChain(first); name != nil {
			r.called(name, nil, nil, s, false) // which refuses it by its name
		}
		return r.refuse(c.Position(), "%s: it calls a method, and values have none here", first)
	}
	return r.operand(first, s, tested)
}

// nameOfChain gives the function whose result a chain of fields begins with.
func nameOfChain(n parse.Node) *parse.IdentifierNode {
	if chain, ok := n.(*parse.ChainNode); ok {
		id, _ := chain.Node.(*parse.IdentifierNode)
		return id
	}
	return nil
}

// operand rewrites an argument.
func (r *rewriter) operand(n parse.Node, s scope, tested bool) value {
	switch n := n.(type) {
	case *parse.StringNode:
		return value{text: n.Quoted, shape: shape{kind: oneText}, literal: n.Text, written: whole}
	case *parse.NumberNode:
		if n.IsInt && !strings.ContainsAny(n.Text, ".eE") || strings.HasPrefix(n.Text, "0x") {
			return value{text: n.String(), shape: shape{kind: wholeNumber}}
		}
		return value{text: n.String(), shape: shape{kind: fraction}}
	case *parse.DotNode:
		return value{text: ".", shape: s.dot}
	case *parse.FieldNode:
		return r.fields(value{text: ".", shape: s.dot}, n.Ident, tested, n.Position())
	case *parse.VariableNode:
		return r.fields(value{text: n.Ident[0], shape: s.vars[n.Ident[0]]}, n.Ident[1:], tested, n.Position())
	case *parse.ChainNode:
		return r.fields(r.operand(n.Node, s, false), n.Field, tested, n.Position())
	case *parse.PipeNode:
		return r.pipeline(n, s, tested)
	case *parse.IdentifierNode:
		return r.called(n, nil, nil, s, tested)
	}
	return value{text: n.String()}
}

// fields rewrites what stands behind a value, as .Data.data.password.
func (r *rewriter) fields(v value, names []string, tested bool, pos parse.Pos) value {
	for len(names) > 0 {
		next, used := r.step(v, names, pos)
		v = next
		if used == 0 {
			break
		}
		names = names[used:]
	}
	if len(names) == 0 {
		return v
	}
	if v.shape.kind == secretMap && tested && !r.o.MissingFails {
		if len(names) == 1 {
			return value{text: fmt.Sprintf("get %s %q \"\"", v.arg(), names[0]), form: command}
		}
		return value{text: fmt.Sprintf("dig%s \"\" %s", quotedKeys(names), v.arg()), form: command}
	}
	return value{text: dotted(v, names...)}
}

// dotted writes fields of a value, which behind a constant or a function's name take parentheses.
func dotted(v value, names ...string) string {
	text := v.arg()
	if text != "" && !strings.ContainsAny(text[:1], ".$(") {
		text = "(" + text + ")"
	}
	return strings.TrimSuffix(text, ".") + "." + strings.Join(names, ".")
}

// step rewrites the first of the fields behind a value, and says how many it has taken.
func (r *rewriter) step(v value, names []string, pos parse.Pos) (value, int) {
	switch v.shape.kind {
	case vaultSecret:
		if names[0] != "Data" {
			return r.refuse(pos, ".%s of a secret is Vault's: here a secret is a map of what it keeps", names[0]), 0
		}
		v.shape.kind = vaultData
		return v, 1
	case vaultData:
		v.shape = shape{kind: secretMap}
		if names[0] == "metadata" {
			return r.refuse(pos, ".metadata is Vault's: `rendered status` says which version of a secret a file is of"), 0
		}
		return v, map[bool]int{true: 1}[names[0] == "data"]
	case onePair:
		return r.ofPair(v, names[0], pos)
	case onePathPair:
		return r.ofPathPair(v, names[0], pos)
	}
	return v, 0
}

// ofPair gives the key or the value of a pair of confd's gets or Consul's ls.
func (r *rewriter) ofPair(v value, name string, pos parse.Pos) (value, int) {
	text := dotted(v, name)
	switch {
	case name == "Key" && v.shape.below != "":
		return value{text: "print " + v.shape.below + " " + text, form: command, shape: shape{kind: pairKey, short: text}}, 1
	case name == "Key" || name == "Value":
		return value{text: text, shape: shape{kind: oneText}}, 1
	}
	return r.refuse(pos, ".%s of a pair is not here, but .Key and .Value are", name), 0
}

// ofPathPair does so where the key and the value are variables here.
func (r *rewriter) ofPathPair(v value, name string, pos parse.Pos) (value, int) {
	switch {
	case name == "Key" && v.shape.below != "":
		return value{text: "print " + v.shape.below + " " + v.shape.key, form: command, shape: shape{kind: pairKey, short: v.shape.key}}, 1
	case name == "Key":
		return value{text: v.shape.key, shape: shape{kind: oneText}}, 1
	case name == "Value":
		return value{text: v.shape.value, shape: shape{kind: oneText}}, 1
	}
	return r.refuse(pos, ".%s of a pair is not here, but its key and value are", name), 0
}

// whole refuses a value that is another thing here than there, where it is taken as a whole.
func (r *rewriter) whole(v value, pos parse.Pos) {
	switch v.shape.kind {
	case vaultSecret:
		r.refuse(pos, "a secret of Vault as a whole is not here; .Data is the map of what it keeps")
	case vaultData:
		if v.shape.path != "" {
			r.refuse(pos, ".Data of %s has .data and .metadata, which are not here; .Data.data is the map of what it keeps", v.shape.path)
		}
	case onePair, pairs, onePathPair, pathMap:
		r.refuse(pos, "pairs as a whole are another thing here; take .Key and .Value of each")
	case globPath:
		r.refuse(pos, "a pattern that ends with * is a path here, and this is another use of it")
	}
}

// onlyTested are the functions that only test their arguments, or give one of them that is not
// empty.
var onlyTested = []string{"and", "or", "not", "sprig_default", "sprig_coalesce", "sprig_empty"}

// lookups are functions whose arguments are names: what is empty there is no name.
var lookups = []string{"secret", "key", "keyExists", "keyOrDefault", "ls", "safeLs", "tree", "safeTree", "file"}

// called rewrites a call.
func (r *rewriter) called(id *parse.IdentifierNode, nodes []parse.Node, before []value, s scope, tested bool) value {
	c := &call{name: id.Ident, piped: len(before) > 0, tested: tested, pos: id.Position(), scope: s}
	c.args = append(r.arguments(id.Ident, nodes, s), before...)
	if slices.Contains(builtins, id.Ident) {
		return r.builtin(c)
	}
	rule, ok := r.o.Program.Rules[id.Ident]
	if !ok {
		return r.unknown(c)
	}
	return r.ruled(c, rule)
}

// arguments rewrites those of a call.
func (r *rewriter) arguments(name string, nodes []parse.Node, s scope) (args []value) {
	testing, tests := r.testing, slices.Contains(onlyTested, name)
	r.testing = (testing || tests) && !slices.Contains(lookups, name)
	for _, n := range nodes {
		args = append(args, r.operand(n, s, tests))
	}
	r.testing = testing
	return args
}

// ruled rewrites a call by its rule.
func (r *rewriter) ruled(c *call, rule Rule) value {
	if rule.Verdict == Refused {
		return r.refuse(c.pos, "%s: %s", c.name, rule.Why)
	}
	if rule.make != nil {
		return rule.make(r, c)
	}
	for _, a := range c.args {
		r.whole(a, c.pos)
	}
	form := rule.forms[min(max(len(c.args), 1), len(rule.forms))-1]
	if form == "" || !strings.Contains(form, "$*") && strings.Count(form, "$") != len(c.args) {
		return r.miscounted(c)
	}
	if rule.Why != "" {
		r.remark(c.pos, c.name+": "+rule.Why)
	}
	return c.write(form, rule.gives)
}

// unknown rewrites a call of what the program has no rule for: sprig_NAME of consul-template.
func (r *rewriter) unknown(c *call) value {
	name, sprigs := strings.CutPrefix(c.name, "sprig_")
	if !sprigs || !r.o.Program.sprig {
		return r.refuse(c.pos, "%s has no function %s", r.o.Program.Name, c.name)
	}
	if _, failed := render.FunctionNamed(name); failed != nil {
		why := failed.What
		if len(failed.Hints) > 0 {
			why = failed.Hints[0]
		}
		return r.refuse(c.pos, "%s: %s", c.name, why)
	}
	if why := unlikeSprig[name]; why != "" {
		r.remark(c.pos, c.name+": "+why)
	}
	return c.write(name+" $*", anything)
}

// unlikeSprig says of functions what they give otherwise than sprig's of the name do.
var unlikeSprig = map[string]string{
	"cat":     "an empty text, or white space at an end, leaves nothing behind here",
	"float64": digitsWhy,
	"nospace": "letters beyond ASCII stay whole",
}

// builtin rewrites a call of a function of text/template.
func (r *rewriter) builtin(c *call) value {
	if c.name == "index" && len(c.args) > 0 {
		return r.index(c)
	}
	for _, a := range c.args {
		k := a.shape.kind
		if !(k == vaultSecret && slices.Contains(onlyTested, c.name) || k == pairs && c.name == "len") {
			r.whole(a, c.pos)
		}
	}
	v := c.write(c.name+" $*", map[bool]kind{true: wholeNumber}[c.name == "len"])
	if c.name == "printf" && len(c.args) > 0 && c.args[0].written == whole && !c.piped {
		v.written, v.literal, v.rest = pattern, c.args[0].literal, c.args[1:]
	}
	return v
}

// index rewrites a key of a map. One that is only tested may be missing.
func (r *rewriter) index(c *call) value {
	switch of := c.args[0]; of.shape.kind {
	case vaultSecret, onePair, onePathPair, pathMap, globPath:
		r.whole(of, c.pos)
	case vaultData:
		if len(c.args) > 1 && c.args[1].literal == "data" {
			of.shape = shape{kind: secretMap}
			c.args = append([]value{of}, c.args[2:]...)
			if len(c.args) == 1 {
				return of
			}
		}
	}
	if k := c.args[0].shape.kind; (k == secretMap || k == vaultData) && c.tested && !r.o.MissingFails && len(c.args) == 2 {
		return value{text: fmt.Sprintf(`get %s %s ""`, c.args[0].arg(), c.args[1].arg()), form: command}
	}
	v := c.write("index $*", anything)
	if len(c.args) == 2 {
		v.shape = c.args[0].shape.element()
	}
	return v
}

// write writes a call by a form.
func (c *call) write(form string, gives kind) value {
	v := value{form: command, shape: shape{kind: gives}}
	args := c.args
	var piped string
	if n := len(args); c.piped {
		mark := " $" + strconv.Itoa(n)
		switch {
		case strings.HasSuffix(form, " $*"):
			piped, args = args[n-1].text, args[:n-1]
		case strings.HasSuffix(form, mark) && strings.Count(form, mark) == 1:
			piped, form = args[n-1].text, strings.TrimSuffix(form, mark)
		}
	}
	v.text = fill(form, args)
	switch {
	case piped != "":
		v.text, v.form = piped+" | "+v.text, pipeForm
	case !strings.Contains(v.text, " "):
		v.form = atom
	}
	return v
}

// fill puts arguments into the places of a form.
func fill(form string, args []value) string {
	var pairs []string
	all := ""
	for i, a := range args {
		pairs = append(pairs, "$"+strconv.Itoa(i+1), a.arg())
		all += " " + a.arg()
	}
	return strings.NewReplacer(append([]string{" $*", all}, pairs...)...).Replace(form)
}
