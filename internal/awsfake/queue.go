package awsfake

import (
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
)

// A queue is a standard queue of SQS.
type queue struct {
	place      *Place
	name       string
	shared     []string // the other accounts that its policy lets in
	created    time.Time
	visibility time.Duration // for which a message that was received is hidden
	delay      time.Duration // for which one that was sent is hidden
	wait       time.Duration // for which a receiver waits that does not say
	messages   []*message    // in the order of their arrival
	receipts   map[string]*message
	changed    chan struct{} // closed and replaced when there may be something to receive
}

// A message is one until it is deleted.
type message struct {
	id, body string
	sender   string
	sent     time.Time
	visible  time.Time // hidden before it
	first    time.Time // when it was received first
	received int       // how often
	receipt  string    // the latest handle: older ones delete nothing any more
}

// Queues' defaults, by CreateQueue's reference.
const (
	hiddenFor  = 30 * time.Second
	maxMessage = 1048576
)

func (q *queue) arn() string {
	return "arn:aws:sqs:" + q.place.region + ":" + q.place.account + ":" + q.name
}

func (q *queue) url() string {
	return "https://sqs." + q.place.region + ".amazonaws.com/" + q.place.account + "/" + q.name
}

// makeQueue adds an empty queue. The server is locked.
func (at *Place) makeQueue(name string) *queue {
	q := &queue{
		place: at, name: name, created: time.Now(), visibility: hiddenFor,
		receipts: make(map[string]*message), changed: make(chan struct{}),
	}
	at.queues[name] = q
	return q
}

// lookUp gives the queue at a URL, nil where there is none. Of the URL only the account and the
// name count. The server is locked.
func (at *Place) lookUp(address string) *queue {
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	account, name := path.Split(u.Path)
	if keeper := at.server.places[[2]string{strings.Trim(account, "/"), at.region}]; keeper != nil {
		return keeper.queues[name]
	}
	return nil
}

// wake lets those who wait look again.
func (q *queue) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// send puts a message into the queue.
func (q *queue) send(sender, body string, delay time.Duration) *message {
	now := time.Now()
	m := &message{
		id: uuid("message", q.name, q.place.server.next()), body: body, sender: sender,
		sent: now, visible: now.Add(delay),
	}
	q.messages = append(q.messages, m)
	q.wake()
	return m
}

// receive takes up to n messages that can be seen and hides them, answering the latest first: no
// receiver may count on an order.
func (q *queue) receive(n int, hide time.Duration) []*message {
	var taken []*message
	now := time.Now()
	for _, m := range q.messages {
		if len(taken) == n {
			break
		}
		if m.visible.After(now) {
			continue
		}
		if m.received++; m.received == 1 {
			m.first = now
		}
		m.visible = now.Add(hide)
		m.receipt = "AQEB" + letters(52, "receipt", q.place.server.next())
		q.receipts[m.receipt] = m
		taken = append(taken, m)
	}
	slices.Reverse(taken)
	return taken
}

// next gives the time at which the next hidden message can be seen, the zero time where there is
// none.
func (q *queue) next() time.Time {
	var next time.Time
	for _, m := range q.messages {
		if next.IsZero() || m.visible.Before(next) {
			next = m.visible
		}
	}
	return next
}

// remove deletes the message that was received with a handle, if it was not received again since.
// It is false for what is no handle.
func (q *queue) remove(receipt string) bool {
	m, ok := q.receipts[receipt]
	if ok && m.receipt == receipt {
		q.messages = slices.DeleteFunc(q.messages, func(other *message) bool { return other == m })
	}
	return ok
}

// MakeQueue makes a queue and gives its URL, which is AWS's own: of a URL that the server is asked
// with, the account and the name count. One that is there is left as it is.
func (at *Place) MakeQueue(name string) (queueURL string) {
	at.server.mu.Lock()
	defer at.server.mu.Unlock()
	if q := at.queues[name]; q != nil {
		return q.url()
	}
	return at.makeQueue(name).url()
}

// RemoveQueue deletes a queue of the place with all that is in it.
func (at *Place) RemoveQueue(queueURL string) { at.seed(&deleteQueue{queueURLMember{&queueURL}}) }

// Send puts a message into a queue of the place.
func (at *Place) Send(queueURL, body string) {
	at.seed(&sendMessage{queueURLMember: queueURLMember{&queueURL}, MessageBody: body})
}

// Messages gives the bodies of all messages in a queue of the place that are not deleted yet,
// received or not, from the first sent on.
func (at *Place) Messages(queueURL string) (bodies []string) {
	at.server.mu.Lock()
	defer at.server.mu.Unlock()
	q, refused := queueURLMember{&queueURL}.queue(at, at.self())
	must(refused)
	for _, m := range q.messages {
		bodies = append(bodies, m.body)
	}
	return bodies
}
