package aws

import (
	"os"
	"strings"

	"github.com/rendered/rendered/internal/lazyregexp"

	"github.com/rendered/rendered/sources"
)

// explain gives the error of a ref that was asked for by action, with what to do about it.
func (c *clients) explain(r sources.Ref, action string, err error) *sources.Error {
	f := diagnose(err)
	e := &sources.Error{Ref: r, Reason: f.reason, Detail: f.detail}
	switch f.reason {
	case sources.Missing:
		e.Detail, e.Hints = c.missing(r, f)
	case sources.Deleted:
		e.Detail = c.where()
		e.Hints = []string{"aws secretsmanager restore-secret --secret-id " + quoted(r.Name)}
	case sources.Denied:
		d := readDenial(f.message)
		c.learn(d.caller)
		e.Detail, e.Hints, e.Turn = d.detail(), c.denialHints(d, r, action), d.turn(r)
	case sources.Throttled:
		e.Hints = slowDown(r.Kind)
	case sources.Undecryptable:
		e.Hints = []string{"its KMS key must exist and be enabled:  aws kms describe-key --key-id KEY"}
	case sources.Credentials:
		e.Hints = credentialHints(f)
	case sources.Unanswerable:
		if r.Kind == tableKind {
			e.Hints = []string{"the key of the table must be " + PartKey + " and " + SortKey + ", both of type String; the stacks in packaging/ make such a table"}
		}
	case sources.Unavailable:
		e.Hints = c.silenceHints(f)
		if f.code != "" {
			e.Turn = "AWS"
		}
	}
	return e
}

func credentialHints(f *failure) []string {
	switch {
	case f.clock:
		return []string{"timedatectl  shows whether the clock is set by the network; AWS accepts five minutes"}
	case f.file != nil:
		return f.file.Hints()
	case f.login != "":
		return append([]string{"aws sso login --profile " + quoted(f.login)},
			underSystemd("a unit of systemd may not see the ~/.aws of who logs in; an instance's role, or credential_process, needs nobody to log in")...)
	}
	return append([]string{
		"aws sts get-caller-identity  shows which credentials this environment has",
		"set aws.profile, give the instance a role, or log in again; they are read anew by themselves",
	}, underSystemd("a unit of systemd has an environment of its own, and may not see ~/.aws: AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name other files, in /etc/rendered/rendered.env")...)
}

// underSystemd gives a hint for those whom systemd has started.
func underSystemd(hint string) []string {
	if os.Getenv("INVOCATION_ID") == "" {
		return nil
	}
	return []string{hint}
}

// silenceHints say what to do about what is unavailable.
func (c *clients) silenceHints(f *failure) []string {
	switch {
	case f.code != "":
		return []string{"the trouble is on AWS's side; nothing is to be done here, it is asked again by itself"}
	case strings.HasSuffix(f.detail, noSuchHost):
		return []string{"is " + c.region + " a Region of AWS? aws.region, AWS_REGION or the profile sets it, and a place of its own that of an ARN or account"}
	}
	return silenceHints()
}

func silenceHints() []string {
	return []string{"is the way to AWS open? HTTPS_PROXY and NO_PROXY, VPC endpoints and aws.endpoint_url decide where it goes"}
}

// missing says what it is that does not exist, where, and how to make it or do without.
func (c *clients) missing(r sources.Ref, f *failure) (detail string, hints []string) {
	// "Secrets Manager can't find the specified secret value for staging label: …"
	version := f.code == "ParameterVersionNotFound" || r.Kind == sources.Secret && strings.Contains(f.message, "secret value for")
	if version {
		detail = "it has no version " + r.Selector + ", "
	}
	switch r.Kind {
	case queueKind:
		hints = []string{
			"aws sqs list-queues --region " + c.region + "  shows what there is",
			"the stacks in packaging/ make one for each VM; triggers.sqs takes its URL",
		}
	case tableKind:
		hints = []string{
			"aws dynamodb list-tables --region " + c.region + "  shows what there is",
			"the stacks in packaging/ make one; fleet.table takes its name, or its ARN where it is in another Region or account",
		}
	case sources.Params:
		detail = "there is no parameter under it, "
		hints = []string{"either  aws ssm put-parameter --name " + quoted(strings.TrimRight(r.Name, "/")+"/NAME") + " --type String --value file:///dev/stdin <FILE", "or      " + r.Default()}
	case sources.Secret:
		hints = missingSecret(r, version)
	case sources.Param:
		hints = missingParam(r, version)
	}
	return detail + c.where(), hints
}

func missingSecret(r sources.Ref, version bool) []string {
	if version {
		return []string{"aws secretsmanager list-secret-version-ids --secret-id " + quoted(r.Name) + "  shows what there is"}
	}
	if a, ok := sources.ParseARN(r.Name); ok {
		bare := wholeSecretARN.ReplaceAllString(strings.TrimPrefix(a.Resource, "secret:"), "")
		return []string{
			"either  aws secretsmanager describe-secret --region " + a.Region + " --secret-id " + quoted(bare) + "  shows its ARN now: a secret that was made anew has another",
			"or      " + r.Default(),
		}
	}
	hints := append([]string{
		"either  aws secretsmanager create-secret --name " + quoted(r.Name) + " --secret-string file:///dev/stdin <FILE",
		"or      " + r.Default(),
	}, elsewhere(r)...)
	if wholeSecretARN.MatchString(r.Name) {
		// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
		// (Name)
		hints = append(hints, "the name ends in a hyphen and six characters, as an ARN does: AWS may look for a secret without them; its whole ARN is found in any case")
	}
	return hints
}

func missingParam(r sources.Ref, version bool) []string {
	name := quoted(r.Name)
	if version {
		return []string{"aws ssm get-parameter-history --name " + name + "  shows what there is"}
	}
	if a, ok := sources.ParseARN(r.Name); ok {
		name = quoted(strings.TrimPrefix(a.Resource, "parameter")) + " --region " + a.Region
	}
	return append([]string{
		"either  aws ssm put-parameter --name " + name + " --type String --value file:///dev/stdin <FILE",
		"or      " + r.Default(),
	}, elsewhere(r)...)
}

// elsewhere says what to set where a name is in another Region than the one that was asked.
func elsewhere(r sources.Ref) []string {
	switch {
	case r.IsARN():
		return nil
	case r.Account != "":
		return []string{"or, where it is in another Region, set aws.accounts." + r.Account + ".region"}
	}
	return []string{"or, where it is in another Region, set aws.region, or name its ARN"}
}

// slowDown says what to do about what is throttled.
func slowDown(kind sources.Kind) []string {
	switch kind {
	case queueKind:
		return nil
	case tableKind:
		return []string{"a table that is paid by request grows by itself, in minutes; one with provisioned capacity needs more of it"}
	}
	return throttleHints[kind.Traits().Call.Service]
}

var throttleHints = map[sources.Service][]string{
	sources.SecretsManager: {"a longer schedule or a larger splay asks less often"},
	// 40 calls a second for all reads of an account and Region together, by AWS's list of Systems
	// Manager quotas.
	sources.ParameterStore: {
		"a longer schedule or a larger splay asks less often; AWS allows an account 40 calls a second in a Region, or more with",
		"aws ssm update-service-setting --setting-id /ssm/parameter-store/high-throughput-enabled --setting-value true",
	},
}

var unquoted = lazyregexp.New(`^[A-Za-z0-9/_+=.@:-]+$`)

// quoted gives a name as a shell takes it.
func quoted(name string) string {
	if unquoted.MatchString(name) {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}
