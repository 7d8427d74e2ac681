package systemd_test

import (
	"strings"
	"time"
)

// An upgrade from the package of the commit before keeps config and state, tells nobody anything,
// and restarts the daemon.
func upgrade(s *site) {
	older, err := s.older()
	if err != nil {
		s.t.Fatal(err)
	}
	s.remove()
	s.install(older)
	if got := s.read(configFile); got != siteConfig {
		s.t.Errorf("the config came back as\n%s", got)
	}
	s.settled()
	old := strings.TrimSpace(s.must("rendered", "version"))

	before, config, cursor, nginx := s.daemon(), s.identity(configFile), s.cursor(), s.show("nginx.service", "InvocationID")
	key := s.identity("/var/lib/rendered/key")
	app := s.show("app.service", "InvocationID")
	l := s.underLoad(2, 20*time.Millisecond)
	defer l.stop()
	s.install(s.tree)
	s.restarted(before)
	s.anotherPass()
	if errs := failed(l.end()); len(errs) > 0 {
		s.t.Errorf("%d requests failed meanwhile, the first: %v", len(errs), errs[0])
	}
	if s.read(configFile) != siteConfig || s.identity(configFile) != config {
		s.t.Error("the upgrade touched the config")
	}
	if s.identity("/var/lib/rendered/key") != key {
		s.t.Error("the upgrade lost the state")
	}
	if n := s.reloads(cursor, "nginx.service"); n != 0 || s.show("nginx.service", "InvocationID") != nginx || s.show("app.service", "InvocationID") != app {
		s.t.Errorf("dependents were told of an upgrade: %d reloads", n)
	}
	s.t.Logf("from %s to %s", old, strings.TrimSpace(s.must("rendered", "version")))
	s.rotate()
	s.settled()
}

// remove takes the package away, and leaves what others read, and the config.
func (s *site) remove() {
	s.must("apt-get", "remove", "--yes", "--quiet", "rendered")
	if s.read(configFile) != siteConfig || s.read("/var/lib/rendered/key") == "" {
		s.t.Error("the removal took the config or the state away")
	}
	if pids, err := s.run("pgrep", "-x", "rendered"); err == nil {
		s.t.Errorf("a daemon is still there: %s", pids)
	}
	if !s.serves(s.last) {
		s.t.Error("nginx does not serve without the package")
	}
}

// purge takes away what the package knows, and leaves what others read.
func purge(s *site) {
	s.must("apt-get", "purge", "--yes", "--quiet", "rendered")
	if left, err := s.run("ls", "-d", "/var/lib/rendered", configFile, "/usr/bin/rendered"); err == nil {
		s.t.Errorf("a purge leaves %s", left)
	}
	s.must("systemctl", "restart", "nginx")
	if !s.serves(s.last) {
		s.t.Error("nginx does not serve after a purge")
	}
}
