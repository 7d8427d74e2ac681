package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// An obstacle is something that stands where a file is to be, or to be read.
type obstacle struct {
	name string
	make func(path string) error
	says string // of a destination
}

var obstacles = []obstacle{
	{"pipe", func(path string) error { return unix.Mkfifo(path, 0o600) }, "is a device, pipe or socket"},
	{"directory", func(path string) error { return os.Mkdir(path, 0o700) }, "is a directory"},
	{"device", func(path string) error { return unix.Mknod(path, unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))) }, "is a device, pipe or socket"},
	{"socket", func(path string) error {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			return err
		}
		l.SetUnlinkOnClose(false)
		return l.Close()
	}, "is a device, pipe or socket"},
}

// put makes the obstacle; only root can make devices.
func (o obstacle) put(t *testing.T, path string) {
	t.Helper()
	if err := o.make(path); errors.Is(err, unix.EPERM) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
}

// promptly runs the command, which must end by itself and fail, and gives what it said.
func promptly(t *testing.T, dir string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program(t), args...)
	cmd.Dir = dir
	cmd.Env = os.Environ()
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil || cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != exitFailed {
		t.Fatalf("%v: %v:\n%s", args, err, out)
	}
	return string(out)
}

// What stands in the way of a file is refused by name and stays; the other service goes on.
func TestObstacleAtDestination(t *testing.T) {
	t.Parallel()
	for _, o := range obstacles {
		t.Run(o.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "rendered.yaml"), `{state_dir: state, services: {
				a: {files: [{content: a, path: first}, {content: a, path: f}], notify: [{run: touch told}]}, b: {files: [{content: b, path: g}]}}}`)
			path := filepath.Join(dir, "f")
			o.put(t, path)
			before := must(os.Lstat(path))
			if out := promptly(t, dir, "once", "-c", "rendered.yaml"); !strings.Contains(out, path+" "+o.says) || !strings.Contains(out, "created   "+filepath.Join(dir, "g")) {
				t.Errorf("it says:\n%s", out)
			}
			if after := must(os.Lstat(path)); !os.SameFile(before, after) || before.Mode() != after.Mode() {
				t.Errorf("it is %v now, and was %v", after.Mode(), before.Mode())
			}
			if got := fmt.Sprint((&site{t: t, dir: dir}).list("")); got != "[f g rendered.yaml state]" {
				t.Errorf("there is %s", got)
			}
		})
	}
}

// What is to be read and is no file is refused by name; nobody waits for a writer.
func TestObstacleAsInput(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, config, says string }{
		{"template", `{state_dir: state, services: {a: {files: [{template: IN, path: f}]}}}`, "template %s: not a regular file"},
		{"values", `{state_dir: state, values: IN, services: {a: {files: [{content: '{{ secret "x" }}', path: f}]}}}`, "%s: not a regular file"},
		{"file", `{state_dir: state, services: {a: {files: [{content: '{{ file "IN" }}', path: f}]}}}`, "%s cannot be asked for: not a regular file"},
		{"conf.d/IN.yaml", `{state_dir: state, services: {a: {files: [{content: a, path: f}]}}}`, "%s: it is not a regular file"},
		{"config", "", "%s: it is not a regular file"},
	} {
		for _, o := range obstacles {
			if o.name == "socket" || o.name == "directory" {
				continue // which cannot even be opened, or are told of in other words
			}
			t.Run(tt.name+"/"+o.name, func(t *testing.T) {
				dir := t.TempDir()
				config, in := filepath.Join(dir, "rendered.yaml"), filepath.Join(dir, "IN")
				switch tt.name {
				case "config":
					in = config
				case "conf.d/IN.yaml":
					in = filepath.Join(dir, tt.name)
					if err := os.Mkdir(filepath.Dir(in), 0o700); err != nil {
						t.Fatal(err)
					}
				}
				if tt.config != "" {
					write(t, config, strings.ReplaceAll(tt.config, "IN", in))
				}
				o.put(t, in)
				if out, want := promptly(t, dir, "once", "-c", "rendered.yaml"), fmt.Sprintf(tt.says, in); !strings.Contains(out, want) {
					t.Errorf("it says:\n%swant: %s", out, want)
				}
			})
		}
	}
}

// A file system that is read-only keeps all files of the service as they are, and no other service;
// when it can be written to again the files follow, and are told of.
func TestReadOnlyFileSystem(t *testing.T) {
	t.Parallel()
	neededRoot(t)
	s := newHangSite(t)
	write(t, s.path("rendered.yaml"), strings.ReplaceAll(hangConfig, `{files: [{content: '{{ secret "x" }}', path: mnt/f}]}`,
		`{files: [{content: '{{ secret "x" }}', path: first}, {content: '{{ secret "x" }}', path: mnt/f}], notify: [{run: 'echo "$(cat first) $(cat mnt/f)" >>told'}]}`))
	if err := unix.Mount(s.path("mnt"), s.path("mnt"), "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(s.path("mnt"), unix.MNT_DETACH) })
	remount := func(flags uintptr) {
		t.Helper()
		if err := unix.Mount("", s.path("mnt"), "", unix.MS_BIND|unix.MS_REMOUNT|flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	d := s.start()
	s.follows()
	current := func() bool {
		text := fmt.Sprint("text ", s.n)
		return s.read("first") == text && s.read("mnt/f") == text && strings.HasSuffix(s.read("told"), text+" "+text+"\n")
	}
	until(t.Fatalf, "all is current and told", current)
	first, second, told := s.read("first"), s.read("mnt/f"), s.read("told")
	remount(unix.MS_RDONLY)
	s.follows()
	s.follows()
	until(t.Fatalf, "the log tells the trouble", func() bool {
		return strings.Contains(s.read("log"), `service=hangs err="stage `+s.path("mnt/f")+`: create: read-only file system"`)
	})
	if s.read("first") != first || s.read("mnt/f") != second || s.read("told") != told {
		t.Errorf("the files hold %q and %q, and held %q; told:\n%s", s.read("first"), s.read("mnt/f"), first, s.read("told"))
	}
	if got := fmt.Sprint(s.list("mnt")); got != "[f]" {
		t.Errorf("there is %s", got)
	}
	remount(0)
	until(t.Fatalf, "all is current and told again", current)
	s.end(d)
}
