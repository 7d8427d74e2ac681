package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/internal/long"
)

// A trap is what a user does in his own directory while root writes there: he has one name be a
// directory or a file at one moment, and a link to root's at the next.
const trapConfig = `
state_dir: state
services:
  dir:
    check: test -s his/dir/f
    files: [{content: 'dir {{ secret "x" }}', path: his/dir/f, mode: 0666}]
  file: {files: [{content: 'file {{ secret "x" }}', path: his/file, mode: 0666}]}
  in-place: {files: [{content: 'in place {{ secret "x" }}', path: his/in-place, mode: 0666, write: in-place}]}
  below: {files: [{content: 'below {{ secret "x" }}', path: his/dir/new/sub/f, mode: 0666, dir_mode: 0777}]}
`

// TestFlippedLinks has a user exchange a directory, and files, with links to root's own, as fast as
// he can, while root renders into his directory; without -long he pauses now and then. Nothing of
// root's changes, for a moment or for good; when he stops, all is as it should be.
func TestFlippedLinks(t *testing.T) {
	t.Parallel()
	neededRoot(t)
	flips := long.Or(6, 50) // passes while the names change
	s := &site{t: t, dir: t.TempDir(), aws: awsfake.Start(t)}
	write(t, s.path("rendered.yaml"), trapConfig)
	for _, dir := range []string{"roots", "his", "his/dir"} {
		if err := os.Mkdir(s.path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"roots/f", "roots/file", "his/file", "his/in-place"} {
		write(t, s.path(name), "precious")
	}
	traps := map[string]string{"his/dir": "../roots", "his/file": "../roots/file", "his/in-place": "../roots/file"}
	for name, target := range traps {
		if err := os.Symlink(target, s.path(name+".link")); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{name, name + ".link"} {
			if err := os.Lchown(s.path(path), ordinaryUser, ordinaryUser); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Chown(s.path("his"), ordinaryUser, ordinaryUser); err != nil {
		t.Fatal(err)
	}
	// What is done to a name or to a file shows in its times.
	look := func() (found []string) {
		for _, name := range []string{"roots", "roots/f", "roots/file"} {
			var st unix.Stat_t
			if err := unix.Lstat(s.path(name), &st); err != nil {
				t.Fatal(err)
			}
			found = append(found, fmt.Sprintf("%s mode %o of %d, changed %v", name, st.Mode, st.Uid, st.Ctim))
		}
		return found
	}
	before := look()

	stop := make(chan struct{})
	var all sync.WaitGroup
	for name := range traps {
		all.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					if n%2 == 1 {
						flip(t, s.path(name))
					}
					return
				default:
					flip(t, s.path(name))
					if n%51 == 0 && !long.Asked() {
						<-time.After(time.Millisecond) // some of the machine is the program's
					}
				}
			}
		})
	}
	refused, swapped := 0, 0
	for n := range flips {
		s.aws.PutSecret("x", fmt.Sprint(n))
		out, _ := s.once()
		refused += strings.Count(out, "root does not follow")
		swapped += strings.Count(out, "changed ") + strings.Count(out, "created ")
	}
	close(stop)
	all.Wait()
	if after := look(); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("root's own was\n%s\nand is\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
	t.Logf("%d passes, %d files swapped, %d refused", flips, swapped, refused)
	if refused < flips/4 || swapped < flips/4 {
		t.Error("that is too few")
	}

	s.aws.PutSecret("x", "last")
	s.mustOnce()
	for path, want := range map[string]string{"his/dir/f": "dir last", "his/file": "file last", "his/in-place": "in place last", "his/dir/new/sub/f": "below last"} {
		if got := s.read(path); got != want {
			t.Errorf("%s holds %q", path, got)
		}
	}
	left, _ := filepath.Glob(s.path("his/*/.rendered-*"))
	more, _ := filepath.Glob(s.path("his/.rendered-*"))
	if left = append(left, more...); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// flip exchanges a name with the link beside it.
func flip(t *testing.T, path string) {
	if err := unix.Renameat2(unix.AT_FDCWD, path, unix.AT_FDCWD, path+".link", unix.RENAME_EXCHANGE); err != nil {
		t.Error(err)
	}
}
