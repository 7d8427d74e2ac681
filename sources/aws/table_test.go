package aws

import "testing"

// DynamoDB is asked where it is: the more special goes before the more general.
func TestTableEndpoint(t *testing.T) {
	const all, own, config = "http://all.test", "http://own.test", "http://config.test"
	for _, c := range []struct {
		region, config string
		env            []string
		want           string
	}{
		{"eu-west-1", "", nil, "https://dynamodb.eu-west-1.amazonaws.com"},
		{"cn-north-1", "", nil, "https://dynamodb.cn-north-1.amazonaws.com.cn"},
		{"us-gov-west-1", "", nil, "https://dynamodb.us-gov-west-1.amazonaws.com"},
		{"us-east-1", "", []string{"AWS_USE_FIPS_ENDPOINT=true"}, "https://dynamodb-fips.us-east-1.amazonaws.com"},
		{"us-gov-west-1", "", []string{"AWS_USE_FIPS_ENDPOINT=true"}, "https://dynamodb.us-gov-west-1.amazonaws.com"},
		{"us-east-1", "", []string{"AWS_USE_DUALSTACK_ENDPOINT=true"}, "https://dynamodb.us-east-1.api.aws"},
		{"eu-west-1", "", []string{"AWS_ENDPOINT_URL=" + all}, all},
		{"eu-west-1", "", []string{"AWS_ENDPOINT_URL_DYNAMODB=" + own}, own},
		{"eu-west-1", "", []string{"AWS_ENDPOINT_URL=" + all, "AWS_ENDPOINT_URL_DYNAMODB=" + own}, own},
		{"eu-west-1", "", []string{"AWS_ENDPOINT_URL_DYNAMODB=" + own, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true"}, "https://dynamodb.eu-west-1.amazonaws.com"},
		{"eu-west-1", config, []string{"AWS_ENDPOINT_URL=" + all, "AWS_ENDPOINT_URL_DYNAMODB=" + own}, config},
	} {
		t.Run(c.want, func(t *testing.T) {
			environment(t, append(c.env, "AWS_REGION="+c.region)...)
			if got := open(t, Options{EndpointURL: c.config}).Table("rendered").endpoint; got != c.want {
				t.Errorf("%s %v: %s, want %s", c.region, c.env, got, c.want)
			}
		})
	}
}

// What is in an answer that is not AWS's is no success, and no condition that does not hold.
func TestTableAnswers(t *testing.T) {
	for _, c := range []struct {
		status int
		came   bool
		body   string
		ok     bool
	}{
		{200, true, `{"Count":1}`, true},
		{200, false, `{"Count":1}`, false},
		{200, true, `<html>`, false},
		{200, true, ``, false},
		{400, true, `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}`, true},
		{400, false, `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}`, false},
		{400, true, `{"message":"without a type"}`, false},
		{500, true, `{}`, false},
	} {
		r := Reply{Came: c.came}
		if _, err := r.read(c.status, []byte(c.body)); (err == nil) != c.ok {
			t.Errorf("%d %t %s: %+v, %v", c.status, c.came, c.body, r, err)
		}
	}
}
