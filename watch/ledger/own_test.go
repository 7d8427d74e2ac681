package ledger

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/disk/faulty"
)

// A path is our own once it was written to, or was found to be right; that outlives the process.
func TestOwn(t *testing.T) {
	b := newBook(t)
	const config = "/f:a, /g:, /h:"
	b.adopt(config)
	if b.Owns("/f") || b.Owns("/g") {
		t.Error("nothing was written yet")
	}
	b.change("/f")
	b.Own([]string{"/g"})
	if err := b.Flush(); err != nil {
		t.Fatal(err)
	}
	b.restart()
	b.adopt(config)
	if !b.Owns("/f") || !b.Owns("/g") || b.Owns("/h") {
		t.Errorf("our own: /f %v, /g %v, /h %v\n%s", b.Owns("/f"), b.Owns("/g"), b.Owns("/h"), b.record())
	}
	b.adopt("/h:")
	b.restart()
	if b.adopt(config); !b.Owns("/g") {
		t.Error("a service that comes back brings the files of another")
	}
}

// What a write that failed was to begin is not our own for that.
func TestOwnIsTakenBack(t *testing.T) {
	b := newBook(t)
	full := false
	b.system = faulty.System(disk.Host, func(s faulty.Step) error {
		if full && s.Op == "write" {
			return unix.ENOSPC
		}
		return nil
	})
	b.restart()
	b.adopt("/f:")
	full = true
	if err := b.Begin(renames("/f"), []string{"/f"}, Event{}, nil); err == nil || b.Owns("/f") {
		t.Errorf("%v: it was not written to, and is our own: %v", err, b.Owns("/f"))
	}
	full = false
	if b.change("/f"); !b.Owns("/f") {
		t.Error("it is not our own")
	}
}

// Where it is not known what is our own, all files are that there are: the record is of a version
// before this, or damaged. Files that come later are not.
func TestOwnIsLost(t *testing.T) {
	for name, damage := range map[string]func(record string) string{
		"of a version before": func(s string) string {
			head, rest, _ := strings.Cut(s, "\n")
			_, data, _ := strings.Cut(head, `{`)
			data = "{" + strings.Replace(data, `,"own":1`, "", 1)
			return sum([]byte(data)) + " 00000000 " + data + "\n" + rest[:strings.IndexByte(rest, ownMark)]
		},
		"a byte is another": func(s string) string { return strings.Replace(s, `"/f"`, `"/e"`, 1) },
		"a line is missing": func(s string) string { return s[:strings.IndexByte(s, ownMark)] },
		"it is empty":       func(string) string { return "" },
	} {
		b := newBook(t)
		b.adopt("/f:, /g:")
		b.Own([]string{"/f"})
		if err := b.Flush(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(b.path(), []byte(damage(b.record())), 0o600); err != nil {
			t.Fatal(err)
		}
		b.restart()
		b.adopt("/f:, /g:")
		if !b.Owns("/f") || !b.Owns("/g") {
			t.Errorf("%s: our own: /f %v, /g %v\n%s", name, b.Owns("/f"), b.Owns("/g"), b.record())
		}
		if b.adopt("/f:, /g:, /later:"); b.Owns("/later") {
			t.Errorf("%s: what comes later is our own", name)
		}
	}
}
