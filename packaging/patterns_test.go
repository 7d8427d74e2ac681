// Package packaging_test holds the stacks in this folder to what AWS sends and to what AWS's own
// tools accept.
package packaging_test

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/internal/long"
)

const (
	template = "cloudformation/push.yaml"
	module   = "terraform"

	secretPrefix    = "prod/"
	parameterPrefix = "/prod/"
)

func TestBothStacksHaveTheSamePatterns(t *testing.T) {
	if diff := cmp.Diff(cloudFormation(t), terraform(t)); diff != "" {
		t.Errorf("CloudFormation - Terraform +\n%s", diff)
	}
}

func TestRulesWantWhatConcernsFiles(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/events.txtar")
	if err != nil {
		t.Fatal(err)
	}
	patterns := cloudFormation(t)
	for _, file := range archive.Files {
		if got, want := wanting(t, patterns, object(t, string(file.Data))), path.Dir(file.Name); got != want {
			t.Errorf("%s is wanted by %s", file.Name, got)
		}
	}
}

// The fake's events are wanted too: a new secret is one notice, and a rotation from its first step
// to its last another.
func TestRulesWantTheEndOfARotation(t *testing.T) {
	aws, patterns := awsfake.New(), cloudFormation(t)
	url := aws.MakeQueue("rendered-web-1")
	aws.Notify(url, awsfake.Bare)
	aws.PutSecret("prod/db", "1")
	aws.StageSecret("prod/db", "AWSCURRENT", aws.BeginRotation("prod/db"))
	aws.PutSecret("staging/db", "1")
	aws.PutParameter("/prod/port", "String", "80")
	var got []string
	for _, body := range aws.Messages(url) {
		got = append(got, wanting(t, patterns, object(t, body)))
	}
	if diff := cmp.Diff([]string{"secrets", "secrets", "none", "parameters"}, got); diff != "" {
		t.Errorf("want - got +\n%s", diff)
	}
}

func TestCfnLint(t *testing.T) {
	long.Test(t)
	lint, err := exec.LookPath("cfn-lint")
	if err != nil {
		t.Skip(err) // in CI too, which does not install it
	}
	if out, err := exec.CommandContext(t.Context(), lint, template, fleetStack).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestTerraformFmt(t *testing.T) {
	program, err := exec.LookPath("terraform")
	if err != nil {
		t.Skip(err) // in CI too, which does not install it
	}
	if out, err := exec.CommandContext(t.Context(), program, "fmt", "-check", "-diff", module).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// wanting names the rules that an event goes to, or none.
func wanting(t *testing.T, patterns map[string]map[string]any, event map[string]any) string {
	t.Helper()
	var rules []string
	for _, name := range slices.Sorted(maps.Keys(patterns)) {
		yes, err := matches(patterns[name], event)
		if err != nil {
			t.Fatalf("the pattern of %s: %v", name, err)
		}
		if yes {
			rules = append(rules, name)
		}
	}
	if rules == nil {
		return "none"
	}
	return strings.Join(rules, " and ")
}

// cloudFormation gives the patterns of the template, by the names that Terraform has for them.
func cloudFormation(t *testing.T) map[string]map[string]any {
	t.Helper()
	var stack struct {
		Resources map[string]struct {
			Type       string `yaml:"Type"`
			Properties struct {
				EventPattern yaml.Node `yaml:"EventPattern"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal([]byte(read(t, template)), &stack); err != nil {
		t.Fatal(err)
	}
	names := map[string]string{"SecretRule": "secrets", "ParameterRule": "parameters"}
	patterns := make(map[string]map[string]any)
	for id, resource := range stack.Resources {
		if resource.Type != "AWS::Events::Rule" {
			continue
		}
		var pattern map[string]any
		node := &resource.Properties.EventPattern
		resolve(t, node)
		if err := node.Decode(&pattern); err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		patterns[names[id]] = pattern
	}
	return patterns
}

// resolve puts the parameters of the stack in the place of !Ref.
func resolve(t *testing.T, node *yaml.Node) {
	t.Helper()
	parameters := map[string]string{"SecretPrefix": secretPrefix, "ParameterPrefix": parameterPrefix}
	if strings.HasPrefix(node.Tag, "!") && !strings.HasPrefix(node.Tag, "!!") {
		value, ok := parameters[node.Value]
		if node.Tag != "!Ref" || !ok {
			t.Fatalf("%s:%d: %s %s is not known here", template, node.Line, node.Tag, node.Value)
		}
		node.SetString(value)
	}
	for _, child := range node.Content {
		resolve(t, child)
	}
}

var loaded = regexp.MustCompile(`(\w+) += templatefile\("\$\{path\.module\}/([\w/.]+)", \{ prefix = var\.(\w+) \}\)`)

// terraform gives the patterns that the module loads, by the names that it gives them.
func terraform(t *testing.T) map[string]map[string]any {
	t.Helper()
	variables := map[string]string{"secret_prefix": secretPrefix, "parameter_prefix": parameterPrefix}
	patterns := make(map[string]map[string]any)
	for _, m := range loaded.FindAllStringSubmatch(read(t, module+"/main.tf"), -1) {
		name, file, variable := m[1], m[2], m[3]
		value, ok := variables[variable]
		if !ok {
			t.Fatalf("var.%s is not known here", variable)
		}
		patterns[name] = object(t, strings.ReplaceAll(read(t, filepath.Join(module, file)), "${prefix}", value))
	}
	return patterns
}

func object(t *testing.T, text string) (o map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return o
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
