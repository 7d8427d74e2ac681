package preview

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/command"
)

// A site is a directory with files of which some are staged.
type site struct {
	t     *testing.T
	dir   string
	files []File
}

func newSite(t *testing.T) *site {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return &site{t: t, dir: dir}
}

func (s *site) write(name, text string, mode fs.FileMode) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// stage puts a new file beside its place.
func (s *site) stage(name, text string, mode fs.FileMode) {
	temp := filepath.Join(filepath.Dir(name), ".rendered-"+filepath.Base(name))
	s.files = append(s.files, File{s.write(temp, text, mode), filepath.Join(s.dir, name)})
}

// sees gives what a shell writes that sees the staged files.
func (s *site) sees(line string) string {
	s.t.Helper()
	out, err := Run(s.t.Context(), command.Command{Shell: line}, s.files, command.Options{Dir: s.dir})
	if r, ok := errors.AsType[*Refusal](err); ok {
		unavailable(s.t, r)
	}
	if err != nil {
		s.t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

func (s *site) want(line, want string) {
	s.t.Helper()
	if got := s.sees(line); got != want {
		s.t.Errorf("%s\ngives %q,\nwant  %q", line, got, want)
	}
}

func TestRunSeesTheStagedFiles(t *testing.T) {
	s := newSite(t)
	s.write("conf.d/a.conf", "old a\n", 0o644)
	s.write("conf.d/b.conf", "b\n", 0o644)
	s.write("other/kept.conf", "kept\n", 0o644)
	s.stage("conf.d/a.conf", "new a\n", 0o640)
	s.want("cat conf.d/*.conf; stat -c %a conf.d/a.conf", "new a\nb\n640\n")
	if text, _ := os.ReadFile(filepath.Join(s.dir, "conf.d/a.conf")); string(text) != "old a\n" {
		t.Errorf("the host has %q", text)
	}
	// Without anything new the directory is the host's own.
	s.want("touch conf.d/made", "")
	if _, err := os.Stat(filepath.Join(s.dir, "conf.d/made")); err != nil {
		t.Error(err)
	}
}

// What is to be removed is not seen, whether or not anything is new beside it, and stays on the
// host.
func TestRunDoesNotSeeWhatIsRemoved(t *testing.T) {
	s := newSite(t)
	s.write("conf.d/a.conf", "a\n", 0o644)
	s.write("conf.d/b.conf", "b\n", 0o644)
	s.files = append(s.files, File{Path: s.write("conf.d/gone.conf", "gone\n", 0o644)}, File{Path: s.write("other/gone.conf", "gone\n", 0o644)})
	s.want("cat conf.d/*.conf; ls other", "a\nb\n")
	s.stage("conf.d/b.conf", "new b\n", 0o644)
	s.stage("conf.d/c.conf", "c\n", 0o644)
	s.want("cat conf.d/*.conf; ls -A conf.d", "a\nnew b\nc\na.conf\nb.conf\nc.conf\n")
	if text, err := os.ReadFile(filepath.Join(s.dir, "conf.d/gone.conf")); string(text) != "gone\n" {
		t.Errorf("the host has %q: %v", text, err)
	}
}

// Where a file is new its directory is seen with everything that was there, whatever it is.
func TestRunSeesNewFiles(t *testing.T) {
	s := newSite(t)
	s.write("conf.d/b.conf", "b\n", 0o600)
	s.write("conf.d/sub/c.conf", "c\n", 0o644)
	for _, err := range []error{
		os.Symlink("b.conf", filepath.Join(s.dir, "conf.d/link")),
		os.Symlink("nowhere", filepath.Join(s.dir, "conf.d/dangling")),
		syscall.Mkfifo(filepath.Join(s.dir, "conf.d/fifo"), 0o600),
		os.Chmod(filepath.Join(s.dir, "conf.d"), 0o751),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	before := list(t, s.dir)
	s.stage("conf.d/a.conf", "a\n", 0o640)
	s.stage("conf.d/b.conf", "new b\n", 0o644)
	s.stage("conf.d/sub/d.conf", "d\n", 0o600)
	after := list(t, s.dir)
	s.want("ls -A conf.d conf.d/sub", "conf.d:\na.conf\nb.conf\ndangling\nfifo\nlink\nsub\n\nconf.d/sub:\nc.conf\nd.conf\n")
	s.want("cat conf.d/*.conf conf.d/sub/*.conf conf.d/link", "a\nnew b\nc\nd\nnew b\n")
	s.want("stat -c %a.%F conf.d conf.d/a.conf conf.d/fifo; readlink conf.d/dangling", "751.directory\n640.regular file\n600.fifo\nnowhere\n")
	s.want("cd conf.d && test $(stat -c %u .) = $(stat -c %u ..) && pwd", s.dir+"/conf.d\n")
	if got := list(t, s.dir); !slices.Equal(got, after) || len(got) != len(before)+3 {
		t.Errorf("the host has %q", got)
	}
}

func list(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		names = append(names, strings.TrimPrefix(path, dir))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// The command runs where it would without a view, and ends as it would.
func TestRunIsCommandRun(t *testing.T) {
	s := newSite(t)
	s.write("a", "old", 0o600)
	s.stage("a", "new", 0o600)
	s.stage("b", "new", 0o600)
	s.want("pwd; cat a b", s.dir+"\nnewnew")
	for _, tt := range []struct {
		c    command.Command
		want string
	}{
		{command.Command{Shell: "echo out; exit 3"}, "exit status 3"},
		{command.Command{Shell: "kill -9 $$"}, "killed by SIGKILL"},
		{command.Command{Shell: "trap 'echo out; exit 4' TERM; kill -TERM 0"}, "exit status 4"},
		{command.Command{Args: []string{"./a"}}, "cannot be started: ./a may not be executed"},
		{command.Command{Args: []string{"no-such-program"}}, "cannot be started: no-such-program is not in PATH"},
		{command.Command{Shell: "sleep 100 & sleep 100"}, "still running after 300ms, stopped"},
	} {
		o := command.Options{Dir: s.dir, Timeout: 20 * time.Second}
		if strings.Contains(tt.c.Shell, "sleep") {
			o.Timeout = 300 * time.Millisecond
		}
		_, err := Run(t.Context(), tt.c, s.files, o)
		if r, ok := errors.AsType[*Refusal](err); ok {
			unavailable(t, r)
		}
		e, ok := errors.AsType[*command.Error](err)
		if !ok || e.Outcome() != tt.want {
			t.Errorf("%s: %v, want %s", tt.c, err, tt.want)
		}
		if ok && e.Command != tt.c.String() {
			t.Errorf("the command is called %s, want %s", e.Command, tt.c)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, command.Command{Shell: "true"}, s.files, command.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of the context: %v", err)
	}
}

// The host is not touched: no mount appears, and the old file can be replaced while a command sees
// the new one.
func TestRunLeavesTheHostAlone(t *testing.T) {
	s := newSite(t)
	s.write("a", "old", 0o600)
	s.stage("a", "new", 0o600)
	s.stage("b", "new", 0o600)
	for _, name := range []string{"seen", "go"} {
		if err := syscall.Mkfifo(filepath.Join(s.dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before := s.mounts()
	done := make(chan error, 1)
	go func() {
		_, err := Run(t.Context(), command.Command{Shell: "cat a b >seen; read x <go; cat b >seen"}, s.files, command.Options{Dir: s.dir})
		done <- err
		// Whoever waits for what it sees must not wait for ever.
		f, err := os.OpenFile(filepath.Join(s.dir, "seen"), os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err == nil {
			f.Close()
		}
	}()
	read := func(want string) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(s.dir, "seen"))
		if err != nil || string(text) != want {
			t.Errorf("the command sees %q, %v; want %q", text, err, want)
		}
	}
	read("newnew")
	if !t.Failed() {
		if after := s.mounts(); after != before {
			t.Errorf("the host has other mounts:\n%s\nbefore:\n%s", after, before)
		}
		if err := os.Rename(s.files[0].Staged, s.files[0].Path); err != nil {
			t.Error(err)
		}
		if err := os.WriteFile(filepath.Join(s.dir, "go"), []byte("\n"), 0); err != nil {
			t.Error(err)
		}
		read("new")
	}
	if err := <-done; err != nil {
		if r, ok := errors.AsType[*Refusal](err); ok {
			unavailable(t, r)
		}
		t.Error(err)
	}
}

// mounts gives what the host has mounted that has to do with the site. Others mount and unmount
// meanwhile.
func (s *site) mounts() string {
	s.t.Helper()
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		s.t.Fatal(err)
	}
	var ours []string
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, s.dir) {
			ours = append(ours, line)
		}
	}
	return strings.Join(ours, "")
}

func TestRunRefuses(t *testing.T) {
	s := newSite(t)
	s.write("dir/a", "old", 0o600)
	s.stage("dir/a", "new", 0o600)
	if err := os.Symlink("dir", filepath.Join(s.dir, "link")); err != nil {
		t.Fatal(err)
	}
	s.sees("true")
	for _, tt := range []struct{ name, want string }{
		{"link/a", "opening the staged file"},
		{"missing/a", "opening the staged file"},
	} {
		path := filepath.Join(s.dir, tt.name)
		_, err := Run(t.Context(), command.Command{Shell: "true"}, []File{{path, s.files[0].Path}}, command.Options{})
		if r, ok := errors.AsType[*Refusal](err); !ok || !strings.Contains(r.Error(), tt.want) || len(r.Hints) == 0 {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
