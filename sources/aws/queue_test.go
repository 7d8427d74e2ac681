package aws

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/sources"
)

func TestQueueRegion(t *testing.T) {
	for url, want := range map[string]string{
		"https://sqs.us-east-1.amazonaws.com/111111111111/q":                      "us-east-1",
		"https://sqs-fips.us-gov-west-1.amazonaws.com/111111111111/q":             "us-gov-west-1",
		"https://sqs.cn-north-1.amazonaws.com.cn/111111111111/q":                  "cn-north-1",
		"https://sqs.us-east-1.api.aws/111111111111/q":                            "us-east-1",
		"https://vpce-0a1b-c2d3.sqs.eu-north-1.vpce.amazonaws.com/111111111111/q": "eu-north-1",
		"https://queue.amazonaws.com/111111111111/q":                              "us-east-1",
		"https://eu-north-1.queue.amazonaws.com/111111111111/q":                   "eu-north-1",
		"http://127.0.0.1:4566/000000000000/q":                                    "eu-west-1",
		"http://%zz/000000000000/q":                                               "eu-west-1",
	} {
		if got := queueRegion(url, "eu-west-1"); got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
	}
}

// Where a ref is asked for decides which notices concern it.
func TestOrigin(t *testing.T) {
	fake, s := start(t, Options{Accounts: map[string]Account{
		"far":    {Region: "us-east-1"},
		"shared": {RoleARN: "arn:aws:iam::222222222222:role/reader"},
		"open":   {ID: "333333333333"},
	}})
	fake.PutSecret("prod/db", "v")
	origins := func(want map[string]string) {
		t.Helper()
		for text, want := range want {
			region, account := s.Origin(ref(t, text))
			if got := region + " " + account; got != want {
				t.Errorf("%s: %q, want %q", text, got, want)
			}
		}
	}
	origins(map[string]string{"secret prod/db": "eu-west-1 ", "secret far::prod/db": "us-east-1 ", "secret shared::x": "eu-west-1 222222222222"})
	fetchOne(t, s, "secret prod/db") // tells the account
	origins(map[string]string{
		"secret prod/db": "eu-west-1 111111111111", "secret far::prod/db": "us-east-1 111111111111", "param open::x": " ",
		"param arn:aws:ssm:us-west-2:333333333333:parameter/x": "us-west-2 333333333333", "secret none::x": " ", "params /x": "eu-west-1 111111111111",
		"param arn:aws:ssm:us-west-2:444444444444:parameter/x": " ",
	})
}

// Credentials that expire while the daemon waits for notices are read anew.
func TestQueueOutlivesCredentials(t *testing.T) {
	fake, s := start(t, Options{})
	q := s.Queue(fake.MakeQueue("rendered-web-1"))
	s.home.identity.renewed = s.home.identity.renewed.Add(-renewAfter)
	fake.Inject(awsfake.Fault{Kind: awsfake.ExpiredToken, Times: 1})
	if _, err := q.Receive(t.Context(), 0); err != nil {
		t.Error(err)
	}
	fake.Inject(awsfake.Fault{Kind: awsfake.ExpiredToken})
	if _, err := q.Receive(t.Context(), 0); err == nil || !strings.Contains(err.Error(), "no valid credentials: they have expired") {
		t.Error(err)
	}
}

func TestQueueFailures(t *testing.T) {
	const arn = "arn:aws:sqs:eu-west-1:111111111111:q"
	tests := []struct {
		name string
		kind awsfake.Kind
		want string
		hint string
	}{
		{"key", awsfake.DenyKey, "queue q: access denied", "kms:Decrypt"},
		{"policy of the queue", awsfake.DenyByResourcePolicy, "queue q: access denied", "the resource policy of queue q"},
		{"throttled", awsfake.Throttle, "queue q: AWS is throttling", ""},
		{"clock", awsfake.ClockSkew, "queue q: no valid credentials: this machine's clock is 10m behind AWS's", "timedatectl"},
		{"load balancer", awsfake.Unavailable, "queue q: no answer: HTTP 503, not from AWS itself", "is the way to AWS open?"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fake, s := startOnce(t)
			fake.Inject(awsfake.Fault{Kind: tt.kind, Operation: "ReceiveMessage"})
			_, err := s.Queue(fake.MakeQueue("q")).Receive(t.Context(), 0)
			e, _ := errors.AsType[*sources.Error](err)
			if e == nil || !strings.HasPrefix(e.Error(), tt.want) || !slices.ContainsFunc(append(e.Hints, ""), func(h string) bool { return strings.Contains(h, tt.hint) }) {
				t.Errorf("%v %q", err, e.Hints)
			}
			if e != nil && e.Reason == sources.Throttled && len(e.Hints) > 0 {
				t.Errorf("Parameter Store's hints: %q", e.Hints)
			}
		})
	}
	fake, s := start(t, Options{})
	fake.Inject(awsfake.Fault{Kind: awsfake.Deny, Operation: "ReceiveMessage"})
	_, err := s.Queue(fake.MakeQueue("q")).Receive(t.Context(), 0)
	if e, _ := errors.AsType[*sources.Error](err); e == nil || !strings.Contains(strings.Join(e.Hints, "\n"), `"Resource":"`+arn+`"`) {
		t.Errorf("%v", err)
	}
}

// What the URL says is asked, and an error is about the account in it.
func TestQueueIsAskedWhereItsURLSays(t *testing.T) {
	environment(t, "AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=x", "AWS_EC2_METADATA_DISABLED=true")
	s := open(t, Options{Region: "eu-west-1", Transport: nowhere{}})
	for _, host := range []string{"vpce-0a1b-c2d3.sqs.eu-west-1.vpce.amazonaws.com", "sqs-fips.us-east-1.amazonaws.com", "sqs.eu-west-1.amazonaws.com"} {
		_, err := s.Queue("https://"+host+"/111111111111/q").Receive(t.Context(), 0)
		if want := "queue q: no answer: " + host + ": no such host"; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	fake, s := start(t, Options{})
	fake.PutSecret("prod/db", canary)
	fetchOne(t, s, "secret prod/db") // tells our account
	q := s.Queue("https://sqs.eu-west-1.amazonaws.com/222222222222/theirs")
	if _, err := q.Receive(t.Context(), 0); err == nil || !strings.HasSuffix(err.Error(), "does not exist in eu-west-1, account 222222222222") {
		t.Error(err)
	}
	fake.Inject(awsfake.Fault{Kind: awsfake.Deny, Operation: "ReceiveMessage"})
	_, err := q.Receive(t.Context(), 0)
	if e, _ := errors.AsType[*sources.Error](err); e == nil || !strings.Contains(strings.Join(e.Hints, "\n"), "arn:aws:sqs:eu-west-1:222222222222:theirs") {
		t.Errorf("%v", err)
	}
}
