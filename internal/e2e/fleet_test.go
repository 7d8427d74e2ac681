package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/awsfake"
)

var wholeFleet = flag.Bool("fleet", false, "twenty daemons, each with an nginx, go through the changes of a fleet, which takes a quarter of an hour")

// A fleetHost is a daemon with a host name of its own, and the files of one service.
type fleetHost struct {
	*live
	name string
	port int
	d    *daemon
}

// A fleet is some hosts that meet at a table of our fake.
type fleet struct {
	t     *testing.T
	aws   *awsfake.Server
	hosts []*fleetHost
}

// newFleet gives one. The config is the same on all hosts.
func newFleet(t *testing.T, hosts int, config string, prepare func(*fleetHost)) *fleet {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("host names take root")
	}
	f := &fleet{t: t, aws: awsfake.Start(t)}
	f.aws.MakeTable("rendered")
	f.aws.PutSecret("cert", "good-1")
	for i := range hosts {
		h := &fleetHost{live: newLive(t, 0), name: fmt.Sprintf("host-%02d", i+1), port: freePort(t)}
		h.aws = f.aws
		h.write("rendered.yaml", "state_dir: state\nschedule: '@every 1s'\nsplay: 0s\nsettle: 20ms\nfleet: {table: rendered, name: prod}\n"+config)
		if prepare != nil {
			prepare(h)
		}
		f.hosts = append(f.hosts, h)
		f.aws.PutSecret(h.name+"/own", h.name)
	}
	for _, h := range f.hosts {
		h.begin()
	}
	return f
}

// begin begins a life of the daemon.
func (h *fleetHost) begin() {
	h.t.Helper()
	r, w := must2(os.Pipe())
	defer w.Close()
	cmd := h.command("sh", "-c", "hostname "+h.name+" && exec "+h.exe+" run")
	cmd.Env = append(cmd.Env, "HERE="+h.dir, fmt.Sprint("PORT=", h.port))
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUTS}
	cmd.Stderr, cmd.ExtraFiles = h.log, []*os.File{w}
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	d := &daemon{cmd, r}
	h.d = d
	h.t.Cleanup(func() {
		if d.ProcessState == nil {
			_ = d.Process.Kill()
			_ = d.Wait()
			d.bury()
		}
	})
}

// state gives how the service stands, and what it waits for in the fleet.
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

// waits waits until something is so, which takes programs to find out.
func (f *fleet) waits(what string, longest time.Duration, is func() bool) {
	f.t.Helper()
	for end := time.Now().Add(longest); !is(); time.Sleep(300 * time.Millisecond) {
		if time.Now().After(end) {
			for _, h := range f.hosts {
				f.t.Logf("%s has %q, and is %s", h.name, h.read("out"), h.state())
			}
			f.t.Fatalf("waited in vain until %s\n%s", what, f.status())
		}
	}
}

// status gives what an operator sees.
func (f *fleet) status() string { return f.hosts[0].asks("fleet", "status") }

// have tells whether so many hosts have a text at the begin of their files.
func (f *fleet) have(hosts int, text string) bool {
	n := 0
	for _, h := range f.hosts {
		if strings.HasPrefix(h.read("out"), text) {
			n++
		}
	}
	return n >= hosts
}

// are tells whether so many hosts stand so.
func (f *fleet) are(hosts int, state string) bool {
	n := 0
	for _, h := range f.hosts {
		if strings.Contains(h.state(), state) {
			n++
		}
	}
	return n >= hosts
}

// wantsResume looks what the host is told to do whose change was rolled back: who asks for it once
// more has it wait for who resumes it.
func (f *fleet) wantsResume() {
	f.t.Helper()
	for _, h := range f.hosts {
		if !strings.Contains(h.state(), "rolled-back") {
			continue
		}
		status := h.asks("status", "web")
		out, err := h.command(h.exe, "refresh", "web", "--wait").CombinedOutput()
		for verb, said := range map[string]string{"status": status, "refresh": string(out)} {
			if words := strings.Join(strings.Fields(said), " "); !strings.Contains(words, "rendered fleet resume web") || strings.Contains(words, "rendered refresh") {
				f.t.Errorf("%s says\n%s", verb, said)
			}
		}
		if err == nil || !strings.Contains(string(out), "halted") {
			f.t.Errorf("refresh: %v\n%s", err, out)
		}
	}
}

const smallService = `services:
  web:
    files:
      - {path: out, content: '{{ secret "cert" }}'}
      - {path: own, content: '{{ secret (printf "%s/own" hostname) }}'}
    notify: [{run: 'date +%s.%N >>$HERE/told', timeout: 1s}]
    healthy: [{run: '! grep -q bad $HERE/out'}]
    healthy_for: 200ms
    healthy_within: 2s
    rollback: always
    rollout: {max_unavailable: 1, bake: 1s}
`

// A change goes to one host first, then to the others; one that is not well goes no farther than
// the first.
func TestFleetOfThree(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3, smallService, nil)
	f.waits("all hosts have their first file", time.Minute, func() bool { return f.have(3, "good-1") })
	f.aws.PutSecret("cert", "good-2")
	f.waits("all hosts have the second version", 3*time.Minute, func() bool { return f.have(3, "good-2") && f.are(3, "current") })
	f.aws.PutSecret("cert", "bad-3")
	f.waits("the change is halted", 2*time.Minute, func() bool { return f.are(2, "halted") && f.are(1, "rolled-back") })
	if !f.have(3, "good-2") {
		t.Error("a host has the bad version")
	}
	f.wantsResume()
	f.aws.PutSecret("cert", "good-4")
	f.waits("all hosts have the next version", 3*time.Minute, func() bool { return f.have(3, "good-4") && f.are(3, "current") })
}
