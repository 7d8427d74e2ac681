package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/rendered/rendered/internal/awsfake/moto"
	"github.com/rendered/rendered/internal/long"
)

// TestCallsToMoto counts, between the command and a server that nobody here wrote, what a pass over
// 1,000 parameters in 100 templates asks, with -long, and without it a pass over 200 in 20.
func TestCallsToMoto(t *testing.T) {
	t.Parallel()
	templates := long.Or(20, 100)
	server := moto.Start(t)
	proxy := startProxy(t, server)
	client := ssm.New(ssm.Options{
		Region: "eu-west-1", BaseEndpoint: &server, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	put := func(name string) {
		_, err := client.PutParameter(t.Context(), &ssm.PutParameterInput{
			Name: &name, Value: awssdk.String("value of " + name), Type: types.ParameterTypeSecureString,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	var services, want strings.Builder
	for i := range templates {
		var body strings.Builder
		for j := range 10 {
			name := fmt.Sprintf("/moto/%d/%d", i, j)
			put(name)
			fmt.Fprintf(&body, "{{ param %q }}\n", name)
			fmt.Fprintf(&want, "value of %s\n", name)
		}
		write(t, filepath.Join(dir, fmt.Sprintf("%d.tmpl", i)), body.String())
		fmt.Fprintf(&services, "  app%d: {files: [{template: %d.tmpl, path: out/%02d}]}\n", i, i, i)
	}
	write(t, filepath.Join(dir, "rendered.yaml"), "state_dir: state\nservices:\n"+services.String())
	if err := os.Mkdir(filepath.Join(dir, "out"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, pass := range []string{"a first pass", "a second"} {
		once := exec.CommandContext(t.Context(), program(t), "once", "-c", filepath.Join(dir, "rendered.yaml"))
		once.Env = append(os.Environ(), moto.Env(proxy.URL)...)
		if out, err := once.CombinedOutput(); err != nil {
			t.Fatalf("%v:\n%s", err, out)
		}
		if got, want := proxy.calls(), map[string]int{"AmazonSSM.GetParameters": templates}; !maps.Equal(got, want) {
			t.Errorf("%s asks %v, want %v", pass, got, want)
		}
	}
	got := ""
	for i := range templates {
		data, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("out/%02d", i)))
		if err != nil {
			t.Fatal(err)
		}
		got += string(data)
	}
	if got != want.String() {
		t.Errorf("the files hold\n%s", got)
	}
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A proxy stands before a server and counts what it is asked.
type proxy struct {
	URL string

	mu      sync.Mutex
	targets map[string]int
}

func startProxy(t *testing.T, endpoint string) *proxy {
	t.Helper()
	to, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{targets: make(map[string]int)}
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.targets[r.Header.Get("X-Amz-Target")]++
		p.mu.Unlock()
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p.URL = server.URL
	return p
}

// calls gives what was asked since the last calls.
func (p *proxy) calls() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.targets
	p.targets = make(map[string]int)
	return list
}
