package systemd_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// An entry is one of the journal. A field that is no text is left out.
type entry map[string]any

func (e entry) field(name string) string {
	text, _ := e[name].(string)
	return text
}

// MESSAGE_IDs of systemd (journalctl --catalog).
const unitReloaded = "7b05ebc668384222baa8881179cfda54"

// wasTold is the MESSAGE_ID of a dependent that was told (watch/kind.go).
const wasTold = "0b8e90e9f6464d5f9ae85d0928398f9f"

// explains wants journalctl to explain what it shows of the daemon's entries of a kind.
func (m *machine) explains(id string, says ...string) {
	m.t.Helper()
	out := m.must("journalctl", "--no-pager", "--quiet", "--catalog", "_SYSTEMD_UNIT="+unit, "MESSAGE_ID="+id)
	for _, text := range says {
		if !strings.Contains(out, text) {
			m.t.Errorf("journalctl -x MESSAGE_ID=%s does not say %q:\n%s", id, text, out)
		}
	}
}

// cursor is a place in the journal: what is written from now on comes after it.
func (m *machine) cursor() string {
	m.t.Helper()
	m.must("journalctl", "--sync")
	out := m.must("journalctl", "--no-pager", "--lines=1", "--show-cursor", "--quiet")
	_, cursor, ok := strings.Cut(out, "-- cursor: ")
	if !ok {
		m.t.Fatalf("the journal has no cursor:\n%s", out)
	}
	return strings.TrimSpace(cursor)
}

// entries gives what was written after a cursor and has all these fields, as NAME=value. They are
// looked for here: journalctl 252 drops the first entry that it finds where the one of the cursor
// does not match.
func (m *machine) entries(cursor string, fields ...string) (all []entry) {
	m.t.Helper()
	m.must("journalctl", "--sync")
	out := m.must("journalctl", "--no-pager", "--quiet", "--output=json", "--all", "--after-cursor="+cursor)
	d := json.NewDecoder(strings.NewReader(out))
	for d.More() {
		var e entry
		if err := d.Decode(&e); err != nil {
			m.t.Fatalf("journal: %v", err)
		}
		if e.has(fields) {
			all = append(all, e)
		}
	}
	return all
}

func (e entry) has(fields []string) bool {
	for _, f := range fields {
		if name, value, _ := strings.Cut(f, "="); e.field(name) != value {
			return false
		}
	}
	return true
}

// reloads counts how often systemd reloaded a unit since a cursor.
func (m *machine) reloads(cursor, unit string) int {
	m.t.Helper()
	return len(m.entries(cursor, "_PID=1", "MESSAGE_ID="+unitReloaded, "UNIT="+unit))
}

// said gives what a unit itself wrote after a cursor, line by line.
func (m *machine) said(cursor, unit string) (lines []string) {
	m.t.Helper()
	for _, e := range m.entries(cursor, "_SYSTEMD_UNIT="+unit) {
		lines = append(lines, e.field("MESSAGE"))
	}
	return lines
}

// owes tells whether a unit is owed a notice, by the ledger. What it was told of is not there.
func (m *machine) owes(unit string) bool {
	m.t.Helper()
	for line := range strings.Lines(m.read("/var/lib/rendered/ledger.jsonl")) {
		var file struct {
			Change uint64
			Told   map[string]uint64
		}
		if strings.ContainsAny(line[:1], "#=@") { // a line of something else than a file
			continue
		}
		if _, text, ok := strings.Cut(line, "{"); !ok || json.Unmarshal([]byte("{"+text), &file) != nil {
			return true
		}
		for name, told := range file.Told {
			if strings.HasSuffix(name, " "+unit+".service") && told < file.Change {
				return true
			}
		}
	}
	return false
}

// leaks gives the canaries that stand in a text, as they are or in Base64.
func leaks(text []byte, canaries []string) (found []string) {
	for _, c := range canaries {
		if bytes.Contains(text, []byte(c)) || bytes.Contains(text, []byte(base64.StdEncoding.EncodeToString([]byte(c)))) {
			found = append(found, c)
		}
	}
	return found
}

// noCanary wants no value in all that was ever written to the journal of the machine, in whatever
// field. It finds one that is there.
func noCanary(s *site) {
	const planted = "this is what was planted"
	s.must("systemd-cat", "echo", planted)
	s.must("systemd-cat", "echo", base64.StdEncoding.EncodeToString([]byte(planted+"!")))
	s.must("journalctl", "--sync")
	all, err := s.program("journalctl", "--merge", "--output=export", "--all").Output()
	if err != nil {
		s.t.Fatal(err)
	}
	if found := leaks(all, []string{planted, planted + "!"}); len(found) != 2 {
		s.t.Errorf("of what was planted in the journal only %q is found", found)
	}
	for _, c := range leaks(all, s.canaries) {
		s.t.Errorf("the journal holds %q", c)
	}
	console, err := os.ReadFile(filepath.Join(s.dir, "console.log"))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range leaks(console, s.canaries) {
		s.t.Errorf("the console shows %q", c)
	}
	s.t.Logf("%d bytes of journal, none of %d canaries", len(all), len(s.canaries))
}
