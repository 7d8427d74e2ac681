package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/sources"
)

// A reader is the journal's end of the socket.
type reader struct {
	t    *testing.T
	conn *net.UnixConn
}

// What a terminal would obey is not sent, in any field, nor what is no text.
func TestNothingDirectsTheTerminal(t *testing.T) {
	log, journal, _, _ := begin(t)
	log.Info("out\x1b[2J", "text", "a\x1b[31mred\rb\x7f\u202e\xff\nnext\tline", "service", "a\u009bb")
	want := map[string]string{
		"MESSAGE":       `a\u009bb: out\x1b[2J` + "\n  " + `a\x1b[31mred\x0db\u007f\u202e\xff` + "\n  next\tline",
		"RENDERED_TEXT": `a\x1b[31mred\x0db\u007f\u202e\xff` + "\nnext\tline", "RENDERED_SERVICE": `a\u009bb`,
	}
	entry := journal.next()
	for name, value := range want {
		if entry[name] != value {
			t.Errorf("%s: %q, want %q", name, entry[name], value)
		}
	}
}

// begin gives a log, its journal, and where lines go that the journal does not take.
func begin(t *testing.T) (*slog.Logger, *reader, *bytes.Buffer, *journal) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "socket")
	lines := new(bytes.Buffer)
	to := newJournal(lines, path)
	return slog.New(to.handler(slog.LevelInfo)), listen(t, path), lines, to
}

func listen(t *testing.T, path string) *reader {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &reader{t, conn}
}

// next reads an entry.
func (r *reader) next() map[string]string {
	r.t.Helper()
	data, rights := make([]byte, 1<<20), make([]byte, 128)
	_ = r.conn.SetReadDeadline(time.Now().Add(time.Minute))
	n, oob, _, _, err := r.conn.ReadMsgUnix(data, rights)
	if err != nil {
		r.t.Fatal(err)
	}
	data = data[:n]
	if oob > 0 {
		data = r.file(rights[:oob])
	}
	return decode(r.t, data)
}

// file reads an entry that comes as a file, which must be sealed.
func (r *reader) file(rights []byte) []byte {
	r.t.Helper()
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil {
		r.t.Fatal(err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		r.t.Fatal(err)
	}
	f := os.NewFile(uintptr(fds[0]), "entry")
	defer f.Close()
	seals, err := unix.FcntlInt(f.Fd(), unix.F_GET_SEALS, 0)
	if want := unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE | unix.F_SEAL_SEAL; err != nil || seals != want {
		r.t.Errorf("seals %x, %v, want %x", seals, err, want)
	}
	data, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<30))
	if err != nil {
		r.t.Fatal(err)
	}
	return data
}

func decode(t *testing.T, data []byte) map[string]string {
	t.Helper()
	fields := make(map[string]string)
	for len(data) > 0 {
		line, rest, ok := bytes.Cut(data, []byte("\n"))
		name, value, short := strings.Cut(string(line), "=")
		if !short && ok && len(rest) >= 8 {
			n := binary.LittleEndian.Uint64(rest)
			value, rest = string(rest[8:8+n]), rest[8+n:]
			rest, ok = bytes.CutPrefix(rest, []byte("\n"))
		}
		if !ok {
			t.Fatalf("%q stands wrong", name)
		}
		if first, twice := fields[name]; twice { // an element of a list
			value = first + "\n" + value
		}
		fields[name], data = value, rest
	}
	return fields
}

func (r *reader) want(want map[string]string) {
	r.t.Helper()
	got := r.next()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		r.t.Errorf("\n got %q\nwant %q", got, want)
	}
}

func TestEntries(t *testing.T) {
	log, journal, _, _ := begin(t)
	log.Info("config in force", "services", 3, "new", 1)
	journal.want(map[string]string{
		"MESSAGE": "config in force (services 3, new 1)", "PRIORITY": "6", "SYSLOG_IDENTIFIER": "rendered",
		"RENDERED_SERVICES": "3", "RENDERED_NEW": "1",
	})
	log.With("service", "nginx").Warn("not up to date, will try again", "file", "/etc/nginx/site.key", "at", "site.key.tmpl:3:1",
		"ref", "secret prod/tls", "err", errors.New("secret prod/tls: access denied"), "hint", "one\ntwo", slog.Attr{})
	journal.want(map[string]string{
		"MESSAGE":  "nginx: /etc/nginx/site.key: not up to date, will try again: site.key.tmpl:3:1: secret prod/tls: access denied\n  one\n  two",
		"PRIORITY": "4", "SYSLOG_IDENTIFIER": "rendered", "RENDERED_SERVICE": "nginx", "RENDERED_FILE": "/etc/nginx/site.key",
		"RENDERED_AT": "site.key.tmpl:3:1", "RENDERED_REF": "secret prod/tls", "RENDERED_ERR": "secret prod/tls: access denied", "RENDERED_HINT": "one\ntwo",
	})
	log.With("service", "nginx").With("notice", "reload nginx.service").Info("told", "paths", []string{"/a", "/b"}, "took", 30*time.Millisecond)
	journal.want(map[string]string{
		"MESSAGE": "nginx: reload nginx.service: told (took 30ms)", "PRIORITY": "6", "SYSLOG_IDENTIFIER": "rendered",
		"RENDERED_SERVICE": "nginx", "RENDERED_NOTICE": "reload nginx.service", "RENDERED_DEPENDENT": "reload nginx.service", "RENDERED_PATHS": "/a\n/b", "RENDERED_TOOK": "30ms",
	})
	log.Info("told", "service", []string{"nginx", "haproxy"})
	journal.want(map[string]string{
		"MESSAGE": "nginx haproxy: told", "PRIORITY": "6", "SYSLOG_IDENTIFIER": "rendered", "RENDERED_SERVICE": "nginx\nhaproxy",
	})
	log.Info("file changed", "file", "/a", "message_id", "4ba71ab7ac0544a5acc6be1805fdf179", "trigger", "queue", "ref", []string{"secret s", "param /p"}, "version", []string{"v1", "2"})
	journal.want(map[string]string{
		"MESSAGE": "/a: file changed (trigger queue)", "PRIORITY": "6", "SYSLOG_IDENTIFIER": "rendered", "MESSAGE_ID": "4ba71ab7ac0544a5acc6be1805fdf179",
		"RENDERED_FILE": "/a", "RENDERED_TRIGGER": "queue", "RENDERED_REF": "secret s\nparam /p", "RENDERED_VERSION": "v1\n2",
	})
	log.Debug("nobody wants to know")
	log.WithGroup("g").Error("x", "in use", sources.Value{Text: "canary"}, slog.Group("h", "ä", true), slog.Group("", "i", 1))
	journal.want(map[string]string{
		"MESSAGE": "x (g_in use ‹value›, g_h_ä true, g_i 1)", "PRIORITY": "3", "SYSLOG_IDENTIFIER": "rendered",
		"RENDERED_G_IN_USE": "‹value›", "RENDERED_G_H__": "true", "RENDERED_G_I": "1",
	})
	large := strings.Repeat("x", 1<<20) + "\nend"
	log.Info("output", "service", "app", "text", large)
	journal.want(map[string]string{
		"MESSAGE": "app: output\n  " + strings.ReplaceAll(large, "\n", "\n  "), "PRIORITY": "6", "SYSLOG_IDENTIFIER": "rendered",
		"RENDERED_SERVICE": "app", "RENDERED_TEXT": large,
	})
}

// Loggers made from one do not write into each other's fields.
func TestLoggersAreApart(t *testing.T) {
	log, journal, _, _ := begin(t)
	base := log.With("a", 1).With("b", 2).With("c", 3)
	one, two := base.With("d", 4), base.With("d", 5)
	one.Info("x")
	two.Info("x")
	if got := journal.next()["RENDERED_D"] + journal.next()["RENDERED_D"]; got != "45" {
		t.Errorf("got %q", got)
	}
}

// Where there is no journal there are lines with priorities; once it is there it gets its entries
// again.
func TestWithoutSocket(t *testing.T) {
	log, journal, lines, h := begin(t)
	log.Info("one")
	if got := journal.next()["MESSAGE"]; got != "one" {
		t.Errorf("got %q", got)
	}
	journal.conn.Close()
	os.Remove(h.socket.path)
	log.Warn("two", "hint", "do this")
	if got := lines.String(); got != "<4>two\n<4>  do this\n" {
		t.Errorf("lines %q", got)
	}
	again := listen(t, h.socket.path)
	log.Info("three")
	if got := again.next()["MESSAGE"]; got != "three" {
		t.Errorf("got %q", got)
	}
}

// A journal that was started anew gets the next entry.
func TestJournalIsRestarted(t *testing.T) {
	log, journal, lines, h := begin(t)
	log.Info("one")
	journal.next()
	journal.conn.Close()
	os.Remove(h.socket.path)
	again := listen(t, h.socket.path)
	log.Info("two")
	if got := again.next()["MESSAGE"]; got != "two" || lines.Len() > 0 {
		t.Errorf("got %q, lines %q", got, lines)
	}
}

// A journal that hangs does not hold up the daemon. How much was lost it is told when it reads
// again.
func TestJournalHangs(t *testing.T) {
	log, journal, lines, h := begin(t)
	h.socket.patience = 10 * time.Millisecond
	sent := 0
	for h.lost == 0 {
		log.Info("entry")
		sent++
	}
	log.Info("entry")
	for range sent - 1 {
		journal.next()
	}
	log.Info("again")
	if got := journal.next()["MESSAGE"]; got != "again\n  2 entries before this one are lost: the journal did not take them" {
		t.Errorf("got %q", got)
	}
	log.Info("entry")
	if got := journal.next()["MESSAGE"]; got != "entry" || lines.Len() > 0 {
		t.Errorf("got %q, lines %q", got, lines)
	}
}

func TestTakes(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	for stream, want := range map[string]bool{
		"": false, "8": false, "x:y": false,
		fmt.Sprintf("%d:%d", st.Dev, st.Ino):   true,
		fmt.Sprintf("%d:%d", st.Dev, st.Ino+1): false,
		fmt.Sprintf("%d:%d", st.Dev+1, st.Ino): false,
	} {
		t.Setenv("JOURNAL_STREAM", stream)
		if got := Takes(f); got != want {
			t.Errorf("JOURNAL_STREAM=%s: %v", stream, got)
		}
	}
	t.Setenv("JOURNAL_STREAM", fmt.Sprintf("%d:%d", st.Dev, st.Ino))
	fmt.Fprint(Errors(f), "error: x\n  do this\n")
	t.Setenv("JOURNAL_STREAM", "")
	fmt.Fprint(Errors(f), "error: y\n")
	if text, err := os.ReadFile(f.Name()); err != nil || string(text) != "<3>error: x\n<3>  do this\nerror: y\n" {
		t.Errorf("%q, %v", text, err)
	}
	if Takes(new(bytes.Buffer)) {
		t.Error("memory is no stream")
	}
}
