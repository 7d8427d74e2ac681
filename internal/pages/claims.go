package pages

import (
	"fmt"
	"path"
	"strings"
)

// A claim says which test runs the blocks of a kind, or compares them with what the program
// prints.
type claim struct {
	pages string // a pattern of path.Match; empty is every page
	kind  string
	test  string // PACKAGE.TEST, which calls Claimed and so gets these blocks
	how   string
}

// seen stands in the place of a test: what another program said on a day of which the page tells.
// It is a record, and nothing of ours makes it true or false.
const seen = "a record"

// claims are asked from the first to the last, so that those of one page stand before those of all.
//
// Who writes a page gives each block one of the kinds of all pages, and has nothing else to do.
// What none of them fits gets a word of its own behind the language, as in "```sh ssh", a line
// here, and a test, which asks Claimed for it.
var claims = []claim{
	// Recipes.
	{"docs/cookbook/*/README.md", "", "internal/e2e.TestCookbookShowsItsFiles", "is a file of the recipe"},
	{"docs/cookbook/*/README.md", "yaml", "internal/e2e.TestCookbookShowsItsFiles", "is a file of the recipe"},
	{"docs/cookbook/*/README.md", "ini", "internal/e2e.TestCookbookShowsItsFiles", "is a file of the recipe"},
	{"docs/cookbook/*/README.md", "json", "internal/e2e.TestCookbookPolicies", "is what iam-policy prints"},
	{"docs/cookbook/*/README.md", "sh", "internal/e2e.TestCookbookRenders", "runs in the recipe's directory, a second time changing nothing"},
	{"docs/cookbook/*/README.md", "sh aws", "internal/e2e.TestCookbookStores", "stores in a fake of AWS what the templates look up"},
	{"docs/cookbook/rotation-drill/README.md", "console drill", "internal/e2e.TestCookbookRotationDrill", "is typed on a machine of its own, and what is said there"},
	{"docs/cookbook/rotation-drill/README.md", "console pending", "internal/e2e.TestCookbookPending", "is what is said of a version that is being rotated in"},
	{"docs/cookbook/rotation-drill/README.md", "sh ssm", "internal/e2e.TestPagesAskAWS", "is taken by the AWS CLI"},
	{"docs/cookbook/README.md", "sh", "internal/e2e.TestCookbookRenders", "runs in the directory of each recipe, a second time changing nothing"},
	{"docs/cookbook/README.md", "sh policy", "internal/e2e.TestCookbookPolicies", "prints the policy of each recipe's page"},

	// Single pages.
	{"README.md", "sh script", "internal/e2e.TestReadmeScript", "runs, and has the bugs that it is said to have"},
	{"README.md", "sh install", "packaging/test/systemd.TestSystemd", "runs in a fresh Debian"},
	{"docs/check.md", "yaml steps", "internal/e2e.TestCheckInCI", "is a step that runs"},
	{"docs/check.md", "text annotations", "internal/e2e.TestCheckInCI", "is what that step prints of a fault"},
	{"docs/comparison.md", "hcl", "internal/e2e.TestComparisonShowsConfigs", "is a config of consul-template, which migrate reads"},
	{"docs/comparison.md", "text strace", seen, "is what strace showed of consul-template"},
	{"docs/config.md", "json editor", "packaging.TestEditorSettings", "names the schema where the packages have it, and the files of a config"},
	{"docs/containers.md", "dockerfile", "packaging/test/container.TestContainer", "is packaging/container/Dockerfile"},
	{"docs/containers.md", "sh image", "packaging/test/container.TestContainer", "builds the image, and runs check in it"},
	{"docs/containers.md", "yaml pod", "packaging/test/container.TestContainer", "is run, with its users, roots, volumes and namespace"},
	{"docs/containers.md", "yaml on-the-host", "internal/e2e.TestComposeAsDocumented", "renders the files that the page's compose.yaml names"},
	{"docs/containers.md", "yaml compose", "internal/e2e.TestComposeAsDocumented", "names rendered files, which the code of Docker Compose reads"},
	{"docs/fleet.md", "console fleet", "cmd/rendered/internal/operator.TestPageShowsWhatIsSaid", "is what the verb says of a table"},
	{"docs/cookbook/rotation-gate.md", "python", "watch/fleet/dynamo.TestRotationGate", "runs against moto, and says of a table what old-versions does"},
	{"docs/metrics.md", "yaml prometheus", "packaging.TestPrometheusAsDocumented", "is taken by promtool"},
	{"docs/metrics.md", "yaml grafana", "packaging.TestGrafanaAsDocumented", "has the keys that Grafana reads, and the directory of the packages"},
	{"docs/operating.md", "console daemon", "cmd/rendered.TestOperatingShowsWhatDaemonsSay", "is what the verb says of a daemon's answer"},
	{"docs/operating.md", "console offline", "cmd/rendered.TestOperatingShowsWhatIsSaid", "is what the verb says of cmd/rendered/testdata/operating"},
	{"docs/operating.md", "console diff", "internal/e2e.TestDiffIsAsDocumented", "is what diff says after a rotation"},
	{"docs/operating.md", "console day", "packaging/test/systemd.TestSystemd", "is what a machine with a service of every state says"},
	{"docs/operating.md", "sh ssh", "internal/e2e.TestPagesForwardAPort", "is taken by ssh, and forwards the port of the page's config"},
	{"docs/packages.md", "sh build", "packaging/test/packages.TestPackages", "builds the packages"},
	{"docs/systemd.md", "console day", "packaging/test/systemd.TestSystemd", "has lines that a machine with a service of every state says"},
	{"docs/systemd.md", "text elsewhere", "packaging/test/systemd.TestSystemd", "is in the journal where a file lies outside of the sandbox"},
	{"docs/systemd.md", "sh journal", "packaging/test/systemd.TestSystemd", "shows entries of the journal"},
	{"docs/systemd.md", "sh install", "internal/e2e.TestInstalledByHand", "runs in a root of its own"},
	{"docs/systemd.md", "dotenv", "internal/e2e.TestUnitAsksWithProfile", "is an environment file with which AWS is asked"},
	{"packaging/README.md", "text picture", "packaging.TestStacksAsDocumented", "names queues as the stacks do"},
	{"packaging/README.md", "sh cloudformation", "packaging.TestStacksAsDocumented", "names parameters and outputs that the template has"},
	{"packaging/README.md", "sh terraform", "packaging.TestStacksAsDocumented", "names variables and outputs that the module has"},
	{"docs/testing.md", "console cookbook", "internal/e2e.TestTestingAsDocumented", "is what test says of the cookbook"},
	{"docs/testing.md", "yaml cases", "internal/e2e.TestTestingAsDocumented", "is a file of cases that pass"},

	// All pages.
	{"", "yaml", "cmd/rendered.TestPagesShowGoodConfigs", "is a config, or a part of one, that check finds good"},
	{"", "template", "cmd/rendered.TestPagesShowGoodTemplates", "renders with cmd/rendered/testdata/pages/values.yaml"},
	{"", "sh", "internal/e2e.TestPagesRun", "runs, all of a page in one copy of internal/e2e/testdata/pages/PAGE, with its bin/ in the PATH"},
	{"", "console", "internal/e2e.TestPagesRun", "the same, and what follows a line with $ is what it prints"},
	{"", "sh aws", "internal/e2e.TestPagesAskAWS", "is taken by the AWS CLI"},
	{"", "sh go", "internal/pages.TestGoCommands", "names tests and flags that there are"},
	{"", "ini rendered.service", "packaging/systemd.TestPagesShowGoodDropIns", "is a drop-in of that unit for systemd-analyze"},
	{"", "ini nginx.service", "packaging/systemd.TestPagesShowGoodDropIns", "is a drop-in of that unit for systemd-analyze"},
}

// Unclaimed says of each block of a project that no test has what its author can do about that.
func Unclaimed(project string) (faults []string, err error) {
	all, err := Blocks(project)
	if err != nil {
		return nil, err
	}
	for _, b := range all {
		if claimOf(b) == nil {
			faults = append(faults, fmt.Sprintf("%v: no test claims this block; its kind is %q. Give it one of these kinds behind the fence:%s\n"+
				"or a kind of its own, as %q, with a line in internal/pages/claims.go that names the test which runs it or compares it: that test gets its text by pages.Claimed(t).",
				b, b.Kind, kindsOf(b.Page), strings.TrimSpace(b.Kind+" WORD")))
		}
	}
	return faults, nil
}

// kindsOf says which kinds of blocks a page may have as it is.
func kindsOf(page string) string {
	var b strings.Builder
	for _, c := range claims {
		if matches(c.pages, page) {
			b.WriteString("\n  ```" + c.kind + "   " + c.how + " (" + c.test + ")")
		}
	}
	return b.String()
}

// claimOf gives the claim of a block, or nil.
func claimOf(b Block) *claim {
	for i := range claims {
		if c := &claims[i]; c.kind == b.Kind && matches(c.pages, b.Page) {
			return c
		}
	}
	return nil
}

func matches(pattern, page string) bool {
	ok, err := path.Match(pattern, page)
	return pattern == "" || ok && err == nil
}
