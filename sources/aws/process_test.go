package aws

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/sources"
)

const goodKeys = `{"Version":1,"AccessKeyId":"AKIAIOSFODNN7EXAMPLE","SecretAccessKey":"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}`

// processProfile makes the environment that of a profile with a credential_process, which is a
// script.
func processProfile(t *testing.T, fake *awsfake.Server, script string, more string) {
	t.Helper()
	environment(t, "AWS_ENDPOINT_URL="+fake.URL, "AWS_REGION=eu-west-1", "AWS_PROFILE=web", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_CONFIG_FILE="+file(t, "[profile web]\n"+more+"credential_process=sh "+file(t, script)+"\n"))
}

func TestCredentialProcess(t *testing.T) {
	fake := awsfake.Start(t)
	fake.PutSecret("prod/db", canary)
	for name, test := range map[string]struct{ script, want string }{
		"good":           {"echo '" + goodKeys + "'", ""},
		"good and noisy": {"echo warning: slow >&2; echo '" + goodKeys + "'", ""},
		"fails": {"echo 'vault: permission denied for role web' >&2; exit 3",
			"credential_process of profile web ended with exit status 3: vault: permission denied for role web"},
		"fails with its keys": {"k=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY; echo $k pass-" + canary + "1; echo bad key $k, pass-" + canary + "1 and token IQoJb3JpZ2luX2VjEOj0 >&2; exit 1",
			"credential_process of profile web ended with exit status 1: bad key ‹hidden›, ‹hidden› and token ‹hidden›"},
		"escapes": {`printf 'red \033[31malert\007\n' >&2; exit 1`,
			"credential_process of profile web ended with exit status 1: red [31malert"},
		"killed":   {"kill -9 $PPID", "credential_process of profile web ended with signal: killed"},
		"nothing":  {":", "credential_process of profile web printed nothing"},
		"no JSON":  {"echo " + canary, "credential_process of profile web printed no JSON of credentials"},
		"version":  {`echo '{"Version":2}'`, "credential_process of profile web printed another Version than 1"},
		"keyless":  {`echo '{"Version":1,"AccessKeyId":"x"}'`, "credential_process of profile web printed no AccessKeyId or no SecretAccessKey"},
		"too much": {"head -c 9000000 /dev/zero", "credential_process of profile web printed no JSON of credentials"},
	} {
		t.Run(name, func(t *testing.T) {
			processProfile(t, fake, test.script, "")
			s := open(t, Options{})
			var log bytes.Buffer
			s.LogTo(slog.New(slog.NewTextHandler(&log, nil)))
			got := fetchOne(t, s, "secret prod/db")
			if test.want == "" {
				if got.Err != nil {
					t.Error(got.Err)
				}
			} else {
				wantError(t, got, sources.Credentials, test.want)
			}
			if noisy := name == "good and noisy"; noisy != strings.Contains(log.String(), `stderr="warning: slow"`) {
				t.Errorf("the log: %s", log.String())
			}
		})
	}
}

// A role that a profile assumes with another's credential_process.
func TestCredentialProcessOfTheSourceProfile(t *testing.T) {
	fake := awsfake.Start(t)
	fake.PutSecret("prod/db", canary)
	fake.In("", "us-east-1")
	processProfile(t, fake, "echo '"+goodKeys+"'", "role_arn=arn:aws:iam::111111111111:role/web\nrole_session_name=me\nsource_profile=home\n[profile home]\n")
	_, _, arn, err := open(t, Options{}).Identity(t.Context(), "")
	if err != nil || arn != "arn:aws:sts::111111111111:assumed-role/web/me" {
		t.Errorf("%s, %v", arn, err)
	}
}

// What a credential_process leaves in its process group ends with it, whether it ends by itself or
// its time is over.
func TestCredentialProcessLeavesNobody(t *testing.T) {
	fake := awsfake.Start(t)
	fake.PutSecret("prod/db", canary)
	for name, end := range map[string]string{"ends": "echo '" + goodKeys + "'", "fails": "exit 1", "hangs": ""} {
		t.Run(name, func(t *testing.T) {
			pid := filepath.Join(t.TempDir(), "pid")
			processProfile(t, fake, "sleep 1000 & echo $! >"+pid+"\n"+end, "")
			if name != "hangs" {
				fetchOne(t, open(t, Options{}), "secret prod/db")
			} else {
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				p := &process{command: "sleep 1000 & echo $! >" + pid + "; wait", profile: "web"}
				if _, err := p.Retrieve(ctx); err == nil || err.Error() != "credential_process of profile web did not end in time" {
					t.Error(err)
				}
			}
			data, err := os.ReadFile(pid)
			if err != nil {
				t.Fatal(err)
			}
			child, err := strconv.Atoi(strings.TrimSpace(string(data)))
			if err != nil {
				t.Fatal(err)
			}
			gone := func() bool {
				if syscall.Kill(child, 0) != nil {
					return true
				}
				stat, _ := os.ReadFile("/proc/" + strconv.Itoa(child) + "/stat")
				return strings.Contains(string(stat), ") Z ") // nobody reaps it here
			}
			for limit := time.After(5 * time.Second); !gone(); {
				select {
				case <-limit:
					t.Fatal("its child lives on")
				case <-time.After(5 * time.Millisecond):
				}
			}
		})
	}
}

// Whoever uses a profile of SSO without being logged in is told how to log in.
func TestLoggedOutOfSSO(t *testing.T) {
	const want = "the SSO session of profile web has expired, or there is none"
	for name, test := range map[string]struct{ profile, cached string }{
		"never logged in": {"sso_start_url=https://start.example.com\nsso_region=eu-west-1\n", ""},
		"expired":         {"sso_start_url=https://start.example.com\nsso_region=eu-west-1\n", `{"accessToken":"` + canary + `","expiresAt":"2020-01-01T00:00:00Z"}`},
		"no cache":        {"sso_start_url=https://start.example.com\nsso_region=eu-west-1\n", canary},
		"session, never":  {"sso_session=corp\n", ""},
		"session, over":   {"sso_session=corp\n", `{"accessToken":"` + canary + `","expiresAt":"2020-01-01T00:00:00Z"}`},
		"by a role":       {"role_arn=arn:aws:iam::111111111111:role/x\nsource_profile=web\nsso_start_url=https://start.example.com\nsso_region=eu-west-1\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			environment(t, "AWS_REGION=eu-west-1", "AWS_PROFILE=web", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true",
				"AWS_CONFIG_FILE="+file(t, "[profile web]\n"+test.profile+"sso_account_id=111111111111\nsso_role_name=web\n"+
					"[sso-session corp]\nsso_start_url=https://start.example.com\nsso_region=eu-west-1\n"))
			if test.cached != "" {
				for _, key := range []string{"https://start.example.com", "corp"} {
					cache(t, key, test.cached)
				}
			}
			t.Setenv("INVOCATION_ID", "")
			got := fetchOne(t, open(t, Options{}), "secret prod/db")
			wantError(t, got, sources.Credentials, want)
			if len(got.Err.Hints) == 0 || got.Err.Hints[0] != "aws sso login --profile web" {
				t.Errorf("the hints are %q", got.Err.Hints)
			}
		})
	}
}
