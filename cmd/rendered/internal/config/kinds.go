package config

import (
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/endpoint"
)

// A valueKind is what stands at a key: how it is read, what documents call it, and what a JSON
// Schema says of it.
type valueKind struct {
	word   string
	schema schema
	of     *Section            // the mapping that stands there, or in what stands there
	within func(schema) schema // what the schema of that mapping is a part of
	// read puts what stands at a node where to points. It is nil where a field reads it.
	read func(r *reader, n *yaml.Node, where string, to any) bool
}

// described gives the kind of what a field reads.
func described(word string, s schema) valueKind { return valueKind{word: word, schema: s} }

// readKind gives the kind of what a method of the reader reads.
func readKind[T any](word string, s schema, read func(*reader, *yaml.Node, string) (T, bool)) valueKind {
	return valueKind{word: word, schema: s, read: func(r *reader, n *yaml.Node, where string, to any) bool {
		v, ok := read(r, n, where)
		if ok {
			*to.(*T) = v
		}
		return ok
	}}
}

// parsedKind gives the kind of a text with a meaning.
func parsedKind[T any](word string, s schema, parse func(string) (T, *refusal)) valueKind {
	return readKind(word, s, func(r *reader, n *yaml.Node, where string) (T, bool) { return parsed(r, parse)(n, where) })
}

// matchingKind gives the kind of a text of a certain form.
func matchingKind(word string, form form, what string) valueKind {
	return parsedKind(word, schema{"type": "string", "pattern": form.text, "patternErrorMessage": "this is not " + what}, matching(form, what))
}

// freeText gives the kind of any text that is not empty.
func freeText(word string) valueKind {
	return readKind(word, schema{"type": scalars, "minLength": 1}, (*reader).textOf)
}

// oneWord gives the kind of one of some words.
func oneWord[T ~string](list ...T) valueKind {
	return parsedKind("WORD", schema{"enum": list}, oneOf(list...))
}

// number gives the kind of a whole number within bounds.
func number(least, most int) valueKind {
	return readKind("NUMBER", schema{"type": "integer", "minimum": least, "maximum": most}, func(r *reader, n *yaml.Node, where string) (int, bool) {
		return r.number(n, where, least, most)
	})
}

// mappingOf gives the kind of a mapping.
func mappingOf(of *Section) valueKind {
	return valueKind{word: "MAPPING", of: of, within: func(s schema) schema { return s }}
}

// named gives the kind of names to mappings. Nothing may stand there where also says so.
func named(word string, of *Section, name form, also ...string) valueKind {
	return valueKind{word: "{NAME: " + word + ", ...}", of: of, within: func(s schema) schema {
		return schema{"type": append(also, "object"), "propertyNames": schema{"pattern": name.text}, "additionalProperties": s}
	}}
}

// listOf gives the kind of a list of mappings.
func listOf(word string, of *Section, least int) valueKind {
	return valueKind{word: "[" + word + ", ...]", of: of, within: func(s schema) schema {
		return schema{"type": "array", "minItems": least, "items": s}
	}}
}

// oneOrMore gives the kind of a mapping, or of a list of at least one.
func oneOrMore(of *Section) valueKind {
	return valueKind{word: "MAPPING, or a list of them", of: of, within: func(s schema) schema {
		all := joined(s, schema{"type": []string{"object", "array"}, "minItems": 1, "items": s})
		if one := all["oneOf"]; one != nil { // which is about a mapping
			delete(all, "oneOf")
			all["anyOf"] = []schema{{"type": "array"}, {"oneOf": one}}
		}
		return all
	}}
}

// checkKind gives the kind of a check, of whose command more must hold.
func checkKind(more schema) valueKind {
	return valueKind{word: "COMMAND", of: &ofCheck, within: func(s schema) schema {
		return joined(s, aCommand, schema{"type": []string{"string", "boolean", "array", "object"}}, more)
	}}
}

// The types of what is taken as the text that is written, and what a schema says of each kind that
// stands in several places.
var (
	scalars     = []string{"string", "number", "boolean"}
	placeholder = schema{"type": "string", "pattern": `\{\}`}
	wholly      = schema{"not": schema{"anyOf": []schema{placeholder, {"type": "array", "contains": placeholder}}}}
	aCommand    = schema{"type": []string{"string", "boolean", "array"}, "minLength": 1, "minItems": 1,
		"items": []schema{{"type": scalars, "minLength": 1}}, "additionalItems": schema{"type": scalars}}
	// A number in octal is another one to a reader of YAML 1.2.
	aMode   = schema{"type": []string{"string", "integer"}, "pattern": "^0o?0?[0-7]{3}$", "patternErrorMessage": asMode, "minimum": 0, "maximum": 777}
	aHost   = schema{"type": scalars, "maxLength": maxHostName, "pattern": "^[0-9A-Fa-f]*:[0-9A-Fa-f:.]+$|" + hostName.text}
	aWindow = schema{"type": "string", "pattern": windowForm}
	aPath   = schema{"type": "string", "minLength": 1,
		"not": schema{"pattern": `\{\{|^\$|\$[({]|^~|\*|://|^[A-Za-z]:[\\/]|[\x00-\x1f\x7f-\x9f]|^ | $`}}
	aFilePath = joined(aPath, schema{"allOf": []schema{{"not": schema{"pattern": `(^|/)\.{0,2}$`}}}})
)

// mediaType is what Content-Type says (RFC 9110, 8.3.1), with parameters that are plain words.
var mediaType = newForm(`^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(; ?[A-Za-z0-9-]+=[A-Za-z0-9_.-]+)*$`)

// windowForm is what a window of time looks like, with the days in any case.
var windowForm = func() string {
	day := "(" + strings.Join(anyCase([]string{"MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"}), "|") + ")"
	const reading = `([01][0-9]|2[0-3]):[0-5][0-9]`
	return `^\s*(` + day + `(-` + day + `)?(,` + day + `(-` + day + `)?)* +)?` + reading + `-(` + reading + `|24:00)( +[A-Za-z_][A-Za-z0-9_+/-]*)?\s*$`
}()

const unitsOfTime = `(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+`

var (
	cronKind = parsedKind("CRON", schema{"type": "string", "pattern": `^\s*((CRON_)?TZ=\S+\s+)?(@\S+(\s+\S+)?|\S+(\s+\S+){4})\s*$`}, parseSchedule)
	duration = parsedKind("DURATION", schema{"anyOf": []schema{{"type": "string", "pattern": `^\+?(0|` + unitsOfTime + `)$`, "patternErrorMessage": asDuration}, {"const": 0}}}, parseDuration)
	positive = parsedKind("DURATION", schema{"type": "string", "pattern": `^\+?` + unitsOfTime + `$`, "patternErrorMessage": asDuration}, parsePositive)

	varsKind = readKind("{NAME: VALUE, ...}", schema{"type": "object", "propertyNames": schema{"pattern": varName.text},
		"additionalProperties": schema{"$ref": "#/definitions/value"}}, (*reader).varsOf)

	target    = described("FILE", schema{"type": "string", "minLength": 1, "anyOf": []schema{{"pattern": `\{\{`}, aFilePath}})
	filePath  = readKind("FILE", aFilePath, (*reader).filePathOf)
	promFile  = readKind("FILE", joined(aFilePath, schema{"pattern": `\.prom$`}), (*reader).promOf)
	directory = readKind("DIRECTORY", aPath, (*reader).pathOf)
	truth     = readKind("TRUTH", schema{"type": "boolean"}, (*reader).truthOf)

	regionKind  = matchingKind("REGION", region, "a Region, as eu-west-1 is")
	roleKind    = matchingKind("ARN", roleARN, "the ARN of a role, as arn:aws:iam::111111111111:role/web is")
	accountKind = parsedKind("DIGITS", schema{"type": []string{"string", "integer"}, "pattern": accountID.text, "minimum": 0, "maximum": 999999999999},
		matching(accountID, "the twelve digits of an account, in quotes"))

	commandKind  = readKind("COMMAND", aCommand, (*reader).commandOf)
	outputKind   = parsedKind("WORD", schema{"enum": outputs}, parseOutput)
	unitKind     = parsedKind("UNIT", schema{"type": "string", "pattern": unitName.text, "patternErrorMessage": asUnit}, parseUnit)
	hostsKind    = readKind("HOST, or a list of them", joined(aHost, schema{"type": append([]string{"array"}, scalars...), "minItems": 1, "items": aHost}), (*reader).hostsOf)
	windowsKind  = readKind("WINDOW, or a list of them", joined(aWindow, schema{"type": []string{"string", "array"}, "minItems": 1, "items": aWindow}), (*reader).windowsOf)
	addressKind  = parsedKind("URL", schema{"type": "string", "minLength": 1, "maxLength": 2048, "pattern": addressPattern.text, "patternErrorMessage": "write it as " + endpoint.Form}, parseAddress)
	methodKind   = oneWord("POST", "PUT", "PATCH", "GET", "DELETE")
	typeKind     = matchingKind("TYPE", mediaType, "a media type, as application/json is")
	aStatus      = schema{"type": "integer", "minimum": 100, "maximum": 599}
	someTexts    = schema{"type": append([]string{"array"}, scalars...), "minLength": 1, "minItems": 1, "items": schema{"type": scalars, "minLength": 1}}
	textsKind    = readKind("TEXT, or a list of them", someTexts, (*reader).someTextsOf)
	expectKind   = described("STATUS or TEXT, or a list of them", joined(someTexts, schema{"minimum": 100}))
	socketKind   = readKind("FILE", joined(aFilePath, schema{"maxLength": maxSocketPath}), (*reader).socketOf)
	peerKind     = parsedKind("HOST:PORT", schema{"type": "string", "pattern": peerPattern.text, "patternErrorMessage": asPeer}, parsePeer)
	nameKind     = parsedKind("HOST", joined(aHost, schema{"not": schema{"pattern": noName.text}}), parseName)
	statusesKind = readKind("NUMBER, or a list of them", schema{"type": []string{"integer", "array"}, "minimum": 100, "maximum": 599, "minItems": 1, "items": aStatus}, (*reader).statusesOf)

	rulesKind = readKind("[RULE, ...]", schema{"type": "array", "items": schema{"enum": ruleNames()}}, (*reader).rulesOf)
)
