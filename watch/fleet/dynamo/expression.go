package dynamo

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rendered/rendered/sources/aws"
	"github.com/rendered/rendered/watch/fleet"
)

// written gives an update as DynamoDB has it. The same update gives the same, byte by byte.
func written(u fleet.Update) aws.TableRequest {
	var p placeholders
	in := aws.TableRequest{
		Key:              map[string]aws.Attribute{aws.PartKey: valueOf(u.Key.Part), aws.SortKey: valueOf(u.Key.Sort)},
		UpdateExpression: p.changes(u), ConditionExpression: p.conditions(u.If),
	}
	if in.ConditionExpression != "" {
		in.ReturnValuesOnConditionCheckFailure = "ALL_OLD"
	}
	in.ExpressionAttributeNames, in.ExpressionAttributeValues = p.names, p.values
	return in
}

// changes writes what an update does, as "SET #0=:0,#1=:1 REMOVE #2". An expression may have 4 KiB.
func (p *placeholders) changes(u fleet.Update) string {
	var sets, removes, adds []string
	for _, name := range slices.Sorted(maps.Keys(u.Set)) {
		sets = append(sets, p.name(name)+"="+p.value(u.Set[name]))
	}
	for _, name := range u.Remove {
		removes = append(removes, p.name(name))
	}
	for _, name := range slices.Sorted(maps.Keys(u.Add)) {
		adds = append(adds, p.name(name)+" "+p.value(u.Add[name]))
	}
	var clauses []string
	for _, c := range []struct {
		word string
		of   []string
	}{{"SET ", sets}, {"REMOVE ", removes}, {"ADD ", adds}} {
		if len(c.of) > 0 {
			clauses = append(clauses, c.word+strings.Join(c.of, ","))
		}
	}
	return strings.Join(clauses, " ")
}

// conditions writes what is to hold, as "(attribute_not_exists(#0) OR #0 < :0) AND #1 = :1".
func (p *placeholders) conditions(all []fleet.Any) string {
	var list []string
	for _, any := range all {
		var tests []string
		for _, t := range any {
			tests = append(tests, p.test(t))
		}
		list = append(list, "("+strings.Join(tests, " OR ")+")")
	}
	return strings.Join(list, " AND ")
}

func (p *placeholders) test(t fleet.Test) string {
	name := p.name(t.Attribute)
	switch t.Is {
	case fleet.Equal:
		return name + " = " + p.value(t.Value)
	case fleet.Less:
		return name + " < " + p.value(t.Value)
	}
	return "attribute_not_exists(" + name + ")"
}

// placeholders stand in expressions for names and values: names may be words of DynamoDB's.
type placeholders struct {
	names  map[string]string
	values map[string]aws.Attribute
	of     map[string]string // a name's placeholder
}

// name gives the placeholder of a name, the same each time.
func (p *placeholders) name(name string) string {
	if known := p.of[name]; known != "" {
		return known
	}
	if p.names == nil {
		p.names, p.of = make(map[string]string), make(map[string]string)
	}
	key := "#" + strconv.Itoa(len(p.names))
	p.names[key], p.of[name] = name, key
	return key
}

// value gives the placeholder of a value.
func (p *placeholders) value(value any) string {
	if p.values == nil {
		p.values = make(map[string]aws.Attribute)
	}
	key := ":" + strconv.Itoa(len(p.values))
	p.values[key] = valueOf(value)
	return key
}

// valueOf gives a text, or a whole number, as DynamoDB has it.
func valueOf(value any) aws.Attribute {
	if text, ok := value.(string); ok {
		return aws.Attribute{S: &text}
	}
	number := fmt.Sprint(value)
	return aws.Attribute{N: &number}
}
