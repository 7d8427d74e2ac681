package systemd_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A dependent is a unit that is told, and what is said then.
type dependent struct {
	unit   string // its [Service] section; "" where there is no unit
	notice string // what is done to it; "restart" where it is empty
	begins bool   // it runs beforehand
	upFor  string // for how long it must stay up; "" is as by default
	says   string // a regular expression
}

const (
	told  = `told +%s \(`
	fails = ` %s: `
)

// dependents are units of every kind. Each reads its environment from what is rendered.
var dependents = map[string]dependent{
	"up":      {unit: "ExecStart=sleep infinity", says: told},
	"exits":   {unit: `ExecStart=sh -c 'echo "the password $PASSWORD is wrong"; exit 1'`, says: fails + `failed %d after its restart: exit status 1;`},
	"killed":  {unit: `ExecStart=sh -c 'sleep 1; kill -KILL $$$$'`, says: fails + `failed %d after its restart: killed by KILL;`},
	"soon":    {unit: "ExecStart=sh -c 'sleep 0.02; exit 9'", says: fails + `failed %d after its restart: exit status 9;`},
	"late":    {unit: "ExecStart=sh -c 'sleep 4; exit 10'", upFor: "6s", says: ` restart late\.service \(up for 6s\): failed [345](\.\d+)?s after its restart: exit status 10;`},
	"later":   {unit: "ExecStart=sh -c 'sleep 5; exit 11'", says: told},
	"loops":   {unit: "ExecStart=false\nRestart=always\nRestartSec=100ms", says: fails + `(failed|ended) %d after its restart(: exit status 1)?; systemd starts it again`},
	"waits":   {unit: "ExecStart=sh -c 'sleep 0.2; exit 2'\nRestart=on-failure\nRestartSec=1h", says: fails + `failed %d after its restart: exit status 2; systemd starts it again`},
	"zero":    {unit: "ExecStart=true", says: fails + `ended %d after its restart;`},
	"zeros":   {unit: "ExecStart=true\nRestart=always\nRestartSec=100ms", says: fails + `(failed|ended) %d after its restart.*; systemd starts it again`},
	"exec":    {unit: "Type=exec\nExecStart=sh -c 'sleep 0.1; exit 6'", says: fails + `(restart failed|failed %d after its restart): exit status 6;`},
	"job":     {unit: "Type=oneshot\nExecStart=sh -c 'sleep 0.2'", says: told},
	"remains": {unit: "Type=oneshot\nExecStart=true\nRemainAfterExit=yes", begins: true, says: told},
	"badjob":  {unit: "Type=oneshot\nExecStart=sh -c 'exit 3'", says: fails + `restart failed: exit status 3;`},
	"ready":   {unit: "Type=notify\nNotifyAccess=all\nExecStart=sh -c 'systemd-notify --ready; exec sleep infinity'", says: told},
	"unready": {unit: "Type=notify\nNotifyAccess=all\nExecStart=sh -c 'sleep 0.1; exit 4'", says: fails + `restart failed: exit status 4;`},
	"readied": {unit: "Type=notify\nNotifyAccess=all\nExecStart=sh -c 'systemd-notify --ready; sleep 1; exit 4'", says: fails + `failed %d after its restart: exit status 4;`},
	"forks":   {unit: "Type=forking\nExecStart=sh -c '(exec sleep infinity) &'", says: told},
	"forked":  {unit: "Type=forking\nExecStart=sh -c '(sleep 1.5; exit 5) &'", says: fails + `failed %d after its restart: exit status 5;`},
	"masked":  {unit: "ExecStart=true", says: fails + `unit is masked;`},
	"missing": {says: fails + `there is no such unit;`},
	"reads":   {unit: "ExecStart=sh -c 'trap : HUP; while :; do sleep 0.1; done'\nExecReload=kill -HUP $MAINPID", notice: "reload", begins: true, says: told},
	"refuses": {unit: "ExecStart=sleep infinity\nExecReload=sh -c 'echo no; exit 7'", notice: "reload", begins: true, says: fails + `reload failed: exit status 7;|` + fails + `reload failed;`},
	"dies":    {unit: "ExecStart=sleep infinity\nExecReload=kill -HUP $MAINPID", notice: "reload", begins: true, says: fails + `ended %d after its reload;`},
	"returns": {unit: "ExecStart=sleep infinity\nExecReload=kill -HUP $MAINPID\nRestart=always\nRestartSec=100ms", notice: "reload", begins: true,
		says: `after its reload; systemd has started it again, with the new files`},
	"stopped": {unit: "ExecStart=sleep infinity\nExecReload=kill -HUP $MAINPID", notice: "reload", says: `stopped.service is inactive: nothing to reload`},
	"starts":  {unit: "ExecStart=sh -c 'exit 8'", notice: "start", says: fails + `failed %d after its start: exit status 8;`},
	"once":    {unit: "ExecStart=true", notice: "start", says: `once.service ended %d after its start, without an error`},
	"runs":    {unit: "ExecStart=sleep infinity", notice: "start", begins: true, says: told},
}

// unitsThatStay has units of all kinds told side by side. Which did not stay up is said, with what
// it wrote last, in which no value stands.
func unitsThatStay(s *site) {
	config := "state_dir: /var/lib/staying\nvalues: /etc/staying.values\nservices:\n"
	for _, name := range slices.Sorted(maps.Keys(dependents)) {
		d := dependents[name]
		config += fmt.Sprintf("  %s:\n    files: [{path: /etc/staying/%[1]s, format: dotenv, content: %q}]\n    notify: [%s: %[1]s.service]\n",
			name, `PASSWORD={{ secret "password" | envQuote }}`+"\n", d.verb())
		if d.upFor != "" {
			config += "    healthy_for: " + d.upFor + "\n"
		}
		if d.unit != "" {
			s.write("/etc/systemd/system/"+name+".service", "[Service]\nEnvironmentFile=-/etc/staying/"+name+"\n"+d.unit+"\n")
		}
	}
	config += "  listens:\n    files: [{path: /etc/staying/listens, content: x}]\n    notify: [restart: listens.socket]\n"
	s.write("/etc/systemd/system/listens.socket", "[Socket]\nListenStream=/run/listens\n")
	s.write("/etc/systemd/system/listens.service", "[Service]\nExecStart=sleep infinity\n")
	s.write("/etc/staying.yaml", config)
	s.write("/etc/staying.values", "secrets: {password: p4ss-of-staying}\n")
	s.must("mkdir", "-p", "/etc/staying")
	s.must("systemctl", "daemon-reload")
	s.must("rm", "/etc/systemd/system/masked.service")
	s.must("systemctl", "mask", "masked.service")
	for name, d := range dependents {
		if d.begins {
			s.must("systemctl", "start", name)
		}
	}

	s.foresees()
	begun := time.Now()
	said, err := s.run("rendered", "once", "-c", "/etc/staying.yaml")
	lasted := since(begun)
	if err == nil {
		s.t.Error("rendered once ended with 0")
	}
	for name, d := range dependents {
		want := strings.NewReplacer("%s", d.verb()+" "+name+`\.service`, "%d", `(\d+ms|\d(\.\d)?s)`).Replace(d.says)
		if !regexp.MustCompile("(?m)" + want).MatchString(said) {
			s.t.Errorf("%s: it does not say %q", name, want)
		}
	}
	if !strings.Contains(said, "restart listens.socket (") {
		s.t.Error("the socket was not restarted")
	}
	if strings.Contains(said, "p4ss") || !strings.Contains(said, "the password ‹value› is wrong") {
		s.t.Error("what a unit wrote last is not there, or with the value")
	}
	if s.t.Failed() {
		s.t.Fatalf("it said:\n%s", said)
	}
	if lasted > 20*time.Second {
		s.t.Errorf("it took %v", lasted)
	}
	s.t.Logf("%d units were told in %v", len(dependents)+1, lasted)
	for name := range dependents {
		_, _ = s.run("systemctl", "stop", name)
		_, _ = s.run("rm", "-f", "/etc/systemd/system/"+name+".service")
	}
	s.must("systemctl", "stop", "listens.socket")
	s.must("rm", "-rf", "/etc/staying", "/etc/staying.yaml", "/etc/staying.values", "/var/lib/staying", "/etc/systemd/system/listens.socket", "/etc/systemd/system/listens.service")
	s.must("systemctl", "daemon-reload")
	s.must("systemctl", "reset-failed")
}

// foresees has check ask systemd for the units before anybody is told.
func (s *site) foresees() {
	s.t.Helper()
	s.write("/etc/foreseen.yaml", `state_dir: /var/lib/staying
values: /etc/staying.values
services:
  all:
    files: [{path: /etc/staying/foreseen, content: x}]
    notify:
      - reload: ngnix.service
      - reload: nginx.service
      - restart: masked.service
      - restart: getty@.service
      - reload: up.service
      - signal: HUP
        unit: sshh.service
      - signal: HUP
        pid_file: /run/nobody.pid
`)
	said, err := s.run("rendered", "check", "--online", "-c", "/etc/foreseen.yaml")
	if err == nil {
		s.t.Error("check --online ended with 0")
	}
	for _, want := range []string{
		"error: all: reload ngnix.service: there is no such unit; did you mean nginx.service?\n",
		"error: all: restart masked.service: unit is masked\n",
		"error: all: restart getty@.service: getty@.service is a template, and no unit without an instance\n",
		"error: all: reload up.service: unit has no way to reload\n",
		"error: all: HUP sshh.service: there is no such unit; did you mean ssh",
		"warning: all: HUP /run/nobody.pid: not running: there is no pid file\n",
	} {
		if !strings.Contains(said, want) {
			s.t.Errorf("check does not say %q", want)
		}
	}
	if strings.Contains(said, "error: all: reload nginx.service") || s.t.Failed() {
		s.t.Errorf("check says:\n%s", said)
	}
	s.must("rm", "/etc/foreseen.yaml")
}

// verb is what is done to it.
func (d dependent) verb() string {
	if d.notice == "" {
		return "restart"
	}
	return d.notice
}
