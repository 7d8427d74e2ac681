package systemd_test

import (
	"fmt"
	"strings"
	"time"
)

// The package as it comes does no harm. Configured and started, it has nginx serve with the
// certificate that AWS has.
func freshInstall(s *site) {
	begun := time.Now()
	s.install(s.tree)
	s.t.Logf("installed in %v: %s", since(begun), strings.TrimSpace(s.must("rendered", "version")))
	if state, enabled := s.show(unit, "ActiveState"), s.show(unit, "UnitFileState"); state != "active" || enabled != "enabled" {
		s.t.Errorf("as installed it is %s and %s, want active and enabled:\n%s", state, enabled, s.status())
	}
	s.t.Logf("as installed: %s", s.show(unit, "StatusText"))
	s.must("systemctl", "stop", unit)

	s.write(configFile, siteConfig)
	s.write("/etc/systemd/system/app.service", appUnit)
	s.example("before-nginx.conf", "/etc/systemd/system/"+unit+".d/before-nginx.conf")
	s.dropIn(unit, "before-app.conf", "[Unit]\nBefore=app.service\n")
	s.t.Logf("rendered check:\n%s", s.must("rendered", "check"))
	s.must("systemctl", "enable", "--quiet", "nginx", "app")
	begun = time.Now()
	s.must("systemctl", "start", "rendered", "nginx", "app")
	s.t.Logf("started in %v", since(begun))
	if !s.serves(s.last) || !s.knows() {
		s.t.Errorf("when all units have started, nginx serves the certificate: %v, app knows its password: %v", s.serves(s.last), s.knows())
	}
	s.settled()
	for _, name := range []string{"nginx.service", "app.service", unit} {
		if n := s.show(name, "NRestarts"); n != "0" {
			s.t.Errorf("%s had to be restarted %s times", name, n)
		}
	}
	s.wantFile("/etc/nginx/tls/site.key", "-rw------- root root")
	s.wantFile("/etc/app/app.env", "-rw-r----- root www-data")
	s.wantFile("/var/lib/rendered", "drwx------ root root")
	s.t.Logf("systemctl status rendered:\n%s", s.status())
	s.wantExposure(3.0)
	s.explains(wasTold, "Subject: reload nginx.service was told", "There is nothing to do.")
}

// wantFile wants a file or directory to have a mode and owners.
func (m *machine) wantFile(name, want string) {
	m.t.Helper()
	if got := strings.TrimSpace(m.must("stat", "--format=%A %U %G", name)); got != want {
		m.t.Errorf("%s: %s, want %s", name, got, want)
	}
}

// A stop takes less than a second, also while the queue is asked, and is no failure. nginx does not
// mind.
func stop(s *site) {
	begun := time.Now()
	s.must("systemctl", "stop", unit)
	took := since(begun)
	result, code := s.show(unit, "Result"), s.show(unit, "ExecMainStatus")
	if took > time.Second || result != "success" || code != "0" {
		s.t.Errorf("stopped in %v, %s, exit status %s; want at most a second, success, 0", took, result, code)
	}
	if !s.serves(s.last) {
		s.t.Error("nginx does not serve any more")
	}
	s.t.Logf("stopped in %v: %s", took, result)
	s.must("systemctl", "start", unit)
	s.settled()
}

// A minute in which nothing changes leaves no line in the journal, and touches no file.
func quietMinute(s *site) {
	if s.release != releases[0] {
		s.t.Skip("one machine is quiet for a minute, that is enough")
	}
	before, cursor, reads := s.files(), s.cursor(), s.Calls()["GetSecretValue"]
	minute := time.After(time.Minute)
	_, _ = s.older() // a story to come needs it
	<-minute
	if lines := s.said(cursor, unit); len(lines) > 0 {
		s.t.Errorf("it wrote into the journal:\n%s", strings.Join(lines, "\n"))
	}
	for _, e := range s.entries(cursor, "UNIT="+unit) {
		s.t.Errorf("systemd wrote into the journal: %s", e.field("MESSAGE"))
	}
	if after := s.files(); after != before {
		s.t.Errorf("files changed from\n%s\nto\n%s", before, after)
	}
	if n := s.reloads(cursor, "nginx.service"); n > 0 {
		s.t.Errorf("nginx was reloaded %d times", n)
	}
	passes := (s.Calls()["GetSecretValue"] - reads) / 2
	if passes < 6 {
		s.t.Errorf("only %d passes in the minute", passes)
	}
	s.t.Logf("%d passes in a minute, and nothing written", passes)
}

// files lists what the daemon has written, by inode and time: what is written anew with the same
// bytes is another.
func (m *machine) files() string {
	m.t.Helper()
	return m.must("find", "/var/lib/rendered", "/etc/nginx", "/etc/app", "-printf", "%p %i %T@ %C@\n")
}

// example installs one of the package's examples.
func (m *machine) example(name, destination string) {
	m.t.Helper()
	m.must("install", "-D", "-m", "0644", "/usr/share/doc/rendered/examples/systemd/"+name, destination)
}

// wantExposure wants the daemon to be open to attack no more than so much, as systemd-analyze(1)
// counts: 0 is nothing, 10 everything.
func (m *machine) wantExposure(most float64) {
	m.t.Helper()
	report := m.must("systemd-analyze", "security", "--no-pager", unit)
	_, level, _ := strings.Cut(report, "Overall exposure level for "+unit+": ")
	var got float64
	if _, err := fmt.Sscan(level, &got); err != nil || got > most {
		m.t.Errorf("systemd-analyze security: %v, %v, want at most %v\n%s", err, got, most, report)
	}
	m.t.Logf("exposure %v of 10, at most %v", got, most)
}
