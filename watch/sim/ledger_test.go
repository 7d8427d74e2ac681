package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

const (
	statePath  = "/var/lib/rendered"
	recordPath = statePath + "/ledger.jsonl"
)

// judgeRecords wants the ledger to say that nothing is to be done about the files of the config.
// What is owed to a dependent that nobody names any more waits for somebody in its place.
func (w *world) judgeRecords() {
	left := slices.Sorted(slices.Values(w.disk.List(statePath)))
	if text := fmt.Sprint(left); text != "[key ledger.jsonl lock]" && text != "[key lock]" {
		w.fail("the state directory holds %s", text)
	}
	record, _, _, _ := w.disk.Look(recordPath)
	if bytes.Contains(record, []byte(canary)) {
		w.fail("the ledger at last: %s", record)
	}
	for text := range strings.Lines(string(record)) {
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
		if err := json.Unmarshal([]byte(data), &line); err != nil {
			w.fail("the ledger at last: %s: %v", text, err)
		}
		if !w.isKept(line.Path) {
			continue
		}
		todo := line.Unsure || line.Swap != nil
		for name, at := range line.Told {
			todo = todo || at < line.Change && w.files[line.Path].readers[name]
		}
		if todo {
			w.fail("the ledger at last: %s", text)
		}
	}
}

// isKept tells whether a file is one of the config.
func (w *world) isKept(path string) bool {
	for i := range services {
		if slices.ContainsFunc(w.of(w.conf, i), func(s spec) bool { return s.path == path }) {
			return true
		}
	}
	return false
}
