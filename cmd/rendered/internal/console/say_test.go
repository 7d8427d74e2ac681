package console

import (
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rendered/rendered/cmd/rendered/internal/printable"
)

// What is wider than a terminal is broken at blanks, and of a line of a file what the caret is
// under is shown.
func TestFitted(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"short", "short"},
		{"error: rendered.yaml:4:7: unknown key \"destination\"; did you mean \"path\"?\n  a hint that is too long for that",
			"error: rendered.yaml:4:7: unknown key\n    \"destination\"; did you mean \"path\"?\n  a hint that is too long for that"},
		{"    4 | 0123456789 123456789 123456789 123456789\n      |                       ^\n  hint",
			"    4 | …89 123456789 123456789 1234567…\n      |                ^\n  hint"},
		{"    4 | a\tlong line, whose fault is at its beginning\n      |  \t^", "    4 | a    long line, whose fault is …\n      |      ^"},
		{"    4 | short\n      | ^", "    4 | short\n      | ^"},
		{"/a/path/that/is/longer/than/the/terminal/and/has/no/blank", "/a/path/that/is/longer/than/the/terminal/and/has/no/blank"},
	} {
		if got := fitted(c.text, 40); got != c.want {
			t.Errorf("got\n%s\nwant\n%s", got, c.want)
		}
	}
}

// Every width will do: a terminal may say that it has one column, and a prefix may leave none. No
// word is lost.
func TestFittedToAnyWidth(t *testing.T) {
	for _, text := range []string{
		"error: rendered.yaml:4:7: unknown key\n  a hint   that is indented\n\n      and more", "word", "", "    ", "密码 密码密码 ünï",
	} {
		for width := -10; width < 60; width++ {
			for _, got := range []string{fitted(text, width), Fitted(text, width), Filled(text, width), strings.Join(broken(text, width), "\n")} {
				if !slices.Equal(strings.Fields(got), strings.Fields(text)) {
					t.Fatalf("%d columns: %q of %q", width, got, text)
				}
			}
		}
	}
	const line = "    4 | 0123456789 123456789 123456789 123456789"
	for width := -10; width < 60; width++ {
		for at := range 2 * len(line) {
			got := strings.Split(fitted(line+"\n      | "+strings.Repeat(" ", at)+"^", width), "\n")
			if len(got) != 2 || utf8.RuneCountInString(got[0]) > max(width, 16) || !strings.HasSuffix(got[1], "^") {
				t.Fatalf("%d columns, a caret at %d: %q", width, at, got)
			}
			column := utf8.RuneCountInString(got[1]) - 1
			if shown := []rune(got[0]); at+8 < len(line) && shown[column] != rune(line[at+8]) && shown[column] != '…' {
				t.Fatalf("%d columns: the caret is below %c, not %c", width, shown[column], line[at+8])
			}
		}
	}
}

func TestFilled(t *testing.T) {
	const text = `first line of a
paragraph that goes on

  word     explained on its right, in more columns than there are
  other    short

  a config:
    stays as it is
end`
	const want = `first line of a paragraph that goes on

  word     explained on its right, in
           more columns than there are
  other    short

  a config:
    stays as it is
end`
	if got := Filled(text, 40); got != want {
		t.Errorf("got\n%s", got)
	}
}

// Colors are those that are asked for, and what is said through them is escaped all the same.
func TestColors(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	for _, c := range []struct {
		wanted Colors
		want   string
	}{{Always, "\x1b[31merror:\x1b[m x\\x1b[m\n"}, {Never, "error: x\\x1b[m\n"}, {Auto, "error: x\\x1b[m\n"}} {
		var b strings.Builder
		Say(New(&b, &c.wanted, nil), "error: x\x1b[m")
		if b.String() != c.want {
			t.Errorf("%s: %q", c.wanted, b.String())
		}
	}
	var c Colors
	if c.Set("always") != nil || c != Always || c.Set("sometimes") == nil {
		t.Error(c)
	}
	var b strings.Builder
	always := Always
	Table{{"name", "current, since"}, {"x", "y"}}.PrintColored(New(&b, &always, nil), func(column int, _ string) printable.Color {
		return []printable.Color{printable.Plain, printable.Green}[column]
	})
	if b.String() != "name  \x1b[32mcurrent\x1b[m, since\nx     \x1b[32my\x1b[m\n" {
		t.Errorf("%q", b.String())
	}
}

// Where there is no terminal nothing shows what is waited for.
func TestDuring(t *testing.T) {
	done := false
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	During(f, nil, func() { done = true })
	if st, err := f.Stat(); err != nil || st.Size() > 0 || !done {
		t.Error("it is not done, or shown")
	}
}
