package disk

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	accessList  = "system.posix_acl_access"
	defaultList = "system.posix_acl_default" // of a directory, for what is made in it
)

// ofContent are attributes that are true of the old content only: capabilities, and the hashes of integrity measurement.
var ofContent = map[string]bool{"security.capability": true, "security.ima": true, "security.evm": true}

// maxAttributes bounds what is read of one file's attributes. Linux has 64 KiB for the names and for each value (xattr(7)).
const maxAttributes = 64 << 10

func (d *dir) Attributes(name string, of Info) (Attributes, error) {
	fd, err := unix.Openat(d.fd(), name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, d.fail("open", name, err)
	}
	defer unix.Close(fd)
	if err := same(fd, of); err != nil {
		return nil, d.fail("read", name, err)
	}
	list := make([]byte, maxAttributes)
	n, err := unix.Flistxattr(fd, list)
	if err == unix.EOPNOTSUPP || n == 0 && err == nil {
		return nil, nil
	}
	if err != nil {
		return nil, d.fail("listxattr", name, err)
	}
	found := make(Attributes)
	value := make([]byte, maxAttributes)
	for attribute := range strings.SplitSeq(strings.TrimRight(string(list[:n]), "\x00"), "\x00") {
		if ofContent[attribute] {
			continue
		}
		n, err := unix.Fgetxattr(fd, attribute, value)
		switch {
		case err == unix.ENODATA || err != nil && isPrivileged(attribute):
		case err != nil:
			return nil, d.fail("getxattr", name, err)
		default:
			found[attribute] = bytes.Clone(value[:n])
		}
	}
	return found, nil
}

// apply gives an open file the attributes, of which the access control list gets the bits of the mode. A label that only a privileged
// process can set is left as the system made it, where we are none; and so is everything where the file system has no attributes.
func (a Attributes) apply(fd int, mode fs.FileMode) error {
	for attribute, value := range a {
		if attribute == accessList {
			value = withMode(value, mode)
		}
		err := unix.Fsetxattr(fd, attribute, value, 0)
		if err != nil && err != unix.EOPNOTSUPP && !(isPrivileged(attribute) && (err == unix.EPERM || err == unix.EACCES)) {
			return err
		}
	}
	return nil
}

// An access control list as Linux stores it (linux/posix_acl_xattr.h): a version, then entries of a tag, permissions and an id.
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

// withMode gives an access control list the bits that chmod(2) would give it (acl(5)): the mask, where there is one, those of the group.
// Without that a mode that takes away what the list gives would come a moment too late. A list of another kind stays as it is.
func withMode(list []byte, mode fs.FileMode) []byte {
	if len(list)%listEntry != listHead || binary.LittleEndian.Uint32(list) != listVersion {
		return list
	}
	list = bytes.Clone(list)
	var group []byte
	for entry := range slices.Chunk(list[listHead:], listEntry) {
		permissions := entry[2:4]
		switch binary.LittleEndian.Uint16(entry) {
		case tagOwner:
			binary.LittleEndian.PutUint16(permissions, uint16(mode>>6&0o7))
		case tagOthers:
			binary.LittleEndian.PutUint16(permissions, uint16(mode&0o7))
		case tagMask:
			group = permissions
		case tagGroup:
			if group == nil {
				group = permissions // entries are sorted by their tags: a mask is yet to come
			}
		}
	}
	if group != nil {
		binary.LittleEndian.PutUint16(group, uint16(mode>>3&0o7))
	}
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
func takeOff(fd int, list string) error {
	err := unix.Fremovexattr(fd, list)
	if err == unix.ENODATA || err == unix.EOPNOTSUPP {
		return nil
	}
	return err
}

func isPrivileged(attribute string) bool {
	return strings.HasPrefix(attribute, "security.") || strings.HasPrefix(attribute, "trusted.")
}
