package awsfake

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"time"
)

func digestOf(body string) string {
	sum := md5.Sum([]byte(body))
	return hex.EncodeToString(sum[:])
}

type sendMessage struct {
	queueURLMember
	MessageBody       string
	DelaySeconds      *int
	MessageAttributes map[string]struct{}
	MessageGroupId    string
}

func (in *sendMessage) run(at *Place, c *call) (any, error) {
	q, refused := in.queue(at, c)
	if err := first(refused, in.check()); err != nil {
		return nil, err
	}
	m := q.send(c.caller.userID, in.MessageBody, seconds(in.DelaySeconds, q.delay))
	return struct{ MessageId, MD5OfMessageBody string }{m.id, digestOf(m.body)}, nil
}

func (in *sendMessage) check() *refusal {
	switch {
	case in.MessageBody == "":
		return missing("MessageBody")
	case len(in.MessageBody) > maxMessage:
		return refuse("InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", maxMessage)
	case len(in.MessageAttributes) > 0:
		return unimplemented("SendMessage with MessageAttributes")
	}
	return within(in.DelaySeconds, "DelaySeconds", 0, 900, "DelaySeconds must be >= 0 and <= 900.")
}

type receiveMessage struct {
	queueURLMember
	MaxNumberOfMessages         *int
	VisibilityTimeout           *int
	WaitTimeSeconds             *int
	AttributeNames              []string
	MessageSystemAttributeNames []string

	deadline time.Time // of the long poll; zero before it has begun
}

type messageAnswer struct {
	MessageId, ReceiptHandle, MD5OfBody, Body string
	Attributes                                map[string]string `json:",omitempty"`
}

// run answers with nothing only after the time of a long poll.
func (in *receiveMessage) run(at *Place, c *call) (any, error) {
	q, refused := in.queue(at, c)
	if err := first(refused,
		within(in.MaxNumberOfMessages, "MaxNumberOfMessages", 1, 10, "Must be between 1 and 10, if provided."),
		within(in.VisibilityTimeout, "VisibilityTimeout", 0, 43200, "Must be >= 0 and <= 43200, if provided."),
		within(in.WaitTimeSeconds, "WaitTimeSeconds", 0, 20, "Must be >= 0 and <= 20, if provided."),
	); err != nil {
		return nil, err
	}
	n := 1
	if in.MaxNumberOfMessages != nil {
		n = *in.MaxNumberOfMessages
	}
	if in.deadline.IsZero() {
		in.deadline = time.Now().Add(seconds(in.WaitTimeSeconds, q.wait))
	}
	taken := q.receive(n, seconds(in.VisibilityTimeout, q.visibility))
	if len(taken) == 0 && time.Now().Before(in.deadline) {
		return nil, &later{q.changed, in.until(q.next())}
	}
	var answer struct {
		Messages []messageAnswer `json:",omitempty"`
	}
	for _, m := range taken {
		answer.Messages = append(answer.Messages, messageAnswer{m.id, m.receipt, digestOf(m.body), m.body, in.attributes(m)})
	}
	return answer, nil
}

// until gives the end of the wait, or the time at which something can be seen before it.
func (in *receiveMessage) until(next time.Time) time.Time {
	if !next.IsZero() && next.Before(in.deadline) {
		return next
	}
	return in.deadline
}

func (in *receiveMessage) attributes(m *message) map[string]string {
	all := map[string]string{
		"SenderId":                         m.sender,
		"SentTimestamp":                    decimal(m.sent.UnixMilli()),
		"ApproximateReceiveCount":          strconv.Itoa(m.received),
		"ApproximateFirstReceiveTimestamp": decimal(m.first.UnixMilli()),
	}
	return chosen(all, slices.Concat(in.AttributeNames, in.MessageSystemAttributeNames))
}

// chosen gives those attributes that are asked for by name, or by All.
func chosen(all map[string]string, names []string) map[string]string {
	if slices.Contains(names, "All") {
		return all
	}
	some := make(map[string]string)
	for _, name := range names {
		if value, ok := all[name]; ok {
			some[name] = value
		}
	}
	return some
}

// A later is no error: the operation has to wait, and is run again.
type later struct {
	changed <-chan struct{}
	until   time.Time
}

func (*later) Error() string { return "later" }

// wait returns when there may be an answer, or with ctx's error when that ends before.
func (l *later) wait(ctx context.Context) error {
	t := time.NewTimer(time.Until(l.until))
	defer t.Stop()
	select {
	case <-l.changed:
	case <-t.C:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// badReceipt is answered with 404, unlike almost every other error.
func badReceipt(handle string) *refusal {
	return &refusal{code: "ReceiptHandleIsInvalid", status: http.StatusNotFound, message: `The input receipt handle "` + handle + `" is not a valid receipt handle.`}
}

type deleteMessage struct {
	queueURLMember
	ReceiptHandle string
}

func (in *deleteMessage) run(at *Place, c *call) (any, error) {
	q, refused := in.queue(at, c)
	switch {
	case refused != nil:
		return nil, refused
	case in.ReceiptHandle == "":
		return nil, missing("ReceiptHandle")
	case !q.remove(in.ReceiptHandle):
		return nil, badReceipt(in.ReceiptHandle)
	}
	return struct{}{}, nil
}

type deleteMessageBatch struct {
	queueURLMember
	Entries []struct{ Id, ReceiptHandle string }
}

// A failedEntry is an entry of a batch that was refused by itself.
type failedEntry struct {
	Id, Code, Message string
	SenderFault       bool
}

func (in *deleteMessageBatch) run(at *Place, c *call) (any, error) {
	q, refused := in.queue(at, c)
	if err := first(refused, in.check()); err != nil {
		return nil, err
	}
	type done struct{ Id string }
	var answer struct {
		Successful []done
		Failed     []failedEntry `json:",omitempty"`
	}
	answer.Successful = []done{}
	for _, e := range in.Entries {
		if q.remove(e.ReceiptHandle) {
			answer.Successful = append(answer.Successful, done{e.Id})
			continue
		}
		r := badReceipt(e.ReceiptHandle)
		answer.Failed = append(answer.Failed, failedEntry{e.Id, r.code, r.message, true})
	}
	return answer, nil
}

func (in *deleteMessageBatch) check() *refusal {
	switch n := len(in.Entries); {
	case n == 0:
		return refuse("AWS.SimpleQueueService.EmptyBatchRequest", "There should be at least one DeleteMessageBatchRequestEntry in the request.")
	case n > 10:
		return refuse("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10. You have sent %d.", n)
	}
	seen := make(map[string]bool)
	for _, e := range in.Entries {
		if seen[e.Id] {
			return refuse("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "Id %s repeated.", e.Id)
		}
		seen[e.Id] = true
	}
	return nil
}
