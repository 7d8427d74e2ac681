package disk

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// maxLinks is how many links one path may hold, as in Linux (path_resolution(7)).
const maxLinks = 40

// A Way is how a path leads to what it leads to: name by name, through every link.
type Way struct {
	Steps []Step   // the first is the root; the last what the path leads to, or the first name that is not there or leads no further
	Rest  []string // the names after the last step
}

// A Step is one name on a way, and what is there. Of the Info Mount and Fixed are not asked for.
type Step struct {
	Dir, Name string // the directory, without links, and the name in it; the root is "" in "/"
	Info
	Target string // of a link, as it is written
	Shared bool   // others can make names in Dir, though they cannot replace one that is not theirs

	doubt, makers *Doubt // makers: who can make names in a directory
}

// Path is where the step is, without links on the way to it.
func (s Step) Path() string { return filepath.Join(s.Dir, s.Name) }

// Doubt says who else than root can change what is there; nil where nobody can, or where we are not
// root.
func (s Step) Doubt() *Doubt { return s.doubt }

// planted says that what is there may have been put there by others, though it is not theirs: a
// link by moving it, a file by a second name (link(2); what fs.protected_hardlinks forbids is not
// forbidden everywhere). That a file of one name was moved there is for Input to reckon with.
func (s Step) planted() *Doubt {
	switch {
	case !s.Shared, s.Type == fs.ModeDir:
		return nil
	case s.Type == fs.ModeSymlink:
		return &Doubt{Path: s.Path(), What: "others can make names in " + s.Dir + ", and may have moved it there", User: Several}
	case s.Links < 2:
		return nil
	}
	return &Doubt{Path: s.Path(), What: "it has another name elsewhere, and others can make names in " + s.Dir, User: Several}
}

// Last is where the way ends.
func (w Way) Last() Step { return w.Steps[len(w.Steps)-1] }

// Found tells whether there is something at the path.
func (w Way) Found() bool { return len(w.Rest) == 0 && w.Last().Exists }

// Real is the path without links, as far as it leads; what is not there has none.
func (w Way) Real() string {
	return filepath.Join(slices.Concat([]string{w.Last().Path()}, w.Rest)...)
}

// Doubts says who else than root can change where the path leads: a directory or a link on the way,
// not what stands at its end. An ordinary user's process has nobody to distrust.
func (w Way) Doubts() (doubts []*Doubt) {
	for i, s := range w.Steps {
		if s.doubt != nil && i < len(w.Steps)-1 {
			doubts = append(doubts, s.doubt)
		}
		if d := s.planted(); d != nil {
			doubts = append(doubts, d)
		}
	}
	return doubts
}

// Changers says who else than root can change what the way leads to, or have it lead elsewhere.
func (w Way) Changers() []*Doubt {
	doubts := w.Doubts()
	if own := w.Last().doubt; own != nil {
		doubts = append(doubts, own)
	}
	return doubts
}

// within says who else than root can decide what stands at a name in the directory that the way
// leads to.
func (w Way) within() []*Doubt {
	doubts := w.Doubts()
	if m := w.Last().makers; m != nil {
		doubts = append(doubts, m)
	}
	return doubts
}

// Walk goes the way to an absolute path as the kernel does (path_resolution(7)), and opens nothing
// at its end. That something is not there is no error. Where a file system on the way does not
// answer within three seconds the error is ErrSilent; beside an error the way is given as far as it
// could be gone.
func Walk(path string) (Way, error) {
	type walked struct {
		way Way
		err error
	}
	w, err := asked(path, func(path string) (walked, error) {
		at, way, err := walk(path, nil)
		if at >= 0 {
			unix.Close(at)
		}
		return walked{way, err}, nil
	})
	if err != nil {
		return Way{}, err
	}
	return w.way, w.err
}

// walk is Walk. It gives the directory in which the way ends, or that it leads to, as a descriptor
// to look by (O_PATH in open(2)), -1 beside an error. Admit is asked before each link is followed,
// with the way up to it; nil admits all.
func walk(path string, admit func(Way) error) (at int, way Way, err error) {
	at, err = unix.Open("/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, way, &fs.PathError{Op: "open", Path: "/", Err: err}
	}
	root, err := top(at)
	if err != nil {
		unix.Close(at)
		return -1, way, err
	}
	way.Steps = []Step{root}
	way.Rest = names(path)
	here := root // the step of at
	for links := 0; len(way.Rest) > 0; {
		name := way.Rest[0]
		next, s, err := take(at, here, name)
		if err != nil {
			unix.Close(at)
			return -1, way, err
		}
		way.Rest = way.Rest[1:]
		switch {
		case name == "..":
			// What the directory is was found on the way down, unless the way began beneath it.
			unix.Close(at)
			at, here = next, s
			way.Steps = append(way.Steps, s)
		case s.Type == fs.ModeSymlink:
			way.Steps = append(way.Steps, s)
			if links++; links > maxLinks {
				err = &fs.PathError{Op: "open", Path: s.Path(), Err: unix.ELOOP}
			} else if admit != nil {
				err = admit(way)
			}
			if err != nil {
				unix.Close(at)
				return -1, way, err
			}
			way.Rest = append(names(s.Target), way.Rest...)
			if filepath.IsAbs(s.Target) {
				if next, err = unix.Open("/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
					unix.Close(at)
					return -1, way, &fs.PathError{Op: "open", Path: "/", Err: err}
				}
				unix.Close(at)
				at, here = next, root
			}
			if len(way.Rest) == 0 { // it leads to the directory that it stands in
				way.Steps = append(way.Steps, here)
			}
		case next >= 0:
			unix.Close(at)
			at, here = next, s
			way.Steps = append(way.Steps, s)
		default:
			way.Steps = append(way.Steps, s)
			return at, way, nil
		}
	}
	return at, way, nil
}

func top(at int) (Step, error) {
	var st unix.Stat_t
	if err := unix.Fstat(at, &st); err != nil {
		return Step{}, &fs.PathError{Op: "stat", Path: "/", Err: err}
	}
	s := Step{Dir: "/", Info: infoOf(&st)}
	s.weigh(&st, at, ".")
	return s, nil
}

// take looks at a name in an open directory, and opens what is there if it is a directory. What is
// judged is what was opened, whatever others put in its place meanwhile.
func take(at int, here Step, name string) (next int, s Step, err error) {
	s = Step{Dir: here.Path(), Name: name, Shared: here.makers != nil && here.doubt == nil}
	if name == ".." {
		s.Dir, s.Name = filepath.Split(filepath.Dir(here.Path()))
		s.Dir, s.Shared = filepath.Clean(s.Dir), false
	}
	fail := func(op string, err error) (int, Step, error) {
		if next >= 0 {
			unix.Close(next)
		}
		return -1, s, &fs.PathError{Op: op, Path: s.Path(), Err: err}
	}
	next = -1
	var st unix.Stat_t
	err = unix.Fstatat(at, name, &st, unix.AT_SYMLINK_NOFOLLOW)
	switch {
	case err == unix.ENOENT:
		return -1, s, nil
	case err != nil:
		return fail("open", err)
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		if next, err = unix.Openat(at, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0); err != nil {
			return fail("open", err)
		}
		if err := unix.Fstat(next, &st); err != nil {
			return fail("stat", err)
		}
		s.weigh(&st, next, ".")
	case unix.S_IFLNK:
		if next, err = unix.Openat(at, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0); err != nil {
			return fail("open", err)
		}
		if err := unix.Fstat(next, &st); err != nil {
			return fail("stat", err)
		}
		target := make([]byte, unix.PathMax)
		n, err := unix.Readlinkat(next, "", target)
		if err != nil {
			return fail("readlink", err)
		}
		s.Target = string(target[:n])
		unix.Close(next)
		next = -1
		s.weigh(&st, at, name)
	default:
		s.weigh(&st, at, name)
	}
	s.Info = infoOf(&st)
	return next, s, nil
}

// weigh judges what was looked at, where there is anybody to distrust.
func (s *Step) weigh(st *unix.Stat_t, dir int, name string) {
	if distrusts() {
		s.doubt, s.makers = judge(s.Path(), st, func() ([]byte, error) { return listOf(dir, name) })
	}
}

// Trusted is a *LinkError where root would not follow a link on the way.
func (w Way) Trusted() error {
	for i, s := range w.Steps {
		if s.Type == fs.ModeSymlink && distrusts() {
			if err := admitTrusted(Way{Steps: w.Steps[:i+1]}); err != nil {
				return err
			}
		}
	}
	return nil
}

// admitTrusted refuses to follow a link where others than root can change it, or could have put
// another in its place.
func admitTrusted(way Way) error {
	link := way.Last()
	// The link is not the end: it counts as what is on the way.
	doubts := way.Doubts()
	if d := link.doubt; d != nil {
		doubts = append(doubts, d)
	}
	if len(doubts) == 0 {
		return nil
	}
	return &LinkError{link.Path(), doubts[0]}
}

// names gives the components of a path; ".." stays, as the kernel resolves it after links.
func names(path string) []string {
	return slices.DeleteFunc(strings.Split(path, "/"), func(name string) bool { return name == "" || name == "." })
}
