package awsfake

import (
	"net/url"
	"regexp"
	"slices"
	"time"
)

// messageQueues answers Amazon SQS's API of 2012-11-05, standard queues without message attributes.
var messageQueues = &service{
	name:     "sqs",
	target:   "AmazonSQS",
	version:  "1.0",
	message:  "message",
	internal: "InternalFailure",
	types: map[string]string{
		"AWS.SimpleQueueService.BatchEntryIdsNotDistinct":     "com.amazonaws.sqs#BatchEntryIdsNotDistinct",
		"AWS.SimpleQueueService.EmptyBatchRequest":            "com.amazonaws.sqs#EmptyBatchRequest",
		"AWS.SimpleQueueService.NonExistentQueue":             "com.amazonaws.sqs#QueueDoesNotExist",
		"AWS.SimpleQueueService.TooManyEntriesInBatchRequest": "com.amazonaws.sqs#TooManyEntriesInBatchRequest",
		"AccessDenied":           "com.amazon.coral.service#AccessDeniedException",
		"ExpiredToken":           "com.amazon.coral.service#ExpiredTokenException",
		"InternalFailure":        "com.amazon.coral.service#InternalFailure",
		"InvalidAction":          "com.amazon.coral.service#UnknownOperationException",
		"InvalidAddress":         "com.amazonaws.sqs#InvalidAddress",
		"InvalidAttributeName":   "com.amazonaws.sqs#InvalidAttributeName",
		"InvalidClientTokenId":   "com.amazon.coral.service#UnrecognizedClientException",
		"InvalidParameterValue":  "com.amazon.coral.service#InvalidParameterValueException",
		"MalformedInput":         "com.amazon.coral.service#SerializationException",
		"MissingParameter":       "com.amazon.coral.service#MissingRequiredParameterException",
		"QueueAlreadyExists":     "com.amazonaws.sqs#QueueNameExists",
		"ReceiptHandleIsInvalid": "com.amazonaws.sqs#ReceiptHandleIsInvalid",
		"SignatureDoesNotMatch":  "com.amazon.coral.service#InvalidSignatureException",
		"Throttling":             "com.amazon.coral.availability#ThrottlingException",
	},
	operations: map[string]func() operation{
		"CreateQueue":        func() operation { return new(createQueue) },
		"DeleteMessage":      func() operation { return new(deleteMessage) },
		"DeleteMessageBatch": func() operation { return new(deleteMessageBatch) },
		"DeleteQueue":        func() operation { return new(deleteQueue) },
		"GetQueueAttributes": func() operation { return new(getQueueAttributes) },
		"ReceiveMessage":     func() operation { return new(receiveMessage) },
		"SendMessage":        func() operation { return new(sendMessage) },
	},
}

// A queueURLMember is the member that names the queue of almost every operation.
type queueURLMember struct{ QueueUrl *string }

func (in queueURLMember) names() []string { return text(in.QueueUrl) }

// The host of SQS's endpoint in a Region.
var queueHost = regexp.MustCompile(`^sqs\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$`)

// queue gives the queue, with AWS's refusals. The server is locked.
func (in queueURLMember) queue(at *Place, c *call) (*queue, *refusal) {
	if in.QueueUrl == nil || *in.QueueUrl == "" {
		return nil, missing("QueueUrl")
	}
	u, err := url.Parse(*in.QueueUrl)
	if err != nil || u.Host == "" {
		return nil, badAddress(*in.QueueUrl)
	}
	if m := queueHost.FindStringSubmatch(u.Host); m != nil && m[1] != at.region {
		return nil, badAddress(*in.QueueUrl)
	}
	q := at.lookUp(*in.QueueUrl)
	switch {
	case q == nil:
		return nil, refuse("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
	case q.place != at && !slices.Contains(q.shared, at.account):
		return nil, c.forbidden(c.operation, q.arn(), DenyByResourcePolicy)
	}
	return q, nil
}

func missing(member string) *refusal {
	return refuse("MissingParameter", "The request must contain the parameter %s.", member)
}

func badAddress(address string) *refusal {
	return refuse("InvalidAddress", "The address %s is not valid for this endpoint.", address)
}

// within refuses a number that is out of bounds. Nil is no number.
func within(n *int, member string, least, most int, reason string) *refusal {
	if n == nil || *n >= least && *n <= most {
		return nil
	}
	return refuse("InvalidParameterValue", "Value %d for parameter %s is invalid. Reason: %s", *n, member, reason)
}

// seconds gives n of them, otherwise where n is nil.
func seconds(n *int, otherwise time.Duration) time.Duration {
	if n == nil {
		return otherwise
	}
	return time.Duration(*n) * time.Second
}
