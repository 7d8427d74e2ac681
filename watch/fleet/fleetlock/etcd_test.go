package fleetlock

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// An etcd is a store that several semaphores share: a key for each group, which is written where
// nobody has written it since. It is spoken to by its gateway for JSON.
type etcd struct {
	t       *testing.T
	dir     string
	address string
	cmd     *exec.Cmd
}

func newEtcd(t *testing.T) *etcd {
	if _, err := exec.LookPath("etcd"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	e := &etcd{t: t, dir: t.TempDir(), address: "http://" + free(t)}
	e.start()
	t.Cleanup(e.kill)
	return e
}

// free gives an address of this host at which nobody listens.
func free(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (e *etcd) start() {
	e.t.Helper()
	peers := "http://" + free(e.t)
	e.cmd = exec.Command("etcd", "--data-dir", e.dir, "--listen-client-urls", e.address, "--advertise-client-urls", e.address,
		"--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", "default="+peers, "--log-level", "error")
	if err := e.cmd.Start(); err != nil {
		e.t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); ; {
		if _, _, err := e.Read("none"); err == nil {
			return
		} else if time.Now().After(end) {
			e.t.Fatal(err)
		}
		<-time.After(20 * time.Millisecond)
	}
}

func (e *etcd) kill() {
	_ = e.cmd.Process.Kill()
	_ = e.cmd.Wait()
}

// ask makes a request, and decodes its answer.
func (e *etcd) ask(path, body string, to any) error {
	client := &http.Client{Timeout: 5 * time.Second}
	answer, err := client.Post(e.address+path, "application/json", strings.NewReader(body))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", path, answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(to)
}

func keyOf(group string) string {
	return base64.StdEncoding.EncodeToString([]byte("fleetlock/" + group))
}

func (e *etcd) Read(group string) (holders []string, revision string, _ error) {
	var answer struct {
		KVs []struct {
			Value    []byte
			Revision string `json:"mod_revision"`
		}
	}
	if err := e.ask("/v3/kv/range", fmt.Sprintf(`{"key": %q}`, keyOf(group)), &answer); err != nil {
		return nil, "", err
	}
	if len(answer.KVs) == 0 {
		return nil, "0", nil
	}
	return strings.Fields(string(answer.KVs[0].Value)), answer.KVs[0].Revision, nil
}

func (e *etcd) Write(group string, holders []string, revision string) (written bool, _ error) {
	var answer struct{ Succeeded bool }
	var body bytes.Buffer
	fmt.Fprintf(&body, `{"compare": [{"key": %q, "target": "MOD", "mod_revision": %q, "result": "EQUAL"}], "success": [{"request_put": {"key": %[1]q, "value": %[3]q}}]}`,
		keyOf(group), revision, base64.StdEncoding.EncodeToString([]byte(strings.Join(holders, " "))))
	err := e.ask("/v3/kv/txn", body.String(), &answer)
	return answer.Succeeded, err
}

// Two servers of the protocol keep their locks in one etcd, as those of a real fleet do. Whichever a
// host asks, no more hold the lock than may; what is kept outlives servers and etcd; while that is
// away nobody gets a lock, and nobody loses one.
func TestOverEtcd(t *testing.T) {
	e := newEtcd(t)
	slots := map[string]int{"web": 2, "db": 1}
	first, a := serve(t, slots, e)
	_, b := serve(t, slots, e)

	const rounds = 10
	var inside, most, turns atomic.Int64
	var hosts sync.WaitGroup
	for i := range 6 {
		at := [2]*Lock{lock(t, a, "web", fmt.Sprint("host-", i)), lock(t, b, "web", fmt.Sprint("host-", i))}
		hosts.Go(func() {
			for n := range rounds {
				for {
					held, why, err := at[n%2].Acquire(t.Context())
					if err != nil || !held && why != full {
						t.Errorf("host-%d: %q, %v", i, why, err)
						return
					}
					if held {
						break
					}
					<-time.After(time.Millisecond)
				}
				now := inside.Add(1)
				for was := most.Load(); now > was && !most.CompareAndSwap(was, now); was = most.Load() {
				}
				<-time.After(time.Millisecond)
				turns.Add(1)
				inside.Add(-1)
				if err := at[(n+1)%2].Release(t.Context()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	hosts.Wait()
	if most.Load() > 2 || turns.Load() != 6*rounds {
		t.Errorf("%d hold it at once, in %d turns; want 2 at most, in %d", most.Load(), turns.Load(), 6*rounds)
	}

	one, two := lock(t, a, "db", "1"), lock(t, a, "db", "2")
	first.mute = true
	if held, _, err := one.Acquire(t.Context()); held || err == nil {
		t.Error(held, err)
	}
	acquires(t, lock(t, b, "db", "2"), false, full)
	acquires(t, lock(t, b, "db", "1"), true, "")

	e.kill()
	const away = "the store does not answer (failed_lock)"
	acquires(t, one, false, away)
	acquires(t, two, false, away)
	if err := one.Release(t.Context()); err == nil || !strings.HasSuffix(err.Error(), "does not take the lock back: "+away) {
		t.Error(err)
	}
	e.start()
	acquires(t, two, false, full)
	acquires(t, one, true, "")
	releases(t, one)
	acquires(t, two, true, "")
}
