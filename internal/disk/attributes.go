package disk

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	accessList  = "system.posix_acl_access"
	defaultList = "system.posix_acl_default" // of a directory, for what is made in it
)

// maxAttributes bounds what is read of one file's attributes. Linux has 64 KiB for the names and
// for each value (xattr(7)).
const maxAttributes = 64 << 10

func (d *dir) Attributes(name string, of Info) (Attributes, error) {
	f, err := d.open("open", name, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, err := same(f, of); err != nil {
		return nil, d.fail("read", name, err)
	}
	fd, buffer := int(f.Fd()), make([]byte, maxAttributes)
	n, err := unix.Flistxattr(fd, buffer)
	if !passable("", err) {
		return nil, d.fail("listxattr", name, err)
	}
	found := make(Attributes)
	for attribute := range strings.FieldsFuncSeq(string(buffer[:max(n, 0)]), func(r rune) bool { return r == 0 }) {
		n, err := unix.Fgetxattr(fd, attribute, buffer)
		if err == nil {
			found[attribute] = bytes.Clone(buffer[:n])
		} else if !passable(attribute, err) {
			return nil, d.fail("getxattr", name, err)
		}
	}
	maps.DeleteFunc(found, func(attribute string, _ []byte) bool { return ofContent[attribute] })
	return found, nil
}

// apply gives an open file the attributes, of which the access control list gets the bits of the
// mode. A label that only a privileged process can set is left as the system made it, where we are
// none; and so is everything where the file system has no attributes.
func (a Attributes) apply(fd int, mode fs.FileMode) error {
	for attribute, value := range a {
		if attribute == accessList {
			value = withMode(value, mode)
		}
		if err := unix.Fsetxattr(fd, attribute, value, 0); !passable(attribute, err) {
			return err
		}
	}
	return nil
}

// An access control list as Linux stores it (linux/posix_acl_xattr.h): a version, then entries of a
// tag, permissions and an id.
const (
	listVersion = 2
	listHead    = 4
	listEntry   = 8

	tagOwner      = 0x01
	tagNamedUser  = 0x02
	tagGroup      = 0x04
	tagNamedGroup = 0x08
	tagMask       = 0x10
	tagOthers     = 0x20
)

// An entry is one of an access control list.
type entry []byte

func (e entry) tag() uint16   { return binary.LittleEndian.Uint16(e) }
func (e entry) writes() bool  { return e[2]&0o2 != 0 }
func (e entry) id() uint32    { return binary.LittleEndian.Uint32(e[4:]) }
func (e entry) set(bits byte) { e[2], e[3] = bits&0o7, 0 }

// entriesOf gives the entries of an access control list, which are parts of the text; of no text
// what the bits of a mode say where they let the group write.
func entriesOf(text []byte) (entries []entry, ok bool) {
	if len(text) == 0 {
		return []entry{{tagGroup, 0, 0o2, 0}}, true
	}
	if len(text)%listEntry != listHead || binary.LittleEndian.Uint32(text) != listVersion {
		return nil, false
	}
	for e := range slices.Chunk(text[listHead:], listEntry) {
		entries = append(entries, e)
	}
	return entries, true
}

// withMode gives an access control list the bits that chmod(2) would give it (acl(5)): the mask,
// where there is one, those of the group. Without that a mode that takes away what the list gives
// would come a moment too late. A list of another kind stays as it is.
func withMode(list []byte, mode fs.FileMode) []byte {
	list = bytes.Clone(list)
	entries, _ := entriesOf(list)
	group := entry(make([]byte, listEntry))
	for _, e := range entries {
		switch e.tag() {
		case tagOwner:
			e.set(byte(mode >> 6))
		case tagOthers:
			e.set(byte(mode))
		case tagGroup, tagMask: // entries are sorted by their tags
			group = e
		}
	}
	group.set(byte(mode >> 3))
	return list
}

// Unlisted gives the attributes without an access control list.
func (a Attributes) Unlisted() Attributes {
	without := maps.Clone(a)
	delete(without, accessList)
	return without
}

// Listed tells whether there is an access control list among the attributes.
func (a Attributes) Listed() bool { return a[accessList] != nil }

// takeOff takes an access control list off an open file or directory.
func takeOff(f *os.File, list string) error {
	if err := unix.Fremovexattr(int(f.Fd()), list); err != nil && !lacks(err) {
		return &fs.PathError{Op: "removexattr", Path: f.Name(), Err: err}
	}
	return nil
}

// passable tells of what came of reading or setting an attribute whether the others can do without
// it: it is not there, or is a label that is none of an ordinary process's business.
func passable(attribute string, err error) bool {
	switch {
	case err == nil, lacks(err):
		return true
	case err == unix.EPERM, err == unix.EACCES:
		return slices.ContainsFunc(labels, func(prefix string) bool { return strings.HasPrefix(attribute, prefix) })
	}
	return false
}
