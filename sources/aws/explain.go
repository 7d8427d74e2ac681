package aws

import (
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/rendered/rendered/sources"
)

// explain gives the error of a ref that was asked for by action, with what to do about it.
func (s *site) explain(r sources.Ref, action string, err error) *sources.Error {
	t := diagnose(err)
	e := &sources.Error{Ref: r, Reason: t.reason, Detail: t.detail}
	switch t.reason {
	case sources.Missing:
		e.Detail, e.Hints = s.missing(r, t)
	case sources.Deleted:
		e.Detail = s.where()
		e.Hints = []string{"aws secretsmanager restore-secret --secret-id " + quoted(r.Name)}
	case sources.Denied:
		d := readDenial(t.message)
		s.learn(d.caller)
		e.Detail, e.Hints = d.detail(), s.denialHints(d, r, action)
	case sources.Throttled:
		e.Hints = throttleHints(r.Kind)
	case sources.Undecryptable:
		e.Hints = []string{"its KMS key must exist and be enabled:  aws kms describe-key --key-id KEY"}
	case sources.Credentials:
		e.Hints = credentialHints(t)
	case sources.Unavailable:
		e.Hints = silenceHints()
		switch {
		case t.code != "":
			e.Hints = []string{"the trouble is on AWS's side; nothing is to be done here, it is asked again by itself"}
		case strings.HasSuffix(t.detail, noSuchHost):
			e.Hints = []string{"is " + s.region + " a Region of AWS? aws.region, AWS_REGION or the profile sets it, and a place of its own that of an ARN or account"}
		}
	}
	return e
}

func credentialHints(t *trouble) []string {
	if t.clock {
		return []string{"timedatectl  shows whether the clock is set by the network; AWS accepts five minutes"}
	}
	if t.login != "" {
		hints := []string{"aws sso login --profile " + quoted(t.login)}
		if os.Getenv("INVOCATION_ID") != "" {
			hints = append(hints, "a unit of systemd may not see the ~/.aws of who logs in; an instance's role, or credential_process, needs nobody to log in")
		}
		return hints
	}
	hints := []string{
		"aws sts get-caller-identity  shows which credentials this environment has",
		"set aws.profile, give the instance a role, or log in again; they are read anew by themselves",
	}
	if os.Getenv("INVOCATION_ID") != "" {
		hints = append(hints, "a unit of systemd has an environment of its own, and may not see ~/.aws: AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name other files, in /etc/rendered/rendered.env")
	}
	return hints
}

func silenceHints() []string {
	return []string{"is the way to AWS open? HTTPS_PROXY and NO_PROXY, VPC endpoints and aws.endpoint_url decide where it goes"}
}

// missing says what it is that does not exist, where, and how to make it or do without.
func (s *site) missing(r sources.Ref, t *trouble) (detail string, hints []string) {
	name := quoted(r.Name)
	what := ""
	switch {
	case r.Kind == queueKind:
		hints = []string{
			"aws sqs list-queues --region " + s.region + "  shows what there is",
			"the stacks in packaging/ make one for each VM; triggers.sqs takes its URL",
		}
	case r.Kind == sources.Params:
		what = "there is no parameter under it"
		hints = []string{"aws ssm put-parameter --name " + quoted(strings.TrimRight(r.Name, "/")+"/NAME") + " --type String --value file:///dev/stdin <FILE"}
	case r.Kind == sources.Secret && strings.Contains(t.message, "secret value for"):
		what = "it has no version " + r.Selector
		hints = []string{"aws secretsmanager list-secret-version-ids --secret-id " + name + "  shows what there is"}
	case r.Kind == sources.Secret && isARN(r.Name):
		a, _ := parseARN(r.Name)
		bare := wholeSecretARN.ReplaceAllString(strings.TrimPrefix(a.resource, "secret:"), "")
		hints = []string{
			"either  aws secretsmanager describe-secret --region " + a.region + " --secret-id " + quoted(bare) + "  shows its ARN now: a secret that was made anew has another",
			`or      {{ secretOr "VALUE" ` + strconv.Quote(r.Text()) + ` }}`,
		}
	case r.Kind == sources.Secret:
		hints = append([]string{
			"either  aws secretsmanager create-secret --name " + name + " --secret-string file:///dev/stdin <FILE",
			`or      {{ secretOr "VALUE" ` + strconv.Quote(r.Text()) + ` }}`,
		}, elsewhere(r)...)
		if wholeSecretARN.MatchString(r.Name) {
			// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
			// (Name)
			hints = append(hints, "the name ends in a hyphen and six characters, as an ARN does: AWS may look for a secret without them; its whole ARN is found in any case")
		}
	case t.code == "ParameterVersionNotFound":
		what = "it has no version " + r.Selector
		hints = []string{"aws ssm get-parameter-history --name " + name + "  shows what there is"}
	default:
		if a, ok := parseARN(r.Name); ok {
			name = quoted(strings.TrimPrefix(a.resource, "parameter")) + " --region " + a.region
		}
		hints = append([]string{
			"either  aws ssm put-parameter --name " + name + " --type String --value file:///dev/stdin <FILE",
			`or      {{ paramOr "VALUE" ` + strconv.Quote(r.Text()) + ` }}`,
		}, elsewhere(r)...)
	}
	return strings.TrimPrefix(what+", "+s.where(), ", "), hints
}

// elsewhere says what to set where a name is in another Region than the one that was asked.
func elsewhere(r sources.Ref) []string {
	switch {
	case isARN(r.Name):
		return nil
	case r.Account != "":
		return []string{"or, where it is in another Region, set aws.accounts." + r.Account + ".region"}
	}
	return []string{"or, where it is in another Region, set aws.region, or name its ARN"}
}

func throttleHints(kind sources.Kind) []string {
	switch kind {
	case sources.Secret:
		return []string{"a longer schedule or a larger splay asks less often"}
	case queueKind:
		return nil
	}
	// 40 calls a second for all reads of an account and Region together, by AWS's list of Systems Manager quotas.
	return []string{
		"a longer schedule or a larger splay asks less often; AWS allows an account 40 calls a second in a Region, or more with",
		"aws ssm update-service-setting --setting-id /ssm/parameter-store/high-throughput-enabled --setting-value true",
	}
}

var unquoted = regexp.MustCompile(`^[A-Za-z0-9/_+=.@:-]+$`)

// quoted gives a name as a shell takes it.
func quoted(name string) string {
	if unquoted.MatchString(name) {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}
