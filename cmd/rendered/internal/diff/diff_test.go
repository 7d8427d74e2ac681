package diff

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/watch/notify"
	"github.com/rendered/rendered/watch/pass"
)

// shown compares two texts. What stands between braces in the new one is hidden.
func shown(old, new string) string {
	var content strings.Builder
	var parts []render.Part
	for i, text := range strings.Split(strings.ReplaceAll(new, "}", "{"), "{") {
		if hidden := i%2 == 1; hidden {
			parts = append(parts, render.Part{Start: content.Len(), End: content.Len() + len(text)})
		}
		content.WriteString(text)
	}
	fresh := newUnits([]byte(content.String()), parts, func(render.Part) string { return "‹s›" })
	var b strings.Builder
	f := File{Path: "f", Hunks: show(hunks(oldUnits([]byte(old), fresh), fresh), func(text string) string { return text })}
	for _, h := range f.Hunks {
		fmt.Fprintf(&b, "@@ -%d,%d +%d,%d @@\n", h.OldStart, h.OldLines, h.NewStart, h.NewLines)
		for _, l := range h.Lines {
			b.WriteString(l.Sign + l.Text + "\n")
		}
	}
	return b.String()
}

func TestHunks(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"a new file":               {"", "a\n{x}\n", "@@ -0,0 +1,2 @@\n+a\n+‹s›\n"},
		"to be empty":              {"a\n", "", "@@ -1,1 +0,0 @@\n-‹on disk, 2 bytes›\n"},
		"public lines":             {"a\nb\nc\n", "a\nc\nb\nb\n", "@@ -1,3 +1,4 @@\n a\n-b\n c\n+b\n+b\n"},
		"a value of several lines": {"k\n1\n2\n3\ne\n", "k\n{1\n2\n4}\ne\n", "@@ -1,5 +1,5 @@\n k\n-‹on disk, 6 bytes›\n+‹s›\n e\n"},
		"a line's end":             {"a\r\nb\n", "a\nb\n", "@@ -1,2 +1,2 @@\n-‹on disk, 3 bytes›\n+a\n b\n"},
		"no end":                   {"a\nb", "a\nb\n", "@@ -1,2 +1,2 @@\n a\n-b\n\\No newline at end of file\n+b\n"},
		"a value that is public":   {"x\nsame\n", "same\n{same}\n", "@@ -1,2 +1,2 @@\n-‹on disk, 2 bytes›\n+same\n ‹s›\n"},
		"no text":                  {"", "a\x00b\n", "@@ -0,0 +1,1 @@\n+‹3 bytes that are no text›\n"},
		"beside a value":           {"p=1\n", "p={2}, {3}!\n", "@@ -1,1 +1,1 @@\n-‹on disk, 4 bytes›\n+p=‹s›, ‹s›!\n"},
		"a long line":              {"", strings.Repeat("é", 600) + "\n", "@@ -0,0 +1,1 @@\n+" + strings.Repeat("é", 500) + "…\n"},
	} {
		if got := shown(c.old, c.new); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
	// All lines of a value that are there as they were are one line of both.
	if got, want := shown("old\n1\n2\nend\n", "{1\n2}\nend\n"), "@@ -1,4 +1,3 @@\n-‹on disk, 4 bytes›\n ‹s›\n end\n"; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// texts gives the lines that are shown, each after its sign.
func texts(list []Hunk) (lines []string) {
	for _, h := range list {
		for _, l := range h.Lines {
			lines = append(lines, l.Sign+l.Text)
		}
	}
	return lines
}

// Neither a large file nor an awkward one takes long, or is shown whole.
func TestLargeFiles(t *testing.T) {
	const lines = 200_000
	var old, new strings.Builder
	for i := range lines {
		fmt.Fprintf(&old, "line %d\n", i)
		fmt.Fprintf(&new, "line %d\n", i*7%lines)
	}
	same := strings.Repeat("same\n", lines)
	begun := time.Now()
	for _, pair := range [][2]string{{old.String(), new.String()}, {same, same + "more\n"}, {same + "x\n", "{" + same + "}y\n"}} {
		if got := shown(pair[0], pair[1]); strings.Count(got, "\n") > mostShown+10 || len(got) > 100_000 {
			t.Errorf("%d lines are shown", strings.Count(got, "\n"))
		}
	}
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("it takes %v", took)
	}
	large := show(compare(pass.Foresight{}, pass.Foreseen{Difference: swap.Difference{
		Target: swap.Target{Content: []byte("x")}, Old: disk.Info{Exists: true, Size: mostBytes + 1},
	}}), func(text string) string { return text })
	if got := fmt.Sprint(texts(large)); got != "[-‹on disk, 16,777,217 bytes› +‹1 byte› \\Not compared line by line]" {
		t.Error(got)
	}
	if !tooLarge([]byte(strings.Repeat("\n", mostLines+1))) {
		t.Error("more lines are compared than there is room for")
	}
}

// What would run stands in its order, and what nothing comes of now is said.
func TestWaits(t *testing.T) {
	local := time.Local
	time.Local = time.UTC
	defer func() { time.Local = local }()
	do := func(name string) command.Check { return command.Check{Command: command.Command{Args: []string{name}}} }
	svc := &pass.Service{
		Name: "web", Gate: do("alarms"), Check: do("nginx"), Before: do("drain"), After: do("undrain"),
		Dependents: []notify.Action{notify.Systemd{Verb: notify.Reload, Unit: "nginx.service"}},
	}
	f := pass.Foresight{
		Service: svc,
		Files:   []pass.Foreseen{{Difference: swap.Difference{State: swap.Removed, Target: swap.Target{Path: "/f"}, Old: disk.Info{Exists: true}}}},
	}
	if got, want := strings.Join(wouldRun(f), "; "), "gate: alarms; nginx; before: drain; reload nginx.service; after: undrain"; got != want {
		t.Errorf("would run %s, want %s", got, want)
	}
	var b strings.Builder
	Diff{Services: []Service{{Service: "web", retried: svc.Retried(), RolledBack: "answered 502", HeldUntil: time.Date(2026, 11, 30, 1, 0, 0, 0, time.UTC)}}}.Print(&b, &b)
	const want = `web had this change, which was rolled back: answered 502
  it is tried again when it changes, or at once by  rendered refresh web
web is held: nothing is written before 2026-11-30 01:00:00
`
	if got := b.String(); got != want {
		t.Errorf("%s", got)
	}
}
