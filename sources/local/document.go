package local

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
)

// A document is what a values file says.
type document struct {
	path    string
	entries map[sources.Ref]entry // by canonical ref
}

// An entry is what stands after one name.
type entry struct {
	place  fault.Place
	value  sources.Value
	reason sources.Reason // a rehearsed failure; "" where value is real
}

// canonical gives the same ref for all the ways to ask for the same value: AWS knows a parameter at
// the root with and without its leading slash.
func canonical(r sources.Ref) sources.Ref {
	if r.Kind == sources.Param && strings.LastIndexByte(r.Name, '/') == 0 {
		r.Name = r.Name[1:]
	}
	return r
}

func (d *document) answer(r sources.Ref) sources.Result {
	switch {
	case r.Kind.Traits().Section == "":
		return failed(r, sources.Unanswerable, "a values file does not hold this")
	case r.Kind.Traits().Form == sources.TextsByName:
		return d.under(r)
	}
	e, ok := d.entries[canonical(r)]
	switch {
	case !ok:
		return d.missing(r)
	case e.reason != "":
		return failed(r, e.reason, "rehearsed at "+e.place.String())
	}
	return sources.Result{Value: e.value}
}

// under answers a path with every parameter beneath it. A parameter that is denied or throttled
// fails the path, as with AWS; one that is missing is not there.
func (d *document) under(path sources.Ref) sources.Result {
	prefix := strings.TrimRight(path.Name, "/") + "/"
	found := make(map[string]string)
	for _, r := range d.names(sources.Param) {
		e := d.entries[r]
		name, beneath := strings.CutPrefix(sources.ParameterName(r.Name), prefix)
		if !beneath || r.Account != path.Account || r.Selector != "" || r.IsARN() {
			continue
		}
		switch e.reason {
		case "":
			found[name] = e.value.Text
		case sources.Missing:
		default:
			return failed(path, e.reason, fmt.Sprintf("parameter %s, rehearsed at %s", r.Text(), e.place))
		}
	}
	if len(found) == 0 {
		return d.missing(path)
	}
	return sources.Result{Value: sources.Value{Params: found}}
}

// names gives the refs of a kind, sorted by their text.
func (d *document) names(kind sources.Kind) []sources.Ref {
	var refs []sources.Ref
	for r := range d.entries {
		if r.Kind == kind {
			refs = append(refs, r)
		}
	}
	slices.SortFunc(refs, func(a, b sources.Ref) int { return strings.Compare(a.Text(), b.Text()) })
	return refs
}

// missing says where to add r.
func (d *document) missing(r sources.Ref) sources.Result {
	traits, name := r.Kind.Traits(), r.Text()
	if traits.Form == sources.TextsByName {
		name = strings.TrimRight(name, "/") + "/NAME"
	}
	hints := []string{fmt.Sprintf("add  %s: VALUE  under %s: in %s", name, traits.Section, d.path)}
	if or := r.Default(); or != "" {
		hints = append(hints, "or   "+or)
	}
	var names []string
	for _, known := range d.names(r.Kind) {
		names = append(names, known.Text())
	}
	if near := fault.Near(r.Text(), names); near != "" {
		hints = append(hints, "did you mean "+near+"?")
	}
	return failed(r, sources.Missing, "not in "+d.path, hints...)
}
