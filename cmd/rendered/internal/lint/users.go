package lint

import (
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/rendered/rendered/internal/disk"
)

// users are the files that say who is in a group (passwd(5), group(5)).
type users struct{ passwd, group string }

var machineUsers = users{"/etc/passwd", "/etc/group"}

// maxUsers is how many bytes such a file may have; a larger one is not read.
const maxUsers = 1 << 20

// of gives the users of a group, sorted: those whose own group it is, and its members. -1 is the
// group of whoever writes the file. Of a group that the files do not know, none.
func (u users) of(gid int) []string {
	if gid < 0 {
		gid = os.Getegid()
	}
	if gid == 0 {
		return nil // root's group; some systems have pseudo-users in it, who never log in
	}
	number := strconv.Itoa(gid)
	var names []string
	for _, fields := range lines(u.passwd) {
		if len(fields) > 3 && fields[3] == number {
			names = append(names, fields[0])
		}
	}
	for _, fields := range lines(u.group) {
		if len(fields) > 3 && fields[2] == number && fields[3] != "" {
			names = append(names, strings.Split(fields[3], ",")...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// lines gives the fields of each line.
func lines(path string) (list [][]string) {
	data, err := disk.ReadFile(path, maxUsers)
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(data)) {
		list = append(list, strings.Split(strings.TrimSpace(line), ":"))
	}
	return list
}
