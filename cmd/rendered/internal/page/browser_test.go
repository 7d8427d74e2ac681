package page

import (
	"bytes"
	"encoding/json"
	"flag"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/ledger"
)

var update = flag.Bool("update", false, "write the picture of docs/ anew")

// What testdata/browser/look.js saw.
type sight struct {
	Requests, Complaints, Violations, Wide []string

	Plain, Service       string // without JavaScript
	Filtered, Unfiltered []string
	Background           map[string]string
	Passes               []string
	Cookies              []any
	Stops                []struct {
		Text    string
		Outline bool
	}
	Pressed   []string
	Refreshed struct {
		Title, Focus string
		Rows         []string
		Scrolled     float64
	}
	StillFiltered struct {
		Rows     []string
		Scrolled float64
	}
	Selected, Away, Gone string
	Kept                 []string
	Rebound              struct {
		Status int
		Text   string
	}
	Fetched, Opaque, Framed string
	Many                    struct{ Milliseconds, Rows, Filtered int }
}

// TestInABrowser has Chromium show the page: with and without JavaScript, light and dark, narrow,
// by the keyboard, while the daemon goes on or ends, and to pages of others. -artifacts keeps the
// pictures.
func TestInABrowser(t *testing.T) {
	utc(t)
	stage := stageOf(t)
	s := stage.look(t)
	for what, list := range map[string][]string{"the browser complains": s.Complaints, "axe complains": s.Violations, "wider than the window": s.Wide} {
		for _, c := range list {
			t.Errorf("%s: %s", what, c)
		}
	}
	for _, r := range s.Requests {
		if !strings.HasPrefix(r, stage.page.URL+"/") {
			t.Errorf("the page loads %s", r)
		}
	}
	if left := stage.left(); len(left) > 0 {
		t.Errorf("requests leave the host: %q", left)
	}
	if !slices.Contains(s.Passes, "color-contrast") || len(s.Cookies) > 0 {
		t.Errorf("axe judged %q; cookies %v", s.Passes, s.Cookies)
	}
	if s.Background["light"] != s.Background["narrow"] || s.Background["light"] == s.Background["dark"] {
		t.Errorf("backgrounds %v", s.Background)
	}
	s.withoutScript(t)
	s.keyboard(t)
	s.refreshed(t)
	if s.Rebound.Status != http.StatusMisdirectedRequest || strings.Contains(s.Rebound.Text, "nginx") {
		t.Errorf("by another name: %+v", s.Rebound)
	}
	if s.Fetched != "refused" || s.Opaque != "refused" || strings.Contains(s.Framed, "nginx") {
		t.Errorf("another page has %q, %q, %q", s.Fetched, s.Opaque, s.Framed)
	}
	if s.Many.Rows != 1000 || s.Many.Filtered != 10 {
		t.Errorf("a thousand services: %+v", s.Many)
	}
	t.Logf("a thousand services are shown after %d ms", s.Many.Milliseconds)
	if *update {
		shrink(t, filepath.Join(stage.dir, "docs.png"), "../../../../docs/page.png")
	}
}

// shrink writes a picture with its 256 commonest colours, which is a third of it.
func shrink(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	box, often := picture.Bounds(), make(map[color.Color]int)
	for y := range box.Dy() {
		for x := range box.Dx() {
			often[picture.At(x, y)]++
		}
	}
	colours := slices.SortedFunc(maps.Keys(often), func(a, b color.Color) int { return often[b] - often[a] })
	small := image.NewPaletted(box, colours[:min(len(colours), 256)])
	draw.Draw(small, box, picture, image.Point{}, draw.Src)
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, small); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

var sorted = []string{"worker", "shop", "web", "pgbouncer", "motd", "cron", "search", "young", "api", "haproxy", "nginx"}

func (s sight) withoutScript(t *testing.T) {
	t.Helper()
	for _, part := range []string{"1 failing", "access denied, since 2026-11-20 12:03:20", "batch keeps its old self", "reload nginx.service told in 112ms", "As of 14:03:20 UTC"} {
		if !strings.Contains(s.Plain, part) {
			t.Errorf("without JavaScript the page lacks %q:\n%s", part, s.Plain)
		}
	}
	if !slices.Equal(s.Filtered, []string{"worker"}) || !slices.Equal(s.Unfiltered, sorted) {
		t.Errorf("rows %q, filtered %q", s.Unfiltered, s.Filtered)
	}
	if !strings.Contains(s.Service, "secret prod/web/tls  e04b1c7a") || strings.Contains(s.Service, "prod/db") {
		t.Errorf("the page of nginx:\n%s", s.Service)
	}
}

func (s sight) keyboard(t *testing.T) {
	t.Helper()
	var stops []string
	for _, stop := range s.Stops {
		stops = append(stops, stop.Text)
		if !stop.Outline {
			t.Errorf("nobody sees that %q has the focus", stop.Text)
		}
	}
	for _, want := range []string{"rendered", "all", "1 failing", "3 current", "history", "worker"} {
		if !slices.Contains(stops, want) {
			t.Errorf("Tab goes to %q, and not to %q", stops, want)
		}
	}
	if !slices.Equal(s.Pressed, []string{"worker"}) {
		t.Errorf("after Enter: %q", s.Pressed)
	}
}

func (s sight) refreshed(t *testing.T) {
	t.Helper()
	want := slices.Concat([]string{"api"}, slices.DeleteFunc(slices.Clone(sorted), func(n string) bool { return n == "api" }))
	if r := s.Refreshed; !slices.Equal(r.Rows, want) || !strings.HasPrefix(r.Title, "2 failing") || r.Focus != "haproxy" || r.Scrolled != 0 {
		t.Errorf("refreshed: %+v", r)
	}
	if f := s.StillFiltered; !slices.Equal(f.Rows, []string{"api", "worker"}) || f.Scrolled != 0 {
		t.Errorf("refreshed and filtered: %+v", f)
	}
	if s.Gone != `there is no service "nginx" in the config in force` {
		t.Errorf("a service that is gone: %q", s.Gone)
	}
	if !strings.Contains(s.Selected, "2 failing") || s.Away != "The daemon does not answer; this is how it stood." || !slices.Equal(s.Kept, sorted) {
		t.Errorf("selected %q; away: %q with %q", s.Selected, s.Away, s.Kept)
	}
}

// A stage has a page to look at, what changes it, and what hears of requests to other hosts.
type stage struct {
	dir                  string
	page, control, proxy *httptest.Server
	node                 []string // environment

	mu       sync.Mutex
	status   watch.Status
	events   []ledger.Event
	down     bool
	departed []string
}

func stageOf(t *testing.T) *stage {
	t.Helper()
	modules, err := filepath.Abs("../../../../.ci/bin/browser/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = os.Stat(filepath.Join(modules, "playwright-core")); err == nil {
		_, err = exec.LookPath("node")
	}
	if err == nil {
		_, err = exec.LookPath("chromium")
	}
	if err != nil && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{dir: t.ArtifactDir(), node: append(os.Environ(), "NODE_PATH="+modules), status: stands(), events: happened()}
	p := pageOf(&s.status, &s.events).Handler()
	s.page = httptest.NewServer(s.locked(func(w http.ResponseWriter, r *http.Request) {
		if s.down {
			panic(http.ErrAbortHandler)
		}
		p.ServeHTTP(w, r)
	}))
	s.control = httptest.NewServer(s.locked(s.obey))
	s.proxy = httptest.NewServer(s.locked(func(w http.ResponseWriter, r *http.Request) {
		// Chromium asks its maker for updates and the time of day, whatever it shows.
		if host := r.URL.Hostname(); !strings.HasSuffix(host, ".google.com") && !strings.HasSuffix(host, ".googleapis.com") {
			s.departed = append(s.departed, r.Method+" "+r.RequestURI)
		}
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(func() { s.page.Close(); s.control.Close(); s.proxy.Close() })
	return s
}

func (s *stage) locked(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		h(w, r)
	}
}

// obey changes what there is to show. The first service of the plan fails, or does not.
func (s *stage) obey(_ http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/next":
		if first := &s.status.Services[0]; first.Failure == "" {
			first.Failure = "param /prod/api/level: throttled"
		} else {
			first.Failure = ""
		}
	case "/down", "/up":
		s.down = r.URL.Path == "/down"
	case "/gone":
		nginx := slices.IndexFunc(s.status.Services, func(st watch.Standing) bool { return st.Service == "nginx" })
		s.status.Services[nginx].Service = "another"
	case "/many":
		s.status, s.events = many()
	}
}

// left gives the requests to other hosts.
func (s *stage) left() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.departed
}

// look has the browser look.
func (s *stage) look(t *testing.T) (seen sight) {
	t.Helper()
	browser, _ := exec.LookPath("chromium")
	input, err := json.Marshal(map[string]any{
		"url": s.page.URL, "port": s.page.Listener.Addr().(*net.TCPAddr).Port, "control": s.control.URL,
		"proxy": s.proxy.Listener.Addr().String(), "dir": s.dir, "browser": browser,
	})
	if err != nil {
		t.Fatal(err)
	}
	node := exec.CommandContext(t.Context(), "node", "testdata/browser/look.js")
	node.Env, node.Stdin = s.node, bytes.NewReader(input)
	said, err := node.Output()
	if e, ok := err.(*exec.ExitError); ok {
		t.Fatalf("%v:\n%s", err, e.Stderr)
	}
	if err := json.Unmarshal(said, &seen); err != nil {
		t.Fatalf("%v:\n%s", err, said)
	}
	return seen
}
