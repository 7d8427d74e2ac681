package ledger

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// A Rollout is that a change of a service's files has yet to be seen to be well, or was not. Where
// there is none, all that was told was seen.
type Rollout struct {
	Service string `json:"service"`
	Stage   Stage  `json:"stage,omitempty"`
	// Change names what is rolled out: a digest of all files of the service as they are to be. ""
	// where the old files are back is that nothing is rejected.
	Change  string    `json:"change,omitempty"`
	Since   time.Time `json:"since,omitzero"`    // when it was put in place
	Failure string    `json:"failure,omitempty"` // why it was not well, the last time
	// Still is why the service is not well with the old files, either, which are in place; "": it
	// is, or nobody has seen it yet.
	Still string    `json:"still,omitempty"`
	Paths []string  `json:"paths,omitempty"` // the files that have new contents
	Refs  []Renewal `json:"refs,omitempty"`  // lookups that have other versions than before
	// Old are these files as they were when the service was last well; none: they stay as they are.
	Old []Old `json:"old,omitempty"`
	// Stays says why they stay; "" where they are restored.
	Stays string `json:"stays,omitempty"`
	// Drained: what is to be done before a change was begun, and what is to be done after it has
	// yet to be.
	Drained bool `json:"drained,omitempty"`
	// Undone is why that is not done, the last time; "": nobody has tried.
	Undone string `json:"undone,omitempty"`
	// Secrets has a digest of each secret that the files were made of when the service was last
	// well, and New of those of the change; "": that is not known. They outlive the rollout.
	Secrets string `json:"secrets,omitempty"`
	New     string `json:"new,omitempty"`
	// Layout is a digest of the paths that the service had when the change was put in place.
	Layout string `json:"layout,omitempty"`
	// Trouble is a failure that is yet to be said; nil: none is. It outlives the rollout, too.
	Trouble *Event `json:"trouble,omitempty"`
}

// A Stage says how far a rollout has come.
type Stage string

const (
	Settled  Stage = ""         // it is over, and Drained alone is left
	Unproven Stage = "unproven" // the files are in place; who reads them is told, and is to be seen to be well
	Retold   Stage = "retold"   // it was not well; who reads the files is told once more
	// Reverting: it was not well then, either, and the old files are to be restored.
	Reverting Stage = "reverting"
	Reverted  Stage = "reverted" // they are in place; who reads them is told, and is to be seen to be well
	// Rejected: they are well. The change is not tried again.
	Rejected Stage = "rejected"
	// Unwell: it was not well, and stays; it is looked at again and again.
	Unwell Stage = "unwell"
)

// Probed tells whether somebody is to look whether the service is well.
func (s Stage) Probed() bool {
	return s == Unproven || s == Retold || s == Reverted || s == Unwell
}

// Back tells whether the old files are in place, in the place of the change.
func (s Stage) Back() bool { return s == Reverted || s == Rejected }

// An Old is a file as it was before a change.
type Old struct {
	Path   string      `json:"path"`
	Name   string      `json:"name,omitempty"` // of its bytes' file; "": there was no file
	Digest string      `json:"digest,omitempty"`
	UID    int         `json:"uid"`
	GID    int         `json:"gid"`
	Mode   fs.FileMode `json:"mode"`
	// InPlace: it is written where it is, not replaced by a rename.
	InPlace bool `json:"in_place,omitempty"`
}

// Open tells whether anything is to be done about it.
func (r Rollout) Open() bool { return r.Stage != Settled || r.Drained }

// Restores tells whether the old file may be put in a path that the change has taken it away from.
func (r Rollout) Restores(path string) bool {
	undecided := r.Stage == Unproven || r.Stage == Retold || r.Stage == Reverting
	return undecided && slices.ContainsFunc(r.Old, func(o Old) bool { return o.Path == path && o.Name != "" })
}

// restorable tells whether a rollout may put the old file in a path. The caller holds the lock.
func (l *Ledger) restorable(path string) bool {
	for _, r := range l.rollouts {
		if r.Restores(path) {
			return true
		}
	}
	return false
}

// Of tells whether two are of one change, and have come equally far.
func (r Rollout) Of(o Rollout) bool {
	return r.Stage == o.Stage && r.Change == o.Change && r.Since.Equal(o.Since)
}

// A Succession is that one rollout of a service takes the place of another.
type Succession struct{ Was, Is Rollout }

// ErrJudged is that a rollout has gone on since somebody looked at it.
var ErrJudged = errors.New("somebody has judged the last change meanwhile")

// follows tells whether the rollout that is to be replaced is still as it was. What was begun
// before the change stays to be undone. The caller holds the lock.
func (l *Ledger) follows(s *Succession) bool {
	s.Is.Service = l.nowCalled(s.Is.Service, s.Is.Paths)
	now := l.rollouts[s.Is.Service]
	s.Is.Drained = s.Is.Drained || now.Drained
	return now.Of(s.Was)
}

// succeed has a rollout take the place of another, where there is one, and gives what takes that
// back. The caller holds the lock.
func (l *Ledger) succeed(s *Succession) (undo func()) {
	if s == nil {
		return func() {}
	}
	is := s.Is
	is.Trouble = l.rollouts[is.Service].Trouble
	return l.setRollout(is)
}

// rolloutMark begins the lines of rollouts: where one is damaged nothing but it is lost.
const rolloutMark = '%'

// encode gives the line of the record.
func (r Rollout) encode() []byte {
	data, err := json.Marshal(r)
	if err != nil { // there is nothing in it that JSON has no form for
		panic(err)
	}
	return seal(rolloutMark, data)
}

// decodeRollout notes the rollout of a line, and tells whether it is undamaged.
func (l *Ledger) decodeRollout(line []byte) bool {
	data, sound := unseal(line)
	var r Rollout
	if !sound || json.Unmarshal(data, &r) != nil {
		return false
	}
	l.rollouts[r.Service] = r
	return true
}

func (l *Ledger) sortedRollouts() []Rollout {
	return slices.SortedFunc(maps.Values(l.rollouts), func(a, b Rollout) int { return strings.Compare(a.Service, b.Service) })
}

// setRollout sets the rollout of a service, and gives what takes that back. The caller holds the
// lock.
func (l *Ledger) setRollout(r Rollout) (undo func()) {
	was, there := l.rollouts[r.Service]
	if !r.Open() && r.Secrets == "" && r.Trouble == nil {
		delete(l.rollouts, r.Service)
	} else {
		l.rollouts[r.Service] = r
	}
	set, stays := l.rollouts[r.Service]
	return func() {
		if now, there := l.rollouts[r.Service]; there != stays || !reflect.DeepEqual(now, set) {
			return // a later write has another
		}
		delete(l.rollouts, r.Service)
		if there {
			l.rollouts[r.Service] = was
		}
	}
}

// Rollout gives that of a service, and whether it is open.
func (l *Ledger) Rollout(service string) (r Rollout, open bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r = l.rollouts[service]
	r.Service = service
	return r, r.Open()
}

// Well says which secrets the files of a service are made of that has no open rollout, and which
// files it has. The record says so with the next write.
func (l *Ledger) Well(service, secrets, layout string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.rollouts[service]; !r.Open() && (r.Secrets != secrets || r.Layout != layout) {
		l.setRollout(Rollout{Service: service, Secrets: secrets, Layout: layout, Paths: l.services[service], Trouble: r.Trouble})
		l.stale = true
	}
}

// Rollouts gives those on record, by service.
func (l *Ledger) Rollouts() []Rollout {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sortedRollouts()
}

// Judge puts on durable record how far a rollout has come, with its event, where it is still as it
// was; of a change that was begun meanwhile nothing is said. Where the readers of its files are to
// be told once more they are owed that. Where it fails all stays as it was. What is on record
// already is not written again.
func (l *Ledger) Judge(was, is Rollout, again bool, e Event) (judged bool, _ error) {
	l.mu.Lock()
	now := l.rollouts[was.Service]
	if !now.Of(was) {
		l.mu.Unlock()
		return false, nil
	}
	is.Drained, is.Undone, is.Trouble = now.Drained, now.Undone, now.Trouble
	if !again && e.Kind == "" && reflect.DeepEqual(now, is) {
		l.mu.Unlock()
		return true, nil
	}
	r := l.change()
	b := l.batch(r)
	b.undo = append(b.undo, l.setRollout(is))
	over := func(bool) {}
	if again {
		over = l.renew(is.Paths)
	}
	b.undo = append(b.undo, l.alarm(e))
	added := l.events.add(e)
	b.undo = append(b.undo, func() { l.events.remove(added) })
	b.undo = append(b.undo, func() { over(false) })
	l.mu.Unlock()
	err := l.commit(r)
	if err == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		over(true)
		for _, old := range was.Old { // what was taken away stays so, perhaps
			if f := l.files[old.Path]; f == nil || f.swap == nil && !f.owes() {
				l.finished(old.Path)
			}
		}
	}
	return true, err
}

// renew has all who read files be owed a notice of them once more when the next write has
// succeeded: else somebody might be told of what is not on record. It gives what is done then. The
// caller holds the lock.
func (l *Ledger) renew(paths []string) (over func(written bool)) {
	soon := make(map[*file]uint64)
	for _, path := range paths {
		if f := l.files[path]; f != nil {
			f.soon = l.count()
			soon[f] = f.soon
		}
	}
	return func(written bool) {
		for f, change := range soon {
			if f.soon == change {
				f.soon = 0
			}
			if written {
				f.change = max(f.change, change)
			}
		}
	}
}

// Drain puts on durable record that what is to be done before a change of a service is about to be
// begun, or, where over is set, that what is to be done after it is done. Files are those of the
// service.
func (l *Ledger) Drain(service string, files []string, over bool) error {
	l.mu.Lock()
	if !over {
		service = l.nowCalled(service, files)
	}
	is := l.rollouts[service]
	if is.Drained == !over {
		l.mu.Unlock()
		return nil
	}
	if is.Service, is.Drained, is.Undone = service, !over, ""; is.Stage == Settled {
		is.Paths = files
	}
	r := l.change()
	b := l.batch(r)
	b.undo = append(b.undo, l.setRollout(is))
	l.mu.Unlock()
	return l.commit(r)
}

// Undone notes why what is to be done after a change of a service is not done, with its event,
// where it is another reason than before. The record says so with the next write.
func (l *Ledger) Undone(service, why string, e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, there := l.rollouts[service]
	if !there || !r.Drained || r.Undone == why {
		return
	}
	r.Undone = why
	l.setRollout(r)
	l.events.add(e)
	l.alarm(e)
	l.stale = true
}

// Suspect has what is to be done after a change of a service be done where rollouts were on record
// that cannot be read: one of them may have been this one's. It is once in the life of a process.
// The record says so with the next write.
func (l *Ledger) Suspect(service string, files []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.rollouts[service]; l.rolloutsLost && !r.Open() && !l.suspected[service] {
		r.Service, r.Drained, r.Paths = service, true, files
		l.rollouts[service], l.stale = r, true
	}
	if l.suspected == nil {
		l.suspected = make(map[string]bool)
	}
	l.suspected[service] = true
}

// Forfeit forgets the rollout of a service that nobody looks at any more, but perhaps that it is
// drained. The record says so with the next write.
func (l *Ledger) Forfeit(service string, drained bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r, there := l.rollouts[service]; there {
		l.setRollout(Rollout{Service: service, Paths: r.Paths, Drained: drained, Trouble: r.Trouble})
		l.stale = true
	}
}
