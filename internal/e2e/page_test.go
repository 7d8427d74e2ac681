package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rendered/rendered/internal/awsfake"
)

// freePort gives a port of loopback at which nobody listens.
func freePort(t *testing.T) int {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// browse asks a daemon as a browser does, with some headers; 0: it does not answer.
func browse(t *testing.T, port int, path string, headers ...string) (code int, text string) {
	t.Helper()
	r := must(http.NewRequestWithContext(t.Context(), "GET", fmt.Sprintf("http://127.0.0.1:%d%s", port, path), nil))
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		} else if headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, ""
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body)
}

// A daemon shows in a browser how it stands and what happened, to those who ask the machine by its
// own name.
func TestPage(t *testing.T) {
	t.Parallel()
	aws, dir, port := awsfake.Start(t), t.TempDir(), freePort(t)
	aws.PutSecret("prod/db", "one")
	config := fmt.Sprintf(`state_dir: state
schedule: '@every 1h'
splay: 0s
metrics: {listen: '127.0.0.1:%d'}
services:
  app: {files: [{content: '{{ secret "prod/db" }}', path: app.out}]}
  bad: {files: [{content: '{{ secret "prod/none" }}', path: bad.out}]}
`, port)
	path := filepath.Join(dir, "rendered.yaml")
	write(t, path, config)
	run := exec.CommandContext(t.Context(), program(t), "run", "-c", path)
	run.Env = append(os.Environ(), aws.Env()...)
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	get := func(path string, with ...string) (code int, text string) { return browse(t, port, path, with...) }
	until(t.Fatalf, "the page shows how both services stand", func() bool {
		_, text := get("/")
		return strings.Contains(text, "1 failing</a>") && strings.Contains(text, "1 current</a>") && strings.Contains(text, filepath.Join(dir, "app.out"))
	})
	if code, text := get("/?service=app", "Host", "localhost"); code != 200 || !strings.Contains(text, "secret prod/db") || strings.Contains(text, "prod/none") {
		t.Errorf("%d: %s", code, text)
	}
	name := must(os.Hostname())
	for _, c := range []struct {
		path, host, origin string
		want               int
	}{
		{"/", name, "", 200},
		{"/", "evil.example.com", "", 421},
		{"/", "localhost", "http://evil.example.com", 403},
		{"/metrics", "evil.example.com", "", 200},
	} {
		if code, _ := get(c.path, "Host", c.host, "Origin", c.origin); code != c.want {
			t.Errorf("%+v: %d", c, code)
		}
	}
	write(t, path, strings.Replace(config, "metrics: {", "metrics: {refs: false, ", 1))
	until(t.Fatalf, "there is no page any more", func() bool { code, _ := get("/"); return code == 404 })
	if err := run.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = run.Wait()
}
