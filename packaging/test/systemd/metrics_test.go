package systemd_test

import (
	"io"
	"net/http"
	"strings"
)

// The sandbox lets the daemon listen, and write where node_exporter looks for textfiles.
func metered(s *site) {
	const dir, address = "/var/lib/prometheus/node-exporter", "http://127.0.0.1:9464"
	client := http.Client{Transport: &http.Transport{DialContext: s.dial, DisableKeepAlives: true}}
	get := func(path string) string {
		answer, err := client.Get(address + path)
		if err != nil {
			return ""
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		return string(body)
	}
	s.must("mkdir", "-p", dir)
	s.write(configFile, "metrics: {listen: "+strings.TrimPrefix(address, "http://")+", textfile: "+dir+"/rendered.prom}\n"+siteConfig)
	s.must("systemctl", "reload", unit)
	const current = `rendered_service_state{service="nginx",state="current"} 1`
	const certificate = `rendered_certificate_not_after_timestamp_seconds{path="/etc/nginx/tls/site.crt"}`
	s.until("Prometheus may ask", func() bool {
		said := get("/metrics")
		return strings.Contains(said, current) && strings.Contains(said, certificate)
	})
	s.until("node_exporter may read", func() bool {
		said, err := s.run("cat", dir+"/rendered.prom")
		return err == nil && strings.Contains(said, current)
	})
	s.wantFile(dir+"/rendered.prom", "-rw-r--r-- root root")
	if said := get("/-/ready"); said != "ready\n" {
		s.t.Errorf("%q", said)
	}
	s.write(configFile, siteConfig)
	s.must("systemctl", "reload", unit)
	s.until("nobody may any more", func() bool {
		_, there := s.run("test", "-e", dir+"/rendered.prom")
		return get("/-/ready") == "" && there != nil
	})
	s.must("rm", "-r", "/var/lib/prometheus")
	s.settled()
}
