package main

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const head = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: rendered
Source: https://github.com/rendered/rendered
Comment: /usr/bin/rendered is linked statically from the Go modules named below, each with the paths of its sources.

Files: *
Copyright: The authors of rendered
License: Apache-2.0
`

const apache = `
License: Apache-2.0
 On Debian systems the text of the Apache License, Version 2.0, is in
 /usr/share/common-licenses/Apache-2.0.
`

// copyright writes /usr/share/doc/PACKAGE/copyright, by
// https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/.
func copyright(l *linkage) []byte {
	var b bytes.Buffer
	b.WriteString(head)
	for _, m := range l.modules {
		for _, of := range m.licences {
			if of.names == nil {
				continue
			}
			dir := m.path
			if i := strings.LastIndexByte(of.path, '/'); i >= 0 {
				dir += "/" + of.path[:i]
			}
			fmt.Fprintf(&b, "\nFiles: %s/*\nCopyright: %s\n", dir, strings.Join(m.holders(of), "\n "))
			if slices.Equal(of.names, []string{"Apache-2.0"}) {
				fmt.Fprintf(&b, "License: Apache-2.0\n")
			} else {
				fmt.Fprintf(&b, "License: %s\n%s", strings.Join(of.names, " and "), indented(of.text))
			}
			if notes := m.notes(of); notes != "" {
				fmt.Fprintf(&b, "Comment:\n%s", indented(notes))
			}
		}
	}
	b.WriteString(apache)
	return b.Bytes()
}

// holder is a line that says who has the rights; not the Apache License's example of one, and none
// of its own sentences.
var holder = regexp.MustCompile(`(?m)^[ \t]*(?:Copyright|\(c\))[: ].*(?:\d{4}|by |Authors).*$|^[ \t]*Copyright [A-Z][^\n]*All Rights Reserved.*$`)

var word = regexp.MustCompile(`^(?i:copyright:?|\(c\)|©)\s*`)

// holders gives the lines that say who has the rights, without the word itself.
func (m *module) holders(of licence) (list []string) {
	for _, text := range []string{of.text, m.notes(of)} {
		for _, line := range holder.FindAllString(text, -1) {
			line = strings.TrimSpace(line)
			for word.MatchString(line) {
				line = word.ReplaceAllString(line, "")
			}
			if line != "" && !slices.Contains(list, line) {
				list = append(list, line)
			}
		}
	}
	if len(list) == 0 {
		return []string{"The authors of " + m.path}
	}
	return list
}

// notes gives what stands beside a licence: what the Apache License wants to be handed on, a grant
// of patents.
func (m *module) notes(of licence) string {
	var texts []string
	dir := func(path string) string { return path[:strings.LastIndexByte(path, '/')+1] }
	for _, l := range m.licences {
		if l.names == nil && dir(l.path) == dir(of.path) {
			texts = append(texts, strings.TrimSpace(l.text))
		}
	}
	return strings.Join(texts, "\n\n")
}

// indented makes a text the continuation of a field.
func indented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimSpace(text)) {
		line = strings.TrimRight(line, " \t\r\n")
		if line == "" {
			line = "."
		}
		b.WriteString(" " + line + "\n")
	}
	return b.String()
}
