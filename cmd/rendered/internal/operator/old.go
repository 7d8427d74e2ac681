package operator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/status"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/fleet"
)

// What old-versions writes with --json. docs/fleet.md explains the fields, of which none goes away
// or gets another meaning.
type verdict struct {
	Ref     string    `json:"ref"` // as it was asked for
	Current string    `json:"current"`
	Good    bool      `json:"good"`  // nobody counts that has another
	Hosts   int       `json:"hosts"` // that look it up
	Old     []lagging `json:"old"`
	Near    []string  `json:"near"` // where no host looks it up
}

// A lagging is a service of a host that has not got the current version.
type lagging struct {
	Group   string    `json:"group"`
	Host    string    `json:"host"`
	Service string    `json:"service"`
	Ref     string    `json:"ref"` // as the host names it
	Version string    `json:"version"`
	State   string    `json:"state"`
	Seen    time.Time `json:"seen,omitzero"`
	Unseen  bool      `json:"unseen"` // for two days
	Counts  bool      `json:"counts"`
}

// An OldVersions asks which hosts have not got a version.
type OldVersions struct {
	Words      []string // the ref
	Current    string   // version; "": AWS is asked
	AssumeDead bool     // hosts that were not seen for two days do not count
}

// OldVersions prints which hosts have another version of a ref than the current one, or have yet to
// tell somebody of that. It reports whether none does, and somebody looks it up at all.
func (o *Operator) OldVersions(ctx context.Context, asked OldVersions) (bool, error) {
	q, err := ask(asked.Words)
	if err != nil {
		return false, err
	}
	s, err := o.begin(ctx)
	if err != nil {
		return false, err
	}
	all := make([]*fleet.Overview, len(s.groups))
	for i, g := range s.groups {
		if all[i], err = s.see(ctx, g); err != nil {
			return false, err
		}
		if all[i].At.IsZero() {
			return false, s.unanswered(errNoTime)
		}
	}
	v := verdict{Ref: q.text, Current: asked.Current}
	named, others := namedIn(all, q)
	switch {
	case len(named) == 0:
		v.Near = others
	case v.Current == "":
		if v.Current, err = s.current(ctx, named); err != nil {
			return false, err
		}
	}
	for _, o := range all {
		v.judge(o, q, asked.AssumeDead)
	}
	v.Good = v.Hosts > 0 && s.whole && !slices.ContainsFunc(v.Old, func(l lagging) bool { return l.Counts })
	if s.JSON {
		console.JSON(s.Out, v)
	} else {
		v.print(s)
	}
	return v.Good, nil
}

// namedIn gives the refs of a question as hosts name them, and other refs.
func namedIn(all []*fleet.Overview, q question) (named, others []string) {
	for _, o := range all {
		for _, h := range o.Hosts {
			for _, s := range h.Services {
				for ref := range s.Versions {
					if q.means(ref) {
						named = append(named, ref)
					} else {
						others = append(others, ref)
					}
				}
			}
		}
	}
	for _, list := range []*[]string{&named, &others} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return named, others
}

// current asks for the version as the hosts do, by which it is named as they name it. Its value
// goes nowhere.
func (s *scope) current(ctx context.Context, named []string) (string, error) {
	r, _ := refOf(named[0])
	for _, other := range named[1:] {
		if x, _ := refOf(other); x.Kind != r.Kind {
			return "", fmt.Errorf("hosts look up %s and %s; write the kind before it", named[0], other)
		}
	}
	source, failed := s.sources.Open(ctx, s.cfg, map[sources.Kind]bool{r.Kind: true})
	if failed != nil {
		return "", s.unanswered(failed)
	}
	var result sources.Result
	source.Fetch(ctx, []sources.Ref{r}, func(_ sources.Ref, answer sources.Result) { result = answer })
	switch {
	case result.Err != nil:
		return "", s.unanswered(result.Err)
	case result.Value.Version == "":
		return "", s.unanswered(fmt.Errorf("%s has no version here; say it by --current", r))
	}
	return result.Value.Version, nil
}

// judge looks which hosts of a group have another version.
func (v *verdict) judge(o *fleet.Overview, q question, assumeDead bool) {
	for _, h := range o.Hosts {
		x := hostOf(o, h, q.means)
		if len(x.Services) > 0 {
			v.Hosts++
		}
		for _, s := range x.Services {
			for _, has := range s.Versions {
				if has.Version == v.Current && h.Services[s.Service].Has() {
					continue
				}
				v.Old = append(v.Old, lagging{
					o.Group, h.Name, s.Service, has.Ref, has.Version, s.State, h.Seen, x.Unseen, !x.Unseen || !assumeDead,
				})
			}
		}
	}
}

func (v *verdict) print(s *scope) {
	switch {
	case v.Hosts == 0:
		console.Say(s.Err, "no host has said that it looks up "+v.Ref+", so nobody can say who has which version")
		for _, ref := range v.Near[:min(len(v.Near), 10)] {
			console.Say(s.Err, "  they look up "+ref)
		}
		return
	case len(v.Old) == 0:
		console.Say(s.Out, fmt.Sprintf("all hosts that look up %s have version %s: %d", v.Ref, console.Version(v.Current), v.Hosts))
		return
	}
	counting, hosts := make(map[string]bool), make(map[string]bool)
	for _, l := range v.Old {
		hosts[l.Group+" "+l.Host] = true
		if l.Counts {
			counting[l.Group+" "+l.Host] = true
		}
	}
	text := fmt.Sprintf("%d of %s that look up %s have not got version %s", len(hosts), console.Count(v.Hosts, "host"), v.Ref, console.Version(v.Current))
	if left := len(hosts) - len(counting); left > 0 {
		text += fmt.Sprintf("; %d of them were not seen for two days, and do not count", left)
	}
	console.Table{{text}}.Print(s.Out)
	v.table().Print(s.Out)
	if unseen := slices.ContainsFunc(v.Old, func(l lagging) bool { return l.Unseen && l.Counts }); unseen {
		console.Say(s.Out, "hosts that were not seen for two days may be dead; --assume-dead leaves them out")
	}
}

// mostOld is how many hosts a screen lists.
const mostOld = 50

func (v *verdict) table() console.Table {
	t := console.Table{{"GROUP", "HOST", "SERVICE", "VERSION", "SEEN"}}
	for i, l := range v.Old {
		if i == mostOld && len(v.Old) > mostOld+1 {
			return append(t, []string{fmt.Sprintf("and %d more; --json has them", len(v.Old)-i)})
		}
		seen := "at an unknown time"
		if !l.Seen.IsZero() {
			seen = status.Moment(l.Seen)
		}
		var notes []string
		if l.State != fleet.Idle.String() {
			notes = append(notes, l.State)
		}
		if l.Unseen {
			notes = append(notes, "not for two days")
		}
		t = append(t, []string{l.Group, l.Host, l.Service, console.Version(l.Version), strings.Join(append([]string{seen}, notes...), ", ")})
	}
	return t
}
