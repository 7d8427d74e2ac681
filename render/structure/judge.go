package structure

import (
	"bytes"
	"slices"
	"strings"

	"github.com/rendered/rendered/render/format"
)

// maxTries bounds how often a file is parsed.
const maxTries = 96

// A verdict is what comes of putting words in the place of values.
type verdict int

const (
	// With words in their places the file does not parse, or there was no time.
	unknown verdict = iota
	same            // the file has the structure that it has with words
	differs
)

// judge looks at all values at once; where something is wrong, at ever fewer of them.
func (d *document) judge() *Breach {
	all := d.open()
	was, seen := d.test(all)
	if was == same {
		return d.behind(all, seen)
	}
	d.shown = seen
	if breach := d.narrow(all, was, seen); breach != nil {
		return breach
	}
	// Two values may break out together where neither does alone. Those that are known to be good
	// alone are no part of it.
	rest := slices.DeleteFunc(slices.Clone(all), func(i int) bool { return d.values[i].clear })
	if len(rest) < 2 {
		return nil
	}
	if len(rest) < len(all) {
		was, seen = d.test(rest)
	}
	if was == differs {
		return d.breach(rest[0], seen)
	}
	return nil
}

// narrow finds one of some values, which were tested together, that changes the structure alone.
func (d *document) narrow(some []int, was verdict, seen *sight) *Breach {
	switch {
	case was == same:
		d.clear(some, seen)
		return d.behind(some, seen)
	case len(some) > 1:
		return halves(some, func(half []int) *Breach {
			if d.over() {
				return nil
			}
			was, seen := d.test(half)
			return d.narrow(half, was, seen)
		})
	case was == differs:
		return d.breach(some[0], seen)
	}
	return nil
}

// halves gives the breach that is found in the first half of some values, or else in the second.
func halves(some []int, find func(half []int) *Breach) *Breach {
	middle := len(some) / 2
	if breach := find(some[:middle]); breach != nil {
		return breach
	}
	return find(some[middle:])
}

// clear notes that values change nothing. One that came out beside the words of others and does not
// beside their values says nothing: what it stands in may be a comment that another one began.
func (d *document) clear(some []int, seen *sight) {
	for _, i := range some {
		_, shown := d.shown.out[i]
		_, out := seen.out[i]
		d.values[i].clear = out || !shown
	}
}

// test puts words in the place of some values, in each way in which that may be meant, and
// compares. Values in the place of which there may be any number of entries or elements could hide
// what another one adds, so the others are looked at without them.
func (d *document) test(some []int) (verdict, *sight) {
	was, seen := d.compare(some)
	if was != same || len(seen.wild) == 0 {
		return was, seen
	}
	rest := slices.DeleteFunc(slices.Clone(some), func(i int) bool { return seen.wild[i] })
	if len(rest) == 0 {
		return same, seen
	}
	was, others := d.compare(rest)
	others.add(seen)
	return was, others
}

// compare gives same where one of the ways gives the same structure, and differs where none does
// and one of them parses.
func (d *document) compare(some []int) (verdict, *sight) {
	was, first := unknown, newSight()
	for _, way := range d.ways(some) {
		if d.over() {
			return unknown, first
		}
		tree, ok := d.tree(some, way)
		if !ok {
			continue
		}
		m := &matcher{document: d}
		if m.node(tree, d.actual) {
			return same, m.sight(tree)
		}
		if was == unknown {
			was, first = differs, m.sight(tree)
		}
	}
	return was, first
}

// tree parses the file with words in the place of some values.
func (d *document) tree(some []int, word func(i int) string) (format.Node, bool) {
	d.tries++
	var b bytes.Buffer
	b.Grow(len(d.content))
	end := 0
	for _, i := range some {
		b.Write(d.content[end:d.values[i].Start])
		b.WriteString(word(i))
		end = d.values[i].End
	}
	b.Write(d.content[end:])
	tree, err := d.format.Tree(b.Bytes())
	return tree, err == nil
}

// ways gives the words that may stand in the place of values, the likeliest first: one for all, and
// for those that begin their line such as make an entry, an element or a list of them.
func (d *document) ways(some []int) []func(int) string {
	plain := func(i int) string { return d.token(i) }
	meant := func(i int) string {
		if d.values[i].quoted {
			return `"` + d.token(i) + `"`
		}
		return d.token(i)
	}
	ways := []func(int) string{meant}
	name := d.format.String()
	if name == "toml" {
		ways = append(ways, plain)
	}
	if !slices.ContainsFunc(some, func(i int) bool { return d.values[i].begins }) {
		return ways
	}
	block := func(make func(i int, token string) string) func(int) string {
		return func(i int) string {
			if !d.values[i].begins {
				return meant(i)
			}
			return d.edged(i, make(i, d.token(i)))
		}
	}
	ways = append(ways, block(func(i int, token string) string { return meant(i) }))
	for _, pattern := range blocks[name] {
		ways = append(ways, block(func(i int, token string) string { return strings.ReplaceAll(pattern, "T", token) }))
	}
	return ways
}

// blocks are the words for what may be any number of entries or elements.
var blocks = map[string][]string{
	"json":       {`"T":"T"`, `"T":"T",`, `"T",`},
	"yaml":       {"T: T", "- T"},
	"toml":       {`"T"="T"`},
	"ini":        {"T=T"},
	"dotenv":     {"T=T"},
	"properties": {"T=T"},
	"xml":        {"<T/>"},
}

// edged puts the blanks at both ends of a value around a word.
func (d *document) edged(i int, word string) string {
	text := d.text(i)
	head := len(text) - len(bytes.TrimLeft(text, " \t\r\n"))
	tail := len(bytes.TrimRight(text, " \t\r\n"))
	if head >= tail {
		return string(text)
	}
	return string(text[:head]) + word + string(text[tail:])
}

// behind puts a word behind each value that stands between quotes, or in a text, where the word
// alone came out in a text. Where it does not come out there, the value made a comment of what
// follows it.
func (d *document) behind(some []int, seen *sight) *Breach {
	if d.format.String() == "json" {
		return nil // it has no comments
	}
	some = slices.DeleteFunc(slices.Clone(some), func(i int) bool {
		return !seen.out[i].held || len(bytes.TrimSpace(d.text(i))) == 0
	})
	if len(some) == 0 || d.over() {
		return nil
	}
	tree, ok := d.tree(some, func(i int) string { return d.edged(i, string(bytes.TrimSpace(d.text(i)))+d.token(i)) })
	switch {
	case ok:
		return d.lost(some, tree, seen)
	case len(some) == 1:
		return nil
	}
	return halves(some, func(half []int) *Breach { return d.behind(half, seen) })
}

// lost gives the first of some values behind which no word came out in a tree.
func (d *document) lost(some []int, tree format.Node, seen *sight) *Breach {
	m := &matcher{document: d}
	after := m.sight(tree)
	for _, i := range some {
		if _, out := after.out[i]; !out {
			return d.breach(i, seen)
		}
	}
	return nil
}
