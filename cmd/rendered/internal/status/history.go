package status

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/watch/ledger"
)

// A History is what happened, oldest first. It holds no value.
type History struct {
	Events []Event `json:"events"`
}

// An Event is one thing that happened.
type Event struct {
	At       time.Time   `json:"at"`
	Kind     ledger.Kind `json:"kind"`
	Services []string    `json:"services"`
	Why      string      `json:"why,omitempty"`     // a watch.Reason
	Message  string      `json:"message,omitempty"` // the id of the queue's message that said so
	Who      string      `json:"who,omitempty"`     // who asked
	Refs     []Renewal   `json:"refs"`              // lookups with another version than before
	Files    []string    `json:"files"`
	Removed  []string    `json:"removed"` // those of Files that were removed
	// Restored are those of Files that are what they were, and that somebody else had changed.
	Restored  []string `json:"restored"`
	Backups   []Backup `json:"backups"` // of these, what somebody else had written there
	Dependent string   `json:"dependent,omitempty"`
	Failure   string   `json:"failure,omitempty"`
	Took      float64  `json:"took_seconds,omitempty"`
	// Note is why they paused it, in their words; or what is done where a service is not well.
	Note  string    `json:"note,omitempty"`
	Until time.Time `json:"until,omitzero"` // when the pause ends by itself
}

// A Backup is where what somebody else had written to a file is backed up.
type Backup struct {
	File string `json:"file"`
	As   string `json:"as"`
}

// A Renewal is a lookup, and the versions that files were written from before and since.
type Renewal struct {
	Ref  string `json:"ref"`
	From string `json:"from,omitempty"` // absent: not known
	To   string `json:"to"`
}

// HistoryOf gives what is on record.
func HistoryOf(events []ledger.Event) History {
	h := History{Events: []Event{}}
	for _, e := range events {
		event := Event{
			At: e.At, Kind: e.Kind, Services: append([]string{}, e.Services...), Why: e.Why, Message: e.Message, Who: e.Who,
			Files: e.Paths, Removed: e.Removed, Restored: e.Restored, Dependent: e.Dependent, Failure: e.Failure, Took: e.Took.Seconds(), Note: e.Note, Until: e.Until,
		}
		for _, r := range e.Refs {
			event.Refs = append(event.Refs, Renewal(r))
		}
		for _, path := range e.Paths {
			if as := e.Backups[path]; as != "" {
				event.Backups = append(event.Backups, Backup{path, as})
			}
		}
		h.Events = append(h.Events, event)
	}
	return h
}

// About gives what happened to a service, by its name or the path of a file, and that the history
// does not go back any further.
func (h History) About(name string) History {
	return History{slices.DeleteFunc(slices.Clone(h.Events), func(e Event) bool {
		return e.Kind != ledger.Forgotten && !e.isAbout(name)
	})}
}

// Names tells whether anything in it is about a service, by its name or the path of a file.
func (h History) Names(name string) bool {
	return slices.ContainsFunc(h.Events, func(e Event) bool { return e.isAbout(name) })
}

func (e Event) isAbout(name string) bool {
	return slices.Contains(e.Services, name) || slices.Contains(e.Files, name)
}

// Print prints the entries.
func (h History) Print(w io.Writer) {
	var t console.Table
	for _, e := range h.Entries() {
		t = append(t, []string{Moment(e.At), strings.Join(e.Services, " "), strings.Join(e.Lines, "\n")})
	}
	if len(t) > 0 {
		t.Print(w)
	}
}

// An Entry is what a person reads of an event, a line each.
type Entry struct {
	Event
	Lines []string
}

// atOnce is how soon after a change a notice begins that stands with it.
const atOnce = 10 * time.Second

// Entries gives an entry for each event, the newest first. Who was told of a change at once stands
// with it, who was told later has an entry at its own time.
func (h History) Entries() (list []Entry) {
	told := make(map[int][]string) // by the change's place
	changes := h.changes()
	for i, e := range h.Events {
		for _, change := range changes[i] {
			told[change] = append(told[change], e.telling())
		}
	}
	for i, e := range slices.Backward(h.Events) {
		if len(changes[i]) == 0 {
			list = append(list, Entry{e, append(e.lines(), told[i]...)})
		}
	}
	return list
}

// changes gives of each notice, by its place, those of the changes that it was the word of, and
// that it follows at once.
func (h History) changes() map[int][]int {
	list, last := make(map[int][]int), make(map[string]int) // last change of a path
	for i, e := range h.Events {
		switch e.Kind {
		case ledger.Changed, ledger.RolledBack, ledger.Unhealthy: // who is told once more then
			for _, path := range e.Files {
				last[path] = i
			}
		case ledger.Told:
			for _, path := range e.Files {
				if change, is := last[path]; is && h.Events[change].isFollowedBy(e) && !slices.Contains(list[i], change) {
					list[i] = append(list[i], change)
				}
			}
		}
	}
	return list
}

// isFollowedBy tells whether a notice, which has its time from when it ended, begins at once after
// a change, which has it from before its checks. Clocks are set, too.
func (e Event) isFollowedBy(notice Event) bool {
	begun := notice.At.Add(-notice.took())
	return !begun.Before(e.At.Add(-atOnce)) && !begun.After(e.At.Add(e.took()+atOnce))
}

func (e Event) took() time.Duration { return time.Duration(e.Took * float64(time.Second)) }

// lines says what happened, a line each.
func (e Event) lines() (list []string) {
	switch e.Kind {
	case ledger.Changed, ledger.RolledBack:
		return e.change()
	case ledger.Told:
		return []string{e.telling()}
	case ledger.Refused:
		return []string{fmt.Sprintf("%s: %s", e.Dependent, e.Failure)}
	case ledger.Failed:
		return []string{"failing: " + e.Failure}
	case ledger.Well:
		return []string{"up to date again"}
	case ledger.Held:
		return append([]string{"held: " + e.Failure}, e.Files...)
	case ledger.Healthy:
		return []string{cmp.Or(e.Note, "seen to be well")}
	case ledger.Unhealthy:
		list = append(list, "not well: "+e.Failure)
		if e.Note != "" {
			list = append(list, e.Note)
		}
		return list
	case ledger.Paused:
		return []string{ledger.Pause{Who: e.Who, Until: e.Until, Why: e.Note}.String()}
	case ledger.Resumed:
		return []string{"resumed by " + cmp.Or(e.Who, "itself: its time is over")}
	case ledger.Forgotten:
		return []string{"what was before this is forgotten: " + e.Failure}
	}
	// A newer daemon knows what it is.
	return append([]string{strings.TrimSuffix(string(e.Kind)+": "+e.Failure, ": ")}, e.Files...)
}

// change says what files got new contents, or their old ones back, a line each.
func (e Event) change() (list []string) {
	why := e.why()
	for _, r := range e.Refs {
		list = append(list, fmt.Sprintf("%s %s → %s%s", r.Ref, cmp.Or(console.Version(r.From), "?"), console.Version(r.To), why))
	}
	switch {
	case e.Kind == ledger.RolledBack:
		list = append([]string{"rolled back, as it was not well: " + e.Failure}, list...)
	case len(e.Refs) == 0:
		list = append(list, "changed"+why)
	}
	for _, path := range e.Files {
		list = append(list, path+e.fate(path))
	}
	for _, k := range e.Backups {
		list = append(list, fmt.Sprintf("the file that was there, %s, is backed up as %s", k.File, k.As))
	}
	return list
}

// fate says what became of a file, where it did not just get new contents.
func (e Event) fate(path string) string {
	switch {
	case slices.Contains(e.Removed, path):
		return " removed"
	case slices.Contains(e.Restored, path):
		return " put right: somebody else had changed it"
	}
	return ""
}

// why says what the look was for, in parentheses: "(queue)", "(refresh by root)".
func (e Event) why() string {
	switch {
	case e.Why == "":
		return ""
	case e.Who != "":
		return " (" + e.Why + " by " + e.Who + ")"
	}
	return " (" + e.Why + ")"
}

// telling says who was told, how long it took, and of how many services where it was told of
// several at once.
func (e Event) telling() string {
	text := fmt.Sprintf("%s told in %v", e.Dependent, e.took().Round(time.Millisecond))
	if len(e.Services) > 1 {
		text += fmt.Sprintf(", once for %d services", len(e.Services))
	}
	return text
}
