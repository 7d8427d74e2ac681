package preview

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// mount mounts every staged file at its path, and hides what is to be removed, in the mount
// namespace of this process, which is its own.
func mount(files []File) error {
	staged := make([]int, len(files))
	fresh := make(map[string][]string) // names that are new, by directory that is to be mirrored
	hidden := make(map[string]bool)
	for i, f := range files {
		var err error
		if f.Staged == "" {
			// Its directory is mirrored without it.
			if dir := filepath.Dir(f.Path); fresh[dir] == nil {
				fresh[dir] = []string{}
			}
			hidden[f.Path] = true
			continue
		}
		if staged[i], err = open(f.Staged, unix.O_PATH); err != nil {
			return step{"opening the staged file for " + f.Path, err}
		}
		hidden[f.Staged] = true
		there, err := exists(f.Path)
		if err != nil {
			return step{"opening " + f.Path, err}
		}
		if !there {
			dir := filepath.Dir(f.Path)
			fresh[dir] = append(fresh[dir], filepath.Base(f.Path))
		}
	}
	// A directory comes before those below it, which it would cover.
	for _, dir := range slices.Sorted(maps.Keys(fresh)) {
		if err := mirror(dir, fresh[dir], hidden); err != nil {
			return step{"showing a new file in " + dir, err}
		}
	}
	for i, f := range files {
		if f.Staged == "" {
			continue
		}
		if err := cover(f.Path, staged[i]); err != nil {
			return step{"showing the new " + f.Path, err}
		}
	}
	return nil
}

// exists tells whether there is something at an absolute path that leads through no link.
func exists(path string) (bool, error) {
	fd, err := open(path, unix.O_PATH)
	if errors.Is(err, unix.ENOENT) {
		return false, nil
	}
	if err == nil {
		unix.Close(fd)
	}
	return err == nil, err
}

// open opens an absolute path that leads through no link, name by name: openat2(2), which would do
// it at once, is forbidden in a unit with RestrictSUIDSGID=.
func open(path string, flags int) (int, error) {
	dir, err := unix.Open("/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	defer func() { unix.Close(dir) }()
	names := strings.FieldsFunc(path, func(c rune) bool { return c == '/' })
	if len(names) == 0 {
		return unix.Open("/", flags|unix.O_CLOEXEC, 0)
	}
	for _, name := range names[:len(names)-1] {
		next, err := enter(dir, name, unix.O_PATH|unix.O_DIRECTORY)
		if err != nil {
			return -1, err
		}
		unix.Close(dir)
		dir = next
	}
	return enter(dir, names[len(names)-1], flags)
}

// enter opens a name in a directory that is no link.
func enter(dir int, name string, flags int) (int, error) {
	fd, err := unix.Openat(dir, name, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil || stat.Mode&unix.S_IFMT == unix.S_IFLNK {
		unix.Close(fd)
		return -1, cmp.Or(err, error(unix.ELOOP))
	}
	return fd, nil
}

// cover mounts a file at a path at which there is one.
func cover(path string, file int) error {
	target, err := open(path, unix.O_PATH)
	if err != nil {
		return err
	}
	defer unix.Close(target)
	return bind(file, "", target, "")
}

// bind mounts what has a name in one directory, with all that is mounted below, at a name in
// another; without names, the files themselves.
func bind(from int, name string, to int, at string) error {
	tree, err := unix.OpenTree(from, name, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE|unix.AT_SYMLINK_NOFOLLOW|unix.AT_NO_AUTOMOUNT|unix.AT_EMPTY_PATH)
	if err != nil {
		return os.NewSyscallError("open_tree", err)
	}
	defer unix.Close(tree)
	return attach(tree, to, at)
}

func attach(tree, to int, at string) error {
	flags := unix.MOVE_MOUNT_F_EMPTY_PATH
	if at == "" {
		flags |= unix.MOVE_MOUNT_T_EMPTY_PATH
	}
	return os.NewSyscallError("move_mount", unix.MoveMount(tree, "", to, at, flags))
}

// maxEntries is how many names a directory may have in which a new file is to be shown: each but a
// link becomes a mount, of which a namespace has 100,000 at most (fs.mount-max).
const maxEntries = 10_000

// mirror covers a directory by one in memory that has the same entries, and empty files of new
// names, which nothing could be mounted at without writing to the directory itself. Staged files,
// and those that are to be removed, are left out.
func mirror(dir string, fresh []string, hidden map[string]bool) error {
	old, err := open(dir, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	list := os.NewFile(uintptr(old), dir)
	defer list.Close()
	names, err := list.Readdirnames(-1)
	switch {
	case err != nil:
		return err
	case len(names) > maxEntries:
		return fmt.Errorf("it has %d entries, more than %d: %w", len(names), maxEntries, unix.E2BIG)
	case dir == "/":
		return fmt.Errorf("the root directory cannot be covered: %w", unix.EOPNOTSUPP)
	}
	top, err := memoryDir()
	if err != nil {
		return err
	}
	defer unix.Close(top)
	if err := attach(top, old, ""); err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return hidden[filepath.Join(dir, name)] })
	return fill(top, old, names, fresh)
}

// fill gives a directory the entries of another that have these names, empty files of new names,
// and its owner and mode.
func fill(top, old int, names, fresh []string) error {
	for _, name := range names {
		if err := mirrorEntry(old, top, name); err != nil && !errors.Is(err, unix.ENOENT) {
			return err
		}
	}
	for _, name := range fresh {
		if err := touch(top, name); err != nil {
			return err
		}
	}
	return liken(top, old)
}

// memoryDir gives the root of a new file system in memory that is mounted nowhere yet.
func memoryDir() (int, error) {
	fs, err := unix.Fsopen("tmpfs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, os.NewSyscallError("fsopen", err)
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, os.NewSyscallError("fsconfig", err)
	}
	top, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV)
	return top, os.NewSyscallError("fsmount", err)
}

// mirrorEntry makes a name of a directory appear in another. What is gone meanwhile gives ENOENT.
func mirrorEntry(old, top int, name string) error {
	var stat unix.Stat_t
	if err := unix.Fstatat(old, name, &stat, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	switch stat.Mode & unix.S_IFMT {
	case unix.S_IFLNK:
		return mirrorLink(old, top, name, stat)
	case unix.S_IFDIR:
		if err := unix.Mkdirat(top, name, 0o755); err != nil {
			return err
		}
	default:
		if err := touch(top, name); err != nil {
			return err
		}
	}
	return bind(old, name, top, name)
}

func mirrorLink(old, top int, name string, stat unix.Stat_t) error {
	target := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(old, name, target)
	if err != nil {
		return err
	}
	if err := unix.Symlinkat(string(target[:n]), top, name); err != nil {
		return err
	}
	return allowed(unix.Fchownat(top, name, int(stat.Uid), int(stat.Gid), unix.AT_SYMLINK_NOFOLLOW))
}

func touch(dir int, name string) error {
	fd, err := unix.Openat(dir, name, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// liken gives the directory at top the owner, as far as we may, and the mode of another.
func liken(top, as int) error {
	var stat unix.Stat_t
	if err := unix.Fstat(as, &stat); err != nil {
		return err
	}
	dir, err := unix.Openat(top, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	if err := allowed(unix.Fchown(dir, int(stat.Uid), int(stat.Gid))); err != nil {
		return err
	}
	err = unix.Fchmod(dir, stat.Mode&0o7777)
	if err == unix.EPERM {
		err = unix.Fchmod(dir, stat.Mode&0o1777) // RestrictSUIDSGID= forbids these bits
	}
	return err
}

// allowed leaves out that an owner may not be given, or is not known in our user namespace.
func allowed(err error) error {
	if err == syscall.EPERM || err == syscall.EINVAL {
		return nil
	}
	return err
}

// probe tries all that mount does, where it can do no harm: what is mounted on the root is not seen
// by those that are below it already.
func probe() error {
	root, err := open("/", unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return step{"opening /", err}
	}
	top, err := memoryDir()
	if err != nil {
		return step{"making a file system in memory", err}
	}
	if err := attach(top, root, ""); err != nil {
		return step{"mounting", err}
	}
	if err := touch(top, "file"); err != nil {
		return step{"writing to a file system in memory", err}
	}
	if err := bind(top, "file", top, "file"); err != nil {
		return step{"mounting a file", err}
	}
	return nil
}
