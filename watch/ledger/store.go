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
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/render/swap"
)

// Name is that of the record in the state directory.
//
// It has a line for the whole, one for each file of which there is something to say, and one for
// each dependent that was told. A line is a checksum in eight hexadecimal digits, a space and JSON.
// The file is replaced whole.
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

// encode gives the record as it is to be on disk. The caller holds the lock.
func (l *Ledger) encode() []byte {
	lines := []line{{Version: version, Last: l.last, Lost: l.lost}}
	for _, path := range slices.Sorted(maps.Keys(l.files)) {
		if f := l.files[path]; !f.settled() {
			lines = append(lines, line{Path: path, Change: f.change, Told: f.told, Left: f.left, Swap: f.swap, Unsure: f.unsure})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.told)) {
		lines = append(lines, line{Dependent: name, At: l.told[name]})
	}
	lines[0].Lines = len(lines) - 1
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
	return b.Bytes()
}

// Open reads the record in a state directory, which the ledger closes at the end. Where the key is
// not the one that the record was written with, foreign, its digests say nothing: whoever is owed
// something stays so, and the files are compared first. What the first version of the record holds,
// in a file for each service, is taken over, and these files are removed.
func Open(system disk.System, dir disk.Dir, foreign bool) (*Ledger, error) {
	l := &Ledger{dir: dir, files: make(map[string]*file), told: make(map[string]time.Time), begun: make(map[*disk.Run]*batch), writes: disk.NewGroup()}
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
	case lost == nil && st.Type != 0, errors.Is(err, unix.EFBIG):
		l.lost = true
	case err != nil:
		return nil, err
	default:
		l.decode(data, foreign)
	}
	l.read = true
	return l, l.removeFormer(system)
}

// decode reads a record. What a damaged line is about counts as owed.
func (l *Ledger) decode(data []byte, foreign bool) {
	lines := -1 // that are missing
	var damaged []string
	for text := range bytes.Lines(data) {
		ln, sound := decodeLine(text)
		l.last = max(l.last, ln.Last, ln.Change)
		switch {
		case sound && ln.Version == version:
			lines += 1 + ln.Lines
			l.lost = l.lost || ln.Lost
			continue
		case sound && ln.Dependent != "":
			l.told[ln.Dependent] = ln.At
		case sound && ln.Path != "" && !foreign:
			l.files[ln.Path] = &file{change: ln.Change, told: ln.Told, left: ln.Left, swap: ln.Swap, unsure: ln.Unsure}
		case ln.Path != "":
			damaged = append(damaged, ln.Path)
		default:
			l.lost = true
		}
		lines--
	}
	l.lost = l.lost || lines != 0
	for _, path := range damaged {
		l.damaged(path)
	}
}

func (l *Ledger) damaged(path string) {
	l.files[path] = new(file)
	l.files[path].damage(l.count())
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

// beside reports that a swap can be acted on: its temporary stands beside its destination.
func beside(s swap.Rename, path string) bool {
	to := s.Destination()
	return s.Path == path && filepath.IsAbs(path) && filepath.IsAbs(to) && filepath.Clean(to) == to && filepath.Dir(s.Temp) == filepath.Dir(to)
}
