package watch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rendered/rendered/internal/fault"
)

// A Faulty is a service that a plan does not have as the config has it.
type Faulty struct {
	Service string     // "": it is not known which, as a part of the config cannot be read
	Part    string     // path of the file that has it
	Instead Instead    // of it
	Faults  fault.List // why
}

// Instead says what a plan has in the place of a faulty service.
type Instead int

const (
	Nothing  Instead = iota // it is left out
	OldSelf                 // the service as it was in force
	Namesake                // another service that has its name; it is left out itself
)

// Name gives the service, or else the part of the config.
func (f Faulty) Name() string {
	if f.Service == "" {
		return f.Part
	}
	return f.Service
}

// Fate says in a clause what becomes of it.
func (f Faulty) Fate() string {
	switch {
	case f.Service == "":
		return f.Part + " cannot be used"
	case f.Instead == OldSelf:
		return f.Service + " keeps its old self"
	case f.Instead == Namesake:
		return f.Service + " of " + f.Part + " is left out"
	}
	return f.Service + " is left out"
}

// Unfit is the error of a config that is in force but for some of its services.
type Unfit []Faulty

// Error gives a line for each fault.
func (u Unfit) Error() string { return u.Faults().Error() }

// Faults gives what is wrong, by place.
func (u Unfit) Faults() fault.List {
	var list fault.List
	for _, f := range u {
		list = append(list, f.Faults...)
	}
	list.Sort()
	return list.Unique() // one of a part is one of each service in it
}

// Fates says in a line what becomes of whom.
func (u Unfit) Fates() string { return u.each(Faulty.Fate) }

// Names gives a line of those it is about.
func (u Unfit) Names() string { return u.each(Faulty.Name) }

func (u Unfit) each(say func(Faulty) string) string {
	const most = 10
	var words []string
	for _, f := range u {
		if word := say(f); !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	if more := len(words) - most; more > 0 {
		words = append(words[:most], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(words, ", ")
}
