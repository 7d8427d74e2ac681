package systemd_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"time"

	"github.com/rendered/rendered/internal/testpki"
)

const (
	unit       = "rendered.service"
	configFile = "/etc/rendered/rendered.yaml"
	siteName   = "www.example.com"
	siteSecret = "prod/web/tls"
	siteExtra  = "/prod/web/extra" // a directive of the site
	appSecret  = "prod/app"
)

// siteConfig is what an administrator writes into the config. Passes every few seconds find nothing
// new, and are to say nothing.
const siteConfig = `schedule: "@every 5s"
splay: 0s
settle: 100ms
aws:
  endpoint_url: http://127.0.0.1:4566
  timeout: 5s
triggers:
  sqs: https://sqs.eu-west-1.amazonaws.com/111111111111/rendered-web-1
services:
  nginx:
    files:
      - path: /etc/nginx/conf.d/site.conf
        content: |
          server {
            listen 443 ssl default_server;
            server_name www.example.com;
            ssl_certificate /etc/nginx/tls/site.crt;
            ssl_certificate_key /etc/nginx/tls/site.key;
            {{ param "/prod/web/extra" }}
          }
      - {path: /etc/nginx/tls/site.crt, format: pem, dir_mode: 0700, content: '{{ secret "prod/web/tls" "cert" }}'}
      - {path: /etc/nginx/tls/site.key, format: pem, dir_mode: 0700, content: '{{ secret "prod/web/tls" "key" }}'}
    check: nginx -t
    notify:
      - reload: nginx.service
  app:
    files:
      - path: /etc/app/app.env
        owner: root:www-data
        mode: 0640
        dir_mode: 0755
        format: dotenv
        content: |
          PASSWORD={{ secret "prod/app" "password" | envQuote }}
    notify:
      - restart: app.service
`

// appUnit is an application that cannot start without its file, and says which password it has
// without saying it.
const appUnit = `[Unit]
Description=An application
[Service]
EnvironmentFile=/etc/app/app.env
ExecStart=/bin/sh -c 'printf %%s "$PASSWORD" | sha256sum >/run/app; exec sleep infinity'
[Install]
WantedBy=multi-user.target
`

// A site is an nginx with TLS whose certificate rotates, and an application with a password.
type site struct {
	*machine
	*cloud
	release  string                 // of Debian
	tree     parcel                 // the packages under test
	older    func() (parcel, error) // those of the commit before
	ca       *testpki.Pair
	pool     *x509.CertPool
	last     *testpki.Pair // the certificate that AWS has
	password string        // that AWS has
}

func newSite(m *machine, c *cloud) *site {
	s := &site{machine: m, cloud: c, pool: x509.NewCertPool()}
	now := time.Now()
	s.ca = testpki.New(testpki.CA("the story's", now.Add(-time.Hour), now.AddDate(0, 0, 2)), nil, nil)
	s.pool.AddCert(s.ca.Certificate)
	c.PutParameter(siteExtra, "String", "return 204;")
	s.rotate()
	s.rotatePassword("first")
	return s
}

// rotate puts a new certificate with its key.
func (s *site) rotate() *testpki.Pair {
	s.last = s.pair()
	s.put(s.last.CertPEM(), s.last.KeyPEM())
	return s.last
}

func (s *site) pair() *testpki.Pair {
	now := time.Now()
	return testpki.New(testpki.Leaf(now.Add(-time.Hour), now.AddDate(0, 0, 1), siteName), nil, s.ca)
}

func (s *site) put(cert, key string) {
	for line := range strings.Lines(key) {
		if line = strings.TrimSpace(line); len(line) > 20 && !strings.HasPrefix(line, "---") {
			s.canaries = append(s.canaries, line)
		}
	}
	s.PutSecret(siteSecret, object(s.t.Fatal, map[string]string{"cert": cert, "key": key}))
}

// rotatePassword puts a password that is awkward in a file of the environment.
func (s *site) rotatePassword(name string) {
	s.password = `c4n4ry-"` + name + `\$x' #%n`
	s.canaries = append(s.canaries, `c4n4ry-`)
	s.PutSecret(appSecret, object(s.t.Fatal, map[string]string{"password": s.password}))
}

func object(fatal func(...any), fields map[string]string) string {
	text, err := json.Marshal(fields)
	if err != nil {
		fatal(err)
	}
	return string(text)
}

// client makes a client that trusts the site alone, and makes a new connection for each request.
func (s *site) client() *http.Client {
	return &http.Client{
		Timeout: 10 * time.Second,
		Transport: &http.Transport{
			DialContext:       s.dial,
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{RootCAs: s.pool, ServerName: siteName},
		},
	}
}

// get makes one request, and gives the serial number of the certificate that it was answered with.
func get(ctx context.Context, c *http.Client) (*big.Int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://127.0.0.1/", nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return nil, err
	}
	return resp.TLS.PeerCertificates[0].SerialNumber, nil
}

// serves tells whether nginx answers with this certificate.
func (s *site) serves(p *testpki.Pair) bool {
	serial, err := get(s.t.Context(), s.client())
	return err == nil && serial.Cmp(p.Certificate.SerialNumber) == 0
}

// knows tells whether the application runs with the password that AWS has.
func (s *site) knows() bool {
	return strings.HasPrefix(s.read("/run/app"), fmt.Sprintf("%x", sha256.Sum256([]byte(s.password))))
}

// settled waits until what AWS has is served and known, nothing is owed, and one more pass has
// found nothing to do.
func (s *site) settled() {
	s.t.Helper()
	s.until("the last certificate is served", func() bool { return s.serves(s.last) })
	s.until("the last password is known", s.knows)
	s.until("nothing is owed", func() bool { return !s.owes("nginx") && !s.owes("app") })
	s.anotherPass()
}

// anotherPass waits for a whole pass that begins after now: until two have begun.
func (s *site) anotherPass() {
	s.t.Helper()
	s.until(unit+" is active", func() bool { return s.show(unit, "ActiveState") == "active" })
	reads := func() int { return s.Calls()["GetSecretValue"] }
	begun := reads()
	s.until("two more passes have begun", func() bool {
		s.must("systemctl", "kill", "--kill-whom=main", "--signal=USR1", unit)
		return reads() >= begun+4 // of two secrets each
	})
}

// status gives what an administrator sees.
func (m *machine) status() string {
	m.t.Helper()
	out, _ := m.run("systemctl", "status", "--no-pager", "--full", unit) // 3 where it does not run
	return strings.TrimSpace(out)
}

// daemon gives the number of the daemon's process, in the machine; "0" where there is none.
func (m *machine) daemon() string {
	m.t.Helper()
	return m.show(unit, "MainPID")
}

// restarted waits until another daemon than this is at work.
func (m *machine) restarted(before string) {
	m.t.Helper()
	m.until("systemd has another daemon running", func() bool {
		now := m.daemon()
		return now != before && now != "0" && m.show(unit, "ActiveState") == "active"
	})
}

// dropIn changes a unit as an administrator does.
func (m *machine) dropIn(unit, name, text string) {
	m.t.Helper()
	m.write("/etc/systemd/system/"+unit+".d/"+name, text)
	m.must("systemctl", "daemon-reload")
}
