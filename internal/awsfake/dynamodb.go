package awsfake

import (
	"maps"
	"math"
	"slices"
)

// tables answers DynamoDB's API of 2012-08-10: one item is updated, and the items of one partition
// are queried. The key of each table is a partition key and a sort key, both of them texts; the
// attributes of an item are texts and whole numbers. Nothing ends by its TTL.
var tables = &service{
	name:     "dynamodb",
	target:   "DynamoDB_20120810",
	version:  "1.0",
	message:  "message",
	internal: "InternalServerError",
	throttle: "ProvisionedThroughputExceededException",
	checksum: true,
	spaces: map[string]string{
		"AccessDeniedException":                  "com.amazon.coral.service#",
		"ConditionalCheckFailedException":        "com.amazonaws.dynamodb.v20120810#",
		"InternalServerError":                    "com.amazonaws.dynamodb.v20120810#",
		"ProvisionedThroughputExceededException": "com.amazonaws.dynamodb.v20120810#",
		"ResourceInUseException":                 "com.amazonaws.dynamodb.v20120810#",
		"ResourceNotFoundException":              "com.amazonaws.dynamodb.v20120810#",
		"SerializationException":                 "com.amazon.coral.service#",
		"UnknownOperationException":              "com.amazon.coral.service#",
		"UnrecognizedClientException":            "com.amazon.coral.service#",
		"ValidationException":                    "com.amazon.coral.validate#",
	},
	operations: map[string]func() operation{
		"CreateTable": func() operation { return new(createTable) },
		"Query":       func() operation { return new(query) },
		"UpdateItem":  func() operation { return new(updateItem) },
	},
}

// A table is one of a place.
type table struct {
	place      *Place
	name       string
	part, sort string // the names of its key's attributes
	items      map[[2]string]*stored
}

// A tableMember names the table of an operation.
type tableMember struct{ TableName *string }

func (in tableMember) names() []string { return text(in.TableName) }

// table gives the table, by its name or ARN. The server is locked.
func (in tableMember) table(at *Place) (*table, *refusal) {
	if in.TableName == nil || *in.TableName == "" {
		return nil, refuse("ValidationException", "The parameter 'TableName' is required but was not present in the request")
	}
	t := at.tables[*in.TableName]
	if a, ok := parseARN(*in.TableName); ok && a.service == "dynamodb" && a.region == at.region && a.account == at.account {
		t = at.tables[tableOf(a)]
	}
	if t == nil {
		return nil, refuse("ResourceNotFoundException", "Requested resource not found")
	}
	return t, nil
}

func tableOf(a arn) string {
	const prefix = "table/"
	if len(a.resource) > len(prefix) && a.resource[:len(prefix)] == prefix {
		return a.resource[len(prefix):]
	}
	return ""
}

func (at *Place) tableARN(name string) string {
	return "arn:aws:dynamodb:" + at.region + ":" + at.account + ":table/" + name
}

// MakeTable makes a table, whose key is pk and sk.
func (at *Place) MakeTable(name string) {
	at.server.mu.Lock()
	defer at.server.mu.Unlock()
	at.tables[name] = &table{place: at, name: name, part: "pk", sort: "sk", items: make(map[[2]string]*stored)}
}

// DropTable takes a table away.
func (at *Place) DropTable(name string) {
	at.server.mu.Lock()
	defer at.server.mu.Unlock()
	delete(at.tables, name)
}

// PageBytes has a page of a query end when its items have so many bytes; 0 is AWS's MiB.
func (s *Server) PageBytes(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pageBytes = n
}

type createTable struct {
	strict
	input struct {
		tableMember
		AttributeDefinitions []struct{ AttributeName, AttributeType string }
		KeySchema            []struct{ AttributeName, KeyType string }
		BillingMode          string
	}
}

func (in *createTable) UnmarshalJSON(text []byte) error { return in.read(text, &in.input) }

func (in *createTable) names() []string { return in.input.names() }

func (in *createTable) run(at *Place, _ *call) (any, error) {
	i := in.input
	var keys []string
	for _, k := range i.KeySchema {
		keys = append(keys, k.KeyType)
	}
	texts := !slices.ContainsFunc(i.AttributeDefinitions, func(a struct{ AttributeName, AttributeType string }) bool { return a.AttributeType != "S" })
	switch {
	case in.odd != nil:
		return nil, in.odd
	case i.TableName == nil || !slices.Equal(keys, []string{"HASH", "RANGE"}) || !texts || i.BillingMode != "PAY_PER_REQUEST":
		return nil, unimplemented("CreateTable of such a table")
	case at.tables[*i.TableName] != nil:
		return nil, refuse("ResourceInUseException", "Table already exists: %s", *i.TableName)
	}
	at.tables[*i.TableName] = &table{
		place: at, name: *i.TableName, part: i.KeySchema[0].AttributeName, sort: i.KeySchema[1].AttributeName, items: make(map[[2]string]*stored),
	}
	type description struct{ TableName, TableArn, TableStatus string }
	return struct{ TableDescription description }{description{*i.TableName, at.tableARN(*i.TableName), "ACTIVE"}}, nil
}

// A consumed is what AWS charges for.
type consumed struct {
	TableName     string
	CapacityUnits float64
}

func (t *table) consumed(wanted string, units float64) *consumed {
	if wanted != "TOTAL" {
		return nil
	}
	return &consumed{t.name, units}
}

func units(bytes int, unit float64) float64 { return max(1, math.Ceil(float64(bytes)/unit)) }

type updateItem struct {
	strict
	input struct {
		tableMember
		Key                                 item
		UpdateExpression                    *string
		ConditionExpression                 *string
		ExpressionAttributeNames            map[string]string
		ExpressionAttributeValues           item
		ReturnValuesOnConditionCheckFailure string
		ReturnConsumedCapacity              string
	}
}

func (in *updateItem) UnmarshalJSON(text []byte) error { return in.read(text, &in.input) }

func (in *updateItem) names() []string { return in.input.names() }

// run changes the item where the condition holds.
func (in *updateItem) run(at *Place, _ *call) (any, error) {
	if in.odd != nil {
		return nil, in.odd
	}
	i := in.input
	t, refused := i.table(at)
	if refused != nil {
		return nil, refused
	}
	key, refused := t.key(i.Key)
	if refused != nil {
		return nil, refused
	}
	e := newExpressions(t, i.ExpressionAttributeNames, i.ExpressionAttributeValues)
	holds, change := e.condition(i.ConditionExpression), e.update(i.UpdateExpression)
	if refused := e.done(); refused != nil {
		return nil, refused
	}
	have := t.items[key]
	if have == nil {
		have = &stored{}
	}
	if !holds(have.now) {
		r := refuse("ConditionalCheckFailedException", "The conditional request failed")
		if i.ReturnValuesOnConditionCheckFailure == "ALL_OLD" && have.now != nil {
			r.members = map[string]any{"Item": have.now}
		}
		return nil, r
	}
	made := maps.Clone(i.Key)
	maps.Copy(made, have.now)
	if refused := change(made); refused != nil {
		return nil, refused
	}
	if made.size() > 400<<10 {
		return nil, refuse("ValidationException", "Item size to update has exceeded the maximum allowed size")
	}
	var was *item
	if have.now != nil {
		old := have.now
		was = &old
	}
	have.past.remember(was, at.server.lag)
	used := units(max(made.size(), have.now.size()), 1024)
	have.now = made
	t.items[key] = have
	return struct {
		ConsumedCapacity *consumed `json:",omitempty"`
	}{t.consumed(i.ReturnConsumedCapacity, used)}, nil
}

// key gives an item's, which is to have its attributes and no others.
func (t *table) key(k item) (key [2]string, refused *refusal) {
	part, ok := k[t.part]
	sort, also := k[t.sort]
	if !ok || !also || len(k) != 2 || part.S == nil || sort.S == nil {
		return key, refuse("ValidationException", "The provided key element does not match the schema")
	}
	if *part.S == "" || *sort.S == "" {
		return key, refuse("ValidationException", "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value.")
	}
	return [2]string{*part.S, *sort.S}, nil
}

type query struct {
	strict
	input struct {
		tableMember
		KeyConditionExpression    *string
		ExpressionAttributeNames  map[string]string
		ExpressionAttributeValues item
		ConsistentRead            bool
		Select                    string
		Limit                     *int
		ExclusiveStartKey         item
		ReturnConsumedCapacity    string
	}
}

func (in *query) UnmarshalJSON(text []byte) error { return in.read(text, &in.input) }

func (in *query) names() []string { return in.input.names() }

type queryAnswer struct {
	Count, ScannedCount int
	Items               []item    `json:",omitempty"`
	LastEvaluatedKey    item      `json:",omitempty"`
	ConsumedCapacity    *consumed `json:",omitempty"`
}

// run gives a page. It ends with the item that fills it, be there another one or not.
func (in *query) run(at *Place, _ *call) (any, error) {
	if in.odd != nil {
		return nil, in.odd
	}
	i := in.input
	t, refused := i.table(at)
	if refused != nil {
		return nil, refused
	}
	e := newExpressions(t, i.ExpressionAttributeNames, i.ExpressionAttributeValues)
	part, from := e.keys(i.KeyConditionExpression)
	refused = e.done()
	switch {
	case refused != nil:
		return nil, refused
	case i.Select != "" && i.Select != "ALL_ATTRIBUTES" && i.Select != "COUNT":
		return nil, unimplemented("Query with Select " + i.Select)
	case i.Limit != nil && *i.Limit < 1:
		return nil, invalid("Value '%d' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1", *i.Limit)
	}
	after := ""
	if i.ExclusiveStartKey != nil {
		key, refused := t.key(i.ExclusiveStartKey)
		if refused != nil || key[0] != part {
			return nil, refuse("ValidationException", "The provided starting key is invalid")
		}
		after = key[1]
	}
	answer, read := t.page(part, from, after, i.ConsistentRead, i.Limit)
	if i.Select == "COUNT" {
		answer.Items = nil
	}
	used := units(read, 4096)
	if !i.ConsistentRead {
		used /= 2
	}
	answer.ConsumedCapacity = t.consumed(i.ReturnConsumedCapacity, used)
	return answer, nil
}

// page gives the items of a part from a sort key on, and after one, as far as a page goes, and how
// many bytes they have.
func (t *table) page(part, from, after string, consistent bool, limit *int) (answer queryAnswer, read int) {
	most := t.place.server.pageBytes
	if most == 0 {
		most = 1 << 20
	}
	for _, sort := range t.sorts(part) {
		if sort < from || after != "" && sort <= after {
			continue
		}
		have := t.items[[2]string{part, sort}]
		is := have.now
		if !consistent {
			seen := have.past.seen(&have.now)
			if seen == nil {
				continue
			}
			is = *seen
		}
		answer.Items, read = append(answer.Items, is), read+is.size()
		if read >= most || limit != nil && len(answer.Items) >= *limit {
			answer.LastEvaluatedKey = item{t.part: is[t.part], t.sort: is[t.sort]}
			break
		}
	}
	answer.Count, answer.ScannedCount = len(answer.Items), len(answer.Items)
	return answer, read
}

func (t *table) sorts(part string) (list []string) {
	for key := range t.items {
		if key[0] == part {
			list = append(list, key[1])
		}
	}
	slices.Sort(list)
	return list
}
