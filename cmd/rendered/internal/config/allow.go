package config

import (
	"maps"
	"slices"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/lazyregexp"
)

// A Rule is what check warns of, unless a service allows it.
type Rule string

// The rules, each named for what it finds.
const (
	WideSecret     Rule = "wide-secret"
	WideKey        Rule = "wide-key"
	Unquoted       Rule = "unquoted"
	QuotedTwice    Rule = "quoted-twice"
	Unchecked      Rule = "unchecked"
	SplitPair      Rule = "split-pair"
	NoNewline      Rule = "no-newline"
	ChangedByHand  Rule = "changed-by-hand"
	SecretArgument Rule = "secret-argument"
	VaultPath      Rule = "vault-path"
	Jinja          Rule = "jinja"
	ReservedName   Rule = "reserved-name"
	TextCondition  Rule = "text-condition"
	DeadElse       Rule = "dead-else"
	NoCanary       Rule = "no-canary"
	Unfinished     Rule = "unfinished"
)

// Rules says of each rule, in the order in which they are listed, what it finds.
var Rules = []struct {
	Name Rule
	What string
}{
	{WideSecret, "a file that holds a secret, and a mode wider than 0640; a file of certificates alone may have any"},
	{WideKey, "a private key and a mode wider than 0640, or 0640 and a group of several users"},
	{Unquoted, "a value in dotenv, JSON, INI, .properties, PHP or HCL that no function quotes"},
	{QuotedTwice, "a function that writes quotes between quotes of the template"},
	{Unchecked, "nginx or HAProxy is reloaded, and no check looks at the new files before"},
	{SplitPair, "a certificate and its key in two services, which change one after the other"},
	{NoNewline, "a template without a newline at its end"},
	{ChangedByHand, "a notice that changes the owner or mode of files, or moves them"},
	{SecretArgument, "a secret on a command line, where every user sees it"},
	{VaultPath, "a secret whose name is a path of Vault's"},
	{Jinja, "{% %} of Jinja, which is copied into the file as it is"},
	{ReservedName, "a variable of an env file that sh or bash does not set, as UID"},
	{TextCondition, "an if over a looked-up text, to which \"false\" and \"0\" are true"},
	{DeadElse, "an else of a range over params, which is an error where there are none"},
	{NoCanary, "a rollout whose canary tries no new value: each host looks up others"},
	{Unfinished, "a comment TODO(migrate), by which migrate leaves something to do"},
}

// ruleNames gives the names of the rules.
func ruleNames() (names []Rule) {
	for _, rule := range Rules {
		names = append(names, rule.Name)
	}
	return names
}

// rulesOf reads the rules that a service allows.
func (r *reader) rulesOf(n *yaml.Node, where string) (list []Rule, _ bool) {
	r.list(n, where, func(n *yaml.Node, where string) {
		if rule, ok := parsed(r, oneOf(ruleNames()...))(n, where); ok {
			list = append(list, rule)
		}
	})
	return list, true
}

// Allows reports whether the service allows what a rule finds.
func (s *Service) Allows(rule Rule) bool { return slices.Contains(s.Allow, rule) }

// Mentions gives the places of the config's files where a pattern matches, with their lines.
func (c *Config) Mentions(pattern *lazyregexp.Regexp) (found fault.List) {
	for _, path := range slices.Sorted(maps.Keys(c.files)) {
		for i, line := range c.files[path].lines {
			if m := pattern.FindStringIndex(line); m != nil {
				found = append(found, &fault.Fault{Place: fault.Place{File: path, Line: i + 1, Column: utf8.RuneCountInString(line[:m[0]]) + 1}, Line: line})
			}
		}
	}
	return found
}

// Warning gives a fault of a place of the config, with its line.
func (c *Config) Warning(at fault.Place, what string, hints ...string) *fault.Fault {
	f := &fault.Fault{Place: at, What: what, Hints: hints}
	if r := c.files[at.File]; r != nil {
		f.Line = r.shown(at.Line)
	}
	return f
}
