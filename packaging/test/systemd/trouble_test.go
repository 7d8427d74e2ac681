package systemd_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rendered/rendered/internal/pages"
)

// namedRegion has the config name the Region, so that instance metadata need not.
const namedRegion = "aws:\n  region: " + region + "\n"

// siteVerify is what the service nginx has more of when it verifies its certificate.
const siteVerify = `    verify:
      tls: {cert: /etc/nginx/tls/site.crt, key: /etc/nginx/tls/site.key, host: www.example.com, valid_for: 1h}
    check: nginx -t
`

// A key that does not belong to its certificate is refused by nginx -t, and with verify by rendered
// itself. nginx serves on meanwhile, the status and the journal say why, and the next good rotation
// is all that it takes.
func brokenKey(s *site) {
	l := s.underLoad(2, 20*time.Millisecond)
	defer l.stop()
	s.refuses("key values mismatch")

	s.write(configFile, strings.Replace(siteConfig, "    check: nginx -t\n", siteVerify, 1))
	s.must("systemctl", "reload", unit)
	s.refuses("verify.tls.key: the private key is not that of the certificate")
	s.write(configFile, siteConfig)
	s.must("systemctl", "reload", unit)
	s.settled()
	if errs := failed(l.end()); len(errs) > 0 {
		s.t.Errorf("%d requests failed meanwhile, the first: %v", len(errs), errs[0])
	}
	s.t.Logf("%d requests meanwhile, none failed", len(l.all))
}

// refuses puts a key that does not belong to its certificate, wants the words to be said, and mends
// it.
func (s *site) refuses(words string) {
	s.t.Helper()
	cursor, before := s.cursor(), s.identity("/etc/nginx/tls/site.crt")
	s.put(s.pair().CertPEM(), s.pair().KeyPEM())
	s.until("the journal says why the key is refused: "+words, func() bool {
		return strings.Contains(strings.Join(s.said(cursor, unit), "\n"), words)
	})
	s.until("the status says that nginx fails", func() bool { return strings.Contains(s.show(unit, "StatusText"), "1 failing: nginx: ") })
	s.t.Logf("status: %s\njournal:\n%s", s.show(unit, "StatusText"), strings.Join(s.said(cursor, unit), "\n"))
	if len(s.entries(cursor, "_SYSTEMD_UNIT="+unit, "RENDERED_SERVICE=nginx", "PRIORITY=4")) == 0 {
		s.t.Error("no warning of the journal has the field RENDERED_SERVICE")
	}
	if !s.serves(s.last) || s.identity("/etc/nginx/tls/site.crt") != before {
		s.t.Error("the files of nginx changed")
	}
	if n := s.reloads(cursor, "nginx.service"); n != 0 {
		s.t.Errorf("nginx was reloaded %d times", n)
	}
	s.rotate()
	s.settled()
	if n := s.reloads(cursor, "nginx.service"); n != 1 {
		s.t.Errorf("a good rotation after a bad one: %d reloads, want 1", n)
	}
	s.until("the status is good again", func() bool { return s.show(unit, "StatusText") == "2 current" })
}

const kills = 4

// The daemon is killed again and again while certificates rotate. systemd brings it back, no
// request fails, and nothing is owed at the end.
func killed(s *site) {
	cursor := s.cursor()
	l := s.underLoad(2, 20*time.Millisecond)
	defer l.stop()
	rotated, restarts := 0, s.show(unit, "NRestarts")
	pace := time.NewTicker(30 * time.Millisecond)
	defer pace.Stop()
	for range kills {
		before := s.daemon()
		for range 1 + rand.N(12) { // some time into the work on it
			if rotated++; rotated%4 == 1 {
				s.rotate()
			}
			<-pace.C
		}
		s.must("kill", "-KILL", before)
		s.restarted(before)
	}
	s.rotate()
	s.settled()
	s.noTemporaries()
	if errs := failed(l.end()); len(errs) > 0 {
		s.t.Errorf("%d requests failed, the first: %v", len(errs), errs[0])
	}
	after, _ := strconv.Atoi(s.show(unit, "NRestarts"))
	if was, _ := strconv.Atoi(restarts); after-was != kills {
		s.t.Errorf("%d kills, %d restarts", kills, after-was)
	}
	s.t.Logf("%d kills, %d reloads of nginx, %d requests of which none failed", kills, s.reloads(cursor, "nginx.service"), len(l.all))
}

// A daemon that hangs is found by the watchdog. The unit's own time for that would make the story
// long.
func hung(s *site) {
	s.t.Logf("WatchdogSec=%s as shipped", s.show(unit, "WatchdogUSec"))
	s.dropIn(unit, "watchdog.conf", "[Service]\nWatchdogSec=2s\n")
	s.must("systemctl", "restart", unit)
	cursor, before := s.cursor(), s.daemon()
	s.must("kill", "-STOP", before)
	begun := time.Now()
	s.restarted(before)
	s.t.Logf("restarted %v after it was stopped, with WatchdogSec=2s", since(begun))
	found := false
	for _, e := range s.entries(cursor, "UNIT="+unit, "_PID=1") {
		found = found || strings.Contains(e.field("MESSAGE"), "Watchdog timeout")
	}
	if !found {
		s.t.Error("it was not the watchdog that found it")
	}
	s.rotate()
	s.settled()
	s.must("rm", "/etc/systemd/system/"+unit+".d/watchdog.conf")
	s.must("systemctl", "daemon-reload")
	s.must("systemctl", "restart", unit)
	s.settled()
}

// A reload of a broken config fails and says where; the old config stays in force.
func brokenConfig(s *site) {
	cursor, before := s.cursor(), s.daemon()
	s.write(configFile, strings.Replace(siteConfig, "    notify:", "    notfy:", 1))
	out, err := s.run("systemctl", "reload", unit)
	if err == nil {
		s.t.Errorf("the reload of a broken config succeeded:\n%s", out)
	}
	const words = `unknown key "notfy"; did you mean "notify"?`
	said := strings.Join(s.said(cursor, unit), "\n")
	status := s.show(unit, "StatusText")
	if !strings.Contains(said, words) || !strings.Contains(status, words) {
		s.t.Errorf("the reason is not said; in the status:\n%s\nin the journal:\n%s", status, said)
	}
	s.t.Logf("systemctl reload rendered: %v\n%s\nstatus: %s\njournal:\n%s", err, out, status, said)
	s.rotate()
	s.settled()
	if state := s.show(unit, "ActiveState"); state != "active" || s.daemon() != before {
		s.t.Errorf("it is %s, process %s, which was %s", state, s.daemon(), before)
	}
	s.write(configFile, siteConfig)
	s.must("systemctl", "reload", unit)
	s.until("the status is good again", func() bool { return s.show(unit, "StatusText") == "2 current" })
	if s.daemon() != before {
		s.t.Error("a reload restarted the daemon")
	}
}

// The machine boots while AWS is away: nginx starts, and serves with the files that there are. When
// AWS is back the files follow. It is the same where not even the Region is known without instance
// metadata.
func awayAtBoot(s *site) {
	for _, c := range []struct{ what, config string }{
		{"the config names the Region", strings.Replace(siteConfig, "aws:\n", namedRegion, 1)},
		{"instance metadata does", siteConfig},
	} {
		s.write(configFile, c.config)
		s.must("systemctl", "reload", unit)
		s.settled()
		had := s.last
		s.away()
		s.powerOff()
		s.rotate()
		s.boot()
		if state := s.show("nginx.service", "ActiveState"); state != "active" || !s.serves(had) {
			s.t.Errorf("nginx is %s, serves with the files that there are: %v", state, s.serves(had))
		}
		s.t.Logf("without AWS, %s: %s", c.what, s.status())
		s.reach(s.machine)
		begun := time.Now()
		s.settled()
		s.t.Logf("current %v after AWS was back", since(begun))
	}
}

// A destination that the unit does not open, and a file that it hides, are refused by errors that
// say which drop-in opens them, and the one of the package does.
func elsewhere(s *site) {
	s.must("install", "-d", "/srv/app")
	s.write("/home/token", "y")
	cursor := s.cursor()
	s.write("/etc/rendered/conf.d/elsewhere.yaml", `services:
  shop: {files: [{path: /srv/app/app.env, content: x}]}
  hidden: {files: [{path: /etc/hidden, content: '{{ file "/home/token" }}'}]}
`)
	s.must("systemctl", "reload", unit)
	for _, hint := range []string{"ReadWritePaths=/srv/app", "hides /home: have the file elsewhere"} {
		s.until("the journal says what to open: "+hint, func() bool { return strings.Contains(strings.Join(s.said(cursor, unit), "\n"), hint) })
	}
	said := strings.Join(s.said(cursor, unit), "\n")
	s.t.Logf("journal:\n%s", said)
	for _, b := range pages.Claimed(s.t) {
		for line := range strings.Lines(b.Text) {
			if b.Kind == "text elsewhere" && !strings.Contains(said, strings.TrimSpace(line)) {
				s.t.Errorf("%v: the journal does not say %s", b, line)
			}
		}
	}
	s.example("paths.conf", "/etc/systemd/system/"+unit+".d/paths.conf")
	s.must("systemctl", "daemon-reload")
	s.must("systemctl", "restart", unit)
	s.until("the files are there", func() bool { return s.read("/srv/app/app.env") == "x" && s.read("/etc/hidden") == "y" })
	s.must("rm", "/etc/hidden", "/home/token", "/etc/rendered/conf.d/elsewhere.yaml", "/etc/systemd/system/"+unit+".d/paths.conf")
	s.must("systemctl", "daemon-reload")
	s.must("systemctl", "restart", unit)
	s.settled()
}

// noTemporaries wants nothing to be left of swaps that were cut short.
func (s *site) noTemporaries() {
	s.t.Helper()
	if left := strings.TrimSpace(s.must("find", "/var/lib/rendered", "/etc", "-name", ".rendered-*")); left != "" {
		s.t.Errorf("left over: %s", left)
	}
}

// identity tells one file from another of the same name.
func (m *machine) identity(name string) string {
	m.t.Helper()
	info, err := os.Stat(m.path(name))
	if err != nil {
		m.t.Fatal(err)
	}
	return fmt.Sprint(info.Sys().(*syscall.Stat_t).Ino, info.ModTime())
}
