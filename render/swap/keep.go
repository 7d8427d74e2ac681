package swap

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/rendered/rendered/internal/disk"
)

// settle decides whose the file is to be, and with which mode: as configured, else as that of what
// stands there, else the daemon's own.
func (f *file) settle(found disk.Info) error {
	f.foreign = f.dir.Doubts()
	f.kept = f.keeps(found)
	if !f.kept {
		found.UID, found.GID = os.Geteuid(), os.Getegid()
	}
	if f.kept && f.KeepMode {
		f.Mode = found.Mode
	}
	if err := f.undecided(found); err != nil {
		return err
	}
	if f.UID == Keep {
		f.UID = found.UID
	}
	if f.GID == Keep {
		f.GID = found.GID
	}
	return nil
}

// keeps tells whether owner, mode and attributes of what stands there may be taken over. Who made a
// file could have prepared it so that he can read what is written to it: by its mode, by an access
// control list, by a second name for a file of root's that many can read. So root takes over from
// its own files and from those of the owner that is configured, and where nobody else could have
// put anything there and none is configured, from any.
func (f *file) keeps(found disk.Info) bool {
	switch {
	case !found.Exists:
		return false
	case os.Geteuid() != 0, len(f.foreign) == 0 && f.UID == Keep:
		return true
	case found.UID != 0 && found.UID != f.UID:
		return false
	}
	return len(f.foreign) == 0 || found.Links == 1
}

// undecided is an error where others can put any of root's files at the name, and who may read the
// new one would come from such a file: they could give a private one the mode of a public one by a
// rename.
func (f *file) undecided(found disk.Info) error {
	if !f.kept || len(f.foreign) == 0 || disk.Only(f.foreign, f.UID) {
		return nil
	}
	var missing string
	switch group := f.GID == Keep && found.GID != os.Getegid() && f.Mode&0o070 != 0; {
	case f.KeepMode && f.Mode&0o077 != 0:
		missing = "mode"
	case group:
		missing = "group"
	default:
		return nil
	}
	return &UndecidedError{Path: f.Path, Missing: missing, By: f.foreign[0], UID: found.UID, GID: found.GID, Mode: found.Mode}
}

// An UndecidedError is that who may read a file is not configured, and that what stands there
// cannot be believed.
type UndecidedError struct {
	Path     string
	Missing  string // "mode" or "group"
	By       *disk.Doubt
	UID, GID int // of what stands there
	Mode     fs.FileMode
}

func (e *UndecidedError) Error() string {
	return fmt.Sprintf("%s: its %s is not configured, and others than root could have chosen that of the file there (%v)", e.Path, e.Missing, e.By)
}

// Hints says what to configure for the file to be as the one that is there.
func (e *UndecidedError) Hints() []string {
	return []string{fmt.Sprintf("set owner: %d:%d and mode: %04o, which are those of the file there, if that is who may read it", e.UID, e.GID, uint32(e.Mode))}
}

// takeOver reads the attributes that the new file is to have. Where others could have prepared the
// file, its list grants nothing beside a mode that is configured; a file that is as it should be
// but for such a list has drifted.
func (f *file) takeOver(found disk.Info) error {
	if !f.kept && len(f.foreign) > 0 {
		return nil
	}
	attributes, err := f.dir.Attributes(f.name, found)
	if err != nil {
		return err
	}
	if !f.kept || len(f.foreign) > 0 && !f.KeepMode {
		if f.state == Same && attributes.Listed() {
			f.state = Drifted
		}
		attributes = attributes.Unlisted()
	}
	f.attributes = attributes
	return nil
}

// refuseInPlace says why a file must not be written where it is.
func (f *file) refuseInPlace(found disk.Info) error {
	if !f.InPlace || !found.Exists {
		return nil
	}
	return openToOthers(f.Path, found, f.UID, f.Mode, f.foreign)
}

// openToOthers is an error where others than root and the owner-to-be of a file may have it open,
// for whom its content would change under their hands, or may have put another file there, for root
// to write to. What everybody may read harms nobody in a file of one name.
func openToOthers(path string, found disk.Info, uid int, mode fs.FileMode, foreign []*disk.Doubt) error {
	switch {
	case os.Geteuid() != 0, mode&0o004 != 0 && found.Links == 1:
		return nil
	case found.UID != uid && (found.UID != 0 || len(foreign) > 0):
		return fmt.Errorf("%s belongs to user %d, who may have it open and would read what is written to it; with write: in-place it must be %s", path, found.UID, whose(uid))
	case len(foreign) == 0, found.Links == 1 && (disk.Only(foreign, uid) || beyondReach(found, foreign)):
		return nil
	default:
		return fmt.Errorf("%s cannot be written in place: others than root and its owner can put another file there (%v)", path, cmp.Or(other(foreign, uid), foreign[0]))
	}
}

// beyondReach tells whether a file is one of root's, for root alone, that others cannot replace,
// though they can make names beside it.
func beyondReach(found disk.Info, foreign []*disk.Doubt) bool {
	private := found.UID == 0 && found.Mode&0o007 == 0 && (found.GID == 0 || found.Mode&0o070 == 0)
	return private && !slices.ContainsFunc(foreign, func(d *disk.Doubt) bool { return !d.Sticky })
}

func whose(uid int) string {
	if uid == 0 {
		return "root's"
	}
	return fmt.Sprintf("root's or that of user %d", uid)
}

// other gives the first doubt that is not about the user.
func other(doubts []*disk.Doubt, user int) *disk.Doubt {
	for _, d := range doubts {
		if d.User != user {
			return d
		}
	}
	return nil
}
