package render

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render/preview"
)

// A Filter gives what may be shown of a check's output.
type Filter func(c command.Check, output []byte) string

// CheckStaged runs the file's check over its staged form. The fault holds what filter gives of the
// check's output. The temporary's name differs each time and tells nobody anything, so the
// destination stands in its place. Where held is not nil the check is given that file by a
// descriptor: its name may come to lead elsewhere.
func (f *File) CheckStaged(ctx context.Context, staged string, held *os.File, filter Filter) *fault.Fault {
	o := command.Options{Timeout: f.Check.Timeout}
	if held != nil {
		staged = firstExtra
		o.Via = func(cmd *exec.Cmd) error {
			cmd.ExtraFiles = append([]*os.File{held}, cmd.ExtraFiles...)
			return nil
		}
	}
	output, err := command.Run(ctx, f.Check.With(staged), o)
	if err == nil {
		return nil
	}
	known := strings.NewReplacer(staged, f.Path)
	return refused(f.Check.With(f.Path), err, filter(f.Check, output), known, fault.Place{File: f.Path}, "file not written")
}

// firstExtra is the path by which a command opens the first of its extra files, from its beginning:
// proc(5) makes it the file itself, whatever its name has become.
const firstExtra = "/proc/self/fd/3"

// CheckService runs a service's check, which sees the staged files at their places; see
// preview.Run. Where it cannot be shown them it does not run, which is a fault too.
func CheckService(ctx context.Context, check command.Check, files []preview.File, filter Filter) *fault.Fault {
	output, err := preview.Run(ctx, check.Command, files, command.Options{Timeout: check.Timeout})
	if err == nil {
		return nil
	}
	var known []string
	for _, f := range files {
		if f.Staged != "" {
			known = append(known, f.Staged, f.Path)
		}
	}
	return refused(check.Command, err, filter(check, output), strings.NewReplacer(known...), fault.Place{}, "no file written")
}

// refused makes the fault of a check that did not pass, in which known puts the paths that a user
// knows in the place of temporaries.
func refused(c command.Command, err error, output string, known *strings.Replacer, at fault.Place, so string) *fault.Fault {
	outcome, hints := err.Error(), []string(nil)
	switch e := err.(type) {
	case *command.Error:
		outcome, hints = e.Outcome(), e.Hints
	case *preview.Refusal:
		hints = e.Hints
	}
	if text := strings.TrimSpace(known.Replace(output)); text != "" {
		hints = append(strings.Split(text, "\n"), hints...)
	}
	return &fault.Fault{Place: at, What: "check: " + c.String() + ": " + known.Replace(outcome) + "; " + so, Hints: hints, Err: err}
}

// Foresee says whether this machine lets a service's check see files that are not in their places
// yet; nil: it does.
func Foresee(ctx context.Context) *fault.Fault {
	err := preview.Available(ctx)
	if err == nil {
		return nil
	}
	failed := &fault.Fault{What: "the check of a service cannot run, and the service's files stay as they are: " + err.Error(), Err: err}
	if r, ok := errors.AsType[*preview.Refusal](err); ok {
		failed.Hints = r.Hints
	}
	return failed
}
