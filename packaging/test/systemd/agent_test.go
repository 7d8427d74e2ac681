package systemd_test

import "strings"

// The sandbox lets the daemon write where the SSM Agent looks for inventory. A machine without an
// agent is told once that there is none.
func agentReports(s *site) {
	const agent = "/var/lib/amazon/ssm/i-0123456789abcdef0"
	const report = agent + "/inventory/custom/rendered.json"
	cursor := s.cursor()
	s.write(configFile, "inventory: true\n"+siteConfig)
	s.must("systemctl", "reload", unit)
	s.until("the log says that there is no agent", func() bool {
		return strings.Contains(strings.Join(s.said(cursor, unit), "\n"), "Systems Manager gets no inventory")
	})
	s.must("mkdir", "-m", "0700", "-p", agent)
	s.until("the agent has what the files are of", func() bool {
		said, err := s.run("cat", report)
		return err == nil && strings.Contains(said, `"ref":"secret `+appSecret+`"`) && !strings.Contains(said, `"waiting"`)
	})
	s.wantFile(report, "-rw------- root root")
	s.t.Logf("%s", s.must("cat", report))
	s.write(configFile, siteConfig)
	s.must("systemctl", "reload", unit)
	s.until("the report is gone", func() bool {
		_, err := s.run("test", "-e", report)
		return err != nil
	})
	s.must("rm", "-r", "/var/lib/amazon")
	s.settled()
}
