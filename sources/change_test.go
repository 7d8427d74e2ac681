package sources

import "testing"

// A change of nothing in particular may be of anything, and says no version.
func TestZeroChangeMeansEverything(t *testing.T) {
	for _, r := range []Ref{{}, {Kind: Secret, Name: "a"}, {Kind: Params, Name: "/a"}, {Kind: File, Name: "/a"}} {
		if c := (Change{}); !c.Means(r) || c.VersionOf(r) != "" {
			t.Errorf("not %s", r)
		}
	}
}

// The version that a change says is that of a secret's current label, under each name that it has.
func TestVersionOf(t *testing.T) {
	c := Change{Kind: Secret, Name: "a", Version: "v"}
	for r, want := range map[Ref]string{
		{Kind: Secret, Name: "a"}:                                                                          "v",
		{Kind: Secret, Name: "a", Selector: "blue"}:                                                        "",
		{Kind: Param, Name: "/aws/reference/secretsmanager/a"}:                                             "v",
		{Kind: Param, Name: "/aws/reference/secretsmanager/a", Selector: "blue"}:                           "",
		{Kind: Param, Name: "arn:aws:ssm:eu-west-1:111111111111:parameter/aws/reference/secretsmanager/a"}: "v",
		{Kind: Param, Name: "/a"}:                                                                          "",
		{Kind: Params, Name: "/aws/reference/secretsmanager"}:                                              "",
		{Kind: File, Name: "/aws/reference/secretsmanager/a"}:                                              "",
	} {
		if got := c.VersionOf(r); got != want {
			t.Errorf("%s: %q", r, got)
		}
	}
}
