package watch

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/inputs"
	"github.com/rendered/rendered/watch/pass"
	"github.com/rendered/rendered/watch/tell"
)

// A Reloaded is what came of reading the config again: which services are in force that were not,
// which in another form, and which no longer.
type Reloaded struct {
	Services              int // in force
	New, Changed, Removed []string
}

// reloaded is the answer to who asks for it.
type reloaded struct {
	Reloaded
	err error
}

// reload compiles the config. Where it is bad the plan stays in force, and the fault is said once;
// it is tried again when one of the files that the bad one was read from changes, and from time to
// time, for what is missing may be elsewhere. So it is with one that is in force but for some
// services.
func (l *Loop) reload(now time.Time, who string) (Reloaded, error) {
	l.reloadAt = time.Time{}
	read, tried := inputs.Look(l.plan.Inputs), inputs.Look(l.tried)
	plan, err := l.Load()
	if err != nil {
		l.read, l.tried = read, tried
		if plan != nil {
			l.tried = plan.Inputs
			l.watchInputs()
		}
		l.unusable(err, "the old one stays in force", now)
		return Reloaded{Services: len(l.plan.Services)}, err
	}
	mended := l.failed != ""
	l.failed, l.tried = "", nil
	came := l.adopt(plan, now, who)
	if mended {
		l.Log.Info("config usable again", kindUsable.id())
	}
	if len(plan.Faulty) > 0 {
		return came, Unfit(plan.Faulty)
	}
	return came, nil
}

// retry reads a config again of which nothing is another on the disk: what of it could not be used
// may be usable now. Where that is as it was no other config has come into force.
func (l *Loop) retry(now time.Time) {
	since, unfit := l.since, Unfit(l.plan.Faulty).Error()
	came, _ := l.reload(now, "") // the log says what is wrong
	if len(came.New)+len(came.Changed)+len(came.Removed) == 0 && Unfit(l.plan.Faulty).Error() == unfit {
		l.since = since
	}
}

// unusable notes that a config is not put in force, says it once, and has it tried again.
func (l *Loop) unusable(err error, instead string, now time.Time) {
	l.reloads++
	l.reloadAt = now.Add(tell.Backoff(l.reloads, l.Chance))
	if text := err.Error(); text != l.failed {
		l.failed = text
		l.logUnusable(err, instead)
	}
}

// inputs gives the files that the plan was made from, and those that a bad config was read from
// after it.
func (l *Loop) inputs() []inputs.Input { return slices.Concat(l.read, l.tried) }

// adopt puts a plan in force. Services that are new or differ are due at once; the others keep
// their times.
func (l *Loop) adopt(plan *Plan, now time.Time, who string) Reloaded {
	l.plan, l.read, l.since, l.follows = plan, plan.Inputs, now, plan.followed()
	if plan.adopt(l.Pass.State) {
		l.record.changed(now)
	}
	l.teller.Adopt(tellable(plan.Services), now)
	was := make(map[string]bool) // by service: it was in force
	for name, s := range l.states {
		was[name] = !s.gone
		s.gone = true
	}
	came := Reloaded{Services: len(plan.Services)}
	for _, svc := range plan.Services {
		switch {
		case !l.take(svc, now, who):
		case was[svc.Name]:
			came.Changed = append(came.Changed, svc.Name)
		default:
			came.New = append(came.New, svc.Name)
		}
	}
	for name, s := range l.states {
		if s.gone && was[name] {
			came.Removed = append(came.Removed, name)
		}
		if s.gone && !s.busy {
			l.outages.keep(name, nil)
			delete(l.states, name)
		}
	}
	slices.Sort(came.Removed)
	l.reloads++
	if len(plan.Faulty) == 0 {
		l.reloads = 0
	} else {
		l.reloadAt = earliest(l.reloadAt, now.Add(tell.Backoff(l.reloads, l.Chance)))
	}
	l.pauses(now)
	l.block(now)
	l.logPlan(came)
	l.logFaulty()
	l.watchInputs()
	return came
}

// take notes that a service is of the plan, and tells whether it is new or differs.
func (l *Loop) take(svc *Service, now time.Time, who string) (fresh bool) {
	s := l.states[svc.Name]
	if s == nil {
		s = l.newState(svc.Name)
		l.states[svc.Name] = s
	}
	s.gone = false
	fresh = s.service == nil || s.service.Fingerprint != svc.Fingerprint
	why := l.For(who).because(Config)
	if fresh && s.service != nil && s.service.Settings == svc.Settings {
		why.Why = string(Template)
	}
	s.service = svc
	if fresh {
		s.matching, s.look, s.why = false, now, why
		s.after.at = time.Time{} // something else may be under healthy
		l.teller.Set(svc.Name, tell.Unsettled, now)
	}
	return fresh
}

// block has services wait for the jobs of others that were begun over their files with an older
// plan. They would find what such a job is about to change neither on record nor in the files.
func (l *Loop) block(now time.Time) {
	held := make(map[string]bool) // paths
	for _, s := range l.states {
		for _, path := range l.Pass.State.Ledger.Expand(s.former()) {
			held[path] = true
		}
	}
	l.blocking = len(held) > 0
	for _, svc := range l.plan.Services {
		s := l.states[svc.Name]
		waited := s.waits
		s.waits = !s.busy && l.blocking && slices.ContainsFunc(l.Pass.State.Paths(&svc.Service), func(path string) bool { return held[path] })
		if s.waits && !waited {
			s.since = now
		}
	}
}

// former gives the paths that a service no longer has and its job is at work on.
func (s *state) former() []string {
	if !s.busy {
		return nil
	}
	return slices.DeleteFunc(s.keeper.Service().Paths(), func(path string) bool {
		return !s.gone && slices.Contains(s.service.Paths(), path)
	})
}

func (l *Loop) newState(name string) *state {
	chance := rand.New(rand.NewPCG(l.Chance.Uint64(), l.Chance.Uint64()))
	return &state{keeper: pass.NewKeeper(l.Pass), chance: chance, past: l.remembered(name)}
}

// inputsChanged makes due what depends on the paths. The settle time runs from the first change:
// more of them do not put it off for ever.
func (l *Loop) inputsChanged(paths []string, now time.Time) {
	at := now.Add(l.plan.Settle)
	for _, path := range paths {
		if slices.ContainsFunc(l.inputs(), func(in inputs.Input) bool { return in.Path == path }) {
			l.reloadAt = earliest(l.reloadAt, at)
		}
		for _, s := range l.states {
			if path == l.plan.Values || slices.Contains(s.files(), path) {
				s.due(at, Input)
			}
		}
	}
}

// files gives the local files that the service's templates look up.
func (s *state) files() []string { return paths(s.refs()) }

// refs gives what is known of the service's lookups. Some may be in it twice.
func (s *state) refs() []sources.Ref { return slices.Concat(s.service.Refs(), s.asked) }

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

// watchInputs says what to watch: what the plan was made from, and the local files that its
// templates look up. Those that are known beforehand are read after they are looked at here. Of
// others it is not known when they were read.
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
