package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A journal is a log that is written and read at once.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// running gives a server that runs until the test ends, and its log.
func running(t *testing.T, a Answers) (*Server, *journal) {
	t.Helper()
	log := new(journal)
	if a.Metrics == nil {
		a.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "rendered_x 1\n") })
	}
	s := NewServer(a, slog.New(slog.NewTextHandler(log, nil)))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); s.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return s, log
}

// free gives a port that nobody listens at.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return port(l.Addr().String())
}

// get asks, each time over a connection of its own.
func get(address, path string) (code int, text string, err error) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	answer, err := client.Get("http://" + address + path)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body), err
}

// within waits until something is so.
func within(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !so(); {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func answers(address string) func() bool {
	return func() bool { code, _, err := get(address, "/metrics"); return err == nil && code == http.StatusOK }
}

func TestAnswers(t *testing.T) {
	var tried atomic.Bool
	s, _ := running(t, Answers{
		Healthy: func(context.Context) error { return nil },
		Ready: func(context.Context) error {
			if tried.Load() {
				return nil
			}
			return errors.New("not yet looked at: 1 service of 2")
		},
	})
	at := "127.0.0.1:" + free(t)
	s.Set(at)
	within(t, "an answer", answers(at))
	for _, c := range []struct {
		path, want string
		code       int
	}{
		{"/metrics", "rendered_x 1\n", 200},
		{"/-/healthy", "healthy\n", 200},
		{"/-/healthy", "healthy\n", 200},
		{"/-/ready", "not ready: not yet looked at: 1 service of 2\n", 503},
		{"/", "404 page not found\n", 404},
	} {
		if code, text, err := get(at, c.path); err != nil || code != c.code || text != c.want {
			t.Errorf("%s: %d %q, %v", c.path, code, text, err)
		}
	}
	tried.Store(true)
	if code, text, _ := get(at, "/-/ready"); code != 200 || text != "ready\n" {
		t.Errorf("%d %q", code, text)
	}
	if answer, err := http.Post("http://"+at+"/metrics", "", nil); err != nil || answer.StatusCode != http.StatusMethodNotAllowed {
		t.Error("something can be posted", err)
	}
	big, _ := http.NewRequest(http.MethodGet, "http://"+at+"/metrics", nil)
	big.Header.Set("X", strings.Repeat("x", 2*mostHeader))
	if answer, err := http.DefaultClient.Do(big); err != nil || answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Error("a header has no bound", err)
	}
}

// A page has all other paths.
func TestPage(t *testing.T) {
	s, _ := running(t, Answers{Page: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.URL.Path) })})
	at := "127.0.0.1:" + free(t)
	s.Set(at)
	within(t, "an answer", answers(at))
	if code, text, err := get(at, "/style.css"); err != nil || code != 200 || text != "/style.css" {
		t.Errorf("%d %q, %v", code, text, err)
	}
}

// A listener that stays where it is answers all the time; one that moves answers at one address or
// the other at any time, where the port is another.
func TestNoGap(t *testing.T) {
	s, log := running(t, Answers{})
	a, b := "127.0.0.1:"+free(t), "127.0.0.1:"+free(t)
	s.Set(a)
	within(t, "an answer", answers(a))
	stop, failed := make(chan struct{}), make(chan error)
	var moves atomic.Int64
	move := func(to string) {
		moves.Add(1)
		s.Set(to)
	}
	go func() {
		var wrong error
		for {
			select {
			case <-stop:
				failed <- wrong
				return
			default:
			}
			// Whatever one move does meanwhile, one of the three is answered.
			before := moves.Load()
			_, _, atA := get(a, "/metrics")
			_, _, atB := get(b, "/metrics")
			_, _, again := get(a, "/metrics")
			if atA != nil && atB != nil && again != nil && moves.Load() == before {
				wrong = errors.Join(wrong, atA, atB)
			}
		}
	}()
	for range 5 {
		move(a)
		within(t, "the first address", answers(a))
		move(b)
		within(t, "the second address", answers(b))
		within(t, "the first address is given up", func() bool { return !answers(a)() })
	}
	close(stop)
	if err := <-failed; err != nil {
		t.Error(err)
	}
	if strings.Contains(log.String(), "level=ERROR") {
		t.Error(log.String())
	}
	s.Set("")
	within(t, "no answer", func() bool { return !answers(b)() })
}

// Another address of the same port takes the place of the one before.
func TestSamePort(t *testing.T) {
	s, log := running(t, Answers{})
	p := free(t)
	for _, at := range []string{"127.0.0.1:" + p, ":" + p, "127.0.0.1:" + p} {
		s.Set(at)
		within(t, "answering at "+at, func() bool { return strings.Count(log.String(), "at="+at+"\n") > 0 && answers("127.0.0.1:"+p)() })
	}
}

// Where an address is taken that is said once, the one before stays, and it is tried until it is
// free.
func TestTaken(t *testing.T) {
	s, log := running(t, Answers{})
	first := "127.0.0.1:" + free(t)
	s.Set(first)
	within(t, "an answer", answers(first))
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	taken := other.Addr().String()
	s.Set(taken)
	within(t, "it is said", func() bool { return strings.Contains(log.String(), "level=ERROR") })
	if !answers(first)() {
		t.Error("the address before is given up")
	}
	for _, want := range []string{"address already in use", "ss -ltnp 'sport = :" + port(taken) + "'", "at=" + taken} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("not said: %s\n%s", want, log)
		}
	}
	other.Close()
	within(t, "an answer at last", answers(taken))
	if answers(first)() || strings.Count(log.String(), "level=ERROR") != 1 {
		t.Errorf("%s", log)
	}
}

// Connections without end take no more than their share of the descriptors.
func TestConnectionsAreBounded(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := limit(inner, 2)
	accepted := make(chan net.Conn, 10)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- conn
		}
	}()
	for range 3 {
		conn, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	first := <-accepted
	<-accepted
	select {
	case <-accepted:
		t.Fatal("a third connection of two")
	case <-time.After(50 * time.Millisecond):
	}
	first.Close()
	first.Close()
	<-accepted
	l.Close()
	if _, more := <-accepted; more {
		t.Error(fmt.Errorf("one more"))
	}
}
