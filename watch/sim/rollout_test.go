package sim

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/pass"
	"github.com/rendered/rendered/watch/probe"
)

// In a third of the seeds services are to be seen to be well. A service is not where a program that
// it tells has read a value that is sick; chance says which values are.

// A mood is how a probe looks beside that.
type mood int

const (
	honest  mood = iota
	anxious      // nothing is well
	flaps        // every other look is well
	hangs
)

// A ward is what the model knows of changes that are to be seen to be well.
type ward struct {
	mood    mood
	looks   int            // that were made
	begun   map[string]int // by service, of services: how many records there were when the latest look that was well began
	refuses int            // so many times more a command before or after a change fails
	drained [len(services)]bool
	loose   [len(services)]bool // the daemon has followed the service, and a crash may take that from the record
	stands  map[string]rollout  // by service, as the last record has it
	stood   map[string]rollout  // as the record before it had it: a failed write is taken back
	lost    []rollout           // that were damaged: what was begun may be finished all the same
	said    map[string]int      // by service: how often it says that it was seen to be well
}

// A rollout is what a record says of one.
type rollout struct {
	Service, Stage, Change, Stays, Secrets string
	Drained                                bool
	Old                                    []struct{ Path, Name string }
	since                                  int // how many records there were when the change was put on record
}

// rolls tells whether services are to be seen to be well in this seed.
func (w *world) rolls() bool { return w.seed%3 == 1 }

// sick tells whether a program is not well that has read a value.
func (w *world) sick(value string) bool {
	return w.rolls() && strings.HasPrefix(value, canary) && hash(w.seed, "sick "+strings.TrimSuffix(value, `"`), 0)%4 == 0
}

func (w *world) sickFile(s spec, content string) bool {
	_, values, whole := s.parse(content)
	return whole && slices.ContainsFunc(values, w.sick)
}

// policies are when a change that is not well is rolled back.
var policies = [...]pass.Rollback{pass.RollbackAlways, pass.RollbackConfig, pass.RollbackNever}

// prove has a service be seen to be well.
func (w *world) prove(l *life, s self, svc *watch.Service) {
	if s.proves {
		svc.Healthy, svc.HealthyFor, svc.HealthyWithin, svc.Rollback = []probe.Probe{vitals{l, s}}, 2*time.Second, 10*time.Second, policies[s.rollback]
	}
	if s.around {
		svc.Before.Args, svc.After.Args = []string{"before", strconv.Itoa(s.service)}, []string{"after", strconv.Itoa(s.service)}
	}
}

// vitals is the probe of a service.
type vitals struct {
	life *life
	of   self
}

func (v vitals) Name() string { return "vitals of " + v.of.name() }

func (v vitals) Begin() probe.Look {
	w := v.life.world
	w.mu.Lock()
	defer w.mu.Unlock()
	records := len(w.records)
	return func(ctx context.Context) error {
		late := time.NewTimer(w.span("vitals "+services[v.of.service], time.Millisecond, 50*time.Millisecond))
		defer late.Stop()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-late.C:
		}
		w.mu.Lock()
		hanging := w.ward.mood == hangs
		what := v.look()
		if what == "" && !v.life.dead && !hanging {
			name := services[v.of.service] // which another name's look may still be about
			w.ward.begun[name] = max(w.ward.begun[name], records)
		}
		w.mu.Unlock()
		if hanging {
			<-ctx.Done()
			return ctx.Err()
		}
		if what != "" {
			return &probe.Failure{Probe: v.Name(), What: what}
		}
		return nil
	}
}

// look says why the service is not well; "": it is. The caller holds w.mu.
func (v vitals) look() string {
	w := v.life.world
	w.ward.looks++
	if v.life.dead || w.ward.mood == anxious || w.ward.mood == flaps && w.ward.looks%2 == 0 {
		return "does not answer"
	}
	for _, name := range w.told(v.of) {
		for _, s := range w.of(v.of) {
			if !w.files[s.path].stray && w.sickFile(s, w.deps[name].saw[s.path]) { // a stray file stays
				return name + " is sick"
			}
		}
	}
	return ""
}

// run does what is to be done before and after a change, asks a gate, or says a failure.
func (l *life) run(ctx context.Context, c command.Command, o command.Options) ([]byte, error) {
	w := l.world
	of, err := strconv.Atoi(c.Args[1])
	if err != nil {
		panic(err)
	}
	late := time.NewTimer(w.span(c.Args[0]+" "+services[of], time.Millisecond, 300*time.Millisecond))
	defer late.Stop()
	w.mu.Lock()
	if !l.dead && c.Args[0] == "before" {
		w.ward.drained[of] = true
	}
	w.mu.Unlock()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-late.C:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trace.note(w.began, "%v, fails %d", c.Args, w.ward.refuses)
	switch {
	case l.dead:
		return nil, errRefused
	case c.Args[0] == "gate":
		open := !w.guards.shut.has(of)
		if w.answered(gate, of, open); !open {
			return nil, errRefused
		}
		return nil, nil
	case c.Args[0] == "alarm":
		return nil, w.hear(o.Env)
	case w.ward.refuses > 0:
		w.ward.refuses--
		return nil, errRefused
	case c.Args[0] == "after":
		w.ward.drained[of] = false
	}
	return nil, nil
}

// moods changes how probes look, and what becomes of commands.
func (w *world) moods() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ward.mood, w.ward.refuses = honest, 0
	switch w.chance.IntN(6) {
	case 0:
		w.ward.mood = anxious
	case 1:
		w.ward.mood = flaps
	case 2:
		w.ward.mood = hangs
	case 3:
		w.ward.refuses = 1 + w.chance.IntN(4)
	}
	w.trace.note(w.began, "probes: mood %d, commands fail %d times", w.ward.mood, w.ward.refuses)
}

// policy changes what the config says of it.
func (w *world) policy() {
	w.mu.Lock()
	c := &w.conf
	switch w.chance.IntN(6) {
	case 0:
		c.proves = !c.proves
	case 1:
		c.around = !c.around
	default:
		c.rollback = w.chance.IntN(len(policies))
	}
	w.trace.note(w.began, "policy: proves %v, around %v, %s", c.proves, c.around, policies[c.rollback])
	w.mu.Unlock()
	w.life.loop.Reload()
}

// judgeRollouts looks at the rollouts of a record that was written. The caller holds w.mu.
func (w *world) judgeRollouts(record string) {
	found := make(map[string]rollout)
	for line := range strings.Lines(record) {
		if line[0] != '%' {
			continue
		}
		var r rollout
		_, data, _ := strings.Cut(line, " ")
		if err := json.Unmarshal([]byte(data), &r); err != nil {
			return // it was damaged
		}
		r.since = len(w.records)
		for _, last := range []map[string]rollout{w.ward.stood, w.ward.stands} {
			for name, was := range last { // it may have another name, or be another service's by now
				if was.Change == r.Change && (r.Change != "" || called(name) == called(r.Service)) {
					r.since = was.since
				}
			}
		}
		found[r.Service] = r
	}
	said := sights(record)
	for _, name := range slices.Sorted(maps.Keys(w.ward.stands)) {
		was, is := w.ward.stands[name], found[name]
		if was.Stage != is.Stage {
			w.trace.note(w.began, "%s: %q is %q", name, was.Stage, is.Stage)
			w.lacking(is)
		}
		if w.life == nil || w.life.dead || w.harmed > 0 || w.liar() {
			continue
		}
		open := was.Stage == "unproven" || was.Stage == "retold" || was.Stage == "unwell"
		before := w.ward.stood[name]
		takenBack := before.Stage == is.Stage && before.Secrets == is.Secrets // a write that failed
		if seen := said[name] > w.ward.said[name]; seen && !takenBack && open && is.Stage == "" && w.ward.begun[called(name)] < was.since {
			w.fail("%s is well with a change that nobody has looked at", name)
		}
		if strings.Contains(is.Stays, "no such file") && was.Stays != is.Stays {
			w.fail("%s: %s", name, is.Stays)
		}
	}
	w.ward.stood, w.ward.stands, w.ward.said = w.ward.stands, found, said
}

// lacking notes which files stay away that somebody else had taken away before a change that is
// rolled back. The caller holds w.mu.
func (w *world) lacking(r rollout) {
	if r.Stage != "reverted" {
		return
	}
	for _, old := range r.Old {
		if f := w.files[old.Path]; f != nil && old.Name == "" && w.found(old.Path) == "" {
			f.drifted = true
		}
	}
}

// called gives the name of services that a service goes by, or went by.
func called(name string) string {
	if i := slices.Index(others[:], name); i >= 0 {
		return services[i]
	}
	return name
}

// sights counts in a record, by service, how often it was seen to be well.
func sights(record string) map[string]int {
	said := make(map[string]int)
	for line := range strings.Lines(record) {
		var e struct {
			Kind     string
			Services []string
		}
		_, data, _ := strings.Cut(line, " ")
		if line[0] == '#' && strings.Contains(line, `"healthy"`) && json.Unmarshal([]byte(data), &e) == nil && e.Kind == "healthy" {
			for _, service := range e.Services { // a damaged line has none, perhaps
				said[service]++
			}
		}
	}
	return said
}

// reverts tells whether old files are put back, a path being one of them, and whether there was
// one.
func (w *world) reverts(path string) (reverts, was bool) {
	for _, r := range slices.AppendSeq(slices.Clone(w.ward.lost), maps.Values(w.ward.stands)) {
		for _, old := range r.Old {
			if r.Stage == "reverted" && old.Path == path {
				return true, old.Name != ""
			}
		}
	}
	return false, false
}

// restored notes that an old file is in its place that is not of the daemon's making, and tells
// whether it is that. The caller holds w.mu.
func (w *world) restored(f *output) bool {
	reverts, was := w.reverts(f.path)
	found, there := w.look(f)
	content, _, _, _ := w.disk.Look(f.path)
	if !reverts || there != was {
		return false
	}
	if there && slices.ContainsFunc(f.had, func(s stamp) bool { return s.mode == found.mode && s.uid == found.uid && s.gid == found.gid }) {
		if !f.keep && f.own == 0 {
			f.own = f.mode
		}
		f.meta = found.meta // attributes are those of what was replaced
	}
	w.stamp(f)
	if there && !strings.HasPrefix(string(content), foreign) {
		return false
	}
	if !f.drifted || f.content != string(content) {
		w.order++
		f.changed = w.order
		f.arises()
	}
	f.drifted, f.robbed, f.torn, f.content = true, false, false, string(content)
	switch {
	case there:
	case f.key != "":
		f.nothing()
		f.drifted = true // somebody else may have taken it away before
	default:
		f.content, f.meta = "deleted", meta{mode: f.fresh}
	}
	w.trace.note(w.began, "%s is as it was before: %q", f.path, f.content)
	return true
}

// followed notes which services are in force. What was begun before a change of one that has left,
// or has another name and other files at once, nobody knows any more. The caller holds w.mu.
func (w *world) followed(before, now roll) {
	for i := range services {
		var had, has *self
		for _, s := range before {
			if s.service == i {
				had = &s
			}
		}
		for _, s := range now {
			if s.service == i {
				has = &s
			}
		}
		switch {
		case has == nil || !has.around:
			w.ward.drained[i] = false
		case had == nil:
		case had.name() != has.name() && !slices.Equal(w.paths(*had), w.paths(*has)):
			w.ward.drained[i] = false
		case had.name() != has.name() || !slices.Equal(w.paths(*had), w.paths(*has)):
			w.ward.loose[i] = true
		}
	}
}

func (w *world) paths(s self) (list []string) {
	for _, f := range w.of(s) {
		list = append(list, f.path)
	}
	return list
}

// heal rotates what is sick until nothing is.
func (w *world) heal() {
	for range 100 {
		ill := make(map[string]bool)
		w.mu.Lock()
		for _, s := range w.specs() {
			_, values, _ := s.parse(w.aws.current(s, w.conf.text))
			for i, v := range values {
				if w.sick(v) {
					ill[s.refs[i]] = true
				}
			}
		}
		w.mu.Unlock()
		if len(ill) == 0 {
			return
		}
		for _, name := range slices.Sorted(maps.Keys(ill)) {
			w.aws.rotate(name, false, false, 0)
		}
	}
}

// infect gives a secret a value that is sick.
func (w *world) infect(name string) {
	for range 100 {
		w.aws.rotate(name, false, false, 0)
		w.mu.Lock()
		sick := w.sick(value(name, w.aws.secrets[name].seen(), ""))
		w.mu.Unlock()
		if sick {
			return
		}
	}
}

// epidemic has sick values come when there is no other trouble, and wants them to be rolled back,
// for good, and every program to know.
func (w *world) epidemic() {
	if !w.rolls() || !w.conf.proves {
		return
	}
	w.note("an epidemic")
	w.mu.Lock()
	before := make(map[string]string)
	for path := range w.files {
		before[path] = w.found(path)
	}
	for _, d := range w.deps {
		clear(d.extra)
	}
	w.mu.Unlock()
	for range 1 + w.chance.IntN(2) {
		w.infect("s1")
		w.infect("s2")
		w.life.loop.Refresh()
		w.after(time.Duration(1+w.chance.IntN(20)) * time.Second)
	}
	w.after(8 * time.Minute)
	w.judgeHealed(before)
	w.mu.Lock()
	told := w.counts.told
	w.mu.Unlock()
	w.after(3 * time.Hour)
	w.judgeHealed(before)
	w.mu.Lock()
	if w.counts.told != told {
		w.fail("somebody is told %d times after all was rolled back", w.counts.told-told)
	}
	w.mu.Unlock()
	for range 3 { // the old files are what is wished for
		w.drift()
	}
	w.after(3 * time.Hour)
	w.judgeHealed(before)
	w.heal()
	w.life.loop.Refresh()
	w.after(5 * time.Minute)
}

// judgeHealed wants the files to be as they were, where anybody can be sick of them.
func (w *world) judgeHealed(before map[string]string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.specs() {
		of := w.keeper(s)
		if of == nil || len(w.told(*of)) == 0 || w.files[s.path].stray {
			continue
		}
		content, _, _, _ := w.disk.Look(s.path)
		if string(content) != before[s.path] {
			w.fail("%s holds %q after its change was not well, want %q", s.path, content, before[s.path])
		}
		for _, name := range w.told(*of) {
			if saw := w.deps[name].saw[s.path]; saw != string(content) {
				w.fail("%s knows %s as %q, which is back at %q", name, s.path, saw, content)
			}
		}
	}
}

// judgeWard wants every rollout of a service in force to be over, and nothing of it to be left. The
// caller holds w.mu.
func (w *world) judgeWard() {
	for name, r := range w.ward.stands {
		s, inForce := w.life.roll[name]
		kept := r.Stage == "rejected" || r.Stage == "unwell" // nothing that is well passes its check
		if inForce && s.proves && (r.Stage != "" || r.Drained && s.around) && !(s.isRefused() && kept) {
			w.fail("%s is %q at last, drained %v", name, r.Stage, r.Drained)
		}
	}
	for _, s := range w.life.roll {
		if unwell := w.ward.stands[s.name()].Stage == "unwell"; w.ward.drained[s.service] && s.around && !unwell {
			w.fail("%s stays drained", s.name())
		}
	}
	if left := w.disk.List(formerPath); len(left) > 0 && len(w.life.roll) == len(services) && !slices.ContainsFunc(slices.Collect(maps.Values(w.ward.stands)), func(r rollout) bool { return r.Stage != "" }) {
		w.fail("%v are left of what was before", left)
	}
}

const formerPath = statePath + "/former"
