package awsfake_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rendered/rendered/internal/awsfake"
)

// FuzzServe looks for requests that the server does not survive, or answers with something that is
// not JSON.
func FuzzServe(f *testing.F) {
	for _, seed := range [][2]string{
		{"secretsmanager.GetSecretValue", `{"SecretId":"db","VersionStage":"AWSPREVIOUS"}`},
		{"secretsmanager.BatchGetSecretValue", `{"SecretIdList":["db",null,""]}`},
		{"secretsmanager.CreateSecret", `{"Name":"a","SecretBinary":"AA==","ClientRequestToken":"0123456789abcdef0123456789abcdef"}`},
		{"secretsmanager.PutSecretValue", `{"SecretId":"db","SecretString":"x","ClientRequestToken":"0123456789abcdef0123456789abcdef","VersionStages":["a"]}`},
		{"secretsmanager.UpdateSecretVersionStage", `{"SecretId":"db","VersionStage":"AWSCURRENT","MoveToVersionId":"x"}`},
		{"secretsmanager.DeleteSecret", `{"SecretId":"db","RecoveryWindowInDays":7}`},
		{"secretsmanager.DescribeSecret", `{"SecretId":"arn:aws:secretsmanager:eu-west-1:111111111111:secret:db-zzzzzz"}`},
		{"AmazonSSM.GetParameter", `{"Name":"/aws/reference/secretsmanager/db:AWSCURRENT","WithDecryption":true}`},
		{"AmazonSSM.GetParameters", `{"Names":["/a:1","arn:aws:ssm:eu-west-1:111111111111:parameter/a","arn:"]}`},
		{"AmazonSSM.GetParametersByPath", `{"Path":"/","Recursive":true,"MaxResults":1,"NextToken":"YXdzZmFrZTo="}`},
		{"AmazonSSM.PutParameter", `{"Name":"/a","Value":"x","Type":"String","Overwrite":true}`},
		{"AmazonSSM.LabelParameterVersion", `{"Name":"/a","Labels":["x",""],"ParameterVersion":-1}`},
		{"AmazonSSM.DeleteParameter", `{"Name":"a"}`},
		{"AmazonSQS.ReceiveMessage", `{"QueueUrl":"https://sqs.eu-west-1.amazonaws.com/111111111111/q","MaxNumberOfMessages":10,"AttributeNames":["All"]}`},
		{"AmazonSQS.SendMessage", `{"QueueUrl":"http://x/111111111111/q","MessageBody":"x","DelaySeconds":0}`},
		{"AmazonSQS.DeleteMessageBatch", `{"QueueUrl":"https://sqs.us-east-1.amazonaws.com/111111111111/q","Entries":[{"Id":"a","ReceiptHandle":""}]}`},
		{"AmazonSQS.CreateQueue", `{"QueueName":"q","Attributes":{"VisibilityTimeout":"1"}}`},
		{"AmazonSQS.GetQueueAttributes", `{"QueueUrl":"http://x/222222222222/q","AttributeNames":["All",""]}`},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, target, body string) {
		if strings.Contains(body, "Seconds") && target == "AmazonSQS.ReceiveMessage" {
			return // it might wait
		}
		s := awsfake.New()
		s.SetLatency(0)
		s.PutSecret("db", "x")
		s.PutParameter("/a", "String", "x")
		s.Send(s.MakeQueue("q"), "x")
		s.Inject(awsfake.Fault{Name: "/other", Kind: awsfake.Deny})
		r := httptest.NewRequest(http.MethodPost, "http://aws.test/", strings.NewReader(body))
		r.Header.Set("X-Amz-Target", target)
		service, _, _ := strings.Cut(target, ".")
		r.Header.Set("Authorization", signed("eu-west-1", map[string]string{"AmazonSSM": "ssm", "AmazonSQS": "sqs", "secretsmanager": "secretsmanager"}[service]))
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != http.StatusNotFound && !json.Valid(w.Body.Bytes()) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}
