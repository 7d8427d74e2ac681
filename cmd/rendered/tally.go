package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch"
)

// A tally counts lookups: refs that are known, by what they name, and calls whose ref only a render
// can tell.
type tally struct{ secrets, params, paths, files, facts, dynamic int }

func tallyOf(s *watch.Service) tally {
	var t tally
	seen := make(map[sources.Ref]bool)
	for _, f := range s.Files {
		for _, l := range f.Template.Lookups() {
			switch {
			case l.Ref == sources.Ref{}:
				t.dynamic++
				continue
			case seen[l.Ref]:
				continue
			}
			seen[l.Ref] = true
			switch l.Ref.Kind {
			case sources.Secret:
				t.secrets++
			case sources.Param:
				t.params++
			case sources.Params:
				t.paths++
			case sources.File:
				t.files++
			case sources.IMDS, sources.Own:
				t.facts++
			}
		}
	}
	return t
}

func (t tally) String() string {
	var words []string
	add := func(n int, noun string) {
		if n > 0 {
			words = append(words, count(n, noun))
		}
	}
	add(t.secrets, "secret")
	add(t.params, "param")
	add(t.paths, "path")
	add(t.files, "local file")
	add(t.facts, "fact")
	add(t.dynamic, "dynamic lookup")
	if words == nil {
		return "no lookups"
	}
	return strings.Join(words, " ")
}

const (
	secretCallPrice = 0.05 / 10_000 // dollars a call of Secrets Manager's API (its pricing page)
	daysPerMonth    = 365.25 / 12
	batch           = 10 // parameters of one GetParameters
)

// costs says how many lookups there are, and what they come to a day. What only a render can tell
// is not counted; services that happen to be due together share their calls, so it may be less.
func costs(w io.Writer, cfg *config.Config, plan *watch.Plan) {
	lookups := 0
	var secretCalls, paramCalls float64
	rates := make(map[string]float64) // by schedule: it takes thousands of steps to count one
	for _, s := range plan.Services {
		t := tallyOf(s)
		lookups += t.secrets + t.params + t.paths + t.files + t.facts + t.dynamic
		perDay, known := rates[s.Schedule.String()]
		if !known {
			perDay = s.Schedule.PerDay()
			rates[s.Schedule.String()] = perDay
		}
		secretCalls += perDay * float64(t.secrets)
		paramCalls += perDay * float64((t.params+batch-1)/batch+t.paths)
	}
	if cfg.Values != "" {
		fmt.Fprintf(w, "%s, answered from %s without AWS.\n", count(lookups, "lookup"), cfg.Values)
		return
	}
	fmt.Fprintf(w, "%s. About %s Secrets Manager calls a day on this host ($%.2f a month), %s Parameter Store calls (no charge).\n",
		count(lookups, "lookup"), grouped(secretCalls), secretCalls*daysPerMonth*secretCallPrice, grouped(paramCalls))
}

// grouped writes a number with commas between thousands.
func grouped(f float64) string {
	digits := fmt.Sprintf("%.0f", f)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
