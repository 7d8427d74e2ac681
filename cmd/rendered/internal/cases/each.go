package cases

import (
	"context"
	"strings"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/sources"
)

// eachOf parses what there is a file for each of. Which path each has is not asked of a case.
func (s subject) eachOf(o render.Options) (*render.Each, fault.List) {
	o.Main, o.Partials, o.MaxSize, o.TrackValues = *s.each, nil, 0, false
	e, faults := render.ParseEach(o)
	if len(faults) > 0 {
		return nil, faults
	}
	e.Path = func(key string) (string, *fault.Fault) { return strings.ReplaceAll(s.path, render.AnyKey, key), nil }
	return e, nil
}

// chosen gives the file that a case is of, where there is one for each key: that of its key, or of
// the path that the cases name, or the only one.
func (s subject) chosen(ctx context.Context, f *render.File, c *config.Case, snapshot *sources.Snapshot) (*render.File, fault.List) {
	list, _, faults := f.Expand(ctx, snapshot)
	if len(faults) > 0 {
		return nil, faults
	}
	var keys []string
	for _, one := range list {
		if !f.IsEach() || one.Key() == c.Key && c.Key != "" || c.Key == "" && (one.Path == s.written || len(list) == 1) {
			return one, nil
		}
		keys = append(keys, one.Key())
	}
	failed := &fault.Fault{Place: c.Place, What: "it does not say of which key it is", Hints: []string{"key: is one of " + strings.Join(keys, ", ")}}
	switch {
	case len(list) == 0:
		failed.What, failed.Hints = "each: gives no key for it", nil
	case c.Key != "":
		failed.What = "there is no key " + render.ShownKey(c.Key)
	}
	return nil, fault.List{failed}
}
