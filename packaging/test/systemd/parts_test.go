package systemd_test

import (
	"fmt"
	"strings"
	"time"
)

// A part is a file of conf.d with a service of its name, whose file holds the password.
func (s *site) part(name, body string) {
	s.t.Helper()
	s.write("/etc/rendered/conf.d/"+name+".yaml", fmt.Sprintf(`services:
  %s:
    files:
      - {path: /etc/parts/%[1]s, dir_mode: 0755, content: '%s'}
`, name, body))
}

const good, faulty = `{{ secret "prod/app" "password" }}`, `{{ secrt "prod/app" "password" }}`

// holds tells whether the files of parts hold the password.
func (s *site) holds(names ...string) bool {
	for _, name := range names {
		if s.read("/etc/parts/"+name) != s.password {
			return false
		}
	}
	return true
}

// One faulty part of four keeps nobody else from being served: not at a reload, not at a restart.
// It comes by itself once it is mended, and keeps its old self where it is faulty again.
func faultyPart(s *site) {
	for _, name := range []string{"a", "b", "c"} {
		s.part(name, good)
	}
	s.part("d", faulty)
	out, err := s.run("systemctl", "reload", unit)
	if err == nil {
		s.t.Errorf("the reload of a config with a faulty part succeeded:\n%s", out)
	}
	s.until("the others are served after the reload", func() bool { return s.holds("a", "b", "c") })
	s.t.Logf("after the reload: %s", s.show(unit, "StatusText"))

	s.must("systemctl", "restart", unit)
	s.rotatePassword("of the parts")
	s.until("the others are served after a restart", func() bool { return s.holds("a", "b", "c") })
	status := s.show(unit, "StatusText")
	if !strings.Contains(status, "d is left out") || !strings.Contains(status, "secrt") {
		s.t.Errorf("the status does not say who is left out, and why: %s", status)
	}
	s.settled()

	s.part("d", good)
	s.until("the fourth comes by itself", func() bool { return s.holds("a", "b", "c", "d") })
	s.part("d", faulty)
	s.until("the status says that it keeps its old self", func() bool {
		return strings.Contains(s.show(unit, "StatusText"), "d keeps its old self")
	})
	s.rotatePassword("once more")
	s.until("its old self follows", func() bool { return s.holds("a", "b", "c", "d") })
	s.settled()
	s.withoutParts()
}

// withoutParts takes conf.d away.
func (s *site) withoutParts() {
	s.t.Helper()
	s.must("sh", "-c", "rm -f /etc/rendered/conf.d/*.yaml")
	s.must("systemctl", "reload", unit)
	s.until("nobody writes to what they left", func() bool {
		_, err := s.run("rm", "-rf", "/etc/parts")
		return err == nil
	})
	s.until("the status is good again", func() bool { return s.show(unit, "StatusText") == "2 current" })
}

const sites = 20

// Twenty services of one certificate tell one nginx once.
func oneReload(s *site) {
	var names []string
	for i := range sites {
		name := fmt.Sprint("site-", i)
		names = append(names, name)
		s.write("/etc/rendered/conf.d/"+name+".yaml", fmt.Sprintf(`services:
  %s:
    files:
      - {path: /etc/parts/%[1]s, dir_mode: 0700, content: '{{ secret "prod/web/tls" "cert" }}'}
    notify:
      - reload: nginx.service
`, name))
	}
	s.must("systemctl", "reload", unit)
	follow := func() {
		s.until("all sites have the certificate", func() bool {
			for _, name := range names {
				if s.read("/etc/parts/"+name) != string(s.last.CertPEM()) {
					return false
				}
			}
			return true
		})
		s.settled()
	}
	follow()
	for range 3 {
		cursor := s.cursor()
		s.rotate()
		follow()
		<-time.After(time.Second) // a second reload would be there
		if n := s.reloads(cursor, "nginx.service"); n != 1 {
			s.t.Errorf("nginx was reloaded %d times", n)
		}
	}
	s.withoutParts()
}
