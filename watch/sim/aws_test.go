package sim

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/sources"
)

// aws is what lookups are answered from. Everything in it is guarded by the world's lock.
type aws struct {
	world    *world
	secrets  map[string]*secret
	away     bool
	eligible map[string]bool // "PATH VALUE": was given to a pass whose checks let the file pass
	known    map[string]bool // values that there are or were
	said     []sources.Change
}

// A secret is one value, or one family of values: dyn-NAME for each NAME.
type secret struct {
	name    string
	version int   // counts up
	text    int   // which the version holds: an older one may be put back
	bad     bool  // it breaks the format of a file
	before  state // what readers see until visible
	visible time.Time
	trouble sources.Reason
	hangs   bool
}

// A state is what a reader sees.
type state struct {
	version, text int
	bad           bool
}

var names = []string{"dyn", "map", "p", "s1", "s2"}

func newAWS(w *world) *aws {
	a := &aws{world: w, secrets: make(map[string]*secret), eligible: make(map[string]bool), known: make(map[string]bool)}
	for _, name := range names {
		a.secrets[name] = &secret{name: name, version: 1, text: 1}
	}
	return a
}

// rotate gives a secret a new version, whose text may be an older one.
func (a *aws) rotate(name string, back, bad bool, lag time.Duration) {
	a.world.mu.Lock()
	defer a.world.mu.Unlock()
	s := a.secrets[name]
	s.before, s.visible = s.seen(), time.Now().Add(lag)
	s.version++
	s.bad = bad && strings.HasPrefix(name, "s")
	if s.text = s.version; back {
		s.text = max(1, s.before.text-1)
	}
	a.world.counts.rotations++
	a.world.trace.note(a.world.began, "rotate %s to version %d, text %d, bad %v", name, s.version, s.text, s.bad)
}

func (s *secret) seen() state {
	if time.Now().Before(s.visible) {
		return s.before
	}
	return state{s.version, s.text, s.bad}
}

// value gives the text of a secret. For dyn it also depends on the parameter.
func value(name string, s state, of string) string {
	switch {
	case name == "map":
		return mapped(s.text)
	case name == "p":
		return fmt.Sprintf("p.%d", s.text)
	case name == "dyn":
		return fmt.Sprintf("%s.dyn.%s.%d", canary, of, s.text)
	case s.bad:
		return fmt.Sprintf("%s.%s.%d.bad\"", canary, name, s.text)
	}
	return fmt.Sprintf("%s.%s.%d", canary, name, s.text)
}

// current gives what a file is to hold.
func (a *aws) current(s spec, text int) string {
	var parts []string
	for _, name := range s.refs {
		of := ""
		if name == "dyn" {
			of = value("p", a.secrets["p"].seen(), "")
		}
		seen := a.secrets[name].seen()
		if s.isGone(seen.text) {
			return ""
		}
		part := value(name, seen, of)
		if name == "map" {
			part = mappedValue(seen.text)
		}
		parts = append(parts, part)
	}
	return s.layout(text, parts)
}

// A source answers the lookups of one plan in one life of the daemon.
type source struct {
	world *world
	life  *life
	roll  roll
}

// Fetch answers one ref after the other.
func (s *source) Fetch(ctx context.Context, refs []sources.Ref, deliver func(sources.Ref, sources.Result)) {
	w := s.world
	refs = slices.Clone(refs)
	slices.SortFunc(refs, func(a, b sources.Ref) int { return strings.Compare(a.Name, b.Name) })
	actor := fmt.Sprint("fetch ", refs) // two services may begin to ask at the same time
	w.mu.Lock()
	w.counts.passes += len(refs)
	w.mu.Unlock()
	for _, r := range refs {
		late := time.NewTimer(w.span(actor, time.Millisecond, 40*time.Millisecond))
		select {
		case <-ctx.Done():
			late.Stop()
			deliver(r, failure(r, sources.Unavailable))
			continue
		case <-late.C:
		}
		result, hangs := s.answer(r)
		if hangs {
			<-ctx.Done() // the plan's limit ends it
			result = failure(r, sources.Unavailable)
		}
		deliver(r, result)
	}
}

func failure(r sources.Ref, reason sources.Reason) sources.Result {
	return sources.Result{Err: &sources.Error{Ref: r, Reason: reason}}
}

func (s *source) answer(r sources.Ref) (result sources.Result, hangs bool) {
	w := s.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.life.dead {
		return failure(r, sources.Unavailable), false
	}
	name, of, _ := strings.Cut(strings.TrimPrefix(r.Name, "/"), "-")
	secret := w.aws.secrets[name]
	switch {
	case secret == nil:
		panic(r.Name)
	case secret.hangs:
		w.trace.note(w.began, "fetch %s hangs", r.Name)
		return sources.Result{}, true
	case w.aws.away:
		w.trace.note(w.began, "fetch %s: nobody answers", r.Name)
		return failure(r, sources.Unavailable), false
	case secret.trouble != "":
		w.trace.note(w.began, "fetch %s %s", r.Name, secret.trouble)
		return failure(r, secret.trouble), false
	}
	seen := secret.seen()
	text := value(name, seen, of)
	w.trace.note(w.began, "fetch %s %s", r.Name, text)
	w.aws.known[shown(name, seen, text)] = true
	for _, of := range s.roll {
		if of.isRefused() || of.checks && seen.bad {
			continue
		}
		for _, f := range w.of(of) {
			w.aws.eligible[f.path+" "+shown(name, seen, text)] = true
			if name == "map" && f.isGone(seen.text) {
				w.aws.eligible[f.path+" gone"] = true
			}
		}
	}
	return sources.Result{Value: sources.Value{Text: text, Version: versionID(name, seen.version), Secret: name != "p"}}, false
}

func versionID(name string, version int) string { return fmt.Sprintf("%s-%d", name, version) }

// announce tells the loop that a secret has a new version; maybe twice, maybe an old one again.
func (w *world) announce(name string) {
	w.mu.Lock()
	s := w.aws.secrets[name]
	list := []sources.Change{{Kind: sources.Secret, Name: name, Version: versionID(name, s.version), At: w.wall().Truncate(time.Second)}}
	switch name {
	case "p":
		list[0].Kind, list[0].Name = sources.Param, "/p"
	case "dyn":
		list[0].Name += "-" + value("p", w.aws.secrets["p"].seen(), "")
	}
	w.mu.Unlock()
	if w.chance.IntN(4) == 0 {
		list = append(list, list[0])
	}
	if len(w.aws.said) > 0 && w.chance.IntN(4) == 0 {
		list = append(list, w.aws.said[w.chance.IntN(len(w.aws.said))])
	}
	w.aws.said = append(w.aws.said, list[0])
	w.life.loop.Announced(list)
	synctest.Wait() // a job that takes no time is over before the next event of this moment
}
