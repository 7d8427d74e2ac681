package endpoint

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Address{
		"http://127.0.0.1:9090/-/reload":                  {URL: "http://127.0.0.1:9090/-/reload"},
		"https://[::1]/ok?a=b":                            {URL: "https://[::1]/ok?a=b"},
		"HTTP://example.com":                              {URL: "http://example.com"},
		"unix:/run/app.sock:/ok?a=b":                      {Socket: "/run/app.sock", URL: "http://localhost/ok?a=b"},
		"unix:/run/app.sock":                              {Socket: "/run/app.sock", URL: "http://localhost/"},
		"unix:/run/a:b.sock:/c":                           {Socket: "/run/a:b.sock", URL: "http://localhost/c"},
		"":                                                {},
		"127.0.0.1:9090":                                  {},
		"/run/app.sock":                                   {},
		"ftp://example.com/":                              {},
		"http:///ok":                                      {},
		"http://example.com:/":                            {},
		"http://example.com:port/":                        {},
		"http://user:hunter2@example.com":                 {},
		"http://user@example.com":                         {},
		"http://example.com/#top":                         {},
		"http://example.com/a b":                          {},
		"http://example.com/ä":                            {},
		"http://example.com/%zz":                          {},
		"http://example.com/\x00":                         {},
		"unix:app.sock:/ok":                               {},
		"unix:":                                           {},
		"unix:/run/../app.sock:/ok":                       {},
		"unix:/run/app.sock/:/ok":                         {},
		"unix:/run/app.sock:/%zz":                         {},
		"unix:/" + strings.Repeat("a", 107) + ":/ok":      {},
		"http://example.com/" + strings.Repeat("a", 2048): {},
	} {
		got, err := Parse(text)
		if (err != nil) != (want == Address{}) || err == nil && got != want {
			t.Errorf("%q: %+v, %v; want %+v", text, got, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || len(err.(*Error).Hints) == 0) {
			t.Errorf("%q: %#v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("http://127.0.0.1:9090/-/reload")
	f.Add("unix:/run/app.sock:/ok")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := Parse(text)
		if err != nil {
			return
		}
		if a.URL == "" || a.Socket == "" && strings.HasPrefix(a.Peer(), ":") {
			t.Errorf("%q: %+v", text, a)
		}
		if again, err := Parse(a.URL); err != nil || again.URL != a.URL {
			t.Errorf("%q: %+v, and then %+v, %v", text, a, again, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := a.Do(ctx, Request{}); err == nil {
			t.Errorf("%q: asked when there was no time", text)
		}
	})
}

// A post is sent whole, once, and to nobody that it is redirected to.
func TestDo(t *testing.T) {
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, r.Method+" "+r.URL.Path+" "+r.Header.Get("Content-Type")+" "+string(body))
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/there", http.StatusTemporaryRedirect)
			return
		}
		io.WriteString(w, "0123456789")
	}))
	defer server.Close()
	a, err := Parse(server.URL + "/there")
	if err != nil {
		t.Fatal(err)
	}
	answer, err := a.Do(t.Context(), Request{Method: "POST", Body: []byte("a body"), Type: "text/plain", Limit: 4})
	if err != nil || answer.Status != 200 || string(answer.Body) != "0123" {
		t.Errorf("%+v, %v", answer, err)
	}
	a, _ = Parse(server.URL + "/moved")
	answer, err = a.Do(t.Context(), Request{Method: "POST", Body: []byte("a body")})
	if err != nil || answer.Status != 307 || answer.Location != "/there" {
		t.Errorf("%+v, %v", answer, err)
	}
	if len(got) != 2 || got[0] != "POST /there text/plain a body" || got[1] != "POST /moved  a body" {
		t.Errorf("%q", got)
	}
}

// To a loopback address alone a certificate may be anybody's, and no name leads away from there.
func TestVerification(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	for host, loopback := range map[string]bool{"127.0.0.1": true, "127.8.8.8": true, "::1": true, "::ffff:127.0.0.1": true, "localhost": true,
		"localhost.example.com": false, "192.0.2.1": false, "0.0.0.0": false, "example.com": false, "127.0.0.1.example.com": false} {
		a := Address{URL: "https://" + net.JoinHostPort(host, "443") + "/"}
		transport := a.transport(host, nil)
		if transport.TLSClientConfig.InsecureSkipVerify != loopback || a.Verified() == loopback || transport.Proxy != nil {
			t.Errorf("%s: verified: %t", host, !transport.TLSClientConfig.InsecureSkipVerify)
		}
	}
	transport := Address{URL: "https://localhost/"}.transport("localhost", nil)
	if _, err := transport.DialContext(t.Context(), "tcp", "192.0.2.1:443"); err == nil || Explain(t.Context(), err).What != "is not this machine" {
		t.Error(err)
	}
	// A certificate that nobody knows, at a name that is not known to be this machine.
	a := Address{URL: "https://example.com/"}
	transport = a.transport("example.com", nil)
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}
	r, _ := http.NewRequestWithContext(t.Context(), "GET", a.URL, nil)
	_, err := transport.RoundTrip(r)
	if e := Explain(t.Context(), err); e.What != "shows a certificate that is not valid here" || len(e.Hints) != 1 {
		t.Errorf("%v: %+v", err, e)
	}
}

func TestExplainEndOfTime(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	if e := Explain(ctx, io.EOF); e.What != "does not answer" {
		t.Error(e)
	}
}
