package awsfake

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A Wrapping is how an event stands in a message.
type Wrapping string

const (
	Bare Wrapping = "bare" // as EventBridge puts it into a queue, and SNS with raw message delivery
	SNS  Wrapping = "SNS"  // as the text of SNS's notification
)

// A subscription is a rule of EventBridge with a queue as its target.
type subscription struct {
	queueURL string
	wrapping Wrapping
	calls    bool // wants CloudTrail's events rather than the services' own
}

// Notify puts an event into a queue, of whatever place, for each change here from now on, as
// Secrets Manager and Parameter Store publish them: Secret Label Updated for each label that moves
// to a version, but AWSPENDING and AWSPREVIOUS, and Parameter Store Change. The event is there at
// once, before readers see the change where they lag behind. AWS may send one late, twice or never:
// for that there is Send. The func that it returns ends it.
func (at *Place) Notify(queueURL string, w Wrapping) (stop func()) {
	return at.subscribe(&subscription{queueURL: queueURL, wrapping: w})
}

// NotifyCalls is Notify with the events of CloudTrail: AWS API Call via CloudTrail for each call
// that changes something. The methods that prepare a test count as such calls.
func (at *Place) NotifyCalls(queueURL string, w Wrapping) (stop func()) {
	return at.subscribe(&subscription{queueURL, w, true})
}

func (at *Place) subscribe(sub *subscription) (stop func()) {
	at.server.mu.Lock()
	defer at.server.mu.Unlock()
	at.subscriptions = append(at.subscriptions, sub)
	return func() {
		at.server.mu.Lock()
		defer at.server.mu.Unlock()
		at.subscriptions = slices.DeleteFunc(at.subscriptions, func(other *subscription) bool { return other == sub })
	}
}

// An event is what EventBridge hands on.
type event struct {
	Version    string    `json:"version"`
	ID         string    `json:"id"`
	DetailType string    `json:"detail-type"`
	Source     string    `json:"source"`
	Account    string    `json:"account"`
	Time       time.Time `json:"time"`
	Region     string    `json:"region"`
	Resources  []string  `json:"resources"`
	Detail     any       `json:"detail"`
}

const viaCloudTrail = "AWS API Call via CloudTrail"

// publish hands an event to those who want its kind. The server is locked.
func (at *Place) publish(source, detailType string, resources []string, detail any) {
	for _, sub := range at.subscriptions {
		q := at.server.queueAt(sub.queueURL, at.region)
		if q == nil || sub.calls != (detailType == viaCloudTrail) {
			continue
		}
		text := encode(event{
			Version: "0", ID: uuid("event", at.server.next()), DetailType: detailType, Source: source,
			Account: at.account, Time: now(time.Second), Region: at.region, Resources: resources, Detail: detail,
		})
		if sub.wrapping == SNS {
			text = at.notification(text)
		}
		q.send("AIDAIT2UOQQY3AUEKVGXU", text, 0)
	}
}

// queueAt gives the queue at a URL in the Region that its host names, otherwise in the one given;
// nil where there is none.
func (s *Server) queueAt(address, region string) *queue {
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	if m := queueHost.FindStringSubmatch(u.Host); m != nil {
		region = m[1]
	}
	return (&Place{server: s, region: region}).lookUp(address)
}

// notification is the message that SNS makes of another.
func (at *Place) notification(text string) string {
	host := "https://sns." + at.region + ".amazonaws.com/"
	topic := "arn:aws:sns:" + at.region + ":" + at.account + ":rendered"
	return encode(struct{ Type, MessageId, TopicArn, Message, Timestamp, SignatureVersion, Signature, SigningCertURL, UnsubscribeURL string }{
		Type: "Notification", MessageId: uuid("notification", at.server.next()), TopicArn: topic, Message: text,
		Timestamp: time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), SignatureVersion: "1", Signature: "EXAMPLEpH+DcEwjAPg8O9mY8dReBSwksfg2S7WKQcikcNK==",
		SigningCertURL: host + "SimpleNotificationService-f3ecfb7224c7233fe7bb5f59f96de52f.pem",
		UnsubscribeURL: host + "?Action=Unsubscribe&SubscriptionArn=" + topic + ":" + uuid("subscription", topic),
	})
}

func now(exact time.Duration) time.Time { return time.Now().UTC().Truncate(exact) }

func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// tell publishes the labels that have moved since the secret was as before.
func (sec *secret) tell(before *secret) {
	for _, v := range sec.versions {
		old := before.version(v.id)
		for _, stage := range v.stages {
			if stage == pending || stage == previous || old != nil && slices.Contains(old.stages, stage) {
				continue
			}
			sec.place.publish("aws.secretsmanager", "Secret Label Updated", []string{sec.arn}, struct {
				Name         string `json:"name"`
				LabelUpdated string `json:"labelUpdated"`
				VersionID    string `json:"versionId"`
			}{sec.name, stage, v.id})
		}
	}
}

// tell publishes what was done with the parameter. Of its own parameters AWS does not say it this
// way.
func (at *Place) tell(par *parameter, operation string) {
	if isPublic(strings.TrimPrefix(par.name, "/")) {
		return
	}
	at.publish("aws.ssm", "Parameter Store Change", []string{par.arn}, struct {
		Name      string `json:"name"`
		Type      string `json:"type"`
		Operation string `json:"operation"`
	}{par.name, par.kind, operation})
}
