package systemd_test

import "strings"

// The package's drop-ins for narrower cases leave the daemon what these cases take: with each a
// rotation is written and told.
func narrowed(s *site) {
	nginxOnly, _, _ := strings.Cut(siteConfig, "  app:\n")
	for name, config := range map[string]string{
		"no-foreign-owners.conf": nginxOnly,
		"no-service-checks.conf": strings.Replace(siteConfig, "    check: nginx -t\n", "", 1),
	} {
		s.must("systemctl", "stop", unit)
		s.write(configFile, config)
		s.example(name, "/etc/systemd/system/"+unit+".d/"+name)
		s.must("systemctl", "daemon-reload")
		s.must("systemctl", "start", unit)
		cursor := s.cursor()
		s.rotate()
		s.until("the new certificate is served", func() bool { return s.serves(s.last) })
		s.until("nginx is not owed anything", func() bool { return !s.owes("nginx") })
		if n := s.reloads(cursor, "nginx.service"); n != 1 {
			s.t.Errorf("%s: %d reloads of nginx, want 1", name, n)
		}
		s.t.Logf("%s: %s", name, s.show(unit, "StatusText"))
		s.wantExposure(3.0)
		s.must("rm", "/etc/systemd/system/"+unit+".d/"+name)
	}
	s.must("systemctl", "stop", unit)
	s.write(configFile, siteConfig)
	s.must("systemctl", "daemon-reload")
	s.must("systemctl", "start", unit)
	s.settled()
}

// Without the daemon nginx's own start renders what it reads, with the drop-in of the package. What
// the daemon owes then it tells later.
func onceBeforeNginx(s *site) {
	s.must("systemctl", "stop", unit)
	s.example("nginx-once.conf", "/etc/systemd/system/nginx.service.d/rendered.conf")
	s.must("systemctl", "daemon-reload")
	s.rotate()
	s.must("systemctl", "restart", "nginx")
	if !s.serves(s.last) {
		s.t.Error("nginx has started, and does not serve the certificate that AWS has")
	}
	s.must("rm", "/etc/systemd/system/nginx.service.d/rendered.conf")
	s.must("systemctl", "daemon-reload")
	s.must("systemctl", "start", unit)
	s.settled()
}
