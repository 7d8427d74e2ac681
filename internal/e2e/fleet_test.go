package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/awsfake"
)

// A fleetHost is a daemon with a host name of its own, and the files of one service.
type fleetHost struct {
	*live
	name string
	d    *daemon
}

// newFleet gives hosts that meet at a table of our fake. Each has a service that is well unless its
// file says otherwise.
func newFleet(t *testing.T, hosts int, rollout string) ([]*fleetHost, *awsfake.Server) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("host names take root")
	}
	aws := awsfake.Start(t)
	aws.MakeTable("rendered")
	aws.PutSecret("cert", "good-1")
	var list []*fleetHost
	for i := range hosts {
		h := &fleetHost{live: newLive(t, 0), name: fmt.Sprintf("host-%02d", i+1)}
		h.aws = aws
		h.write("rendered.yaml", `state_dir: state
schedule: '@every 1s'
splay: 0s
settle: 20ms
fleet: {table: rendered, name: prod}
services:
  web:
    files: [{path: out, content: '{{ secret "cert" }} {{ .generation }}'}]
    vars: {generation: 1}
    notify: [{run: 'date +%s.%N >>$HERE/told', timeout: 1s}]
    healthy: [{run: '! grep -q bad $HERE/out'}]
    healthy_for: 200ms
    healthy_within: 2s
    rollback: always
    rollout: `+rollout+"\n")
		h.begin()
		list = append(list, h)
	}
	return list, aws
}

// begin begins a life of the daemon.
func (h *fleetHost) begin() {
	h.t.Helper()
	r, w := must2(os.Pipe())
	defer w.Close()
	cmd := h.command("sh", "-c", "hostname "+h.name+" && exec "+h.exe+" run")
	cmd.Env = append(cmd.Env, "HERE="+h.dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUTS}
	cmd.Stderr, cmd.ExtraFiles = h.log, []*os.File{w}
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.d = &daemon{cmd, r}
	d := h.d
	h.t.Cleanup(func() {
		if d.ProcessState == nil {
			_ = d.Process.Kill()
			_ = d.Wait()
			d.bury()
		}
	})
}

func (h *fleetHost) state() string {
	out, _ := h.command(h.exe, "status", "--json").Output()
	var all struct {
		Services []struct{ State, Fleet string }
	}
	if json.Unmarshal(out, &all) != nil || len(all.Services) != 1 {
		return "no answer"
	}
	return strings.TrimSpace(all.Services[0].State + " " + all.Services[0].Fleet)
}

// A change goes to one host first, then to the others; one that is not well goes no farther than
// the first.
func TestFleetOfThree(t *testing.T) {
	hosts, aws := newFleet(t, 3, "{max_unavailable: 1, bake: 1s}")
	everywhere := func(text string) func() bool {
		return func() bool {
			for _, h := range hosts {
				if !strings.HasPrefix(h.read("out"), text) || h.state() != "current" {
					return false
				}
			}
			return true
		}
	}
	show := func(format string, args ...any) {
		t.Helper()
		for _, h := range hosts {
			t.Logf("%s has %q, and is %s", h.name, h.read("out"), h.state())
		}
		t.Fatalf(format, args...)
	}
	untilWithin(90*time.Second, show, "all hosts have the first version", everywhere("good-1"))
	aws.PutSecret("cert", "good-2")
	untilWithin(90*time.Second, show, "all hosts have the second version", everywhere("good-2"))
	aws.PutSecret("cert", "bad-3")
	halted := func() bool {
		n := 0
		for _, h := range hosts {
			if strings.Contains(h.state(), "halted") {
				n++
			}
		}
		return n >= 2
	}
	untilWithin(90*time.Second, show, "the change is halted", halted)
	for _, h := range hosts {
		if !strings.HasPrefix(h.read("out"), "good-2") {
			t.Errorf("%s has %q", h.name, h.read("out"))
		}
	}
}

var _ = exec.Command
