package watch

import (
	"context"
	"io/fs"
	"slices"
	"time"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/pass"
	"github.com/rendered/rendered/watch/tell"
)

// A Status is everything that a loop says of itself. It holds no value.
type Status struct {
	Report
	Since   time.Time // when the config in force came into force
	Details []Detail  // of Report.Services, in their order
	// Absent are pauses of services that the config in force does not have.
	Absent []pass.Pause
}

// A Detail is what is known of one service beside its Standing. Times are zero where they are not
// known. Of what was before the process began the history alone tells.
type Detail struct {
	Schedule string
	Group    string    // that it takes turns in; "": it is in no fleet
	Looked   time.Time // when the last look ended
	Next     time.Time // when the next is due; zero while one is under way, or none is due by itself
	Changed  time.Time // when a file got new contents
	Well     time.Time // when its files were last up to date
	Failing  time.Time // since when its looks fail; zero: they do not
	Hints    []string  // what to do about Standing.Failure
	Turn     string    // whose turn it is to mend what is wrong, as "the owner of secret prod/db"
	// Succeeded is when the last look ended that did not fail, whether files were to wait or not.
	Succeeded time.Time
	// Interval is the longest time from the last look to the one after the next, by the schedule;
	// 0 before the first.
	Interval time.Duration
	Files    []FileDetail
	// Lookups are those whose names the templates alone give. The names of others may hold secrets:
	// they are Computed, and counted.
	Lookups  []LookupDetail
	Computed int
	Told     []tell.Told
	Unwell   []string // what to do about Standing.Rollout.Failure
	Retried  string   // when a change is tried again that was rolled back
	// Undone is why what is to be done after a change is not done, and Unsaid why a failure was not
	// said to whoever is to hear of it; nil: it is, or nobody has tried.
	Undone, Unsaid *fault.Fault
}

// A FileDetail is what is known of a file.
type FileDetail struct {
	Path    string
	Changed time.Time // when it got new contents
	// Mode, UID and GID are those that it is written with. Where the mode is 0, or a number is -1,
	// the file that is there keeps its own.
	Mode     fs.FileMode
	UID, GID int
	// Certificate is the first in it; nil where there is none, or it is not known yet.
	Certificate *pass.Certificate
	// Gone: its key is gone, and it stays.
	Gone bool
}

// A LookupDetail is what is known of a lookup.
type LookupDetail struct {
	Ref     sources.Ref
	Version string    // that was read last; "" where the source has none
	Since   time.Time // when it was first read, or files were first written from it
	Read    time.Time // when it was last read
	// Live is the version that the files are of; "" where that is not known, or there is none.
	Live string
}

// A past is what a loop remembers of a service's looks.
type past struct {
	looked       time.Time
	succeeded    time.Time
	interval     time.Duration
	well         time.Time
	failing      time.Time
	hints        []string
	turn         string
	files        map[string]time.Time         // when each got new contents
	certificates map[string]*pass.Certificate // by path
	lookups      map[string]LookupDetail      // by the ref's text
}

// remembered gives what the history tells of a service's looks.
func (l *Loop) remembered(service string) past {
	known := l.Pass.State.Ledger.Past(service)
	p := past{well: known.Well, succeeded: known.Well, failing: known.Failing, files: known.Files, certificates: make(map[string]*pass.Certificate), lookups: make(map[string]LookupDetail)}
	for ref, w := range known.Lookups {
		p.lookups[ref] = LookupDetail{Version: w.Version, Since: w.Since, Live: w.Version}
	}
	return p
}

// note remembers what came of a look.
func (p *past) note(o pass.Outcome, refs []sources.Ref, now time.Time) {
	p.looked, p.hints, p.turn = now, nil, ""
	if list := o.FileErrors(); o.RolledBack() || o.Held != nil {
		p.succeeded, p.failing = now, time.Time{} // the rollout, or the hold, tells of it
	} else if len(list) == 0 {
		p.well, p.succeeded, p.failing = now, now, time.Time{}
	} else {
		p.failing, p.hints, p.turn = earliest(p.failing, now), list[0].Fault.Hints, list[0].Whose()
	}
	for _, f := range o.Files {
		if f.Renewed() {
			p.files[f.Path] = now
		}
		p.certificates[f.Path] = f.Certificate
	}
	p.noteLookups(o, refs, now)
}

// noteLookups remembers what a look has read, and what the files are of since.
func (p *past) noteLookups(o pass.Outcome, refs []sources.Ref, now time.Time) {
	for _, r := range o.PutBack() {
		d := p.lookups[r.Ref]
		d.Live = r.To
		p.lookups[r.Ref] = d
	}
	if o.Snapshot == nil {
		return
	}
	matches := o.Held == nil && len(o.FileErrors()) == 0
	was := p.lookups
	p.lookups = make(map[string]LookupDetail, len(refs))
	for _, r := range refs {
		d, known := was[r.String()]
		if version, read := o.Snapshot.Version(r); read {
			if !known || version != d.Version {
				d.Since = now
			}
			d.Version, d.Read, known = version, now, true
		}
		if matches {
			d.Live = d.Version
		}
		if known {
			p.lookups[r.String()] = d
		}
	}
}

// Ask gives how the loop stands. The error is that it stops, or that of ctx.
func (l *Loop) Ask(ctx context.Context) (Status, error) {
	answer := make(chan Status, 1)
	return answered(ctx, l, ask{answer: answer}, answer)
}

// A Question is what to say of how the loop stands.
type Question struct {
	// Of is one service alone, by its name or the path of a file; "": all. Where there is none the
	// answer has none.
	Of string
	// Brief leaves the lookups and the files out, which are most of it.
	Brief bool
}

// AskAbout is Ask for less.
func (l *Loop) AskAbout(ctx context.Context, q Question) (Status, error) {
	answer := make(chan Status, 1)
	return answered(ctx, l, ask{answer, q}, answer)
}

// answered sends an event that is answered, and waits for the answer.
func answered[T any](ctx context.Context, l *Loop, event any, answer <-chan T) (got T, _ error) {
	select {
	case l.events <- event:
	case <-l.gone:
		return got, errStopped
	case <-ctx.Done():
		return got, ctx.Err()
	}
	return awaited(ctx, l, answer)
}

// awaited waits for the answer to an event.
func awaited[T any](ctx context.Context, l *Loop, answer <-chan T) (got T, _ error) {
	select {
	case got = <-answer:
		return got, nil
	case <-l.gone:
		return got, errStopped
	case <-ctx.Done():
		return got, ctx.Err()
	}
}

// status gives how the loop stands.
func (l *Loop) status(now time.Time, q Question) Status {
	services := l.plan.Services
	if q.Of != "" {
		services = nil
		for _, svc := range l.plan.Services {
			if svc.Name == q.Of || svc.Writes(q.Of) || slices.Contains(l.Pass.State.Paths(&svc.Service), q.Of) {
				services = append(services, svc)
			}
		}
	}
	st := Status{Report: l.standings(Keeping, services), Since: l.since, Details: make([]Detail, 0, len(services))}
	for _, svc := range services {
		d := l.detail(svc, now)
		if q.Brief {
			d.Files = nil
		} else {
			d.Lookups, d.Computed = l.states[svc.Name].lookups()
		}
		st.Details = append(st.Details, d)
	}
	for _, p := range l.Pass.State.Ledger.Pauses() {
		if l.states[p.Service] == nil && !p.Ended(now) {
			st.Absent = append(st.Absent, p)
		}
	}
	return st
}

// detail gives what is known of a service beside its standing and its lookups.
func (l *Loop) detail(svc *Service, now time.Time) Detail {
	s := l.states[svc.Name]
	next := s.look
	if s.paused != nil {
		next = s.paused.Until
	}
	d := Detail{
		Schedule: svc.Schedule.String(), Group: svc.Group,
		Interval: s.past.interval,
		Looked:   s.past.looked, Next: next, Well: s.past.well, Failing: s.past.failing, Succeeded: s.past.succeeded,
		Hints: s.past.hints, Turn: s.past.turn, Retried: svc.Retried(),
		Told: l.teller.Told(svc.Name, now),
	}
	l.detailAfter(&d, svc)
	for f := range l.Pass.State.Files(&svc.Service) {
		at := s.past.files[f.Path]
		file := FileDetail{f.Path, at, f.Mode, f.UID, f.GID, s.past.certificates[f.Path], f.Gone}
		if f.KeepMode {
			file.Mode = 0
		}
		d.Files = append(d.Files, file)
		if at.After(d.Changed) {
			d.Changed = at
		}
	}
	return d
}

// detailAfter says of what follows a change what its standing does not.
func (l *Loop) detailAfter(d *Detail, svc *Service) {
	s, r := l.states[svc.Name], l.rollout(svc)
	d.Unwell, d.Unsaid = s.after.hints, s.unsaid()
	if r == nil {
		return
	}
	if svc.Undrains(*r) {
		if d.Undone = s.after.undone; d.Undone == nil && r.Undone != "" {
			d.Undone = &fault.Fault{What: r.Undone}
		}
	}
	if d.Turn == "" {
		d.Turn = turnOf(*r)
	}
}

// turnOf says whose turn it is to mend what is wrong with a change or after it; "": nothing is.
func turnOf(r pass.Rollout) string {
	owner := "the owner of what it looks up"
	if len(r.Refs) == 1 {
		owner = "the owner of " + r.Refs[0].Ref
	}
	switch {
	case r.Still != "" || r.Undone != "":
		return sources.Machine
	case (r.Stage == pass.Unwell || r.Stage == pass.Rejected) && len(r.Refs) == 0:
		return "the author of the template, or " + owner
	case r.Stage == pass.Unwell || r.Stage == pass.Rejected:
		return owner + ", or " + sources.Machine
	}
	return ""
}

// lookups gives what is known of the service's lookups whose names the templates give, and how many
// there are beside them.
func (s *state) lookups() (list []LookupDetail, computed int) {
	known := sources.Unique(s.service.Refs())
	for _, r := range known {
		lookup := s.past.lookups[r.String()]
		lookup.Ref = r
		list = append(list, lookup)
	}
	return list, len(sources.Unique(s.refs())) - len(known)
}
