package ledger

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/disk/faulty"
)

// debts are records of the first version, as it wrote them.
var debts = map[string]string{
	"web.json": `{
	"version": 1,
	"service": "web",
	"paths": ["/etc/web/crt", "/etc/web/key"],
	"swaps": [
		{"temp": "/etc/web/.rendered-1", "path": "/etc/web/crt", "digest": "aa"},
		{"temp": "/etc/web/.rendered-2", "path": "/etc/web/key", "digest": "bb"}
	],
	"notices": {
		"reload nginx.service": {"owed": ["/etc/web/crt", "/etc/web/key"], "told": "2026-11-01T00:00:00Z"},
		"reload haproxy.service": {"told": "2026-11-02T00:00:00Z"}
	}
}
`,
	"gone.json":  `{"version": 1, "service": "gone", "paths": ["/gone"], "notices": {"restart old": {"owed": ["/gone"], "gone": true}}}`,
	"moved.json": `{"version": 1, "service": "moved", "paths": ["/moved"], "swaps": [{"temp": "/.rendered-old", "path": "/moved", "digest": "old"}], "notices": {"a": {"owed": ["/moved"]}}}`,
	"new.json":   `{"version": 1, "service": "new", "paths": ["/moved"], "swaps": [{"temp": "/.rendered-new", "path": "/moved", "digest": "new"}], "notices": {"b": {"told": "2026-11-01T00:00:00Z"}}, "serial": 1}`,
	"late.json":  `{"version": 1, "service": "late", "paths": ["/late"], "notices": {"d": {}, "whoever is to be told by the next config": {"owed": ["/late"]}}}`,
	"half.json":  `{"version": 1, "service": "half", "paths": ["/half"], "notices": {"h": {"owed": ["/half"]}}, "half": true}`,
	"calm.json":  `{"version": 1, "service": "calm", "paths": ["/calm"], "notices": {"c": {"told": "2026-11-03T00:00:00Z"}}}`,
}

const config = "/etc/web/crt:reload nginx.service|reload haproxy.service, /etc/web/key:reload nginx.service|reload haproxy.service, " +
	"/gone:new, /moved:a|b, /late:d|e, /half:h, /calm:c"

func adoptFormer(b *book) {
	readers := make(map[string][]string)
	for part := range strings.SplitSeq(config, ", ") {
		path, names, _ := strings.Cut(part, ":")
		readers[path] = strings.Split(names, "|")
	}
	b.Adopt(readers, true)
}

func writeFormer(t *testing.T, dir string, records map[string]string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(dir, formerName), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range records {
		if err := os.WriteFile(filepath.Join(dir, formerName, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// What is owed on a machine that upgrades from the first version is owed afterwards, what was begun
// is known, and nobody else is owed anything; wherever the first start is killed.
func TestUpgrade(t *testing.T) {
	const want = "a /moved; e /late; h /half; new /gone; reload nginx.service /etc/web/crt /etc/web/key"
	for step := 0; ; step++ {
		b := newBook(t)
		b.Close()
		writeFormer(t, b.dir, debts)
		n := 0
		system := faulty.System(disk.Host, func(s faulty.Step) error {
			if s.Mutates() {
				n++
			}
			if n > step {
				return unix.EIO // from there on all fails, as where the process is killed
			}
			return nil
		})
		failed := false
		if dir, err := system.Open(b.dir); err != nil {
			t.Fatal(err)
		} else if l, err := Open(system, dir, false, nil); err != nil {
			failed = true
		} else {
			l.Close()
		}
		b.open(false)
		for range 2 {
			adoptFormer(b)
			if got := b.owed(); got != want {
				t.Errorf("killed after %d steps: owed %q, want %q\n%s", step, got, want, b.record())
			}
			var digests []string
			for _, s := range b.Unfinished([]string{"/etc/web/crt", "/etc/web/key", "/moved", "/calm"}) {
				digests = append(digests, s.Digest)
			}
			if fmt.Sprint(digests) != "[aa bb new]" || !b.Unsure([]string{"/half"}) || b.Unsure([]string{"/calm", "/moved", "/gone"}) {
				t.Errorf("killed after %d steps: begun are %v", step, digests)
			}
			if at := b.Told("reload nginx.service", time.Now()); at.Month() != time.November || at.Day() != 1 {
				t.Errorf("killed after %d steps: told %v", step, at)
			}
			if left, err := os.ReadDir(filepath.Join(b.dir, formerName)); err != nil || len(left) > 0 {
				t.Errorf("killed after %d steps: left are %v, %v", step, left, err)
			}
			b.restart()
		}
		if !failed {
			if step < 10 {
				t.Errorf("only %d steps", step)
			}
			return
		}
	}
}

// A record of the first version that is damaged may have been about any file; one that cannot be
// read holds up the start.
func TestUpgradeOfADamagedRecord(t *testing.T) {
	for name, damage := range map[string]string{"cut off": debts["web.json"][:100], "empty": "", "of another": debts["gone.json"]} {
		b := newBook(t)
		b.Close()
		writeFormer(t, b.dir, map[string]string{"web.json": damage, "calm.json": debts["calm.json"]})
		b.open(false)
		adoptFormer(b)
		if got := b.owed(); !strings.Contains(got, "reload haproxy.service /etc/web/crt /etc/web/key") || !b.Unsure([]string{"/etc/web/crt"}) || strings.Contains(got, "/calm") {
			t.Errorf("%s: owed %q", name, got)
		}
	}
	b := newBook(t)
	writeFormer(t, b.dir, debts)
	unreadable := faulty.System(disk.Host, func(s faulty.Step) error {
		if s.Op == "read" {
			return unix.EIO
		}
		return nil
	})
	dir, err := disk.Host.Open(b.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if _, err := Open(unreadable, dir, false, nil); err == nil || !strings.Contains(err.Error(), formerName+"/calm.json") {
		t.Errorf("unreadable: %v", err)
	}
}

// What stands among the former records, or in their place, and never was one holds up no start.
func TestUpgradeAmongOthers(t *testing.T) {
	b := newBook(t)
	b.Close()
	writeFormer(t, b.dir, map[string]string{"gone.json": debts["gone.json"], "README": "mine"})
	for _, name := range []string{"backup.json", "backup.json/full", ".temp.new"} {
		if err := os.Mkdir(filepath.Join(b.dir, formerName, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		b.open(false)
		adoptFormer(b)
		if got := b.owed(); got != "new /gone" {
			t.Errorf("owed %q", got)
		}
		b.Close()
	}
	if names, err := os.ReadDir(filepath.Join(b.dir, formerName)); len(names) != 3 {
		t.Errorf("there are %v, %v", names, err)
	}

	b = newBook(t)
	b.Close()
	if err := os.WriteFile(filepath.Join(b.dir, formerName), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		b.open(false)
		b.Close()
	}
}
