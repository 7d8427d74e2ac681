package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// An ordinaryUser may do nothing that others may not.
const ordinaryUser = 65534

// TestNginxCheck has the real nginx check a site before it is there: certificate, key and
// configuration are new, and stand where the configuration says.
func TestNginxCheck(t *testing.T) {
	needed(t, "nginx")
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		t.Fatal(err)
	}
	uids := []int{os.Geteuid()}
	if uids[0] == 0 {
		uids = append(uids, ordinaryUser)
	}
	for _, uid := range uids {
		t.Run("user "+strconv.Itoa(uid), func(t *testing.T) {
			t.Parallel()
			checkWithNginx(t, nginx, uid)
		})
	}
}

func checkWithNginx(t *testing.T, nginx string, uid int) {
	h := newNginxHost(t, nginx, uid)
	first, second := newPair(t), newPair(t)

	h.rotate(first, "return 204;")
	h.once(true, "created .*/conf.d/site.conf", "created .*/tls/site.crt", "created .*/tls/site.key")
	h.holds(first, "return 204;")

	t.Log("the key belongs to another certificate")
	h.rotate(pair{second.cert, first.key}, "return 204;")
	h.once(false, "check: .*nginx -t .*: exit status 1; no file written", "key values mismatch")
	h.holds(first, "return 204;")

	t.Log("the configuration is wrong")
	h.rotate(second, "retrun 204;")
	h.once(false, `unknown directive "retrun" in .*/conf.d/site.conf:`)
	h.holds(first, "return 204;")

	start, _ := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start") // 0 in some containers
	if uid != 0 && strings.TrimSpace(string(start)) == "1024" {
		t.Log("nginx would listen on a port that takes root")
		h.rotate(second, "listen 127.0.0.1:80;")
		h.once(false, `bind\(\) to 127.0.0.1:80 failed`, "in a user namespace, as CAP_SYS_ADMIN is missing: there a program cannot bind ports below 1024")
		h.holds(first, "return 204;")
	}

	t.Log("all is new, and well")
	h.rotate(second, "return 205;")
	h.once(true, "changed .*/conf.d/site.conf", "changed .*/tls/site.crt", "changed .*/tls/site.key")
	h.holds(second, "return 205;")
	h.once(true, "nothing changed")

	t.Log("one file is damaged")
	if err := os.WriteFile(h.path("tls/site.key"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.once(true, "changed .*/tls/site.key")
	h.holds(second, "return 205;")
}

// A pair is a certificate and a key, in PEM.
type pair struct{ cert, key string }

func newPair(t *testing.T) pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "www.example.com"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return pair{text("CERTIFICATE", cert), text("PRIVATE KEY", private)}
}

// An nginxHost is a directory with an nginx.conf that includes what rendered writes.
type nginxHost struct {
	t        *testing.T
	dir      string
	uid      int
	rendered string
}

func newNginxHost(t *testing.T, nginx string, uid int) *nginxHost {
	dir, err := os.MkdirTemp("/tmp", "rendered-nginx")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	h := &nginxHost{t: t, dir: dir, uid: uid, rendered: filepath.Join(dir, "rendered")}
	// Where another user may run it.
	copyProgram(t, h.rendered)
	for _, name := range []string{"conf.d", "tls"} {
		if err := os.Mkdir(h.path(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// Directories below /var/lib/nginx are made by an nginx that root starts. Here that may never
	// have been done, and only root could.
	write(t, h.path("nginx.conf"), strings.ReplaceAll(`pid DIR/pid; error_log stderr; events {}
http {
  access_log off;
  client_body_temp_path DIR/body; proxy_temp_path DIR/proxy; fastcgi_temp_path DIR/fastcgi; uwsgi_temp_path DIR/uwsgi; scgi_temp_path DIR/scgi;
  include DIR/conf.d/*.conf;
}
`, "DIR", dir))
	write(t, h.path("rendered.yaml"), strings.NewReplacer("DIR", dir, "NGINX", nginx).Replace(`state_dir: state
values: values.yaml
services:
  site:
    files:
      - path: DIR/conf.d/site.conf
        content: |
          server {
            listen 127.0.0.1:65532 ssl;
            ssl_certificate DIR/tls/site.crt;
            ssl_certificate_key DIR/tls/site.key;
            {{ param "/site/directive" }}
          }
      - {path: DIR/tls/site.crt, content: '{{ secret "site" "cert" }}', format: pem}
      - {path: DIR/tls/site.key, content: '{{ secret "site" "key" }}', format: pem}
    check: [NGINX, -t, -p, DIR, -c, DIR/nginx.conf]
`))
	h.give()
	return h
}

func (h *nginxHost) path(name string) string { return filepath.Join(h.dir, name) }

// give makes everything belong to the user.
func (h *nginxHost) give() {
	h.t.Helper()
	err := filepath.WalkDir(h.dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, h.uid, h.uid)
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *nginxHost) rotate(p pair, directive string) {
	h.t.Helper()
	write(h.t, h.path("values.yaml"), fmt.Sprintf("secrets: {site: {cert: %q, key: %q}}\nparams: {/site/directive: %q}\n", p.cert, p.key, directive))
	h.give()
}

// once runs a pass, which says what is wanted. Where it is to fail nothing may happen to the files
// meanwhile.
func (h *nginxHost) once(good bool, want ...string) {
	h.t.Helper()
	var events []string
	var said bytes.Buffer
	seen := h.watch(func() {
		cmd := exec.CommandContext(h.t.Context(), h.rendered, "once", "-c", h.path("rendered.yaml"))
		cmd.Env = os.Environ()
		cmd.Stdout, cmd.Stderr = &said, &said
		if h.uid != os.Geteuid() {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(h.uid), Gid: uint32(h.uid)}}
		}
		if err := cmd.Run(); (err == nil) != good {
			h.t.Errorf("rendered once: %v", err)
		}
	})
	if strings.Contains(said.String(), "it cannot be shown the new files") && os.Getenv("CI") == "" {
		h.t.Skipf("here is no private view of files:\n%s", &said)
	}
	for _, e := range seen {
		if !strings.HasPrefix(filepath.Base(e.Name), ".rendered-") {
			events = append(events, e.String())
		}
	}
	if !good && len(events) > 0 {
		h.t.Errorf("files were touched: %q", events)
	}
	for _, w := range want {
		if !regexp.MustCompile(w).MatchString(said.String()) {
			h.t.Errorf("it does not say %q", w)
		}
	}
	if h.t.Failed() {
		h.t.Fatalf("said:\n%s", &said)
	}
}

// watch gives what happens to the names in the directories of the files while work goes on.
func (h *nginxHost) watch(work func()) (events []fsnotify.Event) {
	h.t.Helper()
	w, err := fsnotify.NewBufferedWatcher(1000)
	if err != nil {
		h.t.Fatal(err)
	}
	defer w.Close()
	for _, name := range []string{"conf.d", "tls"} {
		if err := w.Add(h.path(name)); err != nil {
			h.t.Fatal(err)
		}
	}
	work()
	// What has happened comes before what happens now.
	last := h.path("tls/.rendered-last")
	write(h.t, last, "")
	for e := range w.Events {
		if e.Name == last {
			break
		}
		events = append(events, e)
	}
	if err := os.Remove(last); err != nil {
		h.t.Fatal(err)
	}
	return events
}

func (h *nginxHost) holds(p pair, directive string) {
	h.t.Helper()
	for name, want := range map[string]string{"tls/site.crt": p.cert, "tls/site.key": p.key, "conf.d/site.conf": directive} {
		text, err := os.ReadFile(h.path(name))
		if err != nil || !strings.Contains(string(text), want) || name != "conf.d/site.conf" && string(text) != want {
			h.t.Errorf("%s: %v, %q, want %q", name, err, text, want)
		}
	}
}
