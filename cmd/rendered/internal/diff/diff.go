// Package diff shows what a pass would do: which files would be new or others, with what, and what
// would run then. It shows no value: neither of those that files would be made of, nor of those
// that they hold now.
package diff

import (
	"fmt"
	"io/fs"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/watch/notify"
	"github.com/rendered/rendered/watch/pass"
)

// A Diff is what a pass over services would do. It holds no value.
type Diff struct {
	Services []Service `json:"services"` // those that would change, or of which it could not be found out
	Faulty   []string  `json:"faulty"`   // services, or parts of the config, that cannot be used
}

// A Service is what the pass of one service would do.
type Service struct {
	Service string `json:"service"`
	Paused  string `json:"paused,omitempty"` // by whom, until when, and why: nothing changes meanwhile
	// RolledBack is why this change was put back: it is not tried again before somebody asks.
	RolledBack string `json:"rolled_back,omitempty"`
	// HeldUntil is before when nothing changes.
	HeldUntil time.Time `json:"held_until,omitzero"`
	Files     []File    `json:"files"`
	WouldRun  []string  `json:"would_run"` // gate, checks, before, who would be told, and after, in this order
	Failures  []string  `json:"failures"`  // why it would do nothing; lines

	retried string // when it is tried again though it was put back
}

// A File is one that would change.
type File struct {
	Path    string     `json:"path"`
	State   swap.State `json:"state"`              // what it would become: created, changed, repaired, removed
	File    string     `json:"file,omitempty"`     // its own path, where Path leads to it through a link
	InPlace bool       `json:"in_place,omitempty"` // it would be written where it is
	Old     *Access    `json:"old,omitempty"`      // absent: there is none
	New     Access     `json:"new"`                // of one that would be removed its fields are empty
	ACL     bool       `json:"acl,omitempty"`      // an access control list would be taken away
	Foreign bool       `json:"foreign,omitempty"`  // somebody else wrote what stands there: it would be backed up
	Gone    bool       `json:"gone,omitempty"`     // it was written, and was taken away
	Refs    []Renewal  `json:"refs"`               // lookups with another version than when it was last written
	Hunks   []Hunk     `json:"hunks"`
}

// An Access is who may do what with a file, and how large it is.
type Access struct {
	Mode  string `json:"mode"`  // octal
	Owner string `json:"owner"` // user:group
	Bytes int64  `json:"bytes"`
}

// A Renewal is a lookup, and the versions that files were and would be written from.
type Renewal struct {
	Ref  string `json:"ref"`
	From string `json:"from,omitempty"` // absent: not known
	To   string `json:"to"`
}

// Of gives what passes would do, of those that would do anything. failures says why one would not.
func Of(list []pass.Foresight, failures func(pass.Foresight) []string) Diff {
	d := Diff{Services: []Service{}, Faulty: []string{}}
	for _, f := range list {
		if f.Err == nil && len(f.Files) == 0 {
			continue
		}
		s := Service{Service: f.Name, Files: []File{}, WouldRun: wouldRun(f), Failures: append([]string{}, failures(f)...)}
		s.RolledBack, s.HeldUntil, s.retried = f.RolledBack, f.HeldUntil, f.Retried()
		if f.Paused != nil {
			s.Paused = f.Paused.String()
		}
		for _, file := range f.Files {
			s.Files = append(s.Files, fileOf(f, file))
		}
		d.Services = append(d.Services, s)
	}
	return d
}

// Files counts the files that would change, and the services that they are of.
func (d Diff) Files() (files, services int) {
	for _, s := range d.Services {
		files += len(s.Files)
		services += min(len(s.Files), 1)
	}
	return files, services
}

// Failed tells whether something could not be found out.
func (d Diff) Failed() bool {
	for _, s := range d.Services {
		if len(s.Failures) > 0 {
			return true
		}
	}
	return len(d.Faulty) > 0
}

// wouldRun gives the commands that a pass would run, and whom it would tell, in their order.
func wouldRun(f pass.Foresight) []string {
	list := []string{}
	around := func(key string, c command.Check) {
		if !c.IsZero() {
			list = append(list, key+": "+c.String())
		}
	}
	if len(f.Files) > 0 {
		around("gate", f.Gate)
	}
	for _, changed := range f.Files {
		if !changed.Check.IsZero() {
			list = append(list, changed.Check.String())
		}
	}
	if len(f.Files) > 0 && !f.Check.IsZero() {
		list = append(list, f.Check.String())
	}
	if !f.Tells() {
		return list
	}
	around("before", f.Service.Before)
	for _, a := range f.Dependents {
		name := a.Name()
		if whom := notify.Whom(a); whom != "" {
			name += " (" + whom + ")"
		}
		list = append(list, name)
	}
	around("after", f.After)
	return list
}

func fileOf(f pass.Foresight, of pass.Foreseen) File {
	file := File{
		Path: of.Path, State: of.State, File: of.File, ACL: of.Listed(), Refs: []Renewal{}, Hunks: []Hunk{},
		InPlace: of.InPlace && of.Old.Exists,
		Foreign: of.Before == pass.Others && of.State == swap.Differs && of.Old.Size > 0,
		Gone:    of.Before == pass.Owned && of.State == swap.NotThere,
		New:     access(of.Mode, of.UID, of.GID, int64(len(of.Content))),
	}
	if of.State == swap.Removed {
		file.New = Access{}
	}
	if of.Old.Exists {
		old := access(of.Old.Mode, of.Old.UID, of.Old.GID, of.Old.Size)
		file.Old = &old
	}
	for _, r := range of.Refs {
		file.Refs = append(file.Refs, Renewal(r))
	}
	if of.State != swap.Drifted {
		file.Hunks = show(compare(f, of), f.Redacted)
	}
	return file
}

// compare gives the hunks of a file with new contents.
func compare(f pass.Foresight, of pass.Foreseen) []Hunk {
	if tooLarge(of.Content) || tooLarge(of.OldContent) || of.OldContent == nil && of.Old.Exists {
		lines := []Line{{Sign: added, pieces: []piece{{"‹" + count(int64(len(of.Content)), "byte") + "›", true}}}}
		if of.Old.Exists {
			lines = append([]Line{{Sign: removed, pieces: []piece{{hiddenOnDisk(of.Old.Size), true}}}}, lines...)
		}
		return []Hunk{{Lines: append(lines, Line{Sign: remark, pieces: []piece{{notCompared, true}}})}}
	}
	fresh := newUnits(of.Content, of.Parts, func(p render.Part) string { return label(f, p) })
	return hunks(oldUnits(of.OldContent, fresh), fresh)
}

// notCompared is what a hunk says of files that are shown by their sizes alone.
const notCompared = "Not compared line by line"

// label says what stands where it does.
func label(f pass.Foresight, p render.Part) string {
	var names []string
	for _, o := range p.Of {
		if o.Ref.Name == "" {
			continue // only the render can tell
		}
		name := strings.Join(append([]string{o.Ref.String()}, o.Keys...), " ")
		if version, _ := f.Snapshot.Version(o.Ref); version != "" {
			name += ", version " + console.Version(version)
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return "‹from a lookup or the environment›"
	}
	return "‹" + strings.Join(names, "; ") + "›"
}

func access(mode fs.FileMode, uid, gid int, size int64) Access {
	return Access{fmt.Sprintf("%04o", uint32(mode)), console.User(uid) + ":" + console.Group(gid), size}
}

const (
	// mostShown is how many lines of a file are shown.
	mostShown = 1000
	// longest is how much of a line is, in characters.
	longest = 500
)

// show gives the lines their texts. What is taken for the template's is looked through once more
// for values: it is what a template that takes a value to pieces may have put together.
func show(list []Hunk, redacted func(string) string) []Hunk {
	list = shorten(list)
	hide(redacted, func(do func(*piece)) { each(list, do) })
	for i := range list {
		for j := range list[i].Lines {
			l := &list[i].Lines[j]
			l.Text = ""
			for _, p := range l.pieces {
				l.Text += p.text
			}
		}
	}
	return list
}

// hide takes out of pieces what is recognised in them, by themselves and together.
func hide(redacted func(string) string, each func(do func(*piece))) {
	shows := func() bool {
		var all strings.Builder
		each(func(p *piece) { all.WriteString(p.text + "\n") })
		text := all.String()
		return redacted(text) != text
	}
	if !shows() {
		return
	}
	each(func(p *piece) { p.text = redacted(p.text) })
	if shows() {
		each(func(p *piece) { p.text = "‹withheld›" })
	}
}

// each calls do for what is shown of files.
func each(list []Hunk, do func(*piece)) {
	for _, h := range list {
		for _, l := range h.Lines {
			for i := range l.pieces {
				if !l.pieces[i].label {
					do(&l.pieces[i])
				}
			}
		}
	}
}

// shorten leaves out what is too much for a screen, and what is no text.
func shorten(list []Hunk) []Hunk {
	left := mostShown
	for i := range list {
		h := &list[i]
		if more := len(h.Lines) - left; more > 0 {
			h.Lines = append(h.Lines[:left:left], Line{Sign: cut, pieces: []piece{{count(int64(more), "line") + " more", true}}})
			list = list[:i+1]
		}
		left -= len(h.Lines)
		for j, l := range h.Lines {
			h.Lines[j].pieces = legible(l.pieces)
		}
		if left <= 0 {
			return list[:i+1]
		}
	}
	return list
}

// legible gives what is shown of a line as far as it is text, and not too long.
func legible(pieces []piece) (list []piece) {
	left := longest
	for i, p := range pieces {
		switch size := utf8.RuneCountInString(p.text); {
		case p.label:
		case strings.ContainsRune(p.text, 0) || !utf8.ValidString(p.text):
			p = piece{"‹" + count(int64(len(p.text)), "byte") + " that are no text›", true}
		case size > left:
			p.text = string([]rune(p.text)[:left]) + cut
			left = 0
		default:
			left -= size
		}
		list = append(list, p)
		if left == 0 && i+1 < len(pieces) {
			return append(list, piece{cut, true})
		}
	}
	return list
}
