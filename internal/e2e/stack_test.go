package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/awsfake/moto"
)

// A generation is how CloudFormation makes up a secret (GenerateSecretString).
type generation struct {
	SecretStringTemplate string `yaml:"SecretStringTemplate"`
	GenerateStringKey    string `yaml:"GenerateStringKey"`
	PasswordLength       int64  `yaml:"PasswordLength"`
	ExcludeCharacters    string `yaml:"ExcludeCharacters"`
}

// A stack is what of a template of CloudFormation is about its one secret.
type stack struct {
	name      string
	generated generation
	excluded  string // by the function that rotates it
	attached  bool   // to a database, which then says where it is
}

func readStack(t *testing.T, path string) (s stack) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Resources map[string]struct {
			Type       string    `yaml:"Type"`
			Properties yaml.Node `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	for name, r := range template.Resources {
		var p struct {
			Name                 string     `yaml:"Name"`
			GenerateSecretString generation `yaml:"GenerateSecretString"`
			HostedRotationLambda struct {
				ExcludeCharacters string `yaml:"ExcludeCharacters"`
			} `yaml:"HostedRotationLambda"`
		}
		if err := r.Properties.Decode(&p); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		switch r.Type {
		case "AWS::SecretsManager::Secret":
			s.name, s.generated = p.Name, p.GenerateSecretString
		case "AWS::SecretsManager::RotationSchedule":
			s.excluded = p.HostedRotationLambda.ExcludeCharacters
		case "AWS::SecretsManager::SecretTargetAttachment":
			s.attached = true
		}
	}
	return s
}

// secret gives the secret with a password, as CloudFormation leaves it.
func (s stack) secret(t *testing.T, password string) string {
	t.Helper()
	value := make(map[string]any)
	if err := json.Unmarshal([]byte(s.generated.SecretStringTemplate), &value); err != nil {
		t.Fatal(err)
	}
	value[s.generated.GenerateStringKey] = password
	if s.attached {
		maps.Copy(value, map[string]any{"engine": "postgres", "host": "db.example.com", "port": 5432, "dbname": "orders"})
	}
	return string(must(json.Marshal(value)))
}

// A rotation is the secret of a stack in an AWS, and the function that rotates it.
type rotation struct {
	stack
	t      *testing.T
	client *secretsmanager.Client
}

// password has AWS make one up as the stack has it.
func (r rotation) password(excluded string) string {
	r.t.Helper()
	made, err := r.client.GetRandomPassword(r.t.Context(), &secretsmanager.GetRandomPasswordInput{
		PasswordLength: &r.generated.PasswordLength, ExcludeCharacters: &excluded,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	password := aws.ToString(made.RandomPassword)
	if int64(len(password)) != r.generated.PasswordLength || strings.ContainsAny(password, excluded) {
		r.t.Errorf("a password of %d characters was made up, want %d, and none of %q", len(password), r.generated.PasswordLength, excluded)
	}
	return password
}

// stages puts a password under a label.
func (r rotation) stages(label, password string) {
	r.t.Helper()
	if _, err := r.client.PutSecretValue(r.t.Context(), &secretsmanager.PutSecretValueInput{
		SecretId: &r.name, SecretString: aws.String(r.secret(r.t, password)), VersionStages: []string{label},
	}); err != nil {
		r.t.Fatal(err)
	}
}

// Passwords that AWS makes up as the stack has it arrive in the file, each when it has become the
// current one, and nowhere else.
func TestCookbookGeneratedSecret(t *testing.T) {
	t.Parallel()
	r := readRecipe(t, cookbook+"/generated-secret")
	s := readStack(t, filepath.Join(r.dir, "stack.yaml"))
	if s.excluded != s.generated.ExcludeCharacters || s.excluded == "" {
		t.Errorf("the function excludes %q, CloudFormation %q", s.excluded, s.generated.ExcludeCharacters)
	}
	endpoint := moto.Start(t)
	rotates := rotation{s, t, secretsmanager.New(secretsmanager.Options{
		Region: "eu-west-1", BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})}
	first := rotates.password(s.generated.ExcludeCharacters)
	if _, err := rotates.client.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &s.name, SecretString: aws.String(s.secret(t, first))}); err != nil {
		t.Fatal(err)
	}
	said := ""
	run := func(script, want string) {
		t.Helper()
		now := r.rendered(t, script, moto.Env(endpoint)...)
		if said += now; !strings.Contains(now, want) {
			t.Errorf("%s says\n%s\nwant %q", script, now, want)
		}
	}
	const once, diff = "rendered once -c rendered.yaml --root out", "rendered diff -c rendered.yaml --root out || true"
	run("rendered check -c rendered.yaml --online -v || true", s.name)
	run(once, "created ")
	r.wantsPassword(t, first)
	second := rotates.password(s.excluded)
	rotates.stages("AWSPENDING", second)
	run(once, "nothing changed")
	r.wantsPassword(t, first)
	// The function moves the label in its last step. A read of moto's that names none would not
	// follow it (internal/awsfake.TestConformance): the password is put once more.
	rotates.stages("AWSCURRENT", second)
	run(diff, "would change")
	run(once, "changed ")
	r.wantsPassword(t, second)
	run(once, "nothing changed")
	for _, password := range []string{first, second} {
		r.isNowhere(t, said, password)
	}
}

// wantsPassword wants sh to read the URL with the password from the file.
func (r recipe) wantsPassword(t *testing.T, password string) {
	t.Helper()
	said, err := exec.CommandContext(t.Context(), "sh", "-c", `. "$1/out/etc/orders/orders.env"; printf %s "$DATABASE_URL"`, "sh", r.dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	got, err := url.Parse(string(said))
	if err != nil || got.User == nil {
		t.Fatalf("it is no URL with a user: %v", err)
	}
	if is, _ := got.User.Password(); is != password || got.User.Username() != "orders" || got.Host != "db.example.com:5432" || got.Path != "/orders" {
		t.Error("the URL is that of another user, password, server or database")
	}
}

// isNowhere wants a value neither in what was said nor in any file but the one that it belongs to.
func (r recipe) isNowhere(t *testing.T, said, value string) {
	t.Helper()
	spellings := []string{value, url.QueryEscape(value), url.PathEscape(value), base64.StdEncoding.EncodeToString([]byte(value)), strings.Trim(string(must(json.Marshal(value))), `"`)}
	looked := 0
	for _, spelling := range spellings {
		if strings.Contains(said, spelling) {
			t.Error("a value was printed")
		}
	}
	err := filepath.WalkDir(r.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasSuffix(path, "/etc/orders/orders.env") {
			return err
		}
		looked++
		text, err := os.ReadFile(path)
		for _, spelling := range spellings {
			if bytes.Contains(text, []byte(spelling)) {
				t.Errorf("%s holds a value", path)
			}
		}
		return err
	})
	if err != nil || looked < 5 {
		t.Errorf("%d files were looked at, %v", looked, err)
	}
}

// A linter that has AWS's schemas of resources finds nothing wrong with the stack.
func TestCookbookStackIsLinted(t *testing.T) {
	t.Parallel()
	lint, err := exec.LookPath("cfn-lint")
	if err != nil {
		t.Skip(err) // in CI too, which does not install it
	}
	if out, err := exec.CommandContext(t.Context(), lint, cookbook+"/generated-secret/stack.yaml").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
