package probe

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A real nginx shows old certificates between new ones for a while after a reload, and goes on with
// the old one where it cannot use the new.
func TestTLSOfNginx(t *testing.T) {
	t.Parallel()
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	l.Close()
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("nginx.conf", strings.NewReplacer("AT", at, "DIR", dir).Replace(`
daemon off;
worker_processes 4;
pid DIR/pid;
error_log DIR/log;
events {}
http {
	access_log off;
	client_body_temp_path DIR/a; proxy_temp_path DIR/b; fastcgi_temp_path DIR/c; uwsgi_temp_path DIR/d; scgi_temp_path DIR/e;
	server {
		listen AT ssl reuseport;
		ssl_certificate DIR/site.pem;
		ssl_certificate_key DIR/site.pem;
		location / { return 204; }
	}
}
`))
	older, _ := pair(t, "www.example.com")
	newer, _ := pair(t, "www.example.com")
	put("site.pem", older.CertPEM()+older.KeyPEM())
	cmd := exec.Command(nginx, "-p", dir, "-e", filepath.Join(dir, "log"), "-c", filepath.Join(dir, "nginx.conf"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Signal(os.Interrupt) // it ends its workers
		_ = cmd.Wait()
		if text, err := os.ReadFile(filepath.Join(dir, "log")); err == nil && t.Failed() {
			t.Logf("%s", text)
		}
	}()
	p := TLS{Address: at, Host: "www.example.com", Cert: filepath.Join(dir, "site.pem")}
	prove := func(within time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		return Prove(ctx, []Probe{p, HTTP{URL: "https://" + at + "/"}, TCP{Address: at}}, time.Second, within)
	}
	if err := prove(30 * time.Second); err != nil {
		t.Fatal(err)
	}
	// The file is new, and nobody has been told.
	put("site.pem", newer.CertPEM()+newer.KeyPEM())
	if err := prove(3 * time.Second); err == nil || !strings.Contains(err.Error(), "shows another certificate") {
		t.Error(err)
	}
	reload := func() {
		if out, err := exec.Command(nginx, "-p", dir, "-e", filepath.Join(dir, "log"), "-c", filepath.Join(dir, "nginx.conf"), "-s", "reload").CombinedOutput(); err != nil {
			t.Logf("%v: %s", err, out)
		}
	}
	reload()
	if err := prove(30 * time.Second); err != nil {
		t.Error(err)
	}
	// What nginx cannot use it does not take, and nobody says so.
	put("site.pem", older.CertPEM()+newer.KeyPEM())
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if err := prove(3 * time.Second); err == nil || !strings.Contains(err.Error(), "shows another certificate") {
		t.Error(err)
	}
}
