package aws

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rendered/rendered/sources"
)

// A token of an sso-session that has expired is renewed, and stored with all else that the file
// holds.
func TestSSOTokenIsRenewed(t *testing.T) {
	const held = `{"startUrl":"https://start.example.com","region":"eu-west-1","accessToken":"` + canary + `-old","expiresAt":"2020-01-01T00:00:00Z",` +
		`"clientId":"client","clientSecret":"` + canary + `-secret","registrationExpiresAt":"2199-01-01T00:00:00Z","refreshToken":"` + canary + `-once","n":12345678901234567890}`
	for name, tt := range map[string]struct {
		held    string
		prepare func(t *testing.T, path string)
		answer  string
		status  int
		asked   int32
		detail  string
		hints   []string
	}{
		"renewed":           {held: held, answer: `{"accessToken":"` + canary + `-new","refreshToken":"` + canary + `-next","expiresIn":3600}`, status: 200, asked: 1},
		"for the last time": {held: held, answer: `{"accessToken":"` + canary + `-new","expiresIn":3600}`, status: 200, asked: 1},
		"refused": {held: held, answer: `{"__type":"InvalidGrantException","error":"invalid_grant","error_description":"` + canary + `"}`, status: 400, asked: 1,
			detail: "the SSO session of profile web has expired, or there is none", hints: []string{"aws sso login --profile web"}},
		"answered with nothing": {held: held, answer: "{}", status: 200, asked: 1,
			detail: "SSO OIDC CreateToken: no answer: AWS's answer does not hold it", hints: []string{
				"aws sts get-caller-identity  shows which credentials this environment has",
				"set aws.profile, give the instance a role, or log in again; they are read anew by themselves"}},
		"cannot be renewed": {held: strings.Replace(held, "refreshToken", "other", 1), asked: 0,
			detail: "the SSO session of profile web has expired, or there is none", hints: []string{"aws sso login --profile web"}},
		"cannot be stored": {held: held, asked: 0, prepare: func(t *testing.T, path string) {
			if err := os.MkdirAll(filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new", "x"), 0o700); err != nil {
				t.Fatal(err)
			}
		}, detail: "token file PATH: the token has expired, and another cannot be stored there: is a directory", hints: []string{"aws sso login --profile web  writes it"}},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/token" {
					issue(w, r)
					return
				}
				asked.Add(1)
				var in struct{ ClientID, ClientSecret, GrantType, RefreshToken string }
				if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.ClientID != "client" || in.ClientSecret != canary+"-secret" || in.GrantType != "refresh_token" || in.RefreshToken != canary+"-once" {
					t.Errorf("asked by %+v, %v", in, err)
				}
				if tt.status == 400 {
					w.Header().Set("X-Amzn-Errortype", "InvalidGrantException")
				}
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.answer)
			}))
			defer server.Close()
			environment(t, "AWS_REGION=eu-west-1", "AWS_EC2_METADATA_DISABLED=true", "AWS_PROFILE=web", "AWS_CONFIG_FILE="+file(t, sessionProfile),
				"AWS_ENDPOINT_URL_SSO="+server.URL, "AWS_ENDPOINT_URL_SSO_OIDC="+server.URL)
			t.Setenv("INVOCATION_ID", "")
			path := cached(t, "corp", "nowhere")
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			write(t, path, tt.held)
			if tt.prepare != nil {
				tt.prepare(t, path)
			}
			s := open(t, Options{})
			if tt.detail != "" {
				wantRefused(t, s, path, strings.ReplaceAll(tt.detail, "PATH", path), tt.hints...)
			} else {
				wantToken(t, s, canary+"-new")
				wantToken(t, open(t, Options{}), canary+"-new") // from the file
			}
			if n := asked.Load(); n != tt.asked {
				t.Errorf("asked %d times", n)
			}
			now, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want := make(map[string]json.RawMessage)
			got := make(map[string]json.RawMessage)
			if err := errors.Join(json.Unmarshal([]byte(tt.held), &want), json.Unmarshal(now, &got)); err != nil {
				t.Fatal(err)
			}
			if tt.detail == "" {
				want["accessToken"] = json.RawMessage(`"` + canary + `-new"`)
				if want["refreshToken"] = json.RawMessage(`"` + canary + `-next"`); name == "for the last time" {
					delete(want, "refreshToken")
				}
				var expires time.Time
				if err := json.Unmarshal(got["expiresAt"], &expires); err != nil || time.Until(expires) < 59*time.Minute || time.Until(expires) > time.Hour {
					t.Errorf("it expires at %s, %v", got["expiresAt"], err)
				}
				want["expiresAt"] = got["expiresAt"]
			}
			if len(got) != len(want) {
				t.Errorf("stored: %s", now)
			}
			for key, value := range want {
				if string(got[key]) != string(value) {
					t.Errorf("stored: %s %s, want %s", key, got[key], value)
				}
			}
			if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
				t.Errorf("%v, %v", info.Mode(), err)
			}
		})
	}
}

// An answer without credentials is no credentials.
func TestSSOAnswersNothing(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }))
	defer server.Close()
	environment(t, "AWS_REGION=eu-west-1", "AWS_EC2_METADATA_DISABLED=true")
	path := filepath.Join(t.TempDir(), "token")
	write(t, path, lastingToken(canary))
	for _, kv := range issuers["SSO"].env(t, path, server.URL) {
		key, value, _ := strings.Cut(kv, "=")
		t.Setenv(key, value)
	}
	wantError(t, fetchOne(t, open(t, Options{}), "secret prod/db"), sources.Credentials, "SSO GetRoleCredentials: no answer: AWS's answer does not hold it")
}
