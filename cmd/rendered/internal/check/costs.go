package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch"
)

// A tally counts lookups by kind: refs that are known, and as "" calls whose ref only a render can
// tell.
type tally map[sources.Kind]int

func tallyOf(s *watch.Service) tally {
	t := make(tally)
	seen := make(map[sources.Ref]bool)
	for _, f := range s.Files {
		for _, l := range f.Lookups() {
			if l.Ref == (sources.Ref{}) || !seen[l.Ref] {
				t[l.Ref.Kind]++
			}
			seen[l.Ref] = true
		}
	}
	return t
}

func (t tally) String() string {
	if len(t) == 0 {
		return "no lookups"
	}
	var nouns []string // several kinds have one
	counts := make(map[string]int)
	add := func(noun string, n int) {
		if !slices.Contains(nouns, noun) {
			nouns = append(nouns, noun)
		}
		counts[noun] += n
	}
	for _, kind := range sources.Kinds(func(sources.Traits) bool { return true }) {
		add(kind.Traits().Noun, t[kind])
	}
	add("computed lookup", t[""])
	var words []string
	for _, noun := range nouns {
		if counts[noun] > 0 {
			words = append(words, console.Count(counts[noun], noun))
		}
	}
	return strings.Join(words, " ")
}

const daysPerMonth = 365.25 / 12

// printCosts says how many lookups there are, and what they come to a day. What only a render can
// tell is not counted; services that happen to be due together share their calls, so it may be
// less.
func (c *checker) printCosts() {
	lookups, list := lookedUp(c.plan), usageOf(c.plan)
	if c.cfg.Values != "" {
		console.Say(c.out, fmt.Sprintf("%s, answered from %s without AWS.", lookups, c.cfg.Values))
		return
	}
	words := make([]string, len(list))
	for i, u := range list {
		when, price := "", "no charge"
		if i == 0 {
			when = " a day on this host"
		}
		if u.price > 0 {
			price = fmt.Sprintf("$%.2f a month", u.perMonth())
		}
		words[i] = fmt.Sprintf("%s %s calls%s (%s)", grouped(u.perDay), u.service, when, price)
	}
	console.Say(c.out, fmt.Sprintf("%s. About %s.", lookups, strings.Join(words, ", ")))
}

// A usage is how often a service of AWS is called.
type usage struct {
	service sources.Service
	perDay  float64
	price   float64 // dollars a call
}

// perMonth gives what the calls cost, in dollars.
func (u usage) perMonth() float64 { return u.perDay * daysPerMonth * u.price }

// A count is how many lookups there are, and what they ask for, as the verb lookups counts both.
type count struct{ lookups, refs int }

// lookedUp counts the calls in the templates of a plan.
func lookedUp(p *watch.Plan) (n count) {
	refs := make(map[sources.Ref]bool)
	for _, s := range p.Services {
		for _, f := range s.Files {
			for _, l := range f.Lookups() {
				n.lookups++
				refs[l.Ref] = true
			}
		}
	}
	delete(refs, sources.Ref{}) // of which only a render can tell
	n.refs = len(refs)
	return n
}

// String gives "8 lookups of 4 refs".
func (n count) String() string {
	return fmt.Sprintf("%s of %s", console.Count(n.lookups, "lookup"), console.Count(n.refs, "ref"))
}

// usageOf counts the calls to AWS that the lookups of a plan take.
func usageOf(p *watch.Plan) (list []usage) {
	priced := sources.Kinds(func(t sources.Traits) bool { return t.Call.Service != "" })
	calls := make(map[sources.Service]float64) // a day
	rates := make(map[string]float64)          // by schedule: counting is slow
	for _, s := range p.Services {
		perDay, known := rates[s.Schedule.String()]
		if !known {
			perDay = s.Schedule.PerDay()
			rates[s.Schedule.String()] = perDay
		}
		t := tallyOf(s)
		for _, kind := range priced {
			call := kind.Traits().Call
			calls[call.Service] += perDay * float64((t[kind]+call.Batch-1)/call.Batch)
		}
	}
	for _, kind := range priced {
		call := kind.Traits().Call
		if !slices.ContainsFunc(list, func(u usage) bool { return u.service == call.Service }) {
			list = append(list, usage{call.Service, calls[call.Service], call.Price})
		}
	}
	return list
}

// grouped writes a number with commas between thousands.
func grouped(f float64) string {
	digits := fmt.Sprintf("%.0f", f)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
