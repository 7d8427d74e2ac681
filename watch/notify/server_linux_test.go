package notify

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/command"
)

// shortDir gives a directory whose path is short enough for a socket, and that root alone can
// change where we are root.
func shortDir(t *testing.T) string {
	t.Helper()
	parent := ""
	if os.Geteuid() == 0 {
		parent = "/run"
	}
	dir, err := os.MkdirTemp(parent, "rendered-notify")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// A lineServer answers as it is told, and remembers what it was asked.
type lineServer struct {
	mu    sync.Mutex
	asked []string
	// answers is what each question gets that begins with a word; "" gets a single newline.
	answers map[string]string
	stays   bool // it does not close the connection after an answer
}

func (s *lineServer) serve(c net.Conn) {
	text, err := io.ReadAll(c)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, string(text))
	word, _, _ := strings.Cut(string(text), " ")
	fmt.Fprint(c, s.answers[word]+"\n")
	if s.stays {
		go func(c net.Conn) { io.Copy(io.Discard, c); c.Close() }(c) // the other side goes first
		return
	}
	c.Close()
}

func (s *lineServer) heard() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.asked, "|")
}

// at has a server listen at a socket.
func at(t *testing.T, path string, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return path
}

func put(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSocket(t *testing.T) {
	dir := shortDir(t)
	pem := put(t, filepath.Join(dir, "site.pem"), "\n-----A-----\n\nxyz\n \t\r\n-----B-----\n\n")
	change := []string{"set ssl cert " + pem + " <<\n{file " + pem + "}\n", "commit ssl cert " + pem}
	sent := "set ssl cert " + pem + " <<\n-----A-----\nxyz\n-----B-----\n\n|commit ssl cert " + pem + "\n"
	abort := []string{"abort ssl cert " + pem}
	for _, tt := range []struct {
		name    string
		notice  Socket
		answers map[string]string
		want    outcome
		heard   string
	}{
		{name: "acknowledged", notice: Socket{Send: change, Expect: []string{"Success!"}, Abort: abort}, answers: map[string]string{"set": "Transaction created", "commit": "Committing\nSuccess!"},
			want:  outcome{Says: "> set ssl cert " + pem + " <<\nTransaction created\n> commit ssl cert " + pem + "\nCommitting\nSuccess!\n"},
			heard: sent},
		{name: "any answer", notice: Socket{Send: change}, want: outcome{Says: "> set ssl cert " + pem + " <<\n\n> commit ssl cert " + pem + "\n\n"}, heard: sent},
		{name: "refused", notice: Socket{Send: change, Expect: []string{"Success!"}, Abort: abort}, answers: map[string]string{"commit": "No private key", "abort": "Transaction aborted"},
			want:  outcome{"> set ssl cert " + pem + " <<\n\n> commit ssl cert " + pem + "\nNo private key\n> abort ssl cert " + pem + "\nTransaction aborted\n", Failed, `the answer to "commit ssl cert ` + pem + `" has no "Success!"`},
			heard: sent + "|abort ssl cert " + pem + "\n"},
		{name: "refused at once", notice: Socket{Send: change, Expect: []string{"created", "Success!"}, Abort: []string{"abort ssl cert x", "quit"}}, answers: map[string]string{"set": "No such certificate"},
			want:  outcome{"> set ssl cert " + pem + " <<\nNo such certificate\n> abort ssl cert x\n\n> quit\n\n", Failed, `the answer to "set ssl cert ` + pem + ` <<" has no "created"`},
			heard: strings.Split(sent, "|")[0] + "|abort ssl cert x\n|quit\n"},
	} {
		for _, stays := range []bool{false, true} {
			if stays && tt.name != "acknowledged" {
				continue // nobody can know that there is no more to come
			}
			t.Run(fmt.Sprint(tt.name, stays), func(t *testing.T) {
				s := &lineServer{answers: tt.answers}
				tt.notice.Path = at(t, filepath.Join(shortDir(t), "s"), s.serve)
				if stays {
					s.stays, tt.notice.Expect = true, []string{"created", "Success!"}
				}
				got := do(t.Context(), tt.notice)
				if got != tt.want {
					t.Errorf("%+v\nwant %+v", got, tt.want)
				}
				if heard := s.heard(); heard != tt.heard {
					t.Errorf("it heard %q\nwant %q", heard, tt.heard)
				}
			})
		}
	}
}

// Whatever a server does, a notice ends in its time, keeps little of it, and says what it is about.
func TestServersThatMeanNoGood(t *testing.T) {
	forever := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			defer c.Close()
			for {
				if _, err := io.WriteString(c, text); err != nil {
					return
				}
			}
		}
	}
	line := strings.Repeat("x", 1000) + "\n"
	for name, tt := range map[string]struct {
		serve  func(net.Conn)
		socket outcome
		http   outcome
		most   int // bytes kept
	}{
		"silence":    {func(c net.Conn) { io.Copy(io.Discard, c); <-t.Context().Done() }, outcome{"", Stopped, "gave up waiting for an answer: it takes too long"}, outcome{"", Stopped, "gave up waiting for an answer: it takes too long"}, 100},
		"no end":     {forever(line), outcome{"", Failed, `the answer to "hello" has no "ok"`}, outcome{"", Failed, "server gave an answer that cannot be understood"}, maxAnswer + 100},
		"no newline": {forever(line[:1000]), outcome{"", Failed, `the answer to "hello" has no "ok"`}, outcome{"", Failed, "server gave an answer that cannot be understood"}, 100},
		"an endless body": {func(c net.Conn) {
			_, _ = http.ReadRequest(bufio.NewReader(c))
			io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
			forever(line)(c)
		}, outcome{}, outcome{}, maxAnswer + 100},
	} {
		t.Run(name, func(t *testing.T) {
			path := at(t, filepath.Join(shortDir(t), "s"), tt.serve)
			const timeout = 500 * time.Millisecond
			notices := map[Action]outcome{}
			if tt.socket != (outcome{}) {
				begun := time.Now()
				said, err := Socket{Path: path, Send: []string{"hello"}, Expect: []string{"ok"}, Timeout: timeout, Abort: []string{"sorry"}}.Do(t.Context(), Change{})
				checkServed(t, said, err, tt.socket, tt.most+tt.most, time.Since(begun))
			}
			begun := time.Now()
			said, err := HTTP{URL: "unix:" + path + ":/load", Timeout: timeout}.Do(t.Context(), Change{})
			checkServed(t, said, err, tt.http, tt.most, time.Since(begun))
			_ = notices
		})
	}
}

func checkServed(t *testing.T, said Output, err error, want outcome, most int, took time.Duration) {
	t.Helper()
	var got outcome
	if e, ok := errors.AsType[*Error](err); ok {
		got.Reason, got.What = e.Reason, e.What
	}
	if got.Reason != want.Reason || got.What != want.What || len(said.Text) > most || took > 10*time.Second || said.Own {
		t.Errorf("%+v, %d bytes after %v; want %+v, at most %d bytes", got, len(said.Text), took, want, most)
	}
}

// Whoever filters secrets out of an answer must not meet the half of one.
func TestHalfALineIsLeftOut(t *testing.T) {
	path := at(t, filepath.Join(shortDir(t), "s"), func(c net.Conn) {
		io.WriteString(c, "a line\nok, and the password is hun")
		<-t.Context().Done()
	})
	for want, says := range map[string]string{"ok": "> hello\na line\nok\n", "line": "> hello\na line\n", "done": "> hello\na line\n"} {
		said, err := Socket{Path: path, Send: []string{"hello"}, Expect: []string{want}, Timeout: 300 * time.Millisecond}.Do(t.Context(), Change{})
		if (err != nil) != (want == "done") || string(said.Text) != says {
			t.Errorf("%s: %q, %v; want %q", want, said.Text, err, says)
		}
	}
}

// A notice ends with the daemon.
func TestSocketEndsWithItsContext(t *testing.T) {
	path := at(t, filepath.Join(shortDir(t), "s"), func(c net.Conn) { <-t.Context().Done() })
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	begun := time.Now()
	got := do(ctx, Socket{Path: path, Send: []string{"a"}, Abort: []string{"b", "c"}})
	if got.Reason != Stopped || time.Since(begun) > abortTimeout+2*time.Second {
		t.Errorf("%+v after %v", got, time.Since(begun))
	}
}

func TestHTTPNotice(t *testing.T) {
	dir := shortDir(t)
	file := put(t, filepath.Join(dir, "app.json"), "{\"a\": 1}\n\n")
	var heard []string
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		heard = append(heard, r.Method+" "+r.URL.Path+" "+r.Header.Get("Content-Type")+" "+string(body))
		switch r.URL.Path {
		case "/no":
			http.Error(w, "no such key: hunter2", http.StatusBadRequest)
		case "/moved":
			http.Redirect(w, r, "/load", http.StatusPermanentRedirect)
		default:
			io.WriteString(w, "done\n")
		}
	})
	socket := filepath.Join(dir, "s")
	var addresses []string
	for _, network := range []string{"unix", "tcp"} {
		l, err := net.Listen(network, map[string]string{"unix": socket, "tcp": "127.0.0.1:0"}[network])
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
		go server.Serve(l)
		defer server.Close()
		addresses = append(addresses, l.Addr().String())
	}
	unixAt, tcpAt := "unix:"+addresses[0]+":", "http://"+addresses[1]
	for _, tt := range []struct {
		notice HTTP
		want   outcome
		heard  string
	}{
		{HTTP{URL: tcpAt + "/-/reload"}, outcome{Says: "done\n"}, "POST /-/reload  "},
		{HTTP{URL: unixAt + "/load", Body: "<{file " + file + "}>", Type: "application/json"}, outcome{Says: "done\n"}, "POST /load application/json <{\"a\": 1}\n\n>"},
		{HTTP{URL: unixAt + "/load", Method: "PUT", Body: "x", Expect: []int{200, 204}}, outcome{Says: "done\n"}, "PUT /load  x"},
		{HTTP{URL: tcpAt + "/load", Expect: []int{204}}, outcome{"done\n", Failed, "server answered 200"}, "POST /load  "},
		{HTTP{URL: tcpAt + "/no"}, outcome{"no such key: hunter2\n", Failed, "server answered 400"}, "POST /no  "},
		{HTTP{URL: tcpAt + "/moved"}, outcome{"", Failed, "server answered 308"}, "POST /moved  "},
		{HTTP{URL: tcpAt + "/load", Body: "{file " + file + "}"}, outcome{"", NotPermitted, file + " is not sent: at this address anybody may listen"}, ""},
		{HTTP{URL: "https://" + addresses[1] + "/load", Body: "{file " + file + "}"}, outcome{"", NotPermitted, file + " is not sent: at this address anybody may listen"}, ""},
		{HTTP{URL: unixAt + "/load", Body: "{file " + file + "x}"}, outcome{"", NotPermitted, file + "x is not sent: no such file or directory"}, ""},
		{HTTP{URL: "unix:" + socket + "x:/load"}, outcome{"", NotRunning, "server is not there"}, ""},
		{HTTP{URL: "http://127.0.0.1:1/"}, outcome{"", NotRunning, "server refuses connections"}, ""},
	} {
		heard = nil
		if got := do(t.Context(), tt.notice); got != tt.want {
			t.Errorf("%s: %+v\nwant %+v", tt.notice.Name(), got, tt.want)
		}
		if got := strings.Join(heard, "|"); got != tt.heard {
			t.Errorf("%s: it heard %q, want %q", tt.notice.Name(), got, tt.heard)
		}
	}
}

func TestNamesOfServers(t *testing.T) {
	long := strings.Repeat("x", 200)
	names := make(map[string]Action)
	for _, tt := range []struct {
		a            Action
		name, target string
	}{
		{HTTP{URL: "http://127.0.0.1:9090/-/reload"}, "POST http://127.0.0.1:9090/-/reload", "server 127.0.0.1:9090"},
		{HTTP{URL: "http://example.com/a", Method: "PUT", Expect: []int{200, 204}, Body: "{file /a}", Type: "text/plain", Timeout: time.Second, Output: command.Show},
			"PUT http://example.com/a (timeout 1s, expect 200 204, body {file /a}, content_type text/plain, output show)", "server example.com:80"},
		{HTTP{URL: "unix:/run/app.sock:/load"}, "POST unix:/run/app.sock:/load", "socket /run/app.sock"},
		{Socket{Path: "/run/app.sock", Send: []string{"reload"}}, "socket /run/app.sock: reload", "socket /run/app.sock"},
		{Socket{Path: "/run/app.sock", Send: []string{"a", "b"}, Expect: []string{"ok"}, Abort: []string{"c", "d"}, Output: command.Withhold}, "socket /run/app.sock: a; b (expect ok, abort c; d, output withhold)", "socket /run/app.sock"},
		{Socket{Path: "/run/app.sock", Send: []string{long + "a"}}, "", "socket /run/app.sock"},
		{Socket{Path: "/run/app.sock", Send: []string{long + "b"}}, "", "socket /run/app.sock"},
		{Socket{Path: "/run/app.sock", Send: []string{"a\nb"}}, "", "socket /run/app.sock"},
		{Socket{Path: "/run/app.sock", Send: []string{"a\nc\x1b"}}, "", "socket /run/app.sock"},
	} {
		name := tt.a.Name()
		if tt.name != "" && name != tt.name || tt.a.Target() != tt.target || strings.ContainsAny(name, "\n\x1b") || len(name) > 200 {
			t.Errorf("%q of %q; want %q of %q", name, tt.a.Target(), tt.name, tt.target)
		}
		if names[name] != nil {
			t.Errorf("two are called %q", name)
		}
		names[name] = tt.a
	}
}

// Whom root's files go to, where others can decide who listens.
func TestFilesGoToNobodyElse(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has others to distrust")
	}
	const python = "/usr/bin/python3" // Debian's, which others may run
	if _, err := os.Stat(python); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("there is no python3 to listen as another user")
	}
	const mallory = 12001
	top := shortDir(t)
	if err := os.Chmod(top, 0o755); err != nil {
		t.Fatal(err)
	}
	dir := func(name string, uid int, mode os.FileMode) string {
		path := filepath.Join(top, name)
		if err := errors.Join(os.Mkdir(path, 0o755), os.Chown(path, uid, uid), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := func(name string, uid, gid int, mode os.FileMode) string {
		path := put(t, filepath.Join(top, name), "canary-"+name)
		if err := errors.Join(os.Chown(path, uid, gid), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var mu sync.Mutex
	heard := make(map[string]string) // by socket
	// listens has a user listen.
	listens := func(path string, uid int) {
		cmd := exec.Command(python, "-c", `
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
print("ready", flush=True)
while True:
    c, _ = s.accept()
    text = b""
    try:
        text = c.recv(65536)
        c.sendall(b"ok\n")
        c.shutdown(socket.SHUT_WR)
        while part := c.recv(65536):
            text += part
    except OSError:
        pass
    c.close()
    print("got", text, flush=True)
`, path)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
		lines := bufio.NewScanner(out)
		if !lines.Scan() {
			t.Fatal("it does not listen")
		}
		go func() {
			for lines.Scan() {
				mu.Lock()
				heard[path] += lines.Text()
				mu.Unlock()
			}
		}()
	}
	own, sticky, safe := dir("own", mallory, 0o755), dir("sticky", 0, 0o777|os.ModeSticky), dir("safe", 0, 0o755)
	listens(own+"/his", mallory)
	listens(own+"/root", 0)
	listens(sticky+"/his", mallory)
	listens(sticky+"/root", 0)
	// Root may have arranged for a user's process to listen where nobody else could.
	listens(own+"/moved", mallory)
	if err := errors.Join(os.Rename(own+"/moved", safe+"/his"), unix.Symlink(safe+"/his", own+"/link"), unix.Symlink(safe+"/his", safe+"/link")); err != nil {
		t.Fatal(err)
	}
	closed := dir("closed", 0, 0o700)
	if err := os.WriteFile(closed+"/open", []byte("canary-secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	secret, his, group, open := file("secret", 0, 0, 0o600), file("his", mallory, mallory, 0o600), file("group", 0, mallory, 0o640), file("open", 0, 0, 0o644)
	for _, tt := range []struct {
		socket, file string
		want         string // in the error; "": sent
	}{
		{own + "/his", secret, "is not sent: user 12001 listens at the socket"},
		{own + "/his", his, ""},
		{own + "/his", group, ""},
		{own + "/his", open, ""},
		{own + "/his", closed + "/open", "is not sent: user 12001 listens at the socket"},
		{own + "/his", "", ""},
		{own + "/root", secret, ""},
		{sticky + "/his", secret, "is not sent: user 12001 listens at the socket"},
		{sticky + "/root", secret, ""},
		{safe + "/his", secret, ""},
		{safe + "/link", secret, ""},
		{own + "/link", secret, "is a link that others than root can change"},
		{own + "/link", "", "is a link that others than root can change"},
		{own + "/none", secret, "server is not there"},
	} {
		text := "hello"
		if tt.file != "" {
			text = "{file " + tt.file + "}"
		}
		for _, a := range []Action{Socket{Path: tt.socket, Send: []string{text}}, HTTP{URL: "unix:" + tt.socket + ":/", Body: text, Timeout: 5 * time.Second}} {
			_, err := a.Do(t.Context(), Change{})
			if _, talks := a.(HTTP); talks && tt.want == "" {
				if err == nil || !strings.Contains(err.Error(), "cannot be understood") {
					t.Errorf("%s: %v", a.Name(), err) // it was reached: ok is no HTTP
				}
				continue
			}
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || len(Hints(err)) == 0 && tt.socket != own+"/none") {
				t.Errorf("%s: %v; want %q", a.Name(), err, tt.want)
			}
			foreseen := Foresee(t.Context(), a)
			if (foreseen != nil) != (tt.want != "") {
				t.Errorf("%s: foreseen: %v", a.Name(), foreseen)
			}
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for _, path := range []string{own + "/his", sticky + "/his"} {
		if strings.Contains(heard[path], "canary-secret") {
			t.Errorf("%s hears %s", path, heard[path])
		}
	}
	if !strings.Contains(heard[own+"/his"], "canary-open") || !strings.Contains(heard[own+"/root"], "canary-secret") {
		t.Errorf("what may be sent was not: %q", heard)
	}
	// A file that another user could have led elsewhere is read for nobody.
	if err := unix.Symlink(secret, own+"/file"); err != nil {
		t.Fatal(err)
	}
	if _, err := (Socket{Path: own + "/root", Send: []string{"{file " + own + "/file}"}}).Do(t.Context(), Change{}); err == nil || !strings.Contains(err.Error(), "is a link that others than root can change") {
		t.Error(err)
	}
}
