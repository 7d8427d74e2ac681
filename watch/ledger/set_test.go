package ledger

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/disk/faulty"
	"github.com/rendered/rendered/render/swap"
)

const sites = "/sites/*.conf"

func ofSite(key string, remove bool) swap.Rename {
	r := swap.Rename{Path: "/sites/" + key + ".conf", Temp: "/sites/.t" + key, Digest: key, Remove: remove}
	if remove {
		r.Temp = ""
	}
	return r
}

// pass has the set have these keys, and removes those that it has no more.
func (b *book) pass(keys ...string) error {
	var files, changed []string
	var swaps []swap.Rename
	for _, key := range keys {
		files = append(files, ofSite(key, false).Path)
		swaps, changed = append(swaps, ofSite(key, false)), append(changed, ofSite(key, false).Path)
	}
	if of, other := b.Want(sites, files); of != "" {
		return fmt.Errorf("%s is of %s", of, other)
	}
	for _, m := range b.Gone(sites) {
		key := strings.TrimSuffix(strings.TrimPrefix(m.Path, "/sites/"), ".conf")
		swaps, changed = append(swaps, ofSite(key, true)), append(changed, m.Path)
	}
	return b.Begin(swaps, changed, Event{}, nil)
}

func (b *book) members() string { return fmt.Sprint(b.Members(sites)) }

// Which files a set has, what is owed of them, and what is to be removed outlives a process. What
// is removed is forgotten when it is done and everybody was told.
func TestSetIsOnRecord(t *testing.T) {
	b := newBook(t)
	adopt := func() { b.Adopt(map[string][]string{sites: {"nginx"}}, true) }
	adopt()
	if err := b.pass("a", "b"); err != nil {
		t.Fatal(err)
	}
	b.restart()
	adopt()
	if got := b.members(); got != "[{/sites/a.conf live} {/sites/b.conf live}]" {
		t.Fatal(got)
	}
	if list := b.Unfinished([]string{sites}); len(list) != 2 {
		t.Errorf("unfinished are %v", list)
	}
	owed := b.Owed("nginx", []string{sites})
	if len(owed) != 2 {
		t.Errorf("owed is %v", owed)
	}
	b.Finished([]string{sites})
	if err := b.Acknowledge("nginx", owed, Event{}); err != nil {
		t.Fatal(err)
	}
	if err := b.pass("b", "c"); err != nil {
		t.Fatal(err)
	}
	b.restart()
	adopt()
	if got := b.members(); got != "[{/sites/a.conf removed} {/sites/b.conf live} {/sites/c.conf live}]" {
		t.Fatal(got)
	}
	if list := b.Unfinished([]string{sites}); len(list) != 3 || !slices.ContainsFunc(list, func(r swap.Rename) bool { return r.Remove }) {
		t.Errorf("unfinished are %v", list)
	}
	owed = b.Owed("nginx", []string{sites})
	if len(owed) != 3 {
		t.Errorf("owed is %v", owed)
	}
	b.Finished([]string{sites})
	if err := b.Acknowledge("nginx", owed, Event{}); err != nil {
		t.Fatal(err)
	}
	b.restart()
	adopt()
	if got := b.members(); got != "[{/sites/b.conf live} {/sites/c.conf live}]" || len(b.Owed("nginx", []string{sites})) > 0 {
		t.Error(got, b.Owed("nginx", []string{sites}), b.record())
	}
	b.Adopt(map[string][]string{"/else": {"nginx"}}, true)
	if err := b.Flush(); err != nil || b.members() != "[]" || strings.Contains(b.record(), "sites/*") {
		t.Errorf("a set that no config has stays: %v\n%s", err, b.record())
	}
}

// What could not be put on record is not.
func TestSetIsTakenBack(t *testing.T) {
	b := newBook(t)
	adopt := func() { b.Adopt(map[string][]string{sites: {"nginx"}}, true) }
	adopt()
	if err := b.pass("a"); err != nil {
		t.Fatal(err)
	}
	b.Close()
	b.system = faulty.System(disk.Host, func(s faulty.Step) error {
		if s.Op == "write" {
			return unix.ENOSPC
		}
		return nil
	})
	b.open(false)
	adopt()
	if err := b.pass("b"); !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
	if got := b.members(); got != "[{/sites/a.conf live}]" {
		t.Error(got)
	}
}

// Where the line of a set is lost, who reads its files is told, of the set, after a comparison.
func TestDamagedSetIsOwed(t *testing.T) {
	for _, damage := range []func(line string) string{
		func(string) string { return "" },
		func(line string) string { return strings.Replace(line, "live", "lice", 1) },
	} {
		b := newBook(t)
		b.Adopt(map[string][]string{sites: {"nginx"}}, true)
		if err := b.pass("a"); err != nil {
			t.Fatal(err)
		}
		b.Settle(sites, nil)
		if err := b.Acknowledge("nginx", b.Owed("nginx", []string{sites}), Event{}); err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(b.record(), "\n")
		for i, line := range lines {
			if line != "" && line[0] == setMark {
				lines[i] = damage(line)
			}
		}
		b.Close()
		if err := os.WriteFile(b.path(), []byte(strings.Join(lines, "")), 0o600); err != nil {
			t.Fatal(err)
		}
		b.open(false)
		b.Adopt(map[string][]string{sites: {"nginx"}}, true)
		if !b.Unsure([]string{sites}) || len(b.Owed("nginx", []string{sites})) != 1 {
			t.Errorf("owed is %v", b.Owed("nginx", []string{sites}))
		}
		b.Compared([]string{sites})
		if err := b.Acknowledge("nginx", b.Owed("nginx", []string{sites}), Event{}); err != nil || b.Unsure([]string{sites}) || strings.Contains(b.record(), `"path"`) {
			t.Errorf("%v: still owed: %s", err, b.record())
		}
	}
}

// Where the line of a set is lost, and that of one of its files is not, who reads the set is told
// of that file when it is written again.
func TestFileOfADamagedSetIsOwed(t *testing.T) {
	b := newBook(t)
	adopt := func() { b.Adopt(map[string][]string{sites: {"nginx"}}, true) }
	adopt()
	if err := b.pass("a"); err != nil {
		t.Fatal(err)
	}
	b.Close()
	lines := slices.DeleteFunc(strings.SplitAfter(b.record(), "\n"), func(line string) bool { return strings.HasPrefix(line, string(setMark)) })
	if err := os.WriteFile(b.path(), []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	b.open(false)
	b.Adopt(map[string][]string{sites: {"nginx"}}, false) // who has it may be yet to come
	if !b.Temps()["/sites/.ta"] {
		t.Errorf("what was staged may be swept away: %s", b.record())
	}
	adopt()
	if b.Temps()["/sites/.ta"] {
		t.Errorf("what was staged is never swept away: %s", b.record())
	}
	b.Compared([]string{sites})
	if err := b.Acknowledge("nginx", b.Owed("nginx", []string{sites}), Event{}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := b.pass("a"); err != nil {
			t.Fatal(err)
		}
		owed := b.Owed("nginx", []string{sites})
		if owed["/sites/a.conf"] == 0 {
			t.Errorf("owed is %v", owed)
		}
		if err := b.Acknowledge("nginx", owed, Event{}); err != nil {
			t.Fatal(err)
		}
	}
}

// Where somebody else takes away a file of which a dependent has yet to be told, and its key is
// gone then, the dependent is told all the same.
func TestFileThatIsGoneIsOwed(t *testing.T) {
	b := newBook(t)
	b.Adopt(map[string][]string{sites: {"nginx"}}, true)
	if err := b.pass("a", "b"); err != nil {
		t.Fatal(err)
	}
	b.Settle(sites, nil)
	b.Want(sites, []string{"/sites/a.conf"})
	b.Settle(sites, nil)
	owed := b.Owed("nginx", []string{sites})
	if got := b.members(); owed["/sites/b.conf"] == 0 || got != "[{/sites/a.conf live} {/sites/b.conf removed}]" {
		t.Errorf("%s; owed is %v", got, owed)
	}
	for _, r := range b.Unfinished([]string{sites}) {
		if r.Path == "/sites/b.conf" {
			t.Error("it is to be put in its place")
		}
	}
	if err := b.Acknowledge("nginx", owed, Event{}); err != nil || b.members() != "[{/sites/a.conf live}]" {
		t.Errorf("%v: %s", err, b.members())
	}
}

// A file is of one set, and of one of the config before that. A set that takes over what another no
// longer wants owes what that did.
func TestFileIsOfOneSet(t *testing.T) {
	b := newBook(t)
	const others = "/sites/a*"
	b.Adopt(map[string][]string{sites: {"nginx"}, others: {"apache"}}, true)
	if err := b.pass("a", "b"); err != nil {
		t.Fatal(err)
	}
	b.Settle(sites, nil)
	if of, other := b.Want(others, []string{"/sites/a.conf"}); of != "/sites/a.conf" || other != sites {
		t.Errorf("two sets have one file: %q %q", of, other)
	}
	b.Want(sites, []string{"/sites/b.conf"})
	if of, _ := b.Want(others, []string{"/sites/a.conf"}); of != "" {
		t.Errorf("%s is not to be had", of)
	}
	if gone := b.Gone(sites); len(gone) > 0 {
		t.Errorf("gone is %v, which another set has", gone)
	}
	b.Settle(others, nil)
	b.Settle(sites, nil)
	if got := b.members(); got != "[{/sites/b.conf live}]" || len(b.Owed("apache", []string{others})) != 1 {
		t.Errorf("%s; owed is %v", got, b.Owed("apache", []string{others}))
	}
	b.Adopt(map[string][]string{sites: {"nginx"}, "/sites/b.conf": {"app"}}, true)
	b.Want(sites, nil)
	if gone := b.Gone(sites); len(gone) > 0 {
		t.Errorf("gone is %v, which the config has", gone)
	}
	b.Settle(sites, nil)
	if owed := b.Owed("app", []string{"/sites/b.conf"}); len(owed) != 1 {
		t.Errorf("owed is %v", owed)
	}
}
