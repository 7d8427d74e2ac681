package awsfake_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/google/go-cmp/cmp"

	"github.com/rendered/rendered/internal/awsfake"
)

// metadataClient is the SDK's, in process and without retries.
func metadataClient(s *awsfake.Server) *imds.Client {
	return imds.New(imds.Options{HTTPClient: &http.Client{Transport: s.Transport()}, Retryer: aws.NopRetryer{}, EnableFallback: aws.FalseTernary, ClientEnableState: imds.ClientEnabled})
}

// metadata gives what is at a path, or the error's text.
func metadata(ctx context.Context, c *imds.Client, path string) string {
	out, err := c.GetMetadata(ctx, &imds.GetMetadataInput{Path: path})
	if err != nil {
		return err.Error()
	}
	defer out.Content.Close()
	text, err := io.ReadAll(out.Content)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func TestMetadata(t *testing.T) {
	s := awsfake.New(awsfake.Region("us-east-2"), awsfake.Account("222222222222"))
	s.Metadata().Set("tags/instance/Role", "web")
	c := metadataClient(s)
	for path, want := range map[string]string{
		"instance-id":                 "i-0123456789abcdef0",
		"local-ipv4":                  "10.0.1.17",
		"placement/region":            "us-east-2",
		"placement/availability-zone": "us-east-2a",
		"placement/":                  "availability-zone\nregion",
		"placement":                   "availability-zone\nregion",
		"tags/instance/":              "Name\nRole",
		"tags/instance/Name":          "web-1",
		"tags/":                       "instance/",
		"iam/security-credentials/":   "web",
		"iam/":                        "security-credentials/",
		"":                            "ami-id\nhostname\niam/\ninstance-id\ninstance-type\nlocal-hostname\nlocal-ipv4\nmac\nplacement/\nservices/\ntags/",
	} {
		if got := metadata(t.Context(), c, path); got != want {
			t.Errorf("%q: got %q, want %q", path, got, want)
		}
	}
	for _, path := range []string{"none", "tags/instance/None", "instance-id/more", "iam/security-credentials/none"} {
		if got := metadata(t.Context(), c, path); !strings.Contains(got, "StatusCode: 404") {
			t.Errorf("%q: got %q", path, got)
		}
	}
	s.Metadata().Unset("tags")
	if got := metadata(t.Context(), c, "tags/instance/Name"); !strings.Contains(got, "StatusCode: 404") {
		t.Errorf("tags that are not allowed: %q", got)
	}
	doc, err := c.GetInstanceIdentityDocument(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if doc.AccountID != "222222222222" || doc.Region != "us-east-2" || doc.InstanceID != "i-0123456789abcdef0" || doc.AvailabilityZone != "us-east-2a" || doc.PrivateIP != "10.0.1.17" {
		t.Errorf("the document is %+v", doc)
	}
	calls := s.Metadata().Calls()
	if calls["PUT /latest/api/token"] != 1 || calls["GET /latest/meta-data/instance-id"] != 1 {
		t.Errorf("calls: %v", calls)
	}
	if len(s.Calls()) != 0 {
		t.Errorf("counted as calls of AWS: %v", s.Calls())
	}
}

func TestMetadataNeedsAToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := awsfake.New()
		ask := func(method, path string, header ...string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(method, "http://169.254.169.254"+path, nil)
			for i := 0; i < len(header); i += 2 {
				r.Header.Set(header[i], header[i+1])
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			return w
		}
		const path, ttl, tokenHeader = "/latest/meta-data/instance-id", "X-aws-ec2-metadata-token-ttl-seconds", "X-aws-ec2-metadata-token"
		token := ask("PUT", "/latest/api/token", ttl, "60")
		if token.Code != 200 || token.Header().Get(ttl) != "60" {
			t.Errorf("a token: %d, %v", token.Code, token.Header())
		}
		for name, tc := range map[string]struct {
			answer *httptest.ResponseRecorder
			want   int
		}{
			"with a token":       {ask("GET", path, tokenHeader, token.Body.String()), 200},
			"without one":        {ask("GET", path), 401},
			"with another":       {ask("GET", path, tokenHeader, "x"), 401},
			"no life":            {ask("PUT", "/latest/api/token"), 400},
			"no life at all":     {ask("PUT", "/latest/api/token", ttl, "0"), 400},
			"a life too long":    {ask("PUT", "/latest/api/token", ttl, "21601"), 400},
			"through a proxy":    {ask("PUT", "/latest/api/token", ttl, "60", "X-Forwarded-For", "10.0.0.1"), 403},
			"to write":           {ask("PUT", path, tokenHeader, token.Body.String()), 405},
			"a token to be read": {ask("GET", "/latest/api/token", tokenHeader, token.Body.String()), 404},
		} {
			if tc.answer.Code != tc.want {
				t.Errorf("%s: %d, want %d", name, tc.answer.Code, tc.want)
			}
		}
		<-time.After(time.Minute)
		if got := ask("GET", path, tokenHeader, token.Body.String()).Code; got != 401 {
			t.Errorf("with a token whose time is over: %d", got)
		}
	})
}

// The instance's credentials work with the server, and come anew while the old ones still do.
func TestMetadataCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := awsfake.New()
		s.PutParameter("/a", "String", "1")
		cfg := inProcess(s)
		cfg.Credentials = aws.NewCredentialsCache(ec2rolecreds.New(func(o *ec2rolecreds.Options) { o.Client = metadataClient(s) }))
		c := connect(cfg)
		for range 3 {
			if got := setting(t, c, "/a"); got != "1" {
				t.Fatal(got)
			}
			<-time.After(7 * time.Hour)
		}
		if n := s.Metadata().Calls()["GET /latest/meta-data/iam/security-credentials/web"]; n != 3 {
			t.Errorf("asked for credentials %d times, want 3", n)
		}
		if got := s.Requests()[0].Caller; got != web {
			t.Errorf("the caller is %s", got)
		}
		m := metadataClient(s)
		const path = "iam/security-credentials/web"
		first := metadata(t.Context(), m, path)
		if !strings.Contains(first, `"Code": "Success"`) || !strings.Contains(first, `"AccessKeyId": "ASIA`) {
			t.Errorf("got %s", first)
		}
		s.SetSessionLifetime(10 * time.Second)
		if metadata(t.Context(), m, path) != first {
			t.Error("other credentials within their time")
		}
		<-time.After(7 * time.Hour)
		short := metadata(t.Context(), m, path)
		<-time.After(4 * time.Second)
		if metadata(t.Context(), m, path) != short {
			t.Error("other credentials in the first half of a short time")
		}
		<-time.After(2 * time.Second)
		if metadata(t.Context(), m, path) == short {
			t.Error("the same credentials in the second half of their time")
		}
	})
}

func TestMetadataAway(t *testing.T) {
	// The SDK's client gives up after 5 s and hides why, so this one is net/http's.
	instanceID := func(ctx context.Context, s *awsfake.Server, token string) (string, error) {
		r, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://169.254.169.254/latest/meta-data/instance-id", nil)
		r.Header.Set("X-aws-ec2-metadata-token", token)
		resp, err := (&http.Client{Transport: s.Transport()}).Do(r)
		if err != nil {
			return "", err
		}
		text, err := io.ReadAll(resp.Body)
		return string(text), err
	}
	token := func(s *awsfake.Server) string {
		r, _ := http.NewRequest(http.MethodPut, "http://169.254.169.254/latest/api/token", nil)
		r.Header.Set("X-aws-ec2-metadata-token-ttl-seconds", "21600")
		resp, err := s.Transport().RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		return string(text)
	}
	t.Run("refused in process", func(t *testing.T) {
		s := awsfake.New()
		given := token(s)
		s.Metadata().Refuse()
		if _, err := instanceID(t.Context(), s, given); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("got %v", err)
		}
		s.Metadata().Resume()
		if got, err := instanceID(t.Context(), s, given); got != "i-0123456789abcdef0" {
			t.Errorf("after it came back: %s, %v", got, err)
		}
	})
	t.Run("hanging in process", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := awsfake.New()
			s.SetLatency(0)
			given := token(s)
			s.Metadata().Hang()
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			begun := time.Now()
			if _, err := instanceID(ctx, s, given); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != time.Hour {
				t.Errorf("it hung for %v, %v", time.Since(begun), err)
			}
			go func() {
				<-time.After(time.Minute)
				s.Metadata().Resume()
			}()
			begun = time.Now()
			if got, err := instanceID(t.Context(), s, given); got != "i-0123456789abcdef0" || time.Since(begun) != time.Minute {
				t.Errorf("resumed after a minute: %s, %v after %v", got, err, time.Since(begun))
			}
		})
	})
	t.Run("over a socket", func(t *testing.T) {
		s := awsfake.Start(t)
		s.Metadata().Refuse()
		if _, err := http.Get(s.URL + "/latest/meta-data/"); err == nil {
			t.Error("it answered")
		}
		s.Metadata().Resume()
		s.Metadata().Hang() // until the test ends
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		r, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/latest/meta-data/", nil)
		if _, err := http.DefaultClient.Do(r); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

// In InstanceEnv an SDK finds everything by itself.
func TestInstanceEnv(t *testing.T) {
	s := awsfake.Start(t, awsfake.Region("eu-central-1"))
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_EC2_METADATA_DISABLED"} {
		t.Setenv(name, "")
	}
	for _, entry := range s.InstanceEnv() {
		name, value, _ := strings.Cut(entry, "=")
		t.Setenv(name, value)
	}
	cfg, err := awsconfig.LoadDefaultConfig(t.Context(), awsconfig.WithEC2IMDSRegion())
	if err != nil {
		t.Fatal(err)
	}
	if err := whoAmI(t.Context(), connect(cfg)); err != nil || cfg.Region != "eu-central-1" {
		t.Errorf("in %s: %v", cfg.Region, err)
	}
	if diff := cmp.Diff(map[string]int{"GetCallerIdentity": 1}, s.Calls()); diff != "" {
		t.Errorf("calls: got + want -\n%s", diff)
	}
}
