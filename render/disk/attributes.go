package disk

import (
	"bytes"
	"strings"

	"golang.org/x/sys/unix"
)

const accessList = "system.posix_acl_access"

// ofContent are attributes that are true of the old content only: capabilities, and the hashes of integrity measurement.
var ofContent = map[string]bool{"security.capability": true, "security.ima": true, "security.evm": true}

// maxAttributes bounds what is read of one file's attributes. Linux has 64 KiB for the names and for each value (xattr(7)).
const maxAttributes = 64 << 10

func (d *dir) Attributes(name string) (Attributes, error) {
	fd, err := unix.Openat(d.fd(), name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, d.fail("open", name, err)
	}
	defer unix.Close(fd)
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

// apply gives an open file the attributes. A label that only a privileged process can set is left as the system made it, where we are
// none; and so is everything where the file system has no attributes.
func (a Attributes) apply(fd int) error {
	for attribute, value := range a {
		err := unix.Fsetxattr(fd, attribute, value, 0)
		if err != nil && err != unix.EOPNOTSUPP && !(isPrivileged(attribute) && (err == unix.EPERM || err == unix.EACCES)) {
			return err
		}
	}
	return nil
}

func isPrivileged(attribute string) bool {
	return strings.HasPrefix(attribute, "security.") || strings.HasPrefix(attribute, "trusted.")
}
