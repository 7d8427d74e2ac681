// Package dynamo has the hosts of a fleet meet in a table of DynamoDB. A request is sent once, and
// what comes of it is said: that it is obeyed, that its condition does not hold, or that this is
// not known.
package dynamo

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/rendered/rendered/sources/aws"
	"github.com/rendered/rendered/watch/fleet"
)

// A Table is a fleet.Table. Several goroutines may use it.
type Table struct {
	ctx   context.Context
	table *aws.Table
	page  int // items of a page; 0: a MiB of them
}

// New gives the fleet.Table that a table of DynamoDB is, until ctx ends. Nobody is asked.
func New(ctx context.Context, t *aws.Table) *Table { return &Table{ctx: ctx, table: t} }

// mostPages bounds how much is read for one query: 64 MiB.
const mostPages = 64

// Update changes an item by one request, which takes ten seconds at most.
func (t *Table) Update(u fleet.Update) fleet.Answer {
	reply, err := t.table.Update(t.ctx, keys(u.Key.Part), written(u))
	a := answer(reply, err)
	if a.Refused = reply.Refused; a.Refused && reply.Old != nil {
		a.Old = read(reply.Old)
	}
	return a
}

// Query reads items page by page, each of which takes ten seconds at most.
func (t *Table) Query(q fleet.Query) fleet.Answer {
	in := asked(q)
	if t.page > 0 {
		in.Limit = t.page
	}
	var all fleet.Answer
	var date time.Time
	for range mostPages {
		reply, err := t.table.Query(t.ctx, keys(q.Part), in)
		if !reply.Date.IsZero() {
			date = reply.Date // of the latest page, which is the nearest to now
		}
		if err != nil {
			a := answer(reply, err)
			a.Date = date
			return a
		}
		all.Count += reply.Count
		for _, i := range reply.Items {
			all.Items = append(all.Items, fleet.Stored{Sort: textOf(i[aws.SortKey]), Item: read(i)})
		}
		if in.ExclusiveStartKey = reply.Next; in.ExclusiveStartKey == nil {
			all.Date = date
			return all
		}
	}
	return fleet.Answer{Err: errTooMuch, Date: date}
}

var errTooMuch = errors.New("the table holds more items of one group than can be read")

// answer gives what a reply says, without items.
func answer(r aws.Reply, err error) fleet.Answer {
	return fleet.Answer{Date: r.Date, Err: err, Silent: err != nil && !r.Came}
}

// keys gives the partition keys that whoever asks for this one is to be allowed: those of the
// group.
func keys(part string) []string {
	const hosts = "#hosts"
	if group, ok := strings.CutSuffix(part, hosts); ok && strings.Contains(group, "#") {
		part = group
	}
	return []string{part, part + hosts}
}

// asked gives a query as DynamoDB has it.
func asked(q fleet.Query) aws.TableRequest {
	var p placeholders
	condition := p.name(aws.PartKey) + " = " + p.value(q.Part)
	if q.From != "" {
		condition += " AND " + p.name(aws.SortKey) + " >= " + p.value(q.From)
	}
	in := aws.TableRequest{
		KeyConditionExpression: condition, ExpressionAttributeNames: p.names, ExpressionAttributeValues: p.values,
		ConsistentRead: q.Consistent,
	}
	if q.Count {
		in.Select = "COUNT"
	}
	return in
}

// read gives an item without its key. What no host writes is a text that says so: it is there.
func read(attributes map[string]aws.Attribute) fleet.Item {
	i := make(fleet.Item, len(attributes))
	for name, value := range attributes {
		switch {
		case value.S != nil:
			i[name] = *value.S
		case value.N != nil:
			i[name] = *value.N
			if n, err := strconv.ParseInt(*value.N, 10, 64); err == nil {
				i[name] = n
			}
		default:
			i[name] = "neither a text nor a number"
		}
	}
	delete(i, aws.PartKey)
	delete(i, aws.SortKey)
	return i
}

func textOf(value aws.Attribute) string {
	if value.S != nil {
		return *value.S
	}
	return ""
}
