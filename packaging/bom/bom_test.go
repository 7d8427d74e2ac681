package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	mit = "The MIT License (MIT)\n\nCopyright (c) 2014 A. Writer\n\nPermission is hereby granted, free of charge, to any person obtaining a copy of\nthis software and …\n"
	bsd = "Copyright 2009 The Go Authors.\n\nRedistribution and use in source and binary forms, with or without\nmodification, are permitted.\n\n" +
		"   * Neither the name of Google LLC nor …\n"
	apacheText = "                                 Apache License\n                           Version 2.0, January 2004\n\n" +
		"      \"Copyright Notice\" is no holder\n   Copyright [yyyy] [name of copyright owner]\n"
)

func TestClassify(t *testing.T) {
	two, _, _ := strings.Cut(bsd, "   * Neither")
	for text, want := range map[string][]string{
		mit:        {"MIT"},
		bsd:        {"BSD-3-Clause"},
		two:        {"BSD-2-Clause"},
		apacheText: {"Apache-2.0"},
		mit + "\nLicensed under the Apache License, Version 2.0 (the \"License\");\n": {"Apache-2.0", "MIT"},
		"GNU GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007\n":                       nil,
		"":                     nil,
		"All rights reserved.": nil,
	} {
		if got := classify(text); !slices.Equal(got, want) {
			t.Errorf("%.40q: %q, want %q", text, got, want)
		}
	}
}

// tree makes files below a directory.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A copied package brings its own terms, one that is not linked brings none, and a notice goes with
// its licence.
func TestLicencesOfLinkedPackages(t *testing.T) {
	dir := tree(t, map[string]string{
		"LICENSE.txt":         apacheText,
		"NOTICE":              "Copyright 2015 Example, Inc. or its affiliates. All Rights Reserved.\n",
		"notice.go":           "package p",
		"linked/x/x.go":       "package x",
		"linked/x/COPYING":    bsd,
		"linked/x/PATENTS":    "a grant",
		"other/LICENSE":       "nobody knows",
		"other/license/l.txt": "",
	})
	m := &module{path: "example.com/m", version: "v1.0.0", dir: dir, packages: []string{dir, filepath.Join(dir, "linked/x")}}
	if err := m.findLicences(); err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, l := range m.licences {
		paths = append(paths, l.path)
	}
	if diff := cmp.Diff([]string{"LICENSE.txt", "NOTICE", "linked/x/COPYING", "linked/x/PATENTS"}, paths); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Apache-2.0", "BSD-3-Clause"}, m.names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	l := &linkage{modules: []*module{m}}
	const want = `
Files: example.com/m/*
Copyright: 2015 Example, Inc. or its affiliates. All Rights Reserved.
License: Apache-2.0
Comment:
 Copyright 2015 Example, Inc. or its affiliates. All Rights Reserved.

Files: example.com/m/linked/x/*
Copyright: 2009 The Go Authors.
License: BSD-3-Clause
 Copyright 2009 The Go Authors.
 .
 Redistribution and use in source and binary forms, with or without
 modification, are permitted.
 .
    * Neither the name of Google LLC nor …
Comment:
 a grant
`
	if diff := cmp.Diff(head+want+apache, string(copyright(l))); diff != "" {
		t.Errorf("copyright (-want +got):\n%s", diff)
	}
	out := t.TempDir()
	if err := m.writeLicences(out); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(out, "example.com/m/linked/x/COPYING")); err != nil || string(got) != bsd {
		t.Errorf("%q, %v", got, err)
	}
}

// What a person has to look at is no package's to pass over.
func TestUnknownTerms(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"none":        {"m.go": "package m"},
		"unknown":     {"LICENSE": "only on Sundays"},
		"notice only": {"NOTICE": "Copyright 2015 Example"},
	} {
		dir := tree(t, files)
		m := &module{path: "example.com/m", dir: dir, packages: []string{dir}}
		if err := m.findLicences(); err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHolders(t *testing.T) {
	for text, want := range map[string][]string{
		mit:        {"2014 A. Writer"},
		apacheText: {"The authors of example.com/m"},
		"Copyright © 2012 The Go Authors.\nCopyright © fsnotify Authors.\ncopyright notice and this": {"2012 The Go Authors.", "fsnotify Authors."},
		"- Copyright (c) in a list is no holder":                                                     {"The authors of example.com/m"},
	} {
		m := &module{path: "example.com/m"}
		if got := m.holders(licence{text: text, path: "LICENSE"}); !slices.Equal(got, want) {
			t.Errorf("%.40q: %q, want %q", text, got, want)
		}
	}
}

func TestMaterials(t *testing.T) {
	l := &linkage{module: "example.com/p", arch: "arm64", modules: []*module{
		{path: standard, version: "1.26.8", licences: []licence{{names: []string{"BSD-3-Clause"}}}},
		{path: "example.com/m", version: "v2.0.0+incompatible", sum: "h1:" + strings.Repeat("A", 43) + "=", licences: []licence{{names: []string{"MIT", "Apache-2.0"}}}},
	}}
	data, err := materials(l, "0.1.0+git3.abc", "2026-11-24T10:20:30Z")
	if err != nil {
		t.Fatal(err)
	}
	var b bill
	if err := json.Unmarshal(data, &b); err != nil {
		t.Fatal(err)
	}
	if want := "pkg:golang/example.com/p@0.1.0%2Bgit3.abc?goarch=arm64&goos=linux#cmd/rendered"; b.Metadata.Component.PURL != want {
		t.Errorf("%s, want %s", b.Metadata.Component.PURL, want)
	}
	want := component{
		Type: "library", Name: "example.com/m", Version: "v2.0.0+incompatible",
		Ref: "pkg:golang/example.com/m@v2.0.0%2Bincompatible", PURL: "pkg:golang/example.com/m@v2.0.0%2Bincompatible",
		Hashes:   []hash{{"SHA-256", strings.Repeat("0", 64)}},
		Licences: []allowed{{"Apache-2.0 AND MIT"}},
	}
	if diff := cmp.Diff(want, b.Components[1]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]dependency{{Ref: b.Metadata.Component.Ref, On: []string{"pkg:golang/stdlib@1.26.8", want.Ref}}}, b.Dependencies); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	l.modules[1].sum = "h1:?"
	if _, err := materials(l, "0.1.0", "2026-11-24T10:20:30Z"); err == nil {
		t.Error("a sum that is none was taken")
	}
}
