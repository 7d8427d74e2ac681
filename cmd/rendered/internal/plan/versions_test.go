package plan

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/aws"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/pass"
)

// A delaying has requests overtake each other.
type delaying struct{ *rotating }

func (d delaying) RoundTrip(req *http.Request) (*http.Response, error) {
	d.mu.Lock()
	wait := time.Duration(d.rand.IntN(10)) * time.Millisecond
	d.mu.Unlock()
	time.Sleep(wait)
	return d.rotating.RoundTrip(req)
}

// TestVersionsAreNeighbours rotates a secret before some of the requests: the two versions that a
// file holds are always one and the one before it, whether or not the name is known before the
// render, and whatever else looks the secret up.
func TestVersionsAreNeighbours(t *testing.T) {
	for _, content := range []string{
		`{{ with secretVersions "prod/db" }}{{ .current }} {{ .previous }}{{ end }}`,
		`{{ with secretVersions (param "/name") }}{{ .current }} {{ .previous }}{{ end }}`,
		`{{ with secretVersions "prod/db" }}{{ .current }} {{ .previous }}{{ end }} {{ secret "prod/db" }}`,
	} {
		for _, batch := range []bool{false, true} {
			t.Run(fmt.Sprint(content, batch), func(t *testing.T) {
				for _, pair := range awsfake.New().Env() {
					key, value, _ := strings.Cut(pair, "=")
					t.Setenv(key, value)
				}
				t.Setenv("AWS_ENDPOINT_URL", "http://aws.invalid")
				t.Setenv("AWS_CA_BUNDLE", "")
				synctest.Test(t, func(t *testing.T) { versionsAreNeighbours(t, content, batch) })
			})
		}
	}
}

func versionsAreNeighbours(t *testing.T, content string, batch bool) {
	fake := awsfake.New()
	r := &rotating{Server: fake, RoundTripper: fake.Transport(), rand: rand.New(rand.NewPCG(1, 2))}
	r.rotate()
	r.rotate()
	fake.PutParameter("/name", "String", "prod/db")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "rendered.yaml"), fmt.Sprintf("state_dir: state\nservices: {two: {files: [{path: two, content: '%s'}]}}\n", content))
	c := NewCompiler(Options{Config: filepath.Join(dir, "rendered.yaml"), Reach: ToValues})
	cfg, plan, err := c.Load(t.Context(), config.Machine)
	if err != nil {
		t.Fatal(err)
	}
	source, err := aws.New(t.Context(), aws.Options{Transport: delaying{r}, BatchSecrets: batch})
	if err != nil {
		t.Fatal(err)
	}
	plan.Source = source
	state, err := pass.OpenStateDir(t.Context(), disk.Host, cfg.StateDir)
	if err != nil {
		t.Fatal(err)
	}
	defer state.Close()
	chance, written := rand.New(rand.NewPCG(3, 4)), 0
	for _, r.odds = range []int{1, 2, 3, 5, 0} {
		for range 20 {
			for _, o := range watch.Once(t.Context(), plan, plan.Services, pass.Options{State: state}, chance, true, nil).Outcomes {
				if o.Err == nil {
					written++
				} else if !strings.Contains(o.Err.Error(), string(sources.Changing)) {
					t.Fatal(o.Err)
				}
			}
			var current, previous int
			data, _ := os.ReadFile(filepath.Join(dir, "two"))
			if n, _ := fmt.Sscanf(string(data), "v%d v%d", &current, &previous); len(data) > 0 && (n != 2 || current != previous+1) {
				t.Fatalf("one request of %d rotates: the file holds %q", r.odds, data)
			}
		}
	}
	if data, _ := os.ReadFile(filepath.Join(dir, "two")); written < 40 || !strings.HasPrefix(string(data), fmt.Sprintf("v%d v%d", r.n, r.n-1)) {
		t.Errorf("%d passes of 100 wrote; at last %q after %d rotations", written, data, r.n)
	}
}
