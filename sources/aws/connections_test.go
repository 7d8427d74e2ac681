package aws

import (
	"context"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/sources"
)

// The machine's own addresses are asked without the proxy of the environment; all else goes through
// it. net/http reads that environment once, so the questions come from a process of their own.
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
		// Nobody is there, and not every network says so.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/4)
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

// A source that was closed answers still, and holds no connection when it has answered.
func TestClosedSource(t *testing.T) {
	fake, s := start(t, Options{})
	fake.PutSecret("prod/db", canary)
	fake.PutParameter("/app/key", "String", canary)
	list := refs(t, "secret prod/db", "param /app/key", "aws account")
	ask := func() {
		t.Helper()
		for r, got := range fetchAll(t.Context(), t, s, list...) {
			if got.Err != nil {
				t.Errorf("%s: %v", r, got.Err)
			}
		}
	}
	descriptors := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	before := descriptors()
	ask()
	if n := descriptors(); n <= before {
		t.Fatalf("%d descriptors, %d before: no connection was kept", n, before)
	}
	made := fake.Connections()
	ask()
	if n := fake.Connections(); n != made {
		t.Errorf("%d connections were made anew", n-made)
	}
	s.Close()
	ask()
	// The server closes its ends when it hears of ours.
	for limit := time.Now().Add(5 * time.Second); descriptors() > before && time.Now().Before(limit); {
		runtime.Gosched()
	}
	if n := descriptors(); n > before {
		t.Errorf("%d descriptors, %d before", n, before)
	}
}

// A source is current until a file of its configuration changes, one that was missing included, or
// its credentials are refused.
func TestCurrent(t *testing.T) {
	fake := awsfake.Start(t)
	fake.PutSecret("prod/db", canary)
	dir := t.TempDir()
	env := append(fake.Env(), "AWS_CONFIG_FILE="+dir+"/config", "AWS_SHARED_CREDENTIALS_FILE="+dir+"/credentials", "AWS_PROFILE=web")
	certificate := httptest.NewTLSServer(nil)
	certificate.Close()
	bundle := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate().Raw}))
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("bundle", bundle)
	profile := "[profile web]\nca_bundle=" + dir + "/bundle\nregion=eu-west-1\n"
	write("config", profile)
	environment(t, env...)
	for _, change := range []struct{ name, text string }{
		{"config", profile + "output=json\n"},
		{"credentials", "[other]\nregion=eu-west-1\n"},
		{"bundle", bundle + bundle},
	} {
		s := open(t, Options{})
		if got := fetchOne(t, s, "secret prod/db"); got.Err != nil || !s.Current() {
			t.Fatalf("%s: current %v, %v", change.name, s.Current(), got.Err)
		}
		write(change.name, change.text)
		if s.Current() {
			t.Errorf("it is current though %s changed", change.name)
		}
	}
	s := open(t, Options{})
	clear := fake.Inject(awsfake.Fault{Kind: awsfake.InvalidToken})
	fetchOne(t, s, "secret prod/db")
	if s.Current() {
		t.Error("it is current though its credentials are refused")
	}
	clear()
	fetchOne(t, s, "secret prod/db")
	if !s.Current() {
		t.Error("it is not current though all is well")
	}
}

// Renewed, a source reads the credentials anew, however often, over the connections that it has.
func TestRenew(t *testing.T) {
	fake := awsfake.Start(t)
	fake.PutSecret("prod/db", canary)
	environment(t, fake.InstanceEnv()...)
	s := open(t, Options{})
	made := 0
	for i := range 5 {
		if got := fetchOne(t, s, "secret prod/db"); got.Err != nil {
			t.Fatal(got.Err)
		}
		if i == 0 {
			made = fake.Connections()
		}
		before := s.identities[Account{}].current()
		s.Renew()
		fetchOne(t, s, "secret prod/db")
		if after := s.identities[Account{}].current(); after != before+1 {
			t.Errorf("the credentials were read %d times", after-before)
		}
	}
	if n := fake.Connections(); n != made {
		t.Errorf("%d connections, %d at first", n, made)
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

// Metadata that takes the connection and says nothing, as it does two hops away, is told from
// metadata that knows no role.
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
