package awsfake_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/google/go-cmp/cmp"

	"github.com/rendered/rendered/internal/awsfake"
)

// drained gives the events in a queue, emptied of what differs from run to run, and deletes them.
func drained(t *testing.T, s *awsfake.Server, url string) (events []map[string]any) {
	t.Helper()
	for _, body := range s.Messages(url) {
		var e map[string]any
		if err := json.Unmarshal([]byte(body), &e); err != nil {
			t.Fatal(err)
		}
		for _, member := range []string{"id", "time"} {
			if e[member] == "" {
				t.Errorf("an event without its %s", member)
			}
			delete(e, member)
		}
		events = append(events, e)
	}
	s.RemoveQueue(url)
	s.MakeQueue(url[strings.LastIndex(url, "/")+1:])
	return events
}

// envelope is what all events have, of the server's own place.
func envelope(source, kind string, resources []any, detail map[string]any) map[string]any {
	return map[string]any{
		"version": "0", "source": source, "detail-type": kind, "account": "111111111111", "region": "eu-west-1",
		"resources": resources, "detail": detail,
	}
}

func TestNotify(t *testing.T) {
	s, c := start()
	url := s.MakeQueue("q")
	stop := s.Notify(url, awsfake.Bare)
	label := func(name, stage, id string) map[string]any {
		return envelope("aws.secretsmanager", "Secret Label Updated", []any{s.SecretARN(name)}, map[string]any{"name": name, "labelUpdated": stage, "versionId": id})
	}
	changed := func(name, kind, operation string) map[string]any {
		return envelope("aws.ssm", "Parameter Store Change", []any{s.ParameterARN(name)}, map[string]any{"name": name, "type": kind, "operation": operation})
	}
	is := func(what string, want ...map[string]any) {
		t.Helper()
		if diff := cmp.Diff(want, drained(t, s, url)); diff != "" {
			t.Errorf("%s: got + want -\n%s", what, diff)
		}
	}
	one := s.PutSecret("prod/db", "1")
	is("a new secret", label("prod/db", "AWSCURRENT", one))
	two := s.PutSecret("prod/db", "2")
	is("a new version", label("prod/db", "AWSCURRENT", two))
	three := s.BeginRotation("prod/db")
	_, err := c.sm.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{
		SecretId: aws.String("prod/db"), ClientRequestToken: &three, SecretString: aws.String("3"), VersionStages: []string{"AWSPENDING"},
	})
	if err != nil {
		t.Fatal(err)
	}
	is("a rotation that is not over")
	_, err = c.sm.UpdateSecretVersionStage(t.Context(), &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: aws.String("prod/db"), VersionStage: aws.String("AWSCURRENT"), MoveToVersionId: &three, RemoveFromVersionId: &two,
	})
	if err != nil {
		t.Fatal(err)
	}
	is("its end", label("prod/db", "AWSCURRENT", three))
	s.StageSecret("prod/db", "BLUE", one)
	is("a label of one's own", label("prod/db", "BLUE", one))
	s.StageSecret("prod/db", "BLUE", one)
	is("a label that is there already")
	s.DeleteSecret("prod/db")
	is("a deletion")

	s.PutParameter("/app/host", "SecureString", "1")
	is("a new parameter", changed("/app/host", "SecureString", "Create"))
	if _, err := c.ssm.PutParameter(t.Context(), &ssm.PutParameterInput{Name: aws.String("/app/host"), Value: aws.String("2"), Overwrite: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	is("a new version of it", changed("/app/host", "SecureString", "Update"))
	s.LabelParameter("/app/host", 1, "prod")
	is("a label of it", changed("/app/host", "SecureString", "LabelParameterVersion"))
	s.DeleteParameter("/app/host")
	is("its deletion", changed("/app/host", "SecureString", "Delete"))
	s.PutParameter("root", "String", "1")
	is("one without a slash", changed("root", "String", "Create"))
	s.PutParameter("/aws/service/ami", "String", "1")
	is("one of AWS's")
	_, _ = c.ssm.PutParameter(t.Context(), &ssm.PutParameterInput{Name: aws.String("root"), Value: aws.String("2"), Type: ssmtypes.ParameterTypeString})
	is("a change that was refused")
	s.In(other, "").PutSecret("prod/db", "theirs")
	is("a change in another account")
	stop()
	s.PutSecret("else", "1")
	is("after the end")
}

func TestNotifyBySNS(t *testing.T) {
	s := awsfake.New()
	url := s.MakeQueue("q")
	s.Notify(url, awsfake.SNS)
	s.PutParameter("/a", "String", "1")
	var outer struct{ Type, MessageId, TopicArn, Message, Timestamp, Signature string }
	var inner struct {
		Source string
		Detail struct{ Name string }
	}
	bodies := s.Messages(url)
	if len(bodies) != 1 {
		t.Fatalf("%d messages", len(bodies))
	}
	if err := json.Unmarshal([]byte(bodies[0]), &outer); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(outer.Message), &inner); err != nil {
		t.Fatal(err)
	}
	if outer.Type != "Notification" || outer.MessageId == "" || !strings.HasPrefix(outer.TopicArn, "arn:aws:sns:eu-west-1:111111111111:") {
		t.Errorf("the notification is %+v", outer)
	}
	if inner.Source != "aws.ssm" || inner.Detail.Name != "/a" {
		t.Errorf("the event is %+v", inner)
	}
}

func TestNotifyCalls(t *testing.T) {
	const canary = "c4n4ry-v4lue"
	s, c := start()
	url := s.MakeQueue("q")
	s.NotifyCalls(url, awsfake.Bare)
	ctx := t.Context()
	made, err := c.sm.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: aws.String("prod/db"), SecretString: aws.String(canary)})
	if err != nil {
		t.Fatal(err)
	}
	arn, first := *made.ARN, *made.VersionId
	put, err := c.sm.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &arn, SecretString: aws.String(canary + "2"), VersionStages: []string{"AWSPENDING"}})
	if err != nil {
		t.Fatal(err)
	}
	second := *put.VersionId
	if _, err := c.sm.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: &arn, VersionStage: aws.String("AWSCURRENT"), MoveToVersionId: &second, RemoveFromVersionId: &first,
	}); err != nil {
		t.Fatal(err)
	}
	third := s.PutSecret("prod/db", canary+"3")
	s.StageSecret("prod/db", "AWSCURRENT", first)
	s.DeleteSecret("prod/db")
	s.RestoreSecret("prod/db")
	s.PutParameter("/a", "SecureString", canary)
	s.LabelParameter("/a", 1, "prod")
	s.DeleteParameter("/a")
	_ = value(t, c, "prod/db") // reads and refusals are not told of
	_, _ = c.ssm.PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String("a b"), Value: aws.String(canary), Type: ssmtypes.ParameterTypeString})

	type call struct {
		Source, Name      string
		Request, Response map[string]any
	}
	sm, ps := "secretsmanager.amazonaws.com", "ssm.amazonaws.com"
	want := []call{
		{sm, "CreateSecret", map[string]any{"name": "prod/db", "clientRequestToken": first}, map[string]any{"arn": arn, "name": "prod/db", "versionId": first}},
		{sm, "PutSecretValue", map[string]any{"secretId": arn, "clientRequestToken": second, "versionStages": []any{"AWSPENDING"}}, map[string]any{"arn": arn}},
		{sm, "UpdateSecretVersionStage", map[string]any{"secretId": arn, "versionStage": "AWSCURRENT", "moveToVersionId": second, "removeFromVersionId": first}, map[string]any{"arn": arn}},
		{sm, "PutSecretValue", map[string]any{"secretId": "prod/db", "clientRequestToken": third}, map[string]any{"arn": arn}},
		{sm, "UpdateSecretVersionStage", map[string]any{"secretId": "prod/db", "versionStage": "AWSCURRENT", "moveToVersionId": first, "removeFromVersionId": third}, map[string]any{"arn": arn}},
		{sm, "DeleteSecret", map[string]any{"secretId": "prod/db"}, map[string]any{"arn": arn}},
		{sm, "RestoreSecret", map[string]any{"secretId": "prod/db"}, map[string]any{"arn": arn}},
		{ps, "PutParameter", map[string]any{"name": "/a", "type": "SecureString", "overwrite": true, "value": "HIDDEN_DUE_TO_SECURITY_REASONS"}, map[string]any{"tier": "Standard", "version": 1.0}},
		{ps, "LabelParameterVersion", map[string]any{"name": "/a", "labels": []any{"prod"}, "parameterVersion": 1.0}, nil},
		{ps, "DeleteParameter", map[string]any{"name": "/a"}, nil},
	}
	var got []call
	for _, body := range s.Messages(url) {
		if strings.Contains(body, canary) {
			t.Errorf("an event holds a value: %s", body)
		}
		var e struct {
			DetailType string `json:"detail-type"`
			Source     string
			Detail     struct {
				EventSource, EventName, UserAgent   string
				UserIdentity                        struct{ ARN string }
				RequestParameters, ResponseElements map[string]any
			}
		}
		if err := json.Unmarshal([]byte(body), &e); err != nil {
			t.Fatal(err)
		}
		service := strings.TrimSuffix(e.Detail.EventSource, ".amazonaws.com")
		if e.DetailType != "AWS API Call via CloudTrail" || e.Source != "aws."+service || e.Detail.UserIdentity.ARN != web || e.Detail.UserAgent == "" {
			t.Errorf("got %s", body)
		}
		got = append(got, call{e.Detail.EventSource, e.Detail.EventName, e.Detail.RequestParameters, e.Detail.ResponseElements})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls: got + want -\n%s", diff)
	}
}

// Both forms and both wrappings side by side, in a queue of another Region; a queue that has gone
// takes nothing.
func TestNotifySeveral(t *testing.T) {
	s := awsfake.New()
	far := s.In("", "us-east-1")
	url := s.MakeQueue("q")
	far.Notify(url, awsfake.Bare)
	far.NotifyCalls(url, awsfake.SNS)
	far.Notify("https://sqs.us-east-1.amazonaws.com/111111111111/none", awsfake.Bare)
	far.PutSecret("db", "1")
	got := s.Messages(url)
	if len(got) != 2 || !strings.Contains(got[0], `"region":"us-east-1"`) || !strings.Contains(got[1], "CreateSecret") {
		t.Errorf("got %q", got)
	}
}

// What a watcher sees: the event ends its poll at once, the value follows.
func TestEventBeforeValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start()
		s.SetLatency(0)
		url := s.MakeQueue("q")
		s.PutSecret("db", "1")
		s.Notify(url, awsfake.Bare)
		s.Lag(3 * time.Second)
		go func() {
			<-time.After(time.Minute)
			s.PutSecret("db", "2")
		}()
		begun := time.Now()
		for {
			if got := receive(t, c, sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 20}); len(got) == 1 {
				break
			}
		}
		if took := time.Since(begun); took != time.Minute {
			t.Errorf("the event came after %v", took)
		}
		if got := value(t, c, "db"); got != "1" {
			t.Errorf("with the event: %s", got)
		}
		<-time.After(3 * time.Second)
		if got := value(t, c, "db"); got != "2" {
			t.Errorf("after the lag: %s", got)
		}
	})
}
