package aws

import (
	"regexp"
	"strings"
)

// An arn is the parts of arn:partition:service:region:account:resource.
type arn struct {
	partition, service, region, account, resource string
}

func parseARN(text string) (arn, bool) {
	p := strings.SplitN(text, ":", 6)
	if len(p) < 6 || p[0] != "arn" {
		return arn{}, false
	}
	return arn{p[1], p[2], p[3], p[4], p[5]}, true
}

func isARN(text string) bool { return strings.HasPrefix(text, "arn:") }

// wholeSecretARN ends as every ARN of a secret does. Without that end AWS guesses, and may find another secret.
var wholeSecretARN = regexp.MustCompile(`-[A-Za-z0-9]{6}$`)

var accountID = regexp.MustCompile(`^[0-9]{12}$`)

// partition gives the first part of the Region's ARNs.
func partition(region string) string {
	for prefix, name := range map[string]string{
		"cn-": "aws-cn", "us-gov-": "aws-us-gov", "us-iso-": "aws-iso", "us-isob-": "aws-iso-b", "eu-isoe-": "aws-iso-e",
		"us-isof-": "aws-iso-f", "eusc-": "aws-eusc",
	} {
		if strings.HasPrefix(region, prefix) {
			return name
		}
	}
	return "aws"
}
