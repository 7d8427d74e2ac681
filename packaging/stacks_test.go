package packaging_test

import (
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/pages"
)

var (
	overrides  = regexp.MustCompile(`(\w+)=\S`)
	ofStack    = regexp.MustCompile("(?m)(?:output `|^`)([A-Z]\\w+)`")
	ofModule   = regexp.MustCompile(`-var '?(\w+)=`)
	moduleSays = regexp.MustCompile(`(?m)^(?:variable|output) "(\w+)"`)
	queueNames = regexp.MustCompile(`queue (rendered-)[\w-]+`)
)

// The commands of the page name files, parameters, variables and outputs that the stacks have.
func TestStacksAsDocumented(t *testing.T) {
	type stack struct {
		Parameters map[string]yaml.Node `yaml:"Parameters"`
		Outputs    map[string]yaml.Node `yaml:"Outputs"`
	}
	stacks := make(map[string]stack)
	for _, name := range []string{template, fleetStack} {
		var s stack
		if err := yaml.Unmarshal([]byte(read(t, name)), &s); err != nil {
			t.Fatal(err)
		}
		stacks[name] = s
	}
	knows := make(map[string]bool)
	for _, m := range moduleSays.FindAllStringSubmatch(read(t, module+"/variables.tf")+read(t, module+"/outputs.tf"), -1) {
		knows[m[1]] = true
	}
	for _, b := range pages.Claimed(t) {
		switch b.Kind {
		case "text picture":
			for _, m := range queueNames.FindAllStringSubmatch(b.Text, -1) {
				if !strings.Contains(read(t, template), m[1]+"${InstanceName}") {
					t.Errorf("%v: the template has no queue %s", b, m[0])
				}
			}
		case "sh cloudformation":
			_, deploys, _ := strings.Cut(b.Text, "--template-file packaging/")
			deploys, _, _ = strings.Cut(deploys, " ")
			_, given, _ := strings.Cut(b.Text, "--parameter-overrides ")
			given, _, _ = strings.Cut(given, "\n")
			for _, m := range overrides.FindAllStringSubmatch(given, -1) {
				if _, ok := stacks[deploys].Parameters[m[1]]; !ok {
					t.Errorf("%v: the template has no parameter %s", b, m[1])
				}
			}
			if _, ours := stacks[deploys]; given == "" || !ours {
				t.Errorf("%v: it deploys another template, or without parameters", b)
			}
		default:
			names := ofModule.FindAllStringSubmatch(b.Text, -1)
			_, output, _ := strings.Cut(b.Text, "terraform output ")
			for _, m := range append(names, []string{"", strings.TrimSpace(output)}) {
				if !knows[m[1]] {
					t.Errorf("%v: the module has no variable or output %q", b, m[1])
				}
			}
			if !strings.HasPrefix(b.Text, "cd packaging/"+module+" ") || len(names) == 0 {
				t.Errorf("%v: it applies another module, or without variables", b)
			}
		}
	}
	for _, m := range ofStack.FindAllStringSubmatch(read(t, "README.md"), -1) {
		_, pushes := stacks[template].Outputs[m[1]]
		if _, meets := stacks[fleetStack].Outputs[m[1]]; !pushes && !meets {
			t.Errorf("no template has an output %s", m[1])
		}
	}
}
