package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
)

// A linkage is what a binary was made of.
type linkage struct {
	path    string // of the main package
	module  string // that this package belongs to
	arch    string
	modules []*module // by path; the standard library is first
}

// A module is one that a binary has code of.
type module struct {
	path, version string
	sum           string   // as in go.sum; "" for the standard library
	dir           string   // where its files are
	packages      []string // directories of those that are linked
	licences      []licence
}

// standard is the name that bills of materials have for Go's own library.
const standard = "stdlib"

// linkedInto asks the binary for its modules and the go command for their files. The two must
// agree: where they do not, the binary was built from other sources than these, or for another
// machine.
func linkedInto(binary string) (*linkage, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	l := &linkage{path: info.Path, module: info.Main.Path}
	for _, s := range info.Settings {
		if s.Key == "GOARCH" {
			l.arch = s.Value
		}
	}
	known, err := listed(info.Path, info.Main.Path)
	if err != nil {
		return nil, err
	}
	library := known[standard]
	if library == nil {
		return nil, errors.New("go list names no package of the standard library")
	}
	library.version = strings.TrimPrefix(info.GoVersion, "go")
	delete(known, standard)
	l.modules = append(l.modules, library)
	for _, dep := range info.Deps {
		m := known[dep.Path]
		if m == nil || dep.Replace != nil || m.version != dep.Version {
			return nil, fmt.Errorf("%s has %s %s linked, which the sources here do not", binary, dep.Path, dep.Version)
		}
		m.sum = dep.Sum
		delete(known, dep.Path)
		l.modules = append(l.modules, m)
	}
	for path := range known {
		return nil, fmt.Errorf("the sources here need %s, which %s does not have linked", path, binary)
	}
	slices.SortFunc(l.modules[1:], func(a, b *module) int { return strings.Compare(a.path, b.path) })
	for _, m := range l.modules {
		if err := m.findLicences(); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// listed gives the modules of all packages that a command is linked from, by path, but its own.
func listed(path, own string) (map[string]*module, error) {
	cmd := exec.Command("go", "list", "-deps", "-json=Dir,Standard,Module,Root,ImportPath", path)
	var failed bytes.Buffer
	cmd.Stderr = &failed
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, failed.Bytes())
	}
	modules := make(map[string]*module)
	decoder := json.NewDecoder(bytes.NewReader(out))
	for {
		var p struct {
			Dir, Root, ImportPath string
			Standard              bool
			Module                struct{ Path, Version, Dir string }
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return modules, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		m := module{path: p.Module.Path, version: p.Module.Version, dir: p.Module.Dir}
		switch {
		case p.ImportPath == "unsafe" || p.Module.Path == own:
			continue
		case p.Standard:
			// All of it has the terms of its root. The only others in it are of object files that
			// GOEXPERIMENT=boringcrypto links.
			m, p.Dir = module{path: standard, dir: p.Root}, p.Root
		}
		if modules[m.path] == nil {
			modules[m.path] = &m
		}
		modules[m.path].packages = append(modules[m.path].packages, p.Dir)
	}
}
