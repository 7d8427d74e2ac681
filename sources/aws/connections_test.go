package aws

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/sources"
)

// The machine's own addresses are asked without the proxy of the environment; all else goes through it. net/http reads that
// environment once, so the questions come from a process of their own.
func TestProxyOfTheEnvironment(t *testing.T) {
	if os.Getenv("RENDERED_TEST_PROXIED") != "" {
		askProxied(t)
		return
	}
	var mu sync.Mutex
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.URL.Hostname())
		w.WriteHeader(http.StatusNotFound)
	}))
	defer proxy.Close()
	cmd := exec.Command(os.Args[0], "-test.run=^TestProxyOfTheEnvironment$", "-test.count=1")
	cmd.Env = append(os.Environ(), "RENDERED_TEST_PROXIED=1", "HTTP_PROXY="+proxy.URL, "http_proxy=", "NO_PROXY=", "no_proxy=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	slices.Sort(asked)
	if got := slices.Compact(asked); !slices.Equal(got, []string{"aws.test"}) {
		t.Errorf("the proxy was asked for %q", got)
	}
}

func askProxied(t *testing.T) {
	for _, url := range []string{"http://aws.test", "http://127.0.0.1:1"} {
		environment(t, "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI", "AWS_ENDPOINT_URL="+url)
		if got := fetchOne(t, open(t, Options{Timeout: time.Second}), "secret prod/db"); got.Err == nil {
			t.Errorf("%s answers", url)
		}
	}
	for _, env := range []string{
		"AWS_EC2_METADATA_SERVICE_ENDPOINT=http://metadata.test", // whatever it is called
		"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv4",
		"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/role",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/role",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://[fd00:ec2::23]/role",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:1/role",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://[::1]:1/role",
	} {
		environment(t, "AWS_REGION=eu-west-1", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", env)
		s := open(t, Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second) // nobody is there, and not every network says so
		r := ref(t, "secret prod/db")
		if got := fetchAll(ctx, t, s, r)[r]; got.Err == nil {
			t.Errorf("%s answers", env)
		}
		cancel()
	}
}

func TestProxyBypass(t *testing.T) {
	for _, host := range []string{"169.254.169.254", "169.254.170.2", "169.254.170.23", "[fd00:ec2::254]", "[fd00:ec2::23]", "169.254.169.254:80"} {
		if u, err := proxy(&http.Request{URL: &url.URL{Scheme: "http", Host: host}}); u != nil || err != nil {
			t.Errorf("%s: %v, %v", host, u, err)
		}
	}
}

// A served is a transport to a handler, without a socket. Without a handler nobody listens.
type served struct{ http.Handler }

func (s served) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.Handler == nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// Metadata that takes the connection and says nothing, as it does two hops away, is told from metadata that knows no role.
func TestSilentMetadata(t *testing.T) {
	silent := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	untokened := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			<-r.Context().Done() // its answer ends after one hop, those to other questions do not
		}
		w.WriteHeader(http.StatusUnauthorized)
	})
	const (
		none  = "there are none in the environment"
		quiet = none + " and the shared config files, and instance metadata does not answer; in a container it takes a hop limit of 2"
	)
	for _, test := range []struct {
		metadata   http.Handler
		v1disabled string
		want       string
	}{
		{silent, "false", quiet},
		{silent, "true", quiet},
		{untokened, "false", quiet},
		{untokened, "true", quiet},
		{http.NotFoundHandler(), "true", none + ", the shared config files and instance metadata"},
		{nil, "true", none + " and the shared config files, and instance metadata cannot be reached: connection refused"},
	} {
		environment(t, "AWS_REGION=eu-west-1", "AWS_EC2_METADATA_V1_DISABLED="+test.v1disabled, "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			s, err := New(t.Context(), Options{Transport: served{test.metadata}})
			if err != nil {
				t.Fatal(err)
			}
			wantError(t, fetchOne(t, s, "secret prod/db"), sources.Credentials, test.want)
			if took := time.Since(began); took > 15*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}
