package aws

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/sources"
)

// file gives the path of a new file that holds text.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRegion(t *testing.T) {
	metadata := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/latest/api/token":
			w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
			fmt.Fprint(w, "token")
		case "/latest/dynamic/instance-identity/document":
			fmt.Fprint(w, `{"region":"eu-north-1"}`)
		default:
			http.NotFound(w, r)
		}
	}))
	defer metadata.Close()
	profiles := file(t, "[default]\nregion=eu-central-1\n[profile web]\nregion=eu-west-3\n")
	tests := []struct {
		name    string
		env     []string
		options Options
		want    string
	}{
		{"option", []string{"AWS_REGION=us-east-1"}, Options{Region: "eu-west-2"}, "eu-west-2"},
		{"environment", []string{"AWS_REGION=us-east-1", "AWS_CONFIG_FILE=" + profiles}, Options{}, "us-east-1"},
		{"default profile", []string{"AWS_CONFIG_FILE=" + profiles}, Options{}, "eu-central-1"},
		{"profile", []string{"AWS_CONFIG_FILE=" + profiles}, Options{Profile: "web"}, "eu-west-3"},
		{"profile of the environment", []string{"AWS_CONFIG_FILE=" + profiles, "AWS_PROFILE=web"}, Options{}, "eu-west-3"},
		{"instance metadata", []string{"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + metadata.URL}, Options{}, "eu-north-1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			environment(t, test.env...)
			if got := open(t, test.options).home.region; got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestNewSaysWhatToSet(t *testing.T) {
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer hangs.Close()
	broken := file(t, "[default]\nregion eu-west-1\n"+canary+"\n[[[\n")
	tests := []struct {
		name    string
		env     []string
		options Options
		want    string
	}{
		{"no Region", []string{"AWS_EC2_METADATA_DISABLED=true"}, Options{},
			"no AWS Region: set aws.region, AWS_REGION, or region in the profile; instance metadata names none"},
		{"no instance metadata", []string{"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + hangs.URL}, Options{},
			"no AWS Region: set aws.region, AWS_REGION, or region in the profile; instance metadata does not answer; in a container it takes a hop limit of 2"},
		{"no such profile", []string{"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null"}, Options{Profile: "web"},
			"AWS profile web is in none of the shared config files"},
		{"no CA bundle", []string{"AWS_CA_BUNDLE=/nonexistent/ca.pem"}, Options{},
			"AWS config file /nonexistent/ca.pem: no such file or directory"},
		{"no certificate", []string{"AWS_CA_BUNDLE=" + broken}, Options{},
			"AWS config: the file of AWS_CA_BUNDLE or ca_bundle holds no certificate"},
		{"endpoint", nil, Options{EndpointURL: "user:" + canary + "@host"},
			"aws.endpoint_url is not a URL like http://127.0.0.1:4566"},
		{"broken profile", []string{"AWS_CONFIG_FILE=" + broken, "AWS_SHARED_CREDENTIALS_FILE=" + broken, "AWS_EC2_METADATA_DISABLED=true"}, Options{},
			""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			environment(t, test.env...)
			began := time.Now()
			_, err := New(t.Context(), test.options)
			switch {
			case err == nil:
				t.Fatal("no error")
			case test.want != "" && err.Error() != test.want:
				t.Errorf("got  %v\nwant %s", err, test.want)
			case strings.Contains(err.Error(), canary):
				t.Errorf("the error quotes: %v", err)
			}
			later, ok := errors.AsType[noRegion](err)
			if silent := test.name == "no instance metadata"; silent != (ok && later.Temporary()) {
				t.Errorf("it may be otherwise later: %v", !silent)
			}
			if took := time.Since(began); took > metadataWithin+2*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

func TestPrivateCA(t *testing.T) {
	fake := awsfake.New()
	fake.PutSecret("prod/db", canary)
	server := httptest.NewUnstartedServer(fake)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains when it is not trusted
	server.StartTLS()
	defer server.Close()
	fake.URL = server.URL
	host := strings.TrimPrefix(server.URL, "https://")
	bundle := file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))

	environment(t, fake.Env()...)
	wantError(t, fetchOne(t, open(t, Options{}), "secret prod/db"), sources.Unavailable,
		host+": its certificate is signed by an unknown authority; AWS_CA_BUNDLE names a file of further ones")
	t.Setenv("AWS_CA_BUNDLE", bundle)
	if got := fetchOne(t, open(t, Options{}), "secret prod/db"); got.Err != nil {
		t.Error(got.Err)
	}
}

func TestEndpoints(t *testing.T) {
	one, two := awsfake.Start(t), awsfake.Start(t)
	one.PutSecret("s", canary)
	two.PutParameter("p", "String", canary)
	ask := func(o Options) {
		t.Helper()
		for r, got := range fetchAll(t.Context(), t, open(t, o), refs(t, "secret s", "param p")...) {
			if got.Err != nil {
				t.Errorf("%s: %v", r, got.Err)
			}
		}
	}
	environment(t, one.Env()...)
	t.Setenv("AWS_ENDPOINT_URL_SSM", two.URL)
	ask(Options{Version: "1.2.3"})
	wantCalls(t, one, map[string]int{"GetSecretValue": 1})
	wantCalls(t, two, map[string]int{"GetParameters": 1})
	if agent := one.Requests()[0].UserAgent; !strings.Contains(agent, "app/rendered") || !strings.Contains(agent, "1.2.3") {
		t.Errorf("user agent %s", agent)
	}
	// The config goes before the environment.
	one.PutParameter("p", "String", canary)
	one.ResetCalls()
	ask(Options{EndpointURL: one.URL})
	wantCalls(t, one, map[string]int{"GetSecretValue": 1, "GetParameters": 1})
}

func TestRole(t *testing.T) {
	fake, s := start(t, Options{RoleARN: "arn:aws:iam::111111111111:role/reader", SessionName: "host-1", ExternalID: "x"})
	fake.PutSecret("prod/db", canary)
	for range 2 { // credentials are kept
		if got := fetchOne(t, s, "secret prod/db"); got.Err != nil {
			t.Fatal(got.Err)
		}
	}
	wantCalls(t, fake, map[string]int{"AssumeRole": 1, "GetSecretValue": 2})
	const want = "arn:aws:sts::111111111111:assumed-role/reader/host-1"
	if got := fake.Requests()[2].Caller; got != want {
		t.Errorf("asked as %s", got)
	}
	_, account, arn, err := s.Identity(t.Context(), "")
	if account != "111111111111" || arn != want || err != nil {
		t.Errorf("got %s %s %v", account, arn, err)
	}
}

func TestRoleOfTheProfile(t *testing.T) {
	fake, _ := start(t, Options{})
	fake.PutSecret("prod/db", canary)
	os.Unsetenv("AWS_ACCESS_KEY_ID")
	t.Setenv("AWS_CONFIG_FILE", file(t, "[profile web]\nrole_arn=arn:aws:iam::111111111111:role/reader\nsource_profile=base\nrole_session_name=host-1\n"+
		"[profile base]\naws_access_key_id=AKIAIOSFODNN7EXAMPLE\naws_secret_access_key=x\n"))
	if got := fetchOne(t, open(t, Options{Profile: "web"}), "secret prod/db"); got.Err != nil {
		t.Fatal(got.Err)
	}
	wantCalls(t, fake, map[string]int{"AssumeRole": 1, "GetSecretValue": 1})
}

func TestRoleThatCannotBeAssumed(t *testing.T) {
	fake, s := start(t, Options{RoleARN: "arn:aws:iam::111111111111:role/reader"})
	fake.Inject(awsfake.Fault{Operation: "AssumeRole", Kind: awsfake.Deny})
	for _, got := range fetchAll(t.Context(), t, s, refs(t, "secret a", "param b", "params /c")...) {
		wantError(t, got, sources.Credentials, "STS AssumeRole: access denied: no identity-based policy allows sts:AssumeRole")
	}
	wantCalls(t, fake, map[string]int{"AssumeRole": 1})
	if _, _, _, err := s.Identity(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "no identity-based policy allows sts:AssumeRole") {
		t.Errorf("got %v", err)
	}
}

func TestNoCredentials(t *testing.T) {
	fake, _ := start(t, Options{})
	os.Unsetenv("AWS_ACCESS_KEY_ID")
	s := open(t, Options{})
	for _, got := range fetchAll(t.Context(), t, s, refs(t, "secret a", "param b", "params /c")...) {
		wantError(t, got, sources.Credentials, "there are none in the environment, the shared config files and instance metadata")
	}
	wantCalls(t, fake, map[string]int{})
}

// Instance metadata that does not answer must not hold up the end of a fetch.
func TestEndWhileCredentialsAreLookedFor(t *testing.T) {
	asked := make(chan struct{}, 100)
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	defer hangs.Close()
	fake, _ := start(t, Options{})
	os.Unsetenv("AWS_ACCESS_KEY_ID")
	os.Unsetenv("AWS_EC2_METADATA_DISABLED")
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", hangs.URL)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	began := time.Now()
	got := fetchAll(ctx, t, open(t, Options{}), ref(t, "secret a"))
	wantError(t, got[ref(t, "secret a")], sources.Unavailable, "stopped waiting")
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("took %s", took)
	}
	wantCalls(t, fake, map[string]int{})
}

// credentials writes a shared credentials file with a key that the fake takes, or not.
func credentials(t *testing.T, path, token string) {
	t.Helper()
	text := "[default]\naws_access_key_id=AKIAIOSFODNN7EXAMPLE\naws_secret_access_key=" + canary + "\naws_session_token=" + token + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRefusedCredentialsAreReadAnew(t *testing.T) {
	fake, _ := start(t, Options{})
	fake.PutSecret("prod/db", canary)
	path := file(t, "")
	credentials(t, path, "one")
	os.Unsetenv("AWS_ACCESS_KEY_ID")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", path)
	s := open(t, Options{})
	fake.Inject(awsfake.Fault{Kind: awsfake.ExpiredToken, Times: 1})
	wantError(t, fetchOne(t, s, "secret prod/db"), sources.Credentials, "they have expired")

	// They were read less than a minute ago, so they were not read again. From now on it was longer
	// ago.
	s.home.identity.renewed = time.Now().Add(-2 * renewAfter)
	credentials(t, path, "two")
	fake.Inject(awsfake.Fault{Kind: awsfake.ExpiredToken, Times: 1})
	if got := fetchOne(t, s, "secret prod/db"); got.Err != nil {
		t.Error(got.Err)
	}
	if c, _ := s.home.identity.Retrieve(t.Context()); c.SessionToken != "two" {
		t.Error("the old credentials are still in use")
	}
	wantCalls(t, fake, map[string]int{"GetSecretValue": 3})
}

func TestCredentialsThatComeLater(t *testing.T) {
	fake, _ := start(t, Options{})
	fake.PutSecret("prod/db", canary)
	path := file(t, "")
	os.Unsetenv("AWS_ACCESS_KEY_ID")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", path)
	s := open(t, Options{})
	if got := fetchOne(t, s, "secret prod/db"); got.Err == nil || got.Err.Reason != sources.Credentials {
		t.Fatal(got.Err)
	}
	credentials(t, path, "one")
	s.home.identity.renewed = time.Now().Add(-2 * renewAfter)
	if got := fetchOne(t, s, "secret prod/db"); got.Err != nil {
		t.Error(got.Err)
	}
}

func TestRefusedCredentialsAreNoStorm(t *testing.T) {
	fake, s := start(t, Options{MaxConcurrency: 4})
	fake.Inject(awsfake.Fault{Kind: awsfake.InvalidToken})
	s.home.identity.renewed = time.Now().Add(-2 * renewAfter)
	var list []sources.Ref
	for i := range 200 {
		list = append(list, ref(t, fmt.Sprintf("secret s%d", i)), ref(t, fmt.Sprintf("param p%d", i)))
	}
	for _, got := range fetchAll(t.Context(), t, s, list...) {
		wantError(t, got, sources.Credentials, "AWS does not know them")
	}
	// Those in flight when the first is refused, and their repetition with the credentials read
	// anew.
	if n := len(fake.Requests()); n > 2*(4+4) {
		t.Errorf("%d requests", n)
	}
}

func TestSessionName(t *testing.T) {
	tests := map[string]string{"web-1": "web-1", "": ""}
	for set, want := range tests {
		got := sessionName(set)
		if want != "" && got != want || notInSession.MatchString(got) || len(got) < 2 || len(got) > 64 {
			t.Errorf("%q gives %q", set, got)
		}
	}
}
