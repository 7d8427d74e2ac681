package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// listFrom makes an access control list of tags, permissions and ids.
func listFrom(entries ...[3]uint32) []byte {
	list := []byte{listVersion, 0, 0, 0}
	for _, e := range entries {
		list = append(list, byte(e[0]), 0, byte(e[1]), 0, byte(e[2]), byte(e[2]>>8), byte(e[2]>>16), byte(e[2]>>24))
	}
	return list
}

const nobody = 1<<32 - 1 // the id of entries that name none

// There is one rule of what root alone can change.
func TestWhatRootAloneCanChange(t *testing.T) {
	none := []byte(nil)
	for _, tt := range []struct {
		name          string
		uid, gid      int
		mode          uint16
		list          []byte
		doubt, makers int // 0: nobody, else the user or Several
		what          string
	}{
		{"root's", 0, 0, unix.S_IFREG | 0o644, none, 0, 0, ""},
		{"its group is root's", 0, 0, unix.S_IFDIR | 0o775, none, 0, 0, ""},
		{"another group", 0, 12, unix.S_IFDIR | 0o775, none, Several, Several, "group 12 can write to it"},
		{"another group that reads", 0, 12, unix.S_IFDIR | 0o755, none, 0, 0, ""},
		{"everybody", 0, 0, unix.S_IFREG | 0o646, none, Several, Several, "everybody can write to it"},
		{"a user's", 12, 0, unix.S_IFDIR | 0o755, none, 12, 12, "it belongs to user 12"},
		{"a user's, and others write", 12, 12, unix.S_IFDIR | 0o775, none, Several, Several, "it belongs to user 12"},
		{"sticky", 0, 0, unix.S_IFDIR | unix.S_ISVTX | 0o777, none, 0, Several, ""},
		{"a user's and sticky", 12, 0, unix.S_IFDIR | unix.S_ISVTX | 0o777, none, 12, Several, "it belongs to user 12"},
		{"a file has no sticky bit", 0, 0, unix.S_IFREG | unix.S_ISVTX | 0o666, none, Several, Several, "everybody can write to it"},
		{"root's link", 0, 0, unix.S_IFLNK | 0o777, none, 0, 0, ""},
		{"a user's link", 12, 0, unix.S_IFLNK | 0o777, none, 12, 12, "it belongs to user 12"},
		{"a list that lets a user write", 0, 0, unix.S_IFREG | 0o660,
			listFrom([3]uint32{1, 6, nobody}, [3]uint32{2, 6, 12}, [3]uint32{4, 4, nobody}, [3]uint32{16, 6, nobody}, [3]uint32{32, 0, nobody}), Several, Several, "its access control list lets others write to it"},
		{"one that lets a group write", 0, 0, unix.S_IFDIR | 0o770,
			listFrom([3]uint32{1, 7, nobody}, [3]uint32{4, 5, nobody}, [3]uint32{8, 7, 12}, [3]uint32{16, 7, nobody}, [3]uint32{32, 0, nobody}), Several, Several, "its access control list lets others write to it"},
		{"one that lets a user read", 0, 0, unix.S_IFREG | 0o660,
			listFrom([3]uint32{1, 6, nobody}, [3]uint32{2, 4, 12}, [3]uint32{4, 6, nobody}, [3]uint32{16, 6, nobody}, [3]uint32{32, 0, nobody}), 0, 0, ""},
		{"one that lets root write", 0, 0, unix.S_IFREG | 0o660,
			listFrom([3]uint32{1, 6, nobody}, [3]uint32{2, 6, 0}, [3]uint32{4, 4, nobody}, [3]uint32{8, 6, 0}, [3]uint32{16, 6, nobody}, [3]uint32{32, 0, nobody}), 0, 0, ""},
		{"one whose group does not write", 0, 12, unix.S_IFREG | 0o660,
			listFrom([3]uint32{1, 6, nobody}, [3]uint32{4, 4, nobody}, [3]uint32{8, 6, 0}, [3]uint32{16, 6, nobody}, [3]uint32{32, 0, nobody}), 0, 0, ""},
		{"one whose group writes", 0, 12, unix.S_IFREG | 0o660,
			listFrom([3]uint32{1, 6, nobody}, [3]uint32{2, 4, 7}, [3]uint32{4, 6, nobody}, [3]uint32{16, 6, nobody}, [3]uint32{32, 0, nobody}), Several, Several, "group 12 can write to it"},
		{"one that cannot be read as one", 0, 0, unix.S_IFREG | 0o660, []byte{9, 9}, Several, Several, "its access control list is of an unknown kind"},
	} {
		st := Info{UID: tt.uid, GID: tt.gid, Type: kind(tt.mode), Mode: fs.FileMode(tt.mode) & fs.ModePerm, sticky: tt.mode&unix.S_ISVTX != 0}
		doubt, makers := judge("/f", st, func() ([]byte, error) { return tt.list, nil })
		user := func(d *Doubt) int {
			if d == nil {
				return 0
			}
			return d.User
		}
		if user(doubt) != tt.doubt || user(makers) != tt.makers {
			t.Errorf("%s: %v, %v", tt.name, doubt, makers)
		}
		if doubt != nil && doubt.What != tt.what {
			t.Errorf("%s: %q", tt.name, doubt.What)
		}
	}
}

// A way is found whether or not something is at its end.
func TestWalk(t *testing.T) {
	top := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(top, "a/b"), 0o755))
	must(t, os.WriteFile(filepath.Join(top, "a/b/f"), nil, 0o600))
	for name, target := range map[string]string{"link": "a/b", "a/up": "../a/./b/..", "a/abs": top + "/link/f", "loop": "loop", "root": "/", "lost": "a/none/x"} {
		must(t, os.Symlink(target, filepath.Join(top, name)))
	}
	for path, want := range map[string]struct {
		real  string
		found bool
	}{
		"a/b/f":         {"a/b/f", true},
		"link/f":        {"a/b/f", true},
		"a/up/b/f":      {"a/b/f", true},
		"a/abs":         {"a/b/f", true},
		"a/b/../up":     {"a", true},
		"none":          {"none", false},
		"link/none/x":   {"a/b/none/x", false},
		"lost":          {"a/none/x", false},
		"lost/y":        {"a/none/x/y", false},
		"a/b/f/beneath": {"a/b/f/beneath", false},
		"a/b/f/../x":    {"a/b/f/../x", false},
	} {
		way, err := Walk(filepath.Join(top, path))
		if path == "a/b/f/../x" {
			way, err = Walk(top + "/" + path) // nothing is beside what is beneath a file
		}
		if err != nil || way.Found() != want.found || want.found && way.Real() != filepath.Join(top, want.real) || !want.found && filepath.Clean(way.Real()) != filepath.Join(top, want.real) {
			t.Errorf("%s: %s, %v, %v", path, way.Real(), way.Found(), err)
		}
	}
	if way, err := Walk(filepath.Join(top, "root")); err != nil || way.Real() != "/" || !way.Found() {
		t.Errorf("%v, %v", way.Real(), err)
	}
	if way, err := Walk("/"); err != nil || way.Real() != "/" || !way.Found() || way.Last().Type != fs.ModeDir {
		t.Errorf("%v, %v", way.Real(), err)
	}
	if _, err := Walk(filepath.Join(top, "loop")); !errors.Is(err, unix.ELOOP) {
		t.Errorf("%v", err)
	}
}

// Who can change where a path leads is found on the way, through directories and links; what is at
// its end is another matter.
func TestWhoLeads(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has others to distrust")
	}
	top := t.TempDir()
	in := func(name string) string { return filepath.Join(top, name) }
	for _, d := range []string{"root", "user", "user/root", "sticky", "sticky/root", "group"} {
		must(t, os.Mkdir(in(d), 0o755))
	}
	for _, f := range []string{"root/f", "root/his", "user/root/f", "user/f", "user/two", "sticky/f", "sticky/two", "sticky/his", "sticky/root/f", "group/f"} {
		must(t, os.WriteFile(in(f), []byte("x"), 0o600))
	}
	must(t, os.Link(in("root/f"), in("user/second")))
	must(t, os.Link(in("sticky/two"), in("sticky/second")))
	for link, target := range map[string]string{"root/in": "../user/f", "user/out": "../root/his", "root/his-link": "f", "root/on": "in", "sticky/link": "../root/f",
		"sticky/below": "down/f", "sticky/down": "root", "sticky/to-his": "his", "sticky/his-link": "root/f"} {
		must(t, os.Symlink(target, in(link)))
	}
	for _, own := range []string{"root/his", "root/his-link", "user", "user/f", "user/two", "sticky/his", "sticky/his-link", "group/f"} {
		must(t, os.Lchown(in(own), 12, 12))
	}
	must(t, errors.Join(os.Chmod(in("sticky"), 0o777|fs.ModeSticky), os.Chown(in("group"), 0, 12), os.Chmod(in("group"), 0o775)))
	for path, want := range map[string]struct {
		by    string // the paths of the doubts
		link  bool   // root does not follow
		read  bool   // root reads it for others
		token bool   // root takes it for a token, and works from it if it follows the links
	}{
		"root/f":      {"", false, true, true},
		"root/his":    {"", false, true, false},
		"root/in":     {"user", false, true, false},  // root's link to a user's own file
		"root/on":     {"user", false, true, false},  // likewise
		"user/f":      {"user", false, true, false},  // his own
		"user/root/f": {"user", false, false, false}, // root's, which he may have moved there
		"user/second": {"user", false, false, false},
		// Root's link, which he may have moved there.
		"user/out":      {"user", true, false, false},
		"root/his-link": {"root/his-link", true, false, false},
		"sticky/f":      {"", false, false, true}, // root's, which others may have moved there
		"sticky/two":    {"sticky/two", false, false, false},
		"sticky/his":    {"", false, false, false},
		"sticky/link":   {"sticky/link", true, false, false}, // likewise
		// Only who can write to a directory can move it.
		"sticky/root/f": {"", false, true, true},
		"group/f":       {"group", false, false, false},
		// Root's links to what is beneath.
		"sticky/below":    {"sticky/below sticky/down", true, false, true},
		"sticky/to-his":   {"sticky/to-his", true, false, false},
		"sticky/his-link": {"sticky/his-link", true, false, false},
	} {
		way, err := Walk(in(path))
		if err != nil {
			t.Fatal(err)
		}
		var by []string
		for _, d := range way.Doubts() {
			name, _ := filepath.Rel(top, d.Path)
			by = append(by, name)
		}
		if got := strings.Join(slices.Compact(by), " "); got != want.by {
			t.Errorf("%s: %q, want %q", path, got, want.by)
		}
		if err := way.Trusted(); (err != nil) != want.link {
			t.Errorf("%s: %v", path, err)
		}
		text, err := ReadInput(in(path), 10)
		if (err == nil) != want.read || string(text) != map[bool]string{true: "x"}[want.read] || err != nil && !IsForeign(err) {
			t.Errorf("%s: %q, %v", path, text, err)
		}
		for _, r := range []struct {
			read func(string, int64) ([]byte, error)
			want bool
		}{{ReadToken, want.token}, {ReadTrusted, want.token && !want.link}} {
			if text, err := r.read(in(path), 10); (err == nil) != r.want || string(text) != map[bool]string{true: "x"}[r.want] {
				t.Errorf("%s: %q, %v", path, text, err)
			}
		}
	}
}

// A directory that is made has exactly its mode and our group, whatever the one above it would hand
// down.
func TestMkdirInheritsNothing(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a directory away")
	}
	top := t.TempDir()
	must(t, errors.Join(os.Chown(top, 12, 12), os.Chmod(top, 0o777|fs.ModeSetgid)))
	list := listFrom([3]uint32{1, 7, nobody}, [3]uint32{2, 7, 12}, [3]uint32{4, 7, nobody}, [3]uint32{16, 7, nobody}, [3]uint32{32, 7, nobody})
	if err := unix.Setxattr(top, defaultList, list, 0); err != nil {
		t.Skipf("no access control lists here: %v", err)
	}
	must(t, MakeAll(Host, filepath.Join(top, "a/b"), 0o770))
	for _, name := range []string{"a", "a/b"} {
		var st unix.Stat_t
		must(t, unix.Stat(filepath.Join(top, name), &st))
		if st.Uid != 0 || st.Gid != 0 || st.Mode != unix.S_IFDIR|0o770 {
			t.Errorf("%s: %d:%d %#o", name, st.Uid, st.Gid, st.Mode)
		}
		for _, list := range []string{accessList, defaultList} {
			if n, err := unix.Getxattr(filepath.Join(top, name), list, nil); err != unix.ENODATA {
				t.Errorf("%s: %s of %d bytes, %v", name, list, n, err)
			}
		}
	}
	// One that is there is somebody's, and left alone.
	must(t, os.Mkdir(filepath.Join(top, "his"), 0o700))
	must(t, open(t, top).Mkdir("his", 0o777))
	if st, _ := os.Stat(filepath.Join(top, "his")); st.Mode().Perm() != 0o700 {
		t.Errorf("%v", st.Mode())
	}
}

// What is read of a regular file is all of it or nothing, whatever the file says of its size.
func TestReadFile(t *testing.T) {
	top := t.TempDir()
	in := func(name string) string { return filepath.Join(top, name) }
	must(t, os.WriteFile(in("f"), []byte("0123456789"), 0o600))
	must(t, unix.Mkfifo(in("pipe"), 0o600))
	must(t, os.Symlink("pipe", in("link")))
	for path, want := range map[string]string{
		in("pipe"): "not a regular file", in("link"): "not a regular file", "/dev/zero": "not a regular file", top: "is a directory", in("none"): "no such file",
	} {
		if _, err := ReadFile(path, 10); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if got, err := ReadFile(in("f"), 10); err != nil || string(got) != "0123456789" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := ReadFile(in("f"), 9); !errors.Is(err, unix.EFBIG) || err.Error() != "larger than 9 bytes" || got != nil {
		t.Errorf("%q, %v", got, err)
	}
	// A file of /proc says that it has no bytes.
	const proc = "/proc/self/mountinfo"
	if st, err := os.Stat(proc); err != nil || st.Size() != 0 {
		t.Skip(err)
	}
	if got, err := ReadFile(proc, 8); err != TooLarge(8) || got != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := ReadInput(proc, 8); err != TooLarge(8) {
		t.Errorf("%v", err)
	}
	if got, err := ReadFile(proc, 1<<20); err != nil || len(got) < 9 {
		t.Errorf("%q, %v", got, err)
	}
	for limit, want := range map[int64]string{4 << 20: "larger than 4 MiB", 1 << 10: "larger than 1 KiB", 1<<20 + 1: "larger than 1048577 bytes"} {
		if got := TooLarge(limit).Error(); got != want {
			t.Errorf("%q", got)
		}
	}
}
