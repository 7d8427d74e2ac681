package pages

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A Link is one of a page.
type Link struct {
	Line int // 1-based
	To   string
}

var (
	linked    = regexp.MustCompile(`\]\(([^)\s]*)(?: "[^"]*")?\)|(?:href|src)="([^"]*)"|^ {0,3}\[[^\]]+\]: +(\S+)`)
	coded     = regexp.MustCompile("`[^`]*`")
	heading   = regexp.MustCompile(`^ {0,3}#{1,6} +(.*?)(?: +#+)? *$`)
	anchored  = regexp.MustCompile(`<a (?:id|name)="([^"]+)"`)
	linkText  = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)
	noneInIDs = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// prose gives the lines of a page that are outside of its blocks; the others are empty.
func prose(text string) []string {
	lines := strings.Split(text, "\n")
	var open []string
	for i, line := range lines {
		m := fence.FindStringSubmatch(line)
		switch {
		case open == nil && m == nil:
			continue
		case open == nil:
			open = m
		case m != nil && m[2] == open[2] && m[3] == "":
			open = nil
		}
		lines[i] = ""
	}
	return lines
}

// Links gives the links of a page, pictures included. What stands in backquotes is none.
func Links(text string) (links []Link) {
	for i, line := range prose(text) {
		line = coded.ReplaceAllStringFunc(line, func(code string) string { return strings.Repeat("x", len(code)) })
		for _, m := range linked.FindAllStringSubmatch(line, -1) {
			links = append(links, Link{i + 1, m[1] + m[2] + m[3]})
		}
	}
	return links
}

// Anchors gives what a link to a place in a page may have behind its #, as GitHub makes it of
// headings: of one that stands there again, with a number.
func Anchors(text string) (ids []string) {
	for _, line := range prose(text) {
		for _, m := range anchored.FindAllStringSubmatch(line, -1) {
			ids = append(ids, m[1])
		}
		m := heading.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		plain := strings.ReplaceAll(linkText.ReplaceAllString(m[1], "$1"), "`", "")
		id := strings.ReplaceAll(noneInIDs.ReplaceAllString(strings.ToLower(plain), ""), " ", "-")
		again := id
		for n := 1; slices.Contains(ids, again); n++ {
			again = fmt.Sprintf("%s-%d", id, n)
		}
		ids = append(ids, again)
	}
	return ids
}
