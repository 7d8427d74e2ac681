package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A licence is one file that says under which terms code may be used, or what must be said of it.
type licence struct {
	path  string // relative to the module
	text  string
	names []string // of SPDX; none for a notice or a grant of patents beside a licence
}

var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([.-].*)?$`)

// source is a file of a program that is called as licences are: notice.go.
var source = regexp.MustCompile(`\.(go|s|c|h)$`)

// findLicences finds the files that hold for a module's linked packages: those beside each, and
// those above it. A package copied from elsewhere has terms of its own.
func (m *module) findLicences() error {
	seen := make(map[string]bool)
	for _, dir := range m.packages {
		for ; strings.HasPrefix(dir+"/", m.dir+"/"); dir = filepath.Dir(dir) {
			if seen[dir] {
				break
			}
			seen[dir] = true
			entries, err := os.ReadDir(dir)
			if err != nil {
				return err
			}
			for _, e := range entries {
				if !e.Type().IsRegular() || !licenceFile.MatchString(e.Name()) || source.MatchString(e.Name()) {
					continue
				}
				if err := m.readLicence(filepath.Join(dir, e.Name())); err != nil {
					return err
				}
			}
		}
	}
	slices.SortFunc(m.licences, func(a, b licence) int { return strings.Compare(a.path, b.path) })
	if len(m.names()) == 0 {
		return fmt.Errorf("%s %s has no licence in %s", m.path, m.version, m.dir)
	}
	return nil
}

func (m *module) readLicence(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(m.dir, path)
	if err != nil {
		return err
	}
	l := licence{path: rel, text: string(data)}
	if kind := strings.ToLower(filepath.Base(rel)); !strings.HasPrefix(kind, "notice") && !strings.HasPrefix(kind, "patents") {
		if l.names = classify(l.text); l.names == nil {
			return fmt.Errorf("%s: no licence that is known here; read it, and teach it to classify", path)
		}
	}
	m.licences = append(m.licences, l)
	return nil
}

// marks are words by which a licence is known, in a text whose white space is single blanks.
var marks = []struct {
	name string
	has  *regexp.Regexp
}{
	{"Apache-2.0", regexp.MustCompile(`Apache License Version 2\.0, January 2004|Licensed under the Apache License, Version 2\.0`)},
	{"MIT", regexp.MustCompile(`Permission is hereby granted, free of charge, to any person obtaining a copy of this software`)},
	{"ISC", regexp.MustCompile(`Permission to use, copy, modify, and(/or)? distribute this software for any purpose with or without fee is hereby granted`)},
	{"MPL-2.0", regexp.MustCompile(`Mozilla Public License,? [Vv]ersion 2\.0`)},
	{"BSD-3-Clause", regexp.MustCompile(`Redistribution and use in source and binary forms, with or without modification, .*(Neither the name|The names? of .* may not)`)},
	{"BSD-2-Clause", regexp.MustCompile(`Redistribution and use in source and binary forms, with or without modification, `)},
}

// classify gives the SPDX names of the licences in a text, none where there is none that is known.
// Whoever teaches it another makes sure that a static binary may have such code.
func classify(text string) (names []string) {
	text = strings.Join(strings.Fields(text), " ")
	for _, m := range marks {
		if m.has.MatchString(text) && !(m.name == "BSD-2-Clause" && slices.Contains(names, "BSD-3-Clause")) {
			names = append(names, m.name)
		}
	}
	return names
}

// names gives the SPDX names of all licences of a module, sorted.
func (m *module) names() (names []string) {
	for _, l := range m.licences {
		names = append(names, l.names...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// writeLicences copies a module's files.
func (m *module) writeLicences(dir string) error {
	for _, l := range m.licences {
		path := filepath.Join(dir, m.path, l.path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(l.text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
