package watch

import (
	"time"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/notify"
)

// An Outcome is what one job did for a service.
type Outcome struct {
	Service string
	Looked  bool          // it looked at the files; else it only told dependents
	Files   []FileOutcome // in the order of the config; empty where the service did not get as far as its swap
	Notices []NoticeOutcome
	Err     error     // why the files were not brought up to date, fault.List or another error; nil where they are
	TellAt  time.Time // when an owed notice is to be tried again; zero: nothing is owed

	asked    []sources.Ref
	snapshot *sources.Snapshot // that the files were rendered from; nil where they were not
	half     bool              // the files may not match, so nobody may be told before they are looked at
}

// A FileOutcome is what became of one file.
type FileOutcome struct {
	Path  string
	State swap.State
}

// A NoticeOutcome is what came of telling one dependent.
type NoticeOutcome struct {
	Dependent string
	Paths     []string
	Err       error  // why it is still owed; nil where the dependent acknowledged
	Output    string // of a command, without values; "" where there was none
	Held      bool   // not tried: told too recently, or on request; Err is nil and it is still owed
	Took      time.Duration

	said notify.Output // what Output is made of
}

// Failed reports whether anything is not as it should be: a file not current, or a dependent that refused its notice.
func (o Outcome) Failed() bool {
	if o.Err != nil {
		return true
	}
	for _, n := range o.Notices {
		if n.Err != nil {
			return true
		}
	}
	return false
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

// FileErrors gives what stands in the way of the service's files, one by one. Trouble that concerns no single file has no
// path.
func (o Outcome) FileErrors() []*FileError { return fileErrors(o.Err) }

func fileErrors(err error) []*FileError {
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
			list = append(list, fileErrors(part)...)
		}
		return list
	}
	return []*FileError{{Fault: &fault.Fault{What: err.Error(), Hints: Remedy(err), Err: err}}}
}

// throttled tells whether lookups failed because AWS is asked too often.
func (o Outcome) throttled() bool {
	for _, e := range o.FileErrors() {
		if lookup, ok := e.Fault.Err.(*sources.Error); ok && lookup.Reason == sources.Throttled {
			return true
		}
	}
	return false
}
