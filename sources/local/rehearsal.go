package local

import (
	"context"
	"maps"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
)

// A Rehearsal answers what Values does, from what was read once: of a values file, or of a mapping
// like one in another YAML file.
type Rehearsal struct{ doc *document }

// ReadRehearsal reads the values file at path.
func ReadRehearsal(path string) (Rehearsal, fault.List) {
	doc, faults := load(path, disk.ReadFile)
	return Rehearsal{doc}, faults
}

// NewRehearsal takes a mapping of the file at path.
func NewRehearsal(path string, n *yaml.Node) (Rehearsal, fault.List) {
	p := newParser(path)
	p.top(n)
	p.faults.Sort()
	return Rehearsal{p.doc}, p.faults
}

// Under gives a rehearsal that answers as another does, and what that does not have as this one
// does. Hints are about the other's file.
func (r Rehearsal) Under(other Rehearsal) Rehearsal {
	doc := &document{path: other.doc.path, entries: maps.Clone(r.doc.entries)}
	maps.Copy(doc.entries, other.doc.entries)
	return Rehearsal{doc}
}

// Fetch answers every ref.
func (r Rehearsal) Fetch(ctx context.Context, refs []sources.Ref, deliver func(sources.Ref, sources.Result)) {
	fetch(ctx, refs, deliver, r.doc.answer)
}
