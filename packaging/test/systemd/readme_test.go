package systemd_test

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/rendered/rendered/internal/pages"
)

// asDocumented installs the package as the README has it, line by line, where there is none.
func asDocumented(s *site) {
	const checkout = "/root/checkout"
	deb := s.tree.deb(s.t)
	data, err := os.ReadFile(deb)
	if err != nil {
		s.t.Fatal(err)
	}
	s.must("install", "-d", checkout+"/dist", checkout+"/packaging")
	s.write(checkout+"/dist/"+filepath.Base(deb), string(data))
	s.write(checkout+"/packaging/build", "#!/bin/sh\n# It was built on the machine beside.\ntest -s dist/*.deb\n")
	s.must("chmod", "0755", checkout+"/packaging/build")
	s.write("/etc/apt/apt.conf.d/90yes", "APT::Get::Assume-Yes \"true\";\n")
	s.write("/root/site.yaml", siteConfig)
	s.rotate()
	for _, b := range pages.Claimed(s.t) {
		if b.Kind != "sh install" {
			continue
		}
		for line := range strings.Lines(b.Text) {
			line = strings.TrimSpace(line)
			said, err := s.run("sh", "-c", "cd "+checkout+"; EDITOR='install -m 0644 /root/site.yaml'; "+line)
			s.t.Logf("$ %s   (%v)\n%s", line, err, said)
			if strings.HasPrefix(line, "rendered diff") && strings.Contains(said, "would change") {
				err = nil
			}
			if err != nil {
				s.t.Errorf("%v: %s: %v\n%s", b, line, err, said)
			}
			if strings.HasPrefix(line, "systemctl enable") {
				s.until("the last certificate is served", func() bool { return s.serves(s.last) })
				s.settled()
			}
		}
	}
}
