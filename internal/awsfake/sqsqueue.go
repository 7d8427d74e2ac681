package awsfake

import (
	"regexp"
	"strconv"
	"time"
)

// The names of standard queues, by CreateQueue's reference.
var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

type createQueue struct {
	QueueName  string
	Attributes map[string]string
}

func (in *createQueue) names() []string { return []string{in.QueueName} }

// run answers with the queue that is there already, if it is the same in what is asked for.
func (in *createQueue) run(at *Place, _ *call) (any, error) {
	if !queueName.MatchString(in.QueueName) {
		return nil, refuse("InvalidParameterValue", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	wanted := make(map[string]time.Duration)
	for name, value := range in.Attributes {
		if (&queue{}).setting(name) == nil {
			return nil, unimplemented("CreateQueue with " + name)
		}
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return nil, refuse("InvalidAttributeValue", "Invalid value for the parameter %s.", name)
		}
		wanted[name] = time.Duration(n) * time.Second
	}
	q := at.queues[in.QueueName]
	made := q == nil
	if made {
		q = at.makeQueue(in.QueueName)
	}
	for name, value := range wanted {
		if have := q.setting(name); made {
			*have = value
		} else if *have != value {
			return nil, refuse("QueueAlreadyExists", "A queue already exists with the same name and a different value for attribute %s", name)
		}
	}
	return struct{ QueueUrl string }{q.url()}, nil
}

// setting gives where the attribute of this name is kept, nil for what cannot be set here.
func (q *queue) setting(name string) *time.Duration {
	switch name {
	case "VisibilityTimeout":
		return &q.visibility
	case "DelaySeconds":
		return &q.delay
	case "ReceiveMessageWaitTimeSeconds":
		return &q.wait
	}
	return nil
}

type deleteQueue struct{ queueURLMember }

// run ends the long polls: they find no queue any more.
func (in *deleteQueue) run(at *Place, c *call) (any, error) {
	q, refused := in.queue(at, c)
	if refused != nil {
		return nil, refused
	}
	delete(q.place.queues, q.name)
	q.wake()
	return struct{}{}, nil
}

type getQueueAttributes struct {
	queueURLMember
	AttributeNames []string
}

func (in *getQueueAttributes) run(at *Place, c *call) (any, error) {
	q, refused := in.queue(at, c)
	if refused != nil {
		return nil, refused
	}
	all := q.attributes()
	for _, name := range in.AttributeNames {
		if _, ok := all[name]; !ok && name != "All" {
			return nil, refuse("InvalidAttributeName", "Unknown Attribute %s.", name)
		}
	}
	return struct {
		Attributes map[string]string `json:",omitempty"`
	}{chosen(all, in.AttributeNames)}, nil
}

func (q *queue) attributes() map[string]string {
	visible, hidden, delayed := 0, 0, 0
	for _, m := range q.messages {
		switch {
		case !m.visible.After(time.Now()):
			visible++
		case m.received > 0:
			hidden++
		default:
			delayed++
		}
	}
	inSeconds := func(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
	return map[string]string{
		"ApproximateNumberOfMessages":           strconv.Itoa(visible),
		"ApproximateNumberOfMessagesDelayed":    strconv.Itoa(delayed),
		"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(hidden),
		"CreatedTimestamp":                      decimal(q.created.Unix()),
		"DelaySeconds":                          inSeconds(q.delay),
		"LastModifiedTimestamp":                 decimal(q.created.Unix()),
		"MaximumMessageSize":                    strconv.Itoa(maxMessage),
		"MessageRetentionPeriod":                inSeconds(96 * time.Hour),
		"QueueArn":                              q.arn(),
		"ReceiveMessageWaitTimeSeconds":         inSeconds(q.wait),
		"SqsManagedSseEnabled":                  "true",
		"VisibilityTimeout":                     inSeconds(q.visibility),
	}
}
