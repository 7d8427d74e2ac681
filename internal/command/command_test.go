package command

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWith(t *testing.T) {
	for _, tt := range []struct {
		c    Command
		path string
		want Command
	}{
		{Command{Args: []string{"nginx", "-t", "-c", "{}"}}, "/a b", Command{Args: []string{"nginx", "-t", "-c", "/a b"}}},
		{Command{Args: []string{"x", "--file={}", "{}{}"}}, "/a", Command{Args: []string{"x", "--file=/a", "/a/a"}}},
		{Command{Shell: "test -s {}"}, "/etc/a.conf", Command{Shell: "test -s /etc/a.conf"}},
		{Command{Shell: `grep x "{}"`}, "/etc/a.conf", Command{Shell: `grep x "/etc/a.conf"`}},
		{Command{Shell: "test -s {}"}, "/a b", Command{Shell: "test -s '/a b'"}},
		{Command{Shell: "test -s {}"}, "/a'$(id)", Command{Shell: `test -s '/a'\''$(id)'`}},
		{Command{Shell: "true"}, "/a", Command{Shell: "true"}},
		{Command{}, "/a", Command{}},
	} {
		if diff := cmp.Diff(tt.want, tt.c.With(tt.path)); diff != "" {
			t.Errorf("%v with %s: %s", tt.c, tt.path, diff)
		}
		if got, want := tt.c.HasPlaceholder(), strings.Contains(strings.Join(tt.c.Args, " ")+tt.c.Shell, "{}"); got != want {
			t.Errorf("%v has a placeholder: %v", tt.c, got)
		}
	}
	c := Command{Args: []string{"{}"}}
	c.With("/a")
	if c.Args[0] != "{}" {
		t.Error("With changed the command that it was called on")
	}
}

// A shell gets the path that was meant, whatever stands in it.
func TestWithIsOneWordOfTheShell(t *testing.T) {
	for _, path := range []string{"/a b", "/a'b", `/a"b`, "/$(id)`id`$HOME", "/a;b|c&d", "/a\nb", "/~*?[a]", "/ü‹"} {
		c := Command{Shell: "printf %s {}"}.With(path)
		got, err := exec.Command("/bin/sh", "-c", c.Shell).Output()
		if err != nil || string(got) != path {
			t.Errorf("%q became %q (%v)", path, got, err)
		}
	}
}

func TestString(t *testing.T) {
	for _, tt := range []struct {
		c    Command
		want string
	}{
		{Command{}, ""},
		{Command{Args: []string{"/usr/local/bin/on-change", "--quick"}}, "/usr/local/bin/on-change --quick"},
		{Command{Args: []string{"echo", "a b", "", "$HOME", "it's"}}, `echo 'a b' '' '$HOME' 'it'\''s'`},
		{Command{Shell: "nginx -t && echo $HOME"}, "nginx -t && echo $HOME"},
		{Command{Shell: "set -e\nnginx -t"}, "set -e… #"},
		{Command{Args: []string{"echo", "a\nb"}}, "echo 'a… #"},
		{Command{Shell: "echo \x1b[31m"}, "echo  [31m… #"},
		{Command{Shell: "echo " + strings.Repeat("x", 500)}, "echo " + strings.Repeat("x", 115) + "… #"},
	} {
		got := tt.c.String()
		head, digest, short := strings.Cut(got, "#")
		if !strings.HasSuffix(tt.want, "#") && got != tt.want || short && (head+"#" != tt.want || len(digest) != 8) {
			t.Errorf("%q: %q, want %q", tt.c, got, tt.want)
		}
	}
	a, b := Command{Shell: "x\na"}, Command{Shell: "x\nb"}
	if a.String() == b.String() {
		t.Errorf("two commands are both called %s", a)
	}
}

func TestCaptureKeepsHeadAndTailInWholeLines(t *testing.T) {
	for _, tt := range []struct {
		writes []string
		limit  int
		want   string
	}{
		{[]string{"one\n", "two\n"}, 20, "one\ntwo\n"},
		{[]string{"0123456789"}, 10, "0123456789"},
		{[]string{"one\ntwo\nthree\nfour\n"}, 12, "one\n… 10 bytes left out …\nfour\n"},
		{[]string{"one\nsecret-in-two", "-writes\n", "three\nend\n"}, 12, "one\n… 27 bytes left out …\nend\n"},
		{[]string{strings.Repeat("x", 1000)}, 12, "… 1000 bytes left out …\n"},
		{[]string{"a\n", strings.Repeat("b\n", 1000), "c\n"}, 6, "a\n… 2000 bytes left out …\nc\n"},
		{[]string{"abc"}, 1, "… 3 bytes left out …\n"},
	} {
		c := capture{limit: tt.limit}
		for _, w := range tt.writes {
			if n, err := c.Write([]byte(w)); n != len(w) || err != nil {
				t.Errorf("Write gives %d, %v", n, err)
			}
			if len(c.head)+len(c.tail) > 2*tt.limit+2 {
				t.Errorf("%d bytes in mind; the limit is %d", len(c.head)+len(c.tail), tt.limit)
			}
		}
		if got := string(c.Bytes()); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.writes, got, tt.want)
		}
	}
}
