package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// isKept tells whether a record is that of a service of the config.
func (w *world) isKept(record string) bool {
	for i := range services {
		if len(w.of(w.conf, i)) > 0 && w.conf.name(i)+".json" == record {
			return true
		}
	}
	return false
}

// owes tells whether a record has any dependent of the service owed a notice. What is owed to others waits for somebody in their place.
func (w *world) owes(service string, record []byte) bool {
	var r struct {
		Notices map[string]struct{ Owed []string }
	}
	if json.Unmarshal(record, &r) != nil {
		return w.moves == 0 // where there was nobody to tell it stays as it is
	}
	for i := range services {
		for _, name := range w.told(w.conf, i) {
			if w.conf.name(i) == service && len(r.Notices[w.conf.notice(name)].Owed) > 0 {
				return true
			}
		}
	}
	return w.moves == 0 && bytes.Contains(record, []byte("owed"))
}

// judgeRecords wants the records to owe nothing, and those of services that are no more to be gone.
func (w *world) judgeRecords() {
	const state = "/var/lib/rendered"
	var want []string
	for _, name := range w.disk.List(state + "/ledger") {
		record, _, _, _ := w.disk.Look(state + "/ledger/" + name)
		text, temporary := strings.CutPrefix(name, ".")
		// Of a service that is no more there may be a record that is damaged, as nobody knows what it was about. The next start sees to one
		// that could be neither saved nor taken away, and to what was taken over from a service that went on, and did so no more later.
		stays := temporary || !json.Valid(record) || bytes.Contains(record, []byte("owed")) || bytes.Contains(record, []byte("swaps"))
		if w.moves > 0 && stays && !w.isKept(strings.TrimSuffix(text, ".new")) {
			want = append(want, name)
		}
	}
	for i := range services {
		// Whose files never changed, and of whom nothing was taken over, has no record.
		name := w.conf.name(i) + ".json"
		if len(w.of(w.conf, i)) > 0 && (w.moves == 0 || slices.Contains(w.disk.List(state+"/ledger"), name)) {
			want = append(want, name)
		}
	}
	slices.Sort(want)
	left := fmt.Sprint(slices.Sorted(slices.Values(w.disk.List(state))), slices.Sorted(slices.Values(w.disk.List(state+"/ledger"))))
	if want := fmt.Sprint("[key ledger lock] ", want); left != want {
		w.fail("the state directory holds %s, want %s", left, want)
	}
	for _, name := range want {
		record, _, _, _ := w.disk.Look(state + "/ledger/" + name)
		if strings.Contains(string(record), canary) || w.isKept(name) && w.owes(strings.TrimSuffix(name, ".json"), record) {
			w.fail("the record of %s at last: %s", name, record)
		}
	}
}
