package dynamo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/internal/awsfake/moto"
	"github.com/rendered/rendered/internal/fleettest"
	"github.com/rendered/rendered/sources/aws"
	"github.com/rendered/rendered/watch/fleet"
)

// TestTables runs the same cases against the rules that the protocol is simulated by, our fake of
// AWS, and moto, which nobody here wrote.
func TestTables(t *testing.T) {
	t.Run("model", func(t *testing.T) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				m := new(model)
				c.run(&probe{T: t, Table: m, meets: m.meets, part: "prod#web"})
			})
		}
	})
	t.Run("awsfake", func(t *testing.T) {
		fake := awsfake.Start(t)
		overHTTP(t, fake.URL, fake.Env(), false)
	})
	t.Run("moto", func(t *testing.T) {
		endpoint := moto.Start(t)
		overHTTP(t, endpoint, moto.Env(endpoint), true)
	})
}

func overHTTP(t *testing.T, endpoint string, env []string, moto bool) {
	t.Helper()
	way := &way{RoundTripper: http.DefaultTransport}
	table := New(t.Context(), open(t, way, env).Table("rendered"))
	makeTable(t, endpoint)
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			part := fmt.Sprintf("prod#%d", i)
			c.run(&probe{T: t, Table: table, client: table, way: way, meets: way.meets, part: part, moto: moto})
			table.page = 0
		})
	}
}

// open gives a source in an environment.
func open(t *testing.T, way http.RoundTripper, env []string) *aws.Source {
	t.Helper()
	environment(t, env)
	s, err := aws.New(t.Context(), aws.Options{Transport: way})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func environment(t *testing.T, env []string) {
	t.Helper()
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		t.Setenv(name, value)
	}
}

// rewriting puts other words in what is sent.
type rewriting struct{ *strings.Replacer }

func (w rewriting) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	text := w.Replace(string(body))
	r = r.Clone(r.Context())
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	return http.DefaultTransport.RoundTrip(r)
}

// makeTable makes it as the stacks do.
func makeTable(t *testing.T, endpoint string) {
	t.Helper()
	client := dynamodb.New(dynamodb.Options{
		Region: "eu-west-1", BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		RetryMaxAttempts: 5,
	})
	part, sort := awssdk.String(aws.PartKey), awssdk.String(aws.SortKey)
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: awssdk.String("rendered"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: part, AttributeType: "S"}, {AttributeName: sort, AttributeType: "S"}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: part, KeyType: "HASH"}, {AttributeName: sort, KeyType: "RANGE"}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A trouble is what a request meets on its way.
type trouble string

const (
	throttled trouble = "throttled" // it is refused for too much work
	vanished  trouble = "vanished"  // it never comes there
	lost      trouble = "lost"      // it is obeyed, and nobody hears of it
	doubled   trouble = "doubled"   // it is obeyed twice
)

// A way is between the client and the table.
type way struct {
	http.RoundTripper
	mu       sync.Mutex
	next     trouble
	requests int
}

func (w *way) meets(t trouble) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next = t
}

func (w *way) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	meets := w.next
	w.next = ""
	w.requests++
	w.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	send := func() (*http.Response, error) {
		again := r.Clone(r.Context())
		again.Body = io.NopCloser(bytes.NewReader(body))
		return w.RoundTripper.RoundTrip(again)
	}
	switch meets {
	case throttled:
		return &http.Response{
			StatusCode: 400, Request: r, Header: http.Header{"X-Amzn-Requestid": {"1"}},
			Body: io.NopCloser(strings.NewReader(`{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slower"}`)),
		}, nil
	case vanished:
		return nil, io.ErrUnexpectedEOF
	}
	answer, err := send()
	switch {
	case err != nil || meets == "":
		return answer, err
	case meets == lost:
		answer.Body.Close()
		return nil, io.ErrUnexpectedEOF
	}
	second, err := send()
	if err != nil {
		return nil, err
	}
	second.Body.Close()
	return answer, nil
}

// A model obeys as the table does that the protocol is simulated over, and meets trouble when told.
type model struct {
	fleettest.Table
	next trouble
}

var errModel = errors.New("trouble")

func (m *model) meets(t trouble) { m.next = t }

func (m *model) Update(u fleet.Update) fleet.Answer {
	meets := m.next
	m.next = ""
	switch meets {
	case throttled:
		return fleet.Answer{Err: errModel}
	case vanished:
		return fleet.Answer{Err: errModel, Silent: true}
	}
	a := m.update(u)
	switch meets {
	case lost:
		return fleet.Answer{Err: errModel, Silent: true}
	case doubled:
		m.update(u)
	}
	return a
}

func (m *model) update(u fleet.Update) fleet.Answer {
	m.Now = time.Now()
	return m.Table.Update(u)
}

func (m *model) Query(q fleet.Query) fleet.Answer {
	m.Now = time.Now()
	return m.Table.Query(q)
}

// A probe is what a case works with.
type probe struct {
	*testing.T
	fleet.Table
	client *Table // nil: the model
	way    *way
	meets  func(trouble)
	part   string
	moto   bool
}

// motoIs says what moto is known to get wrong; what depends on it is not asked of moto.
func (p *probe) motoIs(wrong string) bool {
	p.Helper()
	if p.moto {
		p.Logf("not asked of moto: %s", wrong)
	}
	return p.moto
}

func (p *probe) key(sort string) fleet.Key { return fleet.Key{Part: p.part, Sort: sort} }

func (p *probe) same(what string, got, want any) {
	p.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		p.Errorf("%s: got + want -\n%s", what, diff)
	}
}

// does has an update be obeyed.
func (p *probe) does(u fleet.Update) {
	p.Helper()
	a := p.Update(u)
	if a.Err != nil || a.Refused || a.Silent {
		p.Fatalf("not obeyed: %+v", a)
	}
	p.dated(a)
}

// refuses has the condition of an update not hold, and gives what is there.
func (p *probe) refuses(u fleet.Update) fleet.Item {
	p.Helper()
	a := p.Update(u)
	if a.Err != nil || !a.Refused || a.Silent {
		p.Fatalf("not refused: %+v", a)
	}
	p.dated(a)
	return a.Old
}

func (p *probe) dated(a fleet.Answer) {
	p.Helper()
	if off := time.Since(a.Date); off < -2*time.Second || off > time.Minute {
		p.Errorf("dated %v", a.Date)
	}
}

// has gives what stands in the table from a sort on.
func (p *probe) has(from string) []fleet.Stored {
	p.Helper()
	a := p.Query(fleet.Query{Part: p.part, From: from, Consistent: true})
	if a.Err != nil {
		p.Fatal(a.Err)
	}
	p.dated(a)
	p.same("count", a.Count, len(a.Items))
	return a.Items
}

func (p *probe) item(sort string) fleet.Item {
	p.Helper()
	for _, s := range p.has(sort) {
		if s.Sort == sort {
			return s.Item
		}
	}
	return nil
}

func test(attribute string, is fleet.Relation, value any) fleet.Test {
	return fleet.Test{Attribute: attribute, Is: is, Value: value}
}

// acquire is how a slot is.
func (p *probe) acquire(lease string, now int64) fleet.Update {
	return fleet.Update{
		Key: p.key("slot#000001"),
		Set: fleet.Item{"lease": lease, "owner": "host " + lease, "until": now + 60_000, "kept": int64(0)},
		If: []fleet.Any{
			{test("until", fleet.Absent, nil), test("until", fleet.Less, now-2000)},
			{test("lease", fleet.Absent, nil)},
		},
	}
}

var cases = []struct {
	name string
	run  func(*probe)
}{
	{"what is not there", func(p *probe) {
		p.same("items", len(p.has("")), 0)
		p.same("old", p.refuses(fleet.Update{Key: p.key("a"), Set: fleet.Item{"x": int64(1)}, If: []fleet.Any{{test("x", fleet.Equal, int64(1))}}}), fleet.Item(nil))
		p.same("items", len(p.has("")), 0)
		if p.motoIs("an update that changes nothing is a 500") {
			return
		}
		p.does(fleet.Update{Key: p.key("a")})
		p.same("an item of its key alone", p.has(""), []fleet.Stored{{Sort: "a", Item: fleet.Item{}}})
	}},
	{"a condition that does not hold", func(p *probe) {
		const now = 1_800_000_000_000
		p.does(p.acquire("mine", now))
		want := fleet.Item{"lease": "mine", "owner": "host mine", "until": int64(now + 60_000), "kept": int64(0)}
		p.same("old", p.refuses(p.acquire("other", now)), want)
		p.same("item", p.item("slot#000001"), want)
	}},
	{"the same lease twice", func(p *probe) {
		u := p.acquire("mine", 1_800_000_000_000)
		p.does(u)
		p.same("lease", p.refuses(u).Text("lease"), "mine")
	}},
	{"compare and set of a seat", func(p *probe) {
		take := func(seen, next string) fleet.Update {
			free := fleet.Any{test("seat", fleet.Absent, nil)}
			if seen != "" {
				free = fleet.Any{test("seat", fleet.Equal, seen)}
			}
			return fleet.Update{Key: p.key("svc#web#1:aa"), Set: fleet.Item{"seat": next}, Remove: []string{"ok_at"}, If: []fleet.Any{free}}
		}
		p.does(take("", "one"))
		p.same("seat", p.refuses(take("", "two")).Text("seat"), "one")
		p.does(take("one", "two"))
		p.same("seat", p.refuses(take("one", "three")).Text("seat"), "two")
	}},
	{"what is equal is of one type", func(p *probe) {
		p.does(fleet.Update{Key: p.key("a"), Set: fleet.Item{"n": int64(1), "t": "1"}})
		p.refuses(fleet.Update{Key: p.key("a"), Set: fleet.Item{"x": "x"}, If: []fleet.Any{{test("n", fleet.Equal, "1")}}})
		p.refuses(fleet.Update{Key: p.key("a"), Set: fleet.Item{"x": "x"}, If: []fleet.Any{{test("t", fleet.Equal, int64(1))}}})
		if !p.motoIs("a text and a number are compared with a 500") {
			p.refuses(fleet.Update{Key: p.key("a"), Set: fleet.Item{"x": "x"}, If: []fleet.Any{{test("t", fleet.Less, int64(5))}}})
		}
		p.does(fleet.Update{Key: p.key("a"), Set: fleet.Item{"x": "x"}, If: []fleet.Any{{test("n", fleet.Equal, int64(1))}, {test("t", fleet.Equal, "1")}}})
	}},
	{"less", func(p *probe) {
		less := func(limit int64) fleet.Update {
			return fleet.Update{Key: p.key("a"), Set: fleet.Item{"until": limit}, If: []fleet.Any{{test("until", fleet.Less, limit)}}}
		}
		p.same("nothing is less than what is not there", p.refuses(less(1)), fleet.Item(nil))
		p.does(fleet.Update{Key: p.key("a"), Set: fleet.Item{"until": int64(9)}})
		p.does(less(10))
		p.refuses(less(10))
		p.does(less(1_800_000_000_000))
		p.refuses(less(11))
	}},
	{"remove and add", func(p *probe) {
		p.does(fleet.Update{Key: p.key("a"), Set: fleet.Item{"ok_at": int64(5), "halted": "why", "halted_by": "h"}})
		resume := fleet.Update{
			Key: p.key("a"), Set: fleet.Item{"x": int64(-3)}, Remove: []string{"halted", "halted_by", "none"}, Add: map[string]int64{"resumes": 1},
			If: []fleet.Any{{test("halted", fleet.Equal, "why")}},
		}
		p.does(resume)
		want := fleet.Item{"ok_at": int64(5), "resumes": int64(1), "x": int64(-3)}
		p.same("item", p.item("a"), want)
		p.same("old", p.refuses(resume), want)
		p.does(fleet.Update{Key: p.key("a"), Remove: []string{"ok_at"}, Add: map[string]int64{"resumes": 1}})
		p.same("item", p.item("a"), fleet.Item{"resumes": int64(2), "x": int64(-3)})
	}},
	{"texts", func(p *probe) {
		want := fleet.Item{"": nil, "change#web": "1:aa", "empty": "", "why": "\"quoted\" <é> \n\\", "name": "a reserved word", "big": int64(1<<62 + 1)}
		delete(want, "")
		p.does(fleet.Update{Key: p.key("host#é \"h\""), Set: want})
		p.same("items", p.has(""), []fleet.Stored{{Sort: "host#é \"h\"", Item: want}})
	}},
	{"from a sort on", func(p *probe) {
		for _, sort := range []string{"state", "slot#000002", "svc#web#1:aa", "slot#000010"} {
			p.does(fleet.Update{Key: p.key(sort), Set: fleet.Item{"is": sort}})
		}
		p.does(fleet.Update{Key: fleet.Key{Part: p.part + "#hosts", Sort: "host#1"}, Set: fleet.Item{"at": int64(1)}})
		var names []string
		for _, s := range p.has("slot#000003") {
			p.same("item", s.Item, fleet.Item{"is": s.Sort})
			names = append(names, s.Sort)
		}
		p.same("names", names, []string{"slot#000010", "state", "svc#web#1:aa"})
		p.same("all", len(p.has("")), 4)
	}},
	{"count", func(p *probe) {
		for i := range 7 {
			p.does(fleet.Update{Key: p.key(fmt.Sprint("host#", i)), Set: fleet.Item{"at": int64(i)}})
		}
		p.pages(3)
		a := p.Query(fleet.Query{Part: p.part, From: "host#2", Count: true})
		p.same("count", a.Count, 5)
		p.same("items", len(a.Items), 0)
	}},
	{"small pages", func(p *probe) {
		for i := range 7 {
			p.does(fleet.Update{Key: p.key(fmt.Sprint("slot#", i)), Set: fleet.Item{"at": int64(i)}})
		}
		p.pages(3)
		before := p.requests()
		got := p.has("slot#1")
		p.same("items", len(got), 6)
		p.same("last", got[5], fleet.Stored{Sort: "slot#6", Item: fleet.Item{"at": int64(6)}})
		if n := p.requests() - before; p.way != nil && n != 3 && n != 2 {
			p.Errorf("%d pages", n)
		}
	}},
	{"more than fits into a page", func(p *probe) {
		text := strings.Repeat("x", 300_000)
		for i := range 5 {
			p.does(fleet.Update{Key: p.key(fmt.Sprint("slot#", i)), Set: fleet.Item{"text": text}})
		}
		before := p.requests()
		got := p.has("")
		p.same("items", len(got), 5)
		p.same("last", got[4].Item.Text("text") == text, true)
		if n := p.requests() - before; p.way != nil && n != 2 {
			p.Errorf("%d pages", n)
		}
	}},
	{"throttled", func(p *probe) {
		p.meets(throttled)
		a := p.Update(p.acquire("mine", 1))
		if a.Err == nil || a.Silent || a.Refused {
			p.Errorf("%+v", a)
		}
		p.same("items", len(p.has("")), 0)
	}},
	{"a request that vanishes", func(p *probe) {
		p.meets(vanished)
		before := p.requests()
		a := p.Update(p.acquire("mine", 1))
		if a.Err == nil || !a.Silent || !a.Date.IsZero() {
			p.Errorf("%+v", a)
		}
		if n := p.requests() - before; p.way != nil && n != 1 {
			p.Errorf("sent %d times", n)
		}
		p.same("items", len(p.has("")), 0)
	}},
	{"a reply that is lost", func(p *probe) {
		p.meets(lost)
		a := p.Update(p.acquire("mine", 1))
		if a.Err == nil || !a.Silent {
			p.Errorf("%+v", a)
		}
		p.same("lease, when it is tried again", p.refuses(p.acquire("mine", 1)).Text("lease"), "mine")
	}},
	{"a request that comes twice", func(p *probe) {
		p.meets(doubled)
		p.does(p.acquire("mine", 1))
		p.same("lease", p.item("slot#000001").Text("lease"), "mine")
		release := fleet.Update{Key: p.key("slot#000001"), Set: fleet.Item{"until": int64(0)}, If: []fleet.Any{{test("lease", fleet.Equal, "mine")}}}
		p.meets(doubled)
		p.does(release)
		p.same("until", p.item("slot#000001").Number("until"), int64(0))
	}},
}

// pages has pages of so many items.
func (p *probe) pages(items int) {
	if p.client != nil {
		p.client.page = items
	}
}

func (p *probe) requests() int {
	if p.way == nil {
		return 0
	}
	p.way.mu.Lock()
	defer p.way.mu.Unlock()
	return p.way.requests
}
