package systemd_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/internal/pages"
)

// operatorsPart is what a machine has beside nginx and its application on a bad day.
const operatorsPart = `services:
  pgbouncer: # owes: the unit does not run
    files:
      - path: /etc/pgbouncer/userlist.txt
        content: |
          "app" "{{ secret "prod/app" "password" | sha256sum }}"
    notify:
      - {signal: HUP, unit: pgbouncer.service}
  worker: # fails: AWS refuses
    files:
      - path: /etc/parts/worker.env
        dir_mode: 0755
        content: |
          KEY={{ secret "payments/stripe" | envQuote }}
  reports: # is paused
    files:
      - path: /etc/parts/reports.conf
        dir_mode: 0755
        content: |
          level = {{ param "/prod/reports/level" }}
  mail: # waits: it was told a moment ago
    min_interval: 1h
    files:
      - path: /etc/parts/mail.conf
        dir_mode: 0755
        content: |
          relayhost = {{ param "/prod/mail/relay" }}
    notify:
      - run: ["true"]
  motd: # something else keeps writing it
    files:
      - path: /etc/parts/motd
        dir_mode: 0755
        content: |
          ours
`

// brokenPart has a fault.
const brokenPart = `services:
  search:
    files:
      - {path: /etc/parts/search.env, content: 'KEY={{ secrt "prod/search" }}'}
`

// The questions of an operator have an answer by one command each, on a machine where a service of
// every state runs. docs/operating.md shows what they say.
func sevenQuestions(s *site) {
	s.badDay()
	for _, q := range s.questions() {
		said, err := s.run("sh", "-c", q.command)
		s.t.Logf("%s\n$ %s   (%v)\n%s", q.asks, q.command, err, said)
		if calm(said) != calm(q.says) {
			s.t.Errorf("docs/operating.md shows another answer of %q: now it is\n%s", q.command, said)
		}
	}
	s.excerpts()
	s.goodDay()
}

// excerpts wants what docs/systemd.md shows of systemd and the journal to be there, and each of its
// questions to the journal to have an answer.
func (s *site) excerpts() {
	s.until("the part with a fault is gone", func() bool { return !strings.Contains(s.show(unit, "StatusText"), "left out") })
	for _, b := range pages.Claimed(s.t) {
		switch {
		case b.Page != "docs/systemd.md":
		case b.Kind == "console day":
			command, shown, _ := strings.Cut(strings.TrimPrefix(b.Text, "$ "), "\n")
			said, _ := s.run("sh", "-c", command)
			for line := range strings.Lines(shown) {
				if !slices.ContainsFunc(strings.Split(said, "\n"), func(l string) bool { return strings.HasPrefix(message(l), message(line)) }) {
					s.t.Errorf("%v shows %s, and now it is\n%s", b, line, said)
				}
			}
		case b.Kind == "sh journal":
			for line := range strings.Lines(b.Text) {
				if said, err := s.run("sh", "-c", line); err != nil || strings.TrimSpace(said) == "" || strings.Contains(said, "-- No entries --") {
					s.t.Errorf("%v: %s: %v: %s", b, line, err, said)
				}
			}
		}
	}
}

var written = regexp.MustCompile(`^.*rendered\[\d+\]: `)

// message gives what a line of the journal says, without what is another each time.
func message(line string) string { return calm(written.ReplaceAllString(line, "")) }

// badDay brings a service into every state.
func (s *site) badDay() {
	s.PutSecret("payments/stripe", "c4n4ry-stripe")
	s.PutParameter("/prod/mail/relay", "String", "a")
	s.PutParameter("/prod/reports/level", "String", "brief")
	s.Inject(awsfake.Fault{Name: "payments/stripe", Kind: awsfake.Deny})
	s.must("systemctl", "stop", "pgbouncer")
	s.write("/etc/rendered/conf.d/operators.yaml", operatorsPart)
	s.must("systemctl", "reload", unit)
	s.until("the files are there", func() bool {
		return s.read("/etc/parts/mail.conf") == "relayhost = a\n" && s.read("/etc/parts/reports.conf") != ""
	})
	s.must("rendered", "pause", "reports", "--for", "2h", "--why", "end of month")
	s.PutParameter("/prod/reports/level", "String", "long")
	s.PutParameter("/prod/mail/relay", "String", "b")
	s.write("/etc/rendered/conf.d/broken.yaml", brokenPart)
	_, _ = s.run("systemctl", "reload", unit)
	s.until("the mail service owes", func() bool { return s.read("/etc/parts/mail.conf") == "relayhost = b\n" })
	s.until("somebody else keeps writing a file", func() bool {
		s.write("/etc/parts/motd", "theirs")
		said, _ := s.run("rendered", "refresh", "motd", "--wait")
		return strings.Contains(said, "something else keeps writing")
	})
	s.rotate()
	s.until("the last certificate is served", func() bool { return s.serves(s.last) })
	s.until("nobody but these owes", func() bool { return !s.owes("nginx") && !s.owes("app") })
}

// goodDay takes all of it back.
func (s *site) goodDay() {
	s.must("rendered", "resume", "reports")
	s.Clear()
	s.withoutParts()
	s.settled()
}

// A question of an operator, and what docs/operating.md shows as its answer.
type question struct{ asks, command, says string }

// questions gives those of docs/operating.md.
func (s *site) questions() (list []question) {
	page, err := os.ReadFile(filepath.Join(repository, "docs/operating.md"))
	if err != nil {
		s.t.Fatal(err)
	}
	lines := strings.Split(string(page), "\n")
	for _, b := range pages.Claimed(s.t) {
		if b.Kind != "console day" || b.Page != "docs/operating.md" {
			continue
		}
		asks := -1 // the line of the last heading before
		for i, line := range lines[:b.Line] {
			if strings.HasPrefix(line, "## ") {
				asks = i
			}
		}
		command, says, found := strings.Cut(strings.TrimPrefix(b.Text, "$ "), "\n")
		if asks < 0 || !found {
			s.t.Fatalf("%v answers no question", b)
		}
		list = append(list, question{strings.TrimPrefix(lines[asks], "## "), command, says})
	}
	if len(list) < 7 {
		s.t.Fatalf("docs/operating.md has %d questions", len(list))
	}
	return list
}

var changing = regexp.MustCompile(strings.Join([]string{
	`; again (in \S+|now)`,
	`\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?`, `\d\d:\d\d:\d\d`, `\b(in )?\d+(\.\d+)?(ms|s|m|h|d)\b( ago)?`, `\bnow\b`,
	`\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`, `\b[0-9a-f]{8}\b…?`, `\d+ bytes`, `rendered \S+, up \S+,`, `\((config|drift|input|queue|refresh|reload|resumed|retry|schedule|start|template)[^)]*\)`, `-{3,}`,
}, "|"))

// calm gives what a screen says without what is another each time: times, versions, and where its
// lines break.
func calm(screen string) string {
	return strings.Join(strings.Fields(changing.ReplaceAllString(screen, "*")), " ")
}
