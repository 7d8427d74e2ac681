package render

import (
	"context"
	"fmt"
	"time"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
)

// A Name is the template of a path, which takes no lookup to be known.
type Name struct{ template *Template }

// timeForName bounds how long it takes to make one.
const timeForName = time.Second

// ParseName reads the template of a path. It is Parse, and a lookup is a fault.
func ParseName(o Options) (*Name, fault.List) {
	t, faults := Parse(o)
	if len(faults) > 0 {
		return nil, faults
	}
	for _, l := range t.lookups {
		faults = append(faults, l.Fault(fmt.Sprintf("a path is made of no lookup, as %s is", l.Function),
			"it may have vars, env and hostname; what is looked up may change, and be secret"))
	}
	return &Name{t}, faults
}

// Text gives what the template prints; where it is Keyed, for a key.
func (n *Name) Text(key string) (string, *fault.Fault) {
	ctx, cancel := context.WithTimeout(context.Background(), timeForName)
	defer cancel()
	var of *item
	if n.template.Keyed {
		of = &item{key: key}
	}
	out, failed := n.template.executeFor(ctx, sources.NewSnapshot(sources.Mux{}, 0), of)
	return string(out.Content), failed
}
