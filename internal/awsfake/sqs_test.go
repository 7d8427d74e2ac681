package awsfake_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/rendered/rendered/internal/awsfake"
)

// receive gives the messages of one call.
func receive(t *testing.T, c clients, in sqs.ReceiveMessageInput) []sqstypes.Message {
	t.Helper()
	out, err := c.sqs.ReceiveMessage(t.Context(), &in)
	if err != nil {
		t.Fatal(err)
	}
	return out.Messages
}

func bodies(messages []sqstypes.Message) (texts []string) {
	for _, m := range messages {
		texts = append(texts, *m.Body)
	}
	return texts
}

func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start()
		s.SetLatency(0)
		url := s.MakeQueue("web-1")
		if url != "https://sqs.eu-west-1.amazonaws.com/111111111111/web-1" || s.MakeQueue("web-1") != url {
			t.Errorf("the URL is %s", url)
		}
		begun := time.Now()
		for i := range 12 {
			if _, err := c.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String(fmt.Sprint("message ", i))}); err != nil {
				t.Fatal(err)
			}
		}
		all := sqs.ReceiveMessageInput{
			QueueUrl: &url, MaxNumberOfMessages: 10, MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{sqstypes.MessageSystemAttributeNameAll},
		}
		one := receive(t, c, sqs.ReceiveMessageInput{QueueUrl: &url})
		ten := receive(t, c, all)
		if len(one) != 1 || len(ten) != 10 || slices.IsSortedFunc(ten, func(a, b sqstypes.Message) int { return strings.Compare(*a.Body, *b.Body) }) {
			t.Errorf("received %v, then %v", bodies(one), bodies(ten))
		}
		if len(one[0].Attributes) != 0 {
			t.Errorf("attributes that nobody asked for: %v", one[0].Attributes)
		}
		ms := fmt.Sprint(begun.UnixMilli())
		if diff := cmp.Diff(map[string]string{
			"ApproximateReceiveCount": "1", "SentTimestamp": ms, "ApproximateFirstReceiveTimestamp": ms, "SenderId": ten[0].Attributes["SenderId"],
		}, ten[0].Attributes); diff != "" {
			t.Errorf("attributes: got + want -\n%s", diff)
		}
		if got := bodies(receive(t, c, all)); len(got) != 1 {
			t.Errorf("the rest: %v", got)
		}
		if got := receive(t, c, all); len(got) != 0 {
			t.Errorf("hidden messages were received: %v", bodies(got))
		}
		<-time.After(29 * time.Second)
		if got := receive(t, c, all); len(got) != 0 {
			t.Errorf("after 29 s: %v", bodies(got))
		}
		<-time.After(time.Second)
		again := receive(t, c, all)
		if len(again) != 10 || again[0].Attributes["ApproximateReceiveCount"] != "2" || *again[0].ReceiptHandle == *ten[0].ReceiptHandle {
			t.Errorf("after 30 s: %v", bodies(again))
		}
		if len(s.Messages(url)) != 12 {
			t.Errorf("of 12 messages that nobody deleted %d are there", len(s.Messages(url)))
		}
		remove := func(handle *string) {
			t.Helper()
			if _, err := c.sqs.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: handle}); err != nil {
				t.Error(err)
			}
		}
		for range 2 { // twice is not an error
			remove(again[0].ReceiptHandle)
		}
		if len(s.Messages(url)) != 11 || slices.Contains(s.Messages(url), *again[0].Body) {
			t.Errorf("after a deletion %v are there", s.Messages(url))
		}
		stale := ten[slices.IndexFunc(ten, func(m sqstypes.Message) bool { return *m.Body == *again[1].Body })]
		remove(stale.ReceiptHandle)
		if len(s.Messages(url)) != 11 {
			t.Error("a handle from before the message was received again deleted it")
		}
	})
}

func TestDeleteMessageBatch(t *testing.T) {
	s, c := start()
	url := s.MakeQueue("q")
	for i := range 3 {
		s.Send(url, fmt.Sprint(i))
	}
	got := receive(t, c, sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10})
	out, err := c.sqs.DeleteMessageBatch(t.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: []sqstypes.DeleteMessageBatchRequestEntry{
		{Id: aws.String("a"), ReceiptHandle: got[0].ReceiptHandle},
		{Id: aws.String("b"), ReceiptHandle: aws.String("no such handle")},
		{Id: aws.String("c"), ReceiptHandle: got[2].ReceiptHandle},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Successful) != 2 || *out.Successful[0].Id != "a" || *out.Successful[1].Id != "c" {
		t.Errorf("successful: %v", out.Successful)
	}
	if len(out.Failed) != 1 || *out.Failed[0].Id != "b" || *out.Failed[0].Code != "ReceiptHandleIsInvalid" || !out.Failed[0].SenderFault ||
		*out.Failed[0].Message != `The input receipt handle "no such handle" is not a valid receipt handle.` {
		t.Errorf("failed: %v", out.Failed)
	}
	if diff := cmp.Diff([]string{*got[1].Body}, s.Messages(url)); diff != "" {
		t.Errorf("left: got + want -\n%s", diff)
	}
}

func TestLongPoll(t *testing.T) {
	poll := func(s *awsfake.Server, c clients, url string, in sqs.ReceiveMessageInput) (bodiesAfter string) {
		begun := time.Now()
		in.QueueUrl = &url
		out, err := c.sqs.ReceiveMessage(context.Background(), &in)
		if err != nil {
			var api interface{ ErrorCode() string }
			if errors.As(err, &api) {
				return api.ErrorCode() + " after " + time.Since(begun).String()
			}
			return err.Error()
		}
		return strings.Join(bodies(out.Messages), " ") + " after " + time.Since(begun).String()
	}
	for _, tc := range []struct {
		name  string
		in    sqs.ReceiveMessageInput
		while func(s *awsfake.Server, url string)
		want  string
	}{
		{"no wait", sqs.ReceiveMessageInput{}, nil, " after 0s"},
		{"nothing comes", sqs.ReceiveMessageInput{WaitTimeSeconds: 20}, nil, " after 20s"},
		{"one comes", sqs.ReceiveMessageInput{WaitTimeSeconds: 20}, func(s *awsfake.Server, url string) {
			<-time.After(5 * time.Second)
			s.Send(url, "hello")
		}, "hello after 5s"},
		{"the queue goes", sqs.ReceiveMessageInput{WaitTimeSeconds: 20}, func(s *awsfake.Server, url string) {
			<-time.After(7 * time.Second)
			s.RemoveQueue(url)
		}, "AWS.SimpleQueueService.NonExistentQueue after 7s"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, c := start()
				s.SetLatency(0)
				url := s.MakeQueue("q")
				done := make(chan string)
				go func() { done <- poll(s, c, url, tc.in) }()
				synctest.Wait() // it blocks on nothing but time and channels
				if tc.while != nil {
					tc.while(s, url)
				}
				if got := <-done; got != tc.want {
					t.Errorf("got %q, want %q", got, tc.want)
				}
			})
		})
	}
	t.Run("a hidden one is seen again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, c := start()
			s.SetLatency(0)
			url := s.MakeQueue("q")
			s.Send(url, "hello")
			receive(t, c, sqs.ReceiveMessageInput{QueueUrl: &url, VisibilityTimeout: 8})
			if got := poll(s, c, url, sqs.ReceiveMessageInput{WaitTimeSeconds: 20}); got != "hello after 8s" {
				t.Error(got)
			}
		})
	})
	t.Run("a delayed one", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, c := start()
			s.SetLatency(0)
			url := s.MakeQueue("q")
			_, err := c.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("hello"), DelaySeconds: 9})
			if err != nil {
				t.Fatal(err)
			}
			if got := poll(s, c, url, sqs.ReceiveMessageInput{WaitTimeSeconds: 20}); got != "hello after 9s" {
				t.Error(got)
			}
		})
	})
	t.Run("two receivers", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, c := start()
			s.SetLatency(0)
			url := s.MakeQueue("q")
			done := make(chan string)
			for range 2 {
				go func() { done <- poll(s, c, url, sqs.ReceiveMessageInput{WaitTimeSeconds: 20}) }()
			}
			synctest.Wait()
			s.Send(url, "hello")
			if one, two := <-done, <-done; one != "hello after 0s" || two != " after 20s" {
				t.Errorf("%q and %q", one, two)
			}
		})
	})
}

func TestLongPollEndsWithItsContext(t *testing.T) {
	t.Run("in process", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, c := start()
			url := s.MakeQueue("q")
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			begun := time.Now()
			_, err := c.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 20})
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 3*time.Second {
				t.Errorf("%v after %v", err, time.Since(begun))
			}
		})
	})
	t.Run("over a socket", func(t *testing.T) {
		s := awsfake.Start(t)
		url := s.MakeQueue("q")
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := connect(config(s.URL)).sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 20})
			done <- err
		}()
		if err := s.Await(t.Context(), "ReceiveMessage", 1); err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}) // and the server ends with the test, although a poll was under way
}

func TestQueueLimits(t *testing.T) {
	s, c := start()
	url := s.MakeQueue("q")
	s.In("", "us-east-1").MakeQueue("q")
	s.In(other, "").MakeQueue("theirs")
	ctx := t.Context()
	poll := func(in sqs.ReceiveMessageInput) error {
		if in.QueueUrl == nil {
			in.QueueUrl = &url
		}
		_, err := c.sqs.ReceiveMessage(ctx, &in)
		return err
	}
	send := func(in sqs.SendMessageInput) error {
		in.QueueUrl = &url
		_, err := c.sqs.SendMessage(ctx, &in)
		return err
	}
	remove := func(url, handle string) error {
		_, err := c.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: &handle})
		return err
	}
	batch := func(ids ...string) error {
		in := &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: []sqstypes.DeleteMessageBatchRequestEntry{}}
		for _, id := range ids {
			in.Entries = append(in.Entries, sqstypes.DeleteMessageBatchRequestEntry{Id: &id, ReceiptHandle: aws.String("x")})
		}
		_, err := c.sqs.DeleteMessageBatch(ctx, in)
		return err
	}
	create := func(name string, attributes map[string]string) error {
		_, err := c.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
		return err
	}
	attributes := func(names ...sqstypes.QueueAttributeName) error {
		_, err := c.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: names})
		return err
	}
	for _, tc := range []struct {
		name string
		err  error
		want refusal
	}{
		{"no such queue", poll(sqs.ReceiveMessageInput{QueueUrl: aws.String(url + "x")}), refusal{"AWS.SimpleQueueService.NonExistentQueue", 400, "The specified queue does not exist."}},
		{"a queue of nobody", poll(sqs.ReceiveMessageInput{QueueUrl: aws.String("https://sqs.eu-west-1.amazonaws.com/333333333333/q")}), refusal{"AWS.SimpleQueueService.NonExistentQueue", 400, "The specified queue does not exist."}},
		{"a queue of another account", poll(sqs.ReceiveMessageInput{QueueUrl: aws.String("https://sqs.eu-west-1.amazonaws.com/222222222222/theirs")}),
			refusal{"AccessDenied", 403, "User: " + web + " is not authorized to perform: sqs:receivemessage on resource: arn:aws:sqs:eu-west-1:222222222222:theirs because no resource-based policy allows the sqs:receivemessage action"}},
		{"the host of another Region", poll(sqs.ReceiveMessageInput{QueueUrl: aws.String("https://sqs.us-east-1.amazonaws.com/111111111111/q")}),
			refusal{"InvalidAddress", 400, "The address https://sqs.us-east-1.amazonaws.com/111111111111/q is not valid for this endpoint."}},
		{"another host", poll(sqs.ReceiveMessageInput{QueueUrl: aws.String("http://127.0.0.1:4566/111111111111/q")}), refusal{}},
		{"a name", poll(sqs.ReceiveMessageInput{QueueUrl: aws.String("q")}), refusal{"InvalidAddress", 400, "The address q is not valid for this endpoint."}},
		{"no URL", poll(sqs.ReceiveMessageInput{QueueUrl: aws.String("")}), refusal{"MissingParameter", 400, "The request must contain the parameter QueueUrl."}},
		{"11 messages", poll(sqs.ReceiveMessageInput{MaxNumberOfMessages: 11}), refusal{"InvalidParameterValue", 400, "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."}},
		{"21 seconds", poll(sqs.ReceiveMessageInput{WaitTimeSeconds: 21}), refusal{"InvalidParameterValue", 400, "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided."}},
		{"hidden for half a day and more", poll(sqs.ReceiveMessageInput{VisibilityTimeout: 43201}), refusal{"InvalidParameterValue", 400, "Value 43201 for parameter VisibilityTimeout is invalid. Reason: Must be >= 0 and <= 43200, if provided."}},
		{"an empty message", send(sqs.SendMessageInput{MessageBody: aws.String("")}), refusal{"MissingParameter", 400, "The request must contain the parameter MessageBody."}},
		{"the longest message", send(sqs.SendMessageInput{MessageBody: aws.String(strings.Repeat("x", 1<<20))}), refusal{}},
		{"a longer message", send(sqs.SendMessageInput{MessageBody: aws.String(strings.Repeat("x", 1<<20+1))}), refusal{"InvalidParameterValue", 400, "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes."}},
		{"attributes of a message", send(sqs.SendMessageInput{MessageBody: aws.String("x"), MessageAttributes: map[string]sqstypes.MessageAttributeValue{"a": {DataType: aws.String("String"), StringValue: aws.String("x")}}}),
			refusal{"NotImplemented", 501, "awsfake does not answer SendMessage with MessageAttributes"}},
		{"a bad handle", remove(url, "x"), refusal{"ReceiptHandleIsInvalid", 404, `The input receipt handle "x" is not a valid receipt handle.`}},
		{"no handle", remove(url, ""), refusal{"MissingParameter", 400, "The request must contain the parameter ReceiptHandle."}},
		{"an empty batch", batch(), refusal{"AWS.SimpleQueueService.EmptyBatchRequest", 400, "There should be at least one DeleteMessageBatchRequestEntry in the request."}},
		{"a batch of 11", batch(strings.Split("abcdefghijk", "")...), refusal{"AWS.SimpleQueueService.TooManyEntriesInBatchRequest", 400, "Maximum number of entries per request are 10. You have sent 11."}},
		{"one id twice", batch("a", "b", "a"), refusal{"AWS.SimpleQueueService.BatchEntryIdsNotDistinct", 400, "Id a repeated."}},
		{"a bad name", create("a b", nil), refusal{"InvalidParameterValue", 400, "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"}},
		{"made again", create("q", nil), refusal{}},
		{"made again with the same", create("q", map[string]string{"VisibilityTimeout": "30"}), refusal{}},
		{"made again otherwise", create("q", map[string]string{"VisibilityTimeout": "31"}), refusal{"QueueAlreadyExists", 400, "A queue already exists with the same name and a different value for attribute VisibilityTimeout"}},
		{"a queue that keeps the order", create("q2", map[string]string{"FifoQueue": "true"}), refusal{"NotImplemented", 501, "awsfake does not answer CreateQueue with FifoQueue"}},
		{"an unknown attribute", attributes("Colour"), refusal{"InvalidAttributeName", 400, "Unknown Attribute Colour."}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.err == nil && tc.want == (refusal{}) {
				return
			}
			if got := refused(t, tc.err); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

// A queue that is shared can be used by its URL.
func TestSharedQueue(t *testing.T) {
	s, c := start()
	there := s.In(other, "")
	url := there.MakeQueue("theirs")
	there.Share("theirs", "111111111111")
	there.Send(url, "hello")
	if got := bodies(receive(t, c, sqs.ReceiveMessageInput{QueueUrl: &url})); len(got) != 1 {
		t.Errorf("received %v", got)
	}
}

func TestQueueAttributes(t *testing.T) {
	s, c := start()
	url := s.MakeQueue("q")
	made, err := c.sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("slow"), Attributes: map[string]string{
		"VisibilityTimeout": "60", "DelaySeconds": "5", "ReceiveMessageWaitTimeSeconds": "20",
	}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		s.Send(url, fmt.Sprint(i))
		s.Send(*made.QueueUrl, fmt.Sprint(i))
	}
	receive(t, c, sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 3})
	for url, want := range map[string]map[string]string{
		url: {
			"ApproximateNumberOfMessages": "1", "ApproximateNumberOfMessagesNotVisible": "3", "ApproximateNumberOfMessagesDelayed": "0",
			"QueueArn": "arn:aws:sqs:eu-west-1:111111111111:q", "VisibilityTimeout": "30", "DelaySeconds": "0", "ReceiveMessageWaitTimeSeconds": "0",
		},
		*made.QueueUrl: {
			"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0", "ApproximateNumberOfMessagesDelayed": "4",
			"QueueArn": "arn:aws:sqs:eu-west-1:111111111111:slow", "VisibilityTimeout": "60", "DelaySeconds": "5", "ReceiveMessageWaitTimeSeconds": "20",
		},
	} {
		in := &sqs.GetQueueAttributesInput{QueueUrl: &url}
		for name := range want {
			in.AttributeNames = append(in.AttributeNames, sqstypes.QueueAttributeName(name))
		}
		out, err := c.sqs.GetQueueAttributes(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, out.Attributes); diff != "" {
			t.Errorf("got + want -\n%s", diff)
		}
	}
	all, err := c.sqs.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{"All"}})
	if err != nil || all.Attributes["CreatedTimestamp"] == "" {
		t.Errorf("all: %v, %v", all, err)
	}
}

// The front end and faults speak to SQS's clients with the codes of the query protocol.
func TestQueueFaults(t *testing.T) {
	s, c := start()
	url := s.MakeQueue("q")
	const arn = "arn:aws:sqs:eu-west-1:111111111111:q"
	for _, tc := range []struct {
		fault awsfake.Fault
		want  refusal
	}{
		{awsfake.Fault{Kind: awsfake.Throttle}, refusal{"Throttling", 400, "Rate exceeded"}},
		{awsfake.Fault{Kind: awsfake.ServerError}, refusal{"InternalFailure", 500, "An error occurred on the server side."}},
		{awsfake.Fault{Kind: awsfake.Deny, Name: "q"}, refusal{"AccessDenied", 403, "User: " + web + " is not authorized to perform: sqs:receivemessage on resource: " + arn + " because no identity-based policy allows the sqs:receivemessage action"}},
		{awsfake.Fault{Kind: awsfake.ExpiredToken}, refusal{"ExpiredToken", 403, "The security token included in the request is expired"}},
		{awsfake.Fault{Kind: awsfake.InvalidToken}, refusal{"InvalidClientTokenId", 403, "The security token included in the request is invalid."}},
	} {
		clearFault := s.Inject(tc.fault)
		_, err := c.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url})
		if got := refused(t, err); got != tc.want {
			t.Errorf("%s: got %v, want %v", tc.fault.Kind, got, tc.want)
		}
		clearFault()
	}
	if n := s.MaxInFlight(); n != 0 {
		t.Errorf("%d in flight: a long poll is not counted", n)
	}
}

// On the wire an error has both its names.
func TestQueueErrorOnTheWire(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "http://aws.test/", strings.NewReader(`{"QueueUrl":"https://sqs.eu-west-1.amazonaws.com/111111111111/none"}`))
	r.Header.Set("X-Amz-Target", "AmazonSQS.ReceiveMessage")
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("Authorization", signed("eu-west-1", "sqs"))
	w := httptest.NewRecorder()
	awsfake.New().ServeHTTP(w, r)
	if w.Code != 400 || w.Body.String() != `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}` ||
		w.Header().Get("X-Amzn-Query-Error") != "AWS.SimpleQueueService.NonExistentQueue;Sender" || w.Header().Get("Content-Type") != "application/x-amz-json-1.0" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	var known *sqstypes.QueueDoesNotExist
	_, c := start()
	if _, err := c.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String("https://sqs.eu-west-1.amazonaws.com/111111111111/none")}); !errors.As(err, &known) {
		t.Errorf("the SDK takes it for %v", err)
	}
}
