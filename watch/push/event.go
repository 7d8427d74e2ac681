package push

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rendered/rendered/internal/lazyregexp"

	"github.com/rendered/rendered/sources"
)

// An event of EventBridge, or SNS's notification with one in its Message.
// https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
type event struct {
	Source     string          `json:"source"`
	DetailType string          `json:"detail-type"`
	Account    string          `json:"account"`
	Region     string          `json:"region"`
	Time       time.Time       `json:"time"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`

	Type     string `json:"Type"`
	TopicArn string `json:"TopicArn"`
	Message  string `json:"Message"`
}

// readers are what reads the detail of an event, by its source and detail-type.
var readers = map[[2]string]func(*event) ([]sources.Change, error){
	{"aws.secretsmanager", "Secret Label Updated"}:             (*event).label,
	{"aws.secretsmanager", "AWS API Call via CloudTrail"}:      (*event).call,
	{"aws.secretsmanager", "AWS Service Event via CloudTrail"}: (*event).call,
	{"aws.ssm", "Parameter Store Change"}:                      (*event).parameter,
	{"aws.ssm", "AWS API Call via CloudTrail"}:                 (*event).call,
}

// Parse reads a message. No changes and no error is a notice of something that no ref can mean. The
// error says why the message is no notice; it never repeats the message.
func Parse(body string) ([]sources.Change, error) {
	e, err := read(body)
	if err != nil {
		return nil, err
	}
	reader := readers[[...]string{e.Source, e.DetailType}]
	if reader == nil {
		return nil, e.unknown()
	}
	changes, err := reader(&e)
	for i := range changes {
		if err == nil {
			err = e.complete(&changes[i])
		}
	}
	if err != nil {
		return nil, err
	}
	return changes, nil
}

// unknown says what a message is instead of a notice.
func (e *event) unknown() error {
	switch {
	case e.Type == "SubscriptionConfirmation" && topic.MatchString(e.TopicArn):
		return errors.New("SNS asks whether " + e.TopicArn + " may send to this queue; it does not ask where the queue's own account subscribes it, by  aws sns subscribe")
	case plain.MatchString(e.Source) && plain.MatchString(e.DetailType):
		return fmt.Errorf("it is %q of %s", e.DetailType, e.Source)
	}
	return errors.New("it is no event of EventBridge")
}

// complete adds to a change what the event says of all of them.
func (e *event) complete(c *sources.Change) error {
	if c.Name == "" || c.Name == "/" {
		return fmt.Errorf("its detail names nothing that %q could be about", e.DetailType)
	}
	c.At = e.Time
	// A call into another account is recorded in both.
	if a, ok := sources.ParseARN(c.ARN); ok {
		c.Region, c.Account = a.Region, a.Account
	} else if c.Region == "" {
		c.Region, c.Account = e.Region, e.Account
	}
	return nil
}

var (
	plain = lazyregexp.New(`^[A-Za-z0-9 ._-]{1,64}$`)
	topic = lazyregexp.New(`^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+$`)
)

// read reads an event, also out of a notification.
func read(text string) (e event, err error) {
	if json.Unmarshal([]byte(text), &e) != nil {
		return event{}, errors.New("it is no JSON of an event")
	}
	if e.Type == "Notification" {
		return read(e.Message)
	}
	return e, nil
}

func (e *event) decode(detail any) error {
	if json.Unmarshal(e.Detail, detail) != nil {
		return fmt.Errorf("its detail is not that of %q", e.DetailType)
	}
	return nil
}

// first gives the ARN of what the event is about.
func (e *event) first() string {
	if len(e.Resources) == 0 {
		return ""
	}
	return e.Resources[0]
}

// label reads the event that Secrets Manager sends when a label has moved.
func (e *event) label() ([]sources.Change, error) {
	var detail struct {
		Name         string `json:"name"`
		LabelUpdated string `json:"labelUpdated"`
		VersionID    string `json:"versionId"`
	}
	err := e.decode(&detail)
	c := sources.Change{Kind: sources.Secret, Name: cmp.Or(detail.Name, sources.SecretName(e.first())), ARN: e.first()}
	return []sources.Change{moved(c, detail.LabelUpdated, detail.VersionID)}, err
}

// moved is the change of a secret's label that moved to a version.
func moved(c sources.Change, label, version string) sources.Change {
	if c.Scope = sources.Labelled; label == sources.CurrentLabel {
		c.Scope, c.Version = sources.Current, version
	}
	return c
}

// parameter reads the event that Parameter Store sends.
func (e *event) parameter() ([]sources.Change, error) {
	var detail struct{ Operation, Name string }
	err := e.decode(&detail)
	c := sources.Change{Kind: sources.Param, ARN: e.first(), Name: sources.ParameterName(cmp.Or(detail.Name, e.first()))}
	switch detail.Operation {
	case "Create", "Update":
		c.Scope = sources.Current
	case "LabelParameterVersion":
		c.Scope = sources.Labelled
	}
	return []sources.Change{c}, err
}

// A call is what CloudTrail says of one. Of its members only those are read that say what changed.
type call struct {
	EventName string `json:"eventName"`
	ErrorCode string `json:"errorCode"`
	Request   struct {
		SecretID      string   `json:"secretId"`
		Name          string   `json:"name"`
		Names         []string `json:"names"`
		Token         string   `json:"clientRequestToken"`
		VersionStages []string `json:"versionStages"`
		VersionStage  string   `json:"versionStage"`
		MoveTo        string   `json:"moveToVersionId"`
	} `json:"requestParameters"`
	Response struct {
		ARN       string `json:"arn"`
		Name      string `json:"name"`
		VersionID string `json:"versionId"`
	} `json:"responseElements"`
	More struct {
		SecretID string `json:"SecretId"`
	} `json:"additionalEventData"`
}

// call reads what CloudTrail says of a call.
func (e *event) call() ([]sources.Change, error) {
	var of call
	if err := e.decode(&of); err != nil || of.ErrorCode != "" {
		return nil, err
	}
	if e.Source == "aws.ssm" {
		return of.ofParameters(), nil
	}
	return of.ofSecret(), nil
}

// ofSecret is what a call of Secrets Manager changed. One that named the secret by an ARN may have
// left out its end, and not been answered with the whole: what looks like the end may be part of
// the name.
func (of *call) ofSecret() []sources.Change {
	asked, id := of.Request.SecretID, cmp.Or(of.Response.ARN, of.More.SecretID)
	c := sources.Change{Kind: sources.Secret, ARN: id, Name: cmp.Or(of.Response.Name, of.Request.Name, sources.SecretName(id))}
	if id != "" || !strings.HasPrefix(asked, "arn:") {
		c.Name = cmp.Or(c.Name, asked)
		return of.changed(c)
	}
	a, _ := sources.ParseARN(asked)
	c.Region, c.Account, c.Name = a.Region, a.Account, sources.SecretName(asked)
	whole := strings.TrimPrefix(a.Resource, "secret:")
	changes := of.changed(c)
	if c.Name != whole {
		c.Name = whole
		changes = append(changes, of.changed(c)...)
	}
	return changes
}

// changed is what a call did to a secret.
func (of *call) changed(c sources.Change) (changes []sources.Change) {
	labels, version := []string{sources.CurrentLabel}, ""
	switch of.EventName {
	case "CreateSecret", "UpdateSecret": // which need not make a version
		version = of.Response.VersionID
	case "PutSecretValue":
		version = cmp.Or(of.Response.VersionID, of.Request.Token)
		if len(of.Request.VersionStages) > 0 {
			labels = of.Request.VersionStages
		}
	case "UpdateSecretVersionStage":
		labels, version = []string{of.Request.VersionStage}, of.Request.MoveTo
	case "RotationSucceeded":
	case "DeleteSecret", "RestoreSecret":
		return []sources.Change{c}
	default:
		return nil
	}
	for _, label := range labels {
		changes = append(changes, moved(c, label, version))
	}
	return changes
}

// ofParameters is what a call of Parameter Store changed.
func (of *call) ofParameters() (changes []sources.Change) {
	c, names := sources.Change{Kind: sources.Param}, []string{of.Request.Name}
	switch of.EventName {
	case "PutParameter":
		c.Scope = sources.Current
	case "LabelParameterVersion", "UnlabelParameterVersion":
		c.Scope = sources.Labelled
	case "DeleteParameter":
	case "DeleteParameters":
		names = of.Request.Names
	default:
		return nil
	}
	for _, name := range names {
		c.Name = sources.ParameterName(name)
		changes = append(changes, c)
	}
	return changes
}
