// Package migrate writes a config and templates of ours for those of confd, consul-template and
// Vault Agent.
package migrate

import (
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/migrate/rewrite"
	"github.com/rendered/rendered/internal/fault"
)

// A setup is what another program's config says, in words of ours.
type setup struct {
	program  *rewrite.Program
	schedule time.Duration // 0: not said
	settle   time.Duration // 0: not said
	logLevel string
	files    []file
	remarks  []rewrite.Remark // what is not carried over, or means something else here
	// inTemplates are those that stand in templates as comments, where something is to be done.
	inTemplates []rewrite.Remark
	paths       *names // what the secrets are called here
}

// A file is one template and where it goes.
type file struct {
	place    fault.Place
	name     string // of the template, as its own program has it, for a name here
	text     string // the template
	missing  bool   // it could not be read
	at       string // the file that the text is in, for places
	line     int    // the line of it before the text
	comments []string
	path     string
	owner    string
	mode     string
	dirMode  string
	format   string
	left     string // delimiters; "" are the usual ones
	right    string
	check    string    // a command with {} for the new file
	checkAll string    // one that sees the new files in their places
	commands []command // who is told
	interval time.Duration
	prefix   string
	backend  rewrite.Backend
	keys     []string
	strict   bool // a key that is missing is an error there, too
	todo     []rewrite.Remark
}

// A command is what the other program runs when a file has changed.
type command struct {
	shell   string
	args    []string
	timeout time.Duration
}

// note says what is other than it was.
func note(at fault.Place, what string) rewrite.Remark {
	return rewrite.Remark{Place: at, What: what}
}

// todo says what a person has to do.
func todo(at fault.Place, what string) rewrite.Remark {
	return rewrite.Remark{Place: at, Todo: true, What: what}
}
