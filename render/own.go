package render

import (
	"slices"

	"github.com/rendered/rendered/sources"
)

// Own gives the refs known before any render that another host does not have: the name of this one
// is part of what they are made of.
func (t *Template) Own() (own []sources.Ref) {
	if !slices.ContainsFunc(t.texts, func(x *parsedText) bool { return slices.Contains(x.called, "hostname") }) {
		return nil
	}
	o := t.Options
	o.Hostname, o.Check = t.Hostname+"-other", nil
	other, _ := Parse(o) // what it finds is no fault of this host
	for _, r := range t.refs {
		if other == nil || !slices.Contains(other.refs, r) {
			own = append(own, r)
		}
	}
	return own
}

// Own is that of the file's templates.
func (f *File) Own() []sources.Ref {
	if f.Each == nil {
		return f.Template.Own()
	}
	return slices.Concat(f.Each.Template.Own(), f.Template.Own())
}
