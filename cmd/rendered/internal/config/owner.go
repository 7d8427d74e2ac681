package config

import (
	"fmt"
	"io/fs"
	"os/user"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/lazyregexp"
)

var (
	octal   = lazyregexp.New(`^0o?[0-7]{3,4}$`)
	decimal = lazyregexp.New(`^[1-7][0-7]{2}$`)
)

const asMode = "write it in octal digits, as 0640"

// parseMode parses permission bits as chmod(1) writes them. They begin with 0, so that nobody
// wonders whether 644 is decimal.
func parseMode(text string) (fs.FileMode, *refusal) {
	switch {
	case decimal.MatchString(text):
		return 0, refuse(fmt.Sprintf("mode %s must begin with 0: 0%s", text, text))
	case !octal.MatchString(text):
		return 0, refuse(fmt.Sprintf("%q is not a mode", short(text)), asMode)
	}
	bits, err := strconv.ParseUint(strings.TrimPrefix(text[1:], "o"), 8, 32)
	if err != nil || bits > 0o777 {
		return 0, refuse(fmt.Sprintf("mode %s has bits beyond 0777; set-user-id, set-group-id and sticky are not set", text))
	}
	return fs.FileMode(bits), nil
}

// parseDirMode parses the mode of a directory.
func parseDirMode(text string) (fs.FileMode, *refusal) {
	mode, refused := parseMode(text)
	if refused == nil && mode&0o100 == 0 {
		with := mode | mode>>2&0o111 | 0o100
		refused = refuse(fmt.Sprintf("its owner could not enter a directory of mode %04o", mode), fmt.Sprintf("a directory needs an x where it has an r: %04o", with))
	}
	return mode, refused
}

// ownerOf reads user, user:group or :group, each a name or a number; -1 is what is not said.
// Strangers, whom this machine does not know, are -1 where they may be named, else a fault.
func (r *reader) ownerOf(n *yaml.Node, where string, strangers bool) (uid, gid int) {
	uid, gid = -1, -1
	text, ok := r.textOf(n, where)
	if !ok {
		return uid, gid
	}
	name, group, grouped := strings.Cut(text, ":")
	if name == "" && group == "" || grouped && group == "" {
		r.fault(n, where, fmt.Sprintf("%q is not an owner", short(text)), "write user, user:group or :group")
		return uid, gid
	}
	if name != "" {
		uid = r.id(n, where, "user", name, strangers, userID)
	}
	if grouped {
		gid = r.id(n, where, "group", group, strangers, groupID)
	}
	return uid, gid
}

func userID(name string) (string, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return "", err
	}
	return u.Uid, nil
}

func groupID(name string) (string, error) {
	g, err := user.LookupGroup(name)
	if err != nil {
		return "", err
	}
	return g.Gid, nil
}

// maxID is the largest user or group id; the one above it means none (chown(2)).
const maxID = 1<<32 - 2

func (r *reader) id(n *yaml.Node, where, what, name string, strangers bool, lookup func(string) (string, error)) int {
	text := name
	if strings.Trim(name, "0123456789") != "" {
		var err error
		if text, err = lookup(name); err != nil {
			if strangers {
				return -1
			}
			r.fault(n, where, fmt.Sprintf("unknown %s %q on this machine", what, short(name)), dotHint(name)...)
			return -1
		}
	}
	id, err := strconv.ParseUint(text, 10, 32)
	if err != nil || id > maxID {
		r.fault(n, where, fmt.Sprintf("%q is no %s id", short(name), what))
		return -1
	}
	return int(id)
}

// dotHint minds those who write user.group, as chown(1) once took it.
func dotHint(name string) []string {
	if who, group, ok := strings.Cut(name, "."); ok && who != "" && group != "" {
		return []string{"a group stands after a colon: " + short(who+":"+group)}
	}
	return nil
}
