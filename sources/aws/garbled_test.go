package aws

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// An answer that is no HTTP is said to be none, and not a request that was not sent.
func TestGarbledAnswers(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\n"
	for name, answer := range map[string]string{
		"SSH": "SSH-2.0-OpenSSH_9.2\r\n", "an alert of TLS": "\x15\x03\x01\x00\x02\x02\x50\n", "SMTP": "220 mail.example.com ESMTP\r\n", "redis": "-ERR wrong number of arguments\r\n",
		"a negative length": head + "Content-Length: -5\r\n\r\n", "two lengths": head + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}   ", "a status of letters": "HTTP/1.1 abc OK\r\n\r\n",
		"a header without a colon": head + "canary\r\n\r\n", "a chunk of letters": head + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "an extension without end": head + "Transfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("x", 1<<16),
		"an unknown encoding": head + "Transfer-Encoding: canary\r\n\r\n", "trailers without end": head + "Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n0\r\n" + strings.Repeat("X: y\r\n", 1<<14),
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			_, _ = conn.Read(make([]byte, 1<<12))
			_, _ = io.WriteString(conn, answer)
		}()
		resp, err := http.Get("http://" + listener.Addr().String())
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		listener.Close()
		if err == nil {
			t.Errorf("%s is read", name)
		} else if why := unreachable(err); !strings.Contains(why, "what it answers is not HTTP") || strings.Contains(why, "canary") {
			t.Errorf("%s: %q, of %v", name, why, err)
		}
	}
	if _, err := http.Get("other://malformed.example"); unreachable(err) != "malformed.example: the request cannot be sent" {
		t.Errorf("another scheme: %q", unreachable(err))
	}
}
