package sim

import (
	"encoding/json"
	"path"
	"strings"

	"github.com/rendered/rendered/internal/disk/memory"
)

// liar tells whether the disk is one whose fsync may lie. What it takes can be asked of nobody, so
// that most seeds have one that keeps its word.
func (w *world) liar() bool { return *lying && (w.seed%8 == 1 || w.seed%8 == 6) }

// lie says what becomes of an fsync.
func (w *world) lie(path string) memory.Lie {
	w.mu.Lock()
	defer w.mu.Unlock()
	if lie := w.next; lie != memory.Honest {
		w.next = memory.Honest
		w.trace.note(w.began, "that was a lie: %d", lie)
		return lie
	}
	if w.lying {
		w.trace.note(w.began, "that was a lie")
		return memory.Cached
	}
	if w.life == nil || w.life.lies == 0 {
		return memory.Honest
	}
	actor := "lie " + plain(path)
	n := w.pauses[actor]
	w.pauses[actor]++
	x := hash(w.seed, actor, n)
	if x%1000 >= w.life.lies {
		return memory.Honest
	}
	lie := []memory.Lie{memory.Cached, memory.Dropped}[x/1000%2]
	w.trace.note(w.began, "that was a lie: %d", lie)
	return lie
}

// A saying is what the disk had said to keep when the power failed.
type saying struct {
	lied   bool
	key    string
	record string
	files  map[string]string // by path
	temps  map[string]string // what is staged for a swap on record, by destination
}

// said gives what the disk has said to keep. The caller holds w.mu.
func (w *world) said() (s saying) {
	s = saying{lied: w.disk.Lied(), files: make(map[string]string), temps: make(map[string]string)}
	s.key = w.saidOf(keyPath)
	s.record = debts(w.saidOf(recordPath))
	for path := range w.files {
		s.files[path] = w.saidOf(path)
	}
	for _, ln := range linesOf(s.record) {
		if ln.Swap != nil {
			s.temps[ln.Path] = w.saidOf(ln.Swap.Temp)
		}
	}
	return s
}

func (w *world) saidOf(path string) string {
	content, _ := w.disk.Said(path)
	return string(content)
}

// robbed sees what a disk that lied has not kept of what it had said to. Of that nobody can know: a
// file that is not as it was counts as one that somebody else has changed, and where what was
// staged is lost it takes AWS. Where the record is an older one it may have older files put in
// their places; who was owed a notice that it does not know of was told of nothing, but has begun
// anew with the machine, as all have, and read what is there. The caller holds w.mu.
func (w *world) robbed(was saying) {
	for path, f := range w.files {
		found := w.found(path)
		if found != was.files[path] && found != f.content && f.content != "deleted" {
			f.drifted, f.spoilt[found] = true, true
		}
		if line, swaps := lineOf(was.record, path); swaps && line.Swap != nil && w.found(line.Swap.Temp) != was.temps[path] && found != was.temps[path] {
			f.robbed = true
		}
	}
	if w.found(keyPath) != was.key {
		w.harm("the key is lost")
		for path := range w.files {
			w.orphan(path)
		}
	}
	w.counts.lies++
	for _, d := range w.deps {
		action{dependent: d}.read()
	}
	found, _, _, exists := w.disk.Look(recordPath)
	record := debts(string(found))
	if record == was.record {
		return
	}
	damaged := exists && !w.written[record]
	if damaged {
		w.harm("the ledger is damaged by the disk")
	} else {
		w.trace.note(w.began, "the ledger is another than the disk said")
	}
	for _, f := range w.files {
		f.drifted, f.robbed = true, true
		if !damaged {
			w.forgive(f, was.record, record)
		}
	}
}

// orphan notes the temporaries beside a file.
func (w *world) orphan(file string) {
	dir := path.Dir(file)
	for _, name := range w.disk.List(dir) {
		if strings.HasPrefix(name, ".rendered-") {
			w.orphans[path.Join(dir, name)] = true
		}
	}
}

// owed wants a reason on record for a notice of a file that a program knows, or need not be told
// of: whoever is not owed one by the record that its life began with, and by none that was written
// since it last acknowledged one, is told of nothing. Where the config has come to have others read
// the file meanwhile they may have been owed it.
func (a action) owed(f *output) {
	w := a.world
	from, known := a.life.acked[f][a.Name()]
	if !known {
		from = a.life.first
	}
	if w.harmed > 0 || from < 0 {
		return
	}
	for _, record := range w.records[from:] {
		line, _ := lineOf(record, f.path)
		if _, reads := line.Told[a.Name()]; line.owes(a.Name()) || !reads && line.owes("") {
			return
		}
	}
	w.fail("%s is told of %s, which no record has it owed", a.name, f.path)
}

// forgive lets those be told of nothing who were owed a notice by the record as it was said to be,
// and are not by the one that is there.
func (w *world) forgive(f *output, said, there string) {
	was, _ := lineOf(said, f.path)
	is, _ := lineOf(there, f.path)
	if !was.owes("") {
		return
	}
	for name := range f.must {
		if _, known := is.Told[name]; known && !is.owes(name) || !is.owes("") {
			delete(f.must, name)
		}
	}
}

// found gives what a file holds; "" where there is none.
func (w *world) found(path string) string {
	content, _, _, _ := w.disk.Look(path)
	return string(content)
}

// debts gives a record without the events of the history and our own paths: where these are damaged
// nothing else is.
func debts(record string) string {
	var b strings.Builder
	for text := range strings.Lines(record) {
		if !strings.HasPrefix(text, "#") && !strings.HasPrefix(text, "@") {
			b.WriteString(text)
		}
	}
	return b.String()
}

// A recorded is a line of the ledger about a file.
type recorded struct {
	Path       string
	Change     uint64
	Told, Left map[string]uint64
	Swap       *struct{ Temp, Digest string }
	Unsure     bool
}

// owes tells whether a dependent is owed a notice; "": whether anybody is, or nobody knows.
func (r recorded) owes(dependent string) bool {
	if at, known := r.Told[dependent]; known {
		return at < r.Change
	}
	if at, known := r.Left[dependent]; known {
		return at < r.Change
	}
	owes := r.Unsure
	for name := range r.Told {
		owes = owes || dependent == "" && r.owes(name)
	}
	for name := range r.Left {
		owes = owes || dependent == "" && r.owes(name)
	}
	return owes
}

// linesOf gives the lines of a record that can be read.
func linesOf(record string) (list []recorded) {
	for text := range strings.Lines(record) {
		var r recorded
		_, data, _ := strings.Cut(text, " ")
		_, data, _ = strings.Cut(data, " ")
		if json.Unmarshal([]byte(data), &r) == nil && r.Path != "" {
			list = append(list, r)
		}
	}
	return list
}

func lineOf(record, path string) (r recorded, known bool) {
	for _, r := range linesOf(record) {
		if r.Path == path {
			return r, true
		}
	}
	return r, false
}
