package plan

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/aws"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/pass"
)

// A rotating is a way to AWS on which everything is rotated before some of the requests.
type rotating struct {
	*awsfake.Server
	http.RoundTripper

	mu   sync.Mutex
	n    int
	odds int // that a request finds another version; 0: none
	rand *rand.Rand
}

func (r *rotating) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	if r.odds > 0 && r.rand.IntN(r.odds) == 0 {
		r.rotate()
	}
	r.mu.Unlock()
	return r.RoundTripper.RoundTrip(req)
}

func (r *rotating) rotate() {
	r.n++
	value := fmt.Sprint("v", r.n)
	r.PutSecret("prod/db", value)
	for i := range 15 { // two pages
		r.PutParameter(fmt.Sprintf("/app/%02d", i), "String", value)
	}
}

// tornServices have one thing by all of its names each. What stands in a line is one version.
func tornServices(secret, key string) map[string]string {
	return map[string]string{
		"secret":  `{{ secret "prod/db" }} {{ secret "` + secret + `" }} {{ param "/aws/reference/secretsmanager/prod/db" }} {{ secret "prod/db:AWSCURRENT" }}`,
		"param":   `{{ param "/app/03" }} {{ param "` + key + `" }} {{ param "` + key + `" }}`,
		"path":    `{{ param "/app/03" }} {{ index (params "/app") "03" }} {{ index (params "/") "app/03" }}`,
		"dynamic": `{{ secret (param "/name") }} {{ secret (param "/arn") }} {{ secret "prod/db" }}`,
		"labels":  `{{ if eq (secret "prod/db") (secret "prod/db:AWSPREVIOUS") }}one two{{ end }}`,
	}
}

// TestOneVersionAFile rotates between the lookups of passes, several hundred times: a file never
// holds two versions of one thing, by whatever names it is looked up, and once nothing changes any
// more it holds the last.
func TestOneVersionAFile(t *testing.T) {
	for _, batch := range []bool{false, true} {
		t.Run(fmt.Sprint("batch ", batch), func(t *testing.T) {
			for _, pair := range awsfake.New().Env() {
				key, value, _ := strings.Cut(pair, "=")
				t.Setenv(key, value)
			}
			t.Setenv("AWS_ENDPOINT_URL", "http://aws.invalid")
			t.Setenv("AWS_CA_BUNDLE", "")
			synctest.Test(t, func(t *testing.T) { oneVersionAFile(t, batch) })
		})
	}
}

func oneVersionAFile(t *testing.T, batch bool) {
	fake := awsfake.New()
	r := &rotating{Server: fake, RoundTripper: fake.Transport(), rand: rand.New(rand.NewPCG(1, 2))}
	r.rotate()
	r.rotate()
	fake.PutParameter("/name", "String", "prod/db")
	fake.PutParameter("/arn", "String", fake.SecretARN("prod/db"))
	dir := t.TempDir()
	services := tornServices(fake.SecretARN("prod/db"), fake.ParameterARN("/app/03"))
	text := "state_dir: state\nservices:\n"
	for name, content := range services {
		text += fmt.Sprintf("  %s: {files: [{path: %[1]s, allow_empty: true, content: '%s'}]}\n", name, content)
	}
	write(t, filepath.Join(dir, "rendered.yaml"), text)
	c := NewCompiler(Options{Config: filepath.Join(dir, "rendered.yaml"), Reach: ToValues})
	cfg, plan, err := c.Load(t.Context(), config.Machine)
	if err != nil {
		t.Fatal(err)
	}
	source, err := aws.New(t.Context(), aws.Options{Transport: r, BatchSecrets: batch})
	if err != nil {
		t.Fatal(err)
	}
	plan.Source = source
	state, err := pass.OpenStateDir(t.Context(), disk.Host, cfg.StateDir)
	if err != nil {
		t.Fatal(err)
	}
	defer state.Close()

	chance := rand.New(rand.NewPCG(3, 4))
	passes, current, changing := 0, make(map[string]int), make(map[string]int)
	pass := func() {
		passes++
		for _, o := range watch.Once(t.Context(), plan, plan.Services, pass.Options{State: state}, chance, true, nil).Outcomes {
			if o.Err == nil {
				current[o.Service]++
			} else if e := o.FileErrors(); !strings.Contains(o.Err.Error(), string(sources.Changing)) {
				t.Fatalf("%s: %v", o.Service, e)
			} else {
				changing[o.Service]++
			}
		}
		for name := range services {
			data, _ := os.ReadFile(filepath.Join(dir, name))
			if words := slices.Compact(strings.Fields(string(data))); len(words) > 1 {
				t.Fatalf("%s holds %q", name, words)
			}
		}
	}
	for _, r.odds = range []int{1, 2, 5} {
		for until := r.n + long.Or(40, 100); r.n < until; {
			pass()
		}
		t.Logf("one request of %d rotates: after %d rotations current %v, given up %v", r.odds, r.n, current, changing)
	}
	for _, name := range []string{"secret", "param", "dynamic"} {
		if changing[name] > 0 {
			t.Errorf("%s was given up %d times, though it is read once only in the end", name, changing[name])
		}
	}
	r.odds = 0
	pass()
	for name := range services {
		if data, _ := os.ReadFile(filepath.Join(dir, name)); name != "labels" && strings.Fields(string(data))[0] != fmt.Sprint("v", r.n) {
			t.Errorf("%s holds %q at last, not v%d", name, data, r.n)
		}
	}
}
