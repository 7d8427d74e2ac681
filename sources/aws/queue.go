package aws

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/rendered/rendered/internal/lazyregexp"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/rendered/rendered/sources"
)

// A Queue is an SQS queue that change notices come through. One goroutine reads it.
type Queue struct {
	source  *Source
	ref     sources.Ref
	url     string
	clients *clients // of the queue's Region

	receive    call[sqs.ReceiveMessageInput, sqs.ReceiveMessageOutput, sqs.Options]
	remove     call[sqs.DeleteMessageBatchInput, sqs.DeleteMessageBatchOutput, sqs.Options]
	attributes call[sqs.GetQueueAttributesInput, sqs.GetQueueAttributesOutput, sqs.Options]
}

// A Message is what a queue holds.
type Message struct {
	ID, Body string
	receipt  string
}

// queueKind is no kind of lookup: it is what errors call a queue.
const queueKind sources.Kind = "queue"

// queueActions are what the reader of a queue needs.
var queueActions = []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}

// PollFor is the longest that SQS waits for a message (ReceiveMessage, WaitTimeSeconds).
const PollFor = 20 * time.Second

// pollBatch is the most messages of one answer (MaxNumberOfMessages).
const pollBatch = 10

// Queue gives the queue at a URL, the same each time. It is read with the daemon's own credentials
// in the Region that its host names.
func (s *Source) Queue(address string) *Queue {
	at := s.clientsAt(location{region: queueRegion(address, s.config.Region)})
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queues[address] == nil {
		s.queues[address] = s.open(address, at)
	}
	return s.queues[address]
}

func (s *Source) open(address string, home *clients) *Queue {
	at := &clients{location: home.location, identity: home.identity, known: true}
	account := path.Base(path.Dir(address))
	at.id.Store(&account)
	cfg := s.config.Copy()
	cfg.Region, cfg.Credentials = at.region, at.identity
	cfg.HTTPClient, cfg.APIOptions = s.connections.client(PollFor+answerWithin), []func(*middleware.Stack) error{s.counted}
	client := sqs.NewFromConfig(cfg, func(o *sqs.Options) {
		override(&o.BaseEndpoint, s.options.EndpointURL)
		if host := hostOf(address); o.BaseEndpoint == nil && host != "" {
			// The SDK asks the Region's public endpoint, whatever the queue's URL says.
			o.BaseEndpoint = &host
		}
	})
	return &Queue{
		source:     s,
		ref:        sources.Ref{Kind: queueKind, Name: path.Base(address)},
		url:        address,
		clients:    at,
		receive:    client.ReceiveMessage,
		remove:     client.DeleteMessageBatch,
		attributes: client.GetQueueAttributes,
	}
}

// hostOf gives a URL without its path.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// queueHost is the host of SQS, of an interface endpoint of a VPC, or of SQS as it was called
// first.
var queueHost = lazyregexp.New(`^(?:.+\.)?sqs(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.|api\.aws|vpce\.|on\.aws)|^([a-z0-9-]+)\.queue\.amazonaws\.`)

func queueRegion(address, otherwise string) string {
	u, err := url.Parse(address)
	if err != nil {
		return otherwise
	}
	if u.Hostname() == "queue.amazonaws.com" {
		return "us-east-1"
	}
	m := queueHost.FindStringSubmatch(u.Hostname())
	if m == nil {
		return otherwise
	}
	return m[1] + m[2]
}

// Is tells whether both are the same queue, with whatever credentials it is read.
func (q *Queue) Is(other *Queue) bool { return q != nil && other != nil && q.url == other.url }

// String gives the queue's name.
func (q *Queue) String() string { return q.ref.Name }

// Origin is that of the source whose queue it is.
func (q *Queue) Origin(r sources.Ref) (region, account string) { return q.source.Origin(r) }

// Region gives the Region that the queue is read in.
func (q *Queue) Region() string { return q.clients.region }

// Receive waits so long for messages, 20 s at most, and gives up to ten of them; none is no error.
// Unless they are deleted they come again. The error is a *sources.Error, or ctx's.
func (q *Queue) Receive(ctx context.Context, wait time.Duration) ([]Message, error) {
	in := &sqs.ReceiveMessageInput{
		QueueUrl: &q.url, MaxNumberOfMessages: pollBatch, WaitTimeSeconds: int32(min(wait, PollFor) / time.Second),
	}
	out, err := ask(ctx, q, q.receive, in)
	if e, ok := errors.AsType[*sources.Error](err); ok && strings.HasSuffix(e.Detail, errTooLarge.what) {
		in.MaxNumberOfMessages = 1 // a message may have a MiB, and others need not wait behind it
		out, err = ask(ctx, q, q.receive, in)
	}
	if err != nil {
		return nil, err
	}
	list := make([]Message, len(out.Messages))
	for i, m := range out.Messages {
		list[i] = Message{awssdk.ToString(m.MessageId), awssdk.ToString(m.Body), awssdk.ToString(m.ReceiptHandle)}
	}
	return list, nil
}

// Delete deletes messages, at most ten. Those that it could not delete come again. The error is a
// *sources.Error, or ctx's.
func (q *Queue) Delete(ctx context.Context, list []Message) error {
	in := &sqs.DeleteMessageBatchInput{QueueUrl: &q.url}
	for i, m := range list {
		id := strconv.Itoa(i)
		in.Entries = append(in.Entries, types.DeleteMessageBatchRequestEntry{Id: &id, ReceiptHandle: &m.receipt})
	}
	out, err := ask(ctx, q, q.remove, in)
	if err == nil && len(out.Failed) > 0 {
		code := plainCode(awssdk.ToString(out.Failed[0].Code))
		err = &sources.Error{Ref: q.ref, Reason: sources.Unavailable, Detail: fmt.Sprintf("messages are not deleted: %s", code)}
	}
	return err
}

// Waiting gives about how many messages wait. The error is a *sources.Error, or ctx's.
func (q *Queue) Waiting(ctx context.Context) (int, error) {
	const waiting = types.QueueAttributeNameApproximateNumberOfMessages
	out, err := ask(ctx, q, q.attributes, &sqs.GetQueueAttributesInput{QueueUrl: &q.url, AttributeNames: []types.QueueAttributeName{waiting}})
	if err != nil {
		return 0, err
	}
	n, _ := strconv.Atoi(out.Attributes[string(waiting)])
	return n, nil
}

// ask makes one call.
func ask[In, Out any](ctx context.Context, q *Queue, c call[In, Out, sqs.Options], in *In) (*Out, error) {
	out, err := c.with(ctx, q.clients.identity, in)
	switch {
	case err == nil:
		return out, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	e := q.clients.explain(q.ref, queueActions[0], err)
	e.Detail = strings.Replace(e.Detail, within(answerWithin), within(PollFor+answerWithin), 1)
	return nil, e
}
