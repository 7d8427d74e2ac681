package packaging_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/awsfake/moto"
	"github.com/rendered/rendered/internal/long"
)

const document = "ssm/rendered-refresh.yaml"

// A refreshing is the document of Run Command, with what of schema version 2.2 is in it ("Data
// elements and parameters" in the User Guide of Systems Manager).
type refreshing struct {
	SchemaVersion string `yaml:"schemaVersion"`
	Description   string
	Parameters    map[string]struct {
		Type, Description, Default string
		AllowedPattern             string `yaml:"allowedPattern"`
	}
	MainSteps []struct {
		Action, Name string
		Precondition map[string][]string
		Inputs       struct {
			TimeoutSeconds string   `yaml:"timeoutSeconds"`
			RunCommand     []string `yaml:"runCommand"`
		}
	} `yaml:"mainSteps"`
	all map[string]any
}

func runCommand(t *testing.T) (doc refreshing) {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	strict := yaml.NewDecoder(bytes.NewReader(text))
	strict.KnownFields(true)
	if err := errors.Join(strict.Decode(&doc), yaml.Unmarshal(text, &doc.all)); err != nil {
		t.Fatal(err)
	}
	return doc
}

// Nothing but names and a number gets into the script.
func TestNothingIsInjected(t *testing.T) {
	patterns := make(map[string]*regexp.Regexp)
	doc := runCommand(t)
	for name, p := range doc.Parameters {
		patterns[name] = regexp.MustCompile(p.AllowedPattern)
		if !patterns[name].MatchString(p.Default) || p.Type != "String" {
			t.Errorf("%s: %+v", name, p)
		}
	}
	step := doc.MainSteps[0]
	if doc.SchemaVersion != "2.2" || len(doc.MainSteps) != 1 || step.Action != "aws:runShellScript" || step.Name == "" || step.Inputs.TimeoutSeconds <= "3000" {
		t.Errorf("%+v", doc)
	}
	longest := strings.Repeat("a", 64)
	for name, allowed := range map[string][]string{
		"services": {"nginx", "nginx app_1 getty@tty1.x", "_", longest + " " + longest},
		"timeout":  {"1", "60", "999", "1000", "3000"},
	} {
		for _, text := range allowed {
			if !patterns[name].MatchString(text) {
				t.Errorf("%s may not be %q", name, text)
			}
		}
	}
	hostile := []string{
		"; id", "nginx; id", "nginx && id", "nginx | id", "nginx & id", "$(id)", "`id`", "nginx $(id)", "${IFS}", "nginx\nid", "nginx\n", "\nid", "nginx\tid", "nginx\rid",
		"'", `"`, `\`, "nginx'", "> /etc/passwd", "< /etc/shadow", "*", "?", "[a]", "{a,b}", "~", "~root", "#", "!", "%", "=", ":", "/etc/nginx/site.key", "../x",
		"-c", "--config=/tmp/x", "nginx --config", "nginx -c /tmp/x", " nginx", "nginx ", "nginx  app", "{{ timeout }}", "{{global:DATE}}", "nginx\u00a0app", "ngin\u0445", "\x00", longest + "a",
	}
	for _, text := range append(hostile, "0", "01", "-1", "+1", "1.5", "1s", "60;id", "60 id", "3001", "9999", "10000", "١", "6e1") {
		for name, pattern := range patterns {
			if (name == "timeout" || slices.Contains(hostile, text)) && pattern.MatchString(text) {
				t.Errorf("%s may be %q", name, text)
			}
		}
	}
}

// The AWS CLI sends the document, by its model of Systems Manager, and a server that nobody here
// wrote takes it, and gives it back.
func TestDocumentIsTaken(t *testing.T) {
	long.Test(t)
	cli, err := exec.LookPath("aws")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal(err)
	} else if err != nil {
		t.Skip(err)
	}
	endpoint := moto.Start(t)
	aws := func(args ...string) (answer struct {
		Document struct{ Parameters []struct{ Name, Type string } }
	}) {
		cmd := exec.CommandContext(t.Context(), cli, append([]string{"ssm", "--region", "eu-west-1", "--output", "json"}, args...)...)
		cmd.Env = append(moto.Env(endpoint), "PATH="+os.Getenv("PATH"), "HOME="+t.TempDir(), "AWS_PAGER=")
		out, err := cmd.Output()
		if err == nil {
			err = json.Unmarshal(out, &answer)
		}
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return answer
	}
	aws("create-document", "--name", "rendered-refresh", "--document-type", "Command", "--document-format", "YAML", "--content", "file://"+document)
	if got := aws("describe-document", "--name", "rendered-refresh").Document.Parameters; len(got) != 2 {
		t.Errorf("parameters %+v", got)
	}
}

// cfn-lint has AWS's schema of documents.
func TestDocumentHasTheSchema(t *testing.T) {
	long.Test(t)
	lint, err := exec.LookPath("cfn-lint")
	if err != nil {
		t.Skip(err) // in CI too, which does not install it
	}
	stack, err := json.Marshal(map[string]any{"Resources": map[string]any{"Document": map[string]any{
		"Type": "AWS::SSM::Document", "Properties": map[string]any{"DocumentType": "Command", "Content": runCommand(t).all},
	}}})
	path := filepath.Join(t.TempDir(), "stack.json")
	if err == nil {
		err = os.WriteFile(path, stack, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), lint, path).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
