package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
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
func judge(path string, st Info, list func() ([]byte, error)) (doubt, makers *Doubt) {
	others := ""
	if st.Type != fs.ModeSymlink {
		others = writers(st, list)
	}
	d := &Doubt{Path: path, What: others, User: Several}
	if st.UID != 0 {
		d.What = fmt.Sprintf("it belongs to user %d", st.UID)
		if others == "" {
			d.User = st.UID
		}
	}
	switch {
	case d.What == "":
		return nil, nil
	case st.Type != fs.ModeDir || !st.sticky:
		return d, d
	case st.UID == 0:
		d.Sticky = true
		return nil, d
	}
	return &Doubt{Path: path, What: d.What, User: st.UID}, d
}

// writers says who else than root and the owner can write to what was looked at; "" where nobody
// can.
func writers(st Info, list func() ([]byte, error)) string {
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
	entries, ok := entriesOf(text)
	if !ok {
		return "its access control list is of an unknown kind"
	}
	for _, e := range entries {
		if what := e.writer(st.GID); what != "" {
			return what
		}
	}
	return ""
}

// writer says whom else than root the entry of a file of this group lets write; "": nobody.
func (e entry) writer(gid int) string {
	tag := e.tag()
	switch {
	case !e.writes():
	case tag == tagGroup && gid != 0:
		return fmt.Sprintf("group %d can write to it", gid)
	case (tag == tagNamedUser || tag == tagNamedGroup) && e.id() != 0:
		return "its access control list lets others write to it"
	}
	return ""
}

// distrusts tells whether there are others to distrust: what an ordinary user's process may do its
// user may do, too.
func distrusts() bool { return os.Geteuid() == 0 }

// ErrUnseen is that root goes nowhere, as on this system it is not seen who else can change a path.
// On Linux it is.
var ErrUnseen = errors.New("root does not work here: it needs Linux to see who else can change a path; any other user can")
