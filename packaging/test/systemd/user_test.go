package systemd_test

import (
	"strings"
	"time"
)

// userConfig is for a daemon that may write into directories of its own, and reload nginx.
const userConfig = `schedule: "@every 5s"
splay: 0s
settle: 100ms
aws:
  endpoint_url: http://127.0.0.1:4566
triggers:
  sqs: https://sqs.eu-west-1.amazonaws.com/111111111111/rendered-web-1
services:
  nginx:
    files:
      - {path: /etc/nginx/tls/site.crt, format: pem, content: '{{ secret "prod/web/tls" "cert" }}'}
      - {path: /etc/nginx/tls/site.key, format: pem, content: '{{ secret "prod/web/tls" "key" }}'}
    verify:
      tls: {cert: /etc/nginx/tls/site.crt, key: /etc/nginx/tls/site.key}
    notify:
      - reload: nginx.service
  ssh:
    files:
      - {path: /etc/app/banner, content: '{{ param "/prod/web/extra" }}'}
    notify:
      - reload: ssh.service
`

// The daemon as an ordinary user, with the drop-in and the polkit rule of the package: it writes
// its own files, reloads nginx, and nothing lets it reload another unit.
func ordinaryUser(s *site) {
	s.must("systemctl", "stop", unit)
	s.example("50-rendered.rules", "/etc/polkit-1/rules.d/50-rendered.rules")
	s.example("user.conf", "/etc/systemd/system/"+unit+".d/user.conf")
	s.must("chown", "--recursive", "rendered:rendered", "/etc/nginx/tls", "/etc/app")
	s.write(configFile, userConfig)
	s.must("systemctl", "daemon-reload")
	s.must("systemctl", "start", unit)
	s.until("the status says that ssh is not reloaded", func() bool { return strings.Contains(s.show(unit, "StatusText"), "ssh: reload ssh.service: ") })
	s.t.Logf("status: %s\n%s", s.show(unit, "StatusText"), strings.TrimSpace(s.must("ps", "-o", "user,pid,args", "-C", "rendered")))
	s.wantExposure(2.0)

	cursor, begun := s.cursor(), time.Now()
	s.rotate()
	s.until("the new certificate is served", func() bool { return s.serves(s.last) })
	s.until("nginx is not owed anything", func() bool { return !s.owes("nginx") })
	s.t.Logf("a new certificate was served after %v", since(begun))
	s.wantFile("/etc/nginx/tls/site.key", "-rw------- rendered rendered")
	s.wantFile("/etc/app/banner", "-rw------- rendered rendered")
	if n := s.reloads(cursor, "nginx.service"); n != 1 {
		s.t.Errorf("%d reloads of nginx, want 1", n)
	}
	for _, args := range [][]string{{"reload", "ssh.service"}, {"restart", "nginx.service"}, {"stop", "nginx.service"}, {"daemon-reload"}} {
		if out, err := s.run(append([]string{"runuser", "-u", "rendered", "--", "systemctl", "--no-ask-password"}, args...)...); err == nil {
			s.t.Errorf("the user rendered may: systemctl %s\n%s", strings.Join(args, " "), out)
		}
	}
	if n := s.reloads(cursor, "ssh.service"); n != 0 || !s.owes("ssh") {
		s.t.Errorf("ssh was reloaded %d times, and is still owed that: %v", n, s.owes("ssh"))
	}
	s.must("systemctl", "reload", "ssh.service") // for root it works
	if n := s.reloads(cursor, "ssh.service"); n != 1 {
		s.t.Errorf("root reloads ssh: %d reloads", n)
	}

	s.must("systemctl", "stop", unit)
	s.must("rm", "/etc/polkit-1/rules.d/50-rendered.rules", "/etc/systemd/system/"+unit+".d/user.conf", "/etc/app/banner")
	s.must("chown", "--recursive", "root:root", "/etc/nginx/tls", "/etc/app")
	s.write(configFile, siteConfig)
	s.must("systemctl", "daemon-reload")
	s.must("systemctl", "start", unit)
	s.settled()
}
