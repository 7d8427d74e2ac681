package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/long"
)

// An nginxLive is a real nginx that serves the sites below conf.d, and a daemon's directory.
type nginxLive struct {
	*live
	port int
}

func newNginxLive(t *testing.T) *nginxLive {
	t.Helper()
	t.Parallel()
	needed(t, "nginx")
	n := &nginxLive{newLive(t, os.Geteuid()), freePort(t)}
	for _, dir := range []string{"conf.d", "tls"} {
		if err := os.Mkdir(n.path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	n.write("nginx.conf", `daemon off; pid DIR/nginx.pid; error_log DIR/error.log notice; worker_processes 1; events {}
http {
  access_log off;
  client_body_temp_path DIR/body; proxy_temp_path DIR/proxy; fastcgi_temp_path DIR/fastcgi; uwsgi_temp_path DIR/uwsgi; scgi_temp_path DIR/scgi;
  include DIR/conf.d/*.conf;
}
`)
	n.serve("nginx", "-p", n.dir, "-c", n.path("nginx.conf"))
	until(t.Fatalf, "nginx runs", func() bool { return n.read("nginx.pid") != "" })
	return n
}

// reloads counts how often nginx was told.
func (n *nginxLive) reloads() int {
	return strings.Count(n.read("error.log"), "signal 1 (SIGHUP) received from")
}

// answers gives what the site answers, on a connection of its own.
func (n *nginxLive) answers() string {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	answer, err := client.Get(fmt.Sprint("http://127.0.0.1:", n.port, "/"))
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return fmt.Sprint(answer.StatusCode, " ", string(text), err)
}

// A proxied site hands on to the host of a secret and the port of its template.
type proxiedSite struct {
	*nginxLive
	alive, dead string // ports, at the first of which a server answers
	good        string // the file as it was first
	told        int    // how often nginx is to have been told
}

const proxiedAnswer = "200 all is well\n<nil>"

// newProxiedSite gives one that is well, and its daemon.
func newProxiedSite(t *testing.T) (*proxiedSite, *daemon) {
	t.Helper()
	s := &proxiedSite{nginxLive: newNginxLive(t)}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "all is well\n") }))
	t.Cleanup(upstream.Close)
	_, s.alive, _ = strings.Cut(strings.TrimPrefix(upstream.URL, "http://"), ":")
	s.dead = fmt.Sprint(freePort(t))
	s.write("rendered.yaml", fmt.Sprintf(`state_dir: state
schedule: '@every 1s'
splay: 0s
settle: 20ms
services:
  site:
    files: [{path: conf.d/site.conf, template: site.conf.tmpl}]
    notify: [{signal: HUP, pid_file: nginx.pid}]
    healthy: [{http: 'http://127.0.0.1:%d/', body: all is well}, {tcp: '127.0.0.1:%[1]d'}]
    healthy_for: 300ms
    healthy_within: 2s
`, s.port))
	s.aws.PutSecret("upstream", `{"host": "127.0.0.1"}`)
	s.proxies(s.alive)
	d := s.start()
	s.becomes("current", "")
	if got := s.answers(); got != proxiedAnswer {
		t.Fatalf("the site answers %q", got)
	}
	s.good, s.told = s.read("conf.d/site.conf"), s.reloads()
	return s, d
}

func (s *proxiedSite) proxies(port string) {
	s.t.Helper()
	s.write("site.conf.tmpl", fmt.Sprintf(`server {
  listen 127.0.0.1:%d;
  location / { proxy_pass http://{{ secret "upstream" "host" }}:%s; }
}
`, s.port, port))
}

// putBack waits until a change was put back, and everybody told of it: of the change twice, and of
// the old file.
func (s *proxiedSite) putBack() {
	s.t.Helper()
	stands := s.becomes("rolled-back", "rejected")
	if got := s.read("conf.d/site.conf"); got != s.good {
		s.t.Errorf("there is\n%s", got)
	}
	if got := s.answers(); got != proxiedAnswer {
		s.t.Errorf("the site answers %q", got)
	}
	s.says(stands.Rollout.Failure, fmt.Sprintf("http http://127.0.0.1:%d/", s.port), "answered 502")
	if s.told += 3; s.reloads() != s.told {
		s.t.Errorf("nginx was told %d times, want %d", s.reloads(), s.told)
	}
}

// TestNginxPutsBack changes the template of a site that a real nginx serves, so that nginx finds it
// good and answers 502: the old file is put back, and nginx told of it.
func TestNginxPutsBack(t *testing.T) {
	s, d := newProxiedSite(t)
	s.proxies(s.dead)
	s.putBack()
	s.says(s.asks("status"), "rolled back", "answered 502")
	s.says(s.asks("history"), "rolled back, as it was not well: http ", "answered 502", "seen to be well")
	if kinds := strings.Join(s.happened(), " "); !strings.HasSuffix(kinds, "changed told unhealthy told unhealthy rolled-back told healthy") {
		t.Errorf("the history is %s", kinds)
	}

	t.Log("nobody is told again, neither by a look nor by a restart")
	s.looks()
	s.end(d)
	d = s.start()
	s.becomes("rolled-back", "rejected")
	s.looks()
	if got := s.reloads(); got != s.told || s.read("conf.d/site.conf") != s.good {
		t.Errorf("nginx was told %d times more", got-s.told)
	}
	if strings.Contains(s.read("log"), "will try again") {
		t.Error("it says that it tries again")
	}

	t.Log("asked for, it is tried again")
	s.asks("refresh", "site")
	until(t.Fatalf, "nginx is told", func() bool { return s.reloads() >= s.told+3 })
	s.putBack()

	t.Log("mended, it is current")
	s.proxies(s.alive + "/")
	s.becomes("current", "")
	if s.told++; s.answers() != proxiedAnswer || s.reloads() != s.told || s.read("conf.d/site.conf") == s.good {
		t.Errorf("the site answers %q, nginx was told %d times, want %d", s.answers(), s.reloads(), s.told)
	}
	s.end(d)
	s.keepsNothing()
}

// TestNginxKeepsASecret does the same by a secret: what it was before may be dead, so that the new
// file stays, and it is said.
func TestNginxKeepsASecret(t *testing.T) {
	s, d := newProxiedSite(t)
	s.aws.PutSecret("upstream", `{"host": "127.0.0.2"}`)
	s.looks()
	stands := s.becomes("unhealthy", "unwell")
	if !strings.Contains(stands.Rollout.Failure, "answered 502") || stands.Rollout.Stays != "secret upstream has another version, and what was before may be dead" {
		t.Errorf("status says %+v", stands.Rollout)
	}
	s.says(s.asks("status", "site"), "answered 502", "the new files stay: secret upstream has another version")
	s.says(s.asks("history"), "not well: http ", "answered 502")
	if got := s.read("conf.d/site.conf"); !strings.Contains(got, "127.0.0.2") || !strings.HasPrefix(s.answers(), "502 ") {
		t.Errorf("the site answers %q of\n%s", s.answers(), got)
	}
	s.aws.PutSecret("upstream", `{"host": "127.0.0.1"}`)
	s.looks()
	s.becomes("current", "")
	if got := s.answers(); got != proxiedAnswer {
		t.Errorf("the site answers %q", got)
	}
	s.end(d)
	s.keepsNothing()
}

// A certSite shows a certificate that comes from a secret.
type certSite struct {
	*nginxLive
	serial string // of what the secret holds
}

// newCertSite gives one that is well, and its daemon. Where a file asleep is there nginx is not
// told, although whoever was to tell it says so.
func newCertSite(t *testing.T) (*certSite, *daemon) {
	t.Helper()
	c := &certSite{nginxLive: newNginxLive(t)}
	c.write("rendered.yaml", fmt.Sprintf(`state_dir: state
schedule: '@every 1s'
splay: 0s
services:
  site:
    files:
      - {path: tls/site.crt, content: '{{ secret "site" "cert" }}', format: pem}
      - {path: tls/site.key, content: '{{ secret "site" "key" }}', format: pem}
    verify: {tls: {cert: tls/site.crt, key: tls/site.key}}
    notify: [{run: 'test -e asleep || kill -HUP $(cat nginx.pid)'}]
    healthy: {tls: '127.0.0.1:%d', host: www.example.com, cert: tls/site.crt}
    healthy_for: 100ms
    healthy_within: 2s
`, c.port))
	c.reads("site")
	c.rotate()
	d := c.start()
	c.current()
	return c, d
}

// reads has nginx read the certificate from files of this name.
func (c *certSite) reads(name string) {
	c.t.Helper()
	c.write("conf.d/site.conf", fmt.Sprintf(`server {
  listen 127.0.0.1:%d ssl; server_name www.example.com; ssl_certificate DIR/tls/%s.crt; ssl_certificate_key DIR/tls/%[2]s.key; return 204;
}
`, c.port, name))
}

// rotate puts another certificate into the secret.
func (c *certSite) rotate() {
	c.t.Helper()
	secret, serial := tlsSecret()
	c.serial = strings.ToLower(strings.TrimPrefix(serial, "serial="))
	c.aws.PutSecret("site", encoded(secret))
}

// written waits until the secret's certificate is in its file.
func (c *certSite) written() {
	c.t.Helper()
	until(c.t.Fatalf, "the certificate is written", func() bool { return c.serialOf("tls/site.crt") == c.serial })
}

// current waits until the service is, and wants the secret's certificate shown.
func (c *certSite) current() {
	c.t.Helper()
	c.written()
	c.becomes("current", "")
	if got := c.shows(); got != c.serial {
		c.t.Fatalf("nginx shows %s, want %s", got, c.serial)
	}
}

// stale wants it to be said that all were told and another certificate is shown.
func (c *certSite) stale(shown string) {
	c.t.Helper()
	c.written()
	s := c.becomes("unhealthy", "unwell")
	if got := c.shows(); got != shown {
		c.t.Errorf("nginx shows %s, want %s", got, shown)
	}
	if len(s.Dependents) != 1 || s.Dependents[0].Owed || s.Dependents[0].Told.IsZero() {
		c.t.Errorf("the dependents are %+v", s.Dependents)
	}
	c.says(s.Rollout.Failure, "shows another certificate than that of "+c.path("tls/site.crt"))
	c.says(strings.Join(s.Rollout.Hints, "\n"), "it shows   serial "+strings.TrimLeft(shown, "0"), "the file has   serial "+strings.TrimLeft(c.serial, "0"))
	c.says(c.asks("status", "site"), "told", "not well", "shows another certificate")
}

// TestNginxServesTheOld rotates a certificate that nginx goes on not to show, although everybody
// who was told said yes: it was told in vain, or does not read that file.
func TestNginxServesTheOld(t *testing.T) {
	c, d := newCertSite(t)
	for range long.Or(1, 10) {
		c.rotate()
		c.current()
	}

	t.Log("it is told, and does not take it")
	c.write("asleep", "")
	shown := c.serial
	c.rotate()
	c.stale(shown)
	t.Log("told by hand, it is seen to be well")
	if err := os.Remove(c.path("asleep")); err != nil {
		t.Fatal(err)
	}
	c.hup()
	c.current()

	t.Log("it takes what it reads, which is another file")
	c.write("tls/other.crt", c.read("tls/site.crt"))
	c.write("tls/other.key", c.read("tls/site.key"))
	c.reads("other")
	shown = c.serial
	c.rotate()
	c.stale(shown)
	c.reads("site")
	c.hup()
	c.current()
	c.end(d)
}

func (n *nginxLive) hup() {
	n.t.Helper()
	if out, err := n.command("sh", "-c", "kill -HUP $(cat nginx.pid)").CombinedOutput(); err != nil {
		n.t.Fatalf("%v: %s", err, out)
	}
}

// shows gives the serial number of the certificate that is served.
func (n *nginxLive) shows() string {
	n.t.Helper()
	conn, err := tls.Dial("tcp", fmt.Sprint("127.0.0.1:", n.port), &tls.Config{ServerName: "www.example.com", InsecureSkipVerify: true})
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	return hexSerial(conn.ConnectionState().PeerCertificates[0])
}

// serialOf gives that of the first certificate of a file, "" where there is none.
func (n *nginxLive) serialOf(name string) string {
	block, _ := pem.Decode([]byte(n.read(name)))
	if block == nil {
		return ""
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return ""
	}
	return hexSerial(cert)
}

func hexSerial(cert *x509.Certificate) string {
	serial := fmt.Sprintf("%x", cert.SerialNumber)
	return strings.Repeat("0", len(serial)%2) + serial
}
