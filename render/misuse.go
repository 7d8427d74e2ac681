package render

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/lazyregexp"
	"github.com/rendered/rendered/sources"
)

// What a lookup gives is known before any render: text, a list, a map. So is what cannot be done
// with it. Templates that were written for Vault or Consul do it everywhere, as there a lookup
// gives an object.

// report notes what is wrong with one node, once.
func (f *finder) report(n parse.Node, s *scope, at int, what string, hints ...string) {
	if f.typeTests == 0 {
		f.reportOnce(n, s.text.fault(at, what, hints...))
	}
}

// reportOnce notes what is wrong with a node, the first time: it may be walked with several dots.
func (f *finder) reportOnce(n parse.Node, failed *fault.Fault) {
	if !f.reported[n] {
		f.reported[n] = true
		f.faults = append(f.faults, failed)
	}
}

// telling are functions by which a template finds out what a value is, before it does something
// with it.
var telling = lazyregexp.New(`\b(kindIs|kindOf|typeIs|typeOf|typeIsLike|hasKey)\b`)

// withTypeTest walks the branches of a condition that asks what a value is: it knows more than we
// do.
func (f *finder) withTypeTest(pipe *parse.PipeNode, walk func()) {
	if telling.MatchString(pipe.String()) {
		f.typeTests++
		defer func() { f.typeTests-- }()
	}
	walk()
}

// noField says that what was looked up has no field of that name, and how a value in it is asked
// for.
func (p *piece) noField(names []string) (what string, hints []string) {
	what = fmt.Sprintf("%s, which has no field %s", p.describe(), names[0])
	keys := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return strings.EqualFold(n, "data") })
	switch {
	case p.function == "params" && len(p.path) > 0:
		return what, []string{fmt.Sprintf("{{ range $name, $text := params %s }}{{ $name }}={{ $text }}{{ end }}", p.quotedName())}
	case p.shape == pairList || p.shape == onePair:
		return what, p.ifNamed(fmt.Sprintf("{{ range %s %s }}{{ .Key }}={{ .Value }}{{ end }} goes over the pairs", p.function, p.quotedName()))
	case p.function != "secret" || p.quotedName() == "":
		return what, nil
	case len(keys) > 0:
		what += fmt.Sprintf("; here it is {{ %s }}", p.call("secret", keys...))
	default:
		hints = []string{fmt.Sprintf("{{ range $key, $value := %s }}{{ $key }}={{ $value }}{{ end }} goes over its JSON", p.call("secretMap"))}
	}
	return what, append(hints, p.vaultHints()...)
}

// isNamed reports that a piece is all that a lookup gave whose name is known.
func (p *piece) isNamed() bool { return p != nil && len(p.path) == 0 && p.quotedName() != "" }

// describe says what the piece is.
func (p *piece) describe() string {
	kind := map[shape]string{
		oneText: "text", textList: "a list of texts", textMap: "a map of texts", trueOrFalse: "true or false", pairList: "a list of pairs",
		versionMap: "a map with .current and .previous", textOrNothing: "text, or nothing where there is no previous version",
	}[p.shape]
	switch {
	case p.shape == onePair:
		return fmt.Sprintf("this is one of the pairs that %s gives", p.function)
	case len(p.path) > 0 || p.function == versionsFunction && p.shape == oneText:
		return fmt.Sprintf("this is one of the texts that %s gives", p.function)
	}
	return p.function + " gives " + kind
}

// quotedName gives the name that was looked up as a template writes it; "" where only the render
// can tell.
func (p *piece) quotedName() string {
	if p.ref.Name == "" {
		return ""
	}
	return strconv.Quote(p.ref.Text())
}

// call writes a lookup of what the piece is, with more keys.
func (p *piece) call(function string, keys ...string) string {
	text := function + " " + p.quotedName()
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
	vaultPath     = lazyregexp.New(`^[\w.-]+/(data|metadata|creds|static-creds|issue|sign|sign-verbatim|sts|roles|token)/`)
	vaultArgument = lazyregexp.New(`^[a-z_]+=`)
	vaultEngine   = lazyregexp.New(`^(pki[\w-]*|aws|database|transit|ssh|rabbitmq|consul|nomad|azure|gcp|ldap|kubernetes)/|/(issue|sign|creds)/`)
)

// VaultPath reports that a secret's name looks like a path of Vault's.
func VaultPath(name string) bool { return vaultPath.MatchString(name) }

// vaultHints says what becomes of a path of Vault's.
func (p *piece) vaultHints() []string {
	switch name := p.ref.Name; {
	case vaultEngine.MatchString(name) && vaultPath.MatchString(name+"/"):
		return []string{noVault}
	case vaultPath.MatchString(name):
		return []string{name + " is a path of Vault's; in AWS a secret has the name that it was given there"}
	}
	return nil
}

// checkVaultArguments notes arguments that only Vault takes.
func (f *finder) checkVaultArguments(c *parse.CommandNode, p *piece, s *scope) {
	for _, key := range p.keys {
		if p.ref.Kind == sources.Secret && vaultArgument.MatchString(key) {
			name, _, _ := strings.Cut(key, "=")
			f.report(c, s, int(c.Pos), fmt.Sprintf("%s takes keys of the secret's JSON after its name; %s= is an argument of Vault's", p.function, name), noVault)
			return
		}
	}
}

// checkRanged notes a range over what is no list and no map.
func (f *finder) checkRanged(n *parse.RangeNode, value any, s *scope) {
	p := pieceOf(value)
	if !p.isText() && !p.isTruth() {
		return
	}
	var hints []string
	if p.isNamed() {
		switch p.function {
		case "secret", "secretOr":
			hints = []string{fmt.Sprintf("secret gives text; {{ range $key, $value := %s }}{{ end }} goes over its JSON", p.call("secretMap"))}
		case "param", "paramOr":
			hints = []string{fmt.Sprintf("param gives text; {{ range paramList %s }}{{ end }} goes over a StringList", p.quotedName())}
		}
	}
	f.report(n, s, int(n.Pipe.Cmds[0].Position()), "this is not a list or a map, so range cannot go over it", hints...)
}

// checkPrinted notes an action that prints a list or a map.
func (f *finder) checkPrinted(n *parse.ActionNode, p *piece, s *scope) {
	if p.quotedName() == "" {
		return
	}
	switch p.shape {
	case textList:
		f.report(n, s, int(n.Pipe.Pos), fmt.Sprintf("%s gives a list; {{ join \", \" (%s %s) }} and {{ toJson (%[1]s %[3]s) }} print it", p.function, p.function, p.quotedName()))
	case textMap:
		f.report(n, s, int(n.Pipe.Pos), p.function+" gives a map, which has no text of its own",
			fmt.Sprintf("{{ range $name, $text := %s %s }}{{ $name }}={{ $text }}{{ end }}, or {{ dotenv (%[1]s %[2]s) }}", p.caller(), p.quotedName()))
	case versionMap:
		f.report(n, s, int(n.Pipe.Pos), p.describe(), fmt.Sprintf("{{ (%s).current }}", p.call(versionsFunction)))
	case pairList, onePair:
		f.report(n, s, int(n.Pipe.Pos), p.describe()+", each with .Key and .Value",
			fmt.Sprintf("{{ range %s %s }}{{ .Key }}={{ .Value }}{{ end }}", p.function, p.quotedName()))
	}
}

// decodeHints says which function gives what a text says.
func (p *piece) decodeHints() []string {
	switch {
	case !p.isNamed():
		return nil
	case p.function == "secret":
		return []string{fmt.Sprintf("{{ with %s }}{{ end }} has its JSON", p.call("secretMap"))}
	case p.function == "param":
		return []string{fmt.Sprintf("{{ range paramList %s }}{{ end }} goes over a StringList", p.quotedName())}
	}
	return nil
}
