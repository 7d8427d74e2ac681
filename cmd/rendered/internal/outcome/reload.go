package outcome

import (
	"fmt"
	"strings"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
)

// A Reload is what reading the config again came to.
type Reload struct {
	Services int      `json:"services"` // how many are in force
	New      []string `json:"new"`
	Changed  []string `json:"changed"` // in another form than before
	Removed  []string `json:"removed"`
	// Refused is what of the config is not in force, why, and what is instead: lines.
	Refused string   `json:"refused,omitempty"`
	Outcome *Outcome `json:"outcome,omitempty"` // of the looks that follow, where that was asked for
}

// Failed tells whether anything is not as it should be.
func (r Reload) Failed() bool { return r.Refused != "" || r.Outcome != nil && r.Outcome.Failed() }

// Reload prints what of the config is new, what is wrong with it, and what came of the looks.
func (p Printer) Reload(r Reload) {
	same := true
	for _, part := range []struct {
		says  string
		names []string
	}{{"new", r.New}, {"changed", r.Changed}, {"removed", r.Removed}} {
		if len(part.names) > 0 {
			same = false
			console.Say(p.Out, fmt.Sprintf("%-9s %s", part.says, strings.Join(part.names, " ")))
		}
	}
	if same && r.Refused == "" {
		fmt.Fprintf(p.Out, "nothing new in the config; %s in force\n", console.Count(r.Services, "service"))
	}
	if r.Refused != "" {
		console.Say(p.Remarks, r.Refused)
	}
	if r.Outcome != nil {
		p.Print(*r.Outcome)
	}
}
