package pass

import (
	"io/fs"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/render"
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
func (k *Keeper) learn(snapshot *sources.Snapshot, all bool) {
	refs := sources.Unique(append(k.service.Refs(), k.asked...))
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
func (k *Keeper) learnOld(s *swap.Swap, files []*render.File) {
	const others = 0o004
	s.Replaced(func(t swap.Target, old []byte, mode fs.FileMode) {
		if t.Gone == swap.Remove {
			k.redactor.LearnOld(old, nil)
			return
		}
		for _, f := range files {
			if f.Path == t.Path && (mode&t.Mode&others == 0 || f.Of != nil || len(f.Template.Lookups()) > 0) {
				k.redactor.LearnOld(old, t.Content)
			}
		}
	})
}

// A Party is a service whose command printed something, and what it may hold.
type Party struct {
	service *Service
	values  []redact.ID // of its lookups; nil: they are not all known
}

// Known tells whether the values of all lookups of the service are known.
func (p Party) Known() bool { return p.values != nil }

// shownOfCheck gives what may be shown of a check's output.
func (k *Keeper) shownOfCheck(c command.Check, output []byte) string {
	return shown(k.redactor, notify.Output{Text: output, Policy: c.Output}, Party{k.service, k.values})
}

// Shown gives what may be shown of what commands of services printed.
func (o Options) Shown(out notify.Output, parties ...Party) string {
	return shown(o.Redactor, out, parties...)
}

func shown(redactor *redact.Redactor, o notify.Output, parties ...Party) string {
	switch {
	case len(o.Text) == 0 || o.Own || o.Policy == command.Show:
		return string(o.Text)
	case o.Policy == command.Withhold:
		return withheldAsked
	case redactor == nil:
		return withheldUnknown
	}
	var public []string
	for _, p := range parties {
		if !p.Known() {
			return withheldUnknown
		}
		if words := redactor.Withholds(p.values); words != "" {
			return words
		}
		public = append(public, p.service.public()...)
	}
	return redactor.Redact(o.Text, public...)
}
