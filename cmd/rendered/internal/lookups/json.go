package lookups

import (
	"strings"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/aws"
)

// What the verbs write with --json. docs/operating.md explains the fields, of which none goes away
// or gets another meaning.

type listing struct {
	Lookups []shown  `json:"lookups"`
	Faulty  []string `json:"faulty"` // services, or parts of the config, whose lookups are not known
}

// A shown lookup.
type shown struct {
	Service  string `json:"service"`
	File     string `json:"file"`
	Function string `json:"function"`
	Kind     string `json:"kind"`
	Ref      string `json:"ref"`   // "": only the render can tell
	Found    string `json:"found"` // written, derived or computed
	Place    place  `json:"place"`
	Config   place  `json:"config"` // of the file in the config
}

type place struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// inexact ends the name of a text in the config that the config does not show as it is.
const inexact = ": content"

func placeOf(p fault.Place) place { return place{p.File, p.Line, p.Column} }

func (s *survey) shownAll(list []lookup) []shown {
	all := []shown{}
	for _, l := range list {
		all = append(all, l.shown())
	}
	return all
}

func (l lookup) shown() shown {
	x := shown{
		Service: l.service.Name, File: l.file.Path, Function: l.Function, Kind: string(l.Kind), Found: l.found(),
		Place: placeOf(l.Place), Config: placeOf(l.file.Place),
	}
	if strings.HasSuffix(l.Place.File, inexact) {
		x.Place = x.Config
	}
	if l.isKnown() {
		x.Ref = l.Ref.Text()
	}
	return x
}

func (s *survey) faulty() []string {
	list := []string{}
	for _, f := range s.unfit {
		list = append(list, f.Name())
	}
	return list
}

type usage struct {
	Ref     string   `json:"ref"` // as it was asked for
	Uses    []used   `json:"uses"`
	Unknown []shown  `json:"unknown"` // lookups that may be of it: only the render can tell
	Near    []string `json:"near"`    // where nobody uses it
	Faulty  []string `json:"faulty"`
}

// What is used by one service.
type used struct {
	Service string   `json:"service"`
	Config  place    `json:"config"` // of the service
	Files   []string `json:"files"`
	Lookups []shown  `json:"lookups"`
	Pinned  []string `json:"pinned"` // refs of one version, which never changes
	Then    []string `json:"then"`   // who is told once the files have changed
}

func (s *survey) usage(q question, uses []use, near []string) usage {
	x := usage{Ref: q.text, Uses: []used{}, Unknown: s.shownAll(s.mayBe(q)), Near: near, Faulty: s.faulty()}
	for _, u := range uses {
		y := used{
			Service: u.service.Name, Config: placeOf(u.service.Place), Files: u.files, Lookups: s.shownAll(u.lookups),
			Pinned: []string{}, Then: append([]string{}, u.then()...),
		}
		for _, r := range u.refs {
			if aws.IsPinned(r) {
				y.Pinned = append(y.Pinned, r.Text())
			}
		}
		x.Uses = append(x.Uses, y)
	}
	return x
}

type rights struct {
	Policies []right  `json:"policies"`
	Unknown  []shown  `json:"unknown"` // lookups that are in no policy: only the render can tell
	Remarks  []remark `json:"remarks"`
	Faulty   []string `json:"faulty"`
}

// A right is the policy of one identity.
type right struct {
	For      string   `json:"for"`
	Accounts []string `json:"accounts"` // of the config
	Role     string   `json:"role"`     // ARN; "" is whatever rendered runs as
	Document document `json:"document"`
}

type remark struct {
	What  string   `json:"what"`
	Hints []string `json:"hints"`
}

func (s *survey) rights(policies []named, remarks fault.List) rights {
	x := rights{Policies: []right{}, Unknown: []shown{}, Remarks: []remark{}, Faulty: s.faulty()}
	for _, p := range policies {
		x.Policies = append(x.Policies, right{p.name, append([]string{}, p.Accounts...), p.Role, p.document()})
	}
	for _, l := range s.unknown() {
		if l.Kind.Traits().Answerer == sources.AWS {
			x.Unknown = append(x.Unknown, l.shown())
		}
	}
	for _, f := range remarks {
		x.Remarks = append(x.Remarks, remark{f.What, append([]string{}, f.Hints...)})
	}
	return x
}
