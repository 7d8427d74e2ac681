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

// Where a terminal is narrower than the table each row is a text of its own, and what belongs to it
// is indented.
func TestNarrowTable(t *testing.T) {
	var b strings.Builder
	Table{{"SERVICE", "NOTE"}, {strings.Repeat("n", 90), "denied\nfor the owner"}}.Print(&b)
	if want := "SERVICE  NOTE\n" + strings.Repeat("n", 90) + "  denied\n    for the owner\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}
