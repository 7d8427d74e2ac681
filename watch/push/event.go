package push

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

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

// Parse reads a message. No changes and no error is a notice of something that no ref can mean. The error says why the message is no
// notice; it never repeats the message.
func Parse(body string) ([]Change, error) {
	e, err := read(body)
	if err == nil && e.Type == "Notification" {
		e, err = read(e.Message)
	}
	switch {
	case err != nil:
		return nil, err
	case e.Type == "SubscriptionConfirmation" && topic.MatchString(e.TopicArn):
		return nil, errors.New("SNS asks whether " + e.TopicArn + " may send to this queue; it does not ask where the queue's own account subscribes it, by  aws sns subscribe")
	case e.Source == "aws.secretsmanager" && e.DetailType == "Secret Label Updated":
		return e.label()
	case e.Source == "aws.ssm" && e.DetailType == "Parameter Store Change":
		return e.parameter()
	case e.Source == "aws.secretsmanager" && (e.DetailType == "AWS API Call via CloudTrail" || e.DetailType == "AWS Service Event via CloudTrail"):
		return e.secretCall()
	case e.Source == "aws.ssm" && e.DetailType == "AWS API Call via CloudTrail":
		return e.parameterCall()
	case plain.MatchString(e.Source) && plain.MatchString(e.DetailType):
		return nil, fmt.Errorf("it is %q of %s", e.DetailType, e.Source)
	}
	return nil, errors.New("it is no event of EventBridge")
}

var (
	plain = regexp.MustCompile(`^[A-Za-z0-9 ._-]{1,64}$`)
	topic = regexp.MustCompile(`^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+$`)
)

var errNotJSON = errors.New("it is no JSON of an event")

func read(text string) (e event, err error) {
	if json.Unmarshal([]byte(text), &e) != nil {
		return event{}, errNotJSON
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

// one makes the list of a change that has a name.
func (e *event) one(c Change) ([]Change, error) {
	if c.Name == "" || c.Name == "/" {
		return nil, fmt.Errorf("its detail names nothing that %q could be about", e.DetailType)
	}
	c.Account, c.Region, c.At = e.Account, e.Region, e.Time
	if p := strings.SplitN(c.ARN, ":", 6); len(p) == 6 { // a call into another account is recorded in both
		c.Region, c.Account = p[3], p[4]
	}
	return []Change{c}, nil
}

// label reads the event that Secrets Manager sends when a label has moved.
func (e *event) label() ([]Change, error) {
	var detail struct {
		Name         string `json:"name"`
		LabelUpdated string `json:"labelUpdated"`
		VersionID    string `json:"versionId"`
	}
	if err := e.decode(&detail); err != nil {
		return nil, err
	}
	return e.moved(Change{Name: cmp.Or(detail.Name, secretName(e.first())), ARN: e.first()}, detail.LabelUpdated, detail.VersionID)
}

// moved is the change of a secret's label that moved to a version.
func (e *event) moved(c Change, label, version string) ([]Change, error) {
	c.Kind = sources.Secret
	switch label {
	case current:
		c.Scope, c.Version = Current, version
	default:
		c.Scope = Labelled
	}
	return e.one(c)
}

// parameter reads the event that Parameter Store sends.
func (e *event) parameter() ([]Change, error) {
	var detail struct{ Operation, Name string }
	if err := e.decode(&detail); err != nil {
		return nil, err
	}
	c := Change{Kind: sources.Param, ARN: e.first(), Name: parameterName(cmp.Or(detail.Name, e.first()))}
	switch detail.Operation {
	case "Create", "Update":
		c.Scope = Current
	case "LabelParameterVersion":
		c.Scope = Labelled
	}
	return e.one(c)
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

// secretCall reads what CloudTrail says of a call of Secrets Manager.
func (e *event) secretCall() ([]Change, error) {
	var of call
	if err := e.decode(&of); err != nil {
		return nil, err
	}
	if of.ErrorCode != "" {
		return nil, nil
	}
	c := Change{Kind: sources.Secret, Name: cmp.Or(of.Response.Name, of.Request.Name)}
	id := cmp.Or(of.Response.ARN, of.More.SecretID)
	c.ARN, c.Name = id, cmp.Or(c.Name, secretName(id))
	if asked := of.Request.SecretID; id == "" && strings.HasPrefix(asked, "arn:") {
		return e.partial(of, asked)
	} else if id == "" {
		c.Name = cmp.Or(c.Name, asked)
	}
	return e.secretChange(of, c)
}

// partial reads a call that named a secret by an ARN that may lack its end, and was not answered with the whole: what looks like the end
// may be part of the name.
func (e event) partial(of call, asked string) ([]Change, error) {
	if p := strings.SplitN(asked, ":", 6); len(p) == 6 {
		e.Region, e.Account = p[3], p[4]
	}
	whole, err := e.secretChange(of, Change{Kind: sources.Secret, Name: resource(asked, "secret:")})
	if err != nil || secretName(asked) == resource(asked, "secret:") {
		return whole, err
	}
	cut, err := e.secretChange(of, Change{Kind: sources.Secret, Name: secretName(asked)})
	return append(cut, whole...), err
}

// secretChange is what a call did to a secret.
func (e *event) secretChange(of call, c Change) ([]Change, error) {
	switch of.EventName {
	case "CreateSecret", "UpdateSecret": // which need not make a version
		return e.moved(c, current, of.Response.VersionID)
	case "PutSecretValue":
		return e.put(c, of.Request.VersionStages, cmp.Or(of.Response.VersionID, of.Request.Token))
	case "UpdateSecretVersionStage":
		return e.moved(c, of.Request.VersionStage, of.Request.MoveTo)
	case "RotationSucceeded":
		return e.moved(c, current, "")
	case "DeleteSecret", "RestoreSecret":
		return e.one(c)
	}
	return nil, nil
}

// put is the changes of a secret that got a version with these labels.
func (e *event) put(c Change, labels []string, version string) (list []Change, err error) {
	if len(labels) == 0 {
		labels = []string{current}
	}
	for _, label := range labels {
		one, err := e.moved(c, label, version)
		if err != nil {
			return nil, err
		}
		list = append(list, one...)
	}
	return list, nil
}

// parameterCall reads what CloudTrail says of a call of Parameter Store.
func (e *event) parameterCall() ([]Change, error) {
	var of call
	if err := e.decode(&of); err != nil {
		return nil, err
	}
	if of.ErrorCode != "" {
		return nil, nil
	}
	c := Change{Kind: sources.Param, Name: parameterName(of.Request.Name)}
	switch of.EventName {
	case "PutParameter":
		c.Scope = Current
	case "LabelParameterVersion", "UnlabelParameterVersion":
		c.Scope = Labelled
	case "DeleteParameter":
	case "DeleteParameters":
		var list []Change
		for _, name := range of.Request.Names {
			c.Name = parameterName(name)
			one, err := e.one(c)
			if err != nil {
				return nil, err
			}
			list = append(list, one...)
		}
		return list, nil
	default:
		return nil, nil
	}
	return e.one(c)
}
