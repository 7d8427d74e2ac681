package aws

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/sources"
)

// issuers are those who give credentials for a token that stands in a file. Env makes the
// environment in which the file is at path, and file what it holds.
var issuers = map[string]struct {
	env    func(t *testing.T, path, url string) []string
	file   func(token string) string
	remedy string
}{
	"web identity": {func(_ *testing.T, path, url string) []string {
		return []string{"AWS_WEB_IDENTITY_TOKEN_FILE=" + path, "AWS_ROLE_ARN=arn:aws:iam::111111111111:role/web", "AWS_ENDPOINT_URL_STS=" + url}
	}, bareToken, "AWS_WEB_IDENTITY_TOKEN_FILE, or web_identity_token_file of the profile, names it"},
	"web identity of a profile": {func(t *testing.T, path, url string) []string {
		return []string{"AWS_ENDPOINT_URL_STS=" + url, "AWS_PROFILE=web", "AWS_CONFIG_FILE=" +
			file(t, "[profile web]\nrole_arn=arn:aws:iam::111111111111:role/web\nweb_identity_token_file="+path+"\n")}
	}, bareToken, "AWS_WEB_IDENTITY_TOKEN_FILE, or web_identity_token_file of the profile, names it"},
	"container": {func(_ *testing.T, path, url string) []string {
		return []string{"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=" + path, "AWS_CONTAINER_AUTHORIZATION_TOKEN=not-this", "AWS_CONTAINER_CREDENTIALS_FULL_URI=" + url + "/container"}
	}, bareToken, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names it"},
	"SSO": {func(t *testing.T, path, url string) []string {
		cached(t, "https://start.example.com", path)
		return []string{"AWS_ENDPOINT_URL_SSO=" + url, "AWS_PROFILE=web", "AWS_CONFIG_FILE=" +
			file(t, "[profile web]\nsso_account_id=111111111111\nsso_role_name=web\nsso_start_url=https://start.example.com\nsso_region=eu-west-1\n")}
	}, lastingToken, "aws sso login --profile web  writes it"},
	"SSO session": {func(t *testing.T, path, url string) []string {
		cached(t, "corp", path)
		return []string{"AWS_ENDPOINT_URL_SSO=" + url, "AWS_ENDPOINT_URL_SSO_OIDC=" + url, "AWS_PROFILE=web", "AWS_CONFIG_FILE=" + file(t, sessionProfile)}
	}, lastingToken, "aws sso login --profile web  writes it"},
	"login": {func(t *testing.T, path, _ string) []string {
		sum := sha256.Sum256([]byte(loginARN))
		linkTo(t, path, filepath.Join(os.Getenv("HOME"), ".aws", "login", "cache", hex.EncodeToString(sum[:])+".json"))
		return []string{"AWS_PROFILE=web", "AWS_CONFIG_FILE=" + file(t, "[profile web]\nlogin_session="+loginARN+"\n")}
	}, func(token string) string { return loginToken(token, time.Now().Add(time.Hour), "key") }, "aws login --profile web  writes it"},
}

const loginARN = "arn:aws:iam::111111111111:user/me"

func loginToken(token string, expires time.Time, key string) string {
	return fmt.Sprintf(`{"accessToken":{"accessKeyId":"A","secretAccessKey":"S","sessionToken":%q,"accountId":"111111111111","expiresAt":%q},`+
		`"tokenType":"t","refreshToken":"%s-once","identityToken":"i","clientId":"client","dpopKey":%q}`, token, expires.UTC().Format(time.RFC3339), canary, key)
}

const sessionProfile = "[profile web]\nsso_session=corp\nsso_account_id=111111111111\nsso_role_name=web\n" +
	"[sso-session corp]\nsso_start_url=https://start.example.com\nsso_region=eu-west-1\n"

func bareToken(token string) string { return token }

func lastingToken(token string) string {
	return `{"accessToken":"` + token + `","expiresAt":"` + time.Now().Add(time.Hour).UTC().Format(time.RFC3339) + `"}`
}

// cached leads from the place of a token in the cache of SSO to path.
func cached(t *testing.T, key, path string) (from string) {
	t.Helper()
	sum := sha1.Sum([]byte(key))
	from = filepath.Join(os.Getenv("HOME"), ".aws", "sso", "cache", hex.EncodeToString(sum[:])+".json")
	linkTo(t, path, from)
	return from
}

func linkTo(t *testing.T, path, from string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(from), 0o700), os.Symlink(path, from)); err != nil {
		t.Fatal(err)
	}
}

// issue answers every issuer's request with credentials whose session token is the token that was
// shown.
func issue(w http.ResponseWriter, r *http.Request) {
	const later = "2199-01-01T00:00:00Z"
	switch {
	case r.URL.Path == "/container":
		fmt.Fprintf(w, `{"AccessKeyId":"A","SecretAccessKey":"S","Token":%q,"Expiration":%q}`, r.Header.Get("Authorization"), later)
	case r.URL.Path == "/federation/credentials":
		fmt.Fprintf(w, `{"roleCredentials":{"accessKeyId":"A","secretAccessKey":"S","sessionToken":%q,"expiration":7226582400000}}`, r.Header.Get("X-Amz-Sso_bearer_token"))
	case r.FormValue("Action") == "AssumeRoleWithWebIdentity":
		fmt.Fprintf(w, `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>S</SecretAccessKey>`+
			`<SessionToken>%s</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`, r.FormValue("WebIdentityToken"), later)
	default:
		http.NotFound(w, r)
	}
}

// eachIssuer runs a test for every issuer. Open makes the source anew.
func eachIssuer(t *testing.T, test func(t *testing.T, path string, content func(string) string, remedy string, open func() *Source)) {
	for name, who := range issuers {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(issue))
			defer server.Close()
			path := filepath.Join(t.TempDir(), "token")
			environment(t, "AWS_REGION=eu-west-1", "AWS_EC2_METADATA_DISABLED=true")
			t.Setenv("INVOCATION_ID", "")
			for _, kv := range who.env(t, path, server.URL) {
				key, value, _ := strings.Cut(kv, "=")
				t.Setenv(key, value)
			}
			test(t, path, who.file, who.remedy, func() *Source { return open(t, Options{}) })
		})
	}
}

// wantToken gets credentials anew, and wants them to be those for a token.
func wantToken(t *testing.T, s *Source, token string) {
	t.Helper()
	s.home.identity.provider.(*awssdk.CredentialsCache).Invalidate()
	if c, err := s.home.identity.Retrieve(t.Context()); err != nil || c.SessionToken != token {
		t.Errorf("got the credentials for %.40q, %v; want %.40q", c.SessionToken, err, token)
	}
}

// wantRefused wants a token file not to be read: the error names it and says what to do.
func wantRefused(t *testing.T, s *Source, path, why string, hints ...string) {
	t.Helper()
	done := make(chan sources.Result, 1)
	go func() { done <- fetchOne(t, s, "secret prod/db") }()
	select {
	case got := <-done:
		wantError(t, got, sources.Credentials, why)
		if got.Err != nil && !slices.Equal(got.Err.Hints, hints) {
			t.Errorf("the hints are %q", got.Err.Hints)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it waits")
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A token is read anew each time that credentials are, within bounds, and none is waited for.
func TestTokensAreBounded(t *testing.T) {
	for name, tt := range map[string]struct {
		make func(path string) error
		want string
	}{
		"pipe":      {func(path string) error { return unix.Mkfifo(path, 0o600) }, "not a regular file"},
		"device":    {func(path string) error { return os.Symlink("/dev/zero", path) }, "not a regular file"},
		"directory": {func(path string) error { return os.Mkdir(path, 0o700) }, "is a directory"},
		"circle":    {func(path string) error { return os.Symlink(path, path) }, "too many levels of symbolic links"},
		"16 MiB": {func(path string) error {
			return errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, 16<<20))
		}, "larger than 64 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			eachIssuer(t, func(t *testing.T, path string, content func(string) string, remedy string, open func() *Source) {
				s := open()
				if err := tt.make(path); err != nil {
					t.Fatal(err)
				}
				wantRefused(t, s, path, "token file "+tokenPath(path)+": "+tt.want, remedy)
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
				write(t, path, content(canary))
				wantToken(t, open(), canary)
			})
		})
	}
}

// tokenPath is the path under which a token file is known: that in the cache, where somebody logs
// in.
func tokenPath(path string) string {
	links, _ := filepath.Glob(filepath.Join(os.Getenv("HOME"), ".aws", "*", "cache", "*.json"))
	for _, link := range links {
		if target, _ := os.Readlink(link); target == path {
			return link
		}
	}
	return path
}

// The largest token is read whole.
func TestLargestToken(t *testing.T) {
	eachIssuer(t, func(t *testing.T, path string, content func(string) string, _ string, open func() *Source) {
		token := strings.Repeat("x", maxToken-len(content("")))
		write(t, path, content(token))
		wantToken(t, open(), token)
		write(t, path, content(token+"x"))
		if _, err := open().home.identity.Retrieve(t.Context()); err == nil || !strings.Contains(err.Error(), "larger than 64 KiB") {
			t.Error(err)
		}
	})
}

// A token that is missing is said to be, and one of SSO tells to log in.
func TestMissingToken(t *testing.T) {
	eachIssuer(t, func(t *testing.T, path string, _ func(string) string, remedy string, open func() *Source) {
		if strings.HasPrefix(remedy, "aws sso") {
			wantRefused(t, open(), path, "the SSO session of profile web has expired, or there is none", "aws sso login --profile web")
			return
		}
		wantRefused(t, open(), path, "token file "+tokenPath(path)+": no such file or directory", remedy)
	})
}

// What goes into a header has one line.
func TestTokenOfTwoLines(t *testing.T) {
	eachIssuer(t, func(t *testing.T, path string, content func(string) string, remedy string, open func() *Source) {
		write(t, path, content(canary)+"\n")
		s := open()
		if !strings.Contains(remedy, "CONTAINER") {
			_, err := s.home.identity.Retrieve(t.Context())
			if err != nil {
				t.Error(err)
			}
			return
		}
		wantRefused(t, s, path, "token file "+path+": it holds a line break, and no header can", remedy)
	})
}

// Kubernetes replaces a token by renaming a link: its volumes are sticky and everybody's.
func TestTokenOfAVolume(t *testing.T) {
	eachIssuer(t, func(t *testing.T, path string, content func(string) string, _ string, open func() *Source) {
		volume := filepath.Join(t.TempDir(), "volume")
		rotate := func(name, token string) error {
			dir := filepath.Join(volume, name)
			return errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(filepath.Join(dir, "token"), []byte(content(token)), 0o600),
				os.Symlink(name, filepath.Join(volume, "..data_tmp")), os.Rename(filepath.Join(volume, "..data_tmp"), filepath.Join(volume, "..data")))
		}
		if err := errors.Join(os.Mkdir(volume, 0o700), os.Chmod(volume, 0o777|fs.ModeSticky), rotate("..2026_01_01", canary+"1"),
			os.Symlink("..data/token", filepath.Join(volume, "token")), os.Symlink(filepath.Join(volume, "token"), path)); err != nil {
			t.Fatal(err)
		}
		s := open()
		wantToken(t, s, canary+"1")
		if err := errors.Join(rotate("..2026_01_02", canary+"2"), os.RemoveAll(filepath.Join(volume, "..2026_01_01"))); err != nil {
			t.Fatal(err)
		}
		wantToken(t, s, canary+"2")
		if os.Geteuid() != 0 {
			return // there is nobody to distrust
		}
		// The same names, made by another user.
		if err := os.Lchown(filepath.Join(volume, "..data"), 12001, 12001); err != nil {
			t.Fatal(err)
		}
		if _, err := open().home.identity.Retrieve(t.Context()); err == nil || !strings.Contains(err.Error(), "it belongs to user 12001") {
			t.Error(err)
		}
	})
}

// As root no token is read that others can change, or lead to.
func TestRootReadsNoTokensOfOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has others to distrust")
	}
	const user, other = 12001, 12002
	for name, tt := range map[string]struct {
		change func(dir, path string) error
		why    string
		hint   string
	}{
		"their file": {func(_, path string) error { return os.Chown(path, user, user) },
			"others than root can change it (DIR/token: it belongs to user 12001); root does not work from it",
			"what root works from belongs where root alone can write, as /etc/rendered"},
		"their group's file": {func(_, path string) error { return errors.Join(os.Chown(path, 0, other), os.Chmod(path, 0o660)) },
			"others than root can change it (DIR/token: group 12002 can write to it); root does not work from it",
			"what root works from belongs where root alone can write, as /etc/rendered"},
		"their directory": {func(dir, _ string) error { return os.Chown(dir, other, other) },
			"others than root can change it (DIR: it belongs to user 12002); root does not work from it",
			"what root works from belongs where root alone can write, as /etc/rendered"},
		"their link": {func(dir, path string) error {
			return errors.Join(os.Rename(path, dir+"/real"), os.Symlink("real", path), os.Lchown(path, user, user))
		}, "DIR/token is a link that others than root can change (it belongs to user 12001); root does not follow it",
			"name the path that it leads to, or have link and directories belong to root"},
	} {
		t.Run(name, func(t *testing.T) {
			eachIssuer(t, func(t *testing.T, path string, content func(string) string, remedy string, open func() *Source) {
				write(t, path, content(canary))
				dir := filepath.Dir(path)
				s := open()
				wantToken(t, s, canary)
				if err := tt.change(dir, path); err != nil {
					t.Fatal(err)
				}
				s.Renew()
				wantRefused(t, s, path, "token file "+tokenPath(path)+": "+strings.ReplaceAll(tt.why, "DIR", dir), tt.hint, remedy)
			})
		})
	}
}
