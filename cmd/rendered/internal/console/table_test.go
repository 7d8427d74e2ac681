package console

import (
	"strings"
	"testing"
)

// A table fits the columns that there are, as far as words can be broken.
func TestTable(t *testing.T) {
	var b strings.Builder
	Table{
		{"SERVICE", "STATE", "NOTE"},
		{"nginx", "current", ""},
		{"worker", "failing", "secret shared::payments/stripe: access denied, since 13:58, by a policy that nobody knows\nfor the owner of the role"},
		{"w", "failing", strings.Repeat("x", 70) + " and more"},
	}.Print(&b)
	const want = `SERVICE  STATE    NOTE
nginx    current
worker   failing  secret shared::payments/stripe: access denied, since 13:58, by
                    a policy that nobody knows
                  for the owner of the role
w        failing  xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
                    and more
`
	if b.String() != want {
		t.Errorf("%s\nwant\n%s", b.String(), want)
	}
}
