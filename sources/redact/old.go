package redact

import (
	"sort"
	"strings"
)

// maxLines bounds the lines of an old file that are looked at.
const maxLines = 10_000

// gone gives what the lines of an old text hold that the new one lacks. Of a line that differs from
// one of the new text by a part it is that part: the rest is no secret that is new to anybody.
func gone(old, new string) []string {
	has := make(map[string]bool)
	for line := range strings.Lines(new) {
		has[strings.TrimSpace(line)] = true
	}
	sorted := make([]string, 0, len(has))
	for line := range has {
		sorted = append(sorted, line)
	}
	sort.Strings(sorted)
	var parts, block []string
	n := 0
	for line := range strings.Lines(old) {
		line = strings.TrimSpace(line)
		if n++; n > maxLines {
			break
		}
		if line == "" || has[line] {
			parts, block = flush(parts, block), nil
			continue
		}
		part, changed := difference(line, sorted)
		parts = append(parts, strings.Trim(part, "\"';,"))
		if changed {
			if _, value, ok := strings.Cut(line, "="); ok {
				parts = append(parts, strings.Trim(value, "\"'; ")) // of a value of several words the others are its own, too
			}
			parts, block = flush(parts, block), nil
		} else {
			block = append(block, line)
		}
	}
	return flush(parts, block)
}

// flush adds lines that stand together as one text: a value may have several.
func flush(parts, block []string) []string {
	if len(block) > 1 {
		parts = append(parts, strings.Join(block, "\n"))
	}
	return parts
}

// leastAlike is how many bytes at its beginning a line has to have in common with another to be the
// same line with another value.
const leastAlike = 3

// difference gives the part of a line that is not in the line most like it, whole words, and
// whether there is one that is like it; else it gives the line.
func difference(line string, sorted []string) (part string, changed bool) {
	i := sort.SearchStrings(sorted, line)
	best, like := 0, ""
	for _, j := range []int{i - 1, i} {
		if j >= 0 && j < len(sorted) {
			if n := alike(line, sorted[j]); n > best {
				best, like = n, sorted[j]
			}
		}
	}
	head := strings.LastIndexAny(line[:best], " \t=:\"',;<>(") + 1
	if head < leastAlike {
		return line, false
	}
	tail := 0
	for tail < min(len(line), len(like))-head && line[len(line)-1-tail] == like[len(like)-1-tail] {
		tail++
	}
	rest := line[len(line)-tail:]
	if at := strings.IndexAny(rest, " \t=:\"',;<>)"); at >= 0 {
		rest = rest[at:]
	} else {
		rest = ""
	}
	return line[head : len(line)-len(rest)], true
}

// alike gives how many bytes two texts begin with together.
func alike(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}
