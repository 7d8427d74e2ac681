package preview

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// capable tells whether a capability is in force (capabilities(7)).
func capable(c uint) bool {
	var data [2]unix.CapUserData
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if unix.Capget(&header, &data[0]) != nil {
		return false
	}
	return data[c/32].Effective&(1<<(c%32)) != 0
}

// ambient gives the capabilities that programs inherit which are executed by an ordinary user, a
// bit each.
func ambient() (mask uint64) {
	for c := range uintptr(unix.CAP_LAST_CAP + 1) {
		set, err := unix.PrctlRetInt(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_IS_SET, c, 0, 0)
		if err == nil && set == 1 {
			mask |= 1 << c
		}
	}
	return mask
}

// bits gives the capabilities of a mask.
func bits(mask uint64) (list []uintptr) {
	for c := range uintptr(64) {
		if mask&(1<<c) != 0 {
			list = append(list, c)
		}
	}
	return list
}

// ids are those that a user namespace has. Each stands for itself.
type ids struct {
	users, groups []syscall.SysProcIDMap
	all           bool // every one that there is outside; else our own alone
}

// mapIDs gives all ids where we may hand them out, so that capabilities hold for the files of all
// owners as they do outside, else our own (user_namespaces(7)). User 0 takes CAP_SETFCAP besides.
func mapIDs() ids {
	if capable(unix.CAP_SETUID) && capable(unix.CAP_SETGID) && capable(unix.CAP_SETFCAP) {
		users, err := idsIn("/proc/self/uid_map")
		groups, err2 := idsIn("/proc/self/gid_map")
		if err == nil && err2 == nil {
			return ids{users, groups, true}
		}
	}
	own := func(id int) []syscall.SysProcIDMap {
		return []syscall.SysProcIDMap{{ContainerID: id, HostID: id, Size: 1}}
	}
	return ids{users: own(os.Geteuid()), groups: own(os.Getegid())}
}

// idsIn gives the ids of our own user namespace.
func idsIn(path string) (list []syscall.SysProcIDMap, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		var inside, outside, size int
		if _, err := fmt.Sscan(line, &inside, &outside, &size); err != nil {
			return nil, err
		}
		list = append(list, syscall.SysProcIDMap{ContainerID: inside, HostID: inside, Size: size})
	}
	return list, nil
}
