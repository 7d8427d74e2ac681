package e2e

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rendered/rendered/internal/awsfake"
)

// A serverHost is a directory with a config, whose secret is in our fake of AWS.
type serverHost struct {
	*testing.T
	dir string
	aws *awsfake.Server
}

func newServerHost(t *testing.T, config string) *serverHost {
	t.Helper()
	dir, err := os.MkdirTemp("", "rendered") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	write(t, filepath.Join(dir, "rendered.yaml"), config)
	return &serverHost{t, dir, awsfake.Start(t)}
}

func (h *serverHost) path(name string) string { return filepath.Join(h.dir, name) }

// once makes a pass, which is to end well or not, and print all of this.
func (h *serverHost) once(well bool, want ...string) {
	h.Helper()
	cmd := exec.CommandContext(h.Context(), program(h.T), "once", "-c", "rendered.yaml")
	cmd.Dir, cmd.Env = h.dir, append(os.Environ(), h.aws.Env()...)
	out, err := cmd.CombinedOutput()
	if (err == nil) != well {
		h.Fatalf("%v\n%s", err, out)
	}
	for _, text := range want {
		if !strings.Contains(string(out), text) {
			h.Errorf("%q is not said:\n%s", text, out)
		}
	}
	if strings.Contains(string(out), "BEGIN PRIVATE KEY") {
		h.Errorf("a key is shown:\n%s", out)
	}
}

// starts starts a server in the directory, which ends with the test.
func (h *serverHost) starts(args ...string) *exec.Cmd {
	h.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = h.dir
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if h.Failed() {
			h.Logf("%s: %s", args[0], &said)
		}
	})
	return cmd
}

// TestHAProxySocket changes the certificate of a real HAProxy over its runtime API, without a
// reload.
func TestHAProxySocket(t *testing.T) {
	needed(t, "haproxy")
	t.Parallel()
	h := newServerHost(t, `state_dir: state
services:
  haproxy:
    files:
      - {content: "{{ secret \"tls\" \"cert\" }}\n\n{{ secret \"tls\" \"key\" }}\n", path: site.pem, format: pem}
    notify:
      - socket: admin.sock
        send:
          - "set ssl cert ./site.pem <<\n{file site.pem}\n"
          - commit ssl cert ./site.pem
        expect: Success!
        abort: abort ssl cert ./site.pem
`)
	address := freeAddress(t)
	write(t, h.path("haproxy.cfg"), `global
	stats socket `+h.path("admin.sock")+` mode 600 level admin
defaults
	mode http
	timeout client 5s
	timeout server 5s
	timeout connect 5s
frontend site
	bind `+address+` ssl crt ./site.pem
	http-request return status 200
`)
	rotate := func(p pair) {
		h.aws.PutSecret("tls", string(must(json.Marshal(map[string]string{"cert": p.cert, "key": p.key}))))
	}
	// serves wants each of several connections to show a certificate.
	serves := func(p pair) {
		t.Helper()
		block, _ := pem.Decode([]byte(p.cert))
		for range 10 {
			conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
			if err != nil {
				t.Fatal(err)
			}
			if shown := conn.ConnectionState().PeerCertificates[0].Raw; !bytes.Equal(shown, block.Bytes) {
				t.Error("another certificate is served")
			}
			conn.Close()
		}
	}
	first, second, third := newPair(t), newPair(t), newPair(t)

	t.Log("HAProxy is not there yet")
	rotate(first)
	h.once(false, "created", "server is not there", "still owed")
	haproxy := h.starts("haproxy", "-db", "-f", "haproxy.cfg")
	until(t.Fatalf, "HAProxy listens", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	h.once(true, "Success!")
	serves(first)

	t.Log("a rotation")
	rotate(second)
	h.once(true, "changed", "Transaction created for certificate ./site.pem!", "Success!")
	serves(second)

	t.Log("a key that belongs to another certificate")
	rotate(pair{third.cert, first.key})
	h.once(false, `the answer to "commit ssl cert ./site.pem" has no "Success!"`, "inconsistencies between private key and certificate", "Transaction aborted for certificate './site.pem'!", "still owed")
	serves(second)

	t.Log("and one that fits")
	rotate(third)
	h.once(true, "changed", "Success!")
	serves(third)
	h.once(true, "nothing changed")
	if err := haproxy.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("HAProxy is another one now: %v", err)
	}
}

// TestPrometheusReload has a real Prometheus read its config again by its HTTP API.
func TestPrometheusReload(t *testing.T) {
	needed(t, "prometheus")
	t.Parallel()
	address := freeAddress(t)
	h := newServerHost(t, `state_dir: state
services:
  prometheus:
    files: [{content: "{{ secret \"config\" }}\n", path: prometheus.yml}]
    notify: [{http: "http://`+address+`/-/reload", expect: 200}]
`)
	h.aws.PutSecret("config", "global: {external_labels: {site: first}}")
	h.once(false, "created", "server refuses connections", "still owed")
	h.starts("prometheus", "--config.file="+h.path("prometheus.yml"), "--storage.tsdb.path="+h.path("data"), "--web.listen-address="+address, "--log.level=warn", "--web.enable-lifecycle")
	config := func() string {
		answer, err := http.Get("http://" + address + "/api/v1/status/config")
		if err != nil {
			return ""
		}
		defer answer.Body.Close()
		var body bytes.Buffer
		_, _ = body.ReadFrom(answer.Body)
		return body.String()
	}
	until(t.Fatalf, "Prometheus has read its config", func() bool { return strings.Contains(config(), "site: first") })

	h.aws.PutSecret("config", "global: {external_labels: {site: second}}")
	h.once(true, "changed")
	if got := config(); !strings.Contains(got, "site: second") {
		t.Errorf("it has %s", got)
	}
	h.aws.PutSecret("config", "global: {external_lables: {site: third}}")
	h.once(false, "server answered 500", "failed to reload config", "still owed")
	if got := config(); !strings.Contains(got, "site: second") {
		t.Errorf("it has %s", got)
	}
	h.aws.PutSecret("config", "global: {external_labels: {site: fourth}}")
	h.once(true, "changed")
	if got := config(); !strings.Contains(got, "site: fourth") {
		t.Errorf("it has %s", got)
	}
}
