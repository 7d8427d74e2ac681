package config

import (
	"fmt"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/lazyregexp"
	"github.com/rendered/rendered/sources/aws"
)

var (
	region      = newForm(`^[a-z]{2,}(-[a-z]+)+-\d+$`)
	roleARN     = newForm(`^arn:[a-z-]+:iam::\d{12}:role/[\w+=,.@/-]+$`)
	endpointURL = newForm(`^https?://[^\s/@]+(/[^\s@]*)?$`)
	accountID   = newForm(`^\d{12}$`)
	accountName = newForm(`^[A-Za-z0-9_.-]+$`)
)

// The URL of a queue ends in its account and name, by CreateQueue's reference; before these an
// emulator may have more.
var (
	queueURL = newForm(`^https?://[^\s/@?#]+/(?:[^\s@?#]+/)?\d{12}/[A-Za-z0-9_-]{1,80}(?:\.fifo)?$`)
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

func (l *loader) readAWS(r *reader, n *yaml.Node, where string) {
	a := &l.cfg.AWS
	r.mapping(n, where, &ofAWS, fields{
		"region": &a.Region, "profile": &a.Profile, "role_arn": &a.RoleARN, "external_id": &a.ExternalID, "session_name": &a.SessionName,
		"endpoint_url": &a.EndpointURL, "max_concurrency": &a.MaxConcurrency, "batch_secrets": &a.BatchSecrets, "timeout": &a.Timeout,
		"accounts": func(n *yaml.Node, where string) { l.accounts(r, n, where) },
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
		ok := r.mapping(value, where, &ofAccount, fields{
			"id": &a.ID, "role_arn": &a.RoleARN, "external_id": &a.ExternalID, "session_name": &a.SessionName, "region": &a.Region,
		})
		if ok && a == (aws.Account{}) {
			r.fault(value, where, "there is nothing to tell it from the daemon's own account", "role_arn: a role to assume there; region: another Region; id: an account that lets us in by its policies")
		}
		l.cfg.AWS.Accounts[key.Value] = a
	})
}
