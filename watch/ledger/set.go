package ledger

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// A path with a * in it stands for a set of files, one for each key of something that a service
// looks up. Which they are is known in a pass alone. So it is on record which files are of a set:
// whoever takes paths takes such a path, too, for the files that the set has. Nothing else tells
// which of them are not wanted any more.

// A Standing says how a file is of a set.
type Standing string

const (
	Live Standing = "live"
	Kept Standing = "kept" // it is not wanted any more, and stays
	// Removed: it is, or is about to be, and somebody may be owed a notice of it, or it may be put
	// back.
	Removed Standing = "removed"
)

// A Member is a file of a set.
type Member struct {
	Path     string
	Standing Standing
}

// A set is what is known of one.
type set struct {
	members map[string]Standing // by path
	readers []string
	adopted bool            // a config of this process has it
	wants   map[string]bool // paths that it is to have, as the last pass had it
	line    []byte          // of the record; nil: it is to be made
}

// setMark begins the lines of sets.
const setMark = '+'

// A setLine is one of them.
type setLine struct {
	Set   string                `json:"set"`
	Files map[Standing][]string `json:"files"`
}

// isSet tells whether a path stands for a set.
func isSet(path string) bool { return strings.Contains(path, "*") }

// set gives the set of a path. The caller holds the lock.
func (l *Ledger) set(path string) *set {
	s := l.sets[path]
	if s == nil {
		s = &set{members: make(map[string]Standing)}
		if l.sets == nil {
			l.sets = make(map[string]*set)
		}
		l.sets[path] = s
	}
	return s
}

// of gives the set that a path is, or is to be, a file of; nil where it is of none. The caller
// holds the lock.
func (l *Ledger) of(path string) *set {
	var found *set
	for _, s := range l.sets {
		if s.wants[path] {
			return s
		}
		if _, is := s.members[path]; is {
			found = s
		}
	}
	return found
}

// expand gives paths with the files of sets beside the path of each. The caller holds the lock.
func (l *Ledger) expand(paths []string) []string {
	if len(l.sets) == 0 || !slices.ContainsFunc(paths, isSet) {
		return paths
	}
	var list []string
	for _, path := range paths {
		list = append(list, path)
		if s := l.sets[path]; s != nil {
			list = append(list, slices.Sorted(maps.Keys(s.members))...)
		}
	}
	return list
}

// Expand gives paths with the files of sets beside the path of each.
func (l *Ledger) Expand(paths []string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.expand(paths)
}

// Members gives the files of a set, by path.
func (l *Ledger) Members(path string) (list []Member) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.sets[path]; s != nil {
		for _, p := range slices.Sorted(maps.Keys(s.members)) {
			list = append(list, Member{p, s.members[p]})
		}
	}
	return list
}

// Want says which files a set is to have. Where one of them is, or is to be, a file of another set
// it gives that, and nothing is said. Nothing is on record of it before Begin or Settle.
func (l *Ledger) Want(path string, files []string) (of, other string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, s := range l.sets {
		if name == path {
			continue
		}
		for _, file := range files {
			if s.wants[file] || s.wants == nil && s.adopted && s.members[file] == Live {
				return file, name
			}
		}
	}
	wants := make(map[string]bool, len(files))
	for _, file := range files {
		wants[file] = true
	}
	l.set(path).wants = wants
	return "", ""
}

// begins notes that a file of a set is about to be written, or removed, and gives what takes it
// back. The caller holds the lock.
func (l *Ledger) begins(path string, removed bool) (undo func()) {
	s := l.of(path)
	if s == nil {
		return func() {}
	}
	was, is := s.members[path]
	s.members[path], s.line = Live, nil
	if removed {
		s.members[path] = Removed
	}
	if !is { // the file may be on record all the same, as one that nobody reads
		l.files[path].adopt(s.readers)
	}
	return func() {
		s.line = nil
		if s.members[path] = was; !is {
			delete(s.members, path)
		}
	}
}

// Gone gives those files of a set that it is not to have any more, and that nobody else has.
func (l *Ledger) Gone(path string) (list []Member) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.sets[path]
	if s == nil {
		return nil
	}
	for _, file := range slices.Sorted(maps.Keys(s.members)) {
		if !s.wants[file] && l.isLeft(file, s) {
			list = append(list, Member{file, s.members[file]})
		}
	}
	return list
}

// isLeft tells whether nobody has a file of a set but that set. The caller holds the lock.
func (l *Ledger) isLeft(path string, s *set) bool {
	_, other := l.readers[path]
	of := l.of(path)
	return !other && (of == s || !of.wants[path])
}

// Settle says that the files of a set are as they should be: those that Want has said, and those
// that stay though they are not wanted any more. The record says so with the next write. What is
// on record as to be removed, and is wanted again, is not removed any more.
func (l *Ledger) Settle(path string, kept []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.set(path)
	if s.wants == nil {
		return
	}
	now := make(map[string]Standing, len(s.wants)+len(kept))
	for file, standing := range s.members {
		if f := l.files[file]; standing == Removed && (f != nil && (f.swap != nil || f.owes()) || l.restorable(file)) {
			now[file] = Removed
		}
	}
	for file, standing := range s.members {
		// Somebody else took away what is not wanted, and who was not told of it has yet to be.
		if f := l.files[file]; standing == Live && !s.wants[file] && f != nil && f.owes() && l.isLeft(file, s) {
			now[file], f.swap = Removed, nil
		}
	}
	for _, file := range kept {
		now[file] = Kept
	}
	for file := range s.wants {
		now[file] = Live
		if _, is := s.members[file]; !is {
			l.join(file, s)
		}
		if f := l.files[file]; f != nil && f.swap != nil && f.swap.Remove {
			f.swap, l.stale = nil, true
		}
	}
	if maps.Equal(now, s.members) {
		return
	}
	gone := s.members
	s.members, s.line, l.stale = now, nil, true
	for file := range gone {
		if _, stays := now[file]; !stays {
			l.leaves(file)
		}
	}
}

// join has a file be read by who reads the set. The caller holds the lock.
func (l *Ledger) join(path string, s *set) {
	f := l.files[path]
	if f == nil {
		f = new(file)
		l.files[path] = f
	}
	f.adopt(s.readers)
}

// leaves has a file that has left a set be read by who reads it apart from that. The caller holds
// the lock.
func (l *Ledger) leaves(path string) {
	f := l.files[path]
	if f == nil {
		return
	}
	readers := l.readers[path]
	if s := l.of(path); s != nil && readers == nil {
		readers = s.readers
	}
	f.adopt(readers)
	l.forget(path)
}

// finished forgets a file that is removed, once nobody is owed a notice of that, and it cannot be
// put back. The caller holds the lock.
func (l *Ledger) finished(path string) {
	for _, s := range l.sets {
		if s.members[path] == Removed && !s.wants[path] && !l.restorable(path) {
			delete(s.members, path)
			s.line, l.stale = nil, true
			l.leaves(path)
		}
	}
}

// withMembers gives who reads the files of sets beside who reads the others, and drops the sets of
// which there are none, where these are all there are. The caller holds the lock.
func (l *Ledger) withMembers(readers map[string][]string, all bool) map[string][]string {
	paths := slices.Collect(maps.Keys(readers))
	if len(l.sets) == 0 && !slices.ContainsFunc(paths, isSet) {
		return readers
	}
	if all {
		before := len(l.sets)
		maps.DeleteFunc(l.sets, func(path string, _ *set) bool { _, read := readers[path]; return !read })
		l.stale = l.stale || len(l.sets) < before
	}
	l.readers, readers = readers, maps.Clone(readers)
	for _, path := range paths {
		if !isSet(path) {
			continue
		}
		s := l.set(path)
		s.readers, s.adopted = readers[path], true
		for file := range s.members {
			if _, other := readers[file]; !other {
				readers[file] = s.readers
			}
		}
		if l.setsLost && l.files[path] == nil { // somebody may be owed a notice of a file that is not known
			l.files[path] = new(file)
			l.files[path].damage(l.count())
		}
	}
	if all {
		l.setsLost = false
		l.abandon(readers)
	}
	return readers
}

// abandon forgets what was begun with files that might be of a set, where it was lost which files
// that has and nobody has them: nobody will finish it, and what was staged may be swept away. The
// caller holds the lock.
func (l *Ledger) abandon(readers map[string][]string) {
	for path, f := range l.files {
		if _, known := readers[path]; !known && f.swap != nil && l.fits(path) {
			f.swap, l.stale = nil, true
		}
	}
}

// fits tells whether a path is one that a set may have. The caller holds the lock.
func (l *Ledger) fits(path string) bool {
	for name, s := range l.sets {
		before, after, _ := strings.Cut(name, "*")
		if s.adopted && strings.HasPrefix(path, before) && strings.HasSuffix(path, after) {
			return true
		}
	}
	return false
}

// encodeSets gives the lines of sets. The caller holds the lock.
func (l *Ledger) encodeSets() (list [][]byte) {
	for _, path := range slices.Sorted(maps.Keys(l.sets)) {
		s := l.sets[path]
		if len(s.members) == 0 {
			continue
		}
		if s.line == nil {
			ln := setLine{path, make(map[Standing][]string)}
			for _, file := range slices.Sorted(maps.Keys(s.members)) {
				ln.Files[s.members[file]] = append(ln.Files[s.members[file]], file)
			}
			data, err := json.Marshal(ln)
			if err != nil { // there is nothing in it that JSON has no form for
				panic(err)
			}
			s.line = seal(setMark, data)
		}
		list = append(list, s.line)
	}
	return list
}

// decodeSet reads the line of one, and tells whether it is undamaged.
func (l *Ledger) decodeSet(line []byte) bool {
	data, sound := unseal(line)
	var ln setLine
	if !sound || json.Unmarshal(data, &ln) != nil {
		return false
	}
	s := l.set(ln.Set)
	for standing, files := range ln.Files {
		for _, file := range files {
			s.members[file] = standing
		}
	}
	return true
}
