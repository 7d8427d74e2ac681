package disk

import (
	"encoding/binary"
	"fmt"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// A Doubt is that others than root can change a file, a directory or a link. There is one rule of
// that: root alone can change what belongs to user 0 and cannot be written to by everybody, by
// another group than 0, or by whom an access control list (acl(5)) names. A link is as good as its
// owner, for its target cannot be written to (symlink(7)).
type Doubt struct {
	Path string // without links
	What string // who can: "it belongs to user 12"
	User int    // the one user that can, besides root; Several where there may be more

	Sticky bool // of a directory: others can make names there, and replace none but their own
}

// Several is the User of a Doubt about more than one.
const Several = -1

// Error says what may be changed, and by whom.
func (d *Doubt) Error() string { return d.Path + ": " + d.What }

// Only tells whether all doubts are about one user: whatever is changed is that one's doing.
func Only(doubts []*Doubt, user int) bool {
	return user != Several && !slices.ContainsFunc(doubts, func(d *Doubt) bool { return d.User != user })
}

// judge says who else than root can change what was looked at: the content of a file, the names in
// a directory, where a link leads. List gives its access control list, and is asked only where that
// can matter. In a sticky directory others than its owner can make names, which makers is about,
// and replace none but their own (unlink(2)), which doubt is about.
func judge(path string, st *unix.Stat_t, list func() ([]byte, error)) (doubt, makers *Doubt) {
	others := ""
	if st.Mode&unix.S_IFMT != unix.S_IFLNK {
		others = writers(st, list)
	}
	switch {
	case st.Uid != 0:
		what := fmt.Sprintf("it belongs to user %d", st.Uid)
		doubt, makers = &Doubt{Path: path, What: what, User: int(st.Uid)}, &Doubt{Path: path, What: what, User: int(st.Uid)}
		if others != "" {
			doubt.User, makers.User = Several, Several
		}
	case others != "":
		doubt, makers = &Doubt{Path: path, What: others, User: Several}, &Doubt{Path: path, What: others, User: Several}
	}
	if others != "" && st.Mode&(unix.S_IFMT|unix.S_ISVTX) == unix.S_IFDIR|unix.S_ISVTX {
		if doubt.User = int(st.Uid); st.Uid == 0 {
			doubt, makers.Sticky = nil, true
		}
	}
	return doubt, makers
}

// writers says who else than root and the owner can write to what was looked at; "" where nobody
// can.
func writers(st *unix.Stat_t, list func() ([]byte, error)) string {
	switch {
	case st.Mode&0o002 != 0:
		return "everybody can write to it"
	case st.Mode&0o020 == 0:
		return "" // the bits of the group are the mask of a list, where there is one
	}
	text, err := list()
	if err != nil {
		return "its access control list cannot be read"
	}
	entries, good := parseList(text)
	switch {
	case !good:
		return "its access control list is of an unknown kind"
	case len(entries) == 0 && st.Gid != 0:
		return fmt.Sprintf("group %d can write to it", st.Gid)
	}
	mask := uint16(0o7)
	for _, e := range entries {
		if e.tag == tagMask {
			mask = e.permissions
		}
	}
	for _, e := range entries {
		if e.permissions&mask&0o2 == 0 {
			continue
		}
		switch {
		case e.tag == tagGroup && st.Gid != 0:
			return fmt.Sprintf("group %d can write to it", st.Gid)
		case (e.tag == tagNamedUser || e.tag == tagNamedGroup) && e.id != 0:
			return "its access control list lets others write to it"
		}
	}
	return ""
}

// An entry is one of an access control list.
type entry struct {
	tag, permissions uint16
	id               uint32
}

// parseList reads an access control list as Linux stores it (linux/posix_acl_xattr.h). No text is
// no list.
func parseList(text []byte) (entries []entry, good bool) {
	if len(text) == 0 {
		return nil, true
	}
	if len(text)%listEntry != listHead || binary.LittleEndian.Uint32(text) != listVersion {
		return nil, false
	}
	for e := range slices.Chunk(text[listHead:], listEntry) {
		entries = append(entries, entry{binary.LittleEndian.Uint16(e), binary.LittleEndian.Uint16(e[2:]), binary.LittleEndian.Uint32(e[4:])})
	}
	return entries, true
}

// listOf gives the access control list of a name in an open directory, nil where it has none. A
// descriptor of its own would take the right to read it.
func listOf(dir int, name string) ([]byte, error) {
	text := make([]byte, maxAttributes)
	n, err := unix.Lgetxattr(fmt.Sprintf("/proc/self/fd/%d/%s", dir, name), accessList, text)
	switch err {
	case nil:
		return text[:n], nil
	case unix.ENODATA, unix.EOPNOTSUPP:
		return nil, nil
	}
	return nil, err
}

// distrusts tells whether there are others to distrust: what an ordinary user's process may do its
// user may do, too.
func distrusts() bool { return os.Geteuid() == 0 }
