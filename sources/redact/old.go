package redact

import (
	"maps"
	"slices"
	"strings"
)

// maxLines bounds the lines of an old file that are looked at.
const maxLines = 10_000

// gone gives what the lines of an old text hold that the new one lacks. Of a line that differs from
// one of the new text by a part it is that part: the rest is no secret that is new to anybody.
func gone(old, new string) []string {
	has := map[string]bool{"": true}
	for line := range strings.Lines(new) {
		has[strings.TrimSpace(line)] = true
	}
	sorted := slices.Sorted(maps.Keys(has))
	lines := strings.Split(old, "\n")
	var parts, block []string
	for _, line := range lines[:min(len(lines), maxLines)] {
		line = strings.TrimSpace(line)
		ends := has[line]
		if !ends {
			var part string
			part, ends = difference(line, sorted)
			parts = append(parts, strings.Trim(part, "\"';,"))
			if _, value, ok := strings.Cut(line, "="); ok && ends {
				// Of a value of several words the others are its own, too.
				parts = append(parts, strings.Trim(value, "\"'; "))
			}
		}
		if ends {
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
	i, _ := slices.BinarySearch(sorted, line)
	like := ""
	for _, other := range sorted[max(i-1, 0):min(i+1, len(sorted))] {
		if alike(line, other) > alike(line, like) {
			like = other
		}
	}
	head := strings.LastIndexAny(line[:alike(line, like)], " \t=:\"',;<>(") + 1
	if head < leastAlike {
		return line, false
	}
	end := len(line)
	for n := len(like); end > head && n > head && line[end-1] == like[n-1]; n-- {
		end--
	}
	if at := strings.IndexAny(line[end:], " \t=:\"',;<>)"); at >= 0 {
		return line[head : end+at], true
	}
	return line[head:], true
}

// alike gives how many bytes two texts begin with together.
func alike(a, b string) (n int) {
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}
