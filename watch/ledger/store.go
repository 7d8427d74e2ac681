package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/render/swap"
)

// Name is that of the record in the state directory.
//
// It has a line for the whole, one for each file of which there is something to say, and one for
// each dependent that was told. A line is a checksum in eight hexadecimal digits, a space and JSON.
// The sets of files, our own paths, the pauses, the rollouts and the events of the history follow,
// each with its checksum. The file is replaced whole: a commit writes the history's bytes once
// more, at most 1 MiB, and has no fsync for them.
const Name = "ledger.jsonl"

const (
	version = 2        // the first kept a file for each service
	limit   = 64 << 20 // bytes; more is no record of ours
	// toldKept is how long it is on record when a dependent was told that nobody names any more.
	toldKept = 24 * time.Hour
)

// A line is one of the record.
type line struct {
	Version int    `json:"version,omitempty"` // of the first line
	Lines   int    `json:"lines,omitempty"`   // that follow it
	Last    uint64 `json:"last,omitempty"`    // the newest change
	Lost    bool   `json:"lost,omitempty"`    // there were lines that cannot be read
	Own     *int   `json:"own,omitempty"`     // lines of our own paths; absent: it is of an earlier version
	Sets    int    `json:"sets,omitempty"`    // lines of sets

	Rollouts int `json:"rollouts,omitempty"` // lines of rollouts

	Path   string            `json:"path,omitempty"`
	Change uint64            `json:"change,omitempty"`
	Told   map[string]uint64 `json:"told,omitempty"`
	Left   map[string]uint64 `json:"left,omitempty"`
	Swap   *swap.Rename      `json:"swap,omitempty"`
	Unsure bool              `json:"unsure,omitempty"`

	Dependent string    `json:"dependent,omitempty"`
	At        time.Time `json:"at,omitzero"`
}

var table = crc32.MakeTable(crc32.Castagnoli)

func sum(data []byte) string { return fmt.Sprintf("%08x", crc32.Checksum(data, table)) }

// seal gives a line of the record that is lost alone where it is damaged.
func seal(mark byte, data []byte) []byte { return fmt.Appendf(nil, "%c%s %s\n", mark, sum(data), data) }

// unseal gives what such a line says, and whether it is undamaged.
func unseal(line []byte) (data []byte, sound bool) {
	whole, data, _ := bytes.Cut(bytes.TrimSuffix(line[1:], []byte("\n")), []byte(" "))
	return data, string(whole) == sum(data)
}

// encode gives the record as it is to be on disk, without the events up to one; nil: with all. The
// caller holds the lock.
func (l *Ledger) encode(without *entry) []byte {
	own, sets := len(l.own), l.encodeSets()
	lines := []line{{Version: version, Last: l.last, Lost: l.lost, Own: &own, Sets: len(sets), Rollouts: len(l.rollouts)}}
	for path, f := range l.files {
		if !f.settled() || f.soon > 0 {
			lines = append(lines, line{Path: path, Change: max(f.change, f.soon), Told: f.told, Left: f.left, Swap: f.swap, Unsure: f.unsure})
		}
	}
	slices.SortFunc(lines[1:], func(a, b line) int { return strings.Compare(a.Path, b.Path) })
	for _, name := range slices.Sorted(maps.Keys(l.told)) {
		lines = append(lines, line{Dependent: name, At: l.told[name]})
	}
	lines[0].Lines = len(lines) - 1 // those of pauses and events are not counted
	var b bytes.Buffer
	var text bytes.Buffer
	json := json.NewEncoder(&text)
	json.SetEscapeHTML(false)
	for _, ln := range lines {
		text.Reset()
		if err := json.Encode(ln); err != nil { // there is nothing in it that JSON has no form for
			panic(err)
		}
		data := bytes.TrimSuffix(text.Bytes(), []byte("\n"))
		fmt.Fprintf(&b, "%s %s %s\n", sum(data), sum([]byte(ln.Path)), data)
	}
	for _, line := range sets {
		b.Write(line)
	}
	l.own.encode(&b)
	for _, p := range l.sortedPauses() {
		b.Write(p.encode())
	}
	for _, r := range l.sortedRollouts() {
		b.Write(r.encode())
	}
	for _, e := range l.events.after(without) {
		b.Write(e.line)
	}
	return b.Bytes()
}

// Open reads the record in a state directory, which the ledger closes at the end. One that cannot
// be read is as one whose lines are all damaged. Where the key is not the one that the record was
// written with, foreign, its digests say nothing: whoever is owed something stays so, and the files
// are compared first. What the first version of the record holds, in a file for each service, is
// taken over, and these files are removed. Jobs that write at about the same time share a write;
// they may be nil.
func Open(system disk.System, dir disk.Dir, foreign bool, jobs *disk.Jobs) (*Ledger, error) {
	l := empty(dir, jobs)
	if err := disk.Tidy(dir, Name); err != nil {
		return nil, err
	}
	data, err := dir.Read(Name, limit)
	st, lost := dir.Stat(Name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// A process that made the key may have been killed before its name was durable, and a
		// temporary is known by it.
		if err := dir.Sync(); err != nil {
			return nil, err
		}
		return l, l.takeOver(system, foreign)
	case lost == nil && st.Type != 0, errors.Is(err, unix.EFBIG), errors.Is(err, unix.EIO):
		l.lost = true // a disk that has a bad block may take what is written anew
	case err != nil:
		return nil, err
	default:
		l.decode(data, foreign)
	}
	l.read = true
	return l, l.removeFormer(system)
}

func empty(dir disk.Dir, jobs *disk.Jobs) *Ledger {
	return &Ledger{dir: dir, files: make(map[string]*file), told: make(map[string]time.Time), pauses: make(map[string]Pause), rollouts: make(map[string]Rollout), begun: make(map[*disk.Run]*batch), writes: disk.NewGroup(jobs)}
}

// Peek reads the record in a state directory, which another process may have open, and changes
// nothing. What cannot be read is as if there were none; nil is no directory. Nothing can be
// written to such a ledger, and it is not closed.
func Peek(dir disk.Dir) *Ledger {
	l := empty(nil, nil)
	l.closed = true
	if dir != nil {
		if data, err := dir.Read(Name, limit); err == nil {
			l.decode(data, false)
		}
	}
	return l
}

// decode reads a record. What a damaged line is about counts as owed.
func (l *Ledger) decode(data []byte, foreign bool) {
	missing, own, sets, rollouts := -1, -1, 0, 0 // lines
	var damaged []string
	for text := range bytes.Lines(data) {
		if text[0] == setMark && l.decodeSet(text) {
			sets--
		}
		if text[0] == rolloutMark && l.decodeRollout(text) {
			rollouts--
		}
		if l.decodeSealed(text) {
			continue
		}
		ln, sound := decodeLine(text)
		l.last = max(l.last, ln.Last, ln.Change)
		missing--
		switch {
		case !sound && ln.Path == "":
			l.lost = true
		case ln.Path != "" && (!sound || foreign):
			damaged = append(damaged, ln.Path)
		case ln.Path != "":
			l.files[ln.Path] = &file{change: ln.Change, told: ln.Told, left: ln.Left, swap: ln.Swap, unsure: ln.Unsure}
		case ln.Dependent != "":
			l.told[ln.Dependent] = ln.At
		case ln.Version == version:
			missing += 2 + ln.Lines
			if ln.Own != nil {
				own = *ln.Own
			}
			sets, rollouts = sets+ln.Sets, rollouts+ln.Rollouts
			l.lost = l.lost || ln.Lost
		default:
			l.lost = true
		}
	}
	l.lost = l.lost || missing != 0
	l.ownLost, l.setsLost, l.rolloutsLost = own != len(l.own), sets != 0, l.lost || rollouts != 0
	for _, path := range damaged {
		l.files[path] = new(file)
		l.files[path].damage(l.count())
	}
}

// decodeSealed reads a line that is lost alone where it is damaged, and tells whether it is one.
// Those of sets and rollouts are read by who counts them.
func (l *Ledger) decodeSealed(text []byte) bool {
	switch text[0] {
	case eventMark:
		l.events.decode(text)
	case pauseMark:
		l.decodePause(text)
	case ownMark:
		l.own.decode(text)
	case setMark, rolloutMark:
	default:
		return false
	}
	return true
}

// decodeLine reads a line. Of one that is damaged it gives the path, where that is not.
func decodeLine(text []byte) (ln line, sound bool) {
	whole, rest, _ := bytes.Cut(bytes.TrimSuffix(text, []byte("\n")), []byte(" "))
	of, data, _ := bytes.Cut(rest, []byte(" "))
	if string(whole) == sum(data) && bytes.HasSuffix(text, []byte("\n")) {
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		if d.Decode(&ln) == nil && (ln.Swap == nil || beside(*ln.Swap, ln.Path)) {
			return ln, true
		}
	}
	ln = line{}
	if _, from, found := bytes.Cut(data, []byte(`"path":`)); found {
		_ = json.NewDecoder(bytes.NewReader(from)).Decode(&ln.Path)
	}
	if string(of) != sum([]byte(ln.Path)) {
		ln.Path = ""
	}
	return ln, false
}

// beside reports that a swap can be acted on: its temporary stands beside its destination, or it is
// a removal.
func beside(s swap.Rename, path string) bool {
	to := s.Destination()
	if s.Remove {
		return s.Path == path && s.Temp == "" && filepath.IsAbs(path) && filepath.IsAbs(to) && filepath.Clean(to) == to
	}
	return s.Path == path && filepath.IsAbs(path) && filepath.IsAbs(to) && filepath.Clean(to) == to && filepath.Dir(s.Temp) == filepath.Dir(to)
}
