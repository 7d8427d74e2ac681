package ledger

import "github.com/rendered/rendered/render/swap"

// A file is what is on record of one path.
type file struct {
	change uint64 // the last; 0: none
	soon   uint64 // what change is to be once that is on record; 0: it stays
	// told has, by dependent that reads the file, the last change that it acknowledged.
	told   map[string]uint64
	left   map[string]uint64 // the same of those that read it no more and were owed a notice then
	swap   *swap.Rename      // what was begun last; nil where that is known to be done
	unsure bool              // nobody may be told before the file has been compared
}

// damage has whoever reads the file be owed a notice, after the file has been compared.
func (f *file) damage(change uint64) {
	*f = file{change: change, left: map[string]uint64{"": 0}, unsure: true}
}

func (f *file) adopt(names []string) {
	start, fresh := f.slowest(), false
	if f.swap != nil { // it may read the old content yet
		start = min(start, f.change-min(f.change, 1))
	}
	told := make(map[string]uint64, len(names))
	for _, name := range names {
		at, known := f.told[name]
		if !known {
			at, known = f.left[name]
			delete(f.left, name) // it is back
		}
		if !known {
			at, fresh = start, true
		}
		told[name] = at
	}
	for name, at := range f.told {
		if _, stays := told[name]; !stays && at < f.change {
			if f.left == nil {
				f.left = make(map[string]uint64)
			}
			f.left[name] = at
		}
	}
	if fresh {
		f.left = nil
	}
	f.told = told
}

// slowest gives the oldest change that a reader has acknowledged, or one that has left.
func (f *file) slowest() uint64 {
	at := f.change
	for _, readers := range []map[string]uint64{f.told, f.left} {
		for _, a := range readers {
			at = min(at, a)
		}
	}
	return at
}

// settled tells whether nothing is to be done about the file.
func (f *file) settled() bool { return f.swap == nil && !f.unsure && f.slowest() >= f.change }

// acknowledged tells whether a reader was told of the last change.
func (f *file) acknowledged() bool {
	for _, at := range f.told {
		if at > 0 && at >= f.change {
			return true
		}
	}
	return false
}

// owes tells whether a reader is owed a notice.
func (f *file) owes() bool {
	for _, at := range f.told {
		if at < f.change {
			return true
		}
	}
	return false
}
