package console

import (
	"bytes"
	"strings"
	"testing"
)

// Columns of a table stand below one another, and lines fit, whatever letters they have.
func TestColumns(t *testing.T) {
	for text, want := range map[string]int{"": 0, "nginx": 5, "größe": 5, "e\u0301": 1, "設定": 4, "ﾊﾝｶｸ": 4, "Ａ": 2, "a\u200db": 2, "🚀": 2, "…": 1, "✓": 1} {
		if n := Columns(text); n != want {
			t.Errorf("%q takes %d columns, not %d", text, n, want)
		}
		if n := within(text+"x", want); n != len(text) {
			t.Errorf("%d bytes of %q fit %d columns", n, text+"x", want)
		}
	}
	var out bytes.Buffer
	Table{{"設定", "right", "owed"}, {"nginx", "/etc/設", "told"}}.Print(&out)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for _, word := range [][2]string{{"right", "/etc"}, {"owed", "told"}} {
		first, _, _ := strings.Cut(lines[0], word[0])
		second, _, _ := strings.Cut(lines[1], word[1])
		if Columns(first) != Columns(second) {
			t.Errorf("%q is not above %q:\n%s", word[0], word[1], out.String())
		}
	}
	for _, line := range wrapped(strings.Repeat("設定 ", 30), 20, 2) {
		if Columns(line) > 20 {
			t.Errorf("%q takes %d columns", line, Columns(line))
		}
	}
}
