package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rendered/rendered/internal/awsfake"
)

// An ask is what AWS asks its policies about a request.
type ask struct {
	Principal      string            `json:"principal"` // ARN of the role
	Action         string            `json:"action"`
	Resource       string            `json:"resource"`
	Account        string            `json:"account"` // of the resource
	Context        map[string]string `json:"context,omitempty"`
	ResourcePolicy any               `json:"resourcePolicy,omitempty"`
}

const (
	ownRole   = "arn:aws:iam::111111111111:role/web"
	otherRole = "arn:aws:iam::222222222222:role/reader"
)

// The keys that values are encrypted with, by account and Region.
var kmsKeys = map[string]string{
	"111111111111 eu-west-1": "arn:aws:kms:eu-west-1:111111111111:key/own",
	"111111111111 us-east-1": "arn:aws:kms:us-east-1:111111111111:key/far",
	"222222222222 eu-west-1": "arn:aws:kms:eu-west-1:222222222222:key/shared",
	"222222222222 us-east-1": "arn:aws:kms:us-east-1:222222222222:key/yonder",
	"333333333333 eu-west-1": "arn:aws:kms:eu-west-1:333333333333:key/open",
}

// TestPolicyIsExact has a policy evaluator that nobody here wrote say of every request that a
// daemon really made whether the policy allows it, and that it does not with any part of the policy
// taken away.
func TestPolicyIsExact(t *testing.T) {
	t.Parallel()
	simulator, err := filepath.Abs(filepath.Join(root, ".ci/bin/iam/node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(simulator, "@cloud-copilot/iam-simulate")); err != nil {
		lacking(t, err)
	}
	needed(t, "node")
	aws := awsfake.Start(t)
	config := everyPermission(t, aws)
	asks := asked(t, aws, askEverything(t, aws, config))
	policies := policiesOf(t, aws, config)
	beyond := len(asks)
	asks = append(asks, asksBeyond()...)
	input := must(json.Marshal(map[string]any{"policies": policies, "asks": asks}))
	node := exec.CommandContext(t.Context(), "node", must(filepath.Abs("testdata/iam/simulate.js")))
	node.Env = append(os.Environ(), "NODE_PATH="+simulator)
	node.Stdin = bytes.NewReader(input)
	said, err := node.Output()
	if e, ok := err.(*exec.ExitError); ok {
		t.Fatalf("%v:\n%s", err, e.Stderr)
	}
	var answer struct {
		Whole   []int
		Without []struct {
			Principal, SID, Action, Resource, Value string
			Denied                                  []int
		}
	}
	if err := json.Unmarshal(said, &answer); err != nil {
		t.Fatalf("%v:\n%s", err, said)
	}
	for i, a := range asks {
		if denied := slices.Contains(answer.Whole, i); denied != (i >= beyond) {
			t.Errorf("denied is %v: %+v", denied, a)
		}
	}
	for _, part := range answer.Without {
		missing := 0
		for _, i := range part.Denied {
			if i >= beyond {
				continue
			}
			missing++
			a := asks[i]
			if !concerns(policies[part.Principal], part.SID, a) || part.Action != "" && part.Action != a.Action ||
				part.Resource != "" && !matches(part.Resource, a.Resource) || part.Value != "" && part.Value != a.Context["kms:ViaService"] {
				t.Errorf("without %+v this is denied: %+v", part, a)
			}
		}
		if missing == 0 {
			t.Errorf("without %+v nothing is denied", part)
		}
	}
	t.Logf("%d requests, each allowed, and one denied without each of %d parts", beyond, len(answer.Without))
}

// everyPermission makes a config with every kind of ref, in two accounts and two Regions, and what
// it looks up.
func everyPermission(t *testing.T, aws *awsfake.Server) (config string) {
	t.Helper()
	far, shared, yonder, open := aws.In("", "us-east-1"), aws.In("222222222222", ""), aws.In("222222222222", "us-east-1"), aws.In("333333333333", "")
	aws.AllowRole(otherRole, "", ownRole)
	for _, at := range []*awsfake.Place{aws.In("", ""), far, shared, yonder, open} {
		at.PutSecret("prod/db", "v")
		at.PutParameter("/app/a", "SecureString", "v")
	}
	aws.PutSecret("prod/web", "v")
	aws.PutSecret("prod/behind", "v")
	aws.PutSecret("prod/old", "v1")
	aws.PutSecret("prod/old", "v2")
	aws.PutParameter("/app/b", "String", "v")
	aws.PutParameter("top", "String", "v")
	aws.PutParameter("/app/versions", "String", "v")
	aws.LabelParameter("/app/versions", 1, "live")
	aws.PutParameter("/shop/x/y", "String", "v")
	open.Share("prod/db", "111111111111")
	open.Share("/app/a", "111111111111")
	url := aws.MakeQueue("rendered-web-1")
	aws.Notify(url, awsfake.Bare)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "app.tmpl"), fmt.Sprintf(`{{ secret "prod/db" }}{{ secret "prod/web" }}{{ secret "prod/old:AWSPREVIOUS" }}{{ secret "far::prod/db" }}
{{ secret "shared::prod/db" }}{{ secret %q }}{{ secret %q }}
{{ param "/app/a" }}{{ param (printf "/app/%%s" .b) }}{{ param "top" }}{{ param "/app/versions:1" }}{{ param "/app/versions:live" }}
{{ param "shared::/app/a" }}{{ param %q }}{{ param %q }}{{ param "/aws/reference/secretsmanager/prod/behind" }}
{{ range $name, $text := params "/shop" }}{{ $name }}{{ end }}{{ range $name, $text := params "yonder::/app" }}{{ $name }}{{ end }}
{{ awsRegion }}{{ awsAccount }}{{ file "app.tmpl" | len }}
`, yonder.SecretARN("prod/db"), open.SecretARN("prod/db"), far.ParameterARN("/app/a"), open.ParameterARN("/app/a")))
	config = filepath.Join(dir, "rendered.yaml")
	write(t, config, fmt.Sprintf(`state_dir: state
settle: 10ms
splay: 0s
vars: {b: b}
triggers: {sqs: %q}
aws:
  region: eu-west-1
  batch_secrets: true
  accounts:
    shared: {role_arn: %q}
    yonder: {role_arn: %[2]q, region: us-east-1}
    far: {region: us-east-1}
    open: {id: "333333333333"}
services:
  app: {files: [{template: app.tmpl, path: app}]}
`, url, otherRole))
	return config
}

// askEverything has the program do all that asks AWS for something, and gives the requests.
func askEverything(t *testing.T, aws *awsfake.Server, config string) []awsfake.Request {
	t.Helper()
	environ := append(os.Environ(), aws.Env()...)
	check := exec.CommandContext(t.Context(), program(t), "check", "--online", "-c", config)
	check.Env = environ
	if said, err := check.CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, said)
	}
	var said bytes.Buffer
	run := exec.CommandContext(t.Context(), program(t), "run", "-c", config)
	run.Env, run.Stderr = environ, &said
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	until(t.Fatalf, "the queue is read", func() bool { return aws.Calls()["ReceiveMessage"] > 0 })
	aws.PutSecret("prod/db", "rotated")
	until(t.Fatalf, "the notice is deleted", func() bool { return aws.Calls()["DeleteMessageBatch"] > 0 })
	if err := run.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := run.Wait(); err != nil {
		t.Fatalf("%v:\n%s", err, &said)
	}
	return aws.Requests()
}

// asked gives what AWS asks its policies about requests, each once.
func asked(t *testing.T, aws *awsfake.Server, requests []awsfake.Request) (asks []ask) {
	t.Helper()
	seen := make(map[string]bool)
	for _, r := range requests {
		for _, a := range asksOf(t, aws, r) {
			if key := fmt.Sprint(a); !seen[key] {
				seen[key] = true
				asks = append(asks, a)
			}
		}
	}
	return asks
}

// asksOf gives what AWS asks about one request, and what Secrets Manager and Parameter Store ask of
// KMS for it.
func asksOf(t *testing.T, aws *awsfake.Server, r awsfake.Request) (asks []ask) {
	t.Helper()
	at := aws.In(r.Account, r.Region)
	_, session, _ := strings.Cut(r.Caller, ":assumed-role/")
	who := "arn:aws:iam::" + strings.Split(r.Caller, ":")[4] + ":role/" + path.Dir(session)
	add := func(action, resource string) {
		asks = append(asks, ask{Principal: who, Action: action, Resource: resource, Account: strings.Split(resource+":::::", ":")[4]})
		last := &asks[len(asks)-1]
		if last.Account == "" {
			last.Account = r.Account
		}
		if last.Account != strings.Split(who, ":")[4] {
			last.ResourcePolicy = letIn(who, action)
		}
		via := ""
		switch {
		case action == "secretsmanager:GetSecretValue":
			via = "secretsmanager"
		case strings.HasPrefix(action, "ssm:") && !strings.Contains(resource, "/aws/reference/"):
			via = "ssm"
		default:
			return
		}
		asks = append(asks, ask{
			Principal: who, Action: "kms:Decrypt", Resource: kmsKeys[last.Account+" "+r.Region], Account: last.Account,
			Context: map[string]string{"kms:ViaService": via + "." + r.Region + ".amazonaws.com"}, ResourcePolicy: keyPolicy(last.Account, who),
		})
	}
	secret := func(name string) string {
		if strings.HasPrefix(name, "arn:") {
			return name
		}
		return at.SecretARN(name)
	}
	parameter := func(name string) string {
		if strings.HasPrefix(name, "arn:") {
			return name
		}
		return at.ParameterARN(name)
	}
	for _, name := range r.Names {
		switch r.Operation {
		case "GetSecretValue":
			add("secretsmanager:GetSecretValue", secret(name))
		case "BatchGetSecretValue":
			add("secretsmanager:BatchGetSecretValue", "*")
			add("secretsmanager:GetSecretValue", secret(name))
		case "GetParameters", "GetParameter":
			if !strings.HasPrefix(name, "arn:") {
				name, _, _ = strings.Cut(name, ":")
			}
			add("ssm:"+r.Operation, parameter(name))
			if behind, ok := strings.CutPrefix(name, "/aws/reference/secretsmanager/"); ok {
				add("secretsmanager:GetSecretValue", secret(behind))
			}
		case "GetParametersByPath":
			add("ssm:GetParametersByPath", parameter(name))
			add("ssm:GetParametersByPath", parameter(name+"/x/y"))
		case "AssumeRole":
			add("sts:AssumeRole", name)
		case "ReceiveMessage", "GetQueueAttributes", "DeleteMessageBatch":
			add("sqs:"+strings.TrimSuffix(r.Operation, "Batch"), "arn:aws:sqs:"+r.Region+":"+path.Base(path.Dir(name))+":"+path.Base(name))
		default:
			t.Errorf("what permission does %s take?", r.Operation)
		}
	}
	if len(r.Names) == 0 && r.Operation != "GetCallerIdentity" { // for which nobody needs a permission
		t.Errorf("what permission does %s take?", r.Operation)
	}
	return asks
}

// letIn is a policy of something of another account that lets a role in.
func letIn(role, action string) any {
	return map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Allow", "Principal": map[string]string{"AWS": role}, "Action": action, "Resource": "*",
	}}}
}

// keyPolicy is one that leaves it to the policies of its account who may use a key, and lets in a
// role of another account.
func keyPolicy(account, role string) any {
	who := []string{"arn:aws:iam::" + account + ":root"}
	if strings.Split(role, ":")[4] != account {
		who = append(who, "arn:aws:iam::"+strings.Split(role, ":")[4]+":root")
	}
	return map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"AWS": who}, "Action": "kms:*", "Resource": "*",
	}}}
}

// asksBeyond are requests that the policy must not allow.
func asksBeyond() []ask {
	own := func(action, resource string) ask {
		return ask{Principal: ownRole, Action: action, Resource: resource, Account: "111111111111"}
	}
	decrypt := func(service string) ask {
		a := own("kms:Decrypt", kmsKeys["111111111111 eu-west-1"])
		a.ResourcePolicy = keyPolicy(a.Account, ownRole)
		if service != "" {
			a.Context = map[string]string{"kms:ViaService": service}
		}
		return a
	}
	return []ask{
		own("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:111111111111:secret:prod/db2-AbCdEf"),
		own("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:111111111111:secret:prod/db-more-AbCdEf"),
		own("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-central-1:111111111111:secret:prod/db-AbCdEf"),
		own("secretsmanager:PutSecretValue", "arn:aws:secretsmanager:eu-west-1:111111111111:secret:prod/db-AbCdEf"),
		own("ssm:GetParameters", "arn:aws:ssm:eu-west-1:111111111111:parameter/app/other"),
		own("ssm:GetParameters", "arn:aws:ssm:eu-west-1:111111111111:parameter/shop/x/y"),
		own("ssm:GetParametersByPath", "arn:aws:ssm:eu-west-1:111111111111:parameter/shopping/x"),
		own("ssm:PutParameter", "arn:aws:ssm:eu-west-1:111111111111:parameter/app/a"),
		own("sqs:SendMessage", "arn:aws:sqs:eu-west-1:111111111111:rendered-web-1"),
		own("sqs:ReceiveMessage", "arn:aws:sqs:eu-west-1:111111111111:rendered-web-2"),
		decrypt(""), decrypt("s3.eu-west-1.amazonaws.com"), decrypt("ssm.us-east-1.amazonaws.com"),
	}
}

// policiesOf gives the policies of a config by the role that they are for.
func policiesOf(t *testing.T, aws *awsfake.Server, config string) map[string]policyDocument {
	t.Helper()
	args := []string{"iam-policy", "-c", config, "--json", "--account", "111111111111"}
	for _, key := range kmsKeys {
		args = append(args, "--kms-key", key)
	}
	cmd := exec.CommandContext(t.Context(), program(t), args...)
	cmd.Env = append(os.Environ(), aws.Env()...)
	said, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Policies []struct {
			Role     string
			Document policyDocument
		}
		Unknown, Remarks []any
	}
	if err := json.Unmarshal(said, &answer); err != nil || len(answer.Policies) != 2 || len(answer.Unknown)+len(answer.Remarks) > 0 {
		t.Fatalf("%v:\n%s", err, said)
	}
	policies := make(map[string]policyDocument)
	for _, p := range answer.Policies {
		if p.Role == "" {
			p.Role = ownRole
		}
		policies[p.Role] = p.Document
	}
	return policies
}

// A policyDocument is a policy as IAM takes it.
type policyDocument struct {
	Version   string
	Statement []map[string]any
}

// concerns tells whether a statement of a policy is about an ask.
func concerns(p policyDocument, sid string, a ask) bool {
	return slices.ContainsFunc(p.Statement, func(s map[string]any) bool {
		return s["Sid"] == sid && slices.Contains(words(s["Action"]), a.Action) &&
			slices.ContainsFunc(words(s["Resource"]), func(pattern string) bool { return matches(pattern, a.Resource) })
	})
}

// words gives one text or a list of them as a list.
func words(x any) (list []string) {
	if text, ok := x.(string); ok {
		return []string{text}
	}
	for _, text := range x.([]any) {
		list = append(list, text.(string))
	}
	return list
}

// matches compares an ARN with a pattern as IAM does, where a * is also what holds a slash.
func matches(pattern, arn string) bool {
	in := strings.NewReplacer("/", "\x00")
	ok, err := path.Match(in.Replace(pattern), in.Replace(arn))
	return err == nil && ok
}
