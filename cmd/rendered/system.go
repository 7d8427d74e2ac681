package main

import (
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/internal/fault"
)

// system is the operating system that the program is for, as GOOS names it. A build for tests says
// another.
var system = runtime.GOOS

// A demand is what a verb does that only Linux lets it do.
type demand struct {
	why     string
	instead []string // what to do about it
	unless  string   // a flag with which the verb does nothing of the kind; "": there is none
	code    int      // the exit code where it is not met
}

var (
	// ofDaemon is the demand of verbs that ask the daemon. Where its socket is said it may be that
	// of another machine.
	ofDaemon = demand{why: "it asks the daemon of this machine", instead: []string{"RENDERED_SOCKET names the socket of one elsewhere, as ssh -L brings it here"}, code: exitNoDaemon}

	// demands are those of verbs by name. The others work on every system.
	demands = map[string]demand{
		"run": {
			why:     "it keeps the files of a machine and tells the processes that read them",
			instead: []string{"rendered once --root DIRECTORY  writes the files below a directory, here as everywhere"},
			code:    exitFailed,
		},
		"once": {
			why:     "it puts files in their places and tells the processes that read them",
			instead: []string{"rendered once --root DIRECTORY  writes the files below a directory, and tells nobody"},
			unless:  "root",
			code:    exitFailed,
		},
		"diff": {
			why:     "it compares with the files in their places, and foresees what would be told",
			instead: []string{"rendered diff --root DIRECTORY  compares with what is below a directory"},
			unless:  "root",
			code:    exitUnknown,
		},
		"history": ofDaemon, "pause": ofDaemon, "refresh": ofDaemon, "reload": ofDaemon, "resume": ofDaemon, "status": ofDaemon, "wait": ofDaemon,
	}
)

// onLinux says so where a verb is to do elsewhere what only Linux lets it do, and gives the
// exit that it leads to.
func onLinux(verb *cobra.Command, _ []string) error {
	d, demanding := demands[verb.Name()]
	switch {
	case system == "linux" || !demanding || verb.Parent() != verb.Root(): // fleet's ask a table
		return nil
	case d.unless != "" && verb.Flag(d.unless).Value.String() != "":
		return nil
	case d.why == ofDaemon.why && os.Getenv("RENDERED_SOCKET") != "":
		return nil
	}
	console.Faults(verb.ErrOrStderr(), fault.List{{What: verb.CommandPath() + " needs Linux: " + d.why, Hints: d.instead}})
	return exit{d.code}
}
