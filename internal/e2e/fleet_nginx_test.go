package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/awsfake"
)

// The port is each host's own, by its environment, and no part of what the change is.
const siteOfFleet = `metrics: {textfile: rendered.prom}
services:
  web:
    files:
      - {path: out, template: site.tmpl}
    notify: [{signal: HUP, pid_file: nginx.pid}]
    healthy: [{run: 'curl -fsS http://127.0.0.1:$PORT/'}]
    healthy_for: 500ms
    healthy_within: 15s
    rollback: always
    rollout: {max_unavailable: 2, canary: true, bake: 2s, max_wait: 5m}
`

const goodSite = `# {{ secret "cert" }}
server { listen 127.0.0.1:{{ env "PORT" }}; location / { return 200 "{{ secret "cert" }}"; } }
`

const badSite = `# bad {{ secret "cert" }}
server { listen 127.0.0.1:{{ env "PORT" }}; location / { return 502; } }
`

// nginx runs one on a host, which serves its site.
func (h *fleetHost) nginx() {
	h.write("nginx.conf", `daemon off; pid DIR/nginx.pid; error_log DIR/error.log notice; worker_processes 1; events {}
http {
  access_log off;
  client_body_temp_path DIR/body; proxy_temp_path DIR/proxy; fastcgi_temp_path DIR/fastcgi; uwsgi_temp_path DIR/uwsgi; scgi_temp_path DIR/scgi;
  include DIR/ou[t];
}
`)
	h.write("site.tmpl", goodSite)
	h.serve("nginx", "-p", h.dir, "-c", h.path("nginx.conf"))
	until(h.t.Fatalf, "nginx runs", func() bool { return h.read("nginx.pid") != "" })
}

// A slotOfFleet is one that a host has, as fleet status has it.
type slotOfFleet struct {
	Host  string
	Until time.Time
}

// A groupOfFleet is what fleet status says of one.
type groupOfFleet struct {
	Slots []slotOfFleet
	Hosts []struct {
		Services []struct{ Change, State string }
	}
}

// group gives how the hosts stand by the table.
func (f *fleet) group() groupOfFleet {
	var all struct{ Groups []groupOfFleet }
	if json.Unmarshal([]byte(f.hosts[0].asks("fleet", "status", "--json")), &all) != nil || len(all.Groups) != 1 {
		return groupOfFleet{}
	}
	return all.Groups[0]
}

// slots gives those that hosts have.
func (f *fleet) slots() []slotOfFleet { return f.group().Slots }

// change gives that which all hosts have and are well with; "": they have several, or are not.
func (f *fleet) change() (change string) {
	group := f.group()
	if len(group.Hosts) != len(f.hosts) {
		return ""
	}
	for _, h := range group.Hosts {
		for _, s := range h.Services {
			if change = cmp.Or(change, s.Change); s.Change != change || s.State != "current" {
				return ""
			}
		}
	}
	return change
}

// atWork gives the hosts that have slots.
func (f *fleet) atWork() (hosts []string) {
	for _, s := range f.slots() {
		hosts = append(hosts, s.Host)
	}
	return hosts
}

// logs keeps what an operator sees at a point.
func (f *fleet) logs(point string) {
	f.t.Helper()
	f.t.Logf("%s:\n%s", point, f.status())
}

// rolls waits until all hosts have a text, and looks how many work at once.
func (f *fleet) rolls(what, text string, most int) {
	f.t.Helper()
	begun := time.Now()
	points := []struct {
		is    func() bool
		point string
	}{
		{func() bool { return len(f.atWork()) > 0 }, "the first host is at work"},
		{func() bool { return f.have(len(f.hosts)/3, text) }, "it rolls"},
	}
	f.waits(what, 8*time.Minute, func() bool {
		if n := len(f.atWork()); n > most {
			f.t.Fatalf("%d hosts work at once\n%s", n, f.status())
		}
		if len(points) > 0 && points[0].is() {
			f.logs(points[0].point)
			points = points[1:]
		}
		return f.have(len(f.hosts), text)
	})
	f.waits("all are current", time.Minute, func() bool { return f.are(len(f.hosts), "current") })
	f.logs(fmt.Sprintf("%s, after %v", what, time.Since(begun).Round(time.Second)))
}

// A touch is what a host has had done to it.
type touch struct {
	written time.Time // its file
	reloads int       // of its nginx
}

// touches gives what the hosts have had done to them.
func (f *fleet) touches() (list []touch) {
	f.t.Helper()
	for _, h := range f.hosts {
		info := must(os.Stat(h.path("out")))
		list = append(list, touch{info.ModTime(), strings.Count(h.read("error.log"), ", reconfiguring")})
	}
	return list
}

// serve wants all hosts to serve what the secret holds.
func (f *fleet) serve(text string) {
	f.t.Helper()
	for _, h := range f.hosts {
		answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", h.port))
		if err != nil {
			f.t.Error(err)
			continue
		}
		var body [100]byte
		n, _ := answer.Body.Read(body[:])
		answer.Body.Close()
		if got := string(body[:n]); answer.StatusCode != http.StatusOK || got != text {
			f.t.Errorf("%s serves %q, %s; want %q", h.name, got, answer.Status, text)
		}
	}
}

// TestFleetOfTwenty has twenty daemons keep the sites of twenty nginx.
func TestFleetOfTwenty(t *testing.T) {
	if !*wholeFleet {
		t.Skip("-fleet")
	}
	needed(t, "nginx")
	needed(t, "curl")
	f := newFleet(t, 20, siteOfFleet, (*fleetHost).nginx)
	f.waits("all hosts have their first file", 2*time.Minute, func() bool { return f.have(20, "# good-1") && f.are(20, "current") })
	f.logs("at the begin")
	f.aws.PutSecret("cert", "good-2")
	f.rolls("a good version has rolled", "# good-2", 2)
	f.serve("good-2")
	f.badTemplate()
	f.aws.PutSecret("cert", "good-3")
	f.killHolder()
	f.rolls("the next version has rolled, though a daemon was killed", "# good-3", 2)
	f.serve("good-3")
	f.tableAway()
}

// badTemplate gives all hosts a template that is not well: it goes no farther than the first.
func (f *fleet) badTemplate() {
	f.t.Helper()
	before := f.touches()
	for _, h := range f.hosts {
		h.write("site.tmpl", badSite)
	}
	f.waits("the change is halted", 3*time.Minute, func() bool { return f.are(1, "rolled-back") && f.are(19, "halted") })
	f.logs("halted")
	if !f.have(20, "# good-2") || f.are(2, "rolled-back") {
		f.t.Error("the bad template has gone farther than one host")
	}
	f.serve("good-2")
	var touched []string
	for i, is := range f.touches() {
		if is != before[i] {
			touched = append(touched, f.hosts[i].name)
			f.t.Logf("%s was reloaded %d times", f.hosts[i].name, is.reloads-before[i].reloads)
		}
	}
	if len(touched) != 1 {
		f.t.Errorf("%v were touched, want one host", touched)
	}
	for _, h := range f.hosts {
		h.write("site.tmpl", goodSite)
	}
	f.waits("the good template is in force", time.Minute, func() bool { return f.are(20, "current") })
}

// killHolder kills the daemon that goes first: its slot is free when its lease ends.
func (f *fleet) killHolder() {
	f.t.Helper()
	var holder *fleetHost
	var slot slotOfFleet
	f.waits("a host has a slot", 2*time.Minute, func() bool {
		for _, s := range f.slots() {
			i := slices.IndexFunc(f.hosts[1:], func(h *fleetHost) bool { return h.name == s.Host }) // the first is asked
			if i >= 0 {
				holder, slot = f.hosts[1+i], s
			}
		}
		return holder != nil
	})
	holder.d.kill(f.t)
	f.logs(holder.name + " is killed")
	lives := func(s slotOfFleet) bool { return s.Host == holder.name }
	f.waits("its slot is free", 4*time.Minute, func() bool {
		list := f.slots()
		i := slices.IndexFunc(list, lives)
		if i >= 0 {
			slot = list[i] // it may have been renewed just before
		}
		return i < 0
	})
	late := time.Since(slot.Until).Round(time.Second)
	f.logs(fmt.Sprintf("its slot is free %v after its lease", late))
	if late > 10*time.Second {
		f.t.Errorf("the lease has ended %v before", late)
	}
	holder.begin()
}

// alone counts the hosts that have taken a turn by themselves, as the table was away.
func (f *fleet) alone() (hosts int) {
	for _, h := range f.hosts {
		if text := h.read("rendered.prom"); strings.Contains(text, `rendered_rollout_turns_total{kind="away"} 1`) {
			hosts++
		}
	}
	return hosts
}

// tableAway has nobody reach the table: all hosts go by themselves, and say so.
func (f *fleet) tableAway() {
	f.t.Helper()
	was := f.change()
	if n := f.alone(); n > 0 {
		f.t.Errorf("%d hosts have gone by themselves, though the table answered", n)
	}
	for _, operation := range []string{"UpdateItem", "Query"} {
		f.aws.Inject(awsfake.Fault{Operation: operation, Kind: awsfake.Drop})
	}
	f.aws.PutSecret("cert", "good-4")
	begun := time.Now()
	said := func() string {
		out, _ := f.hosts[0].command(f.hosts[0].exe, "fleet", "status").CombinedOutput()
		return string(out)
	}
	f.t.Logf("the table is away:\n%s", said())
	f.waits("all hosts go by themselves", 10*time.Minute, func() bool { return f.have(20, "# good-4") })
	f.t.Logf("all hosts have gone by themselves after %v", time.Since(begun).Round(time.Second))
	f.serve("good-4")
	f.waits("all hosts have counted that", time.Minute, func() bool { return f.alone() == 20 })
	f.aws.Clear()
	f.waits("the table knows it, once it is back", 6*time.Minute, func() bool { is := f.change(); return is != "" && is != was })
	f.logs("the table is back")
}
