package awsfake

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// expressions are those of one request. They are read by a part of DynamoDB's grammar: conditions
// of attribute_exists, attribute_not_exists, = and <, with AND, OR and parentheses; SET of values,
// REMOVE, and ADD of numbers; a key that is equal, and a sort key from a value on. What else there
// is in DynamoDB is refused.
type expressions struct {
	table  *table
	names  map[string]string
	values item
	used   map[string]bool // names and values, by their placeholders

	left    []string // tokens
	refused *refusal // the first
}

var token = regexp.MustCompile(`^(?:[#:]?[A-Za-z0-9_]+|<=|>=|<>|[()=<>,+.\[\]-])`)

func newExpressions(t *table, names map[string]string, values item) *expressions {
	e := &expressions{table: t, names: names, values: values, used: make(map[string]bool)}
	for _, v := range values {
		if refused := v.check(); refused != nil {
			e.refuse(refused)
		}
	}
	return e
}

func (e *expressions) refuse(r *refusal) {
	if e.refused == nil {
		e.refused = r
	}
}

// begin takes an expression apart.
func (e *expressions) begin(kind, text string) {
	e.left = nil
	if strings.TrimSpace(text) == "" {
		e.refuse(refuse("ValidationException", "Invalid %s: The expression can not be empty;", kind))
	}
	if len(text) > 4096 {
		e.refuse(refuse("ValidationException", "Invalid %s: Expression size has exceeded the maximum allowed size;", kind))
	}
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		t := token.FindString(text)
		if t == "" {
			e.refuse(refuse("ValidationException", "Invalid %s: Syntax error; token: %q", kind, text[:1]))
			return
		}
		e.left, text = append(e.left, t), text[len(t):]
	}
}

// next gives the next token, without taking it; "": there is none.
func (e *expressions) next() string {
	if len(e.left) == 0 || e.refused != nil {
		return ""
	}
	return e.left[0]
}

func (e *expressions) take() string {
	t := e.next()
	if t != "" {
		e.left = e.left[1:]
	}
	return t
}

// is takes the next token where it is so.
func (e *expressions) is(t string) bool {
	if !strings.EqualFold(e.next(), t) || t == "" {
		return false
	}
	e.take()
	return true
}

func (e *expressions) want(t string) {
	if !e.is(t) {
		e.unknown()
	}
}

func (e *expressions) unknown() {
	e.refuse(unimplemented("an expression that goes on with " + strconv.Quote(strings.Join(e.left[:min(3, len(e.left))], " "))))
}

// path gives the attribute that is named.
func (e *expressions) path() string {
	t := e.take()
	switch name, known := e.names[t]; {
	case known:
		e.used[t] = true
		return name
	case strings.HasPrefix(t, "#"):
		e.refuse(refuse("ValidationException", "An expression attribute name used in the document path is not defined; attribute name: %s", t))
	case t == e.table.part || t == e.table.sort:
		return t
	default:
		e.refuse(unimplemented("the attribute " + strconv.Quote(t) + " without a placeholder: it may be a reserved word"))
	}
	return ""
}

func (e *expressions) value() attribute {
	t := e.take()
	v, known := e.values[t]
	if !known {
		e.refuse(refuse("ValidationException", "An expression attribute value used in expression is not defined; attribute value: %s", t))
		return attribute{S: new(string)}
	}
	e.used[t] = true
	return v
}

// done tells what is wrong with the expressions, all of which have been read.
func (e *expressions) done() *refusal {
	for name := range e.names {
		if !e.used[name] {
			e.refuse(refuse("ValidationException", "Value provided in ExpressionAttributeNames unused in expressions: keys: {%s}", name))
		}
	}
	for name := range e.values {
		if !e.used[name] {
			e.refuse(refuse("ValidationException", "Value provided in ExpressionAttributeValues unused in expressions: keys: {%s}", name))
		}
	}
	return e.refused
}

type holds func(item) bool

// condition reads one; nil always holds.
func (e *expressions) condition(text *string) holds {
	if text == nil {
		return func(item) bool { return true }
	}
	e.begin("ConditionExpression", *text)
	h := e.either()
	if e.next() != "" {
		e.unknown()
	}
	return h
}

func (e *expressions) either() holds {
	list := []holds{e.all()}
	for e.is("OR") {
		list = append(list, e.all())
	}
	return func(i item) bool { return slices.ContainsFunc(list, func(h holds) bool { return h(i) }) }
}

func (e *expressions) all() holds {
	list := []holds{e.one()}
	for e.is("AND") {
		list = append(list, e.one())
	}
	return func(i item) bool { return !slices.ContainsFunc(list, func(h holds) bool { return !h(i) }) }
}

func (e *expressions) one() holds {
	switch {
	case e.is("("):
		h := e.either()
		e.want(")")
		return h
	case e.is("attribute_not_exists"):
		name := e.argument()
		return func(i item) bool { _, there := i[name]; return !there }
	case e.is("attribute_exists"):
		name := e.argument()
		return func(i item) bool { _, there := i[name]; return there }
	}
	name := e.path()
	switch {
	case e.is("="):
		v := e.value()
		return func(i item) bool { a, there := i[name]; return there && a.equal(v) }
	case e.is("<"):
		v := e.value()
		return func(i item) bool { a, there := i[name]; return there && a.less(v) }
	}
	e.unknown()
	return nil
}

func (e *expressions) argument() string {
	e.want("(")
	name := e.path()
	e.want(")")
	return name
}

type effect func(item) *refusal

// update reads what is to be done; nil does nothing.
func (e *expressions) update(text *string) effect {
	if text == nil {
		return func(item) *refusal { return nil }
	}
	e.begin("UpdateExpression", *text)
	var list []effect
	clauses, changed := make(map[string]bool), make(map[string]bool)
	for e.next() != "" {
		clause := strings.ToUpper(e.take())
		if clauses[clause] {
			e.refuse(refuse("ValidationException", "Invalid UpdateExpression: The %q section can only be used once in an update expression;", clause))
		}
		clauses[clause] = true
		for again := true; again; again = e.is(",") {
			name := e.path()
			switch {
			case name == e.table.part || name == e.table.sort:
				e.refuse(refuse("ValidationException", "One or more parameter values were invalid: Cannot update attribute %s. This attribute is part of the key", name))
			case changed[name]:
				e.refuse(refuse("ValidationException", "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [%s], path two: [%s]", name, name))
			}
			changed[name] = true
			list = append(list, e.action(clause, name))
		}
	}
	return func(i item) *refusal {
		for _, do := range list {
			if refused := do(i); refused != nil {
				return refused
			}
		}
		return nil
	}
}

// action reads what a clause does with an attribute.
func (e *expressions) action(clause, name string) effect {
	switch clause {
	case "SET":
		e.want("=")
		v := e.value()
		return func(i item) *refusal { i[name] = v; return nil }
	case "REMOVE":
		return func(i item) *refusal { delete(i, name); return nil }
	case "ADD":
		v := e.value()
		return func(i item) *refusal { return i.add(name, v) }
	}
	e.refuse(unimplemented("an update with " + clause))
	return nil
}

// add adds to a number, which is 0 where there is none.
func (i item) add(name string, v attribute) *refusal {
	if v.N == nil {
		return refuse("ValidationException", "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD, operand type: STRING")
	}
	sum := v.number()
	if have, there := i[name]; there && have.N == nil {
		return refuse("ValidationException", "An operand in the update expression has an incorrect data type")
	} else if there {
		sum += have.number()
	}
	text := strconv.FormatInt(sum, 10)
	i[name] = attribute{N: &text}
	return nil
}

// keys reads which items a query is about: those of a part, from a sort key on; "" is from the
// first.
func (e *expressions) keys(text *string) (part, from string) {
	if text == nil {
		e.refuse(refuse("ValidationException", "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."))
		return "", ""
	}
	e.begin("KeyConditionExpression", *text)
	if e.path() != e.table.part {
		e.refuse(refuse("ValidationException", "Query condition missed key schema element: %s", e.table.part))
	}
	e.want("=")
	part = e.keyValue()
	if e.is("AND") {
		if e.path() != e.table.sort {
			e.refuse(refuse("ValidationException", "Query condition missed key schema element: %s", e.table.sort))
		}
		e.want(">=")
		from = e.keyValue()
	}
	if e.next() != "" {
		e.unknown()
	}
	return part, from
}

func (e *expressions) keyValue() string {
	v := e.value()
	switch {
	case v.S == nil:
		e.refuse(refuse("ValidationException", "One or more parameter values were invalid: Condition parameter type does not match schema type"))
		return ""
	case *v.S == "":
		e.refuse(refuse("ValidationException", "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value."))
	}
	return *v.S
}
