package render

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"

	"github.com/rendered/rendered/sources"
)

// What a lookup gives is known before any render: text, a list, a map. So is what cannot be done
// with it. Templates that were written for Vault or Consul do it everywhere, as there a lookup
// gives an object.

// misused notes what is wrong with one node, once.
func (f *finder) misused(n parse.Node, s scope, at int, what string, hints ...string) {
	if f.noted[n] || f.told > 0 {
		return
	}
	f.noted[n] = true
	f.faults = append(f.faults, s.text.fault(at, what, hints...))
}

// telling are functions by which a template finds out what a value is, before it does something
// with it.
var telling = regexp.MustCompile(`\b(kindIs|kindOf|typeIs|typeOf|typeIsLike|hasKey)\b`)

// asks walks the branches of a condition that asks what a value is: it knows more than we do.
func (f *finder) asks(pipe *parse.PipeNode, walk func()) {
	if telling.MatchString(pipe.String()) {
		f.told++
		defer func() { f.told-- }()
	}
	walk()
}

// follows notes a name that is asked for of what has no names.
func (f *finder) follows(value any, path []string, n parse.Node, s scope) {
	for i, name := range path {
		v, ok := value.(unknown)
		if ok && v.piece != nil && (v.piece.shape == oneText || v.piece.shape == textList) {
			what, hints := v.piece.noField(path[i:])
			f.misused(n, s, start(n), what, hints...)
			return
		}
		value = field(value, []string{name})
	}
}

// noField says that what was looked up has no field of that name, and how a value in it is asked
// for.
func (p *piece) noField(names []string) (what string, hints []string) {
	what = fmt.Sprintf("%s, which has no field %s", p.gives(), names[0])
	keys := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return strings.EqualFold(n, "data") })
	switch {
	case p.function == "params" && len(p.path) > 0:
		return what, []string{fmt.Sprintf("{{ range $name, $text := params %s }}{{ $name }}={{ $text }}{{ end }}", p.name())}
	case p.function != "secret" || p.name() == "":
		return what, nil
	case len(keys) > 0:
		what += fmt.Sprintf("; here it is {{ %s }}", p.call("secret", keys...))
	default:
		hints = []string{fmt.Sprintf("{{ range $key, $value := %s }}{{ $key }}={{ $value }}{{ end }} goes over its JSON", p.call("secretMap"))}
	}
	return what, append(hints, p.vaults()...)
}

// gives says what the piece is.
func (p *piece) gives() string {
	kind := map[shape]string{oneText: "text", textList: "a list of texts", textMap: "a map of texts"}[p.shape]
	if len(p.path) > 0 {
		return fmt.Sprintf("this is one of the texts that %s gives", p.function)
	}
	return p.function + " gives " + kind
}

// name gives the name that was looked up as a template writes it; "" where only the render can
// tell.
func (p *piece) name() string {
	if p.ref.Name == "" {
		return ""
	}
	return strconv.Quote(p.ref.Text())
}

// call writes a lookup of what the piece is, with more keys.
func (p *piece) call(function string, keys ...string) string {
	text := function + " " + p.name()
	for _, key := range slices.Concat(p.keys, keys) {
		if vaultArgument.MatchString(key) || key == anyName {
			continue
		}
		text += " " + strconv.Quote(key)
	}
	return text
}

var (
	// KV version 2 has data/ and metadata/ in its paths; the others are engines that make a value
	// for who asks (developer.hashicorp.com/vault/api-docs/secret).
	vaultPath     = regexp.MustCompile(`^[\w.-]+/(data|metadata|creds|static-creds|issue|sign|sign-verbatim|sts|roles|token)/`)
	vaultArgument = regexp.MustCompile(`^[a-z_]+=`)
	vaultEngine   = regexp.MustCompile(`^(pki[\w-]*|aws|database|transit|ssh|rabbitmq|consul|nomad|azure|gcp|ldap|kubernetes)/|/(issue|sign|creds)/`)
)

// VaultPath reports that a secret's name looks like a path of Vault's.
func VaultPath(name string) bool { return vaultPath.MatchString(name) }

// vaults says what becomes of a path of Vault's.
func (p *piece) vaults() []string {
	switch name := p.ref.Name; {
	case vaultEngine.MatchString(name) && vaultPath.MatchString(name+"/"):
		return []string{noVault}
	case vaultPath.MatchString(name):
		return []string{name + " is a path of Vault's; in AWS a secret has the name that it was given there"}
	}
	return nil
}

// asksVault notes arguments that only Vault takes.
func (f *finder) asksVault(id *parse.IdentifierNode, p *piece, s scope) {
	for _, key := range p.keys {
		if p.ref.Kind == sources.Secret && vaultArgument.MatchString(key) {
			name, _, _ := strings.Cut(key, "=")
			f.misused(id, s, int(id.Pos), fmt.Sprintf("%s takes keys of the secret's JSON after its name; %s= is an argument of Vault's", p.function, name), noVault)
			return
		}
	}
}

// goesOver notes a range over what is no list and no map.
func (f *finder) goesOver(n *parse.RangeNode, value any, s scope) {
	v, ok := value.(unknown)
	if !ok || v.piece == nil || v.piece.shape != oneText {
		return
	}
	p, hints := v.piece, []string(nil)
	switch {
	case len(p.path) > 0 || p.name() == "":
	case p.function == "secret" || p.function == "secretOr":
		hints = []string{fmt.Sprintf("secret gives text; {{ range $key, $value := %s }}{{ end }} goes over its JSON", p.call("secretMap"))}
	case p.function == "param" || p.function == "paramOr":
		hints = []string{fmt.Sprintf("param gives text; {{ range paramList %s }}{{ end }} goes over a StringList", p.name())}
	}
	f.misused(n, s, int(n.Pipe.Cmds[0].Position()), "this is not a list or a map, so range cannot go over it", hints...)
}

// prints notes an action that prints a list or a map.
func (f *finder) prints(n *parse.ActionNode, p *piece, s scope) {
	if p.name() == "" {
		return
	}
	switch p.shape {
	case textList:
		f.misused(n, s, int(n.Pipe.Pos), fmt.Sprintf("%s gives a list; {{ join \", \" (%s %s) }} and {{ toJson (%[1]s %[3]s) }} print it", p.function, p.function, p.name()))
	case textMap:
		f.misused(n, s, int(n.Pipe.Pos), p.function+" gives a map, which has no text of its own",
			fmt.Sprintf("{{ range $name, $text := %s %s }}{{ $name }}={{ $text }}{{ end }}, or {{ dotenv (%[1]s %[2]s) }}", p.function, p.name()))
	}
}

// takes notes an argument of another type than its function takes.
func (f *finder) takes(id *parse.IdentifierNode, args []any, s scope) {
	t := signatures()[id.Ident]
	if t == nil || named(id.Ident) {
		return
	}
	if id.Ident == "index" || id.Ident == "get" || id.Ident == "hasKey" {
		f.indexes(id, args, s)
		return
	}
	for i, arg := range args {
		v, ok := arg.(unknown)
		if !ok || v.piece == nil || t.NumIn() == 0 {
			continue
		}
		if v.piece.shape == textList || v.piece.shape == textMap {
			f.wantsText(id, v.piece, t.In(min(i, t.NumIn()-1)), s)
		}
		if v.piece.shape != oneText {
			continue
		}
		want := t.In(min(i, t.NumIn()-1))
		if t.IsVariadic() && i >= t.NumIn()-1 {
			want = want.Elem()
		}
		switch kind := want.Kind(); {
		case kind == reflect.Map || strings.HasPrefix(id.Ident, "dotenv"):
			f.misused(id, s, int(id.Pos), fmt.Sprintf("%s takes a map here, and %s", id.Ident, v.piece.gives()), v.piece.decoded()...)
		case kind == reflect.Slice:
			f.misused(id, s, int(id.Pos), fmt.Sprintf("%s takes a list here, and %s", id.Ident, v.piece.gives()), v.piece.decoded()...)
		}
	}
}

// wantsText notes a list or a map that is handed to a function that takes a text.
func (f *finder) wantsText(id *parse.IdentifierNode, p *piece, want reflect.Type, s scope) {
	if want.Kind() != reflect.String && !strings.HasSuffix(id.Ident, "Quote") {
		return
	}
	var hints []string
	switch {
	case p.name() == "" || len(p.path) > 0:
	case p.shape == textList:
		hints = []string{fmt.Sprintf("{{ range %s %s }}{{ . | %s }}{{ end }}, or {{ %[1]s %[2]s | join \",\" | %[3]s }}", p.function, p.name(), id.Ident)}
	default:
		hints = []string{fmt.Sprintf("{{ range $name, $text := %s %s }}{{ $name }}={{ $text | %s }}{{ end }}", p.function, p.name(), id.Ident)}
	}
	if signatures()[id.Ident].NumIn() != 1 {
		hints = nil
	}
	f.misused(id, s, int(id.Pos), fmt.Sprintf("%s takes a text, and %s", id.Ident, p.gives()), hints...)
}

// decoded says which function gives what a text says.
func (p *piece) decoded() []string {
	switch {
	case len(p.path) > 0 || p.name() == "":
		return nil
	case p.function == "secret":
		return []string{fmt.Sprintf("{{ with %s }}{{ end }} has its JSON", p.call("secretMap"))}
	case p.function == "param":
		return []string{fmt.Sprintf("{{ range paramList %s }}{{ end }} goes over a StringList", p.name())}
	}
	return nil
}

// indexes notes a name that is looked for in a text.
func (f *finder) indexes(id *parse.IdentifierNode, args []any, s scope) {
	if len(args) < 2 {
		return
	}
	v, ok := args[0].(unknown)
	key, named := args[1].(string)
	if !ok || !named || v.piece == nil || v.piece.shape != oneText {
		return
	}
	what := fmt.Sprintf("%s follows a key into a map, and %s", id.Ident, v.piece.gives())
	if v.piece.function == "secret" && v.piece.name() != "" {
		what += fmt.Sprintf("; here it is {{ %s }}", v.piece.call("secret", key))
	}
	f.misused(id, s, int(id.Pos), what)
}
