package fleetlock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/fault"
)

// A semaphore is a server of the protocol, by its text: it takes no request without the header, no
// body that is not as it is to be, and answers errors as the protocol has them.
type semaphore struct {
	slots map[string]int // by group
	store store

	mu   sync.Mutex
	mute bool // obeys, and does not answer
}

// A store keeps who holds a lock, by group. Write fails where somebody has written since the
// revision that was read.
type store interface {
	Read(group string) (holders []string, revision string, _ error)
	Write(group string, holders []string, revision string) (written bool, _ error)
}

// memory is a store that one semaphore has to itself.
type memory map[string][]string

func (m memory) Read(group string) ([]string, string, error) { return m[group], "", nil }

func (m memory) Write(group string, holders []string, _ string) (bool, error) {
	m[group] = holders
	return true, nil
}

func serve(t *testing.T, slots map[string]int, keeps store) (*semaphore, string) {
	t.Helper()
	s := &semaphore{slots: slots, store: keeps}
	h := httptest.NewServer(http.StripPrefix("/base", s))
	t.Cleanup(h.Close)
	return s, h.URL + "/base"
}

func (s *semaphore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	status, kind, value := s.obey(r)
	if s.mute {
		s.mute = false
		panic(http.ErrAbortHandler)
	}
	if w.WriteHeader(status); kind != "" {
		_ = json.NewEncoder(w).Encode(map[string]string{"kind": kind, "value": value})
	}
}

func (s *semaphore) obey(r *http.Request) (status int, kind, value string) {
	var in struct {
		Params *struct{ Group, ID string } `json:"client_params"`
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	switch err := d.Decode(&in); {
	case r.Method != http.MethodPost:
		return 405, "method_not_allowed", "required method POST"
	case r.Header.Get("fleet-lock-protocol") != "true":
		return 400, "missing_header", "missing required header fleet-lock-protocol: true"
	case err != nil || in.Params == nil || in.Params.ID == "" || !regexp.MustCompile(`^[a-zA-Z0-9.-]+$`).MatchString(in.Params.Group):
		return 400, "bad_request", "the body is not as it is to be"
	}
	group, id := in.Params.Group, in.Params.ID
	if s.slots[group] == 0 {
		return 400, "unknown_group", fmt.Sprintf("unknown group %q", group)
	}
	for {
		was, revision, err := s.store.Read(group)
		if err != nil {
			return 500, "failed_lock", "the store does not answer"
		}
		holders := slices.DeleteFunc(slices.Clone(was), func(holder string) bool { return holder == id })
		switch r.URL.Path {
		case "/v1/pre-reboot":
			if len(holders) >= s.slots[group] {
				return 409, "failed_lock_semaphore_full", "semaphore currently full, all slots are locked already"
			}
			holders = append(holders, id)
		case "/v1/steady-state":
		default:
			return 404, "not_found", "there is nothing"
		}
		if written, err := s.store.Write(group, holders, revision); err != nil {
			return 500, "failed_lock", "the store does not answer"
		} else if written {
			return 200, "", ""
		}
	}
}

func lock(t *testing.T, base, group, id string) *Lock {
	t.Helper()
	l, err := New(base, group, id)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func acquires(t *testing.T, l *Lock, want bool, wantWhy string) {
	t.Helper()
	if held, why, err := l.Acquire(t.Context()); held != want || why != wantWhy || err != nil {
		t.Errorf("%t, %q, %v; want %t, %q", held, why, err, want, wantWhy)
	}
}

func releases(t *testing.T, l *Lock) {
	t.Helper()
	if err := l.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

const full = "semaphore currently full, all slots are locked already (failed_lock_semaphore_full)"

// So many hold the lock at once, each as often as it likes, and who holds it not may release it.
func TestSemaphore(t *testing.T) {
	_, base := serve(t, map[string]int{"prod.web": 2, "prod.db": 1}, memory{})
	one, two, three := lock(t, base+"/", "prod.web", "1"), lock(t, base, "prod.web", "2"), lock(t, base, "prod.web", "3")
	acquires(t, one, true, "")
	acquires(t, one, true, "")
	acquires(t, two, true, "")
	acquires(t, three, false, full)
	acquires(t, lock(t, base, "prod.db", "3"), true, "")
	releases(t, three)
	acquires(t, three, false, full)
	releases(t, one)
	releases(t, one)
	acquires(t, three, true, "")
	acquires(t, one, false, full)
	acquires(t, lock(t, base, "none", "1"), false, `unknown group "none" (unknown_group)`)
	if err := lock(t, base, "none", "1").Release(t.Context()); err == nil || !strings.HasSuffix(err.Error(), `does not take the lock back: unknown group "none" (unknown_group)`) {
		t.Error(err)
	}
}

// Who has heard nothing may hold the lock, and gets it again.
func TestLostReply(t *testing.T) {
	s, base := serve(t, map[string]int{"web": 1}, memory{})
	one, two := lock(t, base, "web", "1"), lock(t, base, "web", "2")
	s.mute = true
	if held, _, err := one.Acquire(t.Context()); held || err == nil {
		t.Error(held, err)
	}
	acquires(t, two, false, full)
	acquires(t, one, true, "")
	s.mute = true
	if err := one.Release(t.Context()); err == nil {
		t.Error("nobody has answered")
	}
	releases(t, one)
	acquires(t, two, true, "")
}

// What is sent is what the protocol's own example sends.
func TestExample(t *testing.T) {
	var got string
	h := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = r.Method + " " + r.URL.Path + " " + r.Header.Get("fleet-lock-protocol") + " " + string(body)
	}))
	defer h.Close()
	acquires(t, lock(t, h.URL+"/base", "default", "c988d2509fdf5cdcbed39037c56406fb"), true, "")
	if want := `POST /base/v1/pre-reboot true {"client_params":{"group":"default","id":"c988d2509fdf5cdcbed39037c56406fb"}}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// An answer of somebody else is none, and nothing of it is shown.
func TestOtherAnswers(t *testing.T) {
	const canary = "c4n4ry"
	for _, c := range []struct {
		status     int
		body       string
		why        string
		want, hint string
	}{
		{423, `{"kind":"lock_held","value":"fleet lock is held by node n1"}`, "fleet lock is held by node n1 (lock_held)", "", ""},
		{500, `{"kind":"failed_lock","value":""}`, "failed_lock", "", ""},
		{500, `{"kind":"failed lock \u001b[2J","value":"a\n\u001b[2Jb` + strings.Repeat("x", 300) + `"}`, "a [2Jb" + strings.Repeat("x", 194) + "… (an error of a strange name)", "", ""},
		{404, "<html>" + canary, "", "answered 404, without an error of the protocol", "the base URL of a FleetLock server?"},
		{404, `{"kind":7}`, "", "answered 404, without", "the base URL"},
		{403, canary, "", "answered 403", "the protocol has no password"},
		{302, `{"kind":"a","value":"b"}`, "", "answered 302", "it leads elsewhere"},
		{204, "", "", "answered 204", "the base URL"},
		{503, "<html>" + canary, "", "answered 503", "on the server's side"},
		{500, `{"kind":"` + strings.Repeat(canary, 20_000) + `"}`, "", "answered 500", "on the server's side"},
	} {
		h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://example.com/"+canary)
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		}))
		held, why, err := lock(t, h.URL, "web", "1").Acquire(t.Context())
		h.Close()
		f, _ := errors.AsType[*fault.Fault](err)
		switch {
		case held || why != c.why || (err == nil) != (c.want == ""):
			t.Errorf("%d %.40s: %t, %q, %v", c.status, c.body, held, why, err)
		case err != nil && (!strings.Contains(err.Error(), c.want) || !strings.Contains(strings.Join(f.Hints, "\n"), c.hint) || strings.Contains(f.Text(), canary)):
			t.Errorf("%d: %s", c.status, f.Text())
		}
	}
}

// Nobody is there, or nobody answers in time.
func TestNobodyAnswers(t *testing.T) {
	h := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // whose end lets the server see that nobody waits
		<-r.Context().Done()
	}))
	l := lock(t, h.URL, "web", "1")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, _, err := l.Acquire(ctx); err == nil || !strings.HasSuffix(err.Error(), " does not answer") || !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	h.CloseClientConnections()
	h.Close()
	if _, _, err := l.Acquire(t.Context()); err == nil || !strings.HasSuffix(err.Error(), " refuses connections") {
		t.Error(err)
	}
}

func TestNew(t *testing.T) {
	for _, c := range [][3]string{
		{"ftp://example.com", "web", "1"}, {"http://user:hunter2@example.com", "web", "1"}, {"http://example.com/?a=b", "web", "1"},
		{"unix:/run/lock.sock", "web", "1"}, {"", "web", "1"}, {"http://example.com", "web#1", "1"}, {"http://example.com", "", "1"},
		{"http://example.com", "web", ""}, {"http://example.com", "web", strings.Repeat("x", 256)},
	} {
		_, err := New(c[0], c[1], c[2])
		if f, ok := errors.AsType[*fault.Fault](err); !ok || strings.Contains(f.Text(), "hunter2") {
			t.Errorf("%q: %v", c, err)
		}
	}
}
