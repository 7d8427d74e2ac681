package pass

import (
	"errors"
	"slices"
	"time"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render/format"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/ledger"
)

// An Outcome is what one pass did for a service.
type Outcome struct {
	Service string
	// Files are in the order of the config, before those that are gone; empty where the service did
	// not get as far as its swap.
	Files []FileOutcome
	// Err is why the files were not brought up to date, a fault.List or another error; nil where
	// they are.
	Err error
	// Held is why nothing was written, though something differs; nil: nothing was held.
	Held *Hold

	Asked    []sources.Ref     // what the templates asked for, dynamic refs included
	Snapshot *sources.Snapshot // that they were rendered from; nil where they were not
	Matched  bool              // the files match; else nobody may be told of them
	Party    Party
	Event    ledger.Event // what the history says of the swap; zero: nothing
	Took     time.Duration
}

// A FileOutcome is what became of one file.
type FileOutcome struct {
	Path   string
	State  swap.State
	Backup string // where what somebody else had written there is backed up; "": nobody had
	// Restored: it was so before, and somebody else had changed it.
	Restored    bool
	Certificate *Certificate // the first in it; nil: there is none
}

// Same tells whether the file is as it was.
func (f FileOutcome) Same() bool { return f.State == swap.Same }

// Renewed tells whether the file has new contents, or is gone.
func (f FileOutcome) Renewed() bool {
	return f.State == swap.Differs || f.State == swap.NotThere || f.State == swap.Removed
}

// Renewed tells whether the files are others than before.
func (o Outcome) Renewed() bool {
	return slices.ContainsFunc(o.Files, func(f FileOutcome) bool { return !f.Same() && f.State != swap.Left })
}

// A FileError is why one file was not brought up to date.
type FileError struct {
	Path  string
	Fault *fault.Fault
}

// Error gives the fault, which names its place itself.
func (e *FileError) Error() string { return e.Fault.Error() }

// Unwrap gives the fault.
func (e *FileError) Unwrap() error { return e.Fault }

// FileErrors gives what stands in the way of the service's files, one by one. What concerns
// no single file has no path.
func (o Outcome) FileErrors() []*FileError { return FileErrors(o.Err) }

// FileErrors gives the parts of an error, one by one.
func FileErrors(err error) []*FileError {
	switch e := err.(type) {
	case nil:
		return nil
	case *FileError:
		return []*FileError{e}
	case *fault.Fault:
		return []*FileError{{Fault: e}}
	case interface{ Unwrap() []error }:
		var list []*FileError
		for _, part := range e.Unwrap() {
			list = append(list, FileErrors(part)...)
		}
		return list
	}
	return []*FileError{{Fault: &fault.Fault{What: err.Error(), Hints: Remedy(err), Err: err}}}
}

// Whose says whose turn it is to mend it, as "the owner of secret prod/db".
func (e *FileError) Whose() string {
	if lookup, ok := e.Fault.Err.(*sources.Error); ok {
		return lookup.Whose()
	}
	if _, ok := errors.AsType[unprepared](e.Fault.Err); ok {
		return sources.Machine
	}
	if ofValues(e.Fault) || judged(e.Fault) {
		return "the author of the template, or the owner of what it looks up"
	}
	return sources.Machine
}

// ofValues tells whether a fault is of what values hold or of what a template makes of them, and
// nothing of the machine is in the way. It stands at a line of a template, or the output is not of
// the file's format.
func ofValues(f *fault.Fault) bool {
	_, malformed := errors.AsType[*format.Error](f.Err)
	return f.Err == nil || f.Place.Line > 0 || malformed
}

// Throttled tells whether lookups failed because AWS is asked too often.
func (o Outcome) Throttled() bool {
	for _, e := range o.FileErrors() {
		if lookup, ok := e.Fault.Err.(*sources.Error); ok && lookup.Reason == sources.Throttled {
			return true
		}
	}
	return false
}
