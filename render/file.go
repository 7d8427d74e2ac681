package render

import (
	"context"
	"errors"
	"io/fs"

	"github.com/rendered/rendered/render/command"
	"github.com/rendered/rendered/render/fault"
	"github.com/rendered/rendered/render/format"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
)

// A File is one template and the path it is written to.
type File struct {
	Path     string // absolute
	Template *Template
	UID, GID int             // swap.Keep: as it is
	Mode     fs.FileMode     // where KeepMode is set, that of a new file
	KeepMode bool            // keep the mode of the file replaced
	DirMode  fs.FileMode     // for missing directories; 0: a missing directory is an error
	Format   format.Format   // the content must parse; the zero Format is none
	Check    command.Command // run over the staged file; the zero Command is none

	InPlace    bool // write to the file that is there; a rename replaces it otherwise
	AllowEmpty bool // nothing but white space may take the place of something
}

// Render makes the file's target from the snapshot. What was asked for is given whether or not it succeeds.
func (f *File) Render(ctx context.Context, snapshot *sources.Snapshot) (swap.Target, []sources.Ref, *fault.Fault) {
	out, failed := f.Template.Execute(ctx, snapshot)
	if failed == nil {
		failed = f.parses(out)
	}
	if failed != nil {
		return swap.Target{}, out.Asked, failed
	}
	return swap.Target{
		Path:     f.Path,
		Content:  out.Content,
		UID:      f.UID,
		GID:      f.GID,
		Mode:     f.Mode,
		KeepMode: f.KeepMode,
		DirMode:  f.DirMode,

		InPlace:    f.InPlace,
		AllowEmpty: f.AllowEmpty,
	}, out.Asked, nil
}

// parses checks the output's format, and says what the place where it breaks comes from.
func (f *File) parses(out Output) *fault.Fault {
	if f.Format.IsZero() {
		return nil
	}
	err := f.Format.Check(out.Content)
	if err == nil {
		return nil
	}
	what := err.Error()
	if e, ok := errors.AsType[*format.Error](err); ok {
		switch origin, within := out.Origin(e.Offset); {
		case within:
			what += ", in the value of " + origin
		case origin != "":
			what += ", just after the value of " + origin
		}
	}
	return &fault.Fault{Place: fault.Place{File: f.Path}, What: what + "; file not written", Err: err}
}
