package sim

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

const (
	statePath  = "/var/lib/rendered"
	recordPath = statePath + "/ledger.jsonl"
	keyPath    = statePath + "/key"

	predecessors = statePath + "/predecessors"
)

// predecessor is where what somebody else had written to a path is backed up.
func predecessor(of string) string {
	sum := sha256.Sum256([]byte(of))
	return predecessors + "/" + path.Base(of) + "." + hex.EncodeToString(sum[:6])
}

// judgeBackup wants what was there before the daemon's first start to be backed up, durably, when
// the daemon replaces it. Where a record was damaged what is there may count as the daemon's own.
func (w *world) judgeBackup(f *output) {
	if f.changed == 0 && f.content == foreign+thePackage && w.harmed == 0 && !w.liar() && w.saidOf(predecessor(f.path)) != f.content {
		w.fail("%s is replaced, and what was there is not backed up", f.path)
	}
}

// judgeRecords wants the ledger to say that nothing is to be done about the files of the services
// in force. What is owed to a dependent that nobody names any more waits for somebody in its place;
// and a damaged record stays until all services are known.
func (w *world) judgeRecords(all bool) {
	left := slices.Sorted(slices.Values(w.disk.List(statePath)))
	left = slices.DeleteFunc(left, func(name string) bool { return name == path.Base(predecessors) || name == path.Base(formerPath) })
	if text := fmt.Sprint(left); text != "[key ledger.jsonl lock]" && text != "[key lock]" {
		w.fail("the state directory holds %s", text)
	}
	record, _, _, _ := w.disk.Look(recordPath)
	if bytes.Contains(record, []byte(canary)) {
		w.fail("the ledger at last: %s", record)
	}
	for text := range strings.Lines(string(record)) {
		if text[0] == '#' || text[0] == '=' || text[0] == '@' || text[0] == '%' || text[0] == '+' {
			continue // one that is damaged is lost, and nothing else
		}
		var line struct {
			Path   string
			Change uint64
			Told   map[string]uint64
			Left   map[string]uint64
			Swap   any
			Unsure bool
		}
		_, data, _ := strings.Cut(text, " ")
		_, data, _ = strings.Cut(data, " ")
		if err := json.Unmarshal([]byte(data), &line); err != nil && all {
			w.fail("the ledger at last: %s: %v", text, err)
		}
		if !w.isKept(line.Path) {
			continue
		}
		todo := line.Unsure || line.Swap != nil
		for name, at := range line.Told {
			todo = todo || at < line.Change && w.files[line.Path].readers[name]
		}
		if todo && !w.files[line.Path].stray {
			w.fail("the ledger at last: %s", text)
		}
	}
}

// isToBeRemoved tells whether the record has it that a file is to be removed.
func (w *world) isToBeRemoved(path string) bool {
	record, _, _, _ := w.disk.Look(recordPath)
	for text := range strings.Lines(string(record)) {
		var line struct {
			Path string
			Swap struct{ Remove bool }
		}
		if _, data, is := strings.Cut(text, " {"); is && json.Unmarshal([]byte("{"+data), &line) == nil && line.Path == path && line.Swap.Remove {
			return true
		}
	}
	return false
}

// isKept tells whether a file is one of a service in force.
func (w *world) isKept(path string) bool {
	f := w.files[path]
	return f != nil && w.keeper(f.spec) != nil
}
