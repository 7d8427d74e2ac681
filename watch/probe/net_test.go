package probe

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/internal/testpki"
)

// look makes one look, and gives what is wrong; nil: nothing.
func look(t *testing.T, p Probe) *Failure {
	t.Helper()
	err := p.Begin()(t.Context())
	if err == nil {
		return nil
	}
	failed, ok := errors.AsType[*Failure](err)
	if !ok || failed.Probe != p.Name() {
		t.Fatalf("%#v", err)
	}
	return failed
}

// wants looks, and wants this to be wrong; "": nothing.
func wants(t *testing.T, p Probe, want string) *Failure {
	t.Helper()
	failed, got := look(t, p), ""
	if failed != nil {
		got = failed.What
	}
	if got != want {
		t.Errorf("%s: %q; want %q", p.Name(), got, want)
	}
	return failed
}

// listen takes connections until the test ends, each in a goroutine of its own.
func listen(t *testing.T, network, address string, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return l.Addr().String()
}

// socketDir gives a directory whose path is short enough for a socket.
func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "probe")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func pages(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/ok":
		fmt.Fprint(w, "all is ok")
	case "/created":
		w.WriteHeader(http.StatusCreated)
	case "/bad":
		http.Error(w, "db: wrong password hunter2", http.StatusBadGateway)
	case "/elsewhere":
		http.Redirect(w, r, "http://192.0.2.1/hunter2", http.StatusFound)
	case "/late":
		fmt.Fprint(w, strings.Repeat("x", maxBody), "ok")
	case "/nearly":
		fmt.Fprint(w, strings.Repeat("x", maxBody-2), "ok")
	case "/who":
		fmt.Fprint(w, r.Host, r.Method, r.UserAgent(), r.URL.RawQuery)
	}
}

func TestHTTP(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1") // is not asked
	server := httptest.NewServer(http.HandlerFunc(pages))
	defer server.Close()
	socket := filepath.Join(socketDir(t), "app.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	at := &http.Server{Handler: http.HandlerFunc(pages), ReadHeaderTimeout: time.Minute}
	go at.Serve(l)
	defer at.Close()
	for _, base := range []string{server.URL, "unix:" + socket + ":"} {
		wants(t, HTTP{URL: base + "/ok"}, "")
		wants(t, HTTP{URL: base + "/ok", Body: "is ok"}, "")
		wants(t, HTTP{URL: base + "/created"}, "")
		wants(t, HTTP{URL: base + "/created", Status: []int{200}}, "answered 201")
		wants(t, HTTP{URL: base + "/bad", Status: []int{200, 502}}, "")
		wants(t, HTTP{URL: base + "/nearly", Body: "ok"}, "")
		wants(t, HTTP{URL: base + "/late", Body: "ok"}, "answered 200 without the text that body: wants")
		wants(t, HTTP{URL: base + "/who?a=b", Body: "GETrendereda=b"}, "")
		for path, want := range map[string]string{"/bad": "answered 502", "/elsewhere": "answered 302"} {
			f := wants(t, HTTP{URL: base + path}, want)
			if strings.Contains(fmt.Sprintf("%+v", *f), "hunter2") {
				t.Errorf("%s: what the server says is shown: %+v", path, *f)
			}
		}
	}
	wants(t, HTTP{URL: "unix:" + socket + "x:/ok"}, "is not there")
	wants(t, HTTP{URL: "unix:" + filepath.Dir(socket) + ":/ok"}, "refuses connections")
	wants(t, HTTP{URL: "http://127.0.0.1:1/"}, "refuses connections")
	wants(t, HTTP{URL: "ftp://127.0.0.1/"}, "this is no address of HTTP")
}

// A server at a loopback address shows the name that it has for others.
func TestHTTPS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(pages)) // its certificate is known to nobody
	defer server.Close()
	server.Config.ErrorLog = nil
	wants(t, HTTP{URL: server.URL + "/ok"}, "")
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	wants(t, HTTP{URL: "https://localhost:" + port + "/ok"}, "")
	if name, err := os.Hostname(); err == nil {
		if l, err := net.Listen("tcp", net.JoinHostPort(name, "0")); err == nil {
			s := httptest.NewUnstartedServer(http.HandlerFunc(pages))
			s.Listener = l
			s.StartTLS()
			defer s.Close()
			_, port, _ := net.SplitHostPort(l.Addr().String())
			f := wants(t, HTTP{URL: "https://" + net.JoinHostPort(name, port) + "/ok"}, "shows a certificate that is not valid here")
			if f != nil && len(f.Hints) == 0 {
				t.Error("it does not say why")
			}
		}
	}
}

// Whatever a server does, a look ends in its time, and keeps little of it.
func TestHTTPServersThatMeanNoGood(t *testing.T) {
	request := func(c net.Conn) { _, _ = http.ReadRequest(bufio.NewReader(c)) }
	forever := func(c net.Conn, text string) {
		for {
			if _, err := io.WriteString(c, text); err != nil {
				return
			}
		}
	}
	const short, long = 300 * time.Millisecond, 10 * time.Second
	for name, tt := range map[string]struct {
		serve func(net.Conn)
		body  string
		want  string
	}{
		"silence":           {func(c net.Conn) { io.Copy(io.Discard, c) }, "", "does not answer"},
		"hangs up":          {func(net.Conn) {}, "", ""},
		"hangs up later":    {request, "", "closed the connection without an answer"},
		"garbage":           {func(c net.Conn) { request(c); io.WriteString(c, "\x00\x01hunter2\r\n\r\n") }, "", "gave an answer that cannot be understood"},
		"no end of headers": {func(c net.Conn) { request(c); io.WriteString(c, "HTTP/1.1 200 OK\r\n"); forever(c, "X-A: hunter2\r\n") }, "", "gave an answer that cannot be understood"},
		"a header, slowly":  {func(c net.Conn) { request(c); io.WriteString(c, "HTTP/1.1 200 OK\r\nX-A: "); slowly(c) }, "", "does not answer"},
		"an endless body": {func(c net.Conn) {
			request(c)
			io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
			forever(c, strings.Repeat("x", 4096))
		}, "ok", "answered 200 without the text that body: wants"},
		"a body, slowly":     {func(c net.Conn) { request(c); io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n"); slowly(c) }, "ok", "does not answer"},
		"no body as claimed": {func(c net.Conn) { request(c); io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok") }, "no", "broke its answer off"},
		"a body unasked for": {func(c net.Conn) {
			request(c)
			io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
			forever(c, strings.Repeat("x", 4096))
		}, "", ""},
		"for ever to go on": {func(c net.Conn) { request(c); forever(c, "HTTP/1.1 100 Continue\r\n\r\n") }, "", "gave an answer that cannot be understood"},
	} {
		t.Run(name, func(t *testing.T) {
			begun, timeout := time.Now(), long
			if tt.want == "does not answer" {
				timeout = short
			}
			f := look(t, HTTP{URL: "http://" + listen(t, "tcp", "127.0.0.1:0", tt.serve) + "/ok", Body: tt.body, Timeout: timeout})
			got := ""
			if f != nil {
				got = f.What
			}
			if name == "hangs up" { // which the kernel tells in one way or another
				if f == nil {
					t.Error("it is well")
				}
			} else if got != tt.want {
				t.Errorf("%q; want %q: %v", got, tt.want, f)
			}
			if took := time.Since(begun); took > timeout+5*time.Second {
				t.Errorf("it took %v", took)
			}
			if f != nil && strings.Contains(fmt.Sprint(f.What, f.Hints), "hunter2") {
				t.Errorf("what the server says is shown: %v", f)
			}
		})
	}
}

// slowly writes a byte now and then.
func slowly(c net.Conn) {
	for {
		if _, err := io.WriteString(c, "x"); err != nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestTCP(t *testing.T) {
	at := listen(t, "tcp", "127.0.0.1:0", func(c net.Conn) { io.Copy(io.Discard, c) })
	wants(t, TCP{Address: at}, "")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	wants(t, TCP{Address: l.Addr().String()}, "refuses connections")
}

func TestRun(t *testing.T) {
	wants(t, Run{Command: command.Command{Args: []string{"true"}}}, "")
	f := wants(t, Run{Command: command.Command{Shell: "echo hunter2; exit 3"}, Output: command.Withhold}, "exit status 3")
	if f != nil && (string(f.Said.Text) != "hunter2\n" || f.Said.Policy != command.Withhold || f.Said.Own) {
		t.Errorf("%+v", f.Said)
	}
	wants(t, Run{Command: command.Command{Args: []string{"sleep", "60"}}, Timeout: 100 * time.Millisecond}, "still running after 100ms, stopped")
	wants(t, Run{Command: command.Command{Args: []string{"/nonexistent/program"}}}, "cannot be started: /nonexistent/program does not exist")
}

// pair makes a certificate for a name, signed by itself, with its key.
func pair(t *testing.T, name string) (*testpki.Pair, *tls.Certificate) {
	t.Helper()
	p := testpki.New(testpki.Leaf(time.Now().Add(-time.Hour), time.Now().Add(time.Hour), name), nil, nil)
	c, err := tls.X509KeyPair([]byte(p.CertPEM()), []byte(p.KeyPEM()))
	if err != nil {
		t.Fatal(err)
	}
	return p, &c
}

func TestTLS(t *testing.T) {
	older, old := pair(t, "www.example.com")
	newer, current := pair(t, "www.example.com")
	_, other := pair(t, "other.example.com")
	var shows atomic.Pointer[func(n int32, name string) *tls.Certificate]
	var n atomic.Int32
	show := func(f func(int32, string) *tls.Certificate) { n.Store(0); shows.Store(&f) }
	config := &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		return (*shows.Load())(n.Add(1), hello.ServerName), nil
	}}
	serve := func(c net.Conn) {
		s := tls.Server(c, config)
		if s.Handshake() == nil {
			io.Copy(io.Discard, s)
		}
	}
	at := listen(t, "tcp", "127.0.0.1:0", serve)
	file := filepath.Join(t.TempDir(), "site.crt")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := TLS{Address: at, Host: "www.example.com", Cert: file}
	isOther := "shows another certificate than that of " + file

	write(newer.KeyPEM() + newer.CertPEM() + older.CertPEM())
	show(func(int32, string) *tls.Certificate { return current })
	wants(t, p, "")
	if n.Load() != handshakes {
		t.Errorf("%d handshakes", n.Load())
	}
	// What is read is the file as it is now.
	series := p.Begin()
	write(older.CertPEM())
	if series(t.Context()) == nil {
		t.Error("the file was not read again")
	}
	show(func(int32, string) *tls.Certificate { return old })
	if err := series(t.Context()); err != nil {
		t.Error(err)
	}
	// A reload that did not take.
	write(newer.CertPEM())
	f := wants(t, p, isOther)
	if f != nil {
		for _, c := range []*x509.Certificate{older.Certificate, newer.Certificate} {
			if !strings.Contains(strings.Join(f.Hints, "\n"), fmt.Sprintf("serial %x, until %s", c.SerialNumber, c.NotAfter.UTC().Format(time.RFC3339))) {
				t.Errorf("%q does not tell of %x", f.Hints, c.SerialNumber)
			}
		}
	}
	// One worker of several keeps the old one.
	show(func(n int32, _ string) *tls.Certificate {
		if n == handshakes-1 {
			return old
		}
		return current
	})
	wants(t, p, isOther)
	// It has another one for other names.
	show(func(_ int32, name string) *tls.Certificate {
		if name == "www.example.com" {
			return current
		}
		return other
	})
	wants(t, p, "")
	p.Host = ""
	wants(t, p, isOther) // to an IP address no name is said

	write("no certificate")
	wants(t, p, "the file of cert: has no certificate in PEM")
	os.Remove(file)
	wants(t, p, "the file of cert: cannot be read: no such file or directory")
	if err := unix.Mkfifo(file, 0o600); err != nil {
		t.Fatal(err)
	}
	wants(t, p, "the file of cert: cannot be read: not a regular file")
}

// A server that wants a certificate of ours has shown its own before it refuses.
func TestTLSWithClientCertificates(t *testing.T) {
	newer, current := pair(t, "www.example.com")
	file := filepath.Join(t.TempDir(), "site.crt")
	if err := os.WriteFile(file, []byte(newer.CertPEM()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		at := listen(t, "tcp", "127.0.0.1:0", func(c net.Conn) {
			_ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{*current}, ClientAuth: tls.RequireAnyClientCert, MinVersion: version, MaxVersion: version}).Handshake()
		})
		wants(t, TLS{Address: at, Cert: file}, "")
	}
}

func TestTLSServersThatMeanNoGood(t *testing.T) {
	newer, current := pair(t, "www.example.com")
	_, old := pair(t, "www.example.com")
	file := filepath.Join(t.TempDir(), "site.crt")
	if err := os.WriteFile(file, []byte(newer.CertPEM()), 0o600); err != nil {
		t.Fatal(err)
	}
	const short, long = 600 * time.Millisecond, 10 * time.Second
	stolen := *current // with the key of another
	stolen.PrivateKey = old.PrivateKey
	terms := "does not come to terms over TLS"
	for name, tt := range map[string]struct {
		serve func(net.Conn)
		want  string
	}{
		"silence": {func(c net.Conn) { io.Copy(io.Discard, c) }, "does not answer"},
		"plain":   {func(c net.Conn) { io.WriteString(c, "220 mail.example.com ESMTP hunter2\r\n"); io.Copy(io.Discard, c) }, terms},
		"endless": {func(c net.Conn) { slowly(c) }, terms},
		"no key":  {func(c net.Conn) { _ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{stolen}}).Handshake() }, terms},
		"old TLS": {func(c net.Conn) {
			_ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{*current}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}).Handshake()
		}, terms},
		"no such name": {func(c net.Conn) {
			_ = tls.Server(c, &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("none") }}).Handshake()
		}, terms},
	} {
		t.Run(name, func(t *testing.T) {
			begun, timeout := time.Now(), long
			if tt.want == "does not answer" {
				timeout = short
			}
			f := wants(t, TLS{Address: listen(t, "tcp", "127.0.0.1:0", tt.serve), Cert: file, Timeout: timeout}, tt.want)
			if took := time.Since(begun); took > timeout+5*time.Second {
				t.Errorf("it took %v", took)
			}
			if f != nil && strings.Contains(fmt.Sprint(f.What, f.Hints), "hunter2") {
				t.Errorf("what the server says is shown: %v", f)
			}
		})
	}
}

// All of it together, as a pass has it: a server that comes up with the new certificate later.
func TestProveOfServers(t *testing.T) {
	t.Parallel()
	newer, current := pair(t, "www.example.com")
	_, old := pair(t, "www.example.com")
	file := filepath.Join(t.TempDir(), "site.crt")
	if err := os.WriteFile(file, []byte(newer.CertPEM()), 0o600); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	server := httptest.NewUnstartedServer(http.HandlerFunc(pages))
	server.TLS = &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		if time.Since(begun) < 700*time.Millisecond {
			return old, nil
		}
		return current, nil
	}}
	server.StartTLS()
	defer server.Close()
	at := server.Listener.Addr().String()
	list := []Probe{TLS{Address: at, Host: "www.example.com", Cert: file}, HTTP{URL: "https://" + at + "/ok", Body: "ok"}, TCP{Address: at}, Run{Command: command.Command{Args: []string{"true"}}}}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := Prove(ctx, list, 500*time.Millisecond, 15*time.Second); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took < 1200*time.Millisecond {
		t.Errorf("proven after %v", took)
	}
	list = append(list, HTTP{URL: "https://" + at + "/bad"})
	if err := Prove(ctx, list, 100*time.Millisecond, time.Second); err == nil || !strings.HasSuffix(err.Error(), "/bad: answered 502") {
		t.Error(err)
	}
}
