package awsfake_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/internal/long"
)

// TestCLI lets the AWS CLI, which nobody here wrote, be the client of every operation.
func TestCLI(t *testing.T) {
	long.Test(t)
	aws := tool(t, "aws")
	for _, tc := range cli {
		t.Run(tc.operation+" "+tc.name, func(t *testing.T) {
			t.Parallel()
			s := awsfake.Start(t)
			args := tc.args
			if tc.seed != nil {
				args += tc.seed(s)
			}
			got := runCLI(t, s, aws, args)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("aws %s: got + want -\n%s", args, diff)
			}
			if s.Calls()[tc.operation] == 0 {
				t.Errorf("asked for %v, not for %s", s.Calls(), tc.operation)
			}
			if tc.after != nil {
				tc.after(t, s, got)
			}
		})
	}
}

// runCLI gives what the CLI prints: its fields with a blank between them, or its error.
func runCLI(t *testing.T, s *awsfake.Server, aws, args string) string {
	t.Helper()
	words := append(strings.Fields(args), "--output", "text")
	if words[0] == "sqs" { // for SQS the CLI does not look at AWS_ENDPOINT_URL
		words = append(words, "--endpoint-url", s.URL)
	}
	cmd := exec.CommandContext(t.Context(), aws, words...)
	cmd.Env = append(s.Env(), "PATH="+os.Getenv("PATH"), "HOME="+t.TempDir(), "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1")
	cmd.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); errors.As(err, &exit) {
		return "refused: " + strings.TrimSpace(stderr.String())
	} else if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(stdout.String()), " ")
}

// cli has a case for each operation, and one for each way a protocol reports an error. The CLI
// takes half a second of processor time a call, so what the SDK can show is shown elsewhere.
var cli = []struct {
	operation, name string
	args            string
	seed            func(*awsfake.Server) (moreArgs string)
	want            string
	after           func(t *testing.T, s *awsfake.Server, got string)
}{
	{
		operation: "CreateSecret",
		args:      "secretsmanager create-secret --name prod/db --secret-string s3cret --query [Name,length(ARN),length(VersionId)]",
		want:      "prod/db 67 36",
		after:     func(t *testing.T, s *awsfake.Server, _ string) { s.SecretARN("prod/db") },
	},
	{
		operation: "GetSecretValue",
		args:      "secretsmanager get-secret-value --query [Name,SecretString,VersionStages] --version-stage AWSPREVIOUS --secret-id ",
		seed: func(s *awsfake.Server) string {
			s.PutSecret("prod/db", "old")
			s.PutSecret("prod/db", "new")
			return s.SecretARN("prod/db")
		},
		want: "prod/db old AWSPREVIOUS",
	},
	{
		operation: "GetSecretValue", name: "refused",
		args: "secretsmanager get-secret-value --secret-id none",
		want: "refused: An error occurred (ResourceNotFoundException) when calling the GetSecretValue operation: Secrets Manager can't find the specified secret.",
	},
	{
		operation: "BatchGetSecretValue",
		args:      "secretsmanager batch-get-secret-value --secret-id-list a b none --query [SecretValues[].[Name,SecretString],Errors[].[SecretId,ErrorCode]]",
		seed:      func(s *awsfake.Server) string { s.PutSecret("a", "1"); s.PutSecret("b", "2"); return "" },
		want:      "b 2 a 1 none ResourceNotFoundException",
	},
	{
		operation: "DescribeSecret",
		args:      "secretsmanager describe-secret --secret-id a --query [Name,VersionIdsToStages.*[],CreatedDate!=null,DeletedDate]",
		seed:      func(s *awsfake.Server) string { s.PutSecret("a", "1"); s.PutSecret("a", "2"); return "" },
		want:      "a True None AWSPREVIOUS AWSCURRENT",
	},
	{
		operation: "PutSecretValue",
		args:      "secretsmanager put-secret-value --secret-id a --secret-string 2 --version-stages AWSPENDING --query [Name,VersionStages]",
		seed:      func(s *awsfake.Server) string { s.PutSecret("a", "1"); return "" },
		want:      "a AWSPENDING",
	},
	{
		operation: "UpdateSecretVersionStage",
		args:      "secretsmanager update-secret-version-stage --secret-id a --version-stage AWSCURRENT --query Name",
		seed: func(s *awsfake.Server) string {
			return " --move-to-version-id " + s.PutSecret("a", "1") + " --remove-from-version-id " + s.PutSecret("a", "2")
		},
		want: "a",
	},
	{
		operation: "DeleteSecret",
		args:      "secretsmanager delete-secret --secret-id a --recovery-window-in-days 7 --query Name",
		seed:      func(s *awsfake.Server) string { s.PutSecret("a", "1"); return "" },
		want:      "a",
		after:     func(_ *testing.T, s *awsfake.Server, _ string) { s.RestoreSecret("a") },
	},
	{
		operation: "RestoreSecret",
		args:      "secretsmanager restore-secret --secret-id a --query Name",
		seed:      func(s *awsfake.Server) string { s.PutSecret("a", "1"); s.DeleteSecret("a"); return "" },
		want:      "a",
		after:     func(_ *testing.T, s *awsfake.Server, _ string) { s.PutSecret("a", "2") },
	},
	{
		operation: "PutParameter",
		args:      "ssm put-parameter --name /app/host --type SecureString --value b --overwrite",
		seed:      func(s *awsfake.Server) string { s.PutParameter("/app/host", "SecureString", "a"); return "" },
		want:      "Standard 2",
	},
	{
		operation: "GetParameter",
		args:      "ssm get-parameter --name /app/host:1 --with-decryption --query Parameter.[Name,Selector,Type,Value,Version,ARN]",
		seed: func(s *awsfake.Server) string {
			s.PutParameter("/app/host", "SecureString", "a")
			s.PutParameter("/app/host", "SecureString", "b")
			return ""
		},
		want: "/app/host :1 SecureString a 1 arn:aws:ssm:eu-west-1:111111111111:parameter/app/host",
	},
	{
		operation: "GetParameters",
		args:      "ssm get-parameters --names /a /b /none --query [Parameters[].[Name,Value],InvalidParameters]",
		seed: func(s *awsfake.Server) string {
			s.PutParameter("/a", "String", "1")
			s.PutParameter("/b", "StringList", "x,y")
			return ""
		},
		want: "/b x,y /a 1 /none",
	},
	{
		operation: "GetParametersByPath",
		args:      "ssm get-parameters-by-path --path /app --recursive --query Parameters[].Value",
		seed: func(s *awsfake.Server) string {
			for i := range 11 {
				s.PutParameter(fmt.Sprintf("/app/%02d/x", i), "String", fmt.Sprint(i))
			}
			s.Inject(awsfake.Fault{Kind: awsfake.EmptyPage, Times: 1})
			return ""
		},
		want: "0 1 2 3 4 5 6 7 8 9 10",
		after: func(t *testing.T, s *awsfake.Server, _ string) {
			if n := s.Calls()["GetParametersByPath"]; n != 3 {
				t.Errorf("%d pages, want an empty one, one of ten and one of one", n)
			}
		},
	},
	{
		operation: "LabelParameterVersion",
		args:      "ssm label-parameter-version --name /a --labels prod 1st",
		seed:      func(s *awsfake.Server) string { s.PutParameter("/a", "String", "1"); return "" },
		want:      "1 INVALIDLABELS 1st",
	},
	{
		operation: "DeleteParameter",
		args:      "ssm delete-parameter --name /a",
		seed:      func(s *awsfake.Server) string { s.PutParameter("/a", "String", "1"); return "" },
		after: func(t *testing.T, s *awsfake.Server, _ string) {
			if v := s.PutParameter("/a", "String", "1"); v != 1 {
				t.Errorf("version %d after the deletion", v)
			}
		},
	},
	{
		operation: "CreateQueue",
		args:      "sqs create-queue --queue-name web-1 --attributes VisibilityTimeout=60",
		want:      "https://sqs.eu-west-1.amazonaws.com/111111111111/web-1",
	},
	{
		operation: "DeleteQueue",
		args:      "sqs delete-queue --queue-url ",
		seed:      func(s *awsfake.Server) string { return s.MakeQueue("web-1") },
		after: func(t *testing.T, s *awsfake.Server, _ string) {
			s.RemoveQueue(s.MakeQueue("web-1")) // it panics where one is not there
		},
	},
	{
		operation: "SendMessage",
		args:      "sqs send-message --message-body hello --query [length(MessageId),MD5OfMessageBody] --queue-url ",
		seed:      func(s *awsfake.Server) string { return s.MakeQueue("web-1") },
		want:      "36 5d41402abc4b2a76b9719d911017c592",
	},
	{
		operation: "ReceiveMessage",
		args:      "sqs receive-message --wait-time-seconds 20 --max-number-of-messages 10 --message-system-attribute-names ApproximateReceiveCount --query Messages[].[Body,Attributes.ApproximateReceiveCount,length(ReceiptHandle)] --queue-url ",
		seed: func(s *awsfake.Server) string {
			url := s.MakeQueue("web-1")
			s.Send(url, "hello")
			s.Send(url, "world")
			return url
		},
		want: "world 1 56 hello 1 56",
	},
	{
		operation: "ReceiveMessage", name: "refused",
		args: "sqs receive-message --queue-url https://sqs.eu-west-1.amazonaws.com/111111111111/none",
		want: "refused: An error occurred (AWS.SimpleQueueService.NonExistentQueue) when calling the ReceiveMessage operation: The specified queue does not exist.",
	},
	{
		operation: "DeleteMessage", name: "refused",
		args: "sqs delete-message --receipt-handle x --queue-url ",
		seed: func(s *awsfake.Server) string { return s.MakeQueue("web-1") },
		want: `refused: An error occurred (ReceiptHandleIsInvalid) when calling the DeleteMessage operation: The input receipt handle "x" is not a valid receipt handle.`,
	},
	{
		operation: "DeleteMessageBatch",
		args:      "sqs delete-message-batch --entries Id=a,ReceiptHandle=x --query Failed[].[Id,Code,SenderFault] --queue-url ",
		seed:      func(s *awsfake.Server) string { return s.MakeQueue("web-1") },
		want:      "a ReceiptHandleIsInvalid True",
	},
	{
		operation: "GetQueueAttributes",
		args:      "sqs get-queue-attributes --attribute-names ApproximateNumberOfMessages QueueArn --query Attributes.[ApproximateNumberOfMessages,QueueArn] --queue-url ",
		seed: func(s *awsfake.Server) string {
			url := s.MakeQueue("web-1")
			s.Send(url, "hello")
			return url
		},
		want: "1 arn:aws:sqs:eu-west-1:111111111111:web-1",
	},
	{
		operation: "GetCallerIdentity",
		args:      "sts get-caller-identity --query [Account,Arn]",
		want:      "111111111111 arn:aws:sts::111111111111:assumed-role/web/i-0123456789abcdef0",
	},
	{
		operation: "AssumeRole",
		args:      "sts assume-role --role-arn arn:aws:iam::222222222222:role/path/reader --role-session-name me --query [AssumedRoleUser.Arn,length(Credentials.AccessKeyId)]",
		want:      "arn:aws:sts::222222222222:assumed-role/reader/me 20",
	},
	{
		operation: "AssumeRole", name: "denied",
		args: "sts assume-role --role-arn arn:aws:iam::222222222222:role/reader --role-session-name me --external-id other",
		seed: func(s *awsfake.Server) string { s.AllowRole("arn:aws:iam::222222222222:role/reader", "x-1"); return "" },
		want: "refused: An error occurred (AccessDenied) when calling the AssumeRole operation: User: arn:aws:sts::111111111111:assumed-role/web/i-0123456789abcdef0 is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::222222222222:role/reader",
	},
	{
		operation: "AssumeRole", name: "refused",
		args: "sts assume-role --role-arn arn:aws:sqs:::something/reader --role-session-name me",
		want: "refused: An error occurred (ValidationError) when calling the AssumeRole operation: arn:aws:sqs:::something/reader is invalid",
	},
}
