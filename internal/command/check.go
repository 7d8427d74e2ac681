package command

import "time"

// An OutputPolicy says what may be shown of what a command prints.
type OutputPolicy string

const (
	Redact   OutputPolicy = ""         // what is recognised as a secret is hidden
	Withhold OutputPolicy = "withhold" // nothing is shown
	Show     OutputPolicy = "show"     // everything is
)

// A Check is a command that judges files. The zero Check is none.
type Check struct {
	Command
	Timeout time.Duration // 0 is 30s
	Output  OutputPolicy
}
