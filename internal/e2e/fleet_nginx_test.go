package e2e

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/awsfake"
)

// The port is each host's own, by its environment, and no part of what the change is.
const siteOfFleet = `services:
  web:
    files:
      - {path: out, template: site.tmpl}
    notify: [{signal: HUP, pid_file: nginx.pid}]
    healthy: [{run: 'curl -fsS http://127.0.0.1:$PORT/'}]
    healthy_for: 500ms
    healthy_within: 5s
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

// atWork gives the hosts that have slots, as fleet status has it.
func (f *fleet) atWork() (hosts []string) {
	var all struct {
		Groups []struct {
			Slots []struct {
				Host string
				Kept bool
			}
		}
	}
	if json.Unmarshal([]byte(f.hosts[0].asks("fleet", "status", "--json")), &all) != nil || len(all.Groups) != 1 {
		return nil
	}
	for _, s := range all.Groups[0].Slots {
		hosts = append(hosts, s.Host)
	}
	return hosts
}

// rolls waits until all hosts have a text, and looks how many work at once.
func (f *fleet) rolls(what, text string, most int) {
	f.t.Helper()
	begun := time.Now()
	f.waits(what, 8*time.Minute, func() bool {
		if n := len(f.atWork()); n > most {
			f.t.Fatalf("%d hosts work at once\n%s", n, f.status())
		}
		return f.have(len(f.hosts), text)
	})
	f.waits("all are current", time.Minute, func() bool { return f.are(len(f.hosts), "current") })
	f.t.Logf("%s, after %v:\n%s", what, time.Since(begun).Round(time.Second), f.status())
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
	t.Logf("at the begin:\n%s", f.status())
	f.aws.PutSecret("cert", "good-2")
	f.rolls("a good version has rolled", "# good-2", 2)
	f.badTemplate()
	f.aws.PutSecret("cert", "good-3")
	f.killHolder()
	f.rolls("the next version has rolled, though a daemon was killed", "# good-3", 2)
	f.tableAway()
}

// badTemplate gives all hosts a template that is not well: it goes no farther than the first.
func (f *fleet) badTemplate() {
	f.t.Helper()
	for _, h := range f.hosts {
		h.write("site.tmpl", badSite)
	}
	f.waits("the change is halted", 3*time.Minute, func() bool { return f.are(1, "rolled-back") && f.are(15, "halted") })
	f.t.Logf("halted:\n%s", f.status())
	if !f.have(20, "# good-2") || f.are(2, "rolled-back") {
		f.t.Error("the bad template has gone farther than one host")
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
	f.waits("a host has a slot", 2*time.Minute, func() bool {
		for _, name := range f.atWork() {
			for _, h := range f.hosts[1:] { // the first is asked
				if h.name == name {
					holder = h
				}
			}
		}
		return holder != nil
	})
	holder.d.kill(f.t)
	killed := time.Now()
	f.t.Logf("%s is killed:\n%s", holder.name, f.status())
	f.waits("its slot is free", 4*time.Minute, func() bool {
		for _, name := range f.atWork() {
			if name == holder.name {
				return false
			}
		}
		return true
	})
	f.t.Logf("its slot is free after %v", time.Since(killed).Round(time.Second))
	holder.begin()
}

// tableAway has nobody reach the table: all hosts go by themselves, and say so.
func (f *fleet) tableAway() {
	f.t.Helper()
	for _, operation := range []string{"UpdateItem", "Query"} {
		defer f.aws.Inject(awsfake.Fault{Operation: operation, Kind: awsfake.Drop})()
	}
	f.aws.PutSecret("cert", "good-4")
	begun := time.Now()
	f.waits("all hosts go by themselves", 10*time.Minute, func() bool { return f.have(20, "# good-4") })
	f.t.Logf("all hosts have gone by themselves after %v", time.Since(begun).Round(time.Second))
}
