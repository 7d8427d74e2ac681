package funcs

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// libpq finds a password in a .pgpass file by the name of the database, both of them quoted, and
// sends both to a server.
func TestLibpqReadsBack(t *testing.T) {
	path := program(t, "python3")
	program(t, "psql") // comes with the library
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	logins := make(chan [2]string)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			logins <- login(conn)
		}
	}()
	port := listener.Addr().(*net.TCPAddr).Port
	field := func(v any) (string, error) {
		if v == "" {
			return "", errors.New("libpq takes no name of a database and no password for one that is empty")
		}
		return pgpassQuote(v)
	}
	for name, line := range map[string]string{"the password": "127.0.0.1:%d:d%d:u:%s\n", "the database": "127.0.0.1:%d:%[3]s:u:%[3]s\n"} {
		roundTrip(t, "pgpassQuote of "+name+" by libpq", field, func(t *testing.T, quoted []string) []string {
			var names, pgpass strings.Builder
			for i, q := range quoted {
				database := fmt.Sprint("d", i)
				if name == "the database" {
					database = unquotedField(q)
				}
				names.WriteString(hex.EncodeToString([]byte(database)) + "\n")
				fmt.Fprintf(&pgpass, line, port, i, q)
			}
			pgpass.WriteString(fmt.Sprintf("127.0.0.1:%d:*:u:%%none\n", port))
			script := `
import ctypes, sys
pq = ctypes.CDLL("libpq.so.5")
pq.PQconnectdbParams.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.POINTER(ctypes.c_char_p), ctypes.c_int]
pq.PQconnectdbParams.restype = ctypes.c_void_p
pq.PQfinish.argtypes = [ctypes.c_void_p]
for line in open(sys.argv[3]):
    o = {b"host": b"127.0.0.1", b"port": sys.argv[1].encode(), b"user": b"u", b"dbname": bytes.fromhex(line), b"passfile": sys.argv[2].encode(), b"sslmode": b"disable", b"gssencmode": b"disable"}
    pq.PQfinish(pq.PQconnectdbParams((ctypes.c_char_p * (len(o) + 1))(*o.keys(), None), (ctypes.c_char_p * (len(o) + 1))(*o.values(), None), 0))
`
			cmd := exec.Command(path, "-c", script, fmt.Sprint(port), file(t, "pgpass", pgpass.String()), file(t, "names", names.String()))
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var read []string
			for range quoted {
				select {
				case l := <-logins:
					if name == "the database" && l[0] != l[1] {
						t.Errorf("database %q is given the password %q", l[0], l[1])
					}
					read = append(read, l[1])
				case <-time.After(time.Minute):
					t.Fatal("no login")
				}
			}
			if err := cmd.Wait(); err != nil {
				t.Fatal(err)
			}
			return read
		})
	}
}

// unquotedField undoes pgpassQuote, to know the name to ask for.
func unquotedField(q string) string {
	var b strings.Builder
	for i := 0; i < len(q); i++ {
		if q[i] == '\\' && i+1 < len(q) {
			i++
		}
		b.WriteByte(q[i])
	}
	return b.String()
}

// login is the server's part of a login with a password in the clear (PostgreSQL, "Message Flow").
// It gives the names of database and password, and ends the connection.
func login(conn net.Conn) (got [2]string) {
	defer conn.Close()
	message := func(head int) []byte {
		h := make([]byte, head+4)
		if _, err := io.ReadFull(conn, h); err != nil {
			return nil
		}
		body := make([]byte, binary.BigEndian.Uint32(h[head:])-4)
		_, _ = io.ReadFull(conn, body)
		return body
	}
	parts := strings.Split(string(message(0)[4:]), "\x00")
	for i := 0; i+1 < len(parts); i += 2 {
		if parts[i] == "database" {
			got[0] = parts[i+1]
		}
	}
	_, _ = conn.Write([]byte{'R', 0, 0, 0, 8, 0, 0, 0, 3})
	got[1] = strings.TrimSuffix(string(message(1)), "\x00")
	return got
}

// nginx answers with what nginxQuote writes.
func TestNginxReadsBack(t *testing.T) {
	path := program(t, "nginx")
	roundTrip(t, "nginxQuote by nginx", nginxQuote, func(t *testing.T, quoted []string) []string {
		dir, err := os.MkdirTemp("", "nginx") // a path of a socket is short
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		var b strings.Builder
		fmt.Fprintf(&b, "pid %s/pid; error_log stderr crit; daemon off; master_process off; events {} http { access_log off; server { listen unix:%[1]s/s;\n", dir)
		for _, d := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
			fmt.Fprintf(&b, "%s_temp_path %s/%[1]s;\n", d, dir)
		}
		fmt.Fprintln(&b, "keepalive_requests 1000000; default_type text/plain;")
		for i, q := range quoted {
			fmt.Fprintf(&b, "location = /%d { return 200 %s; }\n", i, q)
		}
		b.WriteString("} }\n")
		cmd := exec.Command(path, "-c", file(t, "nginx.conf", b.String()), "-p", dir, "-e", "stderr")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		defer func() { _ = cmd.Process.Kill(); <-ended }()
		for listening := false; !listening; {
			select {
			case err := <-ended:
				ended <- err
				t.Fatalf("nginx: %v\n%.500s", err, stderr.String())
			case <-t.Context().Done():
				t.Fatal("nginx does not listen")
			default:
				if conn, err := net.Dial("unix", filepath.Join(dir, "s")); err == nil {
					conn.Close()
					listening = true
				}
			}
		}
		client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(dir, "s"))
		}}}
		defer client.CloseIdleConnections()
		var read []string
		for i := range quoted {
			resp, err := client.Get(fmt.Sprintf("http://nginx/%d", i))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			read = append(read, string(body))
		}
		return read
	})
}
