package render

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render/format"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
)

// A File is one template and what it is written to.
type File struct {
	swap.Target // without its content
	Template    *Template
	// The content must parse as Format, and the values of a template with TrackValues keep its
	// structure. Zero is none.
	Format format.Format
	Check  command.Check // run over the staged file; the zero Check is none

	// Each: the file stands for one for each element, and its path for theirs; nil: it is itself.
	Each *Each
	Of   *File // that stands for it; nil: none
	item *item // that it is for
}

// A Rendering is a file's target, of whose bytes nothing has been asked yet.
type Rendering struct {
	swap.Target
	file *File
	out  Output
}

// Render makes the file's target from the snapshot. What was asked for is given whether or not it
// succeeds.
func (f *File) Render(ctx context.Context, snapshot *sources.Snapshot) (*Rendering, []sources.Ref, *fault.Fault) {
	out, failed := f.Template.executeFor(ctx, snapshot, f.item)
	if failed != nil {
		if f.item != nil {
			failed.What = fmt.Sprintf("for the key %s: %s", ShownKey(f.item.key), failed.What)
		}
		return nil, out.Asked, failed
	}
	target := f.Target
	target.Content = out.Content
	return &Rendering{target, f, out}, out.Asked, nil
}

// Parts gives what of the content the template alone does not give, as Output.Parts does.
func (r *Rendering) Parts() []Part { return r.out.Parts() }

// Judge says why the bytes must not be written, though the template gave them; nil: they may be.
// The same bytes of the same file get the same answer. It costs what parsing costs: bytes that are
// on disk already need none.
func (r *Rendering) Judge() *fault.Fault {
	if failed := r.file.parses(r.out); failed != nil {
		return failed
	}
	return r.out.keeps(r.file.Format)
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
	what, hints := err.Error(), []string(nil)
	if e, ok := errors.AsType[*format.Error](err); ok {
		if failed := out.requotedFault(f.Format, e); failed != nil {
			return failed
		}
		switch origin, within := out.Origin(e.Offset); {
		case within:
			what += ", in the value of " + origin
			if !e.Limit {
				hints = f.quoteHints(out, e)
			}
		case origin != "":
			what += ", just after the value of " + origin
		}
	}
	return &fault.Fault{Place: fault.Place{File: f.Path}, What: what + "; file not written", Hints: hints, Err: err}
}

// quoteHints says how a value is written that is to be one text and is none for the format, unless
// the error says so already.
func (f *File) quoteHints(out Output, err *format.Error) []string {
	quote := f.Format.Quote()
	text := strings.TrimSpace(out.across(min(max(err.Offset, 0), len(out.Content))).text)
	switch whole := string(bytes.TrimSpace(out.Content)); {
	case quote == "", strings.Contains(err.What, quote), text == whole:
		return nil
	case text == "", strings.Contains(text, "\n"), strings.ContainsAny(text[:1], "{[<"):
		return nil // it may bring structure of its own
	}
	left, right := f.Template.delims()
	hint := left + " … | " + quote + " " + right
	if name := f.Format.String(); name != "xml" && name != "properties" {
		hint += " writes the quotes, too; none stand around it"
	}
	return []string{hint}
}
