package aws

import (
	"strings"

	"github.com/rendered/rendered/internal/lazyregexp"
)

// wholeSecretARN ends as every ARN of a secret does. Without that end AWS guesses, and may find
// another secret.
var wholeSecretARN = lazyregexp.New(`-[A-Za-z0-9]{6}$`)

var accountID = lazyregexp.New(`^[0-9]{12}$`)

// IsAccount tells whether a text is the twelve digits of an account.
func IsAccount(text string) bool { return accountID.MatchString(text) }

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
