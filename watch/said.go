package watch

import (
	"io/fs"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/redact"
	"github.com/rendered/rendered/watch/notify"
)

// What commands print is shown without the secrets in it. The redactor is the daemon's: it knows
// what any service got, and the versions before.

const (
	withheldUnknown = "‹output withheld: what is secret in it is known when the lookups of this service have succeeded›"
	withheldAsked   = "‹output withheld, as output: withhold asks; run the command by hand to see it›"
)

// learn has the redactor know what the lookups of a render gave. Where all of them did, the output
// of commands can be shown from now on.
func (k *keeper) learn(snapshot *sources.Snapshot, all bool) {
	refs := unique(append(k.service.Refs(), k.asked...))
	ids := make([]redact.ID, 0, len(refs))
	for _, v := range snapshot.Values(refs) {
		if id := k.redactor.Learn(v); id != 0 {
			ids = append(ids, id)
		}
	}
	if all {
		k.values = ids
	}
}

// learnOld has the redactor know what the files held that are about to be replaced. Of a file that
// everybody may read, as it is and as it will be, and that looks nothing up it is no secret.
func (k *keeper) learnOld(s *swap.Swap) {
	const others = 0o004
	s.Replaced(func(t swap.Target, old []byte, mode fs.FileMode) {
		for _, f := range k.service.Files {
			if f.Path == t.Path && (mode&t.Mode&others == 0 || len(f.Template.Lookups()) > 0) {
				k.redactor.LearnOld(old, t.Content)
			}
		}
	})
}

// said gives what may be shown of what an action says.
func (k *keeper) said(o notify.Output) string {
	if o.Own {
		return string(o.Text)
	}
	return k.shown(o.Policy, o.Text)
}

// checked gives what may be shown of a check's output.
func (k *keeper) checked(c command.Check, output []byte) string { return k.shown(c.Output, output) }

// shown gives what may be shown of an output.
func (k *keeper) shown(policy command.OutputPolicy, output []byte) string {
	switch {
	case len(output) == 0 || policy == command.Show:
		return string(output)
	case policy == command.Withhold:
		return withheldAsked
	case k.redactor == nil || k.values == nil:
		return withheldUnknown
	}
	if words := k.redactor.Withholds(k.values); words != "" {
		return words
	}
	return k.redactor.Redact(output, k.public()...)
}

// public gives texts of the service that hold no secret, though a secret may hold a word of theirs.
func (k *keeper) public() []string {
	texts := []string{k.service.Name, k.service.Check.String()}
	for _, f := range k.service.Files {
		texts = append(texts, f.Path, f.Check.String(), f.Template.Main.Body)
		for _, p := range f.Template.Partials {
			texts = append(texts, p.Body)
		}
	}
	for _, d := range k.service.Dependents {
		texts = append(texts, d.Name())
	}
	return texts
}
