package config

import (
	"fmt"
	"regexp"
	"time"

	"gopkg.in/yaml.v3"
)

// AWS says which AWS to ask. Empty texts leave it to the environment.
type AWS struct {
	Region         string
	Profile        string
	RoleARN        string
	ExternalID     string
	SessionName    string
	EndpointURL    string
	MaxConcurrency int
	BatchSecrets   bool
	Timeout        time.Duration
	Accounts       map[string]Account // by the name that stands before :: in a ref
}

// An Account is one more account or Region. It has a RoleARN or an ID, or both.
type Account struct {
	ID          string
	RoleARN     string
	ExternalID  string
	SessionName string
	Region      string // "": as at the top
}

var (
	region      = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-\d+$`)
	roleARN     = regexp.MustCompile(`^arn:[a-z-]+:iam::\d{12}:role/[\w+=,.@/-]+$`)
	endpoint    = regexp.MustCompile(`^https?://[^\s/@]+(/[^\s@]*)?$`)
	accountID   = regexp.MustCompile(`^\d{12}$`)
	accountName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)
)

// The URL of a queue ends in its account and name, by CreateQueue's reference; before these an emulator may have more.
var (
	queueURL = regexp.MustCompile(`^https?://[^\s/@?#]+/(?:[^\s@?#]+/)?\d{12}/[A-Za-z0-9_-]{1,80}(?:\.fifo)?$`)
	queueARN = regexp.MustCompile(`^arn:(aws[a-z-]*):sqs:([a-z0-9-]+):(\d{12}):([A-Za-z0-9_-]{1,80}(?:\.fifo)?)$`)
)

func (l *loader) queue(r *reader, n *yaml.Node, where string) {
	text, ok := r.textOf(n, where)
	switch {
	case !ok:
	case queueURL.MatchString(text):
		l.cfg.Queue = text
	default:
		hint := "aws sqs get-queue-url --queue-name NAME"
		domains := map[string]string{"aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn"}
		if m := queueARN.FindStringSubmatch(text); m != nil && domains[m[1]] != "" {
			hint = "sqs: https://sqs." + m[2] + "." + domains[m[1]] + "/" + m[3] + "/" + m[4]
		}
		r.fault(n, where, fmt.Sprintf("%q is not the URL of a queue", short(text)), hint)
	}
}

const (
	aRegion = "a Region, as eu-west-1 is"
	aRole   = "the ARN of a role, as arn:aws:iam::111111111111:role/web is"
)

func (l *loader) aws(r *reader, n *yaml.Node, where string) {
	a := &l.cfg.AWS
	r.mapping(n, where, fields{
		"region":          r.matching(&a.Region, region, aRegion),
		"profile":         r.into(&a.Profile),
		"role_arn":        r.matching(&a.RoleARN, roleARN, aRole),
		"external_id":     r.into(&a.ExternalID),
		"session_name":    r.into(&a.SessionName),
		"endpoint_url":    r.matching(&a.EndpointURL, endpoint, "a URL of http or https without a user"),
		"max_concurrency": r.numberInto(&a.MaxConcurrency, 1, 100),
		"batch_secrets":   r.truthInto(&a.BatchSecrets),
		"timeout":         r.positiveInto(&a.Timeout),
		"accounts":        func(n *yaml.Node, where string) { l.accounts(r, n, where) },
	})
}

func (l *loader) accounts(r *reader, n *yaml.Node, where string) {
	l.cfg.AWS.Accounts = make(map[string]Account)
	r.pairs(n, where, "names to accounts", func(key, value *yaml.Node) {
		where := join(where, key.Value)
		if !accountName.MatchString(key.Value) {
			r.fault(key, where, "an account's name has letters, digits and _.- only: it stands in refs, before ::")
			return
		}
		var a Account
		ok := r.mapping(value, where, fields{
			"id":           r.matching(&a.ID, accountID, "the twelve digits of an account, in quotes"),
			"role_arn":     r.matching(&a.RoleARN, roleARN, aRole),
			"external_id":  r.into(&a.ExternalID),
			"session_name": r.into(&a.SessionName),
			"region":       r.matching(&a.Region, region, aRegion),
		})
		if ok && a == (Account{}) {
			r.fault(value, where, "there is nothing to tell it from the daemon's own account", "role_arn: a role to assume there; region: another Region; id: an account that lets us in by its policies")
		}
		l.cfg.AWS.Accounts[key.Value] = a
	})
}
