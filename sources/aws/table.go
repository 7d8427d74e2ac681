package aws

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/rendered/rendered/sources"
)

// A Table is a table of DynamoDB. Several goroutines may use it.
//
// Its two calls are made here, with the SDK's signer and credentials: the SDK's client for DynamoDB
// has half a MiB, tries again unless it is told not to, and only logs that a checksum is wrong.
type Table struct {
	source   *Source
	ref      sources.Ref
	clients  *clients // of the table's Region
	carrier  *client
	endpoint string // URL
	signer   requestSigner
}

// tableKind is no kind of lookup: it is what errors call a table.
const tableKind sources.Kind = "table"

// tableActions are what who uses a table needs.
var tableActions = []string{"dynamodb:UpdateItem", "dynamodb:Query"}

// The key of each table: texts, the first of them the partition key.
const (
	PartKey = "pk"
	SortKey = "sk"
)

// An Attribute is a text, or a number as DynamoDB writes it. With neither it is something else.
type Attribute struct {
	S, N *string `json:",omitempty"`
}

// A TableRequest is what UpdateItem or Query is asked for, by the API's own names.
type TableRequest struct {
	TableName                           string               // as the Table has it
	Key                                 map[string]Attribute `json:",omitempty"`
	UpdateExpression                    string               `json:",omitempty"`
	ConditionExpression                 string               `json:",omitempty"`
	ReturnValuesOnConditionCheckFailure string               `json:",omitempty"`
	KeyConditionExpression              string               `json:",omitempty"`
	ExpressionAttributeNames            map[string]string    `json:",omitempty"`
	ExpressionAttributeValues           map[string]Attribute `json:",omitempty"`
	ConsistentRead                      bool                 `json:",omitempty"`
	Select                              string               `json:",omitempty"`
	Limit                               int                  `json:",omitempty"`
	ExclusiveStartKey                   map[string]Attribute `json:",omitempty"`
	ReturnConsumedCapacity              string               // TOTAL, as the Table has it
}

// A Reply is an answer.
type Reply struct {
	// Came: AWS has answered, be it with an error. False: nobody has, or somebody else.
	Came bool
	// Date is when AWS answered, in whole seconds, where the answer is as AWS has sent it; else
	// zero.
	Date time.Time
	// Refused: the condition of an update does not hold. Old is what is there, if that was asked
	// for; nil: nothing is.
	Refused bool
	Old     map[string]Attribute
	// Items are a page of a query's, and Count how many these are; Next is where the next page
	// begins, nil being nowhere.
	Items []map[string]Attribute
	Count int
	Next  map[string]Attribute
}

// Table gives the table of a name or ARN. It is used with the daemon's own credentials, in the home
// Region where no ARN says another. Nobody is asked.
func (s *Source) Table(name string) *Table {
	where := location{region: s.config.Region}
	a, isARN := sources.ParseARN(name)
	if isARN && a.Region != "" {
		where.region = a.Region
	}
	home := s.clientsAt(where)
	at := &clients{location: where, identity: home.identity, known: isARN}
	if account := home.accountOr(a.Account); account != "" {
		at.id.Store(&account)
	}
	if isARN {
		at.id.Store(&a.Account)
	}
	carrier := s.connections.client(answerWithin)
	if t, ok := carrier.http.Transport.(*http.Transport); ok {
		t.IdleConnTimeout = tableIdleFor
	}
	return &Table{
		source: s, ref: sources.Ref{Kind: tableKind, Name: name}, clients: at, carrier: carrier,
		endpoint: s.tableEndpoint(where.region), signer: newRequestSigner(),
	}
}

// tableIdleFor is for how long a connection is kept. A request is sent once: none is to go over a
// connection that a NAT gateway has forgotten, after 350 s.
const tableIdleFor = time.Minute

// String gives the table's name.
func (t *Table) String() string { return t.ref.Name }

// Update changes an item, by one request that is not tried again: an error says that it is not
// known whether it did. Keys are the partition keys that a policy is to allow, for the hints. A
// condition that does not hold is no error. The error is a *sources.Error, or ctx's where that was
// ended.
func (t *Table) Update(ctx context.Context, keys []string, in TableRequest) (Reply, error) {
	return t.ask(ctx, "UpdateItem", writePrice, keys, in)
}

// Query reads a page of items, likewise.
func (t *Table) Query(ctx context.Context, keys []string, in TableRequest) (Reply, error) {
	return t.ask(ctx, "Query", readPrice, keys, in)
}

// writePrice and readPrice are those of a unit of writing or reading of a table that is paid by
// request (the pricing page of DynamoDB, Standard table class).
const (
	writePrice = 0.625 / 1_000_000
	readPrice  = 0.125 / 1_000_000
)

// ask makes one call, once more with other credentials where those in use are refused: then it has
// not been obeyed.
func (t *Table) ask(ctx context.Context, api string, price float64, keys []string, in TableRequest) (Reply, error) {
	in.TableName, in.ReturnConsumedCapacity = t.ref.Name, "TOTAL"
	body, err := json.Marshal(in)
	if err != nil {
		return Reply{}, err
	}
	within, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	begun := time.Now()
	generation := t.clients.identity.current()
	reply, units, err := t.send(within, api, body)
	if unaccepted(err) && t.clients.identity.replace(within, generation) {
		reply, units, err = t.send(within, api, body)
	}
	t.clients.identity.judge(err)
	if ctx.Err() != nil && err != nil {
		return reply, ctx.Err()
	}
	t.tell(Call{API: api, Took: time.Since(begun), Price: units * price}, err)
	if err == nil {
		return reply, nil
	}
	e := t.clients.explain(t.ref, "dynamodb:"+api, err)
	if e.Reason == sources.Denied {
		e.Hints = t.clients.tableHints(readDenial(diagnose(err).message), t.ref, keys)
	}
	return reply, e
}

// tell has who counts calls know of one.
func (t *Table) tell(c Call, err error) {
	if err != nil {
		c.Reason = diagnose(err).reason
	}
	if count := t.source.count.Load(); count != nil {
		(*count)(c)
	}
}

// tableHints say what to add to which policy, for these partition keys and no others.
func (c *clients) tableHints(d denial, r sources.Ref, keys []string) []string {
	return c.hintsToAdd(d, r, Statement{
		Effect: allow, Action: tableActions, Resource: resources(r, c.region, c.accountOr("*")),
		Condition: leading(keys),
	})
}

// leading has a statement hold for these partition keys alone.
func leading(keys []string) map[string]map[string]Words {
	return map[string]map[string]Words{"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": keys}}
}
