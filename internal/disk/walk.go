package disk

import (
	"fmt"
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
	// The first of Steps is the root. The last is what the path leads to, or the first name that is
	// not there or leads no further.
	Steps []Step
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
func (s Step) Path() string {
	if s.Dir == "/" || s.Name == "" {
		return s.Dir + s.Name
	}
	return s.Dir + "/" + s.Name
}

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

// astray is planted for who reads what root wrote, whichever of it. A link that leads to a name
// beneath the directory that it stands in leads to what root has there, wherever it stood before.
func (s Step) astray() *Doubt {
	if s.Type == fs.ModeSymlink && filepath.IsLocal(s.Target) {
		return nil
	}
	return s.planted()
}

// Last is where the way ends; the zero Step of one that could not be begun.
func (w Way) Last() (last Step) {
	if n := len(w.Steps); n > 0 {
		last = w.Steps[n-1]
	}
	return last
}

// Found tells whether there is something at the path.
func (w Way) Found() bool { return len(w.Rest) == 0 && w.Last().Exists }

// Real is the path without links, as far as it leads; what is not there has none.
func (w Way) Real() string {
	return filepath.Join(slices.Concat([]string{w.Last().Path()}, w.Rest)...)
}

// Doubts says who else than root can change where the path leads: a directory or a link on the way,
// not what stands at its end. An ordinary user's process has nobody to distrust.
func (w Way) Doubts() []*Doubt { return w.doubts(Step.planted) }

func (w Way) doubts(planted func(Step) *Doubt) (doubts []*Doubt) {
	for i, s := range w.Steps {
		if s.doubt != nil && i < len(w.Steps)-1 {
			doubts = append(doubts, s.doubt)
		}
		if d := planted(s); d != nil {
			doubts = append(doubts, d)
		}
	}
	return doubts
}

// Changers says who else than root can change what the way leads to, or have it lead elsewhere.
func (w Way) Changers() []*Doubt { return w.changers(Step.planted) }

func (w Way) changers(planted func(Step) *Doubt) []*Doubt {
	doubts := w.doubts(planted)
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
// answer within three seconds the error is ErrSilent, and there is no way; beside another error it
// is given as far as it could be gone.
func Walk(path string) (Way, error) {
	return timed(path, func(path string) (Way, error) {
		at, way, err := walk(path, nil)
		if err == nil {
			unix.Close(at)
		}
		return way, err
	})
}

// walk is Walk. It gives the directory in which the way ends, or that it leads to, as a descriptor
// to look by (O_PATH in open(2), O_SEARCH elsewhere), -1 beside an error. Each link is to be
// admitted before it is followed, by what others may have planted; nil admits all.
func walk(path string, planted func(Step) *Doubt) (at int, way Way, err error) {
	w := walker{at: -1, here: Step{Dir: "/"}, planted: planted}
	err = w.toRoot()
	w.way = Way{Steps: []Step{w.here}, Rest: names(path)}
	for more := true; err == nil && more && len(w.way.Rest) > 0; {
		more, err = w.goOn()
	}
	if err != nil {
		w.enter(-1, Step{})
	}
	return w.at, w.way, err
}

// A walker is on its way.
type walker struct {
	way   Way
	at    int  // the directory where it is; -1: it is in none
	here  Step // that of at
	links int  // followed so far

	planted func(Step) *Doubt
}

// enter goes into a directory.
func (w *walker) enter(dir int, here Step) {
	if w.at >= 0 {
		unix.Close(w.at)
	}
	w.at, w.here = dir, here
}

func (w *walker) toRoot() error {
	fd, s, err := look(unix.AT_FDCWD, "/", Step{Dir: "/"})
	if err == nil {
		w.enter(fd, s)
	}
	return err
}

// goOn takes the next step, and tells whether it leads further.
func (w *walker) goOn() (bool, error) {
	dir, s, err := step(w.at, w.here, w.way.Rest[0])
	if err != nil {
		return false, err
	}
	w.way.Rest = w.way.Rest[1:]
	w.way.Steps = append(w.way.Steps, s)
	switch {
	case s.Type == fs.ModeSymlink:
		return true, w.follow(s)
	case dir < 0:
		return false, nil
	}
	w.enter(dir, s)
	return true, nil
}

func (w *walker) follow(link Step) error {
	if w.links++; w.links > maxLinks {
		return &fs.PathError{Op: "open", Path: link.Path(), Err: unix.ELOOP}
	}
	if w.planted != nil {
		if err := w.way.admit(w.planted); err != nil {
			return err
		}
	}
	w.way.Rest = append(names(link.Target), w.way.Rest...)
	if filepath.IsAbs(link.Target) {
		if err := w.toRoot(); err != nil {
			return err
		}
	}
	if len(w.way.Rest) == 0 { // it leads to the directory that it stands in
		w.way.Steps = append(w.way.Steps, w.here)
	}
	return nil
}

// step looks at a name in an open directory, and opens what is there if it is a directory.
func step(at int, here Step, name string) (dir int, s Step, err error) {
	s = Step{Dir: here.Path(), Name: name, Shared: here.makers != nil && here.doubt == nil}
	if name == ".." {
		// What the directory is was found on the way down, unless the way began beneath it.
		s.Dir, s.Name = filepath.Split(filepath.Dir(here.Path()))
		s.Dir, s.Shared = filepath.Clean(s.Dir), false
	}
	return look(at, name, s)
}

// targetOf gives where the link leads that is at a name in an open directory; "": that is open.
func targetOf(fd int, name string) (string, error) {
	target := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(fd, name, target)
	return string(target[:max(n, 0)]), err
}

// Trusted is a *ForeignError where root would not follow a link on the way.
func (w Way) Trusted() error {
	for i, s := range w.Steps {
		if s.Type == fs.ModeSymlink {
			if err := (Way{Steps: w.Steps[:i+1]}).admit(Step.planted); err != nil {
				return err
			}
		}
	}
	return nil
}

// admit refuses to follow the link that the way ends with where others than root can change it, or
// could have put another in its place.
func (w Way) admit(planted func(Step) *Doubt) error {
	link := w.Last()
	doubts := w.changers(planted)
	if len(doubts) == 0 {
		return nil
	}
	why := doubts[0].Error()
	if doubts[0].Path == link.Path() {
		why = doubts[0].What
	}
	return &ForeignError{
		fmt.Sprintf("%s is a link that others than root can change (%s); root does not follow it", link.Path(), why),
		"name the path that it leads to, or have link and directories belong to root",
	}
}

// names gives the components of a path; ".." stays, as the kernel resolves it after links.
func names(path string) []string {
	return slices.DeleteFunc(strings.Split(path, "/"), func(name string) bool { return name == "" || name == "." })
}
