package lookups

import (
	"os"
	"strings"
	"testing"

	"github.com/rendered/rendered/cmd/rendered/internal/plan"
)

// A wide terminal has one line for what a narrow one has several.
func TestWideScreens(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../testdata/operating")); err != nil {
		t.Fatal(err)
	}
	s, err := look(t.Context(), plan.Options{Config: dir + "/rendered.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	q, err := ask([]string{"prod/web/tls"})
	if err != nil {
		t.Fatal(err)
	}
	var wide strings.Builder
	s.printUses(&wide, 140, q, s.uses(q))
	const want = `conf.d/lb.yaml:2  service haproxy   /etc/haproxy/site.pem                              then run haproxy-set-cert
rendered.yaml:9  service nginx      /etc/nginx/tls/site.crt, /etc/nginx/tls/site.key   then reload nginx.service
`
	if wide.String() != want {
		t.Errorf("it is\n%s", &wide)
	}
	q, err = ask([]string{"payments/stripe"}) // it is known by another name, which needs a line of its own
	if err != nil {
		t.Fatal(err)
	}
	wide.Reset()
	if s.printUses(&wide, 140, q, s.uses(q)); strings.Count(wide.String(), "\n") != 4 {
		t.Errorf("it is\n%s", &wide)
	}
	for _, width := range []int{40, 80} {
		var narrow strings.Builder
		s.printLookups(&narrow, width, s.list)
		for line := range strings.Lines(narrow.String()) {
			if words := strings.Fields(line); len(line) > width+len("\n") && len(words) > 2 && !strings.HasPrefix(line, "8 lookups") {
				t.Errorf("%d columns in %d: %s", len(line)-1, width, line)
			}
		}
	}
}
