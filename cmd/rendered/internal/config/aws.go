package config

import (
	"fmt"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/lazyregexp"
	"github.com/rendered/rendered/sources/aws"
)

var (
	region      = lazyregexp.New(`^[a-z]{2,}(-[a-z]+)+-\d+$`)
	roleARN     = lazyregexp.New(`^arn:[a-z-]+:iam::\d{12}:role/[\w+=,.@/-]+$`)
	endpoint    = lazyregexp.New(`^https?://[^\s/@]+(/[^\s@]*)?$`)
	accountID   = lazyregexp.New(`^\d{12}$`)
	accountName = lazyregexp.New(`^[A-Za-z0-9_.-]+$`)
)

// The URL of a queue ends in its account and name, by CreateQueue's reference; before these an
// emulator may have more.
var (
	queueURL = lazyregexp.New(`^https?://[^\s/@?#]+/(?:[^\s@?#]+/)?\d{12}/[A-Za-z0-9_-]{1,80}(?:\.fifo)?$`)
	queueARN = lazyregexp.New(`^arn:(aws[a-z-]*):sqs:([a-z0-9-]+):(\d{12}):([A-Za-z0-9_-]{1,80}(?:\.fifo)?)$`)
)

func parseQueue(text string) (string, *refusal) {
	if queueURL.MatchString(text) {
		return text, nil
	}
	hint := "aws sqs get-queue-url --queue-name NAME"
	domains := map[string]string{"aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn"}
	if m := queueARN.FindStringSubmatch(text); m != nil && domains[m[1]] != "" {
		hint = "sqs: https://sqs." + m[2] + "." + domains[m[1]] + "/" + m[3] + "/" + m[4]
	}
	return "", refuse(fmt.Sprintf("%q is not the URL of a queue", short(text)), hint)
}

const (
	aRegion = "a Region, as eu-west-1 is"
	aRole   = "the ARN of a role, as arn:aws:iam::111111111111:role/web is"
)

func (l *loader) readAWS(r *reader, n *yaml.Node, where string) {
	a := &l.cfg.AWS
	r.mapping(n, where, fields{
		"region":          into(&a.Region, parsed(r, matching(region, aRegion))),
		"profile":         into(&a.Profile, r.textOf),
		"role_arn":        into(&a.RoleARN, parsed(r, matching(roleARN, aRole))),
		"external_id":     into(&a.ExternalID, r.textOf),
		"session_name":    into(&a.SessionName, r.textOf),
		"endpoint_url":    into(&a.EndpointURL, parsed(r, matching(endpoint, "a URL of http or https without a user"))),
		"max_concurrency": into(&a.MaxConcurrency, r.number(1, 100)),
		"batch_secrets":   into(&a.BatchSecrets, r.truthOf),
		"timeout":         into(&a.Timeout, parsed(r, parsePositive)),
		"accounts":        func(n *yaml.Node, where string) { l.accounts(r, n, where) },
	})
}

func (l *loader) accounts(r *reader, n *yaml.Node, where string) {
	l.cfg.AWS.Accounts = make(map[string]aws.Account)
	r.pairs(n, where, "names to accounts", func(key, value *yaml.Node) {
		where := join(where, key.Value)
		if !accountName.MatchString(key.Value) {
			r.fault(key, where, "an account's name has letters, digits and _.- only: it stands in refs, before ::")
			return
		}
		var a aws.Account
		ok := r.mapping(value, where, fields{
			"id":           into(&a.ID, parsed(r, matching(accountID, "the twelve digits of an account, in quotes"))),
			"role_arn":     into(&a.RoleARN, parsed(r, matching(roleARN, aRole))),
			"external_id":  into(&a.ExternalID, r.textOf),
			"session_name": into(&a.SessionName, r.textOf),
			"region":       into(&a.Region, parsed(r, matching(region, aRegion))),
		})
		if ok && a == (aws.Account{}) {
			r.fault(value, where, "there is nothing to tell it from the daemon's own account", "role_arn: a role to assume there; region: another Region; id: an account that lets us in by its policies")
		}
		l.cfg.AWS.Accounts[key.Value] = a
	})
}
