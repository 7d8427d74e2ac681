package watch

import (
	"slices"
	"time"

	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/inputs"
)

// reload compiles the config. Where it is bad the plan stays in force, and the fault is said once; it is tried again when one of the files
// that the bad one was read from changes, and from time to time, for what is missing may be elsewhere.
func (l *Loop) reload(now time.Time) error {
	l.reloadAt = time.Time{}
	read, tried := inputs.Look(l.plan.Inputs), inputs.Look(l.tried)
	plan, err := l.Load()
	if err != nil {
		l.read, l.tried = read, tried
		if plan != nil {
			l.tried = plan.Inputs
			l.watchInputs()
		}
		l.reloads++
		l.reloadAt = now.Add(backoff(l.reloads, l.Chance))
		if text := err.Error(); text != l.failed {
			l.failed = text
			l.sayUnusable(err)
		}
		return err
	}
	mended := l.failed != ""
	l.failed, l.tried, l.reloads = "", nil, 0
	l.adopt(plan, now)
	if mended {
		l.Log.Info("config usable again")
	}
	return nil
}

// inputs gives the files that the plan was made from, and those that a bad config was read from after it.
func (l *Loop) inputs() []inputs.Input { return slices.Concat(l.read, l.tried) }

// adopt puts a plan in force. Services that are new or differ are due at once; the others keep their times.
func (l *Loop) adopt(plan *Plan, now time.Time) {
	l.plan, l.read = plan, plan.Inputs
	l.State.adopt(plan)
	for _, s := range l.states {
		s.gone = true
	}
	fresh := 0
	for _, svc := range plan.Services {
		s := l.states[svc.Name]
		if s == nil {
			s = l.newState(svc.Name)
			l.states[svc.Name] = s
		}
		s.gone = false
		if s.service == nil || s.service.Fingerprint != svc.Fingerprint {
			s.look = now
			fresh++
		}
		s.service = svc
	}
	for name, s := range l.states {
		if s.gone && !s.busy {
			l.outages.keep(name, nil)
			delete(l.states, name)
		}
	}
	l.untangle(now)
	l.sayPlan(fresh)
	l.watchInputs()
}

// untangle has services wait for the jobs of others that were begun over their files with an older plan. They would find what such a job
// is about to change neither on record nor in the files.
func (l *Loop) untangle(now time.Time) {
	held := make(map[string]bool) // paths
	for _, s := range l.states {
		if !s.busy {
			continue
		}
		for _, f := range s.keeper.service.Files {
			if s.gone || !s.service.has(f.Path) {
				held[f.Path] = true
			}
		}
	}
	l.tangled = len(held) > 0
	for _, svc := range l.plan.Services {
		s := l.states[svc.Name]
		waited := s.waits
		s.waits = !s.busy && l.tangled && slices.ContainsFunc(svc.Files, func(f *render.File) bool { return held[f.Path] })
		if s.waits && !waited {
			s.since = now
		}
	}
}

func (l *Loop) newState(service string) *state {
	k := newKeeper(l.State, l.Chance, l.Wall)
	k.redactor = l.plan.Redactor
	if l.Check != nil {
		k.examine = l.Check
	}
	k.parsers = l.parsers
	k.woken = l.Woken
	k.telling = func(dependent string) { l.send(telling{service, dependent}) }
	return &state{keeper: k, refused: make(map[string]string)}
}

// inputsChanged makes due what depends on the paths. The settle time runs from the first change: more of them do not put it
// off for ever.
func (l *Loop) inputsChanged(paths []string, now time.Time) {
	at := now.Add(l.plan.Settle)
	for _, path := range paths {
		if slices.ContainsFunc(l.inputs(), func(in inputs.Input) bool { return in.Path == path }) {
			l.reloadAt = earliest(l.reloadAt, at)
		}
		for _, s := range l.states {
			if path == l.plan.Values || slices.Contains(s.files(), path) {
				s.look = earliest(s.look, at)
			}
		}
	}
}

// files gives the local files that the service's templates look up.
func (s *state) files() []string { return paths(append(s.service.Refs(), s.asked...)) }

// paths gives the local files among refs.
func paths(refs []sources.Ref) []string {
	var list []string
	for _, r := range refs {
		if r.Kind == sources.File {
			list = append(list, r.Name)
		}
	}
	return list
}

// watchInputs says what to watch: what the plan was made from, and the local files that its templates look up. Those that are known
// beforehand are read after they are looked at here. Of others it is not known when they were read.
func (l *Loop) watchInputs() {
	if l.Watch == nil {
		return
	}
	list := l.inputs()
	known := make(map[string]bool)
	add := func(path string, look func(inputs.Input) inputs.Input) {
		if path != "" && !known[path] {
			known[path] = true
			list = append(list, look(inputs.Input{Path: path}))
		}
	}
	add(l.plan.Values, inputs.Input.Look)
	for _, svc := range l.plan.Services {
		for _, path := range paths(svc.Refs()) {
			add(path, inputs.Input.Look)
		}
	}
	unseen := func(in inputs.Input) inputs.Input { return in }
	for _, svc := range l.plan.Services {
		for _, path := range paths(l.states[svc.Name].asked) {
			add(path, unseen)
		}
	}
	l.Watch(list)
}
