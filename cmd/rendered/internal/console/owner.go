package console

import (
	"os/user"
	"strconv"
)

// User gives the name of a user, or the number where the machine knows none.
func User(uid int) string {
	number := strconv.Itoa(uid)
	if u, err := user.LookupId(number); err == nil {
		return u.Username
	}
	return number
}

// Group gives the name of a group, or the number where the machine knows none.
func Group(gid int) string {
	number := strconv.Itoa(gid)
	if g, err := user.LookupGroupId(number); err == nil {
		return g.Name
	}
	return number
}
